"""The partner service: what a device message must be, when it takes effect, and which news counts."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from sandbox.slots import ALL_USERS
from sandbox.world import INTUNE_APP_ID
from tests.sandbox.conftest import Hands
from tests.sandbox.partner import T0, Partner


@pytest.fixture
def partner(hands: Hands) -> Partner:
    hands.control("PATCH", "lags", {"processing_lag": 60, "compliance_lag": 60})
    return Partner(hands)


def refused(answer: requests.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.json()["odata.error"]["message"]["value"]


def test_a_message_is_in_progress_then_completed_and_entra_follows_later(partner: Partner) -> None:
    message_id, answer = partner.send(partner.entities())
    assert answer.json() == {"TenantId": partner.tenant, "MessageId": message_id, "ErrorCode": 0, "ErrorDetail": None}
    assert partner.status(message_id)["Status"] not in ("Completed", "Failed")
    partner.wait(61)
    assert partner.status(message_id)["Status"] == "Completed"
    assert partner.is_compliant() is None
    partner.wait(61)
    assert partner.is_compliant() is True


def test_older_and_equal_news_is_ignored_whatever_the_order_of_arrival(partner: Partner) -> None:
    for compliant, at in ((False, T0), (True, T0 - timedelta(seconds=1)), (True, T0)):
        message_id, _ = partner.send(partner.entities(compliant, at))
        partner.wait(130)
        assert partner.status(message_id)["Status"] == "Completed"
        assert partner.is_compliant() is False
    partner.send(partner.entities(True, T0 + timedelta(seconds=1)))
    partner.wait(130)
    assert partner.is_compliant() is True


def test_the_same_message_id_is_the_same_message(partner: Partner) -> None:
    message_id, _ = partner.send(partner.entities(True))
    _, again = partner.send(partner.entities(False, T0 + timedelta(hours=1)), message_id)
    assert again.status_code == 200
    partner.wait(130)
    assert partner.is_compliant() is True
    assert len(partner.hands.control("GET", "world")["uploads"]) == 1


def test_a_device_that_is_no_longer_managed_is_not_compliant(partner: Partner) -> None:
    partner.send(partner.entities(True, DeviceManagementState="notManaged"))
    partner.wait(130)
    assert partner.is_compliant() is False


@pytest.mark.parametrize("which", ["DeviceId", "UserId"])
def test_an_unknown_device_or_person_fails_later_and_says_why(partner: Partner, which: str) -> None:
    message_id, answer = partner.send(partner.entities(True, T0, **{which: str(uuid.uuid4())}))
    assert answer.status_code == 200
    partner.wait(61)
    status = partner.status(message_id)
    assert (status["Status"], status["ErrorCode"] > 0) == ("Failed", True)
    partner.wait(61)
    assert partner.is_compliant() is None


def test_the_person_must_own_the_device(partner: Partner) -> None:
    message_id, _ = partner.send(partner.entities(UserId=partner.hands.person("Noah")["oid"]))
    partner.wait(130)
    assert partner.status(message_id)["Status"] == "Failed"
    assert partner.is_compliant() is None


def malformed(partner: Partner) -> dict[str, Any]:
    pair = partner.entities()
    capital = {**pair[1], "ComplianceStatus": "compliant"}
    del capital["complianceStatus"]
    return {
        "capital C": [pair[0], capital],
        "boolean": [pair[0], {**pair[1], "complianceStatus": True}],
        "no compliance": [pair[0]],
        "wrong order": pair[::-1],
        "another device": [pair[0], {**pair[1], "DeviceId": str(uuid.uuid4())}],
        "another stamp": [pair[0], {**pair[1], "LastUpdateTime": "2026-03-01T10:00:00Z"}],
        "no zone": [{**entity, "LastUpdateTime": "2026-03-01T09:00:00"} for entity in pair],
        "unknown field": [{**pair[0], "Compliant": True}, pair[1]],
        "missing field": [{k: v for k, v in pair[0].items() if k != "EasIds"}, pair[1]],
        "upn for id": [{**entity, "UserId": "mia.berger@contoso.example"} for entity in pair],
        "other tenant": [{**entity, "TenantId": partner.hands.facts["other_tenant_id"]} for entity in pair],
        "empty": [],
        "no json": "{",
    }


@pytest.mark.parametrize(
    "name",
    [
        "capital C",
        "boolean",
        "no compliance",
        "wrong order",
        "another device",
        "another stamp",
        "no zone",
        "unknown field",
        "missing field",
        "upn for id",
        "other tenant",
        "empty",
        "no json",
    ],
)
def test_a_malformed_message_is_refused_at_the_door(partner: Partner, name: str) -> None:
    message_id, answer = partner.send(malformed(partner)[name])
    refused(answer, 400)
    refused(partner.hands.call("GET", partner.message_url(message_id)), 404)


def test_the_envelope_is_checked_too(partner: Partner) -> None:
    refused(partner.send(partner.entities(), TenantId=partner.hands.facts["other_tenant_id"])[1], 400)
    refused(partner.send("", Content=partner.entities())[1], 400)
    refused(partner.send(partner.entities(), Extra=1)[1], 400)
    refused(partner.send(partner.entities(), UploadTime="yesterday")[1], 400)


def test_api_version_region_token_and_permission_are_checked_on_every_call(partner: Partner) -> None:
    hands, url = partner.hands, partner.message_url(str(uuid.uuid4()))
    refused(hands.call("GET", url.replace("=1.2", "=1.1")), 400)
    refused(hands.call("GET", url.partition("?")[0]), 400)
    refused(hands.call("GET", url + "&x=1"), 400)
    refused(partner.tenant_call("GET", "PartnerCompliancePolicies", version="1.2"), 400)
    refused(hands.call("GET", url.replace("amsub", "amsua")), 404)
    refused(hands.call("GET", url, token="garbage"), 401)
    refused(hands.call("GET", url, token=hands.app_token("graph")), 401)
    refused(hands.call("GET", url, token=hands.app_token("intune", app="sign_in")), 403)
    hands.control("PATCH", "app/service", {"permissions": {INTUNE_APP_ID: ["manage_partner_compliance_policy"]}})
    refused(hands.call("GET", url, token=hands.app_token("intune")), 403)
    refused(hands.call("DELETE", url), 405)


def test_provisioning_stores_the_two_addresses_that_outlook_then_leads_to(partner: Partner) -> None:
    path = f"PartnerTenants(guid'{partner.tenant}')"
    body = {
        "Provisioned": 1,
        "PartnerEnrollmentUrl": "https://help.example/enroll",
        "PartnerRemediationUrl": "https://help.example/fix",
    }
    answer = partner.tenant_call("PUT", path, body).json()
    assert (answer["ContextId"], answer["Provisioned"], answer["HttpStatusCode"]) == (partner.tenant, 1, 200)
    shown = partner.hands.control("POST", "phone/mia/act", {"action": "open_outlook"})
    assert (shown["button"], shown["url"]) == ("Continue", "https://help.example/enroll")
    refused(partner.tenant_call("PUT", path, {**body, "Provisioned": 3}), 400)
    refused(partner.tenant_call("PUT", path, {**body, "PartnerEnrollmentUrl": "http://help.example/"}), 400)
    refused(partner.tenant_call("PUT", path, {"Provisioned": 1}), 400)
    refused(partner.tenant_call("PUT", f"PartnerTenants(guid'{uuid.uuid4()}')", body), 403)
    assert partner.tenant_call("PUT", path, {**body, "Provisioned": 2}).status_code == 200
    refused(partner.send(partner.entities())[1], 403)


def beat(partner: Partner, **headers: str) -> requests.Response:
    path = f"PartnerTenantHeartbeat(guid'{partner.tenant}')"
    return partner.tenant_call("PUT", path, {"Timestamp": T0.isoformat()}, **({"Prefer": "return-content"} | headers))


def test_a_heartbeat_may_ask_for_everything_again(partner: Partner) -> None:
    assert beat(partner).json()["ResyncTimestamp"] is None
    partner.hands.control("POST", "resync", {"times": 2})
    shown = [beat(partner).json()["ResyncTimestamp"] for _ in range(3)]
    assert shown[0] == shown[1] is not None
    assert shown[2] is None
    assert (beat(partner, Prefer="").status_code, beat(partner, Prefer="").content) == (204, b"")
    path = f"PartnerTenantHeartbeat(guid'{partner.tenant}')"
    refused(partner.tenant_call("PUT", path, {"Timestamp": "now"}), 400)
    partner.hands.control("PATCH", "partner", {"fresh": True})
    refused(beat(partner), 403)


def test_policies_are_one_for_each_platform_and_assigned_to_groups_that_are_there(partner: Partner) -> None:
    partner.hands.control("PATCH", "partner", {"fresh": True})
    body = {"DisplayName": "d", "Description": "", "Platform": "iOS", "PartnerManagedCompliance": True}
    made = partner.tenant_call("POST", "PartnerCompliancePolicies", body)
    assert made.status_code == 201
    refused(partner.tenant_call("POST", "PartnerCompliancePolicies", body), 409)
    listed = partner.tenant_call("GET", "PartnerCompliancePolicies").json()["value"]
    assert [policy["Id"] for policy in listed] == [made.json()["Id"]]
    group, assign = partner.hands.facts["groups"][0]["id"], f"PartnerCompliancePolicies(guid'{made.json()['Id']}')/Assign"
    for groups in ([group], [ALL_USERS]):
        assigned = partner.tenant_call("POST", assign, {"assignments": groups})
        assert json.loads(assigned.json()["value"]) == {"assignments": groups}
    for groups in ([], [group, group], [str(uuid.uuid4())], [str(uuid.uuid4()) for _ in range(11)]):
        refused(partner.tenant_call("POST", assign, {"assignments": groups}), 400)
    refused(partner.tenant_call("POST", "PartnerCompliancePolicies", {**body, "Platform": "Windows"}), 400)
    nowhere = f"PartnerCompliancePolicies(guid'{uuid.uuid4()}')/Assign"
    refused(partner.tenant_call("POST", nowhere, {"assignments": [group]}), 404)


def is_applied(partner: Partner) -> bool:
    """A message is always *Completed*; whether it changes anything is another matter."""
    message_id, answer = partner.send(partner.entities(at=datetime.now(UTC)))
    assert answer.status_code == 200
    partner.wait(130)
    assert partner.status(message_id)["Status"] == "Completed"
    return partner.is_compliant() is True


def provisioned_again(partner: Partner) -> str:
    """From nothing: the tenant, then a policy for iOS; returns where it is assigned."""
    partner.hands.control("PATCH", "partner", {"fresh": True})
    body = {"Provisioned": 1, "PartnerEnrollmentUrl": "https://help.example/e", "PartnerRemediationUrl": "https://help.example/r"}
    assert partner.tenant_call("PUT", f"PartnerTenants(guid'{partner.tenant}')", body).status_code == 200
    policy = {"DisplayName": "d", "Description": "", "Platform": "iOS", "PartnerManagedCompliance": True}
    made = partner.tenant_call("POST", "PartnerCompliancePolicies", policy).json()
    return f"PartnerCompliancePolicies(guid'{made['Id']}')/Assign"


def test_a_message_counts_once_a_policy_is_assigned_to_its_person(partner: Partner) -> None:
    assign = provisioned_again(partner)
    assert not is_applied(partner)
    pilots = next(group["id"] for group in partner.hands.facts["groups"] if group["name"] == "Pilots")
    partner.tenant_call("POST", assign, {"assignments": [pilots]})
    assert not is_applied(partner)
    partner.tenant_call("POST", assign, {"assignments": [ALL_USERS]})
    assert is_applied(partner)


def test_another_vendor_in_the_slot_takes_our_word_away(partner: Partner) -> None:
    partner.hands.control("PATCH", "partner", {"taken_by": {"iOS": "Another Vendor"}})
    assert not is_applied(partner)
    partner.hands.control("PATCH", "partner", {"taken_by": {}})
    assert is_applied(partner)


def listed(partner: Partner) -> list[dict[str, Any]]:
    return list(partner.hands.graph("GET", "deviceManagement/complianceManagementPartners").json()["value"])


def test_graph_lists_who_holds_which_platform_and_for_whom(partner: Partner) -> None:
    [ours] = listed(partner)
    assert (ours["partnerState"], ours["iosOnboarded"], ours["macOsOnboarded"]) == ("enabled", True, True)
    assert ours["iosEnrollmentAssignments"][0]["target"]["@odata.type"].endswith("allLicensedUsersAssignmentTarget")
    group = partner.hands.facts["groups"][0]["id"]
    partner.hands.control("PATCH", "partner", {"taken_by": {"iOS": "Another Vendor"}, "chosen_groups": [group]})
    ours, other = listed(partner)
    assert (ours["iosOnboarded"], other["iosOnboarded"], other["displayName"]) == (False, True, "Another Vendor")
    assert ours["androidEnrollmentAssignments"][0]["target"]["groupId"] == group
    beat(partner)
    partner.wait(4 * 86_400)
    partner.hands._tokens.clear()
    assert listed(partner)[0]["partnerState"] == "unresponsive"
    refused_by_graph = partner.hands.graph("GET", "deviceManagement/complianceManagementPartners?$top=1")
    assert refused_by_graph.status_code == 400


def test_a_tenant_without_intune_and_an_app_whose_consent_is_gone(partner: Partner) -> None:
    hands = partner.hands
    hands.control("PATCH", "partner", {"set_up": False})
    found = hands.graph("GET", "servicePrincipals?$filter=appId eq '0000000a-0000-0000-c000-000000000000'").json()
    assert found["value"] == []
    refused(beat(partner), 404)
    assert hands.graph("GET", "deviceManagement/complianceManagementPartners").status_code == 400
    hands.control("PATCH", "app/service", {"consented": False})
    answer = hands.token_request(
        grant_type="client_credentials",
        client_id=hands.facts["service"]["client_id"],
        client_secret=hands.facts["service"]["client_secret"],
        scope=hands.facts["intune_scope"],
    )
    assert answer.json()["error_codes"] == [7000229]


def test_writes_can_be_swallowed_or_failed_by_a_fault(partner: Partner) -> None:
    control = partner.hands.control
    control("POST", "faults", {"service": "intune", "kind": "ignore_writes", "times": 1})
    swallowed, _ = partner.send(partner.entities())
    control(
        "POST",
        "faults",
        {"service": "intune", "kind": "fail_upload", "times": 1, "error_code": 77, "error_detail": "because"},
    )
    failed, _ = partner.send(partner.entities(at=T0 + timedelta(hours=1)))
    partner.wait(130)
    assert partner.status(swallowed)["Status"] == "Completed"
    status = partner.status(failed)
    assert (status["Status"], status["ErrorCode"], status["ErrorDetail"]) == ("Failed", 77, "because")
    assert partner.is_compliant() is None
