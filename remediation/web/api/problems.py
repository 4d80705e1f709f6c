"""Every error of the API, as `application/problem+json`: https://www.rfc-editor.org/rfc/rfc9457

`type` and `code` are stable, `who_acts` says whose turn it is, and nothing that was sent is repeated. In English, as the
description and the command line are: it is read by whoever connects a program.
"""

import logging
from dataclasses import dataclass
from math import ceil

from flask import Response, request
from pydantic import BaseModel, ConfigDict
from werkzeug.exceptions import HTTPException

from ...errors import RemediationError, RemoteError, TooOften, WhoActs
from ..bearer import ApiOff, NotACaller
from ..desk import desk
from ..forgery import FromElsewhere
from ..guards import RoleMissing

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
BUSY_FOR = 10  # seconds, where nobody says how long


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    model_config = ConfigDict(extra="forbid")

    where: str
    what: str


class Problem(BaseModel):
    """An error by RFC 9457. `code` is stable; `who_acts` says who can do something about it, and `retryable` whether asking again
    may help."""

    model_config = ConfigDict(extra="forbid")

    type: str
    title: str
    status: int
    detail: str
    code: str
    who_acts: WhoActs
    retryable: bool
    errors: list[Fault] = []


@dataclass(frozen=True)
class Kind:
    status: int
    title: str
    detail: str
    who: WhoActs = WhoActs.ADMIN
    retryable: bool = False


KINDS = {
    "bad_json": Kind(400, "Not JSON", "The body is no JSON object."),
    "bad_cursor": Kind(400, "Not a cursor", "The cursor was not made here, or for something else. Begin without one."),
    "bad_request": Kind(400, "Bad request", "The request cannot be read."),
    "no_token": Kind(401, "A token is needed", "Send a bearer token of Entra's for this API: docs/api.md says how to get one."),
    "bad_token": Kind(
        401,
        "The token is not taken",
        "It is not one of Entra's for this API and tenant, it is over, or its app is not among those that may call.",
    ),
    "role_missing": Kind(403, "A role is missing", "The token lacks the app role that this needs."),
    "from_elsewhere": Kind(403, "From another site", "A page of another site may not call this."),
    "not_found": Kind(404, "Not found", "There is no such thing here, or the caller may not see it.", WhoActs.YOU),
    "api_off": Kind(404, "The API is off", "This deployment has no API: REMEDIATION_API_AUDIENCE is not set."),
    "not_allowed": Kind(405, "Not with this method", "The description names the methods of each address."),
    "not_acceptable": Kind(406, "Only JSON", "Answers are application/json, and the request takes none of it."),
    "stale": Kind(409, "Newer news came first", "Read it again, and decide again.", WhoActs.YOU, retryable=True),
    "conflict": Kind(409, "Refused", "Another link has the device.", WhoActs.HELPDESK),
    "under_way": Kind(
        409,
        "Under way, or cut short",
        "It was begun under this Idempotency-Key. Read what it is about, then use another key.",
        WhoActs.YOU,
    ),
    "not_offered": Kind(409, "Not offered", "This repair is not offered for this now. Read what is.", WhoActs.YOU),
    "cut": Kind(410, "Gone by their age", "Rows behind this cursor went by the retention, unread. Begin without one."),
    "changed": Kind(
        412, "Changed meanwhile", "It is not what If-Match names any more. Read it again, and decide again.", WhoActs.YOU
    ),
    "too_large": Kind(413, "Too large", "A request has 16 KiB at most; a period for figures, what is counted at once."),
    "not_json": Kind(415, "Only JSON", "A body is application/json."),
    "invalid": Kind(422, "Not as described", "`errors` says what is wrong, and /api/v1/openapi.json what is right."),
    "key_used": Kind(422, "The key was used for something else", "Use another Idempotency-Key for another request."),
    "too_often": Kind(429, "Too often", "Ask again after Retry-After seconds.", WhoActs.TIME, retryable=True),
    "bug": Kind(500, "A bug of ours", "It is in the log of whoever runs the product."),
    "busy": Kind(
        503, "Busy", "The database or Entra did not answer. Ask again after Retry-After seconds.", WhoActs.TIME, retryable=True
    ),
}
OF_STATUS = {400: "bad_request", 404: "not_found", 405: "not_allowed", 406: "not_acceptable", 413: "too_large", 415: "not_json"}


class Refusal(Exception):
    """An expected refusal of an operation's."""

    def __init__(self, code: str, *, errors: list[Fault] | None = None, detail: str | None = None) -> None:
        super().__init__(code)
        self.code, self.errors, self.detail = code, errors or [], detail


def of(error: Exception) -> Response:
    """For whatever was raised on the way."""
    if isinstance(error, Refusal):
        return told(error.code, errors=error.errors, detail=error.detail)
    if isinstance(error, NotACaller):
        return _not_a_caller(error)
    if isinstance(error, RoleMissing):
        answer = told("role_missing", detail=f"It needs the app role {error.role.value}, which an Entra administrator assigns.")
        answer.headers["WWW-Authenticate"] = 'Bearer error="insufficient_scope"'
        return answer
    if isinstance(error, TooOften):
        return _later("too_often", ceil((error.again_at - desk().clock()).total_seconds()))
    if isinstance(error, FromElsewhere):
        return told("from_elsewhere")
    if isinstance(error, HTTPException):
        return _http(error)
    return _other(error)


def told(code: str, *, errors: list[Fault] | None = None, detail: str | None = None) -> Response:
    kind = KINDS[code]
    problem = Problem(
        type=f"urn:remediation:{code}",
        title=kind.title,
        status=kind.status,
        detail=detail or kind.detail,
        code=code,
        who_acts=kind.who,
        retryable=kind.retryable,
        errors=errors or [],
    )
    return Response(problem.model_dump_json(), kind.status, content_type=MEDIA_TYPE)


def _not_a_caller(error: NotACaller) -> Response:
    """https://www.rfc-editor.org/rfc/rfc6750#section-3"""
    answer = told("bad_token" if error.told else "no_token")
    answer.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"' if error.told else "Bearer"
    return answer


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    answer = told(OF_STATUS.get(status, "bad_request" if status < 500 else "bug"))
    for name, value in error.get_headers():
        if name == "Allow":
            answer.headers[name] = value
    return answer


def _other(error: Exception) -> Response:
    if isinstance(error, ApiOff) or (isinstance(error, RemediationError) and error.code in ("stale", "conflict")):
        return told(error.code)
    away = any(kind.__name__ == "OperationalError" for kind in type(error).__mro__)  # as `error_pages` tells it
    if away or isinstance(error, RemoteError):
        log.error("%s %s was not served (%s)", request.method, request.endpoint, type(error).__name__)
        return _later("busy", BUSY_FOR)
    log.error("a bug, on %s %s", request.method, request.endpoint, exc_info=error)
    return told("bug")


def _later(code: str, seconds: int) -> Response:
    answer = told(code)
    answer.headers["Retry-After"] = str(max(1, seconds))
    return answer
