"""T8: answers with a field dropped, nulled, retyped, renamed, doubled, nested or cut. None may say *compliant* where the untouched
answer does not; every failure is one of the five errors; and the untouched answer is understood.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from remediation.adapters.graph import GraphDirectory
from remediation.domain.compliance import Lease, Verdict, decide
from remediation.domain.evidence import Level
from remediation.domain.listing import Held, Rules, of_records
from remediation.domain.standing import Standing
from remediation.errors import Garbled, RemoteError
from sandbox.server import Sandbox, SandboxConfig, create_sandbox
from tests.conformance.test_channel import MESSAGE, report
from tests.people import LINK, OPENED
from tests.remotes import Remotes

SEED = 20261121
KINDS = ("drop", "null", "retype", "rename", "empty", "nest", "double", "cut", "wrap", "retype")
Where = tuple[Any, ...]


class Wire:
    """Between sandbox and adapter: `said` overwrites fields of answers by the end of their path, `in_rows` fields of
    each record of a list, `mutate` spoils one of them."""

    def __init__(self) -> None:
        self.said: dict[str, dict[str, Any]] = {}
        self.in_rows: dict[str, Any] = {}
        self.target = ""
        self.mutate: Callable[[Any], bytes] | None = None
        self.spoilt = 0
        self.last = b""

    def __call__(self, request: requests.PreparedRequest, status: int, body: bytes) -> bytes:
        path = urlsplit(str(request.url)).path
        if status != 200 or not body:
            return body
        value = json.loads(body)
        for end, fields in self.said.items():
            if path.endswith(end):
                value |= fields
        if path.endswith("/devices/search"):
            value["Devices"] = [{**row, **self.in_rows} for row in value["Devices"]]
        if self.mutate is not None and path.endswith(self.target):
            self.spoilt += 1
            self.last = self.mutate(value)
            return self.last
        return json.dumps(value).encode()


def places(value: Any, at: Where = ()) -> Iterator[Where]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*at, key)
        yield from places(item, (*at, key))


def of_another_type(value: Any, rng: random.Random) -> Any:
    others = [str(value), str(value).lower(), [value], {"value": value}, 1, 0, -1.5, "", True, [], {}]
    if isinstance(value, bool) or value is None:
        others.remove(True)  # that would be another statement, not another type
    return rng.choice([other for other in others if type(other) is not type(value)])


def spoil(value: Any, rng: random.Random, kind: str, focus: Collection[str] = ()) -> bytes:
    """One mutation of one field (of those in `focus`, if any), as it would come over the wire."""
    whole = json.loads(json.dumps(value))
    where = rng.choice([place for place in places(whole) if not focus or place[-1] in focus])
    parent = whole
    for key in where[:-1]:
        parent = parent[key]
    key, old = where[-1], parent[where[-1]]
    if kind == "drop" or (kind == "rename" and isinstance(key, int)):
        del parent[key]
    elif kind == "null":
        parent[key] = None
    elif kind == "retype":
        parent[key] = of_another_type(old, rng)
    elif kind == "rename":
        parent[rng.choice([key.swapcase(), f"{key}2", f" {key}"])] = parent.pop(key)
    elif kind == "empty":
        parent[key] = type(old)() if isinstance(old, str | list | dict) else None
    elif kind == "nest":
        parent[key] = {str(key): old}
    text = json.dumps(whole)
    if kind == "double" and isinstance(parent, dict):
        text = text.replace(f"{json.dumps(key)}: ", f"{json.dumps(key)}: null, {json.dumps(key)}: ", 1)
    elif kind == "cut":
        text = text[: rng.randrange(len(text))]
    elif kind == "wrap":
        text = json.dumps({"value": whole}) if rng.random() < 0.5 else json.dumps([whole])
    return text.encode()


@pytest.fixture(scope="module")
def _sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return create_sandbox(SandboxConfig(ca_folder=tmp_path_factory.mktemp("ca")))


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def remotes(_sandbox: Sandbox, wire: Wire) -> Remotes:
    _sandbox.begin("blocked_just_registered")
    return Remotes(_sandbox, change=wire)


def outcomes(
    wire: Wire, target: str, ask: Callable[[], Any], *, rounds: int, seed: int, focus: Collection[str] = ()
) -> Iterator[Any]:
    """What the adapter made of each spoilt answer; one of the five errors is an outcome too."""
    wire.target = target
    for number in range(rounds):
        rng = random.Random(SEED + seed * 10_000 + number)
        kind = KINDS[number % len(KINDS)]
        wire.mutate = lambda value, rng=rng, kind=kind: spoil(value, rng, kind, focus)
        try:
            yield ask()
        except RemoteError as error:
            yield error
    wire.mutate = None
    assert wire.spoilt >= rounds


BAD: dict[str, dict[str, dict[str, Any]]] = {
    "not compliant": {"/devices/4100": {"ComplianceStatus": "NonCompliant"}},
    "pending": {"/devices/4100": {"ComplianceStatus": "PendingComplianceCheck"}},
    "not compliant in detail": {"/compliance": {"OverallCompliantStatus": "NonCompliant"}},
    "a rule fails": {"/compliance": {"DeviceCompliance": [{"CompliantStatus": False, "PolicyName": "x"}]}},
    "jailbroken": {"/devices/4100": {"CompromisedStatus": True}},
    "jailbroken, as text": {"/devices/4100": {"CompromisedStatus": "True"}},
    "unenrolled": {"/devices/4100": {"EnrollmentStatus": "Unenrolled"}},
    "wipe pending": {"/devices/4100": {"EnrollmentStatus": "DeviceWipePending"}},
    "never seen": {"/devices/4100": {"LastSeen": "0001-01-01T00:00:00.000"}},
    "long unseen": {"/devices/4100": {"LastSeen": "2020-01-01T00:00:00.000"}},
}


def verdict(remotes: Remotes, outcome: Any) -> Verdict | None:
    if isinstance(outcome, RemoteError):
        return None
    return decide(outcome.posture, remotes.sandbox.world.now(), Lease()).verdict


def test_the_untouched_record_is_compliant(remotes: Remotes) -> None:
    assert remotes.record.id == 4100
    assert verdict(remotes, remotes.mdm.device("4100")) is Verdict.COMPLIANT


@pytest.mark.parametrize("bad", BAD)
def test_no_mutation_of_a_bad_record_makes_it_compliant(remotes: Remotes, wire: Wire, bad: str) -> None:
    """First the very field that is bad, each way three times; then any field of both answers."""
    wire.said = BAD[bad]
    [(target, fields)] = BAD[bad].items()
    focus = ["CompliantStatus"] if bad == "a rule fails" else list(fields)
    seed = list(BAD).index(bad)

    def ask() -> Any:
        return remotes.mdm.device("4100")

    assert verdict(remotes, ask()) is not Verdict.COMPLIANT
    for outcome in outcomes(wire, target, ask, rounds=3 * len(KINDS), seed=seed, focus=focus):
        assert verdict(remotes, outcome) is not Verdict.COMPLIANT, wire.last
    for end in ("/devices/4100", "/compliance"):
        if (bad, end) == ("a rule fails", "/compliance"):
            continue  # without the rule it is another answer, and the overall word beside it says *compliant*
        for outcome in outcomes(wire, end, ask, rounds=10, seed=20 + seed):
            assert verdict(remotes, outcome) is not Verdict.COMPLIANT, wire.last


@pytest.mark.parametrize("word", ["Unknown", "AllowListed", "compliant", "COMPLIANT", "Compliant ", "", "NotAvailable"])
@pytest.mark.parametrize(("end", "key"), [("/devices/4100", "ComplianceStatus"), ("/compliance", "OverallCompliantStatus")])
def test_each_of_the_two_words_counts(remotes: Remotes, wire: Wire, end: str, key: str, word: str) -> None:
    wire.said = {end: {key: word}}
    assert verdict(remotes, remotes.mdm.device("4100")) is Verdict.UNKNOWN


def test_an_answer_about_something_else_is_no_answer(remotes: Remotes, wire: Wire) -> None:
    oid, device_id = remotes.person().oid, remotes.device_id
    other = remotes.person("Noah").oid
    wire.said = {
        f"users/{oid}": {"id": other},
        f"devices(deviceId='{device_id}')": {"deviceId": other},
        "/devices/4100": {"Id": {"Value": 4101}},
    }
    with pytest.raises(Garbled):
        remotes.directory.person(oid)
    with pytest.raises(Garbled):
        remotes.directory.device(device_id)
    with pytest.raises(Garbled):
        remotes.mdm.device("4100")


def test_a_good_record_survives_what_does_not_matter_and_is_never_misread(remotes: Remotes, wire: Wire) -> None:
    before, good, errors = remotes.mdm.device("4100"), 0, set()
    for outcome in outcomes(wire, "/devices/4100", lambda: remotes.mdm.device("4100"), rounds=150, seed=50):
        if isinstance(outcome, RemoteError):
            errors.add(type(outcome))
            continue
        good += verdict(remotes, outcome) is Verdict.COMPLIANT
        assert outcome.key == before.key
        # a record that names no hardware any more is another one: that ends a link and opens nothing
        assert outcome.generation == before.generation or b'"Udid": ""' in wire.last
    assert good > 50
    assert errors == {Garbled}


@pytest.mark.parametrize("target", ["/users/search", "/devices/search"])
def test_a_spoilt_list_shows_nobody_elses_device(remotes: Remotes, wire: Wire, target: str) -> None:
    for outcome in outcomes(wire, target, lambda: remotes.mdm.devices_of(remotes.person()), rounds=60, seed=60):
        assert isinstance(outcome, RemoteError) or {d.key.record_id for d in outcome.devices} <= {"4100"}


@pytest.mark.parametrize("compliant", [None, False])
def test_no_mutation_of_a_directory_device_makes_it_compliant(remotes: Remotes, wire: Wire, compliant: bool | None) -> None:
    end = f"devices(deviceId='{remotes.device_id}')"
    wire.said = {end: {"isCompliant": compliant}}
    assert remotes.directory.device(remotes.device_id).compliant is compliant
    for outcome in outcomes(wire, end, lambda: remotes.directory.device(remotes.device_id), rounds=120, seed=70):
        if not isinstance(outcome, RemoteError):
            assert outcome.compliant is not True
            assert outcome.device_id == remotes.device_id


def test_no_mutation_makes_another_person_the_owner(remotes: Remotes, wire: Wire) -> None:
    for outcome in outcomes(
        wire, "registeredOwners/microsoft.graph.user", lambda: remotes.directory.device(remotes.device_id), rounds=60, seed=80
    ):
        assert isinstance(outcome, RemoteError) or outcome.owner_oid in (None, remotes.person().oid)


def test_no_mutation_of_a_list_makes_a_device_compliant_or_enabled(remotes: Remotes, wire: Wire) -> None:
    oid = remotes.person().oid
    before = {d.device_id: d for d in remotes.directory.devices_of(oid)}
    for outcome in outcomes(wire, "microsoft.graph.device", lambda: remotes.directory.devices_of(oid), rounds=120, seed=90):
        for device in [] if isinstance(outcome, RemoteError) else outcome:
            was = before[device.device_id]
            assert device.compliant is not True or was.compliant is True
            assert not device.enabled or was.enabled


@pytest.mark.parametrize(
    ("target", "without", "field"),
    [("/licenseDetails", {"value": []}, "licensed"), ("/checkMemberGroups", {"value": []}, "in_scope")],
)
def test_no_mutation_lets_in_whom_it_is_not_for(remotes: Remotes, wire: Wire, target: str, without: Any, field: str) -> None:
    """A person whom the directory keeps out; a spoilt answer may at most leave it open."""
    oid, groups = remotes.person().oid, tuple(remotes.sandbox.world.groups)

    def standing() -> Standing:  # a fresh adapter each time, since good news is kept for a while
        return GraphDirectory(remotes.graph, now=remotes.sandbox.world.now, groups=groups).standing(oid)

    wire.said = {target: without}
    assert getattr(standing(), field) is False
    for outcome in outcomes(wire, target, standing, rounds=60, seed=120):
        assert isinstance(outcome, RemoteError) or getattr(outcome, field) is not True


def test_no_mutation_of_an_account_enables_it_or_makes_a_guest_a_member(remotes: Remotes, wire: Wire) -> None:
    oid = remotes.person().oid
    end = f"/users/{oid}"
    wire.said = {end: {"accountEnabled": False, "userType": "Guest"}}

    def standing() -> Standing:
        return GraphDirectory(remotes.graph, now=remotes.sandbox.world.now).standing(oid)

    for outcome in outcomes(wire, end, standing, rounds=120, seed=130):
        if not isinstance(outcome, RemoteError):
            assert outcome.account_enabled is not True


def test_no_mutation_gives_a_record_to_the_one_who_had_it_before(remotes: Remotes, wire: Wire) -> None:
    """The list still has it under the old holder, the record itself is another's by now."""
    wire.said = {"/devices/4100": {"UserId": {"Id": {"Value": 1202}, "Name": "noah", "Uuid": None}}}
    for outcome in outcomes(wire, "/devices/4100", lambda: remotes.mdm.devices_of(remotes.person()), rounds=100, seed=140):
        assert isinstance(outcome, RemoteError) or not outcome.devices


