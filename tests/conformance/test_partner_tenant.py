"""PartnerTenant and Beating: setting a tenant up at Intune's partner service, and being heard from."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests

from remediation.domain.device import Platform
from remediation.errors import Garbled, NotFound, Refused
from remediation.ports import Beating
from sandbox.faults import Fault
from sandbox.slots import ALL_USERS
from tests.conformance.conftest import Raises
from tests.conformance.five import FIVE, SPOILT, Spoilt, raised
from tests.remotes import Remotes
from tests.wsgi_adapter import Change

PROTOCOL = "PartnerTenant"
ADDRESSES = {"enrollment_url": "https://return.contoso.example/enrollment", "remediation_url": "https://return.contoso.example/fix"}
NOWHERE = "3f0c5a6e-8c57-4f0a-9b0b-3d2f5a7a9d11"


def made_anew(remotes: Remotes) -> Any:
    """None stands there: a spoilt 409 would be as good as a whole one."""
    remotes.sandbox.world.partner.policies.clear()
    return remotes.channel.tenant.make_policy(Platform.IOS)


ASK: dict[str, Callable[[Remotes], Any]] = {
    "provision": lambda r: r.channel.tenant.provision(**ADDRESSES),
    "deprovision": lambda r: r.channel.tenant.deprovision(**ADDRESSES),
    "policies": lambda r: r.channel.tenant.policies(),
    "make_policy": lambda r: made_anew(r),
    "assign": lambda r: r.channel.tenant.assign(next(iter(r.sandbox.world.partner.policies)), [ALL_USERS]),
    "beat": lambda r: r.channel.beat(),
}


@pytest.fixture
def bare(remotes: Remotes) -> Remotes:
    """A tenant that nobody provisioned yet."""
    partner = remotes.sandbox.world.partner
    partner.provisioned = None
    partner.policies.clear()
    partner.assignments.clear()
    return remotes


def answer(remotes: Remotes, body: Any) -> Remotes:
    """Each good answer of the tenant service with these fields instead."""
    return Remotes(remotes.sandbox, change=rewriting("TenantDataSync", lambda found: {**found, **body}))


def rewriting(where: str, how: Callable[[Any], Any]) -> Change:
    def change(request: requests.PreparedRequest, status: int, body: bytes) -> bytes:
        return json.dumps(how(json.loads(body))).encode() if where in str(request.url) and 200 <= status < 300 else body

    return change


def test_both_addresses_are_told_and_taken_back(bare: Remotes) -> None:
    tenant, partner = bare.channel.tenant, bare.sandbox.world.partner
    for _ in range(2):
        tenant.provision(**ADDRESSES)
        assert (partner.provisioned, partner.enrollment_url) == (1, ADDRESSES["enrollment_url"])
    tenant.deprovision(**ADDRESSES)
    assert (partner.provisioned, partner.remediation_url) == (2, ADDRESSES["remediation_url"])


def test_a_policy_is_made_once_for_each_platform(bare: Remotes) -> None:
    tenant = bare.channel.tenant
    made = [tenant.make_policy(platform) for platform in (Platform.IOS, Platform.ANDROID, Platform.MACOS)]
    assert [policy.platform for policy in made if policy] == [Platform.IOS, Platform.ANDROID, Platform.MACOS]
    assert tenant.make_policy(Platform.IOS) is None, "409: one stands there"
    assert sorted(tenant.policies(), key=str) == sorted((policy for policy in made if policy), key=str)
    assert all(policy.partner_decides for policy in tenant.policies())


def test_a_policy_is_read_also_where_it_comes_inside_value(bare: Remotes) -> None:
    """As Fleet's own code reads it, unlike the sample beside it."""
    change = rewriting("/PartnerCompliancePolicies", lambda found: {"value": [found]})
    made = Remotes(bare.sandbox, change=change).channel.tenant.make_policy(Platform.IOS)
    assert made is not None
    assert made.platform is Platform.IOS


def test_assignment_is_read_out_of_json_inside_a_string(bare: Remotes) -> None:
    tenant, groups = bare.channel.tenant, sorted(bare.sandbox.world.groups)
    policy = tenant.make_policy(Platform.MACOS)
    assert policy is not None
    assert tenant.assign(policy.id, groups) == set(groups)
    assert tenant.assign(policy.id, [ALL_USERS]) == {ALL_USERS}, "what is told last stands"
    assert bare.sandbox.world.partner.assignments[policy.id] == [ALL_USERS]


@pytest.mark.parametrize("value", ["", "[]", "{}", '{"assignments": [1]}', '{"assignments": "x"}', None, {"assignments": []}])
def test_an_assignment_that_nobody_can_read(remotes: Remotes, raises: Raises, value: Any) -> None:
    with raises(Garbled):
        ASK["assign"](answer(remotes, {"value": value}))


