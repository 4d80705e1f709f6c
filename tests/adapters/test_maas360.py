"""MaaS360's own quirks: its token, its lock-out, its odd types and words. None makes a device compliant or lets it vanish."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from remediation.adapters.maas360 import Unconfirmed
from remediation.domain.compliance import Lease, MdmWord, Verdict, decide
from remediation.domain.device import Platform
from remediation.errors import Garbled, NotFound, Refused
from sandbox.faults import Fault
from sandbox.server import Sandbox, SandboxConfig, create_sandbox
from tests.remotes import Remotes

Change = Callable[[dict[str, Any]], dict[str, Any] | None]
SEARCH = "/search/customer/"


@pytest.fixture(scope="module")
def _sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return create_sandbox(SandboxConfig(ca_folder=tmp_path_factory.mktemp("ca")))


@pytest.fixture
def remotes(_sandbox: Sandbox) -> Remotes:
    _sandbox.begin("on_maas360")
    return Remotes(_sandbox)


def sent(remotes: Remotes, part: str) -> list[Any]:
    return [entry for entry in remotes.sandbox.ledger.since(0, "maas360") if part in entry.path]


def told(remotes: Remotes, change: Callable[[dict[str, Any]], Any], part: str = SEARCH) -> Remotes:
    def on_its_way(request: Any, status: int, body: bytes) -> bytes:
        return json.dumps(change(json.loads(body))).encode() if part in str(request.url) and status == 200 else body

    return Remotes(remotes.sandbox, change=on_its_way)


def row(change: Change) -> Callable[[dict[str, Any]], Any]:
    """The one record of the search, changed."""

    def page(body: dict[str, Any]) -> dict[str, Any]:
        envelope = body["devices"]
        return {"devices": {**envelope, "device": change(envelope["device"])}} if "device" in envelope else body

    return page


def verdict(remotes: Remotes) -> Verdict:
    return decide(remotes.mdm.device(remotes.record_id).posture, remotes.sandbox.world.now(), Lease()).verdict


class TestSignIn:
    def test_one_token_serves_for_fifty_minutes_and_is_then_refreshed(self, remotes: Remotes) -> None:
        for _ in range(4):
            remotes.mdm.device(remotes.record_id)
            remotes.later(15 * 60)
        assert [e.path.split("/")[5] for e in sent(remotes, "auth-apis")] == ["authenticate"]
        remotes.mdm.device(remotes.record_id)
        assert [e.path.split("/")[5] for e in sent(remotes, "auth-apis")] == ["authenticate", "refreshToken"]
        assert not any(entry.status == 401 for entry in sent(remotes, "device-apis"))

    def test_a_refused_refresh_is_followed_by_the_password(self, remotes: Remotes) -> None:
        remotes.mdm.device(remotes.record_id)
        remotes.later(25 * 3600)
        remotes.mdm.device(remotes.record_id)
        assert [e.path.split("/")[5] for e in sent(remotes, "auth-apis")] == ["authenticate", "refreshToken", "authenticate"]

    def test_a_token_that_ended_early_is_renewed_once_and_the_call_repeated_once(self, remotes: Remotes) -> None:
        remotes.mdm.device(remotes.record_id)
        remotes.later(120)
        remotes.sandbox.world.end_tokens()
        remotes.later(1)
        before = len(sent(remotes, "device-apis"))
        remotes.mdm.device(remotes.record_id)
        assert [e.status for e in sent(remotes, "device-apis")[before:]] == [401, 200, 200]

    def test_T26_after_two_refusals_nothing_is_offered_for_an_hour_unless_it_changes(self, remotes: Remotes) -> None:
        current = ["wrong"]
        mdm = remotes.make_maas(remotes.maas_token(password=lambda: current[0]))
        for _ in range(30):
            with pytest.raises(Refused):
                mdm.device(remotes.record_id)
            remotes.later(60)
        assert len(sent(remotes, "auth-apis")) == 2, "the third would lock it"
        current[0] = remotes.facts["maas360"]["password"]
        assert mdm.device(remotes.record_id)

    def test_T26_a_wrong_password_left_in_place_for_a_day_never_locks_the_account(self, remotes: Remotes) -> None:
        mdm = remotes.make_maas(remotes.maas_token(password=lambda: "wrong"))
        for _ in range(24 * 12):
            with pytest.raises(Refused) as caught:
                mdm.device(remotes.record_id)
            assert caught.value.vendor_code in ("1002", None)
            remotes.later(300)
        assert 10 < len(sent(remotes, "auth-apis")) < 30
        assert remotes.mdm.device(remotes.record_id)

    def test_T26_tokens_that_are_refused_at_once_count_as_refusals(self, remotes: Remotes) -> None:
        remotes.sandbox.world.tokens_end = remotes.sandbox.world.now() + timedelta(hours=1)
        for _ in range(5):
            with pytest.raises(Refused):
                remotes.mdm.device(remotes.record_id)
        assert len(sent(remotes, "/authenticate/")) == 2

    @pytest.mark.parametrize("token", ['a"b', "a b", "", "a\nb", "ä"])
    def test_a_token_that_no_header_can_carry_is_garbled(self, remotes: Remotes, token: str) -> None:
        def odd(body: dict[str, Any]) -> dict[str, Any]:
            return {"authResponse": {**body["authResponse"], "authToken": token}}

        with pytest.raises(Garbled):
            told(remotes, odd, "auth-apis").mdm.device(remotes.record_id)


class TestReading:
    def test_json_is_asked_for_always(self, remotes: Remotes) -> None:
        remotes.mdm.device(remotes.record_id)
        remotes.mdm.note_link(remotes.record_id, remotes.device_id)
        assert {entry.headers["Accept"] for entry in sent(remotes, "")} == {"application/json"}

    def test_numbers_as_texts_and_versions_as_numbers(self, remotes: Remotes) -> None:
        plain = remotes.mdm.device(remotes.record_id)

        def odd(device: dict[str, Any]) -> dict[str, Any]:
            texts = {k: str(v) for k, v in device.items() if k.endswith("InEpochms")}
            return {**device, **texts, "osVersion": 18.1, "model": 15}

        device = told(remotes, row(odd)).mdm.device(remotes.record_id)
        assert (device.os_version, device.model, device.platform) == ("18.1", "15", Platform.IOS)
        assert (device.generation, device.posture.last_seen) == (plain.generation, plain.posture.last_seen)

    @pytest.mark.parametrize("state", ["policyComplianceState", "ruleComplianceState", "appComplianceState", "passcodeCompliance"])
    @pytest.mark.parametrize("word", ["", None, "Unknown", "Compliant!", "Not in compliance", "in  compliance", 1, "ｃompliant"])
    def test_I4_a_state_that_is_not_proven_never_grants(self, remotes: Remotes, state: str, word: object) -> None:
        assert verdict(remotes) is Verdict.COMPLIANT
        assert verdict(told(remotes, row(lambda device: {**device, state: word}))) is not Verdict.COMPLIANT
        assert verdict(told(remotes, row(lambda device: {k: v for k, v in device.items() if k != state}))) is not Verdict.COMPLIANT

    @pytest.mark.parametrize(
        ("field", "words"),
        [
            ("jailbreakStatus", ["Yes", "", None, "Unknown", "Rooted"]),
            ("maas360ManagedStatus", ["Not Enrolled", "Pending Control Removed", "", None, "enrolled?"]),
            ("deviceStatus", ["Inactive", "", None, "Hidden"]),
            ("lastReportedInEpochms", [None, "", 0]),
        ],
    )
    def test_I4_nor_does_a_record_that_does_not_say_the_rest(self, remotes: Remotes, field: str, words: list[object]) -> None:
        for word in words:
            changed = told(remotes, row(lambda device, word=word: {**device, field: word}))  # type: ignore[misc]
            assert verdict(changed) is not Verdict.COMPLIANT, word

    def test_a_state_may_be_left_out_by_the_administrator_but_not_its_bad_news(self, remotes: Remotes) -> None:
        def app(word: str) -> Any:
            changed = told(remotes, row(lambda device: {**device, "appComplianceState": word}))
            return changed.make_maas(states=("policy", "rule", "passcode")).device(remotes.record_id).posture.word

        assert [app(word) for word in ("", "Out of Compliance")] == [MdmWord.COMPLIANT, MdmWord.NOT_COMPLIANT]

    def test_an_attribute_that_fails_counts_though_the_states_are_good(self, remotes: Remotes) -> None:
        def failing(body: dict[str, Any]) -> dict[str, Any]:
            one = {"key": "Lab radio", "type": "String", "value": "OUT OF COMPLIANCE"}
            return {"securityCompliance": {"complianceAttributes": {"complianceAttribute": one}}}

        posture = told(remotes, failing, "mdSecurityCompliance").mdm.device(remotes.record_id).posture
        assert (posture.word, [(r.name, r.detail) for r in posture.failing]) == (
            MdmWord.NOT_COMPLIANT,
            [("Lab radio", "OUT OF COMPLIANCE")],
        )

    def test_where_no_attribute_says_why_the_events_do(self, remotes: Remotes) -> None:
        remotes.record.reported.passcode = False
        silent = told(remotes, lambda body: {"securityCompliance": {}}, "mdSecurityCompliance")
        names = [rule.name for rule in silent.mdm.device(remotes.record_id).posture.failing]
        assert names[0] == "Passcode required"
        pages = [entry.query["pageNumber"] for entry in sent(remotes, "searchComplianceEvents")]
        assert pages == ["1", "2"], "the repeated last page ends it"
        otherwise = silent.make_maas(unconfirmed=Unconfirmed(event_rule_field="other"))
        assert [r.name for r in otherwise.device(remotes.record_id).posture.failing] == ["passcodeCompliance"]

    @pytest.mark.parametrize("field", ["lastMdmRegisteredInEpochms", "maas360DeviceID"])
    @pytest.mark.parametrize("value", [None, "", "never", [], -5])
    def test_a_record_without_what_makes_it_one_is_garbled_not_gone(self, remotes: Remotes, field: str, value: object) -> None:
        with pytest.raises(Garbled):
            told(remotes, row(lambda device: {**device, field: value})).mdm.device(remotes.record_id)

    def test_one_record_twice_is_garbled(self, remotes: Remotes) -> None:
        def twice(body: dict[str, Any]) -> dict[str, Any]:
            return {"devices": {**body["devices"], "count": 2, "device": [body["devices"]["device"]] * 2}}

        with pytest.raises(Garbled):
            told(remotes, twice).mdm.device(remotes.record_id)

    @pytest.mark.parametrize("kind", ["unlisted"])
    def test_a_record_that_the_search_leaves_out_is_not_gone(self, remotes: Remotes, kind: str) -> None:
        remotes.sandbox.faults.add(Fault("maas360", kind))
        with pytest.raises(Garbled):
            remotes.mdm.device(remotes.record_id)
        del remotes.sandbox.world.records[remotes.phone.record_id]
        with pytest.raises(NotFound):
            remotes.mdm.device("ApplF2LNOWHERE")

    @pytest.mark.parametrize("record_id", ["Appl F2L", "a/b", "ApplF2L*", "%", "..", "android", "x" * 900])
    def test_an_awkward_id_is_nobodys(self, remotes: Remotes, record_id: str) -> None:
        with pytest.raises(NotFound):
            remotes.mdm.device(record_id)

    def test_another_id_in_another_size_of_letters_is_not_that_record(self, remotes: Remotes) -> None:
        with pytest.raises(Garbled):
            remotes.mdm.device(remotes.record_id.lower())

    def test_the_generation_is_made_of_enrollment_hardware_and_holder(self, remotes: Remotes) -> None:
        before = remotes.mdm.device(remotes.record_id).generation
        changes: dict[str, object] = {"udid": "f" * 40, "username": "noah", "userDomain": "x", "ownership": "Corporate Shared"}
        for field, value in changes.items():
            changed = told(remotes, row(lambda device, f=field, v=value: {**device, f: v}))  # type: ignore[misc]
            assert changed.mdm.device(remotes.record_id).generation != before, field
        renamed = told(remotes, row(lambda device: {**device, "deviceName": "new", "model": "x", "osVersion": 99}))
        assert renamed.mdm.device(remotes.record_id).generation == before
        remotes.record.enrolled_on += timedelta(seconds=1)
        assert remotes.mdm.device(remotes.record_id).generation != before


class TestDoing:
    def test_an_attribute_that_is_not_kept_is_refused_though_it_was_said_to_be_done(self, remotes: Remotes) -> None:
        remotes.mdm.note_link(remotes.record_id, remotes.device_id)
        forgets = told(remotes, lambda body: {"deviceIdentity": {}}, "/identity/")
        with pytest.raises(Refused):
            forgets.mdm.note_link(remotes.record_id, remotes.device_id)

    def test_other_names_of_the_parameters_are_a_setting(self, remotes: Remotes) -> None:
        mdm = remotes.make_maas(unconfirmed=Unconfirmed(parameters=("deviceId", "name", "value")))
        with pytest.raises(Refused):
            mdm.note_link(remotes.record_id, remotes.device_id)
        assert "name" in sent(remotes, "setCustomAttributeValue")[-1].query

    @pytest.mark.parametrize("value", ["", "a.b", "' or 1", "g" * 36])
    def test_nothing_but_a_guid_is_noted(self, remotes: Remotes, value: str) -> None:
        with pytest.raises(Refused):
            remotes.mdm.note_link(remotes.record_id, value)
        assert not sent(remotes, "setCustomAttributeValue")

    def test_a_message_of_several_lines_is_one_line(self, remotes: Remotes) -> None:
        remotes.mdm.message(remotes.record_id, "Tap\nhere:\t https://x.example/y?z=1&a=ä")
        assert remotes.phone.messages[-1].body == "Tap here: https://x.example/y?z=1&a=ä"

    def test_a_device_that_is_not_managed_gets_no_message(self, remotes: Remotes) -> None:
        remotes.record.enrollment_status = "Unenrolled"
        with pytest.raises(Refused):
            remotes.mdm.message(remotes.record_id, "Tap")
