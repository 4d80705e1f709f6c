"""What was typed is one more source of settings, below all others, and a process with too little comes up for the set-up alone."""

import pytest

from remediation.domain.evidence import Level
from remediation.settings import PREFIX, WebSettings, WorkerSettings
from remediation.settings.proposal import wrong_with
from remediation.settings.reading import FaultySettings, elsewhere, faults_of, read, read_so_far
from remediation.settings.typed import NAMES, NIL, may_be_typed, whose_secret
from tests.test_settings import GOOD_WEB, GOOD_WORKER, KEY, Surroundings, around

__all__ = ["around"]  # a fixture
WS1, MAAS, FLEET = ({"MDM_X_KIND": kind} for kind in ("workspace_one", "maas360", "fleet"))
WHOLE = {**WS1, "MDM_X_URL": "https://as1234.awmdm.com", "MDM_X_TOKEN_URL": "https://emea.uemauth.workspaceone.com/connect/token"}
WHOLE |= {"MDM_X_CLIENT_ID": "x", "MDM_X_CLIENT_SECRET": "planted"}
# What is wrong, as pages say it, and something typed that is wrong in this way.
FAULTS: dict[str, dict[str, str]] = {
    "guid": {"TENANT_ID": "contoso"},
    "blank": {"ORGANISATION": " "},
    "https": {**FLEET, "MDM_X_URL": "http://fleet.contoso.example"},
    "link": {"ENROLLMENT_LINK_IOS": "javascript:alert(1)"},
    "language": {"LANGUAGE": "xx"},
    "level": {"MINIMUM_EVIDENCE": "agent"},
    "channel": {"CHANNEL_IOS": "pigeon"},
    "platforms": {"SECOND_LOCK_ATTRIBUTE": "7", "SECOND_LOCK_PLATFORMS": "beos"},
    "billing_id": {**MAAS, "MDM_X_BILLING_ID": "ninety"},
    "attribute": {**MAAS, "MDM_X_ATTRIBUTE": "a.b"},
    "certificate": {"SERVICE_CERTIFICATE": "-----BEGIN CERTIFICATE-----"},
    "unsuited": {"CHANNEL_WINDOWS": "intune_partner"},
    "lock_unsuited": {"SECOND_LOCK_ATTRIBUTE": "7"},
    "cloud": {"ENROLLMENT_LINK_IOS": "https://enroll.microsoftonline.us"},
    "one_of": {**WS1, "MDM_X_CLIENT_ID": "x", "MDM_X_USER": "y"},
    "together": {**WS1, "MDM_X_CLIENT_ID": "x"},
    "choice": {**MAAS, "MDM_X_OWNER_ATTRIBUTE": "shoe"},
    "number": {**WHOLE, "CHANNEL_IOS": "mdm_relay:x", "SECOND_LOCK_ATTRIBUTE": "16"},
    "day": {"SIGN_IN_SECRET_ENDS": "soon"},
    "not_here": {"DATABASE_URL": "sqlite:///x"},
    "fixed": {"PARTNER_NAME": "ours"},
    "address": {**FLEET, "MDM_X_URL": "https://10.0.0.1"},
    "long": {"ORGANISATION": "x" * 13_000},
    "other": {"MINIMUM_EVIDENCE": "certificate"},
}


def typed(**names: str) -> dict[str, str]:
    return {PREFIX + name: value for name, value in names.items()}


def test_the_environment_wins_over_a_file_and_a_file_over_what_was_typed(around: Surroundings) -> None:
    around.set(GOOD_WEB)
    given = typed(ORGANISATION="Typed", LANGUAGE="de", HELPDESK_PHONE="+49 1")
    around.toml('language = "en"')
    found = read(WebSettings, given)
    assert (found.organisation, found.language, found.helpdesk_phone) == ("Contoso", "en", GOOD_WEB["HELPDESK_PHONE"])
    around.unset("ORGANISATION")
    assert read(WebSettings, given).organisation == "Typed"


def test_an_mdm_connection_can_be_typed_whole_or_beside_the_environment(around: Surroundings) -> None:
    around.set({name: value for name, value in GOOD_WORKER.items() if not name.startswith("MDM_WS1_CLIENT")})
    found = read(WorkerSettings, typed(MDM_WS1_CLIENT_ID="typed", MDM_WS1_CLIENT_SECRET="typed-7712"))
    assert found.mdm["ws1"].model_dump()["client_id"] == "typed"


def test_a_credential_of_the_environment_takes_the_place_of_another_kind_that_was_typed(around: Surroundings) -> None:
    around.set(GOOD_WORKER)
    pem = "-----BEGIN PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----"
    assert read(WorkerSettings, typed(SERVICE_CERTIFICATE=pem)).service_certificate is None


