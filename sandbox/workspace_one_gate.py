"""The manners of the pretend Workspace ONE: tokens, who may call, pinned versions, errors, rate headers.

Next door: `workspace_one` has the resources, `workspace_one_shapes` what they look like.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from sandbox.world import MdmConnection, World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

TOKEN_LIFE = 3600
RATE_LIMIT = 250_000
NO_PAGE = "<!DOCTYPE html><html><head><title>404 - File or directory not found.</title></head><body><h2>404</h2></body></html>"


class Fault(Exception):
    """An answer in the vendor's error form: errorCode, message, activityId (fixtures of demisto/content)."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def bad_request(message: str) -> Fault:
    # The vendor's codes for malformed requests are not public; 400 with its own number is the sandbox's choice.
    return Fault(400, 400, message)


def no_device(wanted: object) -> Fault:
    return Fault(404, 5061, f"Device not found for the identifier {wanted}.")


@dataclass
class Gate:
    """Who has been let in, and what the console has defined; forgotten definitions begin anew with each scenario."""

    world: World
    tokens: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    """Client and issue of each."""
    _defined: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    _console: MdmConnection | None = None
    calls: int = 0

    @property
    def defined(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Custom attribute definitions by (group, name) of the present world."""
        if self._console is not self.world.mdm:
            self._console, self._defined = self.world.mdm, {}
        return self._defined

    def token(self) -> tuple[Response, int]:
        """`POST /connect/token`, client credentials as a form; failures in OAuth's own form (RFC 6749 5.2)."""
        form, mdm = request.form, self.world.mdm
        if unknown := set(form) - {"grant_type", "client_id", "client_secret", "scope"}:
            return jsonify(error="invalid_request", error_description=f"Unknown field {sorted(unknown)[0]}."), 400
        if form.get("grant_type") != "client_credentials":
            return jsonify(error="unsupported_grant_type"), 400
        if mdm.locked:
            return jsonify(error="invalid_client", error_description=f"The account {mdm.client_id} is locked."), 400
        if form.get("client_id") != mdm.client_id or not _same(form.get("client_secret", ""), mdm.client_secret):
            return jsonify(error="invalid_client"), 400
        token = secrets.token_urlsafe(32)
        self.tokens[token] = (mdm.client_id, self.world.now())
        # Both an integer and a numeric string have been seen by clients of the real service, so both come, in turn.
        life: int | str = TOKEN_LIFE if len(self.tokens) % 2 else str(TOKEN_LIFE)
        answer = jsonify(access_token=token, expires_in=life, token_type="Bearer")
        answer.headers["Cache-Control"] = "no-store"
        return answer, 200

    def let_in(self) -> None:
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Bearer":
            client, issued = self.tokens.get(credentials, ("", self.world.now()))
            over = self.world.now() - issued >= timedelta(seconds=TOKEN_LIFE) or not self.world.token_stands(issued.timestamp())
            if client != self.world.mdm.client_id or over:
                raise Fault(401, 1005, "Invalid or expired token.")
            request.environ["sandbox.client_id"] = client
        elif scheme == "Basic" and self.world.mdm.locked:
            raise Fault(401, 1005, f"The account {self.world.mdm.client_id} is locked.")
        elif scheme == "Basic":
            if not _same(_decoded(credentials), f"{self.world.mdm.client_id}:{self.world.mdm.client_secret}"):
                raise Fault(401, 1005, "User cannot be authenticated.")
            if not _same(request.headers.get("aw-tenant-code", ""), tenant_code(self.world)):
                raise Fault(403, 1013, "API key provided is not valid.")
            request.environ["sandbox.client_id"] = self.world.mdm.client_id
        else:
            raise Fault(401, 1005, "User cannot be authenticated.")


def tenant_code(world: World) -> str:
    """The REST API key of the organization group, wanted beside Basic credentials."""
    return base64.b64encode(uuid.UUID(world.mdm.group_uuid).bytes).decode()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _decoded(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def version(supported: Iterable[int], unpinned: int) -> int:
    """The version asked for by `Accept`; without a pin the server picks one, as the recorded session shows."""
    g.supported = ", ".join(map(str, supported))
    accepts = request.headers.get("Accept", "*/*").lower()
    if "json" not in accepts and "*/*" not in accepts:
        raise Fault(406, 406, "Only application/json is offered here.")
    found = re.search(r";\s*version\s*=\s*(\d+)", accepts)
    g.version = int(found[1]) if found else unpinned
    if g.version not in supported:
        raise bad_request(f"Version {g.version} of this resource is not supported.")
    return int(g.version)


def allowed(*names: str) -> dict[str, str]:
    """The query, its keys without case as the vendor's framework takes them; an unknown one is refused."""
    given = {key.lower(): value for key, value in request.args.items()}
    if unknown := sorted(set(given) - {name.lower() for name in names}):
        raise bad_request(f"Unknown query parameter {unknown[0]}.")
    return given


def body(*fields: str) -> dict[str, Any]:
    if not request.content_type or not request.content_type.lower().startswith("application/json"):
        raise Fault(415, 415, "The media type of the request is not supported.")
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict):
        raise bad_request("The body is not a JSON object.")
    if unknown := sorted(set(sent) - set(fields)):
        raise bad_request(f"Unknown field {unknown[0]}.")
    return sent


def whole(text: str, name: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text):
        raise bad_request(f"{name} is not a whole number.")
    return int(text)


def number_of_page(query: dict[str, str]) -> tuple[int, int]:
    """0-based page and its size; the size's upper limit is not public, so the sandbox takes the default as the limit."""
    page, size = whole(query.get("page", "0"), "page"), whole(query.get("pagesize", "500"), "pagesize")
    if not 1 <= size <= 500:
        raise bad_request("pagesize must be between 1 and 500.")
    return page, size


def guard(app: Flask, gate: Gate) -> None:
    """Hang the manners on the app: entry, error forms, headers on every answer, paths without case."""

    @app.before_request
    def enter() -> None:
        gate.calls += 1
        if request.url_rule is not None and request.endpoint != "token":
            gate.let_in()

    @app.errorhandler(Fault)
    def refused(fault: Fault) -> tuple[Response, int]:
        links: list[str] = []
        return (
            jsonify(errorCode=fault.code, message=fault.message, activityId=str(uuid.uuid4()), links=links),
            fault.status,
        )

    @app.errorhandler(HTTPException)
    def elsewhere(error: HTTPException) -> tuple[Response, int]:
        status = error.code or 500
        if status == 404:
            # A wrong path is answered by the web server in HTML, never by the API in JSON.
            return Response(NO_PAGE, mimetype="text/html"), 404
        return jsonify(Message=f"The requested resource does not support http method '{request.method}'."), status

    @app.after_request
    def headers(answer: Response) -> Response:
        # Recorded by JupiterOne/graph-airwatch (recording.har).
        answer.headers["x-ratelimit-limit"] = str(RATE_LIMIT)
        answer.headers["x-ratelimit-remaining"] = str(max(0, RATE_LIMIT - gate.calls))
        answer.headers["x-ratelimit-reset"] = str(int((gate.world.now() + timedelta(days=1)).timestamp()))
        answer.headers["x-correlation-id"] = str(uuid.uuid4())
        if "version" in g:
            answer.headers["x-api-version"] = f"v{g.version}"
            answer.headers["api-supported-versions"] = g.supported
        return answer

    inner = app.wsgi_app

    def without_case(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        # Clients write /API/ and /api/; the vendor's server takes both. A mount point before us is part of the path.
        environ["PATH_INFO"] = (environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"]).lower()
        environ["SCRIPT_NAME"] = ""
        return inner(environ, start)

    app.wsgi_app = without_case  # type: ignore[method-assign, assignment]
