"""The second lock's mark through the real adapters: what is written, read and refused; and a line of the sign-in log."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from remediation.adapters.graph import GraphDirectory
from remediation.adapters.second_lock import GraphSecondLock
from remediation.domain.device import Mark, Platform
from remediation.domain.second_lock import SecondLock
from remediation.errors import Garbled, NotFound, Refused
from sandbox.policy import open_outlook
from sandbox.things import DevicePolicy
from sandbox.world import GRAPH_APP_ID
from tests.conformance.conftest import Raises
from tests.conformance.five import FIVE, raised
from tests.conformance.test_channel import report
from tests.people import NOON
from tests.remotes import Remotes

PROTOCOL = "Marking of Graph"
LOCK = SecondLock(7, "remediation-5a1e0c7d", NOON)


@pytest.fixture
def remotes(remotes: Remotes) -> Remotes:
    remotes.approve_for_windows(approved=False)
    return remotes


def marking(remotes: Remotes) -> GraphSecondLock:
    return GraphSecondLock(remotes.graph_as("lock"), name=LOCK.name, value=LOCK.value, platforms=[Platform.IOS])


def directory(remotes: Remotes) -> GraphDirectory:
    return GraphDirectory(remotes.graph, now=remotes.sandbox.world.now, mark=(LOCK.name, LOCK.value))


def read(remotes: Remotes) -> tuple[Mark | None, ...]:
    """By each of the three ways."""
    remotes.later(10)
    device_id, found = remotes.device_id, directory(remotes)
    page, rows = found.page(None), []
    while True:
        rows += [row for row in page.rows if row.device_id == device_id]
        if page.cursor is None:
            break
        page = found.page(page.cursor)
    listed = next(one for one in found.devices_of(remotes.person().oid) if one.device_id == device_id)
    return found.device(device_id).mark, listed.mark, rows[0].mark


def told(remotes: Remotes, **changed: Any) -> Any:
    return report(remotes, device_id=remotes.device_id, **changed)


def test_one_attribute_is_written_and_nothing_else_of_the_device(remotes: Remotes) -> None:
    found = remotes.sandbox.world.device_by_device_id(remotes.device_id)
    assert found is not None
    found.extension_attributes["extensionAttribute3"] = "somebody's"
    assert read(remotes) == (None,) * 3
    sent = marking(remotes).send(told(remotes, compliant=True, managed=True))
    assert read(remotes) == (Mark.OURS,) * 3
    (call,) = [e for e in remotes.sandbox.ledger.since(0) if e.method == "PATCH"]
    assert call.path == f"/graph/v1.0/devices(deviceId='{remotes.device_id}')"
    assert call.body == {"extensionAttributes": {"extensionAttribute7": LOCK.value}}
    assert sent.client_request_id
    for changed in ({"compliant": False}, {"compliant": True, "managed": False}):
        marking(remotes).send(told(remotes, **{"managed": True, **changed}))
        assert read(remotes) == (None,) * 3
    marking(remotes).clear(remotes.device_id)
    assert found.extension_attributes == {"extensionAttribute3": "somebody's", "extensionAttribute7": None}


@pytest.mark.parametrize("value", ["Finance", "", LOCK.value.upper(), f"{LOCK.value} "])
def test_another_value_is_another_and_never_kept(remotes: Remotes, value: str) -> None:
    found = remotes.sandbox.world.device_by_device_id(remotes.device_id)
    assert found is not None
    found.extension_attributes["extensionAttribute7"] = value
    assert read(remotes) == (Mark.OTHER,) * 3
    assert "Finance" not in repr(directory(remotes).device(remotes.device_id))
    plain = GraphDirectory(remotes.graph, now=remotes.sandbox.world.now)
    assert plain.device(remotes.device_id).mark is None, "nobody asks for it where there is no lock"


def test_attributes_that_are_not_told_are_not_no_mark(remotes: Remotes) -> None:
    def without(request: Any, status: int, body: bytes) -> bytes:
        return body.replace(b'"extensionAttributes"', b'"somethingElse"')

    with pytest.raises(Garbled):
        directory(Remotes(remotes.sandbox, change=without)).device(remotes.device_id)


def test_without_the_permission_it_is_refused_and_nothing_changes(remotes: Remotes, raises: Raises) -> None:
    remotes.sandbox.world.apps["service"].permissions[GRAPH_APP_ID].discard("Device.ReadWrite.All")
    with raises(Refused) as caught:
        marking(remotes).send(told(remotes, compliant=True, managed=True))
    assert (caught.value.status, caught.value.vendor_code, caught.value.remote) == (403, "Authorization_RequestDenied", "lock")
    assert read(remotes) == (None,) * 3


def test_a_device_that_is_gone(remotes: Remotes, raises: Raises) -> None:
    with raises(NotFound):
        marking(remotes).clear(str(uuid4()))


def test_none_of_the_five_is_left_out(remotes: Remotes) -> None:
    lock = marking(remotes)
    asked = (lambda: lock.clear(remotes.device_id), lambda: lock.clear(str(uuid4())), lambda: lock.clear("no guid"))
    found = raised(remotes.sandbox, "graph", *asked[:2])
    remotes.sandbox.world.apps["service"].permissions[GRAPH_APP_ID].discard("Device.ReadWrite.All")
    remotes.sandbox.world.end_tokens()
    assert found | raised(remotes.sandbox, "graph", asked[0], asked[0]) == set(FIVE)


# the sign-in log


def blocked(remotes: Remotes) -> str:
    world = remotes.sandbox.world
    world.device_policies = [DevicePolicy("Second lock", LOCK.rule), DevicePolicy("Tried", LOCK.rule, state="disabled")]
    with world.lock:
        outcome = open_outlook(world, remotes.phone)
    assert (outcome.kind, outcome.code, outcome.button) == ("held_back", 53003, None)
    return outcome.request_id


def test_a_blocked_sign_in_by_the_request_id_of_its_page(remotes: Remotes, raises: Raises) -> None:
    record_id = blocked(remotes)
    with raises(NotFound):
        remotes.sign_in_log.record(record_id)
    remotes.later(30)
    record = remotes.sign_in_log.record(record_id)
    assert (record.id, record.error_code, record.device_id) == (record_id, 53003, remotes.device_id)
    assert (record.blocking, record.policies_told, record.compliant) == (("Second lock",), True, False)


def test_an_unregistered_device_has_no_id_and_policies_may_be_kept_from_us(remotes: Remotes, raises: Raises) -> None:
    with remotes.sandbox.world.lock:
        remotes.sandbox.world.unregister(remotes.phone)
    record_id = blocked(remotes)
    remotes.later(30)
    assert remotes.sign_in_log.record(record_id).device_id is None
    granted = remotes.sandbox.world.apps["service"].permissions[GRAPH_APP_ID]
    granted.discard("Policy.Read.All")
    remotes.sandbox.world.end_tokens()
    record = remotes.sign_in_log.record(record_id)
    assert (record.blocking, record.policies_told) == ((), False)
    granted.discard("AuditLog.Read.All")
    remotes.sandbox.world.end_tokens()
    with raises(Refused):
        remotes.sign_in_log.record(record_id)
