"""The pretend Workspace ONE over its own socket, asked as a client of the real one would ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from sandbox.server import Sandbox
from sandbox.workspace_one_gate import tenant_code
from sandbox.world import ManagedRecord
from tests.sandbox.conftest import afresh

V1, V2 = "application/json;version=1", "application/json;version=2"
HUB = "com.airwatch.ios.agent"


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    return afresh(running, "not_compliant")


class Client:
    """A requests session that pins what it is told to pin and nothing else."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.http = sandbox, requests.Session()
        self.http.trust_env = False
        self.http.verify = str(sandbox.keys.ca_pem)

    def token(self, **change: str) -> requests.Response:
        mdm = self.sandbox.world.mdm
        form = {"grant_type": "client_credentials", "client_id": mdm.client_id, "client_secret": mdm.client_secret}
        url = f"{self.sandbox.api_url}/ws1auth/connect/token"
        return self.http.post(url, {**form, **change}, timeout=5, allow_redirects=False)

    def sign_in(self) -> Client:
        self.http.headers["Authorization"] = f"Bearer {self.token().json()['access_token']}"
        return self

    def call(self, method: str, path: str, accept: str = V1, **more: Any) -> requests.Response:
        headers = {"Accept": accept, **more.pop("headers", {})}
        url = f"{self.sandbox.api_url}/ws1/API{path}"
        return self.http.request(method, url, headers=headers, timeout=5, allow_redirects=False, **more)


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    client = Client(sandbox).sign_in()
    with client.http:
        yield client


@pytest.fixture
def record(sandbox: Sandbox) -> ManagedRecord:
    return sandbox.world.records[sandbox.world.phones["mia"].record_id or 0]


# who is let in


def test_a_token_says_its_life_as_a_number_and_as_text(sandbox: Sandbox) -> None:
    client = Client(sandbox)
    with client.http:
        lives = [client.token().json()["expires_in"] for _ in range(2)]
    assert sorted(map(str, lives)) == ["3600", "3600"]
    assert {type(life) for life in lives} == {int, str}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"extra": "1"}, "invalid_request"),
    ],
)
def test_a_wrong_token_request_gets_oauths_own_error(sandbox: Sandbox, change: dict[str, str], error: str) -> None:
    client = Client(sandbox)
    with client.http:
        answer = client.token(**change)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Basic bm90OnJpZ2h0", "Basic %%%", "Digest x"])
def test_without_a_good_credential_it_is_401_with_1005(client: Client, header: str) -> None:
    answer = client.call("GET", "/mdm/devices/search", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["errorCode"]) == (401, 1005)


def test_a_token_ends(client: Client, sandbox: Sandbox) -> None:
    sandbox.world.advance(3601)
    assert client.call("GET", "/mdm/devices/search").status_code == 401


def test_basic_wants_the_tenant_code_too(client: Client, sandbox: Sandbox) -> None:
    mdm = sandbox.world.mdm
    basic = requests.auth._basic_auth_str(mdm.client_id, mdm.client_secret)
    headers = {"Authorization": basic, "aw-tenant-code": "wrong"}
    refused = client.call("GET", "/mdm/devices/search", headers=headers)
    assert (refused.status_code, refused.json()["errorCode"]) == (403, 1013)
    headers["aw-tenant-code"] = tenant_code(sandbox.world)
    assert client.call("GET", "/mdm/devices/search", headers=headers).status_code == 200


# the manners of its answers


def test_a_wrong_path_is_answered_in_html(client: Client) -> None:
    answer = client.call("GET", "/mdm/nowhere")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_wrong_method_is_405(client: Client) -> None:
    assert client.call("DELETE", "/mdm/devices/search").status_code == 405


def test_case_of_the_path_does_not_matter(client: Client) -> None:
    assert client.call("GET", "/MDM/Devices/Search").status_code == 200


def test_unknown_parameters_and_versions_are_refused(client: Client, record: ManagedRecord) -> None:
    assert client.call("GET", "/mdm/devices/search", params={"usr": "mia"}).status_code == 400
    assert client.call("GET", "/mdm/devices/search", "application/json;version=9").status_code == 400
    assert client.call("GET", f"/mdm/devices/{record.id}", "application/xml;version=1").status_code == 406


def test_an_unpinned_search_is_answered_as_version_2(client: Client) -> None:
    answer = client.call("GET", "/mdm/devices/search", "application/json")
    assert answer.headers["x-api-version"] == "v2"
    assert client.call("GET", "/mdm/devices/search", "application/json", params={"seensince": "2024-01-01"}).status_code == 400


