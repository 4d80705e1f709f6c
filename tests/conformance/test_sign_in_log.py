"""Entra's sign-in log through the real adapter: whose sign-in it was, which device it names, and what is no answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from remediation.errors import Busy, Garbled, Refused, RemoteError, Unreachable
from sandbox.faults import Fault
from sandbox.policy import open_outlook
from sandbox.server import SandboxConfig, create_sandbox
from tests.entra_browser import second_sign_in
from tests.remotes import Remotes
from tests.wsgi_adapter import Change


class Log:
    def __init__(self, folder: Path, change: Change | None = None) -> None:
        self.sandbox = create_sandbox(SandboxConfig(ca_folder=folder, scenario="blocked_just_registered"))
        self.remotes = Remotes(self.sandbox, change=change)
        self.id = str(uuid4())
        self.began = self.sandbox.world.now()
        self.sandbox.world.lags.sign_in_lag = 20

    def signs_in(self, name: str = "Mia", **how: Any) -> None:
        second_sign_in(self.sandbox, self.remotes.person(name).oid, self.id, **how)

    def read(self, **changed: Any) -> Any:
        app_id, now = self.sandbox.world.apps["sign-in"].client_id, self.sandbox.world.now()
        asked = {"oid": self.remotes.person().oid, "app_id": app_id, "since": self.began, "until": now, **changed}
        return self.remotes.sign_in_log.devices(asked.pop("correlation_id", self.id), **asked)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def test_the_device_of_this_very_sign_in_once_its_time_has_come(log: Log) -> None:
    log.signs_in()
    assert log.read() is None
    log.remotes.later(21)
    assert log.read() == (log.remotes.phone.device_id,)


def test_a_sign_in_of_an_unproven_browser_is_there_and_names_none(log: Log) -> None:
    log.signs_in(on_the_phone=False)
    log.remotes.later(21)
    assert log.read() == ()


def test_another_device_is_named_as_such(log: Log) -> None:
    laptop = next(d.device_id for d in log.sandbox.world.devices.values() if d.name == "CONTOSO-MB-07")
    log.sandbox.world.signs_in_from = laptop
    log.signs_in()
    log.remotes.later(21)
    assert log.read() == (laptop,)


@pytest.mark.parametrize(
    "changed",
    [
        {"correlation_id": str(uuid4())},
        {"app_id": str(uuid4())},
        {"since": datetime(2090, 1, 1, tzinfo=UTC), "until": datetime(2090, 1, 2, tzinfo=UTC)},
        {"until": datetime(2020, 1, 1, tzinfo=UTC)},
    ],
    ids=["another sign-in", "another app", "later", "earlier"],
)
def test_T4_only_that_sign_in_counts(log: Log, changed: dict[str, Any]) -> None:
    log.signs_in()
    log.remotes.later(21)
    assert log.read(**changed) is None
    assert log.read() is not None


def test_T4_another_persons_sign_in_under_the_same_id_is_not_this_persons(log: Log) -> None:
    log.signs_in("Noah")
    log.remotes.later(21)
    assert log.read() is None


@pytest.mark.parametrize("theirs", [True, False])
def test_T4_a_list_that_ignored_the_filter_proves_nothing(tmp_path: Path, theirs: bool) -> None:
    """The person is compared by us, too: a filter that is not understood must not hand over somebody else's device."""
    ids: dict[str, str] = {}

    def unfiltered(request: requests.PreparedRequest, status: int, body: bytes) -> bytes:
        return body.replace(ids["Mia"].encode(), ids["Noah"].encode()) if theirs and "auditLogs" in request.path_url else body

    log = Log(tmp_path, unfiltered)
    ids |= {name: log.remotes.person(name).oid for name in ("Mia", "Noah")}
    log.signs_in()
    log.remotes.later(21)
    assert (log.read() is None) is theirs


def test_a_sign_in_that_failed_proves_nothing(log: Log) -> None:
    log.signs_in()
    log.sandbox.world.sign_ins[-1]["status"]["errorCode"] = 50097
    log.remotes.later(21)
    assert log.read() is None


def test_it_is_found_on_a_later_page(log: Log) -> None:
    log.signs_in()
    for _ in range(12):
        with log.sandbox.world.lock:
            open_outlook(log.sandbox.world, log.remotes.phone)
    log.remotes.later(21)
    assert log.read() == (log.remotes.phone.device_id,)


def test_two_records_of_one_sign_in_are_both_told(log: Log) -> None:
    log.signs_in()
    log.sandbox.world.signs_in_from = next(d.device_id for d in log.sandbox.world.devices.values() if d.name == "CONTOSO-MB-07")
    log.signs_in()
    log.remotes.later(21)
    assert log.read() == tuple(sorted([log.remotes.phone.device_id, log.sandbox.world.signs_in_from]))


def test_without_the_permission_it_is_refused(log: Log) -> None:
    for roles in log.sandbox.world.apps["service"].permissions.values():
        roles.discard("AuditLog.Read.All")
    with pytest.raises(Refused) as refused:
        log.read()
    assert (refused.value.status, refused.value.remote) == (403, "sign_in_log")
    assert refused.value.vendor_code == "Authentication_MSGraphPermissionMissing"


@pytest.mark.parametrize(
    ("kind", "error"), [("throttle", Busy), ("down", Unreachable), ("garbled", Garbled), ("html", Garbled), ("server_error", Busy)]
)
def test_unkindness_is_one_of_the_five(log: Log, kind: str, error: type[RemoteError]) -> None:
    log.signs_in()
    log.remotes.later(21)
    log.sandbox.faults.add(Fault("graph", kind, path="auditLogs"))
    with pytest.raises(RemoteError) as raised:
        log.read()
    assert isinstance(raised.value, error) or kind == "server_error"
    log.sandbox.faults.clear()
    log.remotes.later(timedelta(hours=1).total_seconds())
    assert log.read(until=log.began) is not None


SPOILED: list[tuple[str, Callable[[dict[str, Any]], object]]] = [
    ("a device id that is none", lambda line: line["deviceDetail"].update(deviceId="it's mine")),
    ("a number", lambda line: line["deviceDetail"].update(deviceId=7)),
    ("no status", lambda line: line.pop("status")),
    ("status of another type", lambda line: line.update(status="0")),
    ("an error code of another type", lambda line: line["status"].update(errorCode="0")),
]


@pytest.mark.parametrize(("name", "spoil"), SPOILED, ids=[name for name, _ in SPOILED])
def test_T8_a_record_that_is_not_as_specified_is_garbled_and_never_an_answer(
    log: Log, name: str, spoil: Callable[[dict[str, Any]], object]
) -> None:
    log.signs_in()
    log.remotes.later(21)
    spoil(log.sandbox.world.sign_ins[-1])
    with pytest.raises(Garbled):
        log.read()


@pytest.mark.parametrize("empty", [None, "", "00000000-0000-0000-0000-000000000000"])
def test_an_absent_device_is_no_device(log: Log, empty: str | None) -> None:
    log.signs_in()
    log.remotes.later(21)
    log.sandbox.world.sign_ins[-1]["deviceDetail"]["deviceId"] = empty
    assert log.read() == ()
