"""Entra's sign-in log as Graph lists it: newest first, some time late, by person and time, for those who may read it.

Stricter than Graph: one form of filter, no other. Next door: `sign_in_log` writes the lines. Source: microsoft-graph-docs-contrib
api-reference/v1.0/api/signin-list.md.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import Flask

from sandbox.graph_manners import GraphError, Options, caller_may, options, page

if TYPE_CHECKING:
    from sandbox.server import Sandbox

_FILTER = re.compile(r"^userId eq '([0-9a-f-]{36})' and createdDateTime ge (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)$")
_PER_PAGE = 5
"""Times the tenant's page size, since one person has more sign-ins than devices."""


def add_sign_ins(app: Flask, sandbox: Sandbox) -> None:
    world = sandbox.world

    @app.get("/v1.0/auditLogs/signIns")
    def sign_ins() -> dict[str, Any]:
        if not caller_may("AuditLog.Read.All"):
            # The code that the log answers with instead of Authorization_RequestDenied; seen in the field, on no stored page.
            message = "Calling principal does not have required MSGraph permissions AuditLog.Read.All"
            raise GraphError(403, "Authentication_MSGraphPermissionMissing", message)
        asked = options("$filter", "$top", "$skiptoken")
        with world.settled():
            listed_by = world.now() - timedelta(seconds=world.lags.sign_in_lag)
            found = [line for line in reversed(world.sign_ins) if datetime.fromisoformat(line["createdDateTime"]) <= listed_by]
            shown = [_on_the_wire(line) for line in found if _wanted(asked, line)]
        return page(sandbox, "auditLogs/signIns", shown, asked, size=world.page_size * _PER_PAGE)


def _wanted(asked: Options, line: dict[str, Any]) -> bool:
    if asked.filter is None:
        return True
    match = _FILTER.match(asked.filter)
    if match is None:
        raise GraphError(400, "BadRequest", f"Unsupported or invalid query filter: {asked.filter!r}.")
    return bool(line["userId"] == match[1] and datetime.fromisoformat(line["createdDateTime"]) >= datetime.fromisoformat(match[2]))


def _on_the_wire(line: dict[str, Any]) -> dict[str, Any]:
    return {**line, "createdDateTime": line["createdDateTime"].replace("+00:00", "Z")}
