"""Privileged Identity Management for Groups in Graph: what it takes and refuses, and that an end is one for Outlook, too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sandbox.policy import open_outlook
from sandbox.world import GRAPH_APP_ID
from tests.sandbox.conftest import Hands

ASK = "identityGovernance/privilegedAccess/group/assignmentScheduleRequests"
SHOW = "identityGovernance/privilegedAccess/group/assignmentScheduleInstances"


@pytest.fixture
def governed(hands: Hands) -> Hands:
    permissions = hands.sandbox.world.apps["service"].permissions[GRAPH_APP_ID]
    permissions.add("PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup")
    hands.sandbox.world.bypass_group = group(hands)
    return hands


def group(hands: Hands) -> str:
    return next(str(one["id"]) for one in hands.facts["groups"] if one["name"] == "Pilots")


def body(hands: Hands, hours: float | None = 2, **more: Any) -> dict[str, Any]:
    expiration: dict[str, Any] = {"type": "noExpiration"}
    if hours is not None:
        end = hands.sandbox.world.now() + timedelta(hours=hours)
        expiration = {"type": "afterDateTime", "endDateTime": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
    asked = {"accessId": "member", "principalId": hands.person("Mia")["oid"], "groupId": group(hands), "action": "adminAssign"}
    return {**asked, "scheduleInfo": {"expiration": expiration}, **more}


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_membership_with_an_end_is_shown_until_then_and_opens_outlook_until_then(governed: Hands) -> None:
    world, mia = governed.sandbox.world, governed.person("Mia")["oid"]
    world.groups[group(governed)].members.discard(mia)
    world.stand_still()
    phone = next(one for one in world.phones.values() if one.person_oid == mia)
    assert not open_outlook(world, phone).opens
    assert governed.graph("POST", ASK, body(governed)).status_code == 201
    [shown] = governed.graph("GET", f"{SHOW}?$filter=principalId eq '{mia}'").json()["value"]
    assert (shown["groupId"], shown["accessId"], shown["endDateTime"] is not None) == (group(governed), "member", True)
    assert open_outlook(world, phone).opens
    assert code(governed.graph("POST", ASK, body(governed))) == (400, "RoleAssignmentExists")
    world.advance(2 * 3600 + 1)
    assert world.privileged_now() == []
    assert not open_outlook(world, phone).opens


def test_what_the_groups_rules_do_not_allow(governed: Hands) -> None:
    governed.sandbox.world.groups[group(governed)].members.clear()
    for hours in (None, 25, 0.01):
        assert code(governed.graph("POST", ASK, body(governed, hours))) == (400, "RoleAssignmentRequestPolicyValidationFailed")
    assert code(governed.graph("POST", ASK, body(governed, scheduleInfo=None))) == (400, "BadRequest")
    assert code(governed.graph("POST", ASK, body(governed, principalId="nobody"))) == (404, "SubjectNotFound")
    assert code(governed.graph("GET", SHOW)) == (400, "InvalidFilter")
    assert code(governed.graph("POST", ASK, body(governed, action="adminRemove"))) == (400, "RoleAssignmentDoesNotExist")
    governed.sandbox.world.governed = False
    assert code(governed.graph("POST", ASK, body(governed))) == (400, "AadPremiumLicenseRequired")
    assert governed.sandbox.world.privileged == []


def test_without_the_permission_nothing(hands: Hands) -> None:
    assert hands.graph("POST", ASK, body(hands)).status_code == 403
    assert hands.graph("GET", f"{SHOW}?$filter=groupId eq '{group(hands)}'").status_code == 403