@pytest.mark.parametrize("status", [{"Status": "InProgress"}, {"Status": "Failed", "ErrorCode": 7, "ErrorDetail": "x"}])
def test_no_mutation_of_a_status_makes_a_report_accepted(remotes: Remotes, wire: Wire, status: dict[str, Any]) -> None:
    remotes.channel.send(report(remotes))
    end = f"DataUploadMessages(guid'{MESSAGE}')"
    wire.said = {end: status}
    for outcome in outcomes(wire, end, lambda: remotes.channel.carried(MESSAGE), rounds=80, seed=100):
        assert isinstance(outcome, RemoteError) or not outcome.accepted


@pytest.mark.parametrize("target", ["/token", "openid-configuration", "servicePrincipals", "endpoints"])
def test_a_spoilt_way_in_lets_nothing_out(remotes: Remotes, wire: Wire, target: str) -> None:
    """A fresh set of adapters each time, since tokens and endpoints are kept."""

    def send() -> None:
        fresh = Remotes(remotes.sandbox, change=wire)
        fresh.mdm.device("4100")
        fresh.channel.send(report(fresh))

    for outcome in outcomes(wire, target, send, rounds=40, seed=110):
        assert outcome is None or isinstance(outcome, RemoteError)


# whole lists: a row may renew *compliant*, so it must not praise what the untouched row does not

