"""The pretend Fleet on the wire: its token, its pages, its search, its errors, and what a phone there cannot tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import requests

from sandbox.faults import Fault
from sandbox.server import SandboxConfig, create_sandbox
from tests.wsgi_adapter import WSGIAdapter


class Client:
    """What a client of the real service would send, by hand."""

    def __init__(self, folder: Any, scenario: str = "mac_on_fleet") -> None:
        self.sandbox = create_sandbox(SandboxConfig(ca_folder=folder, scenario=scenario))
        self.world = self.sandbox.world
        for record in self.world.records.values():
            record.vendor = "fleet"
        self.session = requests.Session()
        self.session.mount("https://", WSGIAdapter(self.sandbox.api))
        self.header: str | None = f"Bearer {self.world.fleet.token}"

    @property
    def record(self) -> Any:
        return self.world.records[self.world.phones["mia"].record_id or 0]

    def ask(self, path: str, method: str = "GET", *, json: Any = None, **query: Any) -> requests.Response:
        headers = {"Authorization": self.header} if self.header is not None else {}
        address = f"{self.sandbox.api_url}/fleet/api/v1/fleet/{path}"
        return self.session.request(method, address, params=query, json=json, headers=headers, timeout=10)

    def hosts(self, **query: Any) -> list[dict[str, Any]]:
        answer = self.ask("hosts", **{"per_page": 100, **query})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["hosts"]
        return found

    def host(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ask(f"hosts/{self.record.id}").json()["host"]
        return found

    def more(self, count: int) -> None:
        for number in range(5000, 5000 + count):
            self.world.records[number] = replace(self.record, id=number, uuid=self.world.new_id(), serial=f"F2LX{number}")


@pytest.fixture
def fleet(tmp_path: Any) -> Client:
    return Client(tmp_path)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", "bearer {}", "{}", "Basic {}"])
def test_only_the_token_as_a_bearer_lets_in(fleet: Client, header: str | None) -> None:
    assert fleet.ask("hosts", per_page=1).status_code == 200
    fleet.header = header and header.format(fleet.world.fleet.token)
    answer = fleet.ask("hosts", per_page=1)
    assert (answer.status_code, answer.json()["message"]) == (401, "Authentication required")
    assert set(answer.json()["errors"][0]) == {"name", "reason"}


def test_pages_begin_at_none_and_the_last_is_not_full(fleet: Client) -> None:
    fleet.more(5)
    every = [host["id"] for host in fleet.hosts(order_key="id")]
    pages = [[host["id"] for host in fleet.hosts(order_key="id", page=n, per_page=3)] for n in range(4)]
    assert [number for page in pages for number in page] == every == sorted(every)
    assert [len(page) for page in pages][-1] == 0
    assert fleet.ask("hosts/count").json() == {"count": len(every)}
    assert [host["id"] for host in fleet.hosts(order_key="id", order_direction="desc")] == every[::-1]


@pytest.mark.parametrize(
    "query",
    [
        {"per_page": 501},
        {"per_page": 0},
        {"page": -1},
        {"order_key": "password"},
        {"order_direction": "asc"},
        {"pagesize": 10},
        {"device_mapping": "perhaps"},
        {"mdm_enrollment_status": "well"},
    ],
)
def test_what_it_does_not_know_is_refused_in_its_own_form(fleet: Client, query: dict[str, Any]) -> None:
    answer = fleet.ask("hosts", **{"per_page": 10, **query})
    assert (answer.status_code, answer.json()["message"]) == (400, "Bad request")


def test_a_search_finds_parts_and_mail_addresses_only_by_what_looks_like_one(fleet: Client) -> None:
    record = fleet.record

    def found(word: str) -> bool:
        return record.id in [host["id"] for host in fleet.hosts(query=word)]

    assert [found(word) for word in (record.serial, record.serial[3:7].lower(), record.udid)] == [True] * 3
    assert [found(word) for word in ("mia.berger@contoso.example", "berger@cont", "berger.contoso")] == [True, True, False]
    record.reported_name = "Mia Berger's"
    assert [found(word) for word in ("mia-berger", "no such")] == [True, False]


def test_whose_it_is_comes_by_source_and_a_list_tells_when_asked(fleet: Client) -> None:
    record = fleet.record
    record.also_mapped = [("mia@private.example", "google_chrome_profiles")]
    signed_in = {"email": "mia.berger@contoso.example", "source": "mdm_idp_accounts"}
    chrome = {"email": "mia@private.example", "source": "google_chrome_profiles"}
    answer = fleet.ask(f"hosts/{record.id}/device_mapping").json()
    assert answer == {"host_id": record.id, "device_mapping": [signed_in, chrome]}

    def listed(**query: Any) -> Any:
        return next(host for host in fleet.hosts(**query) if host["id"] == record.id).get("device_mapping", "not told")

    assert listed() == "not told"
    assert listed(device_mapping="true") == [signed_in, chrome]
    fleet.sandbox.faults.add(Fault("fleet", "unmapped"))
    assert listed(device_mapping="true") == [chrome]
    fleet.world.persons[record.person_oid].mdm_user_id = None
    record.also_mapped = []
    assert listed(device_mapping="true") is None


def test_policies_say_pass_fail_or_nothing_yet_and_how_to_mend_it(fleet: Client) -> None:
    fleet.record.reported.encrypted = False
    told = {policy["name"]: (policy["response"], policy["resolution"]) for policy in fleet.host()["policies"]}
    assert told["Passcode required"][0] == "pass"
    assert told["Encryption on"] == ("fail", "Open System Settings, choose Privacy & Security, then FileVault, and turn it on.")
    assert fleet.host()["issues"]["failing_policies_count"] == 1
    assert "policies" not in fleet.hosts()[0]
    assert {p["response"] for p in fleet.hosts(populate_policies="true", query=fleet.record.serial)[0]["policies"]} == {
        "pass",
        "fail",
    }
    fleet.sandbox.faults.add(Fault("fleet", "never_run"))
    host = fleet.host()
    assert {policy["response"] for policy in host["policies"]} == {""}
    assert host["policy_updated_at"] == "2000-01-01T00:00:00Z"


@pytest.mark.parametrize(("scenario", "platform"), [("ipad", "ipados"), ("android_work_profile", "android")])
def test_a_phone_has_profiles_and_no_policies_and_nobody_knows_its_passcode(tmp_path: Any, scenario: str, platform: str) -> None:
    fleet = Client(tmp_path, scenario)
    before = fleet.host()
    assert (before["platform"], before["policies"], before["policy_updated_at"]) == (platform, [], "2000-01-01T00:00:00Z")
    assert {profile["status"] for profile in before["mdm"]["profiles"]} == {"verified"}
    assert "disk_encryption_enabled" not in before
    fleet.record.reported.passcode = False
    assert fleet.host() == before
    assert "profiles" not in fleet.hosts()[0]["mdm"]


@pytest.mark.parametrize(
    ("ownership", "status", "told"),
    [
        ("C", "Enrolled", "On (automatic)"),
        ("E", "Enrolled", "On (manual)"),
        ("C", "Unenrolled", "Off"),
        ("C", "Pending", "Pending"),
    ],
)
def test_its_words_for_an_enrollment(fleet: Client, ownership: Any, status: str, told: str) -> None:
    fleet.record.ownership, fleet.record.enrollment_status = ownership, status
    assert fleet.host()["mdm"]["enrollment_status"] == told
    fleet.record.enrollment_status = "EnterpriseWipePending"
    assert fleet.host()["mdm"]["pending_action"] == "wipe"


def test_a_refetch_is_heard_by_the_device_and_waits_meanwhile(fleet: Client) -> None:
    fleet.world.phones["mia"].health.passcode = False
    answer = fleet.ask(f"hosts/{fleet.record.id}/refetch", "POST")
    assert (answer.status_code, answer.json(), fleet.host()["refetch_requested"]) == (200, {}, True)
    fleet.world.advance(3)
    host = fleet.host()
    assert (host["refetch_requested"], host["issues"]["failing_policies_count"]) == (False, 1)


def test_by_identifier_the_first_of_several(fleet: Client) -> None:
    record = fleet.record
    for word in (record.serial, record.udid.lower()):
        assert fleet.ask(f"hosts/identifier/{word}").json()["host"]["id"] == record.id
    fleet.world.records[1] = replace(record, id=1)
    assert fleet.ask(f"hosts/identifier/{record.serial}").json()["host"]["id"] == 1


@pytest.mark.parametrize("path", ["hosts/999", "hosts/999/device_mapping", "hosts/identifier/nobody"])
def test_what_is_not_there_is_said_in_its_form_and_a_wrong_path_is_a_page(fleet: Client, path: str) -> None:
    answer = fleet.ask(path)
    assert (answer.status_code, answer.json()["message"]) == (404, "Resource Not Found")
    page = fleet.ask("hosts/999/nothing")
    assert (page.status_code, page.headers["Content-Type"].partition(";")[0]) == (404, "text/html")


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("hosts/{}", "DELETE"),
        ("hosts/{}/wipe", "POST"),
        ("hosts/{}/lock", "POST"),
        ("hosts/{}/mdm", "DELETE"),
        ("hosts/{}/device_mapping", "PUT"),
        ("hosts/delete", "POST"),
        ("commands/run", "POST"),
    ],
)
def test_an_observer_changes_nothing(fleet: Client, path: str, method: str) -> None:
    answer = fleet.ask(path.format(fleet.record.id), method, json={})
    assert (answer.status_code, answer.json()["message"]) == (403, "forbidden")


def test_teams_are_a_paid_feature_and_a_capped_page_is_smaller_than_asked_for(fleet: Client) -> None:
    assert fleet.ask("hosts", per_page=10, team_id=1).status_code == 402
    fleet.more(5)
    fleet.sandbox.faults.add(Fault("fleet", "capped", times=1))
    assert (len(fleet.hosts()), len(fleet.hosts()) > 2) == (2, True)


def test_what_another_mdm_holds_does_not_show_here(fleet: Client) -> None:
    fleet.record.vendor = "workspace_one"
    assert fleet.record.id not in [host["id"] for host in fleet.hosts()]
    assert fleet.ask(f"hosts/{fleet.record.id}").status_code == 404
