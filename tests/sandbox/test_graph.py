"""Graph: pages, lag, permissions, the one write, and that nothing unknown is ever taken silently."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import requests

from sandbox.world import GRAPH_APP_ID
from tests.sandbox.conftest import Hands

INTUNE = "0000000a-0000-0000-c000-000000000000"


def refused(answer: requests.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["code"] == code
    assert {"date", "request-id", "client-request-id"} == set(error["innerError"])


def mias(hands: Hands, query: str = "", cast: str = "/microsoft.graph.device") -> list[dict[str, Any]]:
    """All pages of Mia's registered devices."""
    found, url = [], f"{hands.facts['graph_url']}/users/{hands.person('Mia')['oid']}/registeredDevices{cast}{query}"
    while url:
        answer = hands.call("GET", url)
        assert answer.status_code == 200, answer.text
        found += answer.json()["value"]
        url = answer.json().get("@odata.nextLink")
    return found


def iphone(hands: Hands) -> dict[str, Any]:
    return next(device for device in mias(hands) if device["operatingSystem"] == "iOS")


def grant(hands: Hands, *roles: str) -> None:
    hands.control("PATCH", "app/service", {"permissions": {GRAPH_APP_ID: list(roles)}})


def test_a_person_is_found_by_either_name_and_a_stranger_is_not(hands: Hands) -> None:
    mia = hands.person("Mia")
    by_oid = hands.graph("GET", f"users/{mia['oid']}").json()
    assert by_oid["userPrincipalName"] == mia["upn"]
    assert "accountEnabled" not in by_oid
    assert hands.graph("GET", f"users('{mia['upn']}')?$select=id,accountEnabled").json() == {
        "@odata.context": f"{hands.facts['graph_url']}/$metadata#users/$entity",
        "id": mia["oid"],
        "accountEnabled": True,
    }
    for unknown in (uuid.uuid4(), hands.person("Sam")["upn"]):
        refused(hands.graph("GET", f"users/{unknown}"), 404, "Request_ResourceNotFound")


def test_registered_devices_come_in_pages_that_keep_the_selection(hands: Hands) -> None:
    first = hands.graph("GET", f"users/{hands.person('Mia')['oid']}/registeredDevices").json()
    assert len(first["value"]) == 2
    devices = mias(hands, "?$select=deviceId,registrationDateTime&$top=100")
    assert len(devices) == 3
    assert all(set(device) == {"deviceId", "registrationDateTime"} for device in devices)
    assert all("registrationDateTime" not in device for device in mias(hands))
    assert {device["@odata.type"] for device in mias(hands, cast="")} == {"#microsoft.graph.device"}


def test_a_page_token_is_good_for_its_own_list_only(hands: Hands) -> None:
    link = hands.graph("GET", f"users/{hands.person('Mia')['oid']}/registeredDevices").json()["@odata.nextLink"]
    elsewhere = link.replace(hands.person("Mia")["oid"], hands.person("Noah")["oid"])
    refused(hands.call("GET", elsewhere), 400, "Directory_ExpiredPageToken")


def test_a_registration_is_listed_only_after_its_lag(hands: Hands) -> None:
    hands.control("POST", "scenario", {"name": "blocked_unregistered"})
    hands.control("PATCH", "lags", {"registration_lag": 60})
    device_id = hands.control("POST", "phone/mia/act", {"action": "register"})["device_id"]
    path = f"devices(deviceId='{device_id}')"
    assert device_id not in [device["deviceId"] for device in mias(hands)]
    refused(hands.graph("GET", path), 404, "Request_ResourceNotFound")
    hands.control("POST", "clock", {"advance": 61})
    assert device_id in [device["deviceId"] for device in mias(hands)]
    assert hands.graph("GET", path).json()["isCompliant"] is None


