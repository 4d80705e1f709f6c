"""The form of what a finding means: what was seen, who can act, and what to do. Next door: `doctor_words`."""

from dataclasses import dataclass

NOBODY = ""
ENTRA = "Entra administrator"
INTUNE = "Intune administrator"
ACCESS = "Conditional Access administrator"
MDM = "MDM's administrator"
OPERATOR = "whoever runs this product"
SECURITY = "security officer"
TIME = "time"


@dataclass(frozen=True)
class Words:
    seen: str
    who: str = NOBODY
    do: str = ""
