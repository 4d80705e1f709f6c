"""How each story begins, as the vendors' own interfaces show it, and what can be done in it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import requests
from bs4 import BeautifulSoup

from sandbox.deeds import BadOrder, do
from sandbox.policy import open_outlook
from sandbox.scenarios import SCENARIOS, Addresses, seed
from sandbox.server import SandboxConfig, create_sandbox
from sandbox.troubles import TROUBLES, refusal
from sandbox.workspace_one_shapes import PLATFORM_NUMBERS
from sandbox.world import World
from tests.sandbox.conftest import Hands, returned
from tests.sandbox.partner import Partner

CAST = "registeredDevices/microsoft.graph.device"
WHAT = "id,deviceId,displayName,operatingSystem,accountEnabled,registrationDateTime,isCompliant"


def begin(hands: Hands, name: str) -> None:
    hands.facts = hands.control("POST", "scenario", {"name": name})
    hands._tokens.clear()
    hands.control("PATCH", "lags", {"page_size": 50, "registration_lag": 0, "enrollment_lag": 0})


def act(hands: Hands, action: str, key: str = "mia", **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = hands.control("POST", f"phone/{key}/act", {"action": action, **more})
    return answer


def mia_in_graph(hands: Hands, rest: str = "") -> str:
    return f"users/{hands.person('Mia')['oid']}{rest}"


def devices(hands: Hands) -> list[dict[str, Any]]:
    """Mia's, without the two that she has in every story."""
    found = hands.graph("GET", mia_in_graph(hands, f"/{CAST}?$select={WHAT}")).json()["value"]
    return [d for d in found if d["displayName"] not in ("CONTOSO-MB-07", "Mia old phone")]


def ws1(hands: Hands, path: str, **query: str) -> requests.Response:
    mdm = hands.facts["workspace_one"]
    form = {"grant_type": "client_credentials", "client_id": mdm["client_id"], "client_secret": mdm["client_secret"]}
    token = hands.api.post(mdm["token_url"], data=form, timeout=10).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json;version=1"}
    return hands.api.get(f"{mdm['api_url']}/{path}", params=query, headers=headers, timeout=10)


def records(hands: Hands, user: str = "mia") -> list[dict[str, Any]]:
    answer = ws1(hands, "mdm/devices/search", user=user)
    return [] if answer.status_code == 204 else list(answer.json()["Devices"])


def outlook(hands: Hands) -> dict[str, Any]:
    return act(hands, "open_outlook")


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in TROUBLES or name == "keychain"])
def test_every_story_has_words_pages_and_the_same_company(hands: Hands, name: str) -> None:
    before = hands.facts
    begin(hands, name)
    for same in ("tenant_id", "sign_in", "service", "workspace_one", "groups"):
        if (same, name) != ("groups", "not_in_group"):
            assert hands.facts[same] == before[same]
    assert [p["oid"] for p in hands.facts["persons"]][:5] == [p["oid"] for p in before["persons"]][:5]
    page = BeautifulSoup(hands.browser.get(hands.sandbox.pages_url + "/", timeout=5).text, "html.parser")
    button = page.select_one(f"button[value={name}]")
    assert button is not None
    assert SCENARIOS[name].title in button.get_text()
    assert button.get("aria-current") == "true"
    opened = [group for group in page.select("details.group") if group.has_attr("open")]
    assert [SCENARIOS[name].group in group.get_text() for group in opened] == [True]


@pytest.fixture(scope="module")
def world() -> World:
    """In process: no page and no protocol is in it."""
    return create_sandbox(SandboxConfig()).world


@pytest.mark.parametrize("name", TROUBLES)
def test_what_only_the_person_can_tell_is_in_the_way_until_it_is_cured(world: World, name: str) -> None:
    seed(world, name, Addresses("https://a/signed-in", "https://a/out", "https://a/enrollment", "https://a/remediation"))
    phone, trouble = world.in_hand, TROUBLES[name]
    if trouble.registers:
        assert trouble.says in (refusal(world, phone) or "")
        with pytest.raises(BadOrder, match=trouble.says[:10]):
            do(world, phone, {"action": "register"})
    else:
        shown = open_outlook(world, phone)
        assert (shown.kind, shown.code, shown.device_identifier) == ("trouble", trouble.code, "Not available")
        assert world.proven_by_browser() is None
    do(world, phone, {"action": "cure"})
    device = do(world, phone, {"action": "register"})["device_id"]
    assert world.proven_by_browser() is not None
    found = world.device_by_device_id(device)
    assert found is not None
    found.is_compliant = True
    assert open_outlook(world, phone).opens


