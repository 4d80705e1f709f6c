"""The steps of the set-up that say for whom it is, who carries, how people arrive, and which device proves it.

What each rests on is derived from rows (`services/set_up_facts.py`) and stands among the looks. Next door: `onboarding_steps`.
"""

from collections.abc import Sequence

from .onboarding import Role, Step, looked_good

PARTNER = Step("partner", Role.INTUNE, looked_good("partner"), after=("consent",))
SCOPE = Step("scope", Role.ENTRA, looked_good("scope"), after=("consent",))
ARRIVAL = Step("arrival", Role.MDM, looked_good("arrival"))
EXCLUDED = Step("excluded", Role.ACCESS, looked_good("excluded"), after=("consent",))
_BEFORE = "company tenant credential sign_in consent partner scope mdm evidence channel excluded"
PILOT = Step("pilot", Role.MDM, looked_good("pilot"), after=tuple(_BEFORE.split()))
"""Before *go* only the few who were named may use it (`FIRST`), and so only their devices can be linked and prove anything."""

BEFORE_MDM: Sequence[Step] = (PARTNER, SCOPE)
BEFORE_GO: Sequence[Step] = (ARRIVAL, EXCLUDED, PILOT)
