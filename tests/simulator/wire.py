"""The transport between the product's adapters and the sandbox: a point before and after each call, and a diary of them.

The diary holds what the laws need and the sandbox's ledger does not: who called, when the caller stood at the door (it may have
been frozen there), and whether the record that was read was good at that very moment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import BaseAdapter

from sandbox.server import Sandbox
from tests.simulator.turns import current, point
from tests.wsgi_adapter import WSGIAdapter

RECORD = re.compile(r"/mdm/devices/(\d+)$", re.IGNORECASE)
DEVICE = re.compile(r"/devices\(deviceId='([0-9a-f-]+)'\)$")
MESSAGE = re.compile(r"/DataUploadMessages\(guid'([0-9a-f-]+)'\)$")


@dataclass
class Call:
    """`stood_at` is when the caller came to the door, `at` when the remote heard it; `status` is None without an answer."""

    task: int
    who: str
    method: str
    path: str
    stood_at: datetime
    at: datetime
    status: int | None = None
    spoiled: str | None = None
    truth: Any = None
    sent: dict[str, Any] | None = None
    compliant: bool | None = None
    listed: set[str] = field(default_factory=set)
    """The records of a list's page that were good at that moment."""

    def found(self, pattern: re.Pattern[str]) -> str | None:
        match = pattern.search(self.path)
        return match[1] if match else None

    @property
    def good(self) -> bool:
        return self.status == 200 and self.spoiled is None


class Wire(BaseAdapter):
    def __init__(self, sandbox: Sandbox, tell: Callable[[str], None], takes: Callable[[], float]) -> None:
        super().__init__()
        self.sandbox, self.tell, self.takes = sandbox, tell, takes
        self.inner = WSGIAdapter(sandbox.api)
        self.calls: list[Call] = []
        self.truth_of: Callable[[str], Any] = lambda _: None

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        path, task = unquote(urlsplit(str(request.url)).path), current()
        now = self.sandbox.world.now
        # the channel holds a lock while it finds the partner service: whoever stops there stops all, which no scheduler can undo
        stops = "/servicePrincipals" not in path
        call = Call(task.serial if task else 0, task.name if task else "", str(request.method), path, now(), now())
        if stops:
            point(f"before {call.method} {path}")
        call.at = now()
        try:
            return self._ask(call, request)
        finally:
            self.inner.requests.clear()
            self.sandbox.world.advance(self.takes())
            if stops:
                point(f"after {call.method} {path}")

    def _ask(self, call: Call, request: requests.PreparedRequest) -> requests.Response:
        self.calls.append(call)
        if call.method == "PUT" and call.found(MESSAGE):
            inventory, compliance = json.loads(json.loads(request.body or b"{}")["Content"])
            call.sent = {**inventory, **compliance}
        record = call.found(RECORD)
        call.truth = self.truth_of(record) if record else None
        try:
            response = self.inner.send(request)
        finally:
            entry = self.sandbox.ledger.entries[-1]
            call.spoiled, call.status = entry.fault, entry.status
            spoiled = f" ({entry.fault})" if entry.fault else ""
            self.tell(f"{call.who}: {call.method} {call.path} → {call.status or 'no answer'}{spoiled}")
        if call.good and path_of_list(call.path):
            rows = (response_json(response) if response.status_code == 200 else {}).get("Devices", [])
            numbers = (str(row["Id"]["Value"]) for row in rows)
            call.listed = {n for n in numbers if (was := self.truth_of(n)) and was.good(call.at)}
        if call.good and call.found(DEVICE):
            call.compliant = response_json(response).get("isCompliant")
        return response

    def close(self) -> None:
        """No connection was ever opened."""


def path_of_list(path: str) -> bool:
    return path.lower().endswith("/mdm/devices/search")


def response_json(response: requests.Response) -> dict[str, Any]:
    """The body, left where the caller will read it."""
    raw: Any = response.raw
    body = raw._fp.getvalue()
    answer: dict[str, Any] = json.loads(body)
    return answer