def test_every_answer_tells_what_is_left_of_the_limit(client: Client) -> None:
    first, second = (client.call("GET", "/mdm/devices/search").headers for _ in range(2))
    assert int(second["x-ratelimit-remaining"]) == int(first["x-ratelimit-remaining"]) - 1
    assert int(first["x-ratelimit-reset"]) > 0


def test_the_ledger_names_the_caller(client: Client, sandbox: Sandbox) -> None:
    client.call("GET", "/mdm/devices/search")
    assert sandbox.ledger.since(0, "workspace_one")[-1].client_id == sandbox.world.mdm.client_id


# people and devices


def test_the_mail_filter_finds_parts(client: Client, sandbox: Sandbox) -> None:
    people = sandbox.world.persons.values()
    next(person for person in people if person.name == "Noah Lind").mail = "anmia.berger@contoso.example"
    answer = client.call("GET", "/system/users/search", params={"email": "mia.berger@contoso.example"})
    assert [user["UserName"] for user in answer.json()["Users"]] == ["mia", "noah"]


def test_a_user_by_uuid_tells_the_upn(client: Client, sandbox: Sandbox) -> None:
    found = client.call("GET", "/system/users/search", params={"username": "mia"}).json()["Users"][0]
    user = client.call("GET", f"/system/users/{found['Uuid']}", V2).json()
    assert user["userPrincipalName"] == "mia.berger@contoso.example"
    assert client.call("GET", "/system/users/7d20bd7c-0000-4000-8000-000000000000", V2).status_code == 404


def test_devices_are_searched_by_user_name_and_not_by_mail(client: Client) -> None:
    assert client.call("GET", "/mdm/devices/search", params={"user": "mia"}).json()["Total"] == 1
    nothing = client.call("GET", "/mdm/devices/search", params={"user": "mia.berger@contoso.example"})
    assert (nothing.status_code, nothing.content) == (204, b"")


def test_pages_count_from_0(client: Client) -> None:
    pages = [client.call("GET", "/mdm/devices/search", params={"page": page, "pagesize": 1}) for page in range(3)]
    assert [page.status_code for page in pages] == [200, 200, 204]
    assert [page.json()["Page"] for page in pages[:2]] == [0, 1]
    assert client.call("GET", "/mdm/devices/search", params={"pagesize": 501}).status_code == 400


@pytest.mark.parametrize("since", ["2030/01/01", "2030-01-01T00:00:00.000", "01/02/2030 10:00:00"])
def test_seen_since_takes_the_vendors_forms(client: Client, since: str) -> None:
    assert client.call("GET", "/mdm/devices/search", params={"seensince": since}).status_code == 204
    assert client.call("GET", "/mdm/devices/search", V2, params={"seen_since": since}).status_code == 204


def test_a_device_in_version_1_and_2(client: Client, record: ManagedRecord) -> None:
    one = client.call("GET", f"/mdm/devices/{record.id}").json()
    assert (one["Uuid"], one["ComplianceStatus"], one["UserName"]) == (record.uuid, "NonCompliant", "mia")
    assert not one["LastSeen"].endswith("Z")
    two = client.call("GET", f"/mdm/devices/{record.uuid}", V2).json()
    assert (two["id"], two["enrollmentInfo"]["compliant"]) == (record.id, False)
    assert two["enrollmentInfo"]["lastSeenTimestamp"].endswith("Z")
    assert client.call("GET", f"/mdm/devices/{record.id}", V2).status_code == 400


def test_a_device_by_serial_and_one_that_is_not_there(client: Client, record: ManagedRecord) -> None:
    found = client.call("GET", "/mdm/devices", params={"searchby": "Serialnumber", "id": record.serial})
    assert found.json()["Id"]["Value"] == record.id
    for missing in ("/mdm/devices/999999", "/mdm/devices?searchby=Udid&id=none"):
        answer = client.call("GET", missing)
        assert (answer.status_code, answer.json()["errorCode"]) == (404, 5061)


def test_compliance_says_why_in_pages(client: Client, record: ManagedRecord) -> None:
    whole = client.call("GET", f"/mdm/devices/{record.id}/compliance").json()
    failing = [item["PolicyName"] for item in whole["DeviceCompliance"] if not item["CompliantStatus"]]
    assert (failing, whole["OverallCompliantStatus"], whole["Total"]) == (["Passcode required"], "NonCompliant", 3)
    second = client.call("GET", f"/mdm/devices/{record.id}/compliance", params={"page": 1, "pagesize": 2}).json()
    assert len(second["DeviceCompliance"]) == 1


