"""Graph's manners on every call: token, permission, query options, paging, error body, request ids, cost headers.

Next door: `graph` has the routes. Sources: microsoft-graph-docs-contrib concepts/{errors,paging,throttling}.md.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from sandbox.bearer import claims_of_caller
from sandbox.graph_entities import UnknownProperty

if TYPE_CHECKING:
    from sandbox.server import Sandbox
    from sandbox.world import Person

AUDIENCE = "https://graph.microsoft.com"
_EQ = re.compile(r"^(\w+) eq '((?:[^']|'')*)'$")


class GraphError(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def not_found(key: str) -> GraphError:
    return GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{key}' does not exist or one of its queried reference-property objects are not present.",
    )


@dataclass(frozen=True)
class Options:
    select: list[str] | None = None
    filter: str | None = None
    top: int | None = None
    skiptoken: str | None = None
    search: str | None = None
    count: bool = False
    expand: str | None = None


def options(*allowed: str) -> Options:
    """The OData options of this request; one that the resource does not take is refused, never ignored."""
    for name, values in request.args.lists():
        if name not in allowed or len(values) > 1:
            raise GraphError(400, "Request_BadRequest", f"The query parameter '{name}' is not supported here.")
    top = request.args.get("$top")
    if top is not None and not (top.isdigit() and 1 <= int(top) <= 999):
        raise GraphError(400, "Request_BadRequest", f"Invalid page size specified: '{top}'. Must be 1 to 999.")
    select = request.args.get("$select")
    return Options(
        [name.strip() for name in select.split(",")] if select else None,
        request.args.get("$filter"),
        int(top) if top else None,
        request.args.get("$skiptoken"),
        request.args.get("$search"),
        _flag("$count"),
        request.args.get("$expand"),
    )


def _flag(name: str) -> bool:
    given = request.args.get(name, "false")
    if given not in ("true", "false"):
        raise GraphError(400, "Request_BadRequest", f"Invalid value '{given}' for {name}.")
    return given == "true"


def filter_value(expression: str, name: str) -> str:
    """The value of `name eq '…'`, the one form of filter that the stand-in understands."""
    match = _EQ.match(expression.strip())
    if match is None or match[1] != name:
        raise GraphError(400, "Request_UnsupportedQuery", f"Unsupported or invalid query filter: {expression!r}.")
    return match[2].replace("''", "'")


def context(sandbox: Sandbox, what: str) -> dict[str, Any]:
    return {"@odata.context": f"{sandbox.api_url}/graph/v1.0/$metadata#{what}"}


def person_of(sandbox: Sandbox, key: str) -> Person:
    """Someone of this directory, by object id or user principal name."""
    person = sandbox.world.person(key)
    if person is None or person.tenant_id != sandbox.world.tenant_id:
        raise not_found(key)
    return person


def page(sandbox: Sandbox, what: str, items: Sequence[Any], asked: Options, size: int | None = None) -> dict[str, Any]:
    """One page; where more is to come, an absolute nextLink that carries the query along."""
    start = 0
    if asked.skiptoken is not None:
        kept = sandbox.keys.unseal("skip", asked.skiptoken)
        if kept is None or kept["path"] != request.path:
            raise GraphError(400, "Directory_ExpiredPageToken", "The specified page token has expired.")
        start = int(kept["start"])
    if start and sandbox.faults.take("graph", "shifted", request.path, request.method):
        start += 1  # an entity before it was deleted meanwhile: the one at the top of this page was never on any
    most = size or sandbox.world.page_size
    size = min(asked.top or most, most)
    answer = context(sandbox, what)
    if start + size < len(items):
        token = sandbox.keys.seal("skip", {"path": request.path, "start": start + size})
        query = urlencode({**request.args.to_dict(), "$skiptoken": token}, safe="$,")
        answer["@odata.nextLink"] = f"{sandbox.api_url}/graph{request.path}?{query}"
    return {**answer, "value": items[start : start + size]}


def whole(sandbox: Sandbox, what: str, items: Sequence[Any]) -> dict[str, Any]:
    """A collection too small in life to come in pages."""
    return {**context(sandbox, what), "value": items}


def caller_may(*any_of: str) -> bool:
    return bool(set(g.claims.get("roles", ())) & set(any_of))


def require(*any_of: str) -> dict[str, Any]:
    """The caller's claims, if one of these application permissions is among its roles."""
    claims = cast("dict[str, Any]", g.claims)
    if not caller_may(*any_of):
        raise GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    return claims


def speak_graph(app: Flask, sandbox: Sandbox) -> None:
    """Token check before, error bodies and headers after every request."""

    @app.before_request
    def authenticate() -> None:
        claims = claims_of_caller(sandbox, AUDIENCE)
        if claims is None:
            raise GraphError(401, "InvalidAuthenticationToken", "Access token is missing, expired or for another audience.")
        g.claims = claims

    def refusal(status: int, code: str, message: str) -> tuple[Response, int]:
        inner = {
            "date": f"{sandbox.world.now():%Y-%m-%dT%H:%M:%S}",
            "request-id": _request_id(),
            "client-request-id": request.headers.get("client-request-id", _request_id()),
        }
        return jsonify(error={"code": code, "message": message, "innerError": inner}), status

    @app.errorhandler(GraphError)
    def refused(error: GraphError) -> tuple[Response, int]:
        return refusal(error.status, error.code, error.message)

    @app.errorhandler(UnknownProperty)
    def unknown_property(error: UnknownProperty) -> tuple[Response, int]:
        return refusal(400, "Request_BadRequest", str(error))

    @app.errorhandler(HTTPException)
    def elsewhere(error: HTTPException) -> tuple[Response, int]:
        status = error.code or 500
        return refusal(status, "BadRequest" if status in (400, 404) else "Request_BadRequest", error.name)

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers["request-id"] = _request_id()
        response.headers["client-request-id"] = request.headers.get("client-request-id", _request_id())
        # Costs as in concepts/throttling-limits.md: a write 1, a read 1, licenceDetails 2, $select one less, minimum 1.
        response.headers["x-ms-resource-unit"] = "1" if "$select" in request.args else "2"
        return response


def _request_id() -> str:
    if "request_id" not in g:
        g.request_id = str(uuid.uuid4())
    return str(g.request_id)
