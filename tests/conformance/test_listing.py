"""Listing of an MDM, and the directory's own list: every row once, in pages, as a single read has it; and how they fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from remediation.domain.compliance import MdmWord
from remediation.domain.device import DirectoryDevice, ManagedDevice
from remediation.errors import Garbled, NotFound, Refused
from remediation.ports import Listing, Page
from sandbox.faults import Fault
from tests.conformance.conftest import Raises
from tests.conformance.five import FIVE, SPOILT, Spoilt, raised
from tests.remotes import Remotes

PROTOCOL = "Listing"
VENDORS = ("workspace_one", "maas360", "fleet")
ONLY_WORKSPACE_ONE = pytest.mark.parametrize("vendor", ["workspace_one"])
ONLY_MAAS360 = pytest.mark.parametrize("vendor", ["maas360"])
ONLY_FLEET = pytest.mark.parametrize("vendor", ["fleet"])
PAGE: dict[str, Callable[[Remotes], Any]] = {
    "records": lambda r: r.mdm.page(None, since=None),
    "directory": lambda r: r.directory.page(None),
}


@pytest.fixture(params=VENDORS)
def vendor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def pages_of(remotes: Remotes, *, since: Any = None) -> Iterator[Page[ManagedDevice]]:
    cursor: str | None = None
    while True:
        page = remotes.mdm.page(cursor, since=since)
        yield page
        if (cursor := page.cursor) is None:
            return


def records(remotes: Remotes, **more: Any) -> list[ManagedDevice]:
    return [row for page in pages_of(remotes, **more) for row in page.rows]


def hers(remotes: Remotes) -> ManagedDevice:
    return next(row for row in records(remotes) if row.key.record_id == remotes.record_id)


def devices(remotes: Remotes) -> list[DirectoryDevice]:
    found: list[DirectoryDevice] = []
    cursor: str | None = None
    while True:
        page = remotes.directory.page(cursor)
        found += page.rows
        if (cursor := page.cursor) is None:
            return found


def more_records(remotes: Remotes, count: int) -> None:
    world = remotes.sandbox.world
    for number in range(remotes.record.id + 1, remotes.record.id + 1 + count):
        world.records[number] = replace(remotes.record, id=number, uuid=world.new_id(), serial=f"F2LX{number:08}")


def answering(remotes: Remotes, change: Callable[[dict[str, Any]], Any], end: str = "/devices/search", **more: Any) -> Remotes:
    """The answers of this list changed on their way."""

    def on_its_way(request: Any, status: int, body: bytes) -> bytes:
        hit = str(request.url).partition("?")[0].lower().endswith(end) and status == 200 and body
        return json.dumps(change(json.loads(body))).encode() if hit else body

    return Remotes(remotes.sandbox, change=on_its_way, **more)


def test_it_lists(remotes: Remotes) -> None:
    assert isinstance(remotes.mdm, Listing)


@ONLY_WORKSPACE_ONE
@pytest.mark.parametrize(("size", "pages"), [(2, 4), (7, 1), (500, 1)])
def test_every_record_once_in_the_order_of_ids(remotes: Remotes, size: int, pages: int) -> None:
    more_records(remotes, 6)
    small = Remotes(remotes.sandbox, page_size=size)
    assert [r.key.record_id for r in records(small)] == [str(n) for n in sorted(remotes.sandbox.world.records)]
    assert sum("devices/search" in e.path for e in remotes.sandbox.ledger.since(0)) == pages


@pytest.mark.parametrize("health", [{}, {"passcode": False}, {"jailbroken": True}])
def test_a_row_says_what_the_record_says(remotes: Remotes, health: dict[str, bool]) -> None:
    for name, value in health.items():
        setattr(remotes.record.reported, name, value)
    row, one = hers(remotes), remotes.mdm.device(remotes.record_id)
    assert replace(row, posture=one.posture) == one
    assert replace(row.posture, failing=one.posture.failing, read_at=one.posture.read_at) == one.posture
    assert row.posture.failing == ()


@pytest.mark.parametrize("word", ["Unknown", "Compliant?", "NotAvailable", "PendingComplianceCheck"])
def test_a_new_word_is_never_compliant(remotes: Remotes, word: str) -> None:
    remotes.record.compliance_override = word
    row = hers(remotes)
    assert row.posture.word not in (MdmWord.COMPLIANT, MdmWord.NOT_COMPLIANT)


@ONLY_WORKSPACE_ONE
def test_a_rule_that_the_row_says_fails_counts(remotes: Remotes) -> None:
    def failing(page: dict[str, Any]) -> dict[str, Any]:
        summary = {"DeviceCompliance": [{"CompliantStatus": False, "PolicyName": "x"}]}
        return {**page, "Devices": [{**row, "ComplianceSummary": summary} for row in page["Devices"]]}

    row = hers(answering(remotes, failing))
    assert row.posture.word is MdmWord.NOT_COMPLIANT


def test_since_asks_for_those_seen_since_then(remotes: Remotes) -> None:
    seen, number = remotes.record.last_seen, remotes.record_id
    assert number in [r.key.record_id for r in records(remotes, since=seen - timedelta(seconds=1))]
    assert number not in [r.key.record_id for r in records(remotes, since=seen + timedelta(seconds=1))]
    assert records(remotes, since=remotes.sandbox.world.now()) == []


def test_a_list_without_records_is_whole(remotes: Remotes) -> None:
    remotes.sandbox.world.records.clear()
    assert records(remotes) == []
    page = remotes.mdm.page(None, since=None)
    assert page == Page((), "InActive.1.0.0" if remotes.vendor == "maas360" else None)


@ONLY_WORKSPACE_ONE
def test_a_row_that_cannot_be_read_whole_is_named_and_holds_nobody_up(remotes: Remotes) -> None:
    more_records(remotes, 2)

    def never_enrolled(page: dict[str, Any]) -> dict[str, Any]:
        page["Devices"][1]["LastEnrolledOn"] = "0001-01-01T00:00:00.000"
        return page

    page = answering(remotes, never_enrolled).mdm.page(None, since=None)
    assert (len(page.rows), page.unreadable) == (2, (str(remotes.record.id + 1),))


@ONLY_WORKSPACE_ONE
@pytest.mark.parametrize(
    "ends_early",
    [
        lambda page: {**page, "Devices": []},
        lambda page: {**page, "Page": page["Page"] + 1},
        lambda page: {k: v for k, v in page.items() if k != "Total"},
        lambda page: {k: v for k, v in page.items() if k != "Devices"},
        lambda page: [],
    ],
)
def test_half_a_list_is_no_list(remotes: Remotes, raises: Raises, ends_early: Callable[[dict[str, Any]], Any]) -> None:
    more_records(remotes, 3)
    cursor = Remotes(remotes.sandbox, page_size=2).mdm.page(None, since=None).cursor
    with raises(Garbled):
        answering(remotes, ends_early, page_size=2).mdm.page(cursor, since=None)


def in_maas360(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    return lambda body: {"devices": change(body["devices"])}


@ONLY_MAAS360
@pytest.mark.parametrize("size", [25, 50, 100])
def test_every_active_record_once_then_every_inactive_one(remotes: Remotes, size: int) -> None:
    more_records(remotes, 73)
    remotes.record.enrollment_status = "Unenrolled"
    found = [r.key.record_id for r in records(Remotes(remotes.sandbox, page_size=size))]
    assert sorted(found) == sorted(remotes.id_of(r) for r in remotes.sandbox.world.records.values())
    assert found[-1] == remotes.record_id


@ONLY_MAAS360
def test_a_row_of_maas360_that_cannot_be_read_whole_or_comes_twice_is_named(remotes: Remotes) -> None:
    more_records(remotes, 2)

    def odd(page: dict[str, Any]) -> dict[str, Any]:
        first, second, third = page["device"]
        return {**page, "device": [{**first, "lastMdmRegisteredInEpochms": "never"}, second, second, third], "count": 4}

    whole = remotes.mdm.page(None, since=None)
    page = answering(remotes, in_maas360(odd), "/search/customer/30012345").mdm.page(None, since=None)
    ids = [row.key.record_id for row in whole.rows]
    assert ([row.key.record_id for row in page.rows], page.unreadable) == (ids[2:], tuple(ids[:2]))


@ONLY_MAAS360
@pytest.mark.parametrize(
    "ends_early",
    [
        in_maas360(lambda page: {k: v for k, v in page.items() if k != "device"}),
        in_maas360(lambda page: {**page, "device": page["device"][:-1]}),
        in_maas360(lambda page: {**page, "pageNumber": page["pageNumber"] + 1}),
        in_maas360(lambda page: {**page, "pageNumber": page["pageNumber"] - 1}),
        in_maas360(lambda page: {**page, "count": None}),
        in_maas360(lambda page: {**page, "count": 0}),
        in_maas360(lambda page: []),
        lambda page: {},
        lambda page: [],
    ],
)
def test_half_a_list_of_maas360_is_no_list(remotes: Remotes, raises: Raises, ends_early: Callable[[dict[str, Any]], Any]) -> None:
    more_records(remotes, 40)
    cursor = Remotes(remotes.sandbox, page_size=25).mdm.page(None, since=None).cursor
    with raises(Garbled):
        answering(remotes, ends_early, "/search/customer/30012345", page_size=25).mdm.page(cursor, since=None)


@ONLY_MAAS360
def test_a_full_page_whose_count_is_its_own_is_followed_by_another(remotes: Remotes) -> None:
    """Whether `count` is of all or of the page is not public."""
    more_records(remotes, 40)
    every = {remotes.id_of(r) for r in remotes.sandbox.world.records.values()}

    def its_own(page: dict[str, Any]) -> dict[str, Any]:
        found = page.get("device", [])
        return {**page, "count": len(found) if isinstance(found, list) else 1}

    told = answering(remotes, in_maas360(its_own), "/search/customer/30012345", page_size=25)
    assert {row.key.record_id for row in records(told)} == every


@ONLY_MAAS360
def test_a_list_of_maas360_that_goes_silent_is_no_list(remotes: Remotes, raises: Raises) -> None:
    more_records(remotes, 40)
    small = Remotes(remotes.sandbox, page_size=25)
    cursor = small.mdm.page(None, since=None).cursor
    remotes.sandbox.world.records.clear()
    with raises(Garbled):
        small.mdm.page(cursor, since=None)


@ONLY_WORKSPACE_ONE
def test_a_list_that_goes_silent_before_its_end_is_no_list(remotes: Remotes, raises: Raises) -> None:
    more_records(remotes, 3)
    small = Remotes(remotes.sandbox, page_size=2)
    cursor = small.mdm.page(None, since=None).cursor
    remotes.sandbox.world.records.clear()
    with raises(Garbled):
        small.mdm.page(cursor, since=None)


@ONLY_FLEET
@pytest.mark.parametrize(("size", "pages"), [(2, 4), (7, 2), (100, 1)])
def test_every_host_of_fleet_once_in_the_order_of_ids(remotes: Remotes, size: int, pages: int) -> None:
    more_records(remotes, 6)
    small = Remotes(remotes.sandbox, page_size=size)
    assert [r.key.record_id for r in records(small)] == [str(n) for n in sorted(remotes.sandbox.world.records)]
    assert sum(e.path.endswith("/hosts") for e in remotes.sandbox.ledger.since(0)) == pages


@ONLY_FLEET
def test_a_host_of_fleet_that_cannot_be_read_whole_or_comes_twice_is_named(remotes: Remotes) -> None:
    more_records(remotes, 2)

    def odd(page: dict[str, Any]) -> dict[str, Any]:
        first, second, third, *others = page["hosts"]
        return {"hosts": [{**first, "last_enrolled_at": "2000-01-01T00:00:00Z"}, second, second, third, *others]}

    ids = [row.key.record_id for row in remotes.mdm.page(None, since=None).rows]
    page = answering(remotes, odd, "/v1/fleet/hosts").mdm.page(None, since=None)
    assert ([row.key.record_id for row in page.rows], page.unreadable) == (ids[2:], tuple(ids[:2]))


@ONLY_FLEET
@pytest.mark.parametrize(
    "ends_early",
    [
        lambda page: {**page, "hosts": page["hosts"][:-1]},
        lambda page: {**page, "hosts": []},
        lambda page: {**page, "hosts": None},
        lambda page: {**page, "hosts": page["hosts"][::-1]},
        lambda page: {**page, "hosts": [*page["hosts"], *page["hosts"], *page["hosts"]]},
        lambda page: {},
        lambda page: [],
    ],
)
def test_half_a_list_of_fleet_is_no_list(remotes: Remotes, raises: Raises, ends_early: Callable[[dict[str, Any]], Any]) -> None:
    more_records(remotes, 3)
    cursor = Remotes(remotes.sandbox, page_size=2).mdm.page(None, since=None).cursor
    assert Remotes(remotes.sandbox, page_size=2).mdm.page(cursor, since=None).rows
    with raises(Garbled):
        answering(remotes, ends_early, "/v1/fleet/hosts", page_size=2).mdm.page(cursor, since=None)


@ONLY_FLEET
def test_a_page_of_fleet_that_is_told_again_is_no_page(remotes: Remotes, raises: Raises) -> None:
    more_records(remotes, 3)
    small = Remotes(remotes.sandbox, page_size=2)
    first = small.mdm.page(None, since=None)
    with raises(Garbled):
        small.mdm.page(str(first.cursor).replace("1.", "0.", 1), since=None)


@ONLY_FLEET
def test_pages_that_fleet_makes_smaller_than_asked_for_hide_nobody(remotes: Remotes, raises: Raises) -> None:
    more_records(remotes, 3)
    remotes.sandbox.faults.add(Fault("fleet", "capped"))
    with raises(Garbled):
        remotes.mdm.page(None, since=None)


@ONLY_WORKSPACE_ONE
def test_every_directory_device_once_with_its_owner(remotes: Remotes) -> None:
    world, found = remotes.sandbox.world, devices(remotes)
    assert {d.device_id: d.owner_oid for d in found} == {d.device_id: d.owner_oid for d in world.devices.values() if not d.deleted}
    assert len(found) == len({d.device_id for d in found}) > world.page_size
    direct = remotes.directory.device(remotes.device_id)
    [listed] = [d for d in found if d.device_id == remotes.device_id]
    assert replace(listed, read_at=direct.read_at, owner_enabled=direct.owner_enabled) == direct


def test_where_the_list_cannot_tell_owners_it_is_asked_without(remotes: Remotes) -> None:
    """A tenant that refuses `$expand` beside `$top`: found out once."""
    app = remotes.sandbox.api

    def strict(environ: Any, start: Any) -> Any:
        if "%24expand" in environ["QUERY_STRING"]:
            start("400 Bad Request", [("Content-Type", "application/json")])
            return [b'{"error": {"code": "Request_BadRequest", "message": "no"}}']
        return app(environ, start)

    assert remotes.transport is not None
    remotes.transport.app = strict
    assert {d.owner_oid for d in remotes.directory.page(None).rows} == {None}
    before = len(remotes.transport.requests)
    assert remotes.directory.page(None).rows
    assert len(remotes.transport.requests) == before + 1


def test_a_directory_row_that_cannot_be_read_is_named_or_nobodys(remotes: Remotes) -> None:
    def odd(page: dict[str, Any]) -> dict[str, Any]:
        first, second = page["value"]
        return {**page, "value": [{**first, "accountEnabled": None}, {**second, "deviceId": "printer"}]}

    whole = remotes.directory.page(None)
    page = answering(remotes, odd, "/v1.0/devices").directory.page(None)
    assert (page.rows, page.unreadable) == ((), (whole.rows[0].device_id,))


def test_a_list_of_nothing_but_strangers_is_garbled(remotes: Remotes, raises: Raises) -> None:
    def strange(page: dict[str, Any]) -> dict[str, Any]:
        return {**page, "value": [{**row, "deviceId": "printer"} for row in page["value"]]}

    with raises(Garbled):
        answering(remotes, strange, "/v1.0/devices").directory.page(None)


def test_a_cursor_that_has_aged_is_refused(remotes: Remotes, raises: Raises) -> None:
    cursor = remotes.directory.page(None).cursor
    assert cursor is not None
    with raises(Refused):
        remotes.directory.page(cursor.replace("skiptoken=", "skiptoken=aged"))


def test_a_cursor_that_the_remote_forgot(remotes: Remotes, raises: Raises) -> None:
    """410 or 404 in the vendor's form (graph-docs concepts/errors.md): the list has to begin anew."""
    with raises(NotFound):
        remotes.directory.page(f"{remotes.facts['graph_url']}/devices/{'0' * 8}-0000-4000-8000-{'0' * 12}")


@pytest.mark.parametrize("ask", PAGE.values(), ids=PAGE.keys())
@pytest.mark.parametrize("spoilt", SPOILT, ids=str)
def test_a_spoilt_answer(remotes: Remotes, raises: Raises, ask: Callable[[Remotes], Any], spoilt: Spoilt) -> None:
    ask(remotes)  # the token is had: the fault meets the call itself
    for service in (remotes.vendor, "graph"):
        spoilt.spoil(remotes.sandbox, service)
    with raises(spoilt.becomes) as caught:
        ask(remotes)
    spoilt.fits(caught.value, "mdm" if ask is PAGE["records"] else "directory")


def test_none_of_the_five_is_left_out(remotes: Remotes) -> None:
    directory = remotes.directory

    def forgotten() -> None:
        directory.page(f"{remotes.facts['graph_url']}/devices/{'0' * 8}-0000-4000-8000-{'0' * 12}")

    def aged() -> None:
        cursor = directory.page(None).cursor
        assert cursor is not None
        directory.page(cursor.replace("skiptoken=", "skiptoken=aged"))

    kinds = raised(remotes.sandbox, "graph", lambda: directory.page(None), forgotten, aged)
    assert kinds == set(FIVE)
