"""The manners of the pretend MaaS360: sign-in and refresh, who may call, XML or JSON, one-or-many, errors inside a good answer.

Written from public clients (Milhound/maas360api `auth/auth.go`, Stjubit/TA-MaaS360 `maas360_handler.py`). Next door: `maas360` has
the resources, `maas360_shapes` what they look like.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from sandbox.world import Maas360Console, World

if TYPE_CHECKING:
    from sandbox.faults import Faults

TOKEN_LIFE = timedelta(minutes=60)
REFRESH_LIFE = timedelta(hours=24)
"""How long the real one lives is not public."""
LOCKED_AFTER, FORGOTTEN_AFTER = 3, timedelta(hours=1)
"""How many refusals lock the real account is not public; the sandbox is stricter than anybody would be."""
LEGAL_SIZES = (25, 50, 100, 200, 250)

NO_SUCH_CREDENTIAL, TOKEN_EXPIRED, NOT_AUTHORIZED = 1002, 1007, 1008
LOCKED, BAD_REQUEST, NO_SUCH_DEVICE = 1009, 1010, 1011
"""The first three are confirmed by clients; the others are the sandbox's own, since the vendor's table is not public."""


class Fault(Exception):
    """An answer with an error inside; `status` is 200 for most."""

    def __init__(self, code: int, message: str, status: int = 200, *, envelope: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.envelope = code, message, status, envelope


def bad_request(message: str) -> Fault:
    return Fault(BAD_REQUEST, message, 400)


def no_device() -> Fault:
    return Fault(NO_SUCH_DEVICE, "Device not found.")


@dataclass
class Gate:
    """Tokens by their value, with the moment of issue, and the refusals that may lock the account."""

    world: World
    faults: Faults
    tokens: dict[str, datetime] = field(default_factory=dict)
    refresh_tokens: dict[str, datetime] = field(default_factory=dict)
    refusals: list[datetime] = field(default_factory=list)
    _console: Maas360Console | None = None

    def locked(self) -> bool:
        now = self.world.now()
        if self._console is not self.world.maas360:
            self._console, self.refusals = self.world.maas360, []  # another story
        self.refusals = [at for at in self.refusals if timedelta() <= now - at < FORGOTTEN_AFTER]
        return self.world.maas360.locked or len(self.refusals) >= LOCKED_AFTER

    def authenticate(self, billing_id: str, *, refreshing: bool, with_refresh: bool) -> Response:
        sent = request.get_json(silent=True)
        try:
            given = sent["authRequest"]["maaS360AdminAuth"]  # type: ignore[index]
            words = {str(name): str(value) for name, value in given.items()}
        except (TypeError, KeyError, AttributeError):
            raise bad_request("authRequest is not as specified.") from None
        console = self.world.maas360
        wanted = {
            "billingID": console.billing_id,
            "platformID": console.platform_id,
            "appID": console.app_id,
            "appVersion": console.app_version,
            "userName": console.user,
        }
        wanted |= {} if refreshing else {"appAccessKey": console.access_key, "password": console.password}
        if billing_id != console.billing_id or words.get("billingID") != console.billing_id:
            raise Fault(NOT_AUTHORIZED, "Billing id is not authorized.", envelope="authResponse")
        if self.locked():
            raise Fault(LOCKED, "The account is locked.", envelope="authResponse")
        known = not set(words) - {*wanted, "refreshToken"} and all(
            _same(words.get(name, ""), value) for name, value in wanted.items()
        )
        if refreshing:
            issued = self.refresh_tokens.pop(words.get("refreshToken", ""), None)
            known = known and issued is not None and self.world.now() - issued < REFRESH_LIFE
        if not known:
            if not refreshing:
                self.refusals.append(self.world.now())
            raise Fault(NO_SUCH_CREDENTIAL, "Invalid credentials.", envelope="authResponse")
        self.refusals.clear()
        token, fresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self.tokens[token] = self.world.now()
        answer: dict[str, Any] = {"authToken": token, "errorCode": 0, "errorDesc": ""}
        if with_refresh:
            self.refresh_tokens[fresh] = self.world.now()
            answer["refreshToken"] = fresh
        return told({"authResponse": answer})

    def let_in(self) -> None:
        header = request.headers.get("Authorization", "")
        if header.startswith("Bearer ") and self.faults.take("maas360", "takes_bearer", request.path, request.method):
            header = header.removeprefix("Bearer ")
        match = re.fullmatch(r'MaaS token="([\w-]+)"', header)
        issued = self.tokens.get(match[1]) if match else None
        if issued is None:
            raise Fault(TOKEN_EXPIRED, "Token invalid", 401, envelope="authResponse")
        if self.world.now() - issued >= TOKEN_LIFE or not self.world.token_stands(issued.timestamp()):
            raise Fault(TOKEN_EXPIRED, "Token expired.", 401, envelope="authResponse")
        if (request.view_args or {}).get("billing_id") != self.world.maas360.billing_id:
            raise Fault(NOT_AUTHORIZED, "Billing id is not authorized.", 401, envelope="authResponse")
        request.environ["sandbox.client_id"] = self.world.maas360.app_id


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def told(body: dict[str, Any]) -> Response:
    """JSON for whoever asks for it by name, XML for everybody else."""
    if "application/json" in request.headers.get("Accept", "").lower():
        return jsonify(body)
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>{_xml(body)}', mimetype="application/xml")


def _xml(body: dict[str, Any]) -> str:
    pieces = []
    for name, value in body.items():
        for item in value if isinstance(value, list) else [value]:
            inner = _xml(item) if isinstance(item, dict) else "" if item is None else escape(_word(item))
            pieces.append(f"<{name}>{inner}</{name}>")
    return "".join(pieces)


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def some(name: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    """Nothing for none, the object itself for one, a list for more: so do XML services that learned JSON later."""
    return {} if not items else {name: items[0] if len(items) == 1 else items}


def asked(*names: str) -> dict[str, str]:
    """The parameters, from the address or a form; an unknown one is refused, so that no typing error passes for a filter."""
    given = {**request.form.to_dict(), **request.args.to_dict()}
    if unknown := sorted(set(given) - set(names)):
        raise bad_request(f"Unknown parameter {unknown[0]}.")
    return given


def number_of_page(query: dict[str, str]) -> tuple[int, int]:
    """1-based."""
    page, size = query.get("pageNumber", "1"), query.get("pageSize", "50")
    if not re.fullmatch(r"[1-9][0-9]{0,6}", page):
        raise bad_request("pageNumber is not a number from 1 on.")
    if size not in map(str, LEGAL_SIZES):
        raise bad_request(f"pageSize must be one of {', '.join(map(str, LEGAL_SIZES))}.")
    return int(page), int(size)


def guard(app: Flask, gate: Gate) -> None:
    @app.before_request
    def enter() -> None:
        if request.url_rule is not None and not (request.endpoint or "").startswith("auth_"):
            gate.let_in()

    @app.errorhandler(Fault)
    def refused(fault: Fault) -> tuple[Response, int]:
        body = {"errorCode": fault.code, "errorDesc": fault.message}
        return told({fault.envelope: body} if fault.envelope else body), fault.status

    @app.errorhandler(HTTPException)
    def elsewhere(error: HTTPException) -> tuple[Response, int]:
        return Response("<html><body><h1>Not here</h1></body></html>", mimetype="text/html"), error.code or 500
