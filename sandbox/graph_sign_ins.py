"""Entra's sign-in log as Graph lists it: newest first, some time late, by person and time, for those who may read it.

Stricter than Graph: one form of filter, no other. Next door: `sign_in_log` writes the lines. Source: microsoft-graph-docs-contrib
api-reference/v1.0/api/signin-list.md.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import Flask

from sandbox.graph_manners import GraphError, Options, caller_may, context, not_found, options, page

if TYPE_CHECKING:
    from sandbox.server import Sandbox

_FILTER = re.compile(r"^userId eq '([0-9a-f-]{36})' and createdDateTime ge (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)$")
_PER_PAGE = 5
"""Times the tenant's page size, since one person has more sign-ins than devices."""


def add_sign_ins(app: Flask, sandbox: Sandbox) -> None:
    world = sandbox.world

    @app.get("/v1.0/auditLogs/signIns")
    def sign_ins() -> dict[str, Any]:
        _readable()
        asked = options("$filter", "$top", "$skiptoken")
        with world.settled():
            found = [line for line in reversed(world.sign_ins) if _listed(sandbox, line)]
            shown = [_on_the_wire(line) for line in found if _wanted(asked, line)]
        return page(sandbox, "auditLogs/signIns", shown, asked, size=world.page_size * _PER_PAGE)

    # api-reference/v1.0/api/signin-get.md
    @app.get("/v1.0/auditLogs/signIns/<record>")
    def sign_in(record: str) -> dict[str, Any]:
        _readable()
        options()
        with world.settled():
            line = next((line for line in world.sign_ins if line["id"] == record and _listed(sandbox, line)), None)
        if line is None:
            raise not_found(record)
        return context(sandbox, "auditLogs/signIns/$entity") | _on_the_wire(line)


def _readable() -> None:
    if not caller_may("AuditLog.Read.All"):
        # The code that the log answers with instead of Authorization_RequestDenied; seen in the field, on no stored page.
        message = "Calling principal does not have required MSGraph permissions AuditLog.Read.All"
        raise GraphError(403, "Authentication_MSGraphPermissionMissing", message)


def _listed(sandbox: Sandbox, line: dict[str, Any]) -> bool:
    listed_by = sandbox.world.now() - timedelta(seconds=sandbox.world.lags.sign_in_lag)
    return datetime.fromisoformat(line["createdDateTime"]) <= listed_by


def _wanted(asked: Options, line: dict[str, Any]) -> bool:
    if asked.filter is None:
        return True
    match = _FILTER.match(asked.filter)
    if match is None:
        raise GraphError(400, "BadRequest", f"Unsupported or invalid query filter: {asked.filter!r}.")
    return bool(line["userId"] == match[1] and datetime.fromisoformat(line["createdDateTime"]) >= datetime.fromisoformat(match[2]))


def _on_the_wire(line: dict[str, Any]) -> dict[str, Any]:
    """Which policies applied is told to those who may read policies: resources/signin.md."""
    told = line["appliedConditionalAccessPolicies"] if caller_may("Policy.Read.All", "Policy.Read.ConditionalAccess") else []
    at = line["createdDateTime"].replace("+00:00", "Z")
    return {**line, "createdDateTime": at, "appliedConditionalAccessPolicies": told}