def test_two_phones_and_either_in_the_hand(hands: Hands) -> None:
    begin(hands, "two_phones")
    assert len(devices(hands)) == 1
    assert {record["Model"] for record in records(hands)} == {"iPhone 15", "iPhone SE"}
    pages = hands.sandbox.pages_url
    assert "iPhone SE" in hands.browser.get(pages + "/", timeout=5).text
    assert hands.browser.post(pages + "/phone/switch", data={"key": "noah"}, timeout=5).status_code == 400
    home = hands.browser.post(pages + "/phone/switch", data={"key": "mia2"}, timeout=5).text
    assert "Mia’s second iPhone" in home
    hands.browser.get(pages + "/phone/outlook", timeout=5)
    shown = {phone["key"]: phone["outlook"] for phone in hands.control("GET", "facts")["phones"]}
    assert shown["mia"] is None
    assert shown["mia2"]["kind"] == "unregistered"
    act(hands, "register", "mia2")
    assert len(devices(hands)) == 2
    assert act(hands, "take")["key"] == "mia"


def test_hub_enrolls_an_unmanaged_phone(hands: Hands) -> None:
    begin(hands, "not_enrolled")
    assert records(hands) == []
    assert len(devices(hands)) == 1
    hub = hands.browser.get(f"{hands.sandbox.pages_url}/phone/hub", timeout=5).text
    assert 'id="enroll"' in hub
    assert 'id="sync"' in hands.browser.post(f"{hands.sandbox.pages_url}/phone/enroll", timeout=5).text
    assert act(hands, "enroll")["record_id"] == records(hands)[0]["Id"]["Value"]
    assert [record["EnrollmentStatus"] for record in records(hands)] == ["Enrolled"]


def test_a_new_record_is_found_after_the_enrollment_lag(hands: Hands) -> None:
    begin(hands, "not_enrolled")
    hands.control("PATCH", "lags", {"enrollment_lag": 60})
    number = act(hands, "enroll")["record_id"]
    assert records(hands) == []
    assert ws1(hands, f"mdm/devices/{number}").status_code == 200
    hands.control("POST", "clock", {"advance": 61})
    assert len(records(hands)) == 1


def told(hands: Hands) -> tuple[str, bool | None]:
    """Microsoft is told that Mia's device is compliant: what Intune says of the message, what Entra then shows."""
    partner = Partner(hands)
    message, answer = partner.send(partner.entities())
    assert answer.status_code == 200, answer.text
    hands.control("POST", "clock", {"advance": 30})
    return partner.status(message)["Status"], partner.is_compliant()


def test_telling_microsoft_opens_the_usual_phone(hands: Hands) -> None:
    begin(hands, "blocked_just_registered")
    assert told(hands) == ("Completed", True)
    assert outlook(hands)["opens"]


def test_without_a_licence_nothing_comes_of_it(hands: Hands) -> None:
    begin(hands, "no_licence")
    plans = hands.graph("GET", mia_in_graph(hands, "/licenseDetails")).json()["value"][0]["servicePlans"]
    assert [plan["servicePlanName"] for plan in plans] == ["AAD_PREMIUM"]
    assert told(hands) == ("Completed", None)


def test_outside_the_chosen_groups_nothing_comes_of_it(hands: Hands) -> None:
    begin(hands, "not_in_group")
    group = next(g for g in hands.facts["groups"] if g["name"] == "Mobile users")
    asked = hands.graph("POST", mia_in_graph(hands, "/checkMemberGroups"), {"groupIds": [group["id"]]})
    assert asked.json()["value"] == []
    assert told(hands) == ("Completed", None)


