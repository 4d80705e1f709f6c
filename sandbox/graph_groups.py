"""Graph's groups: by id, listed by `$filter` or `$search`, everybody in one, and whether a person is in some of twenty.

Next door: `graph` hangs these on its application. Sources: microsoft-graph-docs-contrib concepts/search-query-parameter.md,
concepts/aad-advanced-queries.md, api-reference/v1.0/api/{group-list,group-list-transitivemembers}.md and
directoryobject-checkmembergroups.md there.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from flask import Flask, request

from sandbox.graph_entities import group as group_entity
from sandbox.graph_entities import user as user_entity
from sandbox.graph_manners import GraphError, Options, context, not_found, options, page, person_of, require, whole
from sandbox.things import everyone_in
from sandbox.world import Group

if TYPE_CHECKING:
    from sandbox.server import Sandbox

_READ_GROUPS = ("GroupMember.Read.All", "Group.Read.All", "Directory.Read.All")
_READ_USERS = ("User.ReadBasic.All", "User.Read.All", "Directory.Read.All")
_FILTER = re.compile(r"^(?:displayName eq '(?P<eq>(?:[^']|'')*)'|startsWith\(displayName, ?'(?P<starts>(?:[^']|'')*)'\))$", re.I)
_SEARCH = re.compile(r'^"(displayName|description):([^"]*)"$')
_TOKEN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
MOST_IDS = 20


def add_groups(app: Flask, sandbox: Sandbox) -> None:
    world = sandbox.world

    @app.get("/v1.0/groups")
    def groups() -> dict[str, Any]:
        require(*_READ_GROUPS)
        asked = options("$filter", "$search", "$select", "$top", "$skiptoken", "$count")
        with world.settled():
            found = sorted(_chosen(list(world.groups.values()), asked), key=lambda group: group.id)
            answer = page(sandbox, "groups", [group_entity(group, asked.select) for group in found], asked)
        return {**answer, "@odata.count": len(found)} if asked.count else answer

    @app.get("/v1.0/groups/<key>")
    def one_group(key: str) -> dict[str, Any]:
        require(*_READ_GROUPS)
        asked = options("$select")
        with world.settled():
            if (found := world.groups.get(key.lower())) is None:
                raise not_found(key)
            return context(sandbox, "groups/$entity") | group_entity(found, asked.select)

    @app.get("/v1.0/groups/<key>/transitiveMembers/<cast>")
    def transitive_members(key: str, cast: str) -> dict[str, Any]:
        """api/group-list-transitivemembers.md, with a cast to one kind, which is an advanced query."""
        require(*_READ_GROUPS)
        asked = options("$select", "$top", "$skiptoken", "$count")
        if not asked.count or request.headers.get("ConsistencyLevel", "").lower() != "eventual":
            raise GraphError(400, "Request_UnsupportedQuery", "A cast here needs ConsistencyLevel: eventual and $count=true.")
        with world.settled():
            if key.lower() not in world.groups:
                raise not_found(key)
            people, groups = everyone_in(world.groups, key.lower())
            if cast == "microsoft.graph.user":
                require(*_READ_USERS)
                items = [user_entity(world.persons[oid], asked.select) for oid in sorted(people) if oid in world.persons]
            elif cast == "microsoft.graph.group":
                items = [group_entity(world.groups[one], asked.select) for one in sorted(groups)]
            else:
                raise GraphError(400, "BadRequest", f"Resource not found for the segment '{cast}'.")
            answer = page(sandbox, "directoryObjects", items, asked)
        return {**answer, "@odata.count": len(items)} if asked.count else answer

    @app.post("/v1.0/users/<key>/checkMemberGroups")
    def check_member_groups(key: str) -> dict[str, Any]:
        require(*_READ_GROUPS)
        require(*_READ_USERS)
        options()
        wanted = _group_ids()
        with world.settled():
            person = person_of(sandbox, key)
            found = [key for key in wanted if key in world.groups and person.oid in everyone_in(world.groups, key)[0]]
        return whole(sandbox, "Collection(Edm.String)", found)


def _chosen(groups: list[Group], asked: Options) -> list[Group]:
    """`$search` and `$count` are advanced queries and need `ConsistencyLevel: eventual`; a plain `$filter` does not."""
    _demand_eventual(asked)
    if asked.filter is not None:
        match = _FILTER.match(asked.filter.strip())
        if match is None:
            raise GraphError(400, "Request_UnsupportedQuery", f"Unsupported or invalid query filter: {asked.filter!r}.")
        value = (match["eq"] if match["eq"] is not None else match["starts"]).replace("''", "'").lower()
        exact = match["eq"] is not None
        groups = [g for g in groups if (g.name.lower() == value if exact else g.name.lower().startswith(value))]
    if asked.search is not None:
        match = _SEARCH.match(asked.search.strip())
        if match is None or not match[2].strip():
            raise GraphError(400, "Request_BadRequest", 'The search must look like "displayName:words".')
        groups = [g for g in groups if _has_tokens(g.name if match[1] == "displayName" else g.description, match[2])]
    return groups


def _demand_eventual(asked: Options) -> None:
    eventual = request.headers.get("ConsistencyLevel", "").lower() == "eventual"
    if (asked.search is not None or asked.count) and not eventual:
        raise GraphError(400, "Request_UnsupportedQuery", "Request with $search or $count needs ConsistencyLevel: eventual.")


def _has_tokens(text: str, wanted: str) -> bool:
    """Tokens, not substrings: split at spaces, digits, symbols and where lower case turns upper; each may be a beginning."""
    tokens = [token.lower() for token in _TOKEN.findall(text)]
    return all(any(token.startswith(part.lower()) for token in tokens) for part in _TOKEN.findall(wanted))


def _group_ids() -> list[str]:
    body = request.get_json(silent=True)
    ids = body.get("groupIds") if isinstance(body, dict) and set(body) == {"groupIds"} else None
    if not isinstance(ids, list) or not all(isinstance(key, str) for key in ids):
        raise GraphError(400, "Request_BadRequest", "The body is {groupIds: […]}.")
    if len(ids) > MOST_IDS:
        raise GraphError(400, "Request_BadRequest", f"The number of group ids exceeds {MOST_IDS}.")
    for key in ids:
        try:
            uuid.UUID(key)
        except ValueError:
            raise GraphError(400, "Request_BadRequest", f"Invalid object identifier '{key}'.") from None
    return [key.lower() for key in ids]
