"""Settings: every fault at once and in words, no secret shown, and a web process that cannot hold the worker's credentials."""

from pathlib import Path
from typing import get_args

import pytest

from remediation.adapters import graph, maas360_sign_in, workspace_one_users
from remediation.adapters.graph import INTUNE_A
from remediation.domain.channel import RELAYED, ChannelKind, Choice
from remediation.domain.device import Platform
from remediation.domain.evidence import Level
from remediation.settings import PREFIX, DatabaseSettings, WebSettings, WorkerSettings
from remediation.settings.bar import read_bar
from remediation.settings.channels import PLATFORMS
from remediation.settings.mdm import KINDS, FleetConnection, Maas360Connection, WorkspaceOneConnection
from remediation.settings.names import env_name, environment_of, is_secret, names_of, secrets_of
from remediation.settings.reading import FaultySettings, read, says
from remediation.settings.rules import INSTANCES
from remediation.settings.says import Group
from tests.authority import make

KEY = "kQ8v1xWm7ZpL2tR9sYb4nHc6dJf3gAe5uTiOqP0w"
GOOD = {
    "PUBLIC_ORIGIN": "https://return.contoso.example",
    "TENANT_ID": "8F5C1D3E-2A47-4C0B-9D6E-1B7F0A9C2E55",
    "ORGANISATION": "Contoso",
    "MINIMUM_EVIDENCE": "possession",
}
GOOD_WEB = GOOD | {
    "SECRET_KEY": KEY,
    "SIGN_IN_CLIENT_ID": "0d2b4b66-6a0e-4d5b-8b55-7f3f0f6b9a10",
    "SIGN_IN_CLIENT_SECRET": "sign-in-7731-planted",
    "HELPDESK_PHONE": "+49 30 5550 100",
    "HELPDESK_HOURS": "Mon-Fri 7:00-19:00",
}
GOOD_WORKER = GOOD | {
    "SERVICE_CLIENT_ID": "5b9d3c77-1f20-4e57-a6a5-2c9e8d41b7f2",
    "SERVICE_CLIENT_SECRET": "service-9942-planted",
    "MDM_WS1_KIND": "workspace_one",
    "MDM_WS1_URL": "https://as1234.awmdm.com",
    "MDM_WS1_TOKEN_URL": "https://emea.uemauth.workspaceone.com/connect/token",
    "MDM_WS1_CLIENT_ID": "ws1-client",
    "MDM_WS1_CLIENT_SECRET": "mdm-5510-planted",
    "AUDIT_KEY": "nK3wXv8pQz5rTm1yJd7bLf2hGc9sEa4u",
}
MAAS = {
    "MDM_MAAS_KIND": "maas360",
    "MDM_MAAS_BILLING_ID": "30012345",
    "MDM_MAAS_APP_ID": "com.30012345.api",
    "MDM_MAAS_ACCESS_KEY": "maas-key-3391-planted",
    "MDM_MAAS_USER": "api@contoso.example",
    "MDM_MAAS_PASSWORD": "maas-password-3392-planted",
}
FLEET = {
    "MDM_FLEET_KIND": "fleet",
    "MDM_FLEET_URL": "https://fleet.contoso.example",
    "MDM_FLEET_TOKEN": "fleet-token-4471-planted",
}
CLASSES = (WebSettings, WorkerSettings)