AS_HELD = Rules(Lease(), Level.POSSESSION, timedelta(days=7))
ROW: dict[str, dict[str, Any]] = {
    bad: fields for bad, [(end, fields)] in ((b, [*f.items()]) for b, f in BAD.items()) if "4100" in end
}


def held(remotes: Remotes) -> Held:
    """What is held of Mia's link, as of a direct look at both sides."""
    device, entra, now = remotes.mdm.device("4100"), remotes.directory.device(remotes.device_id), remotes.sandbox.world.now()
    link = replace(LINK, managed=device.key, generation=device.generation, oid=str(entra.owner_oid), object_id=entra.object_id)
    push = replace(OPENED, posture_read_at=now, compliant_until=now)
    return Held(replace(link, device_id=entra.device_id), push, entra, None, device.posture.last_seen)


def renewals(remotes: Remotes, one: Held, outcome: Any) -> int:
    if isinstance(outcome, RemoteError):
        return 0
    return len(of_records(outcome.rows, [one], remotes.sandbox.world.now(), AS_HELD).renewals)


def test_the_untouched_row_renews_and_survives_what_does_not_matter(remotes: Remotes, wire: Wire) -> None:
    one = held(remotes)
    assert renewals(remotes, one, remotes.mdm.page(None, since=None)) == 1
    good = 0
    for outcome in outcomes(wire, "/devices/search", lambda: remotes.mdm.page(None, since=None), rounds=100, seed=150):
        good += renewals(remotes, one, outcome)
    assert good > 40


