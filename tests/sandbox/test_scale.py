"""What a bench needs of the stand-in: a crowd, things found without looking at all of them, limits that count, a quicker clock."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sandbox.crowd import gather, report
from sandbox.finder import Finder
from sandbox.ledger import Ledger
from sandbox.limits import Limit
from sandbox.server import Sandbox
from sandbox.things import DataUpload
from tests.sandbox.conftest import Hands
from tests.sandbox.test_scenarios import ws1


def test_what_is_found_is_what_a_look_at_all_would_find(sandbox: Sandbox) -> None:
    world = sandbox.world
    one, other = gather(world, 2)
    wanted = one.device.device_id
    assert world.device_by_device_id(wanted.upper()) is one.device
    one.device.deleted = True
    assert world.device_by_device_id(wanted) is None
    again = replace(one.device, object_id=world.new_id(), deleted=False)
    world.devices[again.object_id] = again
    assert world.device_by_device_id(wanted) is again
    assert world.phone_of_record(one.record.id) is one.phone
    one.phone.record_id, other.phone.record_id = None, one.record.id
    assert world.phone_of_record(one.record.id) is other.phone
    del world.phones[other.phone.key]
    assert world.phone_of_record(one.record.id) is None
    other.person.upn = "New.Name@contoso.example"
    assert world.person("new.name@contoso.example") is other.person
    assert world.person(f"person.{other.record.id}@contoso.example") is None


def test_of_two_with_one_key_the_first_is_found() -> None:
    things = {"a": ["x"], "b": ["x"], "c": ["y"]}
    finder: Finder[str, list[str], str] = Finder(lambda: things, lambda thing: thing[0])
    assert finder.find("x") is things["a"]
    things["a"][0] = "z"
    assert (finder.find("x"), finder.find("z"), finder.find("w")) == (things["b"], things["a"], None)


def test_each_of_a_crowd_is_known_to_both_sides(hands: Hands, sandbox: Sandbox) -> None:
    members = gather(sandbox.world, 30)
    report(sandbox.world, members[10:], passcode=False)
    chosen = members[20]
    device = hands.graph("GET", f"devices(deviceId='{chosen.device.device_id}')").json()
    owners = hands.graph("GET", f"devices(deviceId='{chosen.device.device_id}')/registeredOwners").json()["value"]
    record = ws1(hands, f"mdm/devices/{chosen.record.id}").json()
    assert (device["isCompliant"], owners[0]["id"]) == (True, chosen.person.oid)
    assert (record["ComplianceStatus"], record["UserEmailAddress"]) == ("NonCompliant", chosen.person.mail)
    assert ws1(hands, f"mdm/devices/{members[0].record.id}").json()["ComplianceStatus"] == "Compliant"


def test_messages_are_applied_by_their_times_and_none_that_was_thrown_away(sandbox: Sandbox) -> None:
    world = sandbox.world
    (member,) = gather(world, 1)

    def message(number: int, *, completes: float, compliant: bool) -> DataUpload:
        shared = {
            "DeviceId": member.device.device_id,
            "UserId": member.person.oid,
            "LastUpdateTime": f"2026-01-01T00:00:0{number}Z",
        }
        word = "compliant" if compliant else "notCompliant"
        content = [{**shared, "DeviceManagementState": "managed"}, {**shared, "complianceStatus": word}]
        at = world.now()
        upload = DataUpload(
            f"message-{number}", at, at + timedelta(seconds=completes), at + timedelta(seconds=completes + 1), content
        )
        world.receive(upload)
        return upload

    late = message(1, completes=30, compliant=True)
    soon = message(2, completes=10, compliant=False)
    thrown = message(3, completes=10, compliant=True)
    del world.uploads[thrown.message_id]
    world.advance(12)
    assert (soon.status, soon.applied, late.status, member.device.is_compliant) == ("Completed", True, "InProgress", False)
    world.advance(30)
    assert (late.applied, thrown.applied) == (True, False)
    assert member.device.is_compliant is False, "its LastUpdateTime is older"


def test_a_limit_counts_and_knows_who_comes_though_told_to_stay_away(hands: Hands, sandbox: Sandbox) -> None:
    hands.graph("GET", "devices")
    sandbox.limits.add(Limit("graph", 3, 30, ("GET",)))
    begun = sandbox.ledger.since()[-1].seq
    answers = [hands.graph("GET", "devices") for _ in range(5)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429, 429]
    assert 9 <= int(answers[3].headers["Retry-After"]) <= 10
    assert "x-ms-throttle-scope" in answers[3].headers
    hands.graph("PATCH", "devices/none", {})
    calls = sandbox.ledger.since(begun, "graph")
    assert [c.inside is not None for c in calls] == [False, False, False, False, True, False], "a write is under another limit"
    sandbox.world.advance(11)
    assert hands.graph("GET", "devices").status_code == 200
    assert sandbox.ledger.since(begun, "graph")[-1].inside is None


def test_a_throttled_call_closes_its_whole_service(hands: Hands, sandbox: Sandbox) -> None:
    order = {"service": "workspace_one", "kind": "throttle", "path": "search", "times": 1, "retry_after": 60}
    hands.control("POST", "faults", order)
    assert ws1(hands, "mdm/devices/search").status_code == 429
    ws1(hands, "mdm/devices/search")
    assert sandbox.ledger.since(service="workspace_one")[-1].inside is not None


def test_a_quicker_clock_goes_on_from_the_same_moment(sandbox: Sandbox) -> None:
    before = sandbox.world.now()
    clock = sandbox.world.go_at(100)
    here = sandbox.world.now()
    time.sleep(0.05)
    after = sandbox.world.now()
    assert (here - before).total_seconds() < 1
    assert 4 < (after - here).total_seconds() < 100
    assert abs(clock.really_at(clock()) - datetime.now(UTC)) < timedelta(seconds=1)
    assert sandbox.world.go_at(1)() >= after
    assert timedelta(seconds=4) < sandbox.world.clock.ahead < timedelta(seconds=1000)


def test_the_ledger_keeps_the_newest() -> None:
    ledger = Ledger(3)
    for number in range(5):
        ledger.open(at="", service="graph" if number % 2 else "intune", method="GET", path="/", query={}, headers={})
    assert [e.seq for e in ledger.since()] == [3, 4, 5]
    assert [e.seq for e in ledger.since(3, "graph")] == [4]
    assert ledger.since(5) == []