def test_a_device_is_found_by_every_key_and_names_its_owner(hands: Hands) -> None:
    device = iphone(hands)
    found = hands.graph("GET", f"devices?$filter=deviceId eq '{device['deviceId']}'").json()["value"]
    assert [item["id"] for item in found] == [device["id"]]
    assert hands.graph("GET", f"devices/{device['id']}").json()["deviceId"] == device["deviceId"]
    assert hands.graph("GET", f"devices?$filter=deviceId eq '{uuid.uuid4()}'").json()["value"] == []
    for key in (device["id"], None):
        path = f"devices/{key}" if key else f"devices(deviceId='{device['deviceId']}')"
        owners = hands.graph("GET", f"{path}/registeredOwners?$select=id,userPrincipalName").json()["value"]
        assert [owner["userPrincipalName"] for owner in owners] == [hands.person("Mia")["upn"]]


def test_licences_name_their_service_plans(hands: Hands) -> None:
    details = hands.graph("GET", f"users/{hands.person('Mia')['oid']}/licenseDetails").json()["value"]
    plans = {plan["servicePlanId"]: plan["provisioningStatus"] for plan in details[0]["servicePlans"]}
    assert plans["c1ec4a95-1f05-45b3-a911-aa3fa01094f5"] == "Success"


def test_discovery_of_the_partner_service_by_every_form_of_key(hands: Hands) -> None:
    found = hands.graph("GET", f"servicePrincipals?$filter=appId eq '{INTUNE}'").json()["value"]
    assert [item["appId"] for item in found] == [INTUNE]
    for key in (f"/{found[0]['id']}", f"/appId={INTUNE}", f"(appId='{INTUNE}')"):
        endpoints = hands.graph("GET", f"servicePrincipals{key}/endpoints").json()["value"]
        assert {"PartnerTenantDataSyncService", "PartnerDeviceDataSyncService"} < {e["providerName"] for e in endpoints}
    assert hands.graph("GET", f"servicePrincipals?$filter=appId eq '{uuid.uuid4()}'").json()["value"] == []
    refused(hands.graph("GET", f"servicePrincipals/{uuid.uuid4()}/endpoints"), 404, "Request_ResourceNotFound")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("devices?$orderby=displayName", "Request_BadRequest"),
        ("devices?page=2", "Request_BadRequest"),
        ("devices?$select=id,serialNumber", "Request_BadRequest"),
        ("devices?$top=0", "Request_BadRequest"),
        ("devices?$top=1000", "Request_BadRequest"),
        ("devices?$filter=displayName eq 'x'", "Request_UnsupportedQuery"),
        ("devices?$filter=deviceId eq ''' or 1 eq 1", "Request_UnsupportedQuery"),
        ("users/{mia}/registeredDevices?$select=deviceId", "Request_BadRequest"),
        ("users/{mia}?$expand=manager", "Request_BadRequest"),
    ],
)
def test_an_unknown_option_is_refused_not_ignored(hands: Hands, path: str, code: str) -> None:
    refused(hands.graph("GET", path.format(mia=hands.person("Mia")["oid"])), 400, code)


def test_unknown_paths_and_methods(hands: Hands) -> None:
    refused(hands.graph("GET", "nothing"), 404, "BadRequest")
    refused(hands.graph("DELETE", f"devices/{iphone(hands)['id']}"), 405, "Request_BadRequest")


@pytest.mark.parametrize("token", ["", "garbage", "of intune", "expired"])
def test_a_token_for_something_else_is_a_401(hands: Hands, token: str) -> None:
    if token == "of intune":
        token = hands.app_token("intune")
    if token == "expired":
        token = hands.app_token()
        hands.control("POST", "clock", {"advance": 5401})
    refused(hands.graph("GET", "devices", token=token), 401, "InvalidAuthenticationToken")


def test_a_token_of_another_tenant_is_a_401(hands: Hands) -> None:
    foreign = hands.sandbox.keys.seal(
        "access",
        {
            "aud": "https://graph.microsoft.com",
            "tid": hands.facts["other_tenant_id"],
            "appid": "x",
            "exp": 9e9,
            "roles": ["Device.Read.All"],
        },
    )
    refused(hands.graph("GET", "devices", token=foreign), 401, "InvalidAuthenticationToken")


