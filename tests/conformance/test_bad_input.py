"""What bad input gets, asked of every MDM's adapter through each way of reading a device: the right one of the five errors, never
an upgrade to compliant, never a device vanishing.

Each of these has a control: the same world, unspoilt, gives the device and calls it compliant. Next door: `test_device_manager` and
`test_listing` (what is promised when all is well); 10,000 mutated answers are `bench/mutations`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import requests

from remediation.adapters.workspace_one_sign_in import BasicKey
from remediation.domain.compliance import Lease, Verdict, decide
from remediation.domain.device import ManagedDevice
from remediation.errors import Garbled, Refused, RemoteError, Unreachable
from sandbox.faults import Fault
from tests.conformance.conftest import Raises
from tests.remotes import Remotes

PROTOCOL = "Bad input"
VENDORS = ("workspace_one", "maas360", "fleet")
ONLY_WORKSPACE_ONE = pytest.mark.parametrize("vendor", ["workspace_one"])
ONLY_MAAS360 = pytest.mark.parametrize("vendor", ["maas360"])

Ask = Callable[[Remotes], list[ManagedDevice]]
ASK: dict[str, Ask] = {
    "of a person": lambda r: list(r.mdm.devices_of(r.person()).devices),
    "one record": lambda r: [r.mdm.device(r.record_id)],
    "a page": lambda r: [row for row in r.mdm.page(None, since=None).rows if row.key.record_id == r.record_id],
    "by identifier": lambda r: list(r.mdm.find(r.record.serial).rows),
}
WITH_TOKENS = ("workspace_one", "maas360")  # that end by themselves


def each_way(*vendors: str) -> pytest.MarkDecorator:
    """Every way of reading a device that each of these has: Fleet finds none by an identifier."""
    ways = [(vendor, name) for vendor in vendors for name in ASK if (vendor, name) != ("fleet", "by identifier")]
    return pytest.mark.parametrize(
        ("vendor", "ask"), [pytest.param(vendor, ASK[name], id=f"{vendor}-{name}") for vendor, name in ways]
    )


@pytest.fixture(params=VENDORS)
def vendor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def verdicts(remotes: Remotes, devices: list[ManagedDevice]) -> list[Verdict]:
    return [decide(device.posture, remotes.sandbox.world.now(), Lease()).verdict for device in devices]


def changed(remotes: Remotes, change: Callable[[bytes], bytes], *parts: str, **more: Any) -> Remotes:
    """Good answers, changed on their way where the address holds one of `parts`; those of sign-ins are left alone."""

    def on_its_way(request: requests.PreparedRequest, status: int, body: bytes) -> bytes:
        address = str(request.url).lower()
        ours = any(part in address for part in parts) if parts else "auth" not in address.split("?")[0].split("://")[1]
        return change(body) if ours and status == 200 and body else body

    return Remotes(remotes.sandbox, change=on_its_way, **more)


@each_way(*VENDORS)
def test_the_control(remotes: Remotes, ask: Ask) -> None:
    assert verdicts(remotes, ask(remotes)) == [Verdict.COMPLIANT]


# who asks


def spoil_credentials(remotes: Remotes) -> None:
    world = remotes.sandbox.world
    world.mdm.client_secret = world.maas360.password = world.fleet.token = "changed meanwhile"


@each_way(*VENDORS)
def test_wrong_credentials_are_refused(remotes: Remotes, raises: Raises, ask: Ask) -> None:
    spoil_credentials(remotes)
    with raises(Refused):
        ask(remotes)


@each_way("maas360")
def test_a_locked_account_is_refused_and_taken_again_when_it_is_open(remotes: Remotes, raises: Raises, ask: Ask) -> None:
    for _ in range(3):
        with pytest.raises(Refused):
            remotes.make_maas(remotes.maas_token(password=lambda: "wrong")).device(remotes.record_id)
    with raises(Refused) as caught:
        ask(remotes)
    assert caught.value.vendor_code == "1009"
    remotes.later(3601)
    assert verdicts(remotes, ask(Remotes(remotes.sandbox))) == [Verdict.COMPLIANT]


@ONLY_WORKSPACE_ONE
@pytest.mark.parametrize("code", [1005, 1006, "locked", None])
def test_a_locked_console_account_is_refused_and_not_tried_again_at_once(remotes: Remotes, raises: Raises, code: object) -> None:
    """How a lock is told is not public: any 401 is a refusal of who asks."""
    ws1 = remotes.facts["workspace_one"]
    remotes.sandbox.world.mdm.client_secret = "another one"  # the account does not open any more, whatever it offers
    told = Remotes(
        remotes.sandbox, change=lambda _, status, body: json.dumps({"errorCode": code}).encode() if status == 401 else body
    )
    mdm = told.make_mdm(
        BasicKey(user=ws1["client_id"], password=ws1["client_secret"], tenant_code="code", now=remotes.sandbox.world.now)
    )
    with raises(Refused):
        mdm.device(remotes.record_id)
    before = len(remotes.sandbox.ledger.since(0))
    with raises(Refused) as caught:
        mdm.device(remotes.record_id)
    assert (len(remotes.sandbox.ledger.since(0)), caught.value.called) == (before, False)


@each_way(*WITH_TOKENS)
def test_an_expired_token_is_renewed_and_the_device_is_there(remotes: Remotes, ask: Ask) -> None:
    ask(remotes)
    remotes.later(120)
    remotes.sandbox.world.end_tokens()
    remotes.later(1)
    remotes.record.last_seen = remotes.sandbox.world.now()
    assert verdicts(remotes, ask(remotes)) == [Verdict.COMPLIANT]


@each_way(*WITH_TOKENS)
def test_a_token_that_is_refused_however_fresh_is_a_refusal(remotes: Remotes, raises: Raises, ask: Ask) -> None:
    remotes.sandbox.world.tokens_end = remotes.sandbox.world.now() + timedelta(hours=1)
    with raises(Refused):
        ask(remotes)


@each_way("workspace_one")
def test_the_key_of_another_organization_group_is_refused(remotes: Remotes, raises: Raises, ask: Ask) -> None:
    ws1 = remotes.facts["workspace_one"]
    key = BasicKey(
        user=ws1["client_id"], password=ws1["client_secret"], tenant_code="anothergroupskey", now=remotes.sandbox.world.now
    )
    remotes.mdm = remotes.make_mdm(key)
    with raises(Refused) as caught:
        ask(remotes)
    assert caught.value.vendor_code == "1013"


@each_way("maas360")
def test_the_billing_id_of_another_customer_is_refused(remotes: Remotes, raises: Raises, ask: Ask) -> None:
    remotes.facts["maas360"]["billing_id"] = "30099999"
    remotes.mdm = remotes.make_maas()
    with raises(Refused) as caught:
        ask(remotes)
    assert caught.value.vendor_code == "1008"


# what is answered


@each_way(*VENDORS)
@pytest.mark.parametrize("kind", ["html", "garbled", "huge"])
def test_a_page_with_200_half_a_json_and_ten_megabytes_are_garbled(remotes: Remotes, raises: Raises, ask: Ask, kind: str) -> None:
    ask(remotes)
    remotes.sandbox.faults.add(Fault(remotes.vendor, kind))
    with raises(Garbled):
        ask(remotes)


@each_way(*VENDORS)
@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.999])
def test_a_json_that_is_cut_anywhere_is_garbled(remotes: Remotes, raises: Raises, ask: Ask, cut: float) -> None:
    with raises(Garbled):
        ask(changed(remotes, lambda body: body[: int(len(body) * cut)] or b"{"))


@each_way(*VENDORS)
def test_latin_1_is_garbled_and_the_same_name_in_utf_8_is_a_name(remotes: Remotes, raises: Raises, ask: Ask) -> None:
    for record in remotes.sandbox.world.records.values():
        record.friendly_name = record.reported_name = "Müllers iPhone"
    assert [device.name for device in ask(remotes)] == ["Müllers iPhone"]

    def as_latin_1(body: bytes) -> bytes:
        return json.dumps(json.loads(body), ensure_ascii=False).encode("latin-1")

    with raises(Garbled):
        ask(changed(remotes, as_latin_1))


@each_way(*VENDORS)
@pytest.mark.parametrize("body", [b"null", b"[]", b'"ok"', b"7", b"{}", b"{} {}", b"\xff\xfe{\x00}\x00"])
def test_another_json_than_the_one_asked_for_is_garbled(remotes: Remotes, raises: Raises, ask: Ask, body: bytes) -> None:
    with raises(Garbled):
        ask(changed(remotes, lambda _: body))


@each_way(*VENDORS)
def test_one_key_twice_is_garbled(remotes: Remotes, raises: Raises, ask: Ask) -> None:
    """Two readers would see two answers: `{"ComplianceStatus": "NonCompliant", …, "ComplianceStatus": "Compliant"}`."""

    def doubled(body: bytes) -> bytes:
        first, _, rest = body.partition(b"{")
        return first + b'{"Page": 0, "Id": {"Value": 1}, "devices": {}, "Page": 0, ' + rest if rest else body

    with raises(Garbled):
        ask(changed(remotes, doubled))


WORDS: dict[str, tuple[str, ...]] = {
    "workspace_one": ("EnrollmentStatus", "ComplianceStatus", "CompromisedStatus"),
    "maas360": ("maas360ManagedStatus", "policyComplianceState", "jailbreakStatus", "deviceStatus"),
    "fleet": ("enrollment_status", "response"),
}


@each_way(*VENDORS)
@pytest.mark.parametrize("word", ["Blocked", "AllowListed", "", "compliant?", "COMPLIANT ", "ｃompliant", "Enrolled!"])
def test_I4_a_word_that_nobody_knows_never_makes_a_device_compliant_nor_lets_it_vanish(
    remotes: Remotes, ask: Ask, word: str
) -> None:
    for field in WORDS[remotes.vendor]:
        if field == "policyComplianceState" and word == "COMPLIANT ":
            continue  # its own states are written in both sizes of letters, and with blanks

        def replaced(body: bytes, field: str = field) -> bytes:
            return json.dumps(_everywhere(json.loads(body), field, word)).encode()

        found = ask(changed(remotes, replaced))
        assert len(found) == 1, f"{field} made it vanish"
        assert Verdict.COMPLIANT not in verdicts(remotes, found), field


def _everywhere(value: Any, field: str, word: object) -> Any:
    if isinstance(value, list):
        return [_everywhere(item, field, word) for item in value]
    if isinstance(value, dict):
        return {key: word if key == field else _everywhere(item, field, word) for key, item in value.items()}
    return value


ROWS = {"workspace_one": ("/devices/search",), "maas360": ("/search/customer",), "fleet": ("/fleet/hosts?",)}


def with_rows(remotes: Remotes, change: Callable[[list[Any]], list[Any]], **envelope: Any) -> Remotes:
    """The rows of the device search, changed; the counts follow unless `envelope` says otherwise."""

    def page(body: bytes) -> bytes:
        told = json.loads(body)
        if remotes.vendor == "workspace_one":
            rows = change(told["Devices"])
            return json.dumps({**told, "Devices": rows, "Total": len(rows), **envelope}).encode()
        if remotes.vendor == "fleet":
            return json.dumps({**told, "hosts": change(told["hosts"])}).encode()
        inside = told["devices"]
        found = inside.get("device", [])
        rows = change(found if isinstance(found, list) else [found])
        shown = {"device": rows} if rows else {}
        rest = {key: value for key, value in inside.items() if key != "device"}
        return json.dumps({"devices": {**rest, **shown, "count": len(rows), **envelope}}).encode()

    return changed(remotes, page, *ROWS[remotes.vendor])


def test_one_id_twice_is_one_device_or_none_that_is_believed(remotes: Remotes) -> None:
    """In a person's list it is one; in the whole list the doubtful one is named; neither grants twice, and neither vanishes."""
    twice = with_rows(remotes, lambda rows: [row for row in rows for _ in range(2)])
    assert [device.key.record_id for device in ASK["of a person"](twice)] == [remotes.record_id]
    page = twice.mdm.page(None, since=None)
    held = [row.key.record_id for row in page.rows]
    assert set(held) | set(page.unreadable) >= {remotes.record_id}