def test_security_carries_facts_and_things_not_to_be_logged(client: Client, record: ManagedRecord) -> None:
    answer = client.call("GET", f"/mdm/devices/{record.id}/security").json()
    assert (answer["IsPasscodePresent"], answer["IsEncrypted"], answer["IsCompromised"]) == (False, True, False)
    assert "SECRET" in answer["PersonalRecoveryKey"]


# what can be done


def _note(client: Client, record: ManagedRecord, method: str = "PUT", name: str = "EntraDeviceId") -> dict[str, Any]:
    item = {"Name": name, "Value": "8c2e", "ApplicationGroup": "EntraLink"}
    answer = client.call(method, f"/mdm/devices/{record.id}/customattributes", json={"CustomAttributes": [item]})
    assert answer.status_code == 200
    counted: dict[str, Any] = answer.json()
    return counted


def test_an_attribute_must_be_defined_before_it_takes_a_value(client: Client, record: ManagedRecord) -> None:
    assert _note(client, record)["FailedItems"] == 1
    assert client.call("GET", "/system/customattributes/search").status_code == 204
    definition = {"Name": "EntraDeviceId", "ApplicationGroup": "EntraLink", "Persist": False}
    assert client.call("POST", "/system/customattributes/create", json=definition).status_code == 200
    assert client.call("POST", "/system/customattributes/create", json=definition).status_code == 400
    assert client.call("GET", "/system/customattributes/search").json()["Total"] == 1
    assert _note(client, record)["AcceptedItems"] == 1
    found = client.call("GET", "/mdm/devices/customattribute/search", params={"deviceid": record.id}).json()
    assert found["Devices"][0]["CustomAttributes"][0]["Value"] == "8c2e"
    _note(client, record, "DELETE")
    assert record.custom_attributes == {}


def test_records_are_found_by_the_stored_spelling_alone_and_every_one_of_them(
    client: Client, sandbox: Sandbox, record: ManagedRecord
) -> None:
    world, twin = sandbox.world, replace(record, id=record.id + 5000)
    world.records[twin.id] = twin

    def found(kind: str, *values: str) -> list[int]:
        answer = client.call("POST", "/mdm/devices", params={"searchby": kind}, json={"BulkValues": {"Value": list(values)}})
        return [row["Id"]["Value"] for row in answer.json()["Devices"]] if answer.status_code == 200 else []

    assert found("Serialnumber", record.serial, "F2LXNOBODY77") == [record.id, twin.id]
    assert found("Udid", record.udid) == [record.id, twin.id]
    assert found("Serialnumber", record.serial.lower()) == []
    assert (
        client.call("POST", "/mdm/devices", params={"searchby": "Owner"}, json={"BulkValues": {"Value": ["x"]}}).status_code == 400
    )


def test_groups_of_three_kinds_in_pages_and_the_look_up_values_of_the_own_group(client: Client, sandbox: Sandbox) -> None:
    own, below = client.call("GET", "/system/groups/search", params={"orderby": "Id"}).json()["LocationGroups"]
    assert below["ParentLocationGroup"]["Id"] == own["Id"] != own["ParentLocationGroup"]["Id"]
    users = client.call("GET", "/system/usergroups/search", params={"page": 1, "pagesize": 1}).json()
    assert (users["Total"], users["Page"], len(users["ResultSet"])) == (2, 1, 1)
    assert client.call("GET", "/system/usergroups/custom/search").status_code == 204
    smart = client.call("GET", "/mdm/smartgroups/search", params={"name": "all d"}).json()["SmartGroups"]
    assert [(group["Name"], group["Devices"]) for group in smart] == [("All Devices", len(sandbox.world.records))]
    keys = client.call("GET", f"/system/lookup-value/keys/{own['Uuid']}").json()
    assert keys[0]["key"] == "DeviceUid"
    assert client.call("GET", f"/system/lookup-value/keys/{below['Uuid']}").status_code == 404


def test_definitions_go_with_the_story(client: Client, sandbox: Sandbox) -> None:
    definition = {"Name": "EntraDeviceId", "ApplicationGroup": "EntraLink"}
    client.call("POST", "/system/customattributes/create", json=definition)
    sandbox.begin("already_fine")
    assert client.call("GET", "/system/customattributes/search").status_code == 204


