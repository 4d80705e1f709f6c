"""Deliberate unkindness, switchable per service, applied by one gate that stands before every service.

Kinds: throttle, down, slow, garbled, html, huge, server_error, first_401, drop_answer here; ignore_writes and
fail_upload are asked for by `intune` itself, the first by `workspace_one` and `maas360` as well; unlisted and shifted by the
listings of `graph`, `workspace_one`, `maas360` and `fleet`; plain_types (every number a number, no version a float) and
takes_bearer are kindnesses of `maas360`; never_run (no policy has run yet), capped (pages smaller than asked for) and unmapped
(the list lacks who signed in) are quirks of `fleet`. Next door: `control` switches them, `limits` counts calls, `ledger` is
written by the gate.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from werkzeug.http import http_date
from werkzeug.wrappers import Response

from sandbox.ledger import Entry, Ledger, masked, readable_body, safe_headers
from sandbox.limits import Limits

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from sandbox.world import World

SERVICES = ("entra", "graph", "intune", "workspace_one", "maas360", "fleet", "phone")
KINDS = frozenset(
    {
        "throttle",
        "down",
        "slow",
        "garbled",
        "html",
        "huge",
        "server_error",
        "first_401",
        "drop_answer",
        "ignore_writes",
        "fail_upload",
        "unlisted",
        "shifted",
        "plain_types",
        "takes_bearer",
        "never_run",
        "capped",
        "unmapped",
        "no_end",
    }
)


class ConnectionClosed(ConnectionResetError):
    """Closed without an answer: `sockets` hangs up on it; in-process callers meet it as the exception it is."""


@dataclass
class Fault:
    service: str
    kind: str
    path: str | None = None
    """Only requests whose path contains this."""
    method: str | None = None
    times: int | None = None
    """How many calls it still spoils; None until cleared."""
    for_seconds: float | None = None
    """How long it lasts by the world's clock; None until cleared."""
    seconds: float = 30.0
    retry_after: int | None = None
    status: int = 503
    error_code: int = 1
    error_detail: str = "The partner service could not process the message."
    ends_at: datetime | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.service not in SERVICES or self.kind not in KINDS:
            raise ValueError(f"no such fault: {self.service}/{self.kind}")
        lasts = self.for_seconds
        if lasts is not None and (isinstance(lasts, bool) or not isinstance(lasts, int | float) or not 0 < lasts <= 10**9):
            raise ValueError("for_seconds is a number of seconds.")

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ends_at": self.ends_at.isoformat() if self.ends_at else None}


@dataclass
class Faults:
    now: Callable[[], datetime]
    active: list[Fault] = field(default_factory=list)
    _seen_tokens: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> None:
        with self._lock:
            if fault.for_seconds is not None:
                fault.ends_at = self.now() + timedelta(seconds=fault.for_seconds)
            self.active.append(fault)

    def clear(self) -> None:
        with self._lock:
            self.active.clear()
            self._seen_tokens.clear()

    def take(self, service: str, kind: str, path: str = "", method: str = "") -> Fault | None:
        """The active fault of this kind for this call, counted down."""
        self.settle()
        with self._lock:
            for fault in self.active:
                if (fault.service, fault.kind) != (service, kind) or (fault.path or "") not in path:
                    continue
                if fault.method is not None and fault.method != method:
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.active.remove(fault)
                return fault
        return None

    def settle(self) -> None:
        """What has lasted its time is over."""
        with self._lock:
            now = self.now()
            self.active[:] = [fault for fault in self.active if fault.ends_at is None or fault.ends_at > now]

    def is_fresh(self, authorization: str) -> bool:
        """Whether this token is met for the first time."""
        digest = hashlib.sha256(authorization.encode()).hexdigest()
        with self._lock:
            fresh = digest not in self._seen_tokens
            self._seen_tokens.add(digest)
        return fresh


def _json(status: int, body: Any, **headers: str) -> Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(json.dumps(body), status, names, content_type="application/json")


def _refusal(service: str, status: int, fault: Fault, client_id: str | None) -> Response:
    """A 429, 401 or 5xx in the form of the vendor."""
    headers: dict[str, str] = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    code, text = {429: ("TooManyRequests", "Too many requests."), 401: ("InvalidAuthenticationToken", "Not yet.")}.get(
        status, ("ServiceUnavailable", "The service is unavailable.")
    )
    if service == "graph":
        if status == 429:
            # Graph throttling headers: microsoftgraph/microsoft-graph-docs-contrib concepts/throttling-limits.md
            headers["x-ms-throttle-scope"] = f"Tenant_Application/ReadWrite/{client_id or 'unknown'}"
            headers["x-ms-throttle-information"] = "ResourceUnitLimitExceeded"
        return _json(status, {"error": {"code": code, "message": text, "innerError": {}}}, **headers)
    if service == "workspace_one":
        return _json(status, {"errorCode": status, "message": text, "activityId": "stand-in"}, **headers)
    if service == "maas360":
        inside = {"errorCode": 1007 if status == 401 else status, "errorDesc": text}
        return _json(status, {"authResponse": inside} if status == 401 else inside, **headers)
    if service == "fleet":
        return _json(status, {"message": text, "errors": [{"name": "base", "reason": text}]}, **headers)
    if service == "entra":
        return _json(status, {"error": "temporarily_unavailable", "error_description": f"AADSTS90055: {text}"}, **headers)
    if service == "intune":
        message = {"lang": "en-US", "value": text}
        return _json(status, {"odata.error": {"code": code, "message": message}}, **headers)
    return Response(text, status, headers, content_type="text/plain")