@ONLY_MAAS360
def test_one_id_twice_where_one_record_was_asked_for_is_garbled(remotes: Remotes, raises: Raises) -> None:
    with raises(Garbled):
        ASK["one record"](with_rows(remotes, lambda rows: rows * 2))


def test_a_page_that_is_told_again_ends_in_garbled_never_in_a_shorter_list(remotes: Remotes, raises: Raises) -> None:
    """The first page under every number: two MDMs tell a page's own number, and Fleet's hosts come in the order of theirs."""
    world = remotes.sandbox.world
    for number in range(remotes.record.id + 1, remotes.record.id + 61):
        world.records[number] = replace(remotes.record, id=number, uuid=world.new_id(), serial=f"F2LX{number:08}")
    first: list[bytes] = []

    def again(body: bytes) -> bytes:
        first.append(body)
        return first[0]

    told = changed(remotes, again, *ROWS[remotes.vendor], page_size=25)
    with raises(Garbled):
        cursor: str | None = None
        for _ in range(60):
            cursor = told.mdm.page(cursor, since=None).cursor
            assert cursor is not None, "a whole list made of one page told again"


def test_a_connection_that_breaks_is_unreachable_and_says_nothing_of_the_device(remotes: Remotes, raises: Raises) -> None:
    for kind in ("down", "drop_answer"):
        remotes.sandbox.faults.add(Fault(remotes.vendor, kind))
        with raises(Unreachable):
            ASK["one record"](remotes)
        remotes.sandbox.faults.clear()


def test_an_error_tells_no_secret_and_no_body(remotes: Remotes) -> None:
    secrets = {
        remotes.facts["maas360"]["password"],
        remotes.facts["workspace_one"]["client_secret"],
        remotes.facts["fleet"]["token"],
    }
    spoil_credentials(remotes)
    with pytest.raises(RemoteError) as caught:
        ASK["one record"](remotes)
    assert not any(secret in f"{caught.value!r} {caught.value}" for secret in secrets)