def test_an_old_registration_stands_beside_todays(hands: Hands) -> None:
    begin(hands, "registered_last_year")
    old, new = sorted(devices(hands), key=lambda d: str(d["registrationDateTime"]))
    assert old["displayName"] == new["displayName"] == "Mia’s iPhone"
    assert old["accountEnabled"] is new["accountEnabled"] is True
    assert old["registrationDateTime"][:4] < new["registrationDateTime"][:4]
    assert next(p for p in hands.facts["phones"] if p["key"] == "mia")["device_id"] == new["deviceId"]


@pytest.mark.parametrize(("name", "same"), [("reregistered_same_id", True), ("blocked_just_registered", False)])
def test_registering_again_keeps_the_device_id_in_one_story_only(hands: Hands, name: str, same: bool) -> None:
    begin(hands, name)
    (before,) = devices(hands)
    pages = hands.sandbox.pages_url
    assert 'id="register"' in hands.browser.post(f"{pages}/phone/unregister", timeout=5).text
    assert devices(hands) == []
    assert hands.graph("GET", f"devices/{before['id']}").status_code == 404
    assert outlook(hands)["kind"] == "unregistered"
    hands.control("POST", "clock", {"advance": 5})
    act(hands, "register")
    (after,) = devices(hands)
    assert after["id"] != before["id"]
    assert after["registrationDateTime"] > before["registrationDateTime"]
    assert (after["deviceId"] == before["deviceId"]) is same


def test_unregistering_by_control_does_the_same(hands: Hands) -> None:
    begin(hands, "reregistered_same_id")
    (before,) = devices(hands)
    assert act(hands, "unregister")["former_device_id"] == before["deviceId"]
    assert act(hands, "unregister")["former_device_id"] == before["deviceId"]
    assert act(hands, "register") == {"device_id": before["deviceId"]}


def test_a_phone_owned_by_another_is_hers_only_to_use(hands: Hands) -> None:
    begin(hands, "owned_by_another")
    (device,) = devices(hands)
    owners = hands.graph("GET", f"devices/{device['id']}/registeredOwners?$select=id").json()["value"]
    assert [owner["id"] for owner in owners] == [hands.person("Noah")["oid"]]
    assert outlook(hands)["code"] == 501312
    assert told(hands)[0] == "Failed"


def test_a_disabled_device(hands: Hands) -> None:
    begin(hands, "disabled_device")
    assert [device["accountEnabled"] for device in devices(hands)] == [False]
    assert outlook(hands)["code"] == 135011


def test_two_records_share_a_serial_and_the_older_reaches_nobody(hands: Hands) -> None:
    begin(hands, "duplicate_records")
    older, newer = sorted(records(hands), key=lambda r: str(r["LastSeen"]))
    assert older["SerialNumber"] == newer["SerialNumber"]
    assert older["EnrollmentStatus"] == newer["EnrollmentStatus"] == "Enrolled"
    assert older["Id"] != newer["Id"]
    assert older["LastSeen"][:10] < newer["LastSeen"][:10]
    assert next(p for p in hands.facts["phones"] if p["key"] == "mia")["record_id"] == newer["Id"]["Value"]


def test_compliant_and_still_blocked_by_another_policy(hands: Hands) -> None:
    begin(hands, "loop")
    (device,) = devices(hands)
    assert device["isCompliant"] is True
    shown = outlook(hands)
    assert (shown["opens"], shown["code"], shown["url"]) == (False, 53003, None)
    assert "Compliant, and still blocked." in hands.browser.get(hands.sandbox.pages_url + "/", timeout=5).text


def test_a_sign_in_that_cannot_be_approved_never_comes_back(hands: Hands) -> None:
    begin(hands, "new_phone_no_second_factor")
    waiting = hands.submit(hands.authorize(), account=hands.person("Mia")["oid"])
    assert waiting.status_code == 200
    assert "I can’t approve" in waiting.text
    again = hands.submit(waiting, again="1", account=hands.person("Mia")["oid"])
    assert (again.status_code, "AADSTS50074" in again.text) == (400, True)
    refused = hands.submit(again, cannot="1", account=hands.person("Mia")["oid"])
    assert (refused.status_code, "AADSTS500121" in refused.text) == (400, True)
    assert "Location" not in refused.headers
    assert returned(hands.authorize(prompt="none"))["error"] == "login_required"
    assert hands.sign_in("Noah")


