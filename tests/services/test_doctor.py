"""The doctor's checks, each good and bad, over the sandbox's own protocols; what a finding means is said for every one of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from remediation.adapters.certificate_files import PemFiles
from remediation.doctor_wiring import Examination
from remediation.doctor_words import in_words, named
from remediation.domain.device_policy import AccessPolicy, catches
from remediation.domain.finding import BY_HAND, Finding, State, worst
from remediation.domain.partner import HEARTBEAT
from remediation.domain.powers import TEMPORARY_ACCESS, judge
from remediation.domain.push import TWO_WRITERS
from remediation.domain.second_lock import SeenBlocked
from remediation.domain.watch import watch_names
from remediation.partner_wiring import Partner
from remediation.services.heartbeat import rows_of
from remediation.settings import WorkerSettings
from remediation.settings.names import secrets_of
from remediation.store.tables import partner_told, pushes, watches
from sandbox.things import ENTRA_P1_PLAN, INTUNE_PLAN, DevicePolicy, OtherPartner
from sandbox.world import GRAPH_APP_ID
from tests.authority import make, revoking
from tests.locked import prepare
from tests.proven import asked, never_arrived, pilots_proved
from tests.services.test_budgets import settings_for
from tests.services.test_impact import counted as impact_counted
from tests.stories import Story
from tests.wsgi_adapter import WSGIAdapter

Tell = Callable[..., Story]
ON_POSTGRESQL = True
GOOD, BAD, UNKNOWN = State.GOOD, State.BAD, State.UNKNOWN


class Ward:
    """A story whose worker works, and the doctor who comes to look."""

    def __init__(self, story: Story) -> None:
        self.story, self.sandbox = story, story.sandbox
        story.sandbox.world.stand_still()
        story.store.keep_watches((*watch_names(story.world.managers), *rows_of(story.world)), at=story.world.clock())
        story.tick()
        self.provisioned()
        pilots_proved(story.engine, story.store.tenant_id)

    def provisioned(self, **settings: Any) -> None:
        """As `remediation partner provision` does it."""
        given, transport = self.settings(**settings), WSGIAdapter(self.sandbox.api)
        partner = Partner(given, transport=transport, clock=self.story.world.clock, sleep=self.sandbox.world.advance)
        assert not partner.provision(partner.see(), "root", why="test").failed
        partner.close()

    def settings(self, **more: Any) -> WorkerSettings:
        url, name = SecretStr(self.story.url), self.sandbox.world.partner.name
        return settings_for(self.sandbox, **{"partner_name": name, "database_url": url, "demo": True, **more})

    @property
    def roles(self) -> set[str]:
        return self.sandbox.world.apps["service"].permissions[GRAPH_APP_ID]

    def examined(self, *, told_app: bool = True, **settings: Any) -> dict[tuple[str, str], Finding]:
        """Some seconds after whatever was before: the budgets are shared with the worker."""
        self.sandbox.world.advance(11)
        given = self.settings(**settings)
        app = self.sandbox.world.apps["sign-in"].client_id.upper() if told_app else None
        transport = WSGIAdapter(self.sandbox.api)
        with Examination(given, sign_in_app=app, transport=transport, clock=self.story.world.clock) as examination:
            self.found = list(examination.findings())
        told = "\n".join(f"{named(one)} {in_words(one)}" for one in self.found)
        assert not [secret for secret in secrets_of(given) if len(secret) > 8 and secret in told]
        return {(one.check, one.about): one for one in self.found}

    def counted(self, *, licensed: bool) -> None:
        """As *count* of the impact preview does it, in a tenant where everybody has a licence, or Mia alone has none."""
        world, mia = self.sandbox.world, self.story.remotes.person().oid
        for oid, person in world.persons.items():
            person.licences = [] if oid == mia and not licensed else [INTUNE_PLAN, ENTRA_P1_PLAN]
        count = impact_counted(self.story)
        assert count.state == "done"

    def says(self, check: str, about: str = "", **settings: Any) -> tuple[State, str]:
        found = self.examined(**settings)[check, about]
        return found.state, found.why


@pytest.fixture
def ward(tell: Tell) -> Ward:
    return Ward(tell("blocked_just_registered"))


def test_all_is_good_and_no_person_was_read(ward: Ward) -> None:
    groups = tuple(ward.sandbox.world.groups)[:1]
    ward.provisioned(groups=groups)
    ward.sandbox.world.partner.chosen_groups = list(groups)
    ward.roles.add("Policy.Read.DeviceConfiguration")
    ward.counted(licensed=True)
    before = len(ward.sandbox.ledger.since())
    ward.examined(groups=groups)
    assert worst(ward.found) is GOOD, [one for one in ward.found if one.state is not GOOD]
    assert {one.check for one in ward.found if one.state is UNKNOWN} == {"by_hand"}, "told, and no fault of anybody's"
    oids = set(ward.sandbox.world.persons)
    assert not [call.path for call in ward.sandbox.ledger.since()[before:] if any(oid in call.path for oid in oids)]


def test_a_wrong_secret_is_named_once_and_what_needs_the_token_is_unknown(ward: Ward) -> None:
    found = ward.examined(service_client_secret=SecretStr("not-the-secret-of-this-app"))
    token = found["token", "graph"]
    assert (token.state, token.why, token.detail["code"]) == (BAD, "refused", "AADSTS7000215")
    waiting = {("directory", "people"), ("directory", "devices"), ("partner", ""), ("sign_in_log", ""), ("policy", "")}
    waiting.add(("partner_slot", ""))
    assert {found[key].why for key in waiting} == {"no_token"}
    assert found["mdm", "ws1"].state is GOOD, "what another credential opens is looked at all the same"


def test_the_end_of_each_credential(ward: Ward) -> None:
    apps, now = ward.sandbox.world.apps, ward.story.world.clock()
    assert ward.says("credential", "service app") == (GOOD, "lasts")
    apps["sign-in"].secret_ends, apps["service"].secret_ends = now + timedelta(days=6), now - timedelta(days=1)
    found = ward.examined()
    assert (found["credential", "sign-in app"].state, found["credential", "sign-in app"].why) == (BAD, "nearly_over")
    assert (found["credential", "service app"].state, found["credential", "service app"].why) == (BAD, "over")
    ward.roles.discard("Application.Read.All")
    ward.sandbox.world.end_tokens()
    assert ward.says("credential", "sign-in app") == (UNKNOWN, "not_known")
    assert ward.says("credential", "sign-in app", sign_in_secret_ends="2099-01-01") == (GOOD, "lasts")


def test_licences_are_there_and_enough(ward: Ward) -> None:
    world = ward.sandbox.world
    assert ward.says("licence", "Intune") == (GOOD, "there")
    world.seats = {INTUNE_PLAN: 1, ENTRA_P1_PLAN: 0}
    found = ward.examined()
    assert (found["licence", "Intune"].why, found["licence", "Intune"].state) == ("too_few", BAD)
    assert (found["licence", "Entra ID P1 or P2"].why, found["licence", "Entra ID P1 or P2"].state) == ("none", BAD)
    assert (found["licence_given", ""].state, found["licence_given", ""].why) == (UNKNOWN, "not_counted")
    ward.roles.discard("LicenseAssignment.Read.All")
    world.end_tokens()
    assert ward.says("licence") == (UNKNOWN, "not_readable"), "nobody has looked"


def test_people_in_scope_without_a_licence_by_the_last_count(ward: Ward) -> None:
    ward.counted(licensed=True)
    assert ward.says("licence_given") == (GOOD, "all")
    ward.counted(licensed=False)
    found = ward.examined()["licence_given", ""]
    assert (found.state, found.why, found.detail["count"]) == (BAD, "people_without", "1")
    assert in_words(found).seen.startswith("1 people in scope had no Intune licence at 2")


def test_who_may_register_a_device_and_how_many(ward: Ward) -> None:
    assert ward.says("registration") == (UNKNOWN, "not_readable"), "the permission is optional"
    ward.roles.add("Policy.Read.DeviceConfiguration")
    world = ward.sandbox.world
    world.end_tokens()
    assert ward.says("registration") == (GOOD, "everybody")
    assert ward.examined()["permissions", "graph"].why == "right"
    for who, quota, told in (("no", 50, (BAD, "nobody")), ("enumerated", 50, (UNKNOWN, "some")), ("all", 2, (BAD, "small_quota"))):
        world.may_register, world.device_quota = who, quota
        assert ward.says("registration") == told


@pytest.mark.parametrize("action", ["urn:user:registersecurityinfo", "urn:user:registerdevice"])
def test_a_policy_that_lets_no_new_phone_begin(ward: Ward, action: str) -> None:
    assert ward.says("new_phone") == (GOOD, "may_begin")
    ward.sandbox.world.user_actions = [action]
    found = ward.examined()["new_phone", ""]
    assert (found.state, found.why, found.detail) == (BAD, "locked_out", {"policies": "Register on a compliant device"})


def test_what_no_interface_tells_is_said_where_it_is_needed(ward: Ward) -> None:
    ward.examined()
    told = [one for one in ward.found if one.check == "by_hand"]
    assert {one.why for one in told} == {"authenticator", "sso_extension", "enrollment_app"}
    assert {one.state for one in told} == {UNKNOWN}, "nobody looked"
    assert worst(told) is GOOD, "no run could ever know"
    ward.examined(groups=tuple(ward.sandbox.world.groups)[:1])
    assert "group_sync" in {one.why for one in ward.found if one.check == "by_hand"}


def test_a_permission_too_few_and_one_too_many(ward: Ward) -> None:
    ward.roles.discard("Device.Read.All")
    found = ward.examined()
    assert (found["permissions", "graph"].why, found["permissions", "graph"].detail) == (
        "missing",
        {"permissions": "Device.Read.All"},
    )
    assert (found["directory", "devices"].state, found["directory", "people"].state) == (BAD, GOOD)
    ward.roles.update({"Device.Read.All", "Directory.ReadWrite.All"})
    ward.sandbox.world.end_tokens()
    assert ward.says("permissions", "graph") == (BAD, "too_many")
    ward.roles.discard("Directory.ReadWrite.All")
    ward.sandbox.world.end_tokens()
    assert ward.says("permissions", "graph") == (GOOD, "right")


def test_what_is_lost_without_an_optional_permission_is_said(ward: Ward) -> None:
    ward.roles.discard("LicenseAssignment.Read.All")
    found = ward.examined()
    without = [one for one in ward.found if one.why == "without"]
    assert [one.detail["permission"] for one in without] == ["LicenseAssignment.Read.All"]
    assert found["permissions", "graph"].state is GOOD


def test_directory_read_all_stands_for_the_reads_that_it_includes() -> None:
    assert judge({"Directory.Read.All"}, {"User.Read.All", "Device.Read.All"}).missing == ()
    assert judge({"User.Read.All"}, {"User.Read.All", "Device.Read.All"}).missing == ("Device.Read.All",)


def test_an_mdm_that_refuses_is_down_or_wants_to_be_left_alone(ward: Ward) -> None:
    wrong = settings_for(ward.sandbox).mdm["ws1"].model_copy(update={"client_secret": SecretStr("not-the-secret-of-this-client")})
    assert ward.says("mdm", "ws1", mdm={"ws1": wrong}) == (BAD, "refused")
    ward.story.passes(90)
    ward.story.fault("workspace_one", "down", path="devices/search")
    assert ward.says("mdm", "ws1") == (BAD, "unreachable")
    ward.sandbox.faults.clear()
    ward.story.passes(600, every=60)
    assert ward.says("mdm", "ws1") == (GOOD, "read")


def test_messages_never_tried_under_way_not_seen_and_seen(ward: Ward) -> None:
    never_arrived(ward.story.engine)
    found = ward.examined()
    assert (found["messages", "ws1"].why, found["evidence", ""].why) == ("never_tried", "unproven")
    asked(ward.story.store, ward.story.world.clock())
    assert ward.says("messages", "ws1") == (BAD, "waiting")
    ward.sandbox.world.advance(601)
    assert ward.says("messages", "ws1") == (BAD, "not_seen")


def test_our_sign_in_is_excluded_or_caught_and_what_cannot_be_read_is_unknown(ward: Ward) -> None:
    assert ward.says("policy") == (GOOD, "excluded")
    assert ward.says("policy", told_app=False) == (UNKNOWN, "which_app")
    ward.sandbox.world.excluded_apps.clear()
    found = ward.examined()["policy", ""]
    assert (found.state, found.why, found.detail["policies"]) == (BAD, "caught", "Require a compliant device")
    ward.roles.discard("Policy.Read.All")
    ward.sandbox.world.end_tokens()
    assert ward.says("policy") == (UNKNOWN, "not_readable")


ALL = AccessPolicy("p", True, frozenset({"compliantDevice"}), False, frozenset({"All"}), frozenset())


@pytest.mark.parametrize(
    ("policy", "answer"),
    [
        (ALL, True),
        (AccessPolicy("p", True, ALL.controls, False, frozenset({"ours"}), frozenset()), True),
        (AccessPolicy("p", True, ALL.controls, False, ALL.included, frozenset({"ours"})), False),
        (AccessPolicy("p", True, ALL.controls, False, frozenset({"other"}), frozenset()), False),
        (AccessPolicy("p", False, ALL.controls, False, ALL.included, frozenset()), False),
        (AccessPolicy("p", True, frozenset({"mfa"}), False, ALL.included, frozenset()), False),
        (AccessPolicy("p", True, frozenset({"mfa", "compliantDevice"}), True, ALL.included, frozenset()), False),
        (AccessPolicy("p", True, frozenset({"mfa", "compliantDevice"}), False, ALL.included, frozenset()), True),
        (AccessPolicy("p", True, frozenset({"domainJoinedDevice", "compliantDevice"}), True, ALL.included, frozenset()), True),
        (AccessPolicy("p", True, ALL.controls, False, ALL.included, frozenset(), filtered=True), None),
    ],
)
def test_which_policies_catch_our_sign_in(policy: AccessPolicy, answer: bool | None) -> None:
    assert catches(policy, "ours") is answer


BYPASS: dict[str, Any] = {"temporary_access": "pim", "temporary_access_group": "6f0c2a57-3d1b-4e88-9a47-0b5d2c7e9f31"}


def test_the_group_of_temporary_access_is_left_out_of_the_device_policy_alone(ward: Ward) -> None:
    assert ("temporary_access", "") not in ward.examined(), "off unless switched on"
    found = ward.examined(**BYPASS)
    assert found["permissions", "graph"].detail["permissions"] == TEMPORARY_ACCESS
    assert (found["temporary_access", ""].why, found["temporary_access", ""].detail["policies"]) == (
        "still_asked",
        "Require a compliant device",
    )
    assert found["temporary_access", "PIM"].state is BAD
    ward.roles.add(TEMPORARY_ACCESS)
    ward.sandbox.world.end_tokens()
    ward.sandbox.world.bypass_group = BYPASS["temporary_access_group"]
    found = ward.examined(**BYPASS)
    assert (found["temporary_access", ""].state, found["temporary_access", ""].why) == (GOOD, "left_out")
    assert (found["temporary_access", "PIM"].state, found["permissions", "graph"].state) == (GOOD, GOOD)
    ward.sandbox.world.excluded_from_other_policy = True
    one = ward.examined(**BYPASS)["temporary_access", ""]
    assert (one.why, one.detail["policies"]) == ("left_out_elsewhere", "Require two steps")
    ward.sandbox.world.governed = False
    assert ward.says("temporary_access", "PIM", **BYPASS) == (BAD, "refused")


LOCK: dict[str, Any] = {"channel_ios": "mdm_relay:ws1", "second_lock_attribute": 7}


def test_the_second_lock_from_nothing_to_relied_on(ward: Ward) -> None:
    found = ward.examined(**LOCK)
    assert (found["permissions", "graph"].why, found["permissions", "graph"].detail) == (
        *("missing", {"permissions": "Device.ReadWrite.All"}),
    )
    assert (found["lock", ""].why, ("lock_policy", "") in found) == ("not_prepared", False)
    ward.roles.add("Device.ReadWrite.All")
    ward.sandbox.world.end_tokens()
    prepare(ward.story)
    found = ward.examined(**LOCK)
    assert (found["permissions", "graph"].why, found["lock", ""].why, found["lock_policy", ""].why) == ("right", "prepared", "none")
    held = ward.story.store.second_lock()
    assert held is not None
    ward.sandbox.world.device_policies = [DevicePolicy("Second lock", held.rule)]
    found = ward.examined(**LOCK)
    assert (found["lock_policy", "Second lock"].state, found["policy", ""].why) == (GOOD, "excluded")
    assert found["lock_blocks", ""].state is BAD
    with ward.story.store.change(ward.story.world.actor, "x", about=("lock", "x"), at=ward.story.world.clock()) as change:
        for kind in ("unregistered", "unmarked"):
            change.saw_blocked(SeenBlocked(kind, "confirmed", "no way in", ward.story.world.clock(), "root"))
    assert ward.says("lock_blocks", **LOCK) == (GOOD, "seen")
    ward.roles.discard("Policy.Read.All")
    ward.sandbox.world.end_tokens()
    assert ward.says("lock_policy", **LOCK) == (UNKNOWN, "not_readable")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"rule": 'device.isCompliant -eq True -and device.extensionAttribute7 -ne "x"'}, {"negative", "other_value"}),
        ({"state": "enabledForReportingButNotEnforced"}, {"not_on"}),
        ({"mode": "include"}, {"includes"}),
        ({"platforms": ["android"]}, {"platforms"}),
        ({"clients": ["browser"]}, {"clients"}),
        ({"apps": ["All"]}, {"every_app"}),
    ],
)
def test_a_policy_of_the_second_lock_that_fails_open_is_flagged(ward: Ward, changed: dict[str, Any], why: set[str]) -> None:
    ward.examined(**LOCK)
    prepare(ward.story)
    held = ward.story.store.second_lock()
    assert held is not None
    ward.sandbox.world.device_policies = [DevicePolicy("Second lock", **{"rule": held.rule, **changed})]
    ward.examined(**LOCK)
    assert {one.why for one in ward.found if one.check == "lock_policy"} == why
    assert all(one.state is BAD for one in ward.found if one.check == "lock_policy")


def test_a_clock_that_differs(ward: Ward) -> None:
    ward.sandbox.world.skew = timedelta(minutes=7)
    ward.examined()
    (clock,) = [one for one in ward.found if one.check == "clock"]
    assert (clock.state, clock.why) == (BAD, "ahead")
    assert 415 <= int(clock.detail["seconds"]) <= 425


def test_how_many_calls_are_left(ward: Ward) -> None:
    found = ward.examined()
    assert {(found["headroom", name].state, found["headroom", name].why) for name in ("directory", "mdm:ws1", "channel")} == {
        (GOOD, "room")
    }
    assert ward.says("headroom", "entra") == (GOOD, "not_slowed_down")
    assert found["headroom", "Graph"].why == "below_published"
    assert ward.says("headroom", "Graph", directory_calls="5000/10") == (UNKNOWN, "above_smallest")
    assert ward.says("headroom", "Graph", directory_calls="9000/10") == (BAD, "above_published")
    told = ward.examined(mdm={"ws1": settings_for(ward.sandbox).mdm["ws1"].model_copy(update={"calls": "12/100"})})
    assert (told["headroom", "mdm:ws1"].state, told["headroom", "mdm:ws1"].detail["burst"]) == (GOOD, "9")


def test_a_remote_that_told_us_to_slow_down(ward: Ward) -> None:
    ward.story.fault("graph", "throttle", retry_after=40, times=1)
    found = ward.examined()["headroom", "directory"]
    assert (found.state, found.why) == (BAD, "told_to_wait")
    ward.sandbox.world.advance(60)
    assert ward.says("headroom", "directory") == (BAD, "slowed_down")
    assert ward.says("headroom", "mdm:ws1") == (GOOD, "room"), "the others were not"
    ward.story.passes(3700, every=300)
    assert ward.says("headroom", "directory") == (GOOD, "room")


def test_the_partner_service_lives_elsewhere_or_refuses_us(ward: Ward) -> None:
    found = ward.examined(partner_hosts="elsewhere.example")["partner", ""]
    assert (found.state, found.detail["code"]) == (BAD, "host_not_allowed")
    for granted in ward.sandbox.world.apps["service"].permissions.values():
        granted.discard("update_device_attributes")
    ward.sandbox.world.end_tokens()
    found = ward.examined()["partner", ""]
    assert (found.state, found.why) == (BAD, "refused")


def test_another_vendor_in_the_slot_nobody_in_it_and_not_enabled(ward: Ward) -> None:
    partner = ward.sandbox.world.partner
    found = ward.examined()
    assert [found["partner_slot", platform].why for platform in ("ios", "android", "macos")] == ["ours"] * 3
    partner.others, partner.platforms = [OtherPartner("o", "Another Vendor", ["iOS"])], ["iOS", "macOS"]
    found = ward.examined()
    taken, missing = found["partner_slot", "ios"], found["partner_slot", "android"]
    assert (taken.state, taken.why, taken.detail["holder"]) == (BAD, "taken", "Another Vendor")
    assert (missing.state, missing.why) == (BAD, "missing")
    assert found["partner_slot", "macos"].state is GOOD, "one platform's slot is not another's"
    partner.state = "terminated"
    found = ward.examined()
    assert (found["partner_slot", "macos"].why, found["partner_slot", "macos"].detail["word"]) == ("not_enabled", "terminated")
    assert ward.examined(partner_name=None)["partner_slot", "macos"].why == "whose"
    ward.roles.discard("DeviceManagementServiceConfig.Read.All")
    ward.sandbox.world.end_tokens()
    assert ward.says("partner_slot") == (UNKNOWN, "not_readable")


def test_a_partner_that_was_silent_for_days(ward: Ward) -> None:
    ward.story.tick(1)
    ward.sandbox.world.advance(4 * 86_400)
    found = ward.examined()
    assert found["partner_slot", "ios"].detail["word"] == "unresponsive"
    assert (found["heartbeat", ""].state, found["heartbeat", ""].why) == (BAD, "old")
    ward.story.tick(1)
    found = ward.examined()
    assert (found["partner_slot", "ios"].why, found["heartbeat", ""].why) == ("ours", "fresh")


def test_a_heartbeat_that_was_never_made_fails_or_rests(ward: Ward) -> None:
    ward.story.fault("intune", "down", path="Heartbeat")
    ward.story.passes(7200, every=600)
    found = ward.examined()["heartbeat", ""]
    assert (found.state, found.why, found.detail["code"]) == (BAD, "failing", "channel_unreachable")
    with ward.story.engine.begin() as connection:
        connection.execute(sa.delete(watches).where(watches.c.name == HEARTBEAT))
    assert ward.says("heartbeat") == (UNKNOWN, "none_yet")


def test_the_groups_are_the_same_on_both_sides(ward: Ward) -> None:
    one, other = sorted(ward.sandbox.world.groups)
    assert ward.says("partner_groups", "ios") == (GOOD, "same_all")
    ward.sandbox.world.partner.chosen_groups = [one]
    found = ward.examined(groups=(other,))["partner_groups", "ios"]
    assert (found.state, found.why, found.detail) == (BAD, "differ", {"there": one, "here": other})
    assert ward.says("partner_groups", "ios", groups=(one,)) == (GOOD, "same")
    assert ward.says("partner_addresses", groups=(one,)) == (BAD, "other_groups")
    ward.provisioned(groups=(one,))
    assert ward.says("partner_addresses", groups=(one,)) == (GOOD, "told")


def test_our_addresses_as_microsoft_took_them(ward: Ward) -> None:
    assert ward.says("partner_addresses") == (GOOD, "told")
    assert ward.says("partner_addresses", public_origin="https://elsewhere.example") == (BAD, "differ")
    partner = Partner(ward.settings(), transport=WSGIAdapter(ward.sandbox.api), clock=ward.story.world.clock)
    partner.deprovision("root", why="test")
    partner.close()
    assert ward.says("partner_addresses") == (BAD, "deprovisioned")
    with ward.story.engine.begin() as connection:
        connection.execute(sa.delete(partner_told))
    assert ward.says("partner_addresses") == (UNKNOWN, "never_told")


def test_withdrawn_consent_and_a_tenant_without_intune_are_named(ward: Ward) -> None:
    ward.sandbox.world.partner.set_up = False
    assert ward.says("partner") == (BAD, "not_set_up")
    ward.sandbox.world.partner.set_up = True
    ward.sandbox.world.apps["service"].consented = False
    for _ in range(2):
        found = ward.examined()
        assert (found["token", "graph"].state, found["token", "graph"].why) == (BAD, "no_consent")
    ward.sandbox.world.apps["service"].consented = True
    assert ward.says("token", "graph") == (GOOD, "given"), "and once it is mended, the next look finds it so"


def test_the_sign_in_log_is_readable_or_not_and_bound_says_what_it_rests_on(ward: Ward) -> None:
    found = ward.examined(minimum_evidence="bound")
    assert (found["sign_in_log", ""].why, found["evidence", ""].why) == ("readable", "by_log")
    ward.roles.discard("AuditLog.Read.All")
    ward.sandbox.world.end_tokens()
    found = ward.examined(minimum_evidence="bound")
    assert (found["sign_in_log", ""].why, found["sign_in_log", ""].state) == ("not_readable", GOOD)
    assert (found["evidence", ""].why, found["evidence", ""].state) == ("by_claim", UNKNOWN)


def test_a_worker_that_never_was_or_is_gone(tell: Tell) -> None:
    ward = Ward(tell("blocked_just_registered"))
    assert ward.says("worker") == (GOOD, "works")
    ward.sandbox.world.advance(3600)
    assert ward.says("worker") == (BAD, "gone")
    unwatched = tell("blocked_just_registered")
    ward.story = unwatched
    ward.sandbox = unwatched.sandbox
    assert ward.says("worker") == (BAD, "never")


def test_a_bug_that_holds_up_a_row(ward: Ward) -> None:
    ward.story.arrives()
    journey = ward.story.journey
    ward.story.store.note_fault("look_journey", journey.id, wake=journey.look.wake, at=ward.story.world.clock())
    assert ward.says("queue") == (BAD, "our_fault")


def test_files_of_certificates(ward: Ward, tmp_path: Path) -> None:
    file, lists, now = tmp_path / "mdm-ca.pem", tmp_path / "mdm-crl.pem", ward.story.world.clock()
    more: dict[str, Any] = {
        "certificate_ca_file": str(file),
        "certificate_names": "CN={serial}",
        "certificate_crl_file": str(lists),
    }
    begins = now - timedelta(days=90)
    for days, state, why in ((400, GOOD, "in_force"), (12, BAD, "ends_soon"), (-1, BAD, "ended")):
        ends = now + timedelta(days=days)
        authority = make("MDM", ca=True, begins=begins, ends=ends)
        file.write_text(authority.pem)
        lists.write_text(revoking(authority, begins=begins, ends=ends))
        found = ward.examined(**more)
        assert (found["certificate_authorities", ""].state, found["certificate_authorities", ""].why) == (state, why)
        assert found["revocation_lists", ""].why == ("ended" if days < 0 else "in_force")
    assert PemFiles().ends(str(tmp_path / "nowhere.pem")) is None
    lists.write_text("no list")
    assert PemFiles().lists_end(str(lists)) is None
    assert PemFiles().ends(str(lists)) is None


NO_CHANNEL: dict[str, Any] = {"channel_ios": "none", "channel_android": "none", "channel_macos": "none"}


def test_the_channels_are_named_and_only_theirs_is_asked_for(ward: Ward) -> None:
    assert ward.says("channel", "intune_partner") == (GOOD, "intune_partner")
    found = ward.examined(**{**NO_CHANNEL, "channel_ios": "mdm_relay"})
    assert found["channel", "mdm_relay"].detail == {"platforms": "ios", "connection": "ws1", "minutes": "15"}
    assert not {("token", "intune"), ("permissions", "intune"), ("partner", "")} & set(found)
    assert found["permissions", "graph"].why == "right", "Application.Read.All tells when secrets end"
    assert ward.says("channel", **NO_CHANNEL) == (BAD, "none")


def test_windows_needs_a_permission_that_nothing_else_may_have(ward: Ward) -> None:
    windows: dict[str, Any] = {"channel_windows": "graph_device"}
    found = ward.examined(**windows)
    assert found["channel", "graph_device"].state is GOOD
    assert found["permissions", "graph"].detail == {"permissions": "Device.ReadWrite.All"}
    assert found["permissions", "graph"].why == "missing"
    ward.roles.add("Device.ReadWrite.All")
    ward.sandbox.world.end_tokens()
    assert ward.says("permissions", "graph", **windows) == (GOOD, "right")
    assert ward.says("permissions", "graph") == (BAD, "too_many")


def test_two_writers_on_windows_are_told(ward: Ward) -> None:
    windows: dict[str, Any] = {"channel_windows": "graph_device"}
    assert ("writers", "") not in ward.examined(), "no channel of ours writes there"
    assert ward.says("writers", **windows) == (GOOD, "one")
    ward.story.gets_through()
    with ward.story.engine.begin() as connection:
        connection.execute(sa.update(pushes).values(reason=TWO_WRITERS, next_look_at=ward.story.world.clock()))
    assert ward.says("writers", **windows) == (BAD, "two")


def test_every_finding_has_words_and_a_name() -> None:
    text = "".join((Path(__file__).parents[2] / "remediation" / "services" / f"{name}.py").read_text() for name in MODULES)
    told = re.findall(r'Finding\(\s*"(\w+)", State\.\w+, "(\w+)"', text)
    told += [("headroom", why) for why in re.findall(r'Finding\(check, State\.\w+, "(\w+)"', text)]
    told += [(BY_HAND, why) for why in re.findall(r'Finding\(BY_HAND, State\.\w+, "(\w+)"', text)]
    told += [(check, "not_readable") for check in re.findall(r' read\("(\w+)"', text)]
    assert len(told) > 80
    for check, why in told:
        detail = {**dict.fromkeys((*DETAILS, *DETAILS_OF_TIME), "y"), "permission": "Policy.Read.All"}
        finding = Finding(check, GOOD, why, "x", detail)
        assert in_words(finding).seen
        assert named(finding)


MODULES = (
    *("doctor", "doctor_tenant", "doctor_remotes", "doctor_house", "doctor_partner", "doctor_lock", "doctor_headroom", "pilot"),
)
DETAILS = ("code", "said", "permissions", "count", "at", "by", "minimum", "connections", "policies")
DETAILS_OF_TIME = (
    "seconds",
    "channel",
    "step",
    "connection",
    "file",
    "ends",
    "since",
    "ago",
    "holder",
    "word",
    "there",
    "here",
    "enrollment",
    "seats",
    "used",
    "quota",
    *("free", "burst", "rate", "until", "most", "smallest", "largest", "name"),
)