@pytest.mark.parametrize("bad", ROW)
def test_no_mutation_of_a_bad_row_renews(remotes: Remotes, wire: Wire, bad: str) -> None:
    def ask() -> Any:
        return remotes.mdm.page(None, since=None)

    one = held(remotes)
    wire.in_rows = ROW[bad]
    assert renewals(remotes, one, ask()) == 0
    for focus, rounds in ((list(ROW[bad]), 3 * len(KINDS)), ([], 20)):
        for outcome in outcomes(wire, "/devices/search", ask, rounds=rounds, seed=170 + rounds, focus=focus):
            assert renewals(remotes, one, outcome) == 0, wire.last


def test_no_mutation_of_the_directorys_list_lets_a_disabled_or_foreign_device_agree(remotes: Remotes, wire: Wire) -> None:
    """Rows are only ever marked by it; what was disabled or not compliant is never read as enabled or compliant."""
    before = {row.device_id: row for row in all_devices(remotes)}
    for outcome in outcomes(wire, "/v1.0/devices", lambda: remotes.directory.page(None), rounds=120, seed=160):
        for row in [] if isinstance(outcome, RemoteError) else outcome.rows:
            was = before.get(row.device_id)
            assert was is not None, wire.last
            assert row.compliant is not True or was.compliant is True
            assert not row.enabled or was.enabled
            assert row.owner_oid in (None, was.owner_oid)


def all_devices(remotes: Remotes) -> Iterator[Any]:
    cursor: str | None = None
    while True:
        page = remotes.directory.page(cursor)
        yield from page.rows
        if (cursor := page.cursor) is None:
            return
