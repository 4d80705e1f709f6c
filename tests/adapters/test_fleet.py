"""Fleet's own quirks: policies that have not run, phones without any, another MDM, its words and times. None makes a device
compliant or lets it vanish."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from remediation.adapters.fleet_posture import Meaning
from remediation.domain.bar import Bar, Facts, Ownership, held_to
from remediation.domain.compliance import Lease, MdmWord, Posture, Verdict, decide
from remediation.domain.device import ManagedDevice, Platform
from remediation.errors import Garbled, NotFound, Refused
from sandbox.faults import Fault
from sandbox.server import Sandbox, SandboxConfig, create_sandbox
from tests.remotes import INTEGRITY, Remotes

Change = Callable[[dict[str, Any]], Any]
CHECKED = Meaning(integrity=frozenset({INTEGRITY}))
ACCEPTED = frozenset({Platform.IOS, Platform.ANDROID, Platform.MACOS})


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return create_sandbox(SandboxConfig(ca_folder=tmp_path_factory.mktemp("ca")))


@pytest.fixture
def remotes(stand_in: Sandbox) -> Remotes:
    return begun(stand_in, "mac_on_fleet")


def begun(sandbox: Sandbox, scenario: str) -> Remotes:
    sandbox.begin(scenario)
    Remotes(sandbox).live_in("fleet")
    return Remotes(sandbox)


def told(remotes: Remotes, change: Change) -> Remotes:
    """Each host of every answer changed on its way; None leaves it as it was."""

    def on_its_way(request: Any, status: int, body: bytes) -> bytes:
        if status != 200 or "/hosts" not in str(request.url):
            return body
        answer = json.loads(body)
        for host in [answer["host"]] if "host" in answer else answer.get("hosts", []):
            host |= change(host) or {}
        return json.dumps(answer).encode()

    return Remotes(remotes.sandbox, change=on_its_way)


def posture(remotes: Remotes, **more: Any) -> Posture:
    mdm = remotes.make_fleet(**more) if more else remotes.mdm
    found: ManagedDevice = mdm.device(remotes.record_id)
    return found.posture


def verdict(remotes: Remotes, **more: Any) -> Verdict:
    return decide(posture(remotes, **more), remotes.sandbox.world.now(), Lease()).verdict


class TestPolicies:
    def test_all_passed_is_good_and_nothing_less(self, remotes: Remotes) -> None:
        assert verdict(remotes) is Verdict.COMPLIANT

    def test_the_reason_is_the_policys_name_and_the_advice_its_own_resolution(self, remotes: Remotes) -> None:
        remotes.record.reported.encrypted = False
        [rule] = posture(remotes).failing
        assert (rule.name, rule.advice) == ("Encryption on", None)
        assert rule.detail.startswith("Open System Settings, choose Privacy & Security")
        assert rule.says == (("und", rule.detail),)

    def test_what_the_administrator_chose_goes_before_it(self, remotes: Remotes) -> None:
        remotes.record.reported.passcode = False
        [rule] = posture(remotes).failing
        assert (rule.advice, rule.says) == ("passcode", ())

    def test_a_policy_without_a_resolution_invents_none(self, remotes: Remotes) -> None:
        remotes.record.reported.encrypted = False
        silent = told(remotes, lambda host: {"policies": [{**one, "resolution": None} for one in host.get("policies", [])]})
        [rule] = posture(silent).failing
        assert (rule.name, rule.detail, rule.advice, rule.says) == ("Encryption on", "", None, ())

    def test_a_policy_that_never_ran_is_not_good(self, remotes: Remotes) -> None:
        remotes.sandbox.faults.add(Fault("fleet", "never_run"))
        said = posture(remotes)
        assert (said.word, said.compromised, said.last_seen, said.failing) == (MdmWord.PENDING, None, None, ())
        assert verdict(remotes) is Verdict.UNKNOWN

    def test_one_that_never_ran_beside_others_that_passed_is_not_good(self, remotes: Remotes) -> None:
        remotes.record.compliance_override = ""
        assert verdict(remotes) is Verdict.UNKNOWN

    @pytest.mark.parametrize("response", [None, "PASS", "passed", True, 1, ["pass"], {}])
    def test_only_the_literal_word_is_good(self, remotes: Remotes, response: Any) -> None:
        changed = told(remotes, lambda host: {"policies": [{**one, "response": response} for one in host.get("policies", [])]})
        assert verdict(changed) is Verdict.UNKNOWN

    @pytest.mark.parametrize("change", [lambda host: {"policies": []}, lambda host: {"policies": None}])
    def test_a_computer_without_policies_is_judged_by_nobody(self, remotes: Remotes, change: Change) -> None:
        assert verdict(told(remotes, change)) is Verdict.UNKNOWN

    @pytest.mark.parametrize("issues", [None, {}, {"failing_policies_count": None}, {"failing_policies_count": 1}])
    def test_fleets_own_count_of_failing_ones_must_agree(self, remotes: Remotes, issues: Any) -> None:
        """A list that lost the failing one on its way is no proof."""
        changed = told(remotes, lambda host: {"issues": issues})
        assert verdict(changed) is Verdict.UNKNOWN
        row = next(r for r in changed.mdm.page(None, since=None).rows if r.key.record_id == remotes.record_id)
        assert row.posture.word is MdmWord.UNKNOWN


class TestTampering:
    def test_a_policy_named_for_it_says_so(self, remotes: Remotes) -> None:
        remotes.record.reported.jailbroken = True
        assert (posture(remotes).compromised, verdict(remotes)) == (True, Verdict.NOT_COMPLIANT)

    def test_where_none_is_named_nobody_knows_and_nobody_is_compliant(self, remotes: Remotes) -> None:
        assert posture(remotes, meaning=Meaning()).compromised is None
        assert verdict(remotes, meaning=Meaning()) is Verdict.UNKNOWN
        assert verdict(remotes, meaning=Meaning(integrity=frozenset({"another policy"}))) is Verdict.UNKNOWN

    def test_unless_the_platform_is_knowingly_unchecked(self, remotes: Remotes) -> None:
        assert verdict(remotes, meaning=Meaning(unchecked=ACCEPTED)) is Verdict.COMPLIANT
        assert verdict(remotes, meaning=Meaning(unchecked=frozenset({Platform.WINDOWS}))) is Verdict.UNKNOWN

    def test_a_policy_named_for_it_counts_there_too(self, remotes: Remotes) -> None:
        meaning = replace(CHECKED, unchecked=ACCEPTED)
        remotes.sandbox.faults.add(Fault("fleet", "never_run"))
        assert posture(remotes, meaning=meaning).compromised is None


class TestPhones:
    """Fleet runs no policies there; whether profiles are enough is the administrator's to say."""

    @pytest.fixture
    def remotes(self, stand_in: Sandbox) -> Remotes:
        return begun(stand_in, "blocked_just_registered")

    GOOD = Meaning(unchecked=ACCEPTED, profiles=True)

    def test_by_default_none_is_ever_compliant(self, remotes: Remotes) -> None:
        assert verdict(remotes) is Verdict.UNKNOWN
        assert verdict(remotes, meaning=replace(self.GOOD, profiles=False)) is Verdict.UNKNOWN
        assert verdict(remotes, meaning=replace(self.GOOD, unchecked=frozenset())) is Verdict.UNKNOWN

    def test_with_profiles_that_all_arrived_it_is(self, remotes: Remotes) -> None:
        assert verdict(remotes, meaning=self.GOOD) is Verdict.COMPLIANT
        [device] = remotes.make_fleet(meaning=self.GOOD).devices_of(remotes.person()).devices
        assert (device.platform, device.os_version, device.model) == (Platform.IOS, "18.1", "iPhone15,4")

    @pytest.mark.parametrize("word", ["verifying", "pending", "Verified", "", "removed"])
    def test_with_one_on_its_way_it_is_not(self, remotes: Remotes, word: str) -> None:
        remotes.record.compliance_override = word
        assert verdict(remotes, meaning=self.GOOD) is Verdict.UNKNOWN

    def test_one_that_failed_is_the_reason_in_fleets_words(self, remotes: Remotes) -> None:
        remotes.record.compliance_override = "NonCompliant"
        assert verdict(remotes, meaning=self.GOOD) is Verdict.NOT_COMPLIANT
        [rule] = posture(remotes, meaning=self.GOOD).failing
        assert (rule.name, rule.detail) == ("Contoso passcode", "The device refused this profile.")

    @pytest.mark.parametrize("profiles", [None, []])
    def test_without_a_profile_it_is_not(self, remotes: Remotes, profiles: Any) -> None:
        changed = told(remotes, lambda host: {"mdm": {**host["mdm"], "profiles": profiles}})
        assert verdict(changed, meaning=self.GOOD) is Verdict.UNKNOWN

    def test_one_that_is_being_removed_proves_nothing(self, remotes: Remotes) -> None:
        def removing(host: dict[str, Any]) -> Any:
            profiles = [{**one, "operation_type": "remove"} for one in host["mdm"].get("profiles", [])]
            return {"mdm": {**host["mdm"], "profiles": profiles}}

        assert verdict(told(remotes, removing), meaning=self.GOOD) is Verdict.UNKNOWN

    def test_a_row_does_not_tell_and_so_renews_nothing(self, remotes: Remotes) -> None:
        mdm = remotes.make_fleet(meaning=self.GOOD)
        row = next(r for r in mdm.page(None, since=None).rows if r.key.record_id == remotes.record_id)
        assert row.posture.word is MdmWord.UNKNOWN

    @pytest.mark.parametrize("scenario", ["android_work_profile", "ipad"])
    def test_the_others_too(self, stand_in: Sandbox, scenario: str) -> None:
        remotes = begun(stand_in, scenario)
        device = remotes.make_fleet(meaning=self.GOOD).device(remotes.record_id)
        assert device.platform is {"ipad": Platform.IOS}.get(scenario, Platform.ANDROID)
        assert verdict(remotes, meaning=self.GOOD) is Verdict.COMPLIANT


