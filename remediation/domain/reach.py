"""Whose data a member of staff may see: everybody's, or that of the members of some directory groups (a country's helpdesk).

It follows from the app roles that Entra said: `Helpdesk.Read` reaches everybody, `Helpdesk.Read.de` the groups that the setting
puts behind `de`; and the same for `Helpdesk.Act`, so that whoever reads more than they may act on acts on no more. Next door:
`store/reach.py` (the members, as the worker last listed them), `web/guards.py` (which asks this on each request).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

READ, ACT, LEAD, ADMIN = "Helpdesk.Read", "Helpdesk.Act", "Helpdesk.Lead", "Admin"
LIMITED = (READ, ACT)
"""The roles that may end in the name of a part of the company. `Admin` sets the product up, `Helpdesk.Lead` writes to everybody,
and both open nobody's page."""
MEMBERS_LAST = timedelta(hours=24)
"""For so long a list of members stands that could not be read anew. After that nobody is known to be in the group."""


@dataclass(frozen=True)
class Reach:
    """`groups` are the directory groups whose members are seen, None for everybody; `parts` the names behind which they stand.
    Whoever was not listed as a member since `listed_since` is seen by nobody with such a reach."""

    groups: frozenset[str] | None
    parts: tuple[str, ...] = ()
    listed_since: datetime | None = None

    @property
    def everybody(self) -> bool:
        return self.groups is None


EVERYBODY, NOBODY = Reach(None), Reach(frozenset())


def reaches(roles: Iterable[str], parts: Mapping[str, Sequence[str]], now: datetime) -> Mapping[str, Reach]:
    """By app role, without the part of the company behind it. A part that the settings do not name opens nothing."""
    found: dict[str, Reach] = {}
    told = list(roles)
    for role in (READ, ACT, LEAD, ADMIN):
        if role in told:
            found[role] = EVERYBODY
            continue
        named = sorted(part for part in parts if f"{role}.{part}" in told) if role in LIMITED else []
        if named:
            groups = frozenset(group for part in named for group in parts[part])
            found[role] = Reach(groups, tuple(named), now - MEMBERS_LAST)
    return found