def _answer_of(app: WSGIApplication, environ: WSGIEnvironment) -> Response:
    """The whole answer. Not `Response.from_app`: that hands the application a copy, and the service leaves in the
    environment who called it."""
    head: list[Any] = []
    written: list[bytes] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], object]:
        head[:] = [status, headers]
        return written.append

    body = app(environ, start)
    try:
        written.extend(body)
    finally:
        if close := getattr(body, "close", None):
            close()
    return Response(b"".join(written), head[0], head[1])


class Gate:
    """Stands before one service: writes the ledger, spoils what a fault says, else lets the call through."""

    def __init__(self, app: WSGIApplication, service: str, world: World, ledger: Ledger, faults: Faults, limits: Limits) -> None:
        self.app, self.service, self.world, self.ledger, self.faults, self.limits = app, service, world, ledger, faults, limits

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        raw = environ["wsgi.input"].read(length) if length else b""
        environ["wsgi.input"] = BytesIO(raw)
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        if "static/" in path or (self.service == "phone" and "glance=1" in environ.get("QUERY_STRING", "").split("&")):
            # The pretend phone's own look every two seconds is nothing that anybody did.
            return self.app(environ, start_response)
        entry = self.ledger.open(
            at=self.world.now().isoformat(),
            service=self.service,
            method=environ["REQUEST_METHOD"],
            path=path,
            query=masked(dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))),
            headers=safe_headers(environ),
            body=readable_body(environ.get("CONTENT_TYPE", ""), raw),
            inside=self.limits.inside(self.service, environ["REQUEST_METHOD"]),
        )
        response = self._spoiled_before(environ, entry) or self._spoiled_after(environ, entry)
        entry.status = response.status_code
        if response.status_code == 429 and (wait := response.headers.get("Retry-After")):
            self.limits.told(self.service, entry.method, float(wait))
        response.headers["Date"] = http_date(self.world.remote_now())
        return response(environ, start_response)

    def _take(self, entry: Entry, kind: str) -> Fault | None:
        fault = self.faults.take(self.service, kind, entry.path, entry.method)
        if fault is not None:
            entry.fault = kind
        return fault

    def _spoiled_before(self, environ: WSGIEnvironment, entry: Entry) -> Response | None:
        """Faults under which the service never sees the call."""
        if self._take(entry, "down"):
            raise ConnectionClosed(f"{self.service} closed the connection")
        if fault := self._take(entry, "slow"):
            time.sleep(fault.seconds)
        if fault := self._take(entry, "throttle"):
            return _refusal(self.service, 429, fault, entry.client_id)
        if (wait := self.limits.refuse(self.service, entry.method)) is not None:
            entry.fault = "limit"
            return _refusal(self.service, 429, Fault(self.service, "throttle", retry_after=wait), entry.client_id)
        if fault := self._take(entry, "server_error"):
            return _refusal(self.service, fault.status, fault, entry.client_id)
        if self._take(entry, "html"):
            return Response("<!doctype html><title>Maintenance</title><h1>We'll be back</h1>", 200, content_type="text/html")
        if self._take(entry, "huge"):
            return Response(b'{"value":"' + b"a" * 10_000_000 + b'"}', 200, content_type="application/json")
        return self._first_401(environ, entry)

    def _first_401(self, environ: WSGIEnvironment, entry: Entry) -> Response | None:
        # "a freshly issued token is intermittently answered 401": fleetdm/fleet get-access-token-and-api-urls.js
        fault = next((f for f in self.faults.active if (f.service, f.kind) == (self.service, "first_401")), None)
        authorization = environ.get("HTTP_AUTHORIZATION", "")
        if fault is None or not authorization or not self.faults.is_fresh(authorization):
            return None
        entry.fault = "first_401"
        return _refusal(self.service, 401, fault, entry.client_id)

    def _spoiled_after(self, environ: WSGIEnvironment, entry: Entry) -> Response:
        """The call is performed; its answer may still be lost or cut."""
        response = _answer_of(self.app, environ)
        entry.client_id = environ.get("sandbox.client_id")
        entry.tenant = environ.get("sandbox.tenant")
        if self._take(entry, "drop_answer"):
            raise ConnectionClosed(f"{self.service} closed the connection")
        if self._take(entry, "garbled"):
            whole = response.get_data()
            response.set_data(whole[: len(whole) // 2])
        return response
