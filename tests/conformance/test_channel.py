"""ComplianceChannel and Sending: what each adapter that sends promises, and how it fails; then what is the Intune partner's alone.

Next door: `test_graph_channel`, with what is Graph's alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from remediation.domain.device import Platform
from remediation.errors import NotFound, Refused
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


def report(remotes: Remotes, *, compliant: bool = True, device_id: str | None = None, **changed: Any) -> Report:
    now = remotes.sandbox.world.now()
    told = Report(
        message_id=MESSAGE,
        update_time=now,
        compliant=compliant,
        managed=True,
        device_id=device_id or remotes.device_id,
        oid=remotes.person().oid,
        name="Mia’s “iPhone” \u202e<b>",
        platform=Platform.IOS,
        os_version="18.1",
        last_seen=now - timedelta(minutes=4),
    )
    return replace(told, **changed)


def sent(remotes: Remotes) -> list[Any]:
    return [e for e in remotes.sandbox.ledger.since(0) if e.service == "intune" and e.method == "PUT"]


@dataclass
class Sender:
    """One channel that sends, and a device of a platform that it serves."""

    remotes: Remotes
    channel: Sending
    service: str
    permission: str
    platform: Platform

    def report(self, **changed: Any) -> Report:
        return report(self.remotes, device_id=self.device_id, platform=self.platform, **changed)

    @property
    def device_id(self) -> str:
        return str(self.remotes.phone.device_id)

    def observed(self) -> tuple[bool | None, bool | None]:
        seen = self.channel.observe(self.device_id)
        return seen.compliant, seen.managed


@pytest.fixture(params=["intune_partner", "graph_device"])
def sender(request: pytest.FixtureRequest, remotes: Remotes) -> Sender:
    if request.param == "intune_partner":
        return Sender(remotes, remotes.channel, "intune", "update_device_attributes", Platform.IOS)
    remotes.sandbox.begin("windows")
    windows = Remotes(remotes.sandbox)
    windows.approve_for_windows()
    return Sender(windows, windows.make_graph_channel(), "graph", "Device.ReadWrite.All", Platform.WINDOWS)


def test_a_verdict_reaches_the_directory_and_not_before_its_time(sender: Sender) -> None:
    channel = sender.channel
    assert isinstance(channel, Sending)
    assert sender.platform in channel.platforms
    ids = channel.send(sender.report())
    assert ids.client_request_id
    sender.remotes.later(2.5)
    assert channel.carried(MESSAGE) == Carried(accepted=True)
    assert sender.observed()[0] is None, "accepted is not yet seen"
    sender.remotes.later(5)
    assert sender.observed() == (True, True)


def test_both_directions_and_a_device_that_never_checked_in(sender: Sender) -> None:
    sender.channel.send(sender.report(compliant=False, managed=False, last_seen=None, os_version=None))
    sender.remotes.later(10)
    assert sender.observed() == (False, False)


def test_a_repeat_has_one_effect(sender: Sender) -> None:
    for _ in range(3):
        sender.channel.send(sender.report())
    sender.remotes.later(10)
    assert sender.observed() == (True, True)


def test_accepted_is_not_open(sender: Sender) -> None:
    sender.remotes.sandbox.faults.add(Fault(sender.service, "ignore_writes"))
    sender.channel.send(sender.report())
    sender.remotes.later(60)
    assert sender.channel.carried(MESSAGE).accepted
    assert sender.observed()[0] is None


def test_a_platform_that_it_does_not_serve(sender: Sender, raises: Raises) -> None:
    other = {Platform.IOS: Platform.WINDOWS, Platform.WINDOWS: Platform.IOS}[sender.platform]
    assert other not in sender.channel.platforms
    with raises(Refused):
        sender.channel.send(replace(sender.report(), platform=other))


def test_without_permission_nothing_is_sent(sender: Sender, raises: Raises) -> None:
    for roles in sender.remotes.sandbox.world.apps["service"].permissions.values():
        roles.discard(sender.permission)
    with raises(Refused) as caught:
        sender.channel.send(sender.report())
    assert (caught.value.status, caught.value.remote) == (403, "channel")


@pytest.mark.parametrize("spoilt", SPOILT, ids=str)
def test_a_spoilt_answer_to_a_send(sender: Sender, raises: Raises, spoilt: Spoilt) -> None:
    sender.channel.send(sender.report())  # token and endpoints are had: the fault meets the call itself
    spoilt.spoil(sender.remotes.sandbox, sender.service)
    if (sender.service, spoilt.kind) == ("graph", "garbled"):
        sender.channel.send(sender.report())  # half of Graph's 204 is still nothing
        return
    with raises(spoilt.becomes) as caught:
        sender.channel.send(sender.report())
    spoilt.fits(caught.value, "channel")


def test_a_repeat_is_one_message(remotes: Remotes) -> None:
    for _ in range(3):
        remotes.channel.send(report(remotes))
    assert len(remotes.sandbox.world.uploads) == 1


def test_a_message_is_under_way_until_intune_says_completed(remotes: Remotes) -> None:
    remotes.channel.send(report(remotes))
    assert remotes.channel.carried(MESSAGE) == Carried(accepted=False)
    remotes.later(2.5)
    assert remotes.channel.carried(MESSAGE) == Carried(accepted=True)


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
    spoilt.fits(caught.value, "channel")


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
