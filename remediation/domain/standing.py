"""Whether this service is for this person at all: licence, chosen groups, account. Checked before any effort is asked of them.

None means that nobody could tell us: it keeps no one out, since what it stands for is checked again by Microsoft itself.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Standing:
    """What the directory says of a person. `in_scope` is None where the tenant chose all users."""

    account_enabled: bool | None
    guest: bool | None
    licensed: bool | None
    in_scope: bool | None
    read_at: datetime


def not_for_you(standing: Standing) -> str | None:
    """Why it is not for this person, as a stable id, the reason that others can mend soonest last; None where it is."""
    if standing.account_enabled is False:
        return "account_disabled"
    if standing.guest is True:
        return "guest"
    if standing.in_scope is False:
        return "not_in_group"
    if standing.licensed is False:
        return "no_licence"
    return None