class Surroundings:
    """The environment and the folder of a process about to start."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self._patch = folder, patch

    def set(self, names: dict[str, str], **more: str) -> None:
        for name, value in {**names, **more}.items():
            self._patch.setenv(name if name == "FLASK_DEBUG" else PREFIX + name, value)

    def unset(self, *names: str) -> None:
        for name in names:
            self._patch.delenv(PREFIX + name)

    def toml(self, text: str) -> None:
        (self.folder / "remediation.toml").write_text(text)

    def secret_file(self, text: str) -> str:
        path = self.folder / "a-secret"
        path.write_text(text)
        return str(path)


@pytest.fixture
def around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    for name in names_of(WebSettings) | names_of(WorkerSettings) | {PREFIX + "CONFIG", "FLASK_DEBUG"}:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return Surroundings(tmp_path, monkeypatch)


def faults(cls: type[DatabaseSettings]) -> dict[str, str]:
    with pytest.raises(FaultySettings) as refused:
        read(cls)
    return {fault.name.removeprefix(PREFIX): fault.words for fault in refused.value.faults}


def test_good_settings_are_read(around: Surroundings) -> None:
    around.set(GOOD_WEB)
    settings = read(WebSettings)
    assert settings.tenant_id == GOOD["TENANT_ID"].lower()
    assert settings.minimum_evidence is Level.POSSESSION
    assert settings.database_url.get_secret_value().startswith("sqlite:///.remediation/")


def test_good_worker_settings_are_read(around: Surroundings) -> None:
    around.set(GOOD_WORKER, MDM_WS1_ADVICE='{"Passcode required": "passcode"}', PARTNER_HOSTS="127.0.0.1, .manage.microsoft.com")
    settings = read(WorkerSettings)
    assert settings.intune_scope == "https://api.manage.microsoft.com//.default"
    assert settings.mdm["ws1"].advice == {"Passcode required": "passcode"}
    assert settings.partner_hosts == ("127.0.0.1", ".manage.microsoft.com")


def test_every_fault_is_told_at_once(around: Surroundings) -> None:
    around.set({"TENANT_ID": "contoso", "BIND": "nowhere", "SECRET_KEY": "short", "BNID": "x", "WEB_THREADS": "many"})
    told = faults(WebSettings)
    missing = {"PUBLIC_ORIGIN", "ORGANISATION", "MINIMUM_EVIDENCE", "SIGN_IN_CLIENT_ID", "SIGN_IN_CLIENT_SECRET", "HELPDESK_PHONE"}
    assert missing | {"TENANT_ID", "BIND", "SECRET_KEY", "BNID", "WEB_THREADS", "HELPDESK_HOURS"} == set(told)
    assert "Did you mean REMEDIATION_BIND?" in told["BNID"]
    assert "the Entra administrator" in told["SIGN_IN_CLIENT_ID"]
    assert "for example" in told["PUBLIC_ORIGIN"]


def test_frozen(around: Surroundings) -> None:
    around.set(GOOD_WEB)
    with pytest.raises(ValueError, match="frozen"):
        read(WebSettings).bind = "127.0.0.1:80"


@pytest.mark.parametrize(
    "weak",
    [
        "x" * 64,
        "short-but-random-7Gq",
        "change-me-change-me-change-me-change-me",
        "0123456789abcdef0123456789abcdef",
        "this-is-a-very-secret-key-of-the-readme",
        "abababababababababababababababababab",
    ],
)
def test_weak_keys_are_refused_and_not_shown(around: Surroundings, weak: str) -> None:
    around.set(GOOD_WEB, SECRET_KEY=weak, SECRET_KEY_FALLBACKS=f"{KEY},{weak}")
    with pytest.raises(FaultySettings) as refused:
        read(WebSettings)
    assert {fault.name for fault in refused.value.faults} == {PREFIX + "SECRET_KEY", PREFIX + "SECRET_KEY_FALLBACKS"}
    assert weak not in str(refused.value)


def test_a_rotated_key_is_read(around: Surroundings) -> None:
    around.set(GOOD_WEB, SECRET_KEY_FALLBACKS=KEY[::-1])
    assert [key.get_secret_value() for key in read(WebSettings).secret_key_fallbacks] == [KEY[::-1]]


def test_no_secret_is_shown(around: Surroundings) -> None:
    around.set(GOOD_WORKER | GOOD_WEB, DATABASE_URL="postgresql://u:db-3318-planted@host/db", LEASE_HOURS="0", BIND="?")
    for cls in CLASSES:
        with pytest.raises(FaultySettings) as refused:
            read(cls)
        assert "planted" not in str(refused.value)
        assert "planted" not in repr(refused.value)
        assert refused.value.__cause__ is None
    around.set({"LEASE_HOURS": "72", "BIND": "127.0.0.1:8000"})
    for cls in CLASSES:
        assert "planted" not in repr(read(cls))
        assert any("planted" in secret for secret in secrets_of(read(cls)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_ORIGIN", "http://return.contoso.example"),
        ("PUBLIC_ORIGIN", "https://return.contoso.example/path"),
        ("PUBLIC_ORIGIN", "https://user@return.contoso.example"),
        ("PUBLIC_ORIGIN", "https://host:port"),
        ("ENTRA_AUTHORITY", "http://login.microsoftonline.com"),
        ("MINIMUM_EVIDENCE", "none"),
        ("MINIMUM_EVIDENCE", "agent"),
        ("RETURN_LINK", "javascript:alert(1)"),
        ("RETURN_LINK", "data:text/html,x"),
        ("RETURN_LINK", "file:///etc/passwd"),
        ("RETURN_LINK", "http://outlook.office.com/"),
        ("RETURN_LINK", "https:\\\\evil.example"),
        ("RETURN_LINK", "ms-outlook:\tx"),
        ("DATABASE_URL", "mysql://host/db"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("CA_FILE", "/nowhere/ca.pem"),
        ("ORGANISATION", " "),
        ("BIND", "127.0.0.1:99999"),
        ("SIGN_IN_CLIENT_SECRET", " "),
    ],
)
def test_wrong_values_are_refused(around: Surroundings, name: str, value: str) -> None:
    around.set(GOOD_WEB, **{name: value})
    assert list(faults(WebSettings)) == [name]


@pytest.mark.parametrize("calls", ["100", "3/20", "100/0", "100/min", "-4/20", "1e3/20"])
def test_limits_that_are_none(around: Surroundings, calls: str) -> None:
    around.set(GOOD_WORKER, CHANNEL_WRITES=calls)
    assert list(faults(WorkerSettings)) == ["CHANNEL_WRITES"]


@pytest.mark.parametrize("link", ["ms-outlook://", "https://outlook.office.com/", "http://127.0.0.1:8100/phone/outlook"])
def test_links_that_may_be_shown(around: Surroundings, link: str) -> None:
    around.set(GOOD_WEB, RETURN_LINK=link)
    assert read(WebSettings).return_link == link


def test_plain_http_on_loopback(around: Surroundings) -> None:
    around.set(GOOD_WEB, PUBLIC_ORIGIN="http://localhost:8000/")
    assert read(WebSettings).public_origin == "http://localhost:8000"


def test_secret_from_a_file(around: Surroundings) -> None:
    around.set(GOOD_WEB, SECRET_KEY_FILE=around.secret_file(KEY + "\n"))
    around.unset("SECRET_KEY")
    assert read(WebSettings).secret_key.get_secret_value() == KEY


def test_unreadable_and_doubled_secret_files(around: Surroundings) -> None:
    around.set(GOOD_WEB, SECRET_KEY_FILE="/nowhere/key", SIGN_IN_CLIENT_SECRET_FILE=around.secret_file("x"))
    around.unset("SECRET_KEY")
    told = faults(WebSettings)
    assert "cannot be read" in told["SECRET_KEY_FILE"]
    assert "both set" in told["SIGN_IN_CLIENT_SECRET"]


def test_toml_comes_after_the_environment(around: Surroundings) -> None:
    around.set(GOOD_WORKER, LEASE_HOURS="24")
    around.toml('lease_hours = 48\ncheck_in_days = 3\nhelpdesk_phone = "1"\n[mdm.ws1.advice]\n"Passcode required" = "passcode"\n')
    settings = read(WorkerSettings)
    assert (settings.lease_hours, settings.check_in_days) == (24, 3)
    assert settings.mdm["ws1"].advice == {"Passcode required": "passcode"}


def test_secrets_in_toml_are_refused_unread(around: Surroundings) -> None:
    around.set(GOOD_WEB)
    around.toml('service_client_secret = "toml-2207-planted"\nbnid = "x"\n')
    told = faults(WebSettings)
    assert set(told) == {"SERVICE_CLIENT_SECRET", "BNID"}
    assert "planted" not in str(told)


@pytest.mark.parametrize("text", ["not toml", None])
def test_a_settings_file_that_cannot_be_used(around: Surroundings, text: str | None) -> None:
    path = around.folder / "named.toml"
    if text:
        path.write_text(text)
    around.set(GOOD_WEB, CONFIG=str(path))
    assert list(faults(WebSettings)) == ["CONFIG"]


def test_T36_the_debugger_outside_the_demo(around: Surroundings) -> None:
    around.set(GOOD_WEB, FLASK_DEBUG="1")
    assert list(faults(WebSettings)) == ["FLASK_DEBUG"]
    around.set({"DEMO": "true"})
    assert read(WebSettings).demo


def test_the_worker_needs_one_whole_credential(around: Surroundings) -> None:
    around.set(GOOD_WORKER, MDM_WS1_USER="api")
    assert list(faults(WorkerSettings)) == ["MDM_WS1_…"]
    around.unset("MDM_WS1_USER", "MDM_WS1_CLIENT_SECRET", "SERVICE_CLIENT_SECRET")
    assert set(faults(WorkerSettings)) == {"MDM_WS1_CLIENT_SECRET", "…"}


def test_a_certificate_must_be_one(around: Surroundings) -> None:
    around.set(GOOD_WORKER, SERVICE_CERTIFICATE_FILE=around.secret_file("-----BEGIN CERTIFICATE-----"))
    around.unset("SERVICE_CLIENT_SECRET")
    assert list(faults(WorkerSettings)) == ["SERVICE_CERTIFICATE"]


GROUP = "2F1C9A44-6D0E-4B7A-9C35-8E0D1F6B2A7{}"


def test_for_whom_it_is(around: Surroundings) -> None:
    ids = [GROUP.format(number) for number in range(10)]
    around.set(GOOD_WORKER, GROUPS=", ".join([*ids, ids[0].lower()]), MDM_WS1_SHARED_USERS="kiosk , Staging")
    settings = read(WorkerSettings)
    assert settings.groups == tuple(key.lower() for key in ids), "ten, each once"
    assert settings.intune_plans == (INTUNE_A,), "what the adapter takes by itself, too"
    assert settings.mdm["ws1"].shared_users == ("kiosk", "Staging")
    around.set({"GROUPS": ",".join([*ids, GROUP.format("a")])})
    assert "at most 10 groups" in faults(WorkerSettings)["GROUPS"]
    around.set({"GROUPS": "Mobile users", "INTUNE_PLANS": "INTUNE_A"})
    assert set(faults(WorkerSettings)) == {"GROUPS", "INTUNE_PLANS"}


def test_an_empty_list_of_plans_is_refused(around: Surroundings) -> None:
    around.set(GOOD_WORKER)
    around.toml("intune_plans = []\ngroups = []\n[mdm.ws1]\nshared_users = []\n")
    assert set(faults(WorkerSettings)) == {"INTUNE_PLANS"}


OPENS = {  # what would let devices in that nobody judged, if it were taken
    "MINIMUM_EVIDENCE": ("", "none", "0", "any", "fresh, possession"),
    "INTUNE_PLANS": (",",),
    "LEASE_HOURS": ("0", "-1", "721", "inf"),
    "CHECK_IN_DAYS": ("0", "-1", "91", "inf"),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in OPENS.items() for value in values])
def test_T10_no_setting_opens_by_being_empty_or_without_an_end(around: Surroundings, name: str, value: str) -> None:
    around.set(GOOD_WORKER, INTUNE_PLANS="", LEASE_HOURS="", CHECK_IN_DAYS="")
    safe = read(WorkerSettings)  # the control; an empty name is as good as none
    assert (safe.intune_plans, safe.lease_hours, safe.check_in_days) == ((INTUNE_A,), 72, 14)
    around.set({name: value})
    assert list(faults(WorkerSettings)) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "[encryption]\nrequired = false",
        "[encryption]",
        "[ownership]\nallowed = []",
        '[ownership]\nallowed = ["anybody"]',
        '[least_os]\nios = ""',
        '[least_os]\nios = "any"',
        '[least_so]\nios = "17"',
        "[check_in]\noldest_days = 0",
        "[check_in]\noldest_days = 9999",
        '[risk]\nmost = 50\nfile = "risk.csv"',
        '[risk]\nmost = 50\nfile = "risk.csv"\nunlisted = "compliant"',
        'unknown = "compliant"',
    ],
)
def test_T10_a_rule_that_is_empty_or_misspelt_is_refused_and_never_read_as_no_rule(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bar.toml"
    file.write_text("[encryption]\nrequired = true\n")
    assert read_bar(str(file))[0].encryption  # the control
    file.write_text(text)
    with pytest.raises(ValueError, match=r"\w"):
        read_bar(str(file))


def test_the_owner_match_is_a_pair(around: Surroundings) -> None:
    around.set(GOOD_WORKER, OWNER_DIRECTORY_ATTRIBUTE="employeeId")
    assert "set both, or neither" in faults(WorkerSettings)["OWNER_DIRECTORY_ATTRIBUTE"]
    around.set({"MDM_WS1_OWNER_ATTRIBUTE": "custom_attribute_1"})
    settings = read(WorkerSettings)
    assert settings.owner_directory_attribute == "employeeId"
    assert getattr(settings.mdm["ws1"], "owner_attribute", None) == "custom_attribute_1"
    around.unset("OWNER_DIRECTORY_ATTRIBUTE")
    assert "MDM_WS1_OWNER_ATTRIBUTE" in faults(WorkerSettings)["OWNER_DIRECTORY_ATTRIBUTE"]
    around.set({"OWNER_DIRECTORY_ATTRIBUTE": "displayName", "MDM_WS1_OWNER_ATTRIBUTE": "Email"})
    assert set(faults(WorkerSettings)) == {"OWNER_DIRECTORY_ATTRIBUTE", "MDM_WS1_OWNER_ATTRIBUTE"}


def test_the_settings_and_the_adapters_name_the_same_attributes() -> None:
    for cls, field, words in (
        (WorkerSettings, "owner_directory_attribute", graph.OwnerAttribute),
        (WorkspaceOneConnection, "owner_attribute", workspace_one_users.OwnerAttribute),
    ):
        allowed = get_args(cls.model_fields[field].annotation)[0]
        assert get_args(allowed) == get_args(words)


@pytest.mark.parametrize(
    ("name", "word", "because"),
    [
        ("CHANNEL_WINDOWS", "intune_partner", "serves iOS, Android, macOS alone, and not Windows"),
        ("CHANNEL_IOS", "graph_device", "serves Windows alone, and not iOS"),
        ("CHANNEL_IOS", "mdm_relay", "does not say which MDM's maker carries"),
        (
            "CHANNEL_IOS",
            "mdm_relay:jamf",
            "is not there. There is: mdm_relay:fleet, mdm_relay:maas, mdm_relay:ws1",
        ),
        ("CHANNEL_MACOS", "mdm_relay:maas", "serves iOS, Android alone, and not macOS"),
        ("CHANNEL_ANDROID", "sync", "must be one of: intune_partner, graph_device, mdm_relay:<MDM connection>, none"),
        ("CHANNEL_ANDROID", "mdm_relay:", "must be one of"),
        ("CHANNEL_WINDOWS", "graph_device:ws1", "must be one of"),
        ("CHANNEL_WINDOWS", "second_lock", "must be one of"),
        ("CHANNEL_MACOS", "mdm_relay:fleet", "how the maker of fleet (fleet) carries is not known to this version"),
    ],
)
def test_a_channel_that_cannot_serve_its_platform_is_refused_by_name(
    around: Surroundings, name: str, word: str, because: str
) -> None:
    around.set(GOOD_WORKER | MAAS | FLEET, **{name: word})
    found = faults(WorkerSettings)
    assert list(found) == [name]
    assert because in found[name]


def test_each_platform_has_the_channel_that_was_chosen(around: Surroundings) -> None:
    around.set(GOOD_WORKER | MAAS, CHANNEL_IOS="mdm_relay:maas", CHANNEL_MACOS=" None ", CHANNEL_WINDOWS="graph_device")
    settings = read(WorkerSettings)
    found = {platform: settings.chosen(platform, settings.mdm) for platform in PLATFORMS}
    assert found == {
        Platform.IOS: Choice(ChannelKind.MDM_RELAY, "maas"),
        Platform.ANDROID: Choice(ChannelKind.INTUNE_PARTNER),
        Platform.MACOS: None,
        Platform.WINDOWS: Choice(ChannelKind.GRAPH_DEVICE),
    }


def test_with_one_mdm_relay_needs_no_name(around: Surroundings) -> None:
    around.set(GOOD_WORKER, CHANNEL_IOS="mdm_relay")
    settings = read(WorkerSettings)
    assert settings.chosen(Platform.IOS, settings.mdm) == Choice(ChannelKind.MDM_RELAY, "ws1")


def test_every_kind_of_mdm_says_what_its_maker_carries() -> None:
    assert set(RELAYED) == set(KINDS)


def test_several_mdms_at_once(around: Surroundings) -> None:
    around.set(GOOD_WORKER, MDM_EU2_URL="https://as99.awmdm.com", MDM_EU2_PASSWORD_FILE=around.secret_file("eu2-8810-planted\n"))
    around.toml('[mdm.eu2]\nkind = "workspace_one"\nuser = "api"\ntenant_code_file = "a-secret"\ncalls = "60/60"\n')
    settings = read(WorkerSettings)
    assert list(settings.mdm) == ["eu2", "ws1"]
    assert (getattr(settings.mdm["eu2"], "url", None), settings.mdm["eu2"].calls) == ("https://as99.awmdm.com", "60/60")
    assert settings.mdm["eu2"].live("password")() == "eu2-8810-planted", "and it is read anew when its file changes"
    assert {"eu2-8810-planted", "mdm-5510-planted"} <= set(secrets_of(settings))
    assert "planted" not in repr(settings)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"MDM_WS1_KIND": "airwatch"}, "MDM_WS1_KIND"),
        ({"MDM_EU2_URL": "https://as99.awmdm.com"}, "MDM_EU2_KIND"),
        ({"MDM_WS1_ULR": "https://as99.awmdm.com"}, "MDM_WS1_ULR"),
        ({"MDM_WS1_URL": "http://as99.awmdm.com"}, "MDM_WS1_URL"),
        ({"MDM_WS1_CALLS": "many"}, "MDM_WS1_CALLS"),
        ({"MDM_WS1_USER": "api"}, "MDM_WS1_…"),
        ({"MDM_URL": "https://as99.awmdm.com"}, "MDM_URL"),
        ({"MDM": "{}"}, "MDM"),
        ({"MDM_2WS_URL": "https://as99.awmdm.com"}, "MDM_2WS_URL"),
    ],
)
def test_a_fault_of_one_connection_is_told_by_its_name(around: Surroundings, wrong: dict[str, str], named: str) -> None:
    around.set(GOOD_WORKER, **wrong)
    assert list(faults(WorkerSettings)) == [named]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[mdm.ws1]\nclient_secret = "toml-2207-planted"\n', "MDM_WS1_CLIENT_SECRET"),
        ('[mdm.ws1]\nulr = "x"\n', "MDM_WS1_ULR"),
        ("[mdm]\nws1 = 1\n", "[mdm.ws1]"),
        ("mdm = 1\n", "[mdm.]"),
        ('[mdm."eu west"]\nkind = "workspace_one"\n', "[mdm.eu west]"),
        ('[mdm.WS1]\nkind = "workspace_one"\n', "[mdm.WS1]"),
    ],
)
def test_a_faulty_table_of_a_connection(around: Surroundings, text: str, named: str) -> None:
    around.set(GOOD_WORKER)
    around.toml(text)
    told = faults(WorkerSettings)
    assert set(told) == {named}
    assert "planted" not in str(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"Lab radio": "screwdriver"}', "no words for"),
        ('{"Lab radio": {"nl": "Radio"}}', "one of these languages"),
        ('{"Lab radio": {"en": " "}}', "1 to 500"),
        ('{"Lab radio": {}}', "one of these languages"),
        ('{"Lab radio": 7}', "must be"),
        ("Lab radio", "JSON"),
    ],
)
def test_advice_that_nobody_could_read(around: Surroundings, text: str, told: str) -> None:
    around.set(GOOD_WORKER, MDM_WS1_ADVICE=text)
    assert told in faults(WorkerSettings)["MDM_WS1_ADVICE"]
    around.set({"MDM_WS1_ADVICE": '{"Lab radio": {"en": "Turn it off.", "de": "Ausschalten."}, "Passcode": "passcode"}'})
    ws1 = read(WorkerSettings).mdm["ws1"]
    assert (dict(ws1.catalogued), list(ws1.own_words)) == ({"Passcode": "passcode"}, ["lab radio"])


def test_a_worker_without_an_mdm(around: Surroundings) -> None:
    around.set({name: value for name, value in GOOD_WORKER.items() if not name.startswith("MDM_")})
    assert "REMEDIATION_MDM_WS1_KIND" in faults(WorkerSettings)["MDM_…"]


def test_the_web_refuses_an_mdms_secret_in_the_file_that_it_shares(around: Surroundings) -> None:
    around.set(GOOD_WEB)
    around.toml('[mdm.ws1]\nkind = "workspace_one"\nurl = "https://as1234.awmdm.com"\n')
    assert read(WebSettings).organisation == "Contoso", "the rest of a connection is none of its business"
    around.toml('[mdm.ws1]\npassword = "toml-2207-planted"\n')
    assert set(faults(WebSettings)) == {"MDM_WS1_PASSWORD"}


def test_the_web_cannot_hold_the_workers_credentials(around: Surroundings) -> None:
    forbidden = [field for field in WorkerSettings.model_fields if field.startswith(("service_", "mdm", "intune_", "graph_"))]
    assert len(forbidden) >= 7
    assert not set(forbidden) & set(WebSettings.model_fields)
    around.set(GOOD_WORKER | GOOD_WEB)
    settings = read(WebSettings)
    assert not any(planted in secrets_of(settings) for planted in ("service-9942-planted", "mdm-5510-planted"))
    assert not settings.model_extra
    assert not hasattr(settings, "service_client_secret")


def test_each_child_gets_only_what_it_knows() -> None:
    environment = {PREFIX + name: value for name, value in (GOOD_WORKER | GOOD_WEB).items()} | {"PATH": "/bin"}
    web, worker = environment_of(WebSettings, environment), environment_of(WorkerSettings, environment)
    assert {name.removeprefix(PREFIX) for name in web} == set(GOOD_WEB) | {"PATH"}
    assert {name.removeprefix(PREFIX) for name in worker} == set(GOOD_WORKER) | {"PATH"}


@pytest.mark.parametrize("cls", [WebSettings, WorkerSettings])
def test_temporary_access_is_off_and_goes_with_its_group(
    around: Surroundings, cls: type[WebSettings] | type[WorkerSettings]
) -> None:
    good = GOOD_WORKER if cls is WorkerSettings else GOOD_WEB
    around.set(good)
    assert read(cls).temporary_access == "off"
    around.set(good, TEMPORARY_ACCESS="pim")
    assert "TEMPORARY_ACCESS_GROUP" in faults(cls)
    around.set(
        good, TEMPORARY_ACCESS="pim", TEMPORARY_ACCESS_GROUP="6F0C2A57-3D1B-4E88-9A47-0B5D2C7E9F31", TEMPORARY_ACCESS_HOURS="25"
    )
    assert "TEMPORARY_ACCESS_HOURS" in faults(cls)
    around.set(good, TEMPORARY_ACCESS="package", TEMPORARY_ACCESS_GROUP="6F0C2A57-3D1B-4E88-9A47-0B5D2C7E9F31")
    assert {"TEMPORARY_ACCESS_PACKAGE", "TEMPORARY_ACCESS_POLICY"} <= set(faults(cls))


HEADS = ["| name | what | from | default | example | process | secret |", "|---|---|---|---|---|---|---|"]


def rows() -> list[str]:
    """The tables of docs/settings.md, made from the classes: what there is once, and then what each MDM connection has."""
    fields = {**WebSettings.model_fields, **WorkerSettings.model_fields}.keys() - {"mdm"}
    made = list(HEADS)
    for field in (field for field in {**WebSettings.model_fields, **WorkerSettings.model_fields} if field in fields):
        owners = [cls for cls in CLASSES if field in cls.model_fields]
        process = "both" if len(owners) == 2 else "web" if owners[0] is WebSettings else "worker"
        made.append(row(owners[0], field, process, PREFIX))
    for kind, cls in KINDS.items():
        made += HEADS
        made += [row(cls, field, f"worker, `{kind}`", PREFIX + "MDM_<NAME>_") for field in cls.model_fields]
    return made


def row(cls: type[Group], field: str, process: str, prefix: str) -> str:
    info = cls.model_fields[field]
    secret = f"yes, or {env_name(field, prefix)}_FILE" if is_secret(cls, field) else "no"
    told, default = says(info), "required" if info.is_required() else shown(info.get_default(call_default_factory=True))
    cells = [f"`{env_name(field, prefix)}`", told.what, told.by, default, f"`{told.example}`", process, secret]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def shown(default: object) -> str:
    if default is None or default in ((), {}):
        return "none"
    text = getattr(default, "get_secret_value", lambda: default)()
    return f"`{','.join(text) if isinstance(text, tuple) else str(text).lower() if isinstance(text, bool) else text}`"


def test_a_connection_to_maas360_beside_workspace_one(around: Surroundings) -> None:
    around.set(GOOD_WORKER | MAAS, MDM_MAAS_STATES="policy, passcode", MDM_MAAS_ATTRIBUTE_PARAMETERS="csn,name,value")
    settings = read(WorkerSettings)
    maas = settings.mdm["maas"]
    assert isinstance(maas, Maas360Connection)
    assert (list(settings.mdm), maas.url, maas.states) == (["maas", "ws1"], None, ("policy", "passcode"))
    assert maas.attribute_parameters == ("csn", "name", "value")
    assert {"maas-key-3391-planted", "maas-password-3392-planted"} <= set(secrets_of(settings))


@pytest.mark.parametrize(
    ("changed", "faulty"),
    [
        ({"MDM_MAAS_BILLING_ID": "51234567"}, "MDM_MAAS_URL"),
        ({"MDM_MAAS_BILLING_ID": "contoso"}, "MDM_MAAS_BILLING_ID"),
        ({"MDM_MAAS_STATES": "policy,mood"}, "MDM_MAAS_STATES"),
        ({"MDM_MAAS_STATES": " , "}, "MDM_MAAS_STATES"),
        ({"MDM_MAAS_ATTRIBUTE": "Entra.Id"}, "MDM_MAAS_ATTRIBUTE"),
        ({"MDM_MAAS_ATTRIBUTE_PARAMETERS": "a,b"}, "MDM_MAAS_ATTRIBUTE_PARAMETERS"),
        ({"MDM_MAAS_REGISTERED_FIELD": "lastReportedInEpochms"}, "MDM_MAAS_REGISTERED_FIELD"),
        ({"MDM_MAAS_TOKEN_URL": "https://x.example"}, "MDM_MAAS_TOKEN_URL"),
    ],
)
def test_what_is_wrong_with_a_connection_to_maas360_is_said(around: Surroundings, changed: dict[str, str], faulty: str) -> None:
    around.set(GOOD_WORKER | MAAS | changed)
    assert faulty in faults(WorkerSettings)


def test_an_instance_that_we_do_not_know_has_its_address_given(around: Surroundings) -> None:
    around.set(GOOD_WORKER | MAAS, MDM_MAAS_BILLING_ID="51234567", MDM_MAAS_URL="https://services.m5.maas360.com")
    assert read(WorkerSettings).mdm["maas"]


def test_every_instance_of_maas360_that_settings_take_has_an_address() -> None:
    assert set(INSTANCES) == set(maas360_sign_in.HOSTS)


def test_a_connection_to_fleet_trusts_nothing_until_told(around: Surroundings) -> None:
    around.set(GOOD_WORKER | FLEET)
    fleet = read(WorkerSettings).mdm["fleet"]
    assert isinstance(fleet, FleetConnection)
    assert (fleet.people_from, fleet.integrity_policies, fleet.unchecked, fleet.phones_by_profiles) == (
        ("mdm_idp_accounts",),
        (),
        (),
        False,
    )
    assert "fleet-token-4471-planted" in secrets_of(read(WorkerSettings))
    more = {"PEOPLE_FROM": "mdm_idp_accounts, custom", "UNCHECKED": "ios,android", "INTEGRITY_POLICIES": "SIP on, Secure Boot"}
    around.set({f"MDM_FLEET_{name}": value for name, value in (more | {"PHONES_BY_PROFILES": "true"}).items()})
    fleet = read(WorkerSettings).mdm["fleet"]
    assert isinstance(fleet, FleetConnection)
    assert (fleet.people_from, fleet.unchecked) == (("mdm_idp_accounts", "custom"), ("ios", "android"))
    assert (fleet.integrity_policies, fleet.phones_by_profiles) == (("SIP on", "Secure Boot"), True)


@pytest.mark.parametrize(
    ("changed", "faulty"),
    [
        ({"MDM_FLEET_URL": "http://fleet.contoso.example"}, "MDM_FLEET_URL"),
        ({"MDM_FLEET_TOKEN": " "}, "MDM_FLEET_TOKEN"),
        ({"MDM_FLEET_PEOPLE_FROM": "everybody"}, "MDM_FLEET_PEOPLE_FROM"),
        ({"MDM_FLEET_PEOPLE_FROM": " , "}, "MDM_FLEET_PEOPLE_FROM"),
        ({"MDM_FLEET_UNCHECKED": "linux"}, "MDM_FLEET_UNCHECKED"),
        ({"MDM_FLEET_OWNER_ATTRIBUTE": "upn"}, "MDM_FLEET_OWNER_ATTRIBUTE"),
        ({"MDM_FLEET_OWNER_ATTRIBUTE": "email"}, "OWNER_DIRECTORY_ATTRIBUTE"),
        ({"MDM_FLEET_BILLING_ID": "1234"}, "MDM_FLEET_BILLING_ID"),
    ],
)
def test_what_is_wrong_with_a_connection_to_fleet_is_said(around: Surroundings, changed: dict[str, str], faulty: str) -> None:
    around.set(GOOD_WORKER | FLEET | changed)
    assert faulty in faults(WorkerSettings)


def test_the_documentation_is_complete() -> None:
    page = (Path(__file__).parents[1] / "docs" / "settings.md").read_text(encoding="utf-8")
    table = [line for line in page.partition("## The table")[2].splitlines() if line.startswith("|")]
    assert table == rows(), "docs/settings.md differs from the classes; its table should be:\n" + "\n".join(rows())


CERTIFICATE = {"CERTIFICATE_NAMES": "CN={serial}"}
CERTIFICATE_WEB = CERTIFICATE | {"CERTIFICATE_ORIGIN": "https://device.contoso.example", "CERTIFICATE_HOP_SECRET": KEY}


@pytest.mark.parametrize("cls", CLASSES)
def test_the_certificate_level_is_set_whole_or_not_at_all(
    around: Surroundings, cls: type[DatabaseSettings], tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text(make("Contoso MDM CA", ca=True).pem)
    good, group = (GOOD_WEB, CERTIFICATE_WEB) if cls is WebSettings else (GOOD_WORKER, CERTIFICATE)
    group = group | {"CERTIFICATE_CA_FILE": str(tmp_path / "ca.pem")}
    around.set(good)
    read(cls)  # none of it
    for given in group:
        around.set({given: group[given]})
        told = faults(cls)
        assert set(told) == set(group) - {given}, f"{given} alone"
        assert all("goes with" in words for words in told.values())
        around.unset(given)
    around.set(group)
    read(cls)  # all of it
    for missing in group:
        around.unset(missing)
        assert set(faults(cls)) == {missing}
        around.set({missing: group[missing]})
    around.unset(*group)
    around.set({"MINIMUM_EVIDENCE": "certificate"})
    assert set(faults(cls)) == set(group), "the level cannot be asked for without it"
    around.set(group)
    read(cls)


def test_the_second_host_name_is_not_the_first(around: Surroundings, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(make("Contoso MDM CA", ca=True).pem)
    around.set(GOOD_WEB | CERTIFICATE_WEB, CERTIFICATE_CA_FILE=str(tmp_path / "ca.pem"))
    read(WebSettings)
    for same in (GOOD["PUBLIC_ORIGIN"], GOOD["PUBLIC_ORIGIN"] + ":8443"):
        around.set({"CERTIFICATE_ORIGIN": same})
        assert "another one" in faults(WebSettings)["CERTIFICATE_ORIGIN"]


def test_alarms_by_mail_are_set_whole_or_not_at_all(around: Surroundings) -> None:
    around.set(GOOD_WORKER, ALARM_MAIL_TO="it@contoso.example, duty@contoso.example", ALARM_MAIL_USER="app")
    assert set(faults(WorkerSettings)) == {"ALARM_MAIL_FROM", "ALARM_MAIL_SERVER", "ALARM_MAIL_PASSWORD"}
    around.set(
        {"ALARM_MAIL_FROM": "r@contoso.example", "ALARM_MAIL_SERVER": "smtp.contoso.example:587", "ALARM_MAIL_PASSWORD": "x"}
    )
    assert read(WorkerSettings).alarm_mail_to == ("it@contoso.example", "duty@contoso.example")
    around.set({"ALARM_MAIL_SECURITY": "none"})
    assert "on this machine" in faults(WorkerSettings)["ALARM_MAIL_SECURITY"]
    around.set({"ALARM_MAIL_SERVER": "localhost:25"})
    assert read(WorkerSettings).alarm_mail_security == "none"
    around.set({"ALARM_MAIL_TO": "it@contoso.example\nBcc: all", "METRICS_FILE": "/nowhere/x.prom"})
    assert set(faults(WorkerSettings)) == {"ALARM_MAIL_TO", "METRICS_FILE"}


@pytest.mark.parametrize("address", ["http://hooks.example/x", "https://user@hooks.example/x", "https:///x"])
def test_alarms_go_to_an_https_address(around: Surroundings, address: str) -> None:
    around.set(GOOD_WORKER, ALARM_WEBHOOK=address)
    assert list(faults(WorkerSettings)) == ["ALARM_WEBHOOK"]
    around.set({"ALARM_WEBHOOK": "https://hooks.example/T0/pl4nted?sig=x"})
    assert {"https://hooks.example/T0/pl4nted?sig=x", "/T0/pl4nted"} <= set(secrets_of(read(WorkerSettings)))


# Microsoft's clouds

OF_CLOUD = {
    "global": ("login.microsoftonline.com", "graph.microsoft.com", "api.manage.microsoft.com", ".manage.microsoft.com"),
    "gcc_high": ("login.microsoftonline.us", "graph.microsoft.us", "api.manage.microsoft.us", ".manage.microsoft.us"),
    "dod": ("login.microsoftonline.us", "dod-graph.microsoft.us", "api.manage.microsoft.us", ".manage.microsoft.us"),
}


@pytest.mark.parametrize("cloud", OF_CLOUD)
def test_one_setting_moves_every_address_together(around: Surroundings, cloud: str) -> None:
    login, graph, intune, hosts = OF_CLOUD[cloud]
    around.set(GOOD_WORKER, CLOUD=cloud)
    found = read(WorkerSettings)
    assert (found.entra_authority, found.graph_url, found.graph_scope) == (
        *(f"https://{login}", f"https://{graph}", f"https://{graph}/.default"),
    )
    assert (found.intune_scope, found.partner_hosts) == (f"https://{intune}//.default", (hosts,))
    around.set(GOOD_WEB)
    assert read(WebSettings).entra_authority == f"https://{login}"


def test_in_china_what_is_not_public_must_be_told(around: Surroundings) -> None:
    around.set(GOOD_WORKER, CLOUD="china")
    assert "not public" in faults(WorkerSettings)["INTUNE_SCOPE"]
    around.set({}, **{f"CHANNEL_{platform}": "mdm_relay" for platform in ("IOS", "ANDROID", "MACOS")})
    found = read(WorkerSettings)
    assert (found.entra_authority, found.graph_url) == (
        *("https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"),
    )
    around.set({}, CHANNEL_IOS="intune_partner", INTUNE_SCOPE="https://intune.as-microsoft-told-us.example//.default")
    assert read(WorkerSettings).intune_scope.startswith("https://intune.as")


@pytest.mark.parametrize(
    ("cloud", "name", "value", "right"),
    [
        ("gcc_high", "GRAPH_URL", "https://graph.microsoft.com", "`global`"),
        ("global", "ENTRA_AUTHORITY", "https://login.microsoftonline.us", "`gcc_high` or `dod`"),
        ("gcc_high", "GRAPH_URL", "https://dod-graph.microsoft.us", "`dod`"),
        ("dod", "GRAPH_SCOPE", "https://graph.microsoft.us/.default", "`gcc_high`"),
        ("global", "INTUNE_SCOPE", "https://api.manage.microsoft.us//.default", "`gcc_high` or `dod`"),
        ("gcc_high", "PARTNER_HOSTS", ".manage.microsoft.us, .manage.microsoft.com", "`global`"),
        ("global", "ENTRA_AUTHORITY", "https://login.chinacloudapi.cn", "`china`"),
    ],
)
def test_an_address_of_another_cloud_is_refused_in_words(
    around: Surroundings, cloud: str, name: str, value: str, right: str
) -> None:
    around.set(GOOD_WORKER, CLOUD=cloud, **{name: value})
    words = faults(WorkerSettings)[name]
    assert f"Set REMEDIATION_CLOUD to {right}" in words
    assert f"is `{cloud}`" in words


def test_the_web_is_told_of_a_mixed_setting_too(around: Surroundings) -> None:
    around.set(GOOD_WEB, CLOUD="gcc_high", ENTRA_AUTHORITY="https://login.microsoftonline.com")
    assert list(faults(WebSettings)) == ["ENTRA_AUTHORITY"]
    around.set({}, ENTRA_AUTHORITY="https://login.microsoftonline.us", RETURN_LINK="https://outlook.office.com/")
    assert list(faults(WebSettings)) == ["RETURN_LINK"]
    around.set({}, RETURN_LINK="https://outlook.office365.us/", ENROLLMENT_LINK_IOS="https://enroll.contoso.example/")
    assert read(WebSettings).return_link == "https://outlook.office365.us/"


def test_addresses_of_nobody_that_we_know_go_with_every_cloud(around: Surroundings) -> None:
    around.set(GOOD_WORKER, CLOUD="gcc_high", ENTRA_AUTHORITY="https://127.0.0.1:8443", GRAPH_URL="https://proxy.contoso.example")
    assert read(WorkerSettings).graph_url == "https://proxy.contoso.example"
    around.set({}, CLOUD="moon")
    assert "must be" in faults(WorkerSettings)["CLOUD"]


# the second lock


def test_the_second_lock_is_for_platforms_that_a_maker_carries(around: Surroundings) -> None:
    around.set(GOOD_WORKER, CHANNEL_IOS="mdm_relay", CHANNEL_ANDROID="mdm_relay:ws1", SECOND_LOCK_ATTRIBUTE="7")
    assert read(WorkerSettings).locked() == {Platform.IOS, Platform.ANDROID}
    around.set({}, SECOND_LOCK_PLATFORMS="iOS")
    assert read(WorkerSettings).locked() == {Platform.IOS}


@pytest.mark.parametrize(
    ("name", "value", "because"),
    [
        ("SECOND_LOCK_PLATFORMS", "macos", "whose channel is not mdm_relay"),
        ("SECOND_LOCK_PLATFORMS", "symbian", "must be some of"),
        ("SECOND_LOCK_ATTRIBUTE", "16", "15"),
        ("CHANNEL_IOS", "intune_partner", "no platform's channel is mdm_relay"),
    ],
)
def test_a_second_lock_that_cannot_serve_is_said(around: Surroundings, name: str, value: str, because: str) -> None:
    around.set(GOOD_WORKER, **{"CHANNEL_IOS": "mdm_relay", "SECOND_LOCK_ATTRIBUTE": "7", name: value})
    assert because in " ".join(faults(WorkerSettings).values())


def test_platforms_without_an_attribute_are_no_lock(around: Surroundings) -> None:
    around.set(GOOD_WORKER, CHANNEL_IOS="mdm_relay", SECOND_LOCK_PLATFORMS="ios")
    assert "SECOND_LOCK_PLATFORMS" in faults(WorkerSettings)