def test_a_guest_is_said_to_be_one_by_graph_and_by_the_token(hands: Hands) -> None:
    begin(hands, "guest")
    assert hands.graph("GET", mia_in_graph(hands, "?$select=userType")).json()["userType"] == "Guest"
    assert claims(hands.redeem(hands.sign_in()).json()["id_token"])["acct"] == 1
    assert claims(hands.redeem(hands.sign_in("Noah")).json()["id_token"])["acct"] == 0


def claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def users(hands: Hands, **query: str) -> list[dict[str, Any]]:
    answer = ws1(hands, "system/users/search", **query)
    return [] if answer.status_code == 204 else list(answer.json()["Users"])


def test_a_staging_user_holds_the_phone(hands: Hands) -> None:
    begin(hands, "shared_user")
    (user,) = users(hands, email=hands.person("Mia")["mail"])
    assert (user["UserName"], user["ExternalId"], user["CustomAttribute1"]) == ("staging", "", "")
    assert len(records(hands, "staging")) == 1


def test_two_users_of_the_mdm_share_her_mail(hands: Hands) -> None:
    begin(hands, "ambiguous_owner")
    found = users(hands, email=hands.person("Mia")["mail"])
    assert [user["UserName"] for user in found] == ["mia", "mberger"]
    twin = next(p for p in hands.facts["persons"] if not p["tenant_id"])
    assert hands.graph("GET", f"users/{twin['oid']}").status_code == 404
    assert hands.submit(hands.authorize(), upn=twin["upn"], password="").status_code == 400
    assert twin["name"] not in hands.browser.get(hands.sandbox.pages_url + "/", timeout=5).text


def test_users_carry_what_an_owner_can_be_matched_by(hands: Hands) -> None:
    mia = hands.graph("GET", mia_in_graph(hands, "?$select=onPremisesSamAccountName,employeeId,accountEnabled")).json()
    (user,) = users(hands, username="mia")
    assert user["ExternalId"] == hands.person("Mia")["oid"]
    assert [user[f"CustomAttribute{n}"] for n in (1, 2, 3)] == [mia["employeeId"], mia["onPremisesSamAccountName"], ""]
    assert mia["accountEnabled"] is True
    unasked = hands.graph("GET", mia_in_graph(hands)).json()
    assert not {"employeeId", "onPremisesSamAccountName", "accountEnabled", "userType"} & set(unasked)


@pytest.mark.parametrize(
    ("name", "os", "platform", "shown", "registered"),
    [
        ("android_work_profile", "AndroidForWork", "Android", "Android", True),
        ("android_fully_managed", "Android", "Android", "Android", False),
        ("ipad", "iPad", "Apple", "iOS", True),
        ("mac", "MacMDM", "AppleOsX", "macOS", False),
        ("windows", "Windows", "WinRT", "Windows", True),
    ],
)
def test_other_devices_go_the_same_way(hands: Hands, name: str, os: str, platform: str, shown: str, registered: bool) -> None:
    begin(hands, name)
    (record,) = records(hands)
    assert (record["Platform"], record["PlatformId"]["Id"]["Value"]) == (platform, PLATFORM_NUMBERS[platform])
    assert record["ComplianceStatus"] == "Compliant"
    assert len(devices(hands)) == int(registered)
    assert outlook(hands)["device_platform"] == shown
    act(hands, "register")
    assert [device["operatingSystem"] for device in devices(hands)] == [os]
    hands.facts = hands.control("GET", "facts")
    phone = next(phone for phone in hands.facts["phones"] if phone["key"] == "mia")
    assert ("Macintosh" in phone["kind"]["user_agent"]) is (name in ("ipad", "mac"))
    assert told(hands) == (("Failed", None) if name == "windows" else ("Completed", True))
    assert outlook(hands)["opens"] is (name != "windows")


def test_a_message_that_says_windows_is_refused_at_the_door(hands: Hands) -> None:
    begin(hands, "windows")
    partner = Partner(hands)
    answer = partner.send(partner.entities(Os="Windows"))[1]
    assert answer.status_code == 400
    assert "not served" in answer.json()["odata.error"]["message"]["value"]
