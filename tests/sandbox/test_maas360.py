"""The pretend MaaS360 on the wire: sign-in, lock-out, XML or JSON, one-or-many, odd types, legal pages, custom attributes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import requests

from sandbox.faults import Fault
from sandbox.maas360_shapes import csn, epoch
from sandbox.server import SandboxConfig, create_sandbox
from tests.wsgi_adapter import WSGIAdapter

JSON = {"Accept": "application/json"}


class Client:
    """What a client of the real service would send, by hand."""

    def __init__(self, folder: Any) -> None:
        self.sandbox = create_sandbox(SandboxConfig(ca_folder=folder, scenario="on_maas360"))
        self.world, self.console = self.sandbox.world, self.sandbox.world.maas360
        self.session = requests.Session()
        self.session.mount("https://", WSGIAdapter(self.sandbox.api))
        self.token = ""

    @property
    def record(self) -> Any:
        return self.world.records[self.world.phones["mia"].record_id or 0]

    def ask(self, method: str, path: str, *, json: Any = None, header: str = "", **query: Any) -> requests.Response:
        own = {"Authorization": header or f'MaaS token="{self.token}"'} if self.token or header else {}
        form = {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" and json is None else {}
        address = f"{self.sandbox.api_url}/maas360/{path}"
        return self.session.request(method, address, params=query, json=json, headers={**JSON, **own, **form}, timeout=10)

    def signs_in(self, version: str = "2.0/authenticate/customer", **changed: Any) -> dict[str, Any]:
        own = self.console
        names: dict[str, Any] = {"billingID": own.billing_id, "platformID": "3", "appID": own.app_id, "appVersion": "1.0"}
        names |= {"appAccessKey": own.access_key, "userName": own.user, "password": own.password, **changed}
        given = {name: value for name, value in names.items() if value is not None}
        answer = self.ask("POST", f"auth-apis/auth/{version}/{own.billing_id}", json={"authRequest": {"maaS360AdminAuth": given}})
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()["authResponse"]
        self.token = found.get("authToken", self.token)
        return found

    def devices(self, **query: Any) -> dict[str, Any]:
        answer = self.ask("GET", f"device-apis/devices/2.0/search/customer/{self.console.billing_id}", **query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["devices"]
        return found

    def detail(self, name: str, method: str = "GET", **query: Any) -> requests.Response:
        named = {"deviceId": csn(self.record), **query}
        return self.ask(method, f"device-apis/devices/1.0/{name}/{self.console.billing_id}", **named)

    def more(self, count: int) -> None:
        for number in range(5000, 5000 + count):
            self.world.records[number] = replace(self.record, id=number, uuid=self.world.new_id(), serial=f"F2LX{number}")


@pytest.fixture
def maas(tmp_path: Any) -> Client:
    client = Client(tmp_path)
    client.signs_in()
    return client


def test_a_wrong_password_is_answered_with_200_and_a_code_and_the_third_locks(maas: Client) -> None:
    assert [maas.signs_in(password="no")["errorCode"] for _ in range(3)] == [1002] * 3
    locked = maas.signs_in()
    assert locked["errorCode"] not in (0, 1002)
    assert "authToken" not in locked
    maas.world.advance(3600)
    assert maas.signs_in()["errorCode"] == 0


def test_a_token_ends_after_an_hour_and_a_refresh_token_is_good_once(maas: Client) -> None:
    refresh = maas.signs_in()["refreshToken"]
    maas.world.advance(3600)
    ended = maas.ask("GET", f"device-apis/devices/2.0/search/customer/{maas.console.billing_id}")
    assert (ended.status_code, ended.json()["authResponse"]["errorCode"]) == (401, 1007)
    again = {"version": "2.0/refreshToken/customer", "password": None, "appAccessKey": None, "refreshToken": refresh}
    assert maas.signs_in(**again)["errorCode"] == 0
    assert maas.devices()["count"] == 1
    assert maas.signs_in(**again)["errorCode"] == 1002


@pytest.mark.parametrize("form", ["MaaS token='{}'", "MaaS {}", "Bearer {}", 'maas token="{}"', 'Bearer MaaS token="{}"'])
def test_only_the_exact_header_lets_in(maas: Client, form: str) -> None:
    path = f"device-apis/devices/2.0/search/customer/{maas.console.billing_id}"
    assert maas.ask("GET", path, header=form.format(maas.token)).status_code == 401
    maas.sandbox.faults.add(Fault("maas360", "takes_bearer"))
    kind = maas.ask("GET", path, header=form.format(maas.token)).status_code == 200
    assert kind is form.startswith("Bearer MaaS token=")


def test_without_accept_it_is_xml(maas: Client) -> None:
    address = f"{maas.sandbox.api_url}/maas360/device-apis/devices/2.0/search/customer/{maas.console.billing_id}"
    header = {"Accept": "*/*", "Authorization": f'MaaS token="{maas.token}"'}
    answer = maas.session.get(address, headers=header, timeout=10)
    assert answer.headers["Content-Type"].startswith("application/xml")
    assert "<maas360DeviceID>Appl" in answer.text


def test_none_one_and_many(maas: Client) -> None:
    assert "device" not in maas.devices(email="nobody@contoso.example")
    assert isinstance(maas.devices()["device"], dict)
    maas.more(1)
    assert isinstance(maas.devices()["device"], list)


def test_numbers_and_texts_change_places_unless_told_not_to(maas: Client) -> None:
    maas.more(2)
    odd = {(type(d["lastReportedInEpochms"]), type(d["osVersion"])) for d in maas.devices()["device"]}
    assert odd == {(int, float), (str, float)}
    maas.sandbox.faults.add(Fault("maas360", "plain_types"))
    plain = {(type(d["lastReportedInEpochms"]), type(d["osVersion"])) for d in maas.devices()["device"]}
    assert plain == {(int, float)} or plain == {(int, str)}


def test_pages_are_from_one_on_and_of_legal_sizes_alone(maas: Client) -> None:
    maas.more(30)
    path = f"device-apis/devices/2.0/search/customer/{maas.console.billing_id}"
    for query in ({"pageSize": 10}, {"pageSize": 500}, {"pageNumber": 0}, {"serial": "x"}):
        assert maas.ask("GET", path, **query).status_code == 400
    pages = [maas.devices(pageSize=25, pageNumber=n).get("device", []) for n in (1, 2, 3)]
    assert [len(page) for page in pages] == [25, 6, 0]


def test_polling_by_the_last_report(maas: Client) -> None:
    seen = epoch(maas.record.last_seen)
    assert maas.devices(lastReportedAfterInEpochms=seen - 1)["count"] == 1
    assert maas.devices(lastReportedAfterInEpochms=seen)["count"] == 0


def test_compliance_events_repeat_their_last_page(maas: Client) -> None:
    maas.record.reported.passcode = False
    path = f"device-apis/devices/1.0/searchComplianceEvents/{maas.console.billing_id}"
    pages = [maas.ask("GET", path, pageNumber=n, pageSize=25).json()["complianceEvents"] for n in (1, 2)]
    assert pages[0] == pages[1]
    assert (pages[1]["pageNumber"], pages[1]["pageSize"]) == (1, 1)


def test_custom_attributes_want_a_definition_and_take_no_odd_characters(maas: Client) -> None:
    def write(name: str, value: str) -> int:
        named = {"customAttributeName": name, "customAttributeValue": value}
        return int(maas.detail("setCustomAttributeValue", "POST", **named).json()["actionResponse"]["actionStatus"])

    define = f"device-apis/devices/2.0/customAttributes/customer/{maas.console.billing_id}"
    assert write("Link", "x") == 1
    assert [maas.ask("POST", define, json={"name": "Link"}).json()["responseCode"] for _ in range(2)] == [0, 7]
    assert [write("Link", value) for value in ("a.b", "<a", "it's", 'a"b', "a\\b")] == [1] * 5
    assert write("Link", "4d5b-8b55") == 0
    shown = maas.detail("identity").json()["deviceIdentity"]["customAttributes"]["customAttribute"]
    assert shown == {"customAttributeName": "Link", "customAttributeValue": "4d5b-8b55"}


def test_messages_and_refreshes_reach_the_pretend_phone(maas: Client) -> None:
    phone = maas.world.phones["mia"]
    done = maas.detail("sendMessage", "POST", messageTitle="Contoso", message="Tap")
    assert done.json()["actionResponse"]["actionStatus"] == 0
    assert [m.body for m in phone.messages] == ["Tap"]
    phone.health.passcode = False
    maas.detail("refreshDeviceInformation", "POST")
    maas.world.advance(3)
    assert maas.devices()["device"]["passcodeCompliance"] == "Out of Compliance"
    assert maas.detail("wipeDevice", "POST").status_code == 403


def test_one_device_lives_in_one_mdm(maas: Client) -> None:
    assert [r.vendor for r in maas.world.held_by("workspace_one")] == ["workspace_one"]
    assert maas.devices()["count"] == len(maas.world.held_by("maas360")) == 1
    maas.record.vendor = "workspace_one"
    assert maas.devices()["count"] == 0
    assert maas.detail("core").json()["errorCode"] != 0


def test_users_and_groups(maas: Client) -> None:
    billing = maas.console.billing_id
    users = maas.ask("GET", f"user-apis/user/1.0/search/{billing}", partialEmailAddress="mia.").json()["users"]
    assert (users["count"], users["user"]["userName"]) == (1, "mia")
    groups = maas.ask("GET", f"group-apis/group/1.0/groups/customer/{billing}").json()["groups"]["group"]
    assert [group["groupName"] for group in groups] == ["Mobile users", "Pilots", "All iOS devices"]


def test_the_users_of_a_group_by_who_holds_a_device_and_its_last_page_told_again(maas: Client) -> None:
    def users(group: int = 1, **query: Any) -> Any:
        path = f"user-apis/user/1.0/searchByGroup/customer/{maas.console.billing_id}/groupIdentifier/{group}"
        return maas.ask("GET", path, **query).json()

    counts = {which: users(includeAllUsers=which)["users"]["count"] for which in (0, 1, 2)}
    assert (counts[0], counts[1]) == (1, counts[0] + counts[2])
    last = users(includeAllUsers=1, pageNumber=7, pageSize=25)["users"]
    assert (last["pageNumber"], len(last["user"])) == (1, counts[1])
    assert users(group=3)["errorCode"] != 0, "a group of devices"
    assert users(includeAllUsers=3)["errorCode"] != 0


@pytest.mark.parametrize("accept", ["*/*", "application/xml", "text/html"])
def test_a_sign_in_without_accept_for_json_is_answered_in_xml_also_where_it_is_refused(maas: Client, accept: str) -> None:
    own = maas.console
    names = {"billingID": own.billing_id, "platformID": "3", "appID": own.app_id, "appVersion": "1.0"}
    for password, words in ((own.password, "<authToken>"), ("no", "<errorCode>1002</errorCode>")):
        given = {**names, "appAccessKey": own.access_key, "userName": own.user, "password": password}
        answer = maas.session.post(
            f"{maas.sandbox.api_url}/maas360/auth-apis/auth/2.0/authenticate/customer/{own.billing_id}",
            json={"authRequest": {"maaS360AdminAuth": given}},
            headers={"Accept": accept},
            timeout=10,
        )
        assert answer.headers["Content-Type"].startswith("application/xml")
        assert words in answer.text
