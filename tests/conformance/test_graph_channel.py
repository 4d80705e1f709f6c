"""What is Graph's alone among the channels: what is written, and the refusals to an app that is not approved."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from remediation.domain.device import Platform
from remediation.errors import NotFound, Refused
from remediation.ports import Report
from sandbox.things import DirectoryDevice
from tests.conformance.conftest import Raises
from tests.conformance.five import FIVE, raised
from tests.conformance.test_channel import report
from tests.remotes import Remotes

PROTOCOL = "ComplianceChannel of Graph"


@pytest.fixture
def windows(remotes: Remotes) -> Remotes:
    remotes.sandbox.begin("windows")
    found = Remotes(remotes.sandbox)
    found.approve_for_windows()
    return found


def told(windows: Remotes) -> Report:
    return report(windows, platform=Platform.WINDOWS, device_id=windows.phone.device_id)


def test_two_properties_are_written_and_nothing_else_of_the_device(windows: Remotes) -> None:
    before = laptop(windows).name
    windows.make_graph_channel().send(told(windows))
    windows.later(10)
    (call,) = [e for e in windows.sandbox.ledger.since(0) if e.method == "PATCH"]
    assert call.path == f"/graph/v1.0/devices(deviceId='{windows.phone.device_id}')"
    assert call.body == {"isManaged": True, "isCompliant": True}
    assert (laptop(windows).name, laptop(windows).is_compliant) == (before, True)


@pytest.mark.parametrize(("permission", "approved"), [(True, False), (False, True)])
def test_an_app_that_may_not_is_told_apart_from_any_other_refusal(
    windows: Remotes, raises: Raises, permission: bool, approved: bool
) -> None:
    windows.approve_for_windows(permission=permission, approved=approved)
    with raises(Refused) as caught:
        windows.make_graph_channel().send(told(windows))
    error = caught.value
    assert (error.status, error.vendor_code, error.why) == (403, "Authorization_RequestDenied", "not_approved")
    assert laptop(windows).is_compliant is None
    windows.approve_for_windows()
    windows.sandbox.world.end_tokens()
    windows.make_graph_channel().send(told(windows))


def test_a_device_that_entra_calls_something_else(windows: Remotes, raises: Raises) -> None:
    laptop(windows).os = "Linux"
    with raises(Refused) as caught:
        windows.make_graph_channel().send(told(windows))
    assert (caught.value.status, caught.value.vendor_code, caught.value.why) == (400, "Request_BadRequest", "refused")


def test_a_device_that_is_gone(windows: Remotes, raises: Raises) -> None:
    with raises(NotFound) as caught:
        windows.make_graph_channel().send(replace(told(windows), device_id=str(uuid4())))
    assert caught.value.vendor_code == "Request_ResourceNotFound"


def test_none_of_the_five_is_left_out(windows: Remotes) -> None:
    channel, good = windows.make_graph_channel(), told(windows)
    channel.send(good)
    gone, phone = replace(good, device_id=str(uuid4())), replace(good, platform=Platform.IOS)
    asked = (lambda: channel.send(good), lambda: channel.send(gone), lambda: channel.send(phone))
    assert raised(windows.sandbox, "graph", *asked) == set(FIVE)


def laptop(windows: Remotes) -> DirectoryDevice:
    found = windows.sandbox.world.device_by_device_id(str(windows.phone.device_id))
    assert found is not None
    return found