@pytest.mark.parametrize(
    ("left", "path"),
    [
        (("User.Read.All", "Application.Read.All"), "devices"),
        (("Device.Read.All", "Application.Read.All"), "users/{mia}"),
        (("Device.Read.All", "Application.Read.All"), "users/{mia}/registeredDevices"),
        (("Device.Read.All", "Application.Read.All"), "users/{mia}/licenseDetails"),
        (("Device.Read.All", "User.Read.All"), f"servicePrincipals?$filter=appId eq '{INTUNE}'"),
    ],
)
def test_a_missing_permission_is_a_403(hands: Hands, left: tuple[str, ...], path: str) -> None:
    grant(hands, *left)
    refused(hands.graph("GET", path.format(mia=hands.person("Mia")["oid"])), 403, "Authorization_RequestDenied")


def test_the_sign_in_app_can_read_nothing(hands: Hands) -> None:
    refused(hands.graph("GET", "devices", token=hands.app_token(app="sign_in")), 403, "Authorization_RequestDenied")


def test_without_a_right_on_devices_the_members_are_bare(hands: Hands) -> None:
    grant(hands, "User.Read.All")
    for cast in ("", "/microsoft.graph.device"):
        assert all(set(device) == {"@odata.type", "id"} for device in mias(hands, cast=cast))


def test_only_windows_compliance_can_be_patched(hands: Hands) -> None:
    phone, laptop = iphone(hands), next(d for d in mias(hands) if d["operatingSystem"] == "Windows")
    refused(hands.graph("PATCH", f"devices/{laptop['id']}", {"isCompliant": False}), 403, "Authorization_RequestDenied")
    grant(hands, "Device.ReadWrite.All", "User.Read.All")
    token = hands.app_token()
    refused(
        hands.graph("PATCH", f"devices/{laptop['id']}", {"isCompliant": False}, token=token), 403, "Authorization_RequestDenied"
    )
    hands.control("PATCH", "app/service", {"approved_mdm": True})

    def patch(device: dict[str, Any], body: Any) -> requests.Response:
        return hands.graph("PATCH", f"devices(deviceId='{device['deviceId']}')", body, token=token)

    assert patch(laptop, {"isCompliant": False, "isManaged": True}).status_code == 204
    refused(patch(phone, {"isCompliant": True}), 400, "Request_BadRequest")
    refused(patch(phone, {"isCompliant": True, "extensionAttributes": {"extensionAttribute1": "x"}}), 400, "Request_BadRequest")
    refused(patch(laptop, {"colour": "blue"}), 400, "Request_BadRequest")
    refused(patch(laptop, {"isCompliant": "true"}), 400, "Request_BadRequest")
    refused(patch(phone, {"extensionAttributes": {"extensionAttribute16": "x"}}), 400, "Request_BadRequest")
    refused(patch({"deviceId": uuid.uuid4()}, {"isCompliant": True}), 404, "Request_ResourceNotFound")
    assert patch(phone, {"extensionAttributes": {"extensionAttribute3": "ours"}}).status_code == 204
    hands.control("POST", "clock", {"advance": 10})
    shown = hands.graph("GET", f"devices/{phone['id']}?$select=isCompliant,extensionAttributes", token=token).json()
    assert shown["isCompliant"] is None
    assert shown["extensionAttributes"]["extensionAttribute3"] == "ours"
    assert shown["extensionAttributes"]["extensionAttribute1"] is None
    assert hands.graph("GET", f"devices/{laptop['id']}", token=token).json()["isCompliant"] is True, "taken, and not yet shown"
    hands.control("POST", "clock", {"advance": 5})
    assert hands.graph("GET", f"devices/{laptop['id']}", token=token).json()["isCompliant"] is False


def test_request_ids_come_back_and_costs_are_told(hands: Hands) -> None:
    answer = hands.graph("GET", "devices?$select=id", **{"client-request-id": "our-id"})
    assert answer.headers["client-request-id"] == "our-id"
    assert uuid.UUID(answer.headers["request-id"])
    assert answer.headers["x-ms-resource-unit"] == "1"


def test_throttling_names_its_scope_and_passes(hands: Hands) -> None:
    hands.control("POST", "faults", {"service": "graph", "kind": "throttle", "times": 1, "retry_after": 7})
    answer = hands.graph("GET", "devices")
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "7"
    assert answer.headers["x-ms-throttle-information"] == "ResourceUnitLimitExceeded"
    assert answer.json()["error"]["code"] == "TooManyRequests"
    assert hands.graph("GET", "devices").status_code == 200
