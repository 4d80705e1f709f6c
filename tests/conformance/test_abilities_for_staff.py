"""Searching, Grouping and Personalising: what staff ask of an MDM at a terminal. What each adapter promises, and how it fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from remediation.errors import Garbled, NotFound, Refused
from remediation.ports import Grouping, Personalising, Searching
from sandbox.things import Group
from tests.conformance.conftest import Raises
from tests.conformance.five import FIVE, SPOILT, Spoilt, raised
from tests.remotes import Remotes

PROTOCOL = "Searching, Grouping and Personalising"
VENDORS = ("workspace_one", "maas360")
ONLY_WORKSPACE_ONE = pytest.mark.parametrize("vendor", ["workspace_one"])
ONLY_MAAS360 = pytest.mark.parametrize("vendor", ["maas360"])
ASK: dict[str, Callable[[Remotes], Any]] = {
    "find": lambda r: r.mdm.find(r.record.serial),
    "groups": lambda r: list(r.mdm.groups()),
}
LISTS = {"workspace_one": "usergroups/search", "maas360": "/groups/customer"}


@pytest.fixture(params=VENDORS)
def vendor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def found(remotes: Remotes, identifier: str) -> list[str]:
    page = remotes.mdm.find(identifier)
    assert page.cursor is None
    return [device.key.record_id for device in page.rows]


def another(remotes: Remotes, **changed: Any) -> Any:
    world = remotes.sandbox.world
    number = max(world.records) + 1
    own = {"id": number, "uuid": world.new_id(), "serial": f"F2LX{number:08}", "udid": world.new_id().replace("-", "") + "0" * 8}
    world.records[number] = replace(remotes.record, **{**own, **changed})
    return world.records[number]


def answering(remotes: Remotes, part: str, change: Callable[[Any], Any]) -> Remotes:
    def on_its_way(request: Any, status: int, body: bytes) -> bytes:
        hit = part.lower() in str(request.url).lower() and status == 200 and body
        return json.dumps(change(json.loads(body))).encode() if hit else body

    return Remotes(remotes.sandbox, change=on_its_way)


def test_it_can(remotes: Remotes) -> None:
    assert isinstance(remotes.mdm, Searching)
    assert isinstance(remotes.mdm, Grouping)
    assert isinstance(remotes.mdm, Personalising)


class TestSearching:
    @pytest.mark.parametrize(
        "written", [str.upper, str.lower, lambda s: f"  {s} ", lambda s: f"{s[:4]}-{s[4:8]}-{s[8:]}", lambda s: f"{s[:4]} {s[4:]}"]
    )
    def test_a_serial_number_however_it_is_typed(self, remotes: Remotes, written: Callable[[str], str]) -> None:
        another(remotes)
        assert found(remotes, written(remotes.record.serial)) == [remotes.record_id]

    @pytest.mark.parametrize(
        "udid",
        [
            "1C2F7A90B3D84E5F9A6B7C8D9E0F1A2B",
            "1c2f7a90b3d84e5f9a6b7c8d9e0f1a2b",
            "1C2F7A90-B3D8-4E5F-9A6B-7C8D9E0F1A2B",
            "00008030-001C2D3E4F50602E",
            "00008030001c2d3e4f50602e",
            "0f" * 20,
        ],
    )
    def test_a_udid_in_every_form(self, remotes: Remotes, udid: str) -> None:
        remotes.record.udid = udid
        another(remotes)
        for written in (udid, udid.upper(), udid.lower(), udid.replace("-", ""), f" {udid.replace('-', ' ')}"):
            assert found(remotes, written) == [remotes.record_id], written

    def test_the_mdms_own_id_of_a_record(self, remotes: Remotes) -> None:
        other = another(remotes)
        assert found(remotes, remotes.record_id) == [remotes.record_id]
        assert found(remotes, f" {remotes.id_of(other)} ") == [remotes.id_of(other)]

    @ONLY_WORKSPACE_ONE
    def test_a_uuid_with_dashes_or_without(self, remotes: Remotes) -> None:
        for written in (remotes.record.uuid, remotes.record.uuid.upper(), remotes.record.uuid.replace("-", "")):
            assert found(remotes, written) == [remotes.record_id]

    @ONLY_WORKSPACE_ONE
    def test_every_record_with_that_serial_number_enrolled_or_not_as_it_is_now(self, remotes: Remotes) -> None:
        older = another(remotes, serial=remotes.record.serial.lower(), enrollment_status="Unenrolled")
        remotes.record.reported.passcode = False
        rows = {device.key.record_id: device for device in remotes.mdm.find(remotes.record.serial).rows}
        assert {number: device.posture.enrolled for number, device in rows.items()} == {
            remotes.record_id: True,
            remotes.id_of(older): False,
        }
        assert [rule.name for rule in rows[remotes.record_id].posture.failing] == ["Passcode required"]

    @ONLY_MAAS360
    def test_a_serial_number_that_no_id_is_made_of_is_compared_in_the_whole_list(self, remotes: Remotes) -> None:
        phone = another(remotes, platform="Android", serial="R58M12ABCDE")
        gone = another(remotes, platform="Android", serial="R58M12ABCDE", enrollment_status="Unenrolled")
        for _ in range(260):
            another(remotes)
        assert set(found(remotes, "r58m-12ab-cde")) == {remotes.id_of(phone), remotes.id_of(gone)}

    @pytest.mark.parametrize("nothing", ["", "unknown", "0000-0000-0000", "N/A", "F2LXNOBODY77", "999999", "12ab" * 40, "%", "a/b"])
    def test_nobody_is_found_by_what_names_nothing_or_nobody(self, remotes: Remotes, nothing: str) -> None:
        assert remotes.mdm.find(nothing).rows == ()

    def test_part_of_a_serial_number_is_nobodys(self, remotes: Remotes) -> None:
        assert found(remotes, remotes.record.serial[:-1]) == []

    def test_a_record_that_cannot_be_read_whole_is_named(self, remotes: Remotes) -> None:
        if remotes.vendor == "workspace_one":
            odd = answering(remotes, f"/devices/{remotes.record.id}", lambda body: {**body, "LastEnrolledOn": None})
        else:

            def never_registered(body: Any) -> Any:
                if "device" in body["devices"]:
                    body["devices"]["device"]["lastMdmRegisteredInEpochms"] = ""
                return body

            odd = answering(remotes, "/search/customer", never_registered)
        page = odd.mdm.find(remotes.record.serial)
        assert (page.rows, page.unreadable) == ((), (remotes.record_id,))

    @ONLY_WORKSPACE_ONE
    def test_what_the_search_finds_beyond_the_identifier_is_left_out(self, remotes: Remotes) -> None:
        other = another(remotes)
        more = answering(
            remotes, "searchby=", lambda body: {**body, "Devices": [{**body["Devices"][0], "SerialNumber": other.serial}]}
        )
        assert more.mdm.find(remotes.record.serial).rows == ()

    @ONLY_WORKSPACE_ONE
    def test_half_an_answer_is_none(self, remotes: Remotes, raises: Raises) -> None:
        with raises(Garbled):
            answering(remotes, "searchby=", lambda body: {**body, "Total": 7}).mdm.find(remotes.record.serial)


class TestGrouping:
    def test_every_group_with_how_many_are_in_it(self, remotes: Remotes) -> None:
        groups = {(group.name, group.holds): group.members for group in remotes.mdm.groups()}
        if remotes.vendor == "workspace_one":
            held = len(remotes.sandbox.world.held_by("workspace_one"))
            assert groups[("Mobile users", "users")] == 3
            assert groups[("Pilots", "users")] == 1
            assert groups[("All Devices", "devices")] == groups[("All iOS devices", "devices")] == held
        else:
            assert groups == {("Mobile users", "either"): 3, ("Pilots", "either"): 1, ("All iOS devices", "either"): None}

    @pytest.mark.parametrize("people", [250, 251, 503])
    def test_members_beyond_one_page(self, remotes: Remotes, people: int) -> None:
        world = remotes.sandbox.world
        mia = world.persons[remotes.person().oid]
        for number in range(people):
            oid = f"more-{number}"
            world.persons[oid] = replace(mia, oid=oid, mdm_user_id=9000 + number)
        world.groups["g"] = Group("g", "Many", "", {oid for oid in world.persons if oid.startswith("more-")})
        assert {group.name: group.members for group in remotes.mdm.groups()}["Many"] == people

        def its_own(body: Any) -> Any:
            if "users" in body:
                body["users"]["count"] = _length(body["users"].get("user"))
            return body

        of_its_own = answering(remotes, "searchByGroup", its_own)
        assert {group.name: group.members for group in of_its_own.mdm.groups()}["Many"] == people, "a count of the page alone"

    @ONLY_WORKSPACE_ONE
    @pytest.mark.parametrize("count", [498, 1001])
    def test_every_page_of_groups(self, remotes: Remotes, count: int) -> None:
        for number in range(count):
            remotes.sandbox.world.groups[f"g{number}"] = Group(f"g{number}", f"Group {number}", "", set())
        names = [group.name for group in remotes.mdm.groups() if group.holds == "users"]
        assert len(names) == len(set(names)) == count + 2

    @ONLY_WORKSPACE_ONE
    def test_a_custom_group_is_there_once_whichever_search_lists_it(self, remotes: Remotes) -> None:
        oid = remotes.person().oid
        remotes.sandbox.world.mdm.custom_groups = [Group("c", "Lab", "", {oid})]

        def without(body: Any) -> Any:
            rows = [row for row in body["ResultSet"] if row["type"] != "Custom"]
            return {**body, "ResultSet": rows, "Total": len(rows)}

        directory_only = answering(remotes, "usergroups/search", without)
        for told in (remotes, directory_only):
            assert [group.members for group in told.mdm.groups() if group.name == "Lab"] == [1]

    def test_a_list_that_tells_a_group_twice_is_no_list(self, remotes: Remotes, raises: Raises) -> None:
        def twice(body: Any) -> Any:
            if remotes.vendor == "workspace_one":
                return {**body, "ResultSet": body["ResultSet"] * 2, "Total": body["Total"] * 2}
            return {"groups": {"group": body["groups"]["group"] * 2}}

        with raises(Garbled):
            list(answering(remotes, LISTS[remotes.vendor], twice).mdm.groups())

    def test_no_groups_are_an_answer(self, remotes: Remotes) -> None:
        remotes.sandbox.world.groups.clear()
        assert not [group for group in remotes.mdm.groups() if group.name in ("Mobile users", "Pilots")]

    def test_a_group_without_a_name_or_an_id_is_no_group(self, remotes: Remotes, raises: Raises) -> None:
        for spoilt in ("groupName", "id", "groupIdentifier"):

            def nameless(body: Any, spoilt: str = spoilt) -> Any:
                rows = body["ResultSet"] if remotes.vendor == "workspace_one" else body["groups"]["group"]
                for row in rows:
                    row.update({spoilt: None} if spoilt in row else {})
                return body

            if spoilt in ({"groupName", "id"} if remotes.vendor == "workspace_one" else {"groupName", "groupIdentifier"}):
                with raises(Garbled):
                    list(answering(remotes, LISTS[remotes.vendor], nameless).mdm.groups())


def _length(found: Any) -> int:
    return len(found) if isinstance(found, list) else 0 if found is None else 1


class TestPersonalising:
    def test_one_value_names_the_device_and_each_is_written_as_the_mdm_replaces_it(self, remotes: Remotes) -> None:
        values = remotes.mdm.lookup_values()
        assert [value.key for value in values if value.names_device] == [
            {"workspace_one": "{DeviceUid}", "maas360": "%csn%"}[remotes.vendor]
        ]
        assert len({value.key for value in values}) == len(values) > 5

    @ONLY_WORKSPACE_ONE
    def test_they_are_those_of_the_accounts_own_group_listed_live(self, remotes: Remotes) -> None:
        def fewer(body: Any) -> Any:
            return [{"key": "{EmailAddress}", "description": "mail", "id": 1}, {"key": None, "id": 2}]

        def child_first(body: Any) -> Any:
            """A group below may have a lower number than its parent: groups are moved."""
            return {**body, "LocationGroups": body["LocationGroups"][::-1]}

        assert answering(remotes, "groups/search", child_first).mdm.lookup_values() == remotes.mdm.lookup_values()
        told = answering(remotes, "lookup-value/keys", fewer).mdm.lookup_values()
        assert [(value.key, value.meaning, value.names_device) for value in told] == [("{EmailAddress}", "mail", False)]
        asked = [entry.path for entry in remotes.sandbox.ledger.since(0) if "lookup-value" in entry.path]
        assert asked[0].endswith(remotes.sandbox.world.mdm.group_uuid)

    @ONLY_WORKSPACE_ONE
    @pytest.mark.parametrize("spoilt", SPOILT, ids=str)
    def test_a_spoilt_answer(self, remotes: Remotes, raises: Raises, spoilt: Spoilt) -> None:
        remotes.mdm.lookup_values()
        spoilt.spoil(remotes.sandbox, remotes.vendor)
        with raises(spoilt.becomes):
            remotes.mdm.lookup_values()


@pytest.mark.parametrize("ask", ASK.values(), ids=ASK.keys())
@pytest.mark.parametrize("spoilt", SPOILT, ids=str)
def test_a_spoilt_answer(remotes: Remotes, raises: Raises, ask: Callable[[Remotes], Any], spoilt: Spoilt) -> None:
    ask(remotes)  # the token is had: the fault meets the call itself
    spoilt.spoil(remotes.sandbox, remotes.vendor)
    with raises(spoilt.becomes) as caught:
        ask(remotes)
    spoilt.fits(caught.value, "mdm")


def test_a_wrong_secret(remotes: Remotes, raises: Raises) -> None:
    remotes.sandbox.world.mdm.client_secret = remotes.sandbox.world.maas360.password = "changed"
    with raises(Refused):
        ASK["groups"](remotes)


def test_every_error_but_not_found_is_raised_since_what_is_not_there_is_an_answer(remotes: Remotes) -> None:
    def wrong_secret() -> None:
        fresh = Remotes(remotes.sandbox)
        remotes.sandbox.world.mdm.client_secret = remotes.sandbox.world.maas360.password = "changed"
        ASK["find"](fresh)

    kinds = raised(remotes.sandbox, remotes.vendor, lambda: ASK["find"](remotes), wrong_secret)
    assert kinds == set(FIVE) - {NotFound}
