"""Those whom the tenant chose, with their licences, in whole pages of Graph: `ports.Roster`. Never a call for each person.

Permissions: User.Read.All, and GroupMember.Read.All where groups are chosen; the plans stand on the person, so that licences need
no further one here. Next door: `graph` (one person at a time), `odata`.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from ..domain.device import Person
from ..domain.standing import Standing
from ..errors import Garbled
from ..ports import Clock, Page
from ..ports.impact import Somebody
from .graph import INTUNE_A, OwnerAttribute
from .http import LARGEST_PAGE, Fields, Remote

# Of a page, though Graph gives 999 (graph-docs api-reference/v1.0/api/user-list.md): whoever has the largest licences has a hundred
# plans at 150 bytes each, and an answer beyond `LARGEST_PAGE` is none.
TOP = 250
_USER = "id,displayName,userPrincipalName,mail,accountEnabled,userType,assignedPlans"

# `capabilityStatus`: graph-docs api-reference/v1.0/resources/assignedplan.md. `Warning` is a grace period in which all works. Any
# other word is not told apart from *not yet*: it keeps nobody out.
CAPABLE = {"Enabled": True, "Warning": True, "Suspended": False, "LockedOut": False, "Deleted": False}

# Members of groups within groups, and those of one kind alone, are an advanced query: graph-docs
# api-reference/v1.0/api/group-list-transitivemembers.md and concepts/aad-advanced-queries.md
EVENTUAL = {"ConsistencyLevel": "eventual"}


class GraphRoster:
    """`plans` are the service plans that count as Intune, `groups` those whom the tenant chose."""

    def __init__(
        self,
        remote: Remote,
        *,
        now: Clock,
        plans: Collection[str] = (INTUNE_A,),
        groups: Sequence[str] | Callable[[], Sequence[str]] = (),
        owner_attribute: OwnerAttribute | None = None,
    ) -> None:
        self._groups = groups
        self._remote, self._now = remote, now
        self._plans = frozenset(plans)
        self._attribute = owner_attribute

    @property
    def groups(self) -> Sequence[str]:
        """As they are chosen by now."""
        return tuple(self._groups() if callable(self._groups) else self._groups)

    @groups.setter
    def groups(self, groups: Sequence[str]) -> None:
        self._groups = groups

    def people(self, group: str | None, cursor: str | None) -> Page[Somebody]:
        """A person whose id is no GUID is nobody's row; where that is so of all, the answer is Garbled."""
        begun = self._now()
        answer = self._page(group, cursor)
        rows, unreadable, nameless = [], [], 0
        for item in answer.items("value"):
            try:
                oid = item.guid("id")
            except Garbled:
                nameless += 1
                continue
            try:
                rows.append(self._somebody(item, oid, read_at=begun))
            except Garbled:
                unreadable.append(oid)
        if nameless and not rows and not unreadable:
            raise answer.garbled("value")
        link = answer.text("@odata.nextLink")
        if link is not None and not link.startswith("https://"):
            raise answer.garbled("@odata.nextLink")
        return Page(tuple(rows), link, tuple(unreadable))

    def _page(self, group: str | None, cursor: str | None) -> Fields:
        headers = EVENTUAL if group is not None else {}
        if cursor is not None:
            return self._remote.call("GET", cursor, headers=headers, largest=LARGEST_PAGE).fields()
        select = ",".join(dict.fromkeys([*_USER.split(","), *([self._attribute] if self._attribute else [])]))
        query: dict[str, str | int] = {"$select": select, "$top": TOP}
        if group is None:
            # graph-docs api-reference/v1.0/api/user-list.md; User.Read.All
            return self._remote.call("GET", "users", query=query, largest=LARGEST_PAGE).fields()
        target = self._remote.path("groups/{}/transitiveMembers/microsoft.graph.user", self._remote.guid(group))
        # graph-docs api-reference/v1.0/api/group-list-transitivemembers.md; GroupMember.Read.All
        return self._remote.call("GET", target, query={**query, "$count": "true"}, headers=headers, largest=LARGEST_PAGE).fields()

    def _somebody(self, item: Fields, oid: str, *, read_at: datetime) -> Somebody:
        upn, kind = item.need_text("userPrincipalName"), item.text("userType")
        match = item.text(self._attribute) if self._attribute else None
        standing = Standing(
            account_enabled=item.flag("accountEnabled"),
            guest=None if kind is None else kind == "Guest",
            licensed=self._licensed(item),
            in_scope=None,
            read_at=read_at,
        )
        name, mail = item.text("displayName") or upn, item.text("mail") or None
        return Somebody(Person(oid, name, upn, mail, match if match and match.strip() else None), standing)

    def _licensed(self, item: Fields) -> bool | None:
        """By service plan, since plans hide in many SKUs; None where the list does not tell, or a plan's word is new."""
        if not item.has("assignedPlans"):
            return None
        plans = [plan for plan in item.items("assignedPlans") if plan.guid("servicePlanId") in self._plans]
        found = {CAPABLE.get(plan.text("capabilityStatus") or "") for plan in plans}
        return True if True in found else None if None in found else False
