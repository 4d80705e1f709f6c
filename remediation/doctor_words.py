"""What a finding of the doctor's means, in words for the terminal: what was seen, who can act, and what to do.

By check and `why`; `*` stands for every check. Next door: `doctor_words_microsoft`, `doctor_words_house` (the words), and
`doctor_commands`, which prints them.
"""

from .doctor_says import Words
from .doctor_words_house import HOUSE
from .doctor_words_microsoft import MICROSOFT
from .domain.finding import Finding

WORDS = {**HOUSE, **MICROSOFT}
NAMES = {
    "settings": "settings",
    "database": "database",
    "service_certificate": "service app's certificate",
    "certificate_authorities": "authorities of device certificates",
    "revocation_lists": "their revocation lists",
    "trusted_authorities": "authorities trusted when calling out",
    "token": "token",
    "permissions": "permissions",
    "credential": "credential of the",
    "directory": "directory",
    "licence": "licence",
    "licence_given": "licences of people in scope",
    "registration": "registering devices",
    "new_phone": "a new phone and the policies",
    "by_hand": "look yourself",
    "channel": "channel",
    "partner": "Intune partner service",
    "partner_slot": "compliance partner for",
    "partner_groups": "people of the compliance partner for",
    "partner_addresses": "our addresses at Microsoft",
    "heartbeat": "heartbeat",
    "mdm": "MDM",
    "messages": "messages of",
    "sign_in_log": "sign-in log",
    "evidence": "minimum evidence",
    "policy": "our sign-in and the device policies",
    "temporary_access": "temporary access",
    "pilot": "pilot device for",
    "lock": "second lock",
    "lock_policy": "policy of the second lock",
    "lock_blocks": "second lock, tried",
    "clock": "clock of",
    "headroom": "calls left for",
    "worker": "worker",
    "queue": "queue",
}


def in_words(finding: Finding) -> Words:
    words = WORDS.get((finding.check, finding.why)) or WORDS["*", finding.why]
    told = {"about": finding.about, **finding.detail}
    return Words(words.seen.format(**told), words.who, words.do.format(**told))


def named(finding: Finding) -> str:
    return f"{NAMES[finding.check]} {finding.about}".strip()
