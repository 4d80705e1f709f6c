"""Access packages in Graph: what they take and refuse, and that an expired assignment stays in the list as such."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sandbox.things import Package
from sandbox.world import GRAPH_APP_ID
from tests.sandbox.conftest import Hands

PACKAGE, POLICY = "a914b616-e04e-476b-aa37-91038f0b165b", "2264bf65-76ba-417b-a27d-54d291f0cbc8"
ASK = "identityGovernance/entitlementManagement/assignmentRequests"
LIST = "identityGovernance/entitlementManagement/assignments"


@pytest.fixture
def packages(hands: Hands) -> Hands:
    world = hands.sandbox.world
    world.apps["service"].permissions[GRAPH_APP_ID].add("EntitlementManagement.ReadWrite.All")
    world.packages[PACKAGE] = Package(PACKAGE, POLICY, next(iter(world.groups)))
    return hands


def asked(hands: Hands, **assignment: str) -> Any:
    end = hands.sandbox.world.now() + timedelta(hours=1)
    schedule = {"expiration": {"type": "afterDateTime", "endDateTime": f"{end:%Y-%m-%dT%H:%M:%SZ}"}}
    wanted = {"targetId": hands.person("Mia")["oid"], "accessPackageId": PACKAGE, "assignmentPolicyId": POLICY, **assignment}
    return hands.graph("POST", ASK, {"requestType": "adminAdd", "assignment": wanted, "schedule": schedule})


def states(hands: Hands) -> list[str]:
    which = f"accessPackage/id eq '{PACKAGE}' and target/objectid eq '{hands.person('Mia')['oid']}'"
    answer = hands.graph("GET", f"{LIST}?$expand=accessPackage,target&$filter={which}").json()
    return [one["state"] for one in answer["value"]]


def test_an_assignment_is_on_its_way_then_there_then_over(packages: Hands) -> None:
    packages.sandbox.world.stand_still()
    assert asked(packages).status_code == 201
    assert states(packages) == ["delivering"]
    packages.sandbox.world.advance(5)
    assert states(packages) == ["delivered"]
    assert asked(packages).status_code == 400, "it is there already"
    packages.sandbox.world.advance(3600)
    assert states(packages) == ["expired"]


def test_what_is_refused(packages: Hands) -> None:
    assert asked(packages, accessPackageId=POLICY).status_code == 400
    assert asked(packages, targetId=PACKAGE).status_code == 404
    assert packages.graph("POST", ASK, {"requestType": "userAdd", "assignment": {}}).status_code == 400
    assert packages.graph("POST", ASK, {"requestType": "adminRemove", "assignment": {"id": "x"}}).status_code == 404
    assert packages.graph("GET", LIST).status_code == 400
    packages.sandbox.world.governed = False
    assert asked(packages).json()["error"]["code"] == "AadPremiumLicenseRequired"
