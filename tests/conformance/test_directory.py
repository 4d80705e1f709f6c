"""Directory: what Graph's adapter promises, and how it fails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from remediation.domain.device import Platform
from remediation.errors import NotFound, Refused
from tests.conformance.conftest import Raises
from tests.conformance.five import FIVE, SPOILT, Spoilt, raised
from tests.remotes import Remotes

PROTOCOL = "Directory"
NOBODY = "00000000-0000-4000-8000-00000000dead"
ASK: dict[str, Callable[[Remotes], Any]] = {
    "person": lambda r: r.directory.person(r.person().oid),
    "devices_of": lambda r: r.directory.devices_of(r.person().oid),
    "device": lambda r: r.directory.device(r.device_id),
}


def test_a_person_by_object_id(remotes: Remotes) -> None:
    assert remotes.directory.person(remotes.person().oid) == remotes.person()


def test_every_device_on_every_page(remotes: Remotes) -> None:
    oid = remotes.person().oid
    found = remotes.directory.devices_of(oid)
    assert sum("registeredDevices" in e.path for e in remotes.sandbox.ledger.since(0)) > 1, "the sandbox pages"
    assert {d.device_id for d in found} == {d.device_id for d in remotes.sandbox.world.devices.values() if d.owner_oid == oid}
    assert {d.platform for d in found} == {Platform.IOS, Platform.ANDROID, Platform.WINDOWS}
    assert {d.name: d.enabled for d in found}["Mia old phone"] is False


def test_a_device_with_its_owner(remotes: Remotes) -> None:
    device = remotes.directory.device(remotes.device_id)
    now = remotes.sandbox.world.now()
    assert (device.owner_oid, device.compliant, device.platform) == (remotes.person().oid, None, Platform.IOS)
    assert device.registered_at is not None
    assert timedelta(minutes=2) < now - device.registered_at < timedelta(minutes=4)


def test_a_person_without_devices_has_none(remotes: Remotes) -> None:
    assert remotes.directory.devices_of(remotes.person("Hanna").oid) == []


@pytest.mark.parametrize("ask", [lambda r: r.directory.person(NOBODY), lambda r: r.directory.device(NOBODY)])
def test_what_the_directory_does_not_know(remotes: Remotes, raises: Raises, ask: Callable[[Remotes], Any]) -> None:
    with raises(NotFound) as caught:
        ask(remotes)
    assert caught.value.vendor_code == "Request_ResourceNotFound"


@pytest.mark.parametrize("ask", ASK.values(), ids=ASK.keys())
@pytest.mark.parametrize("spoilt", SPOILT, ids=str)
def test_a_spoilt_answer(remotes: Remotes, raises: Raises, ask: Callable[[Remotes], Any], spoilt: Spoilt) -> None:
    spoilt.spoil(remotes.sandbox, "graph")
    with raises(spoilt.becomes) as caught:
        ask(remotes)
    spoilt.fits(caught.value, "directory")


@pytest.mark.parametrize("spoilt", SPOILT, ids=str)
def test_a_spoilt_sign_in(remotes: Remotes, raises: Raises, spoilt: Spoilt) -> None:
    spoilt.spoil(remotes.sandbox, "entra")
    with raises(spoilt.becomes) as caught:
        remotes.directory.person(remotes.person().oid)
    assert caught.value.remote == "directory"


def test_members_without_properties_name_the_permission(remotes: Remotes, raises: Raises) -> None:
    for roles in remotes.sandbox.world.apps["service"].permissions.values():
        roles.discard("Device.Read.All")
    with raises(Refused) as caught:
        remotes.directory.devices_of(remotes.person().oid)
    assert "Device.Read.All" in str(caught.value)


@pytest.mark.parametrize("ask", ASK.values(), ids=ASK.keys())
def test_without_any_permission(remotes: Remotes, raises: Raises, ask: Callable[[Remotes], Any]) -> None:
    for roles in remotes.sandbox.world.apps["service"].permissions.values():
        roles.clear()
    with raises(Refused) as caught:
        ask(remotes)
    assert caught.value.status == 403


def test_none_of_the_five_is_left_out(remotes: Remotes) -> None:
    directory, oid = remotes.directory, remotes.person().oid

    def without_permission() -> None:
        for roles in remotes.sandbox.world.apps["service"].permissions.values():
            roles.discard("Device.Read.All")
        Remotes(remotes.sandbox).directory.devices_of(oid)  # with a new token: roles are in it

    kinds = raised(remotes.sandbox, "graph", lambda: directory.person(oid), lambda: directory.person(NOBODY), without_permission)
    assert kinds == set(FIVE)