def test_after_a_device_query_the_record_says_what_is_true(client: Client, sandbox: Sandbox, record: ManagedRecord) -> None:
    sandbox.world.phones["mia"].health.passcode = True
    before = client.call("GET", f"/mdm/devices/{record.id}").json()
    asked = client.call("POST", f"/mdm/devices/{record.id}/commands", params={"command": "DeviceQuery"})
    assert (asked.status_code, asked.content) == (202, b"")
    assert client.call("GET", f"/mdm/devices/{record.id}").json()["LastSeen"] == before["LastSeen"]
    sandbox.world.advance(sandbox.world.lags.check_in_lag)
    after = client.call("GET", f"/mdm/devices/{record.id}").json()
    assert after["ComplianceStatus"] == "Compliant"
    assert after["LastSeen"] > before["LastSeen"]
    assert after["LastComplianceCheckOn"] > before["LastComplianceCheckOn"]


@pytest.mark.parametrize("command", ["DeviceWipe", "EnterpriseWipe", "Lock", ""])
def test_the_role_may_only_ask_for_news(client: Client, record: ManagedRecord, command: str) -> None:
    answer = client.call("POST", f"/mdm/devices/{record.id}/commands", params={"command": command})
    assert answer.status_code == 403
    by_serial = {"searchby": "Serialnumber", "id": record.serial, "command": command or "Lock"}
    assert client.call("POST", "/mdm/devices/commands", params=by_serial).status_code == 403


def test_a_push_message_reaches_that_phone_alone(client: Client, sandbox: Sandbox, record: ManagedRecord) -> None:
    message = {"MessageBody": "Is this you? http://localhost/x", "Application": HUB, "MessageType": "Apns"}
    path = f"/mdm/devices/{record.id}/messages/push"
    assert client.call("POST", path, json=message).status_code == 200
    assert [m.body for m in sandbox.world.phones["mia"].messages] == [message["MessageBody"]]
    assert sandbox.world.phones["noah"].messages == []


@pytest.mark.parametrize(
    "body",
    [{}, {"MessageBody": "x"}, {"MessageBody": "x", "Application": HUB, "MessageType": "Pigeon"}, {"Nonsense": 1}, []],
)
def test_a_malformed_push_message_is_refused(client: Client, record: ManagedRecord, body: Any) -> None:
    assert client.call("POST", f"/mdm/devices/{record.id}/messages/push", json=body).status_code == 400
    no_json = client.call("POST", f"/mdm/devices/{record.id}/messages/push", data="x", headers={"Content-Type": "text/plain"})
    assert no_json.status_code == 415


# event notifications

TARGET = {
    "TargetName": "ours",
    "TargetUrl": "http://localhost:9/hooks",
    "Username": "us",
    "Password": "planted-password",
    "Format": 1,
    "IsActive": True,
    "DeviceEvents": {"ComplianceStatusChange": True},
}


def test_an_event_target_is_made_found_changed_and_taken_away(client: Client, sandbox: Sandbox) -> None:
    search = "/system/eventnotifications/search?targetname=our"
    assert client.call("GET", search).status_code == 204
    made = client.call("POST", "/system/eventnotifications", json=TARGET)
    assert (made.status_code, made.content) == (201, b"")
    found = client.call("GET", search).json()
    assert found["TotalResults"] == 1
    [target] = found["EventNotifications"]
    assert "Password" not in target
    where = f"/system/eventnotifications/{target['id']}"
    without = {name: value for name, value in TARGET.items() if name != "Password"}
    assert client.call("PUT", where, json={**without, "Format": 0}).status_code == 204
    assert sandbox.events.targets[target["id"]].told["Password"] == "planted-password"
    assert client.call("GET", where).json()["Format"] == 0
    assert client.call("DELETE", where).status_code == 204
    assert client.call("GET", where).json()["errorCode"] == 404
    assert "planted-password" not in str([entry.as_json() for entry in sandbox.ledger.since(0)])
    sandbox.events.stop()


@pytest.mark.parametrize(
    "change",
    [
        {"TargetUrl": "https://elsewhere.example/"},
        {"Format": 2},
        {"Format": True},
        {"IsActive": "yes"},
        {"DeviceEvents": {"Unheard": True}},
        {"Extra": 1},
        {"TargetName": ""},
    ],
)
def test_an_event_target_that_makes_no_sense_is_refused(client: Client, sandbox: Sandbox, change: dict[str, Any]) -> None:
    assert client.call("POST", "/system/eventnotifications", json={**TARGET, **change}).status_code == 400
    assert not sandbox.events.targets