class TestEnrollment:
    @pytest.mark.parametrize(
        ("mdm", "enrolled"),
        [
            ({"enrollment_status": "On (manual)"}, True),
            ({"enrollment_status": "On (personal)"}, True),
            ({"enrollment_status": "Pending"}, False),
            ({"enrollment_status": "Off"}, False),
            ({"enrollment_status": None}, None),
            ({"enrollment_status": "on (manual)"}, None),
            ({"enrollment_status": "On"}, None),
            ({"name": "VMware Workspace ONE"}, False),
            ({"name": ""}, None),
            ({"name": None}, None),
            ({"connected_to_fleet": False}, None),
            ({"pending_action": "wipe"}, None),
            ({"pending_action": "lock"}, True),
            ({"device_status": "wiped"}, None),
        ],
    )
    def test_only_known_words_of_fleets_own_mdm_count(self, remotes: Remotes, mdm: dict[str, Any], enrolled: bool | None) -> None:
        changed = told(remotes, lambda host: {"mdm": {**host["mdm"], **mdm}})
        assert posture(changed).enrolled is enrolled
        assert len(changed.mdm.devices_of(remotes.person()).devices) == (0 if enrolled is False else 1)

    @pytest.mark.parametrize("field", ["last_enrolled_at", "uuid"])
    def test_half_of_a_generation_is_none(self, remotes: Remotes, field: str) -> None:
        nothing = {"uuid": "", "hardware_serial": "", "last_enrolled_at": "2000-01-01T00:00:00Z"}
        missing = {key: nothing[key] for key in ({"uuid", "hardware_serial"} if field == "uuid" else {field})}
        with pytest.raises(Garbled):
            told(remotes, lambda host: missing).mdm.device(remotes.record_id)

    def test_how_its_uuid_is_written_is_no_other_device(self, remotes: Remotes) -> None:
        before = remotes.mdm.device(remotes.record_id).generation
        plain = told(remotes, lambda host: {"uuid": host["uuid"].replace("-", "").lower()})
        assert plain.mdm.device(remotes.record_id).generation == before


