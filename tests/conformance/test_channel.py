"""ComplianceChannel and Sending: what the Intune partner's adapter promises, and how it fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from remediation.domain.device import Platform
from remediation.errors import Busy, NotFound, Refused, RemoteError
from remediation.ports import Carried, Report, Sending
from sandbox.faults import Fault
from tests.conformance.conftest import Raises
from tests.conformance.five import FIVE, SPOILT, Spoilt, raised
from tests.remotes import Remotes

PROTOCOL = "ComplianceChannel"
MESSAGE = "3f0c5a6e-8c57-4f0a-9b0b-3d2f5a7a9d11"
ASK: dict[str, Callable[[Remotes], Any]] = {
    "send": lambda r: r.channel.send(report(r)),
    "carried": lambda r: r.channel.carried(MESSAGE),
}


def report(remotes: Remotes, *, compliant: bool = True, **changed: Any) -> Report:
    now = remotes.sandbox.world.now()
    told = Report(
        message_id=MESSAGE,
        update_time=now,
        compliant=compliant,
        managed=True,
        device_id=remotes.device_id,
        oid=remotes.person().oid,
        name="Mia’s “iPhone” \u202e<b>",
        platform=Platform.IOS,
        os_version="18.1",
        last_seen=now - timedelta(minutes=4),
    )
    return replace(told, **changed)


def sent(remotes: Remotes) -> list[Any]:
    return [e for e in remotes.sandbox.ledger.since(0) if e.service == "intune" and e.method == "PUT"]


def test_a_verdict_reaches_the_directory_and_not_before_its_time(remotes: Remotes) -> None:
    channel = remotes.channel
    assert isinstance(channel, Sending)
    channel.send(report(remotes))
    assert channel.carried(MESSAGE) == Carried(accepted=False)
    remotes.later(2.5)
    assert channel.carried(MESSAGE) == Carried(accepted=True)
    assert channel.observe(remotes.device_id).compliant is None, "accepted is not yet seen"
    remotes.later(5)
    seen = channel.observe(remotes.device_id)
    assert (seen.compliant, seen.managed) == (True, True)


def test_both_directions_and_a_device_that_never_checked_in(remotes: Remotes) -> None:
    remotes.channel.send(report(remotes, compliant=False, managed=False, last_seen=None, os_version=None))
    remotes.later(10)
    seen = remotes.channel.observe(remotes.device_id)
    assert (seen.compliant, seen.managed) == (False, False)


def test_a_repeat_has_one_effect(remotes: Remotes) -> None:
    for _ in range(3):
        remotes.channel.send(report(remotes))
    assert len(remotes.sandbox.world.uploads) == 1


def test_the_message_as_the_public_client_sends_it(remotes: Remotes) -> None:
    remotes.channel.send(report(remotes))
    body = sent(remotes)[-1].body
    inventory, compliance = json.loads(body["Content"])
    assert (inventory["EntityType"], compliance["EntityType"]) == (1, 4)
    assert compliance["complianceStatus"] == "compliant"
    assert inventory["LastUpdateTime"] == compliance["LastUpdateTime"]
    assert inventory["LastUpdateTime"].endswith("Z")


def test_a_failed_upload_tells_its_code(remotes: Remotes) -> None:
    remotes.sandbox.faults.add(Fault("intune", "fail_upload", error_code=4711))
    remotes.channel.send(report(remotes))
    remotes.later(3)
    assert remotes.channel.carried(MESSAGE) == Carried(accepted=False, failed="4711")


def test_completed_is_not_open(remotes: Remotes) -> None:
    remotes.sandbox.faults.add(Fault("intune", "ignore_writes"))
    remotes.channel.send(report(remotes))
    remotes.later(60)
    assert remotes.channel.carried(MESSAGE).accepted
    assert remotes.channel.observe(remotes.device_id).compliant is None


def test_a_first_401_is_waited_out(remotes: Remotes) -> None:
    remotes.sandbox.faults.add(Fault("intune", "first_401"))
    remotes.channel.send(report(remotes))
    remotes.channel.carried(MESSAGE)
    assert remotes.sleeps == [1.0]
    assert sum("oauth2/v2.0/token" in e.path for e in remotes.sandbox.ledger.since(0)) == 2, "one for Graph, one for Intune"


def test_endpoints_and_tokens_are_asked_for_once_a_day(remotes: Remotes) -> None:
    def discoveries() -> int:
        return sum("endpoints" in e.path for e in remotes.sandbox.ledger.since(0))

    for _ in range(5):
        remotes.channel.send(report(remotes))
    assert discoveries() == 1
    remotes.later(24 * 3600 + 1)
    remotes.channel.send(report(remotes))
    assert discoveries() == 2


def test_a_message_that_never_arrived(remotes: Remotes, raises: Raises) -> None:
    with raises(NotFound):
        remotes.channel.carried(MESSAGE)


def test_a_host_that_nobody_allowed_gets_no_token(remotes: Remotes, raises: Raises) -> None:
    with raises(Refused) as caught:
        remotes.make_channel("manage.microsoft.com").send(report(remotes))
    assert caught.value.vendor_code == "host_not_allowed"
    assert not sent(remotes)


def test_windows_is_not_for_partners(remotes: Remotes, raises: Raises) -> None:
    with raises(Refused):
        remotes.channel.send(report(remotes, platform=Platform.WINDOWS))


@pytest.mark.parametrize("ask", ASK.values(), ids=ASK.keys())
def test_without_permission(remotes: Remotes, raises: Raises, ask: Callable[[Remotes], Any]) -> None:
    for roles in remotes.sandbox.world.apps["service"].permissions.values():
        roles.discard("update_device_attributes")
    with raises(Refused) as caught:
        ask(remotes)
    assert (caught.value.status, caught.value.remote) == (403, "channel")


@pytest.mark.parametrize("ask", ASK.values(), ids=ASK.keys())
@pytest.mark.parametrize("spoilt", SPOILT, ids=str)
def test_a_spoilt_answer(remotes: Remotes, raises: Raises, ask: Callable[[Remotes], Any], spoilt: Spoilt) -> None:
    remotes.channel.send(report(remotes))  # token and endpoints are had: the fault meets the call itself
    spoilt.spoil(remotes.sandbox, "intune")
    with raises(spoilt.becomes) as caught:
        ask(remotes)
    error: RemoteError = caught.value
    assert error.remote == "channel"
    if isinstance(error, Busy):
        assert error.retry_after == 7


@pytest.mark.parametrize("spoilt", SPOILT, ids=str)
def test_spoilt_discovery(remotes: Remotes, raises: Raises, spoilt: Spoilt) -> None:
    spoilt.spoil(remotes.sandbox, "graph")
    with raises(spoilt.becomes):
        remotes.channel.send(report(remotes))
    remotes.sandbox.faults.clear()
    remotes.channel.send(report(remotes))


def test_none_of_the_five_is_left_out(remotes: Remotes) -> None:
    windows = report(remotes, platform=Platform.WINDOWS)
    asked = (
        lambda: remotes.channel.carried(MESSAGE),
        lambda: remotes.channel.carried(MESSAGE),
        lambda: remotes.channel.send(windows),
    )
    assert raised(remotes.sandbox, "intune", *asked) == set(FIVE)
