"""DeviceManager with Refreshing, Messaging and LinkNoting: what each MDM's adapter promises, and how it fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from remediation.adapters import workspace_one_sign_in
from remediation.adapters.workspace_one import WorkspaceOne
from remediation.adapters.workspace_one_sign_in import BasicKey
from remediation.domain.compliance import Lease, MdmWord, Verdict, decide
from remediation.domain.device import ManagedDevice, Platform
from remediation.errors import Garbled, NotFound, Refused
from remediation.ports import LinkNoting, Messaging, Owned, Refreshing
from sandbox.faults import Fault
from sandbox.workspace_one_gate import tenant_code
from tests.conformance.conftest import Raises
from tests.conformance.five import FIVE, SPOILT, Spoilt, raised
from tests.remotes import Remotes

PROTOCOL = "DeviceManager"
VENDORS = ("workspace_one", "maas360", "fleet")
ONLY_WORKSPACE_ONE = pytest.mark.parametrize("vendor", ["workspace_one"])
ONLY_MAAS360 = pytest.mark.parametrize("vendor", ["maas360"])
TALKING = pytest.mark.parametrize("vendor", ["workspace_one", "maas360"])
ABILITIES = {"refresh": Refreshing, "message": Messaging, "note_link": LinkNoting}
ABLE = {"workspace_one": set(ABILITIES), "maas360": set(ABILITIES), "fleet": {"refresh"}}
READ: dict[str, Callable[[Remotes], Any]] = {
    "devices_of": lambda r: r.mdm.devices_of(r.person()),
    "device": lambda r: r.mdm.device(record_id(r)),
}
DO: dict[str, Callable[[Remotes], Any]] = {
    "refresh": lambda r: r.mdm.refresh(record_id(r)),
    "message": lambda r: r.mdm.message(record_id(r), "Hello"),
    "note_link": lambda r: r.mdm.note_link(record_id(r), r.device_id),
}


@pytest.fixture(params=VENDORS)
def vendor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def record_id(remotes: Remotes) -> str:
    return remotes.record_id


def verdict(remotes: Remotes, device: ManagedDevice) -> Verdict:
    return decide(device.posture, remotes.sandbox.world.now(), Lease()).verdict


def another_record(remotes: Remotes, **changed: Any) -> Any:
    """A further record of Mia's phone's kind."""
    world = remotes.sandbox.world
    number = max(world.records) + 1
    world.records[number] = replace(
        remotes.record, **{"id": number, "uuid": world.new_id(), "serial": f"F2LX{number:08}", **changed}
    )
    return world.records[number]


def test_it_can_what_it_says_and_no_more(remotes: Remotes) -> None:
    assert {name for name, protocol in ABILITIES.items() if isinstance(remotes.mdm, protocol)} == ABLE[remotes.vendor]


def test_a_persons_own_devices_and_no_others(remotes: Remotes) -> None:
    [device] = remotes.mdm.devices_of(remotes.person()).devices
    assert (device.key.connection, device.key.record_id) == (remotes.mdm.connection, record_id(remotes))
    assert device.platform is (Platform.MACOS if remotes.vendor == "fleet" else Platform.IOS)
    assert device.owner_mail == remotes.person().mail
    assert verdict(remotes, device) is Verdict.COMPLIANT


def test_part_of_a_mail_address_is_nobody(remotes: Remotes) -> None:
    part = replace(remotes.person(), mail="ia.berger@contoso.example", user_name="ia.berger@contoso.example")
    assert remotes.mdm.devices_of(part) == Owned(())


def test_a_person_whose_mail_the_mdm_lacks_is_found_by_user_principal_name(remotes: Remotes) -> None:
    mia = remotes.sandbox.world.persons[remotes.person().oid]
    mia.mail, mia.upn, mia.mdm_user_name = "mb@contoso.example", "mia@contoso.example", "mia"
    person = replace(remotes.person(), mail="other@contoso.example", user_name="Mia@contoso.example")
    assert len(remotes.mdm.devices_of(person).devices) == 1
    elsewhere = replace(person, user_name="mia@fabrikam.example")
    assert remotes.mdm.devices_of(elsewhere) == Owned(())


def test_two_users_of_one_name_are_told_apart(remotes: Remotes) -> None:
    noah = next(p for p in remotes.sandbox.world.persons.values() if p.name == "Noah Lind")
    noah.mdm_user_name = "MIA"  # of another domain
    assert [d.key.record_id for d in remotes.mdm.devices_of(remotes.person()).devices] == [record_id(remotes)]


def test_every_page(remotes: Remotes) -> None:
    for _ in range(520):
        another_record(remotes, enrollment_status="Unenrolled")
    last = another_record(remotes)
    assert {d.key.record_id for d in remotes.mdm.devices_of(remotes.person()).devices} == {record_id(remotes), remotes.id_of(last)}


def test_nothing_is_an_answer(remotes: Remotes) -> None:
    assert remotes.mdm.devices_of(remotes.person("Hanna")) == Owned(())


@pytest.mark.parametrize(
    ("vendor", "seen"),
    [
        ("workspace_one", "/devices/search"),
        ("workspace_one", "/devices/{}"),
        ("maas360", "/search/customer/30012345"),
        ("fleet", "/hosts"),
        ("fleet", "/hosts/{}"),
    ],
)
def test_a_record_that_vanishes_meanwhile_is_not_there(remotes: Remotes, seen: str) -> None:
    """Deleted after the list, or after the record and before its compliance; the other one is still shown."""
    gone, end = another_record(remotes), ""

    def deleting(request: Any, _: int, body: bytes) -> bytes:
        if str(request.url).partition("?")[0].endswith(end):
            remotes.sandbox.world.records.pop(gone.id, None)
        return body

    end = seen.format(gone.id)
    told = Remotes(remotes.sandbox, change=deleting)
    assert [d.key.record_id for d in told.mdm.devices_of(told.person()).devices] == [record_id(remotes)]


@ONLY_WORKSPACE_ONE
def test_a_record_listed_twice_is_one(remotes: Remotes) -> None:
    def doubling(request: Any, _: int, body: bytes) -> bytes:
        if "/devices/search" not in str(request.url):
            return body
        page = json.loads(body)
        return json.dumps({**page, "Devices": page["Devices"] * 2, "Total": page["Total"] * 2}).encode()

    assert len(Remotes(remotes.sandbox, change=doubling).mdm.devices_of(remotes.person()).devices) == 1


def test_failing_rules_come_with_advice(remotes: Remotes) -> None:
    remotes.record.reported.passcode = False
    posture = remotes.mdm.device(record_id(remotes)).posture
    assert posture.word is MdmWord.NOT_COMPLIANT
    assert [(rule.name, rule.advice) for rule in posture.failing] == [("Passcode required", "passcode")]


@TALKING
def test_jailbreak_and_encryption_have_advice_whatever_the_policies_are_called(remotes: Remotes) -> None:
    remotes.record.reported.jailbroken, remotes.record.reported.encrypted = True, False
    posture = remotes.mdm.device(record_id(remotes)).posture
    assert {rule.advice for rule in posture.failing} >= {"jailbreak", "encryption"}
    assert posture.compromised is True


@pytest.mark.parametrize(
    ("status", "enrolled"), [("Enrolled", True), ("Unenrolled", False), ("EnterpriseWipePending", None), ("Discovered", None)]
)
def test_only_known_words_say_enrolled_or_not(remotes: Remotes, status: str, enrolled: bool | None) -> None:
    remotes.record.enrollment_status = status
    device = remotes.mdm.device(record_id(remotes))
    assert device.posture.enrolled is enrolled
    assert len(remotes.mdm.devices_of(remotes.person()).devices) == (0 if enrolled is False else 1)


@pytest.mark.parametrize("word", ["Unknown", "AllowListed", "Blocked", "compliant", "NotAvailable", ""])
def test_a_new_word_is_never_compliant(remotes: Remotes, word: str) -> None:
    if remotes.vendor == "maas360" and word == "compliant":
        return  # its own states are written in both sizes of letters
    remotes.record.compliance_override = word
    assert verdict(remotes, remotes.mdm.device(record_id(remotes))) is not Verdict.COMPLIANT


def test_the_generation_changes_with_enrollment_and_with_nothing_else(remotes: Remotes) -> None:
    before = remotes.mdm.device(record_id(remotes)).generation
    remotes.record.friendly_name, remotes.record.os_version = "renamed", "19.0"
    assert remotes.mdm.device(record_id(remotes)).generation == before
    remotes.record.enrolled_on += timedelta(seconds=1)
    assert remotes.mdm.device(record_id(remotes)).generation != before


def test_a_refresh_is_heard_by_the_device(remotes: Remotes) -> None:
    remotes.phone.health.passcode = False
    remotes.mdm.refresh(record_id(remotes))
    remotes.later(3)
    assert remotes.mdm.device(record_id(remotes)).posture.word is MdmWord.NOT_COMPLIANT


@TALKING
def test_a_message_reaches_the_hub(remotes: Remotes) -> None:
    remotes.mdm.message(record_id(remotes), "Tap here")
    agent = {"workspace_one": "com.air-watch.agent", "maas360": "com.fiberlink.maas360forios"}[remotes.vendor]
    assert [(m.application, m.body) for m in remotes.phone.messages] == [(agent, "Tap here")]


@TALKING
def test_the_link_is_noted_where_the_attribute_was_never_defined(remotes: Remotes) -> None:
    for _ in range(2):
        remotes.mdm.note_link(record_id(remotes), remotes.device_id)
    where = {"workspace_one": ("EntraLink", "EntraDeviceId"), "maas360": ("MaaS360", "RemediationEntraDeviceId")}
    assert remotes.record.custom_attributes == {where[remotes.vendor]: remotes.device_id}


@TALKING
def test_a_note_that_is_not_seen_there_afterwards_was_not_left_whatever_was_said(remotes: Remotes, raises: Raises) -> None:
    remotes.mdm.note_link(record_id(remotes), remotes.device_id)  # the control: it is seen
    another = remotes.device_id[:-4] + "beef"
    remotes.sandbox.faults.add(Fault(remotes.vendor, "ignore_writes"))
    with raises(Refused) as caught:
        remotes.mdm.note_link(record_id(remotes), another)
    assert caught.value.status == 200


@ONLY_WORKSPACE_ONE
def test_a_note_that_was_accepted_and_not_kept_is_defined_and_written_again(remotes: Remotes) -> None:
    """Whether an undefined attribute is taken is not public; one server may say so and forget it."""

    def says_accepted(request: Any, _: int, body: bytes) -> bytes:
        if request.method == "PUT" and json.loads(body)["FailedItems"]:
            return json.dumps({"TotalItems": 1, "AcceptedItems": 1, "FailedItems": 0, "Faults": {"Fault": []}}).encode()
        return body

    Remotes(remotes.sandbox, change=says_accepted).mdm.note_link(record_id(remotes), remotes.device_id)
    assert remotes.record.custom_attributes == {("EntraLink", "EntraDeviceId"): remotes.device_id}


@ONLY_WORKSPACE_ONE
def test_where_the_accounts_own_group_does_not_show_the_note_the_records_group_is_asked(remotes: Remotes) -> None:
    asked: list[bool] = []

    def own_group_shows_nothing(request: Any, _: int, body: bytes) -> bytes:
        if "customattribute/search" not in str(request.url):
            return body
        asked.append("organizationgroupid" in str(request.url))
        return body if asked[-1] else json.dumps({"Devices": [], "Page": 0, "PageSize": 500, "Total": 0}).encode()

    remotes.mdm.note_link(record_id(remotes), remotes.device_id)
    Remotes(remotes.sandbox, change=own_group_shows_nothing).mdm.note_link(record_id(remotes), remotes.device_id)
    assert asked == [False, True]


@ONLY_WORKSPACE_ONE
@pytest.mark.parametrize(
    "counts", [{"FailedItems": 1}, {"AcceptedItems": 0}, {"AcceptedItems": None}, {"FailedItems": "0"}, {"FailedItems": None}]
)
def test_a_failure_inside_a_good_answer_is_one(remotes: Remotes, counts: dict[str, Any]) -> None:
    remotes.mdm.note_link(record_id(remotes), remotes.device_id)

    def failing(request: Any, _: int, body: bytes) -> bytes:
        return json.dumps({**json.loads(body), **counts}).encode() if request.method == "PUT" else body

    with pytest.raises((Refused, Garbled)):
        Remotes(remotes.sandbox, change=failing).mdm.note_link(record_id(remotes), remotes.device_id)


@ONLY_WORKSPACE_ONE
def test_no_other_command_can_leave(remotes: Remotes) -> None:
    with pytest.raises(ValueError, match="DeviceWipe"):
        remotes.ws1._command(record_id(remotes), "DeviceWipe")


@ONLY_WORKSPACE_ONE
def test_basic_and_the_api_key_open_it_too(remotes: Remotes) -> None:
    ws1 = remotes.facts["workspace_one"]
    key = tenant_code(remotes.sandbox.world)
    mdm: WorkspaceOne = remotes.make_mdm(
        BasicKey(user=ws1["client_id"], password=ws1["client_secret"], tenant_code=key, now=remotes.sandbox.world.now)
    )
    assert len(mdm.devices_of(remotes.person()).devices) == 1


GONE: dict[str, Callable[[Remotes], Any]] = {
    "device": lambda r: r.mdm.device("999"),
    "refresh": lambda r: r.mdm.refresh("999"),
    "message": lambda r: r.mdm.message("999", "Hello"),
    "note_link": lambda r: r.mdm.note_link("999", r.device_id),
}


@pytest.mark.parametrize("name", GONE)
def test_a_record_that_is_gone(remotes: Remotes, raises: Raises, name: str) -> None:
    if name in ABILITIES and name not in ABLE[remotes.vendor]:
        return
    with raises(NotFound) as caught:
        GONE[name](remotes)
    assert caught.value.vendor_code == {"workspace_one": "5061", "fleet": "Resource-Not-Found"}.get(remotes.vendor)


@pytest.mark.parametrize("name", [*READ, *DO])
@pytest.mark.parametrize("spoilt", SPOILT, ids=str)
def test_a_spoilt_answer(remotes: Remotes, raises: Raises, name: str, spoilt: Spoilt) -> None:
    if name in ABILITIES and name not in ABLE[remotes.vendor]:
        return
    ask = {**READ, **DO}[name]
    remotes.mdm.device(record_id(remotes))  # the token is had: the fault meets the call itself
    if remotes.vendor == "workspace_one" and ask is DO["refresh"] and spoilt.kind == "garbled":
        return  # half of an empty answer is the whole of it
    spoilt.spoil(remotes.sandbox, remotes.vendor)
    with raises(spoilt.becomes) as caught:
        ask(remotes)
    spoilt.fits(caught.value, "mdm")


def test_a_wrong_secret(remotes: Remotes, raises: Raises) -> None:
    remotes.sandbox.world.mdm.client_secret = remotes.sandbox.world.maas360.password = "changed"
    remotes.sandbox.world.fleet.token = "changed"
    with raises(Refused) as caught:
        remotes.mdm.devices_of(remotes.person())
    assert (
        caught.value.vendor_code
        == {
            "workspace_one": "invalid_client",
            "maas360": "1002",
            "fleet": "Authentication-required",
        }[remotes.vendor]
    )


@ONLY_WORKSPACE_ONE
def test_a_wrong_api_key(remotes: Remotes, raises: Raises) -> None:
    ws1 = remotes.facts["workspace_one"]
    mdm = remotes.make_mdm(
        BasicKey(user=ws1["client_id"], password=ws1["client_secret"], tenant_code="wrong", now=remotes.sandbox.world.now)
    )
    with raises(Refused) as caught:
        mdm.devices_of(remotes.person())
    assert (caught.value.status, caught.value.vendor_code) == (403, "1013")


def test_none_of_the_five_is_left_out(remotes: Remotes) -> None:
    def wrong_key() -> None:
        if remotes.vendor == "maas360":
            remotes.make_maas(remotes.maas_token(access_key=lambda: "wrong")).device("1")
        if remotes.vendor == "fleet":
            remotes.make_fleet(lambda: "wrong").device("1")
        ws1 = remotes.facts["workspace_one"]
        remotes.make_mdm(
            BasicKey(user=ws1["client_id"], password=ws1["client_secret"], tenant_code="wrong", now=remotes.sandbox.world.now)
        ).device("1")

    kinds = raised(remotes.sandbox, remotes.vendor, lambda: READ["device"](remotes), lambda: GONE["device"](remotes), wrong_key)
    assert kinds == set(FIVE)


def calls(remotes: Remotes) -> int:
    return sum(entry.service == "workspace_one" for entry in remotes.sandbox.ledger.since(0))


@ONLY_WORKSPACE_ONE
@pytest.mark.parametrize("way", ["oauth", "basic"])
def test_T26_a_refused_credential_is_held_so_that_no_account_is_locked_and_a_changed_one_is_not(remotes: Remotes, way: str) -> None:
    ws1, world, current = remotes.facts["workspace_one"], remotes.sandbox.world, ["wrong"]
    mdm: WorkspaceOne = remotes.ws1
    if way == "basic":
        own = {"user": ws1["client_id"], "tenant_code": tenant_code(world), "now": world.now}
        mdm = remotes.make_mdm(BasicKey(password=lambda: current[0], **own))
    else:
        token = remotes.remote("mdm", ws1["token_url"], workspace_one_sign_in.vendor_code)
        own = {"client_id": ws1["client_id"], "secret": lambda: current[0], "now": world.now}
        mdm = remotes.make_mdm(workspace_one_sign_in.OAuthClient(token, **own))
    offered, begun = [], world.now()
    while (world.now() - begun).total_seconds() < 4 * 3600:
        before = calls(remotes)
        with pytest.raises(Refused) as caught:
            mdm.device("1042")
        if calls(remotes) > before:
            offered.append((world.now() - begun).total_seconds())
        else:
            assert (caught.value.called, caught.value.retry_after is not None) == (False, True)
        remotes.later(5)
    waits = [later - earlier for earlier, later in pairwise(offered)]
    if way == "basic":
        assert 8 <= len(offered) <= 10, offered
        assert all(wait >= 60 * 2 ** min(n, 5) for n, wait in enumerate(waits)), waits
    else:  # no account to lock, and whoever lets the client in again is noticed within a minute
        assert {wait >= 60 for wait in waits} == {True}
        assert max(waits) <= 65
    current[0] = ws1["client_secret"]
    assert mdm.devices_of(remotes.person()).devices, "at once"