class TestRecord:
    def test_a_mac_as_the_directory_speaks_of_it(self, remotes: Remotes) -> None:
        """`Mac14,2` is of no family that Entra knows: it would refuse the pair."""
        device = remotes.mdm.device(remotes.record_id)
        assert (device.platform, device.model, device.os_version) == (Platform.MACOS, None, "15.1")

    def test_windows_by_its_build(self, stand_in: Sandbox) -> None:
        device = begun(stand_in, "windows")
        found = device.mdm.device(device.record_id)
        assert (found.platform, found.os_version, found.model) == (Platform.WINDOWS, "10.0.26100.2314", "Latitude 5450")

    @pytest.mark.parametrize("word", ["ubuntu", "chrome", "Darwin", "", None])
    def test_another_platform_is_none_of_ours(self, remotes: Remotes, word: Any) -> None:
        device = told(remotes, lambda host: {"platform": word}).mdm.device(remotes.record_id)
        assert (device.platform, device.posture.word) == (Platform.UNKNOWN, MdmWord.UNKNOWN)

    def test_the_organisations_bar_reaches_each_way_of_reading(self, remotes: Remotes) -> None:
        seen: list[Facts] = []

        def hold(device: ManagedDevice, facts: Facts) -> ManagedDevice:
            seen.append(facts)
            return held_to(Bar(least_os={Platform.MACOS: "99"}), device, facts)

        mdm = remotes.make_fleet(hold=hold)
        [one] = mdm.devices_of(remotes.person()).devices
        row = next(r for r in mdm.page(None, since=None).rows if r.key.record_id == remotes.record_id)
        said = {device.posture.word for device in (mdm.device(remotes.record_id), one, row)}
        assert said == {MdmWord.NOT_COMPLIANT}
        assert seen[0] == Facts(True, Ownership.CORPORATE)

    def test_being_online_is_not_having_reported(self, remotes: Remotes) -> None:
        old = told(remotes, lambda host: {"policy_updated_at": "2026-01-01T00:00:00Z"})
        assert posture(old).last_seen == datetime(2026, 1, 1, tzinfo=UTC)
        assert verdict(old) is Verdict.NOT_COMPLIANT, "not seen lately"


