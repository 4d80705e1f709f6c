"""Groups of the directory, for whoever chooses the scope: searched, counted, told apart. Microsoft Graph v1.0, as
`ports.DirectoryGroups`.

Permission: GroupMember.Read.All, which may be missing; User.Read.All for counting everybody and for one account.
Next door: `graph` (who is in scope), `compliance_partners` (names alone).
"""

import re
from collections.abc import Mapping, Sequence

from ..domain.scope import FoundGroup
from ..errors import Garbled
from . import odata
from .http import Fields, Remote

# `$search` and `$count` are advanced queries: graph-docs concepts/aad-advanced-queries.md
_EVENTUAL = {"ConsistencyLevel": "eventual"}
MOST_PAGES = 20  # for one search; a page may hold fewer than were asked for (graph-docs concepts/paging.md)
_GROUP = "id,displayName,description,securityEnabled,groupTypes"
# Quotes would end the search, and an ampersand in it is a known fault: graph-docs concepts/search-query-parameter.md
_NOT_SEARCHED = re.compile(r'["\\&]+')


class GraphGroups:
    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def search(self, words: str, *, limit: int) -> Sequence[FoundGroup]:
        words = " ".join(_NOT_SEARCHED.sub(" ", words).split())
        if not words:
            return ()
        # graph-docs api-reference/v1.0/api/group-list.md, concepts/search-query-parameter.md: whole words or their beginnings
        query: dict[str, str | int] = {"$search": f'"displayName:{words}"', "$select": _GROUP, "$top": limit}
        page = self._remote.call("GET", "groups", query=query, headers=_EVENTUAL, may_be_refused=True).fields()
        found = [_group(item) for item in page.items("value")]
        for _ in range(MOST_PAGES):
            link = page.text("@odata.nextLink")
            if link is None or len(found) >= limit:
                break
            page = self._remote.call("GET", link, headers=_EVENTUAL, may_be_refused=True).fields()
            found += [_group(item) for item in page.items("value")]
        return found[:limit]

    def named(self, name: str) -> Sequence[FoundGroup]:
        # graph-docs concepts/filter-query-parameter.md: an apostrophe is written twice
        query = {"$filter": f"displayName eq '{name.replace(chr(39), chr(39) * 2)}'", "$select": _GROUP}
        page = self._remote.call("GET", "groups", query=query, may_be_refused=True).fields()
        return [_group(item) for item in odata.items(self._remote, page)]

    def group(self, group_id: str) -> FoundGroup:
        group_id = self._remote.guid(group_id)
        # graph-docs api-reference/v1.0/api/group-get.md
        target = self._remote.path("groups/{}", group_id)
        found = self._remote.call("GET", target, query={"$select": _GROUP}, may_be_refused=True).fields()
        if found.guid("id") != group_id:
            raise found.garbled("id")
        people, nested = (self._members(group_id, kind) for kind in ("user", "group"))
        return _group(found, people=people, nested=nested)

    def account(self, name: str) -> tuple[str, str]:
        # graph-docs api-reference/v1.0/api/user-get.md: by userPrincipalName, encoded where it has a #
        target = self._remote.path("users/{}", name)
        found = self._remote.call("GET", target, query={"$select": "id,displayName"}, may_be_refused=True).fields()
        return found.guid("id"), found.text("displayName") or ""

    def everybody(self) -> int:
        # graph-docs api-reference/v1.0/api/user-list.md: $count and $filter on accountEnabled and userType
        who = "accountEnabled eq true and userType eq 'Member'"
        return self._counted("users", {"$filter": who, "$select": "id"})

    def _members(self, group_id: str, kind: str) -> int:
        # graph-docs api-reference/v1.0/api/group-list-transitivemembers.md: a cast to one kind, counted
        return self._counted(
            self._remote.path(f"groups/{{}}/transitiveMembers/microsoft.graph.{kind}", group_id), {"$select": "id"}
        )

    def _counted(self, target: str, query: Mapping[str, str]) -> int:
        asked: dict[str, str | int] = {**query, "$count": "true", "$top": 1}
        answer = self._remote.call("GET", target, query=asked, headers=_EVENTUAL, may_be_refused=True).fields()
        count = answer.number("@odata.count")
        if count is None or count < 0:
            raise Garbled("a list without its count", remote=self._remote.name)
        return count


def _group(item: Fields, *, people: int | None = None, nested: int | None = None) -> FoundGroup:
    # graph-docs resources/group.md: groupTypes; `securityEnabled` is what policies and licences go by
    return FoundGroup(
        id=item.guid("id"),
        name=item.text("displayName") or "",
        description=item.text("description") or "",
        security=item.flag("securityEnabled"),
        dynamic="DynamicMembership" in item.texts("groupTypes"),
        people=people,
        nested=nested,
    )