def test_a_fault_in_what_was_typed_is_told_like_any_other(around: Surroundings) -> None:
    around.set(GOOD_WEB)
    around.unset("TENANT_ID", "MINIMUM_EVIDENCE")
    told = {fault.name: fault.words for fault in faults_of(WebSettings, typed(TENANT_ID="contoso", MINIMUM_EVIDENCE="certificate"))}
    assert "GUID" in told[PREFIX + "TENANT_ID"]
    assert "is not set" in told[PREFIX + "CERTIFICATE_CA_FILE"]
    assert faults_of(WebSettings, typed(TENANT_ID=NIL, MINIMUM_EVIDENCE="fresh")) == []


def test_with_addresses_and_keys_alone_a_process_comes_up_and_says_what_is_missing(around: Surroundings) -> None:
    around.set({"PUBLIC_ORIGIN": "https://return.contoso.example", "SECRET_KEY": KEY, "AUDIT_KEY": KEY[::-1]})
    web, missing = read_so_far(WebSettings)
    assert {fault.name for fault in missing} >= {
        PREFIX + name for name in ("TENANT_ID", "MINIMUM_EVIDENCE", "SIGN_IN_CLIENT_SECRET")
    }
    assert (web.tenant_id, web.minimum_evidence) == (NIL, max(Level))
    worker, missing = read_so_far(WorkerSettings)
    assert {fault.name for fault in missing} >= {PREFIX + "SERVICE_CLIENT_ID", PREFIX + "MDM_…", PREFIX + "…"}
    assert worker.mdm == {}


@pytest.mark.parametrize("name", ["PUBLIC_ORIGIN", "SECRET_KEY"])
def test_T10_what_pages_cannot_give_still_stops_the_start(around: Surroundings, name: str) -> None:
    around.set({"PUBLIC_ORIGIN": "https://return.contoso.example", "SECRET_KEY": KEY})
    read_so_far(WebSettings)  # the control
    around.unset(name)
    with pytest.raises(FaultySettings, match=name):
        read_so_far(WebSettings)


def test_T10_what_is_wrong_stops_the_start_however_much_is_missing(around: Surroundings) -> None:
    around.set({"PUBLIC_ORIGIN": "https://return.contoso.example", "SECRET_KEY": KEY, "TENANT_ID": "contoso"})
    with pytest.raises(FaultySettings, match="TENANT_ID"):
        read_so_far(WebSettings)


def test_T10_nothing_that_decides_where_a_process_runs_can_be_typed() -> None:
    fields = {name for cls in (WebSettings, WorkerSettings) for name in cls.model_fields}
    for field in ("database_url", "public_origin", "secret_key", "audit_key", "seal_key", "entra_authority", "ca_file", "hook_key"):
        assert field in fields
        assert not may_be_typed(PREFIX + field.upper())
    assert all(name.removeprefix(PREFIX).lower() in fields for name in NAMES)


def test_each_secret_has_its_process() -> None:
    assert whose_secret(PREFIX + "SIGN_IN_CLIENT_SECRET") == "web"
    assert whose_secret(PREFIX + "SERVICE_CLIENT_SECRET") == whose_secret(PREFIX + "MDM_WS1_PASSWORD") == "worker"
    assert whose_secret(PREFIX + "TENANT_ID") is None
    assert whose_secret(PREFIX + "MDM_WS1_URL") is None


def test_what_stands_elsewhere_is_told_without_its_secrets(around: Surroundings) -> None:
    around.set(GOOD_WORKER)
    around.set({"SERVICE_CLIENT_SECRET_FILE": around.secret_file("x")})
    told = elsewhere()
    assert told[PREFIX + "ORGANISATION"] == "Contoso"
    assert told[PREFIX + "MDM_WS1_URL"] == GOOD_WORKER["MDM_WS1_URL"]
    assert told[PREFIX + "SERVICE_CLIENT_SECRET"] is None
    assert told[PREFIX + "MDM_WS1_CLIENT_SECRET"] is None
    assert PREFIX + "AUDIT_KEY" not in told


@pytest.mark.parametrize("key", FAULTS)
def test_what_does_not_fit_has_a_stable_id_for_pages_in_every_language(around: Surroundings, key: str) -> None:
    around.set({"PUBLIC_ORIGIN": "https://return.contoso.example", "SECRET_KEY": KEY, "AUDIT_KEY": KEY[::-1]})
    found = wrong_with(typed(**FAULTS[key]), {}, {PREFIX + "PARTNER_NAME": "theirs"})
    assert key in {one.key for one in found}, found
    assert all(one.words for one in found)