def test_a_group_that_is_not_there_and_a_policy_that_is_not(bare: Remotes, raises: Raises) -> None:
    policy = bare.channel.tenant.make_policy(Platform.IOS)
    assert policy is not None
    with raises(Refused) as caught:
        bare.channel.tenant.assign(policy.id, [NOWHERE])
    assert caught.value.status == 400
    with raises(NotFound):
        bare.channel.tenant.assign(NOWHERE, [ALL_USERS])


def test_a_heartbeat_tells_whether_everything_is_wanted_again(remotes: Remotes) -> None:
    channel, partner = remotes.channel, remotes.sandbox.world.partner
    assert isinstance(channel, Beating)
    assert channel.beat().resync is None
    assert partner.last_heartbeat is not None
    partner.resync_at, partner.resync_times = remotes.sandbox.world.now() - timedelta(minutes=3), 2
    assert [channel.beat().resync for _ in range(3)] == [partner.resync_at, partner.resync_at, None]


@pytest.mark.parametrize(
    "wrong", [{"HttpStatusCode": 500}, {"HttpStatusCode": "403"}, {"ErrorCode": 7}, {"MessageErrors": [{"Code": 1}]}], ids=str
)
@pytest.mark.parametrize("ask", ["provision", "deprovision", "beat"])
def test_an_error_inside_a_good_answer(remotes: Remotes, raises: Raises, ask: str, wrong: Any) -> None:
    with raises(Refused) as caught:
        ASK[ask](answer(remotes, wrong))
    assert caught.value.status == 200


@pytest.mark.parametrize("wrong", [{"ContextId": NOWHERE}, {"Provisioned": 3}, {"Provisioned": None}], ids=str)
def test_an_echo_of_something_else(remotes: Remotes, raises: Raises, wrong: Any) -> None:
    with raises(Garbled):
        ASK["provision"](answer(remotes, wrong))


def test_a_first_401_is_waited_out(remotes: Remotes) -> None:
    remotes.sandbox.faults.add(Fault("intune", "first_401"))
    remotes.channel.beat()
    assert remotes.sleeps == [1.0]


def test_both_services_are_found_by_one_discovery_a_day(remotes: Remotes) -> None:
    def discoveries() -> int:
        return sum("endpoints" in entry.path for entry in remotes.sandbox.ledger.since(0))

    for ask in ("beat", "policies", "beat"):
        ASK[ask](remotes)
    remotes.channel.reach()
    assert discoveries() == 2, "the doctor's own is made anew"
    remotes.later(24 * 3600 + 1)
    ASK["beat"](remotes)
    assert discoveries() == 3


def test_where_intune_is_not_set_up_nobody_asks_again_for_a_quarter_of_an_hour(remotes: Remotes, raises: Raises) -> None:
    remotes.sandbox.world.partner.set_up = False

    def asked() -> int:
        return sum("servicePrincipals" in entry.path for entry in remotes.sandbox.ledger.since(0))

    for seconds, calls in ((0, 1), (60, 1), (800, 1), (60, 2)):
        remotes.later(seconds)
        with raises(Refused) as caught:
            remotes.channel.beat()
        assert (asked(), caught.value.why) == (calls, "not_set_up")
        assert caught.value.retry_after is not None
        assert 0 < caught.value.retry_after <= 900
    remotes.sandbox.world.partner.set_up = True
    remotes.later(901)
    remotes.channel.beat()


@pytest.mark.parametrize("ask", ASK.values(), ids=ASK.keys())
def test_without_permission(remotes: Remotes, raises: Raises, ask: Callable[[Remotes], Any]) -> None:
    for roles in remotes.sandbox.world.apps["service"].permissions.values():
        roles.discard("manage_partner_compliance_policy")
    with raises(Refused) as caught:
        ask(remotes)
    assert (caught.value.status, caught.value.remote) == (403, "channel")


@pytest.mark.parametrize("ask", ASK.values(), ids=ASK.keys())
@pytest.mark.parametrize("spoilt", SPOILT, ids=str)
def test_a_spoilt_answer(remotes: Remotes, raises: Raises, ask: Callable[[Remotes], Any], spoilt: Spoilt) -> None:
    remotes.channel.beat()  # token and endpoints are had: the fault meets the call itself
    spoilt.spoil(remotes.sandbox, "intune")
    with raises(spoilt.becomes) as caught:
        ask(remotes)
    spoilt.fits(caught.value, "channel")


def test_none_of_the_five_is_left_out(remotes: Remotes) -> None:
    gone = (lambda: remotes.channel.tenant.assign(NOWHERE, [ALL_USERS]), lambda: remotes.channel.tenant.assign(NOWHERE, [NOWHERE]))
    assert raised(remotes.sandbox, "intune", lambda: remotes.channel.beat(), *gone) == set(FIVE)
