"""Programs that call the API, with tokens as Entra makes them: the sandbox's keys, published and read over TLS."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from sandbox.id_tokens import mint
from sandbox.server import Sandbox
from tests.web.conftest import ORIGIN, TENANT, Web

API = "3e7a1c05-92d4-4f6b-8a1e-5c0b7d9f2e64"
SERVICENOW = "b4d8e6f1-7c23-4a90-b5d2-1f8e3c6a9b07"
SIEM = "c9a1f7d3-4e68-4b02-9d57-6a0e2b8c1f34"
DESK_APP = "5d2f0c8a-1b97-4e3d-8f46-7c9a0b1d2e3f"  # ServiceNow's service principal
HANNA = "7e4b1a90-3c5d-4f28-a6e1-0d9c8b7a6f51"  # of the helpdesk, by way of ServiceNow


class Api:
    def __init__(self, web: Web, sandbox: Sandbox) -> None:
        self.web, self.sandbox = web, sandbox

    def claims(self, *roles: str, alone: bool = True, **changed: Any) -> dict[str, Any]:
        """What Entra writes into a v2.0 access token for an API (access-token-claims-reference)."""
        now, who = int(time.time()), DESK_APP if alone else HANNA
        claims: dict[str, Any] = {
            "aud": API,
            "iss": f"{self.sandbox.api_url}/{TENANT}/v2.0",
            "iat": now,
            "nbf": now,
            "exp": now + 3900,
            "azp": SERVICENOW,
            "azpacr": "2",
            "oid": who,
            "sub": who,
            "tid": TENANT,
            "ver": "2.0",
            "uti": "x",
            **({"idtyp": "app"} if alone else {"scp": "access_as_user", "name": "Hanna Roth"}),
        }
        claims |= {"roles": list(roles)} if roles else {}
        return {name: value for name, value in {**claims, **changed}.items() if value is not None}

    def token(self, *roles: str, spec: dict[str, Any] | None = None, **changed: Any) -> str:
        """`spec` spoils it, as `sandbox/id_tokens.py` has it."""
        return mint(self.sandbox, self.claims(*roles, **changed), [json.dumps(spec)] if spec is not None else [])

    def call(
        self, path: str, *roles: str, body: Any = None, method: str = "", headers: dict[str, str] | None = None, **changed: Any
    ) -> TestResponse:
        """As a program with these roles; `Helpdesk.Read` where none is named."""
        token = changed.pop("token", None) or self.token(*(roles or ("Helpdesk.Read",)), **changed)
        sent = {"Authorization": f"Bearer {token}", **(headers or {})}
        how: dict[str, Any] = {"json": body} if body is not None else {}
        method = method or ("POST" if body is not None else "GET")
        return self.web.browser().open(f"/api/v1{path}", method=method, headers=sent, **how)


def settings_of(sandbox: Sandbox) -> dict[str, Any]:
    return {
        "entra_authority": sandbox.api_url,
        "ca_file": str(sandbox.keys.ca_pem),
        "tenant_id": TENANT,
        "api_audience": API,
        "api_clients": (SERVICENOW, SIEM),
    }


@contextmanager
def calling(database: Path, sandbox: Sandbox, **more: Any) -> Iterator[Api]:
    sandbox.world.tenant_id = TENANT
    web = Web(database, **{**settings_of(sandbox), **more})
    yield Api(web, sandbox)
    web.engine.dispose()


def problem(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """Every error is one of these, whoever caused it."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    told: dict[str, Any] = json.loads(answer.text)
    assert (told["status"], told["code"], told["type"]) == (status, code, f"urn:remediation:{code}"), told
    assert told["title"]
    assert told["detail"]
    assert told["who_acts"] in ("you", "helpdesk", "admin", "time")
    assert ORIGIN not in answer.text
    return told


def every_page(api: Api, path: str, *roles: str, name: str, **more: Any) -> list[Sequence[Any]]:
    """Page after page by `next`, until there is none or nothing more."""
    pages, cursor = [], None
    while True:
        mark = "&" if "?" in path else "?"
        told = api.call(path + (f"{mark}since={cursor}" if cursor else ""), *roles, **more).json
        assert told is not None
        pages.append(told[name])
        cursor = told["next"]
        if cursor is None or told.get("more") is False:
            return pages