class TestManners:
    @pytest.mark.parametrize("record_id", ["x", "../hosts", "1/wipe", "", "-1", "1.5"])
    def test_what_is_no_number_of_a_host_is_not_asked_for(self, remotes: Remotes, record_id: str) -> None:
        before = len(remotes.sandbox.ledger.since(0))
        for ask in (remotes.mdm.device, remotes.mdm.refresh):
            with pytest.raises(Refused):
                ask(record_id)
        assert len(remotes.sandbox.ledger.since(0)) == before

    def test_a_404_that_is_none_of_fleets_is_not_gone(self, remotes: Remotes) -> None:
        wrong = remotes.remote("mdm", f"{remotes.facts['fleet']['url']}/wrong", lambda body: body["errors"][0]["reason"])
        with pytest.raises(Garbled):
            wrong.call("GET", "hosts/1")
        with pytest.raises(NotFound):
            remotes.mdm.device("999")

    def test_another_host_than_the_one_asked_for_is_no_answer(self, remotes: Remotes) -> None:
        with pytest.raises(Garbled):
            told(remotes, lambda host: {"id": host["id"] + 1}).mdm.device(remotes.record_id)

    def test_a_changed_token_is_tried_at_once(self, remotes: Remotes) -> None:
        given = ["wrong"]
        mdm = remotes.make_fleet(lambda: given[0])
        with pytest.raises(Refused):
            mdm.device(remotes.record_id)
        given[0] = remotes.facts["fleet"]["token"]
        assert mdm.device(remotes.record_id)

    @pytest.mark.parametrize("token", ["", "two words", "a\r\nb", "ä"])
    def test_what_is_no_token_leaves_nowhere(self, remotes: Remotes, token: str) -> None:
        before = len(remotes.sandbox.ledger.since(0))
        with pytest.raises(Refused):
            remotes.make_fleet(lambda: token).device(remotes.record_id)
        assert len(remotes.sandbox.ledger.since(0)) == before

    def test_nothing_that_leaves_can_wipe_or_write(self, remotes: Remotes) -> None:
        remotes.mdm.devices_of(remotes.person())
        remotes.mdm.page(None, since=None)
        remotes.mdm.refresh(remotes.record_id)
        sent = {(entry.method, entry.path.rpartition("/fleet/")[2]) for entry in remotes.sandbox.ledger.since(0, "fleet")}
        number = remotes.record_id
        assert sent == {
            ("GET", "hosts"),
            ("GET", "hosts/count"),
            ("GET", f"hosts/{number}"),
            ("GET", f"hosts/{number}/device_mapping"),
            ("POST", f"hosts/{number}/refetch"),
        }
