"""Setting the tenant up, below the command line: what stops it, what is written down when it is cut off, a policy in the way."""

from collections.abc import Callable
from typing import Any

import pytest

from remediation.adapters.compliance_partners import GraphCompliancePartners
from remediation.domain.device import Platform
from remediation.errors import Refused
from remediation.ports import Actor
from remediation.services.patience import Patient
from remediation.services.provision_partner import Done, GroupsMissing, Seen, Wanted, provision, see
from sandbox.slots import ALL_USERS
from tests.services.test_killed_anywhere import Deadly, survive
from tests.stories import Story

Tell = Callable[..., Story]
ON_POSTGRESQL = True
NOWHERE = "3f0c5a6e-8c57-4f0a-9b0b-3d2f5a7a9d11"


def wanted(*groups: str) -> Wanted:
    platforms = (Platform.IOS, Platform.MACOS)
    return Wanted("https://return.example/enrollment", "https://return.example/remediation", platforms, groups, ALL_USERS)


def seen(story: Story, what: Wanted) -> Seen:
    remotes = story.remotes
    return see(remotes.channel.tenant, GraphCompliancePartners(remotes.graph), story.store, what, Patient(remotes.sleeps.append))


def provisioned(story: Story, what: Wanted) -> Done:
    patient, who = Patient(story.remotes.sleeps.append), Actor("operator", "root")
    tenant, clock = story.remotes.channel.tenant, story.world.clock
    return provision(tenant, story.store, seen(story, what), what, patient, actor=who, why="test", clock=clock)


@pytest.fixture
def story(tell: Tell) -> Story:
    found = tell("blocked_just_registered")
    found.sandbox.world.partner.policies.clear()
    found.sandbox.world.partner.provisioned = None
    return found


def test_groups_that_are_not_there_stop_it_before_anything_is_told(story: Story) -> None:
    with pytest.raises(GroupsMissing) as caught:
        provisioned(story, wanted(NOWHERE))
    assert caught.value.groups == (NOWHERE,)
    assert story.sandbox.world.partner.provisioned is None
    assert not provisioned(story, wanted(*story.sandbox.world.groups)).failed, "the control"


def test_without_the_right_to_read_groups_microsoft_decides(story: Story) -> None:
    for roles in story.sandbox.world.apps["service"].permissions.values():
        roles.discard("GroupMember.Read.All")
    assert seen(story, wanted(NOWHERE)).names == {NOWHERE: None}
    done = provisioned(story, wanted(NOWHERE))
    assert [(step, error.status) for step, _, error in done.failed] == [("policy", 400)] * 2
    assert "groups" in set(seen(story, wanted(NOWHERE)).differs(wanted(NOWHERE)))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", [7, 8, 9, 11])
def test_P2_cut_off_at_any_call_the_next_time_goes_on_from_what_stands(story: Story, at: int, after: bool) -> None:
    transport: Any = story.remotes.transport
    transport.send = Deadly(transport, at, after=after)

    def tries() -> None:
        provisioned(story, wanted())

    survive(tries)
    assert story.store.partner_told() is None, "nothing is written down that was not seen to be whole"
    assert not provisioned(story, wanted()).failed
    assert list(seen(story, wanted()).differs(wanted())) == []
    assert len(story.sandbox.world.partner.policies) == 2


def test_a_policy_in_the_way_that_nobody_lists(story: Story) -> None:
    """409 for one platform, and the list has none of it."""
    provisioned(story, wanted())
    held = next(policy for policy in story.sandbox.world.partner.policies.values() if policy["Platform"] == "iOS")
    transport: Any = story.remotes.transport

    def nothing_of_ios(request: Any, status: int, body: bytes) -> bytes:
        return body.replace(b'"Platform":"iOS"', b'"Platform":"Linux"') if request.method == "GET" else body

    transport.change = nothing_of_ios
    done = provisioned(story, wanted())
    [(_, platform, error)] = done.failed
    assert (platform, error.vendor_code) == ("ios", "policy_in_the_way")
    assert isinstance(error, Refused)
    assert done.assigned == [Platform.MACOS]
    assert held["Platform"] == "iOS"
