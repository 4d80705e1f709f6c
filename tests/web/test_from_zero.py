"""A tenant from zero, over the wire to the sandbox: the set-up link, what is typed, consent with all its refusals, and *go*."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from remediation import onboard_wiring
from remediation.adapters.sealing import open_sealed
from remediation.domain.arrival import WAYS
from remediation.settings import WorkerSettings
from remediation.store.tables import set_up_links, set_up_looks
from sandbox.faults import Fault
from sandbox.server import Sandbox, SandboxConfig, create_sandbox
from sandbox.things import DevicePolicy, OtherPartner
from tests.from_zero import SEAL_KEY, WEB_KEY, FromZero
from tests.store.conftest import Lend, postgresql, postgresql_copy
from tests.web.conftest import ORIGIN

__all__ = ["postgresql", "postgresql_copy"]  # fixtures


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    config = SandboxConfig(ca_folder=tmp_path_factory.mktemp("ca"), redirect_uri=f"{ORIGIN}/signed-in", product_origin=ORIGIN)
    sandbox = create_sandbox(config)
    sandbox.start(api_port=0, pages_port=0)
    yield sandbox
    sandbox.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{request.getfixturevalue('database')}"
        return
    lend: Lend = request.getfixturevalue("postgresql")
    with lend() as address:
        yield address


@pytest.fixture
def zero(running: Sandbox, address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FromZero]:
    monkeypatch.chdir(tmp_path)
    zero = FromZero(running, address, monkeypatch)
    yield zero
    zero.engine.dispose()


# the link


def test_T29_nothing_but_the_set_up_is_there_before_anybody_can_sign_in(zero: FromZero) -> None:
    assert zero.browser.get("/onboarding").status_code == 401
    assert "remediation onboard" in zero.says()
    for path in ("/", "/journey", "/helpdesk", "/sign-in"):
        assert zero.browser.get(path).status_code == 503, path
    assert zero.browser.get("/health").status_code == 200, "the control"
    zero.comes_by_the_link()
    assert "1 of 15 steps are done." in zero.says()


def test_T29_a_set_up_link_works_once_for_its_button_and_not_for_long(zero: FromZero) -> None:
    path = zero.comes_by_the_link()
    other = zero.new_browser()
    assert other.get(path).status_code == 410, "used"
    assert other.get("/onboarding").status_code == 401
    first, second = zero.link(), zero.link()
    assert other.get(first).status_code == 410, "a newer one took its place"
    assert other.get(second).status_code == 200
    assert other.get(second).status_code == 200, "opening uses nothing up"
    form = other.form(second, second)
    zero.lies_back(set_up_links.c.expires_at, timedelta(minutes=15), set_up_links.c.used_at.is_(None))
    assert other.post(second, data=form).status_code == 410
    with zero.engine.connect() as connection:
        kept = str(connection.execute(sa.text("SELECT * FROM set_up_links")).all())
    assert second.rpartition("/")[2] not in kept, "only its digest is kept"


# what is typed


def test_what_is_typed_is_in_force_and_stays(zero: FromZero) -> None:
    zero.comes_by_the_link()
    zero.types("company", ORGANISATION="Contoso", HELPDESK_PHONE="+49 30 5550 100", HELPDESK_HOURS="Mon-Fri 7:00-19:00")
    assert "Contoso" in zero.browser.get("/onboarding").text
    assert "2 of 15 steps are done." in zero.says()
    assert '"old": null, "new": "Contoso"' in zero.audit("settings.changed")[0]
    zero.types("company", ORGANISATION="Contoso AG")
    assert '"old": "Contoso", "new": "Contoso AG"' in zero.audit("settings.changed")[1]


def test_T10_a_bad_value_is_refused_before_it_is_stored_and_nothing_is_lost(zero: FromZero) -> None:
    zero.comes_by_the_link()
    assert zero.sends("tenant", TENANT_ID="contoso", SERVICE_CLIENT_ID=zero.facts["service"]["client_id"]) == 400
    assert zero.said.count("A GUID is wanted") == 1, "beside its field, once"
    assert zero.facts["service"]["client_id"] in zero.browser.get("/onboarding/tenant").text or zero.choices.seq() == 0
    assert zero.choices.seq() == 0
    zero.types("tenant", TENANT_ID=zero.facts["tenant_id"])  # the control
    assert zero.choices.seq() == 1


def test_T10_nothing_that_is_not_on_the_list_can_be_typed(zero: FromZero) -> None:
    zero.comes_by_the_link()
    form = {**zero.browser.form("/onboarding/company", "/onboarding/company"), "REMEDIATION_DATABASE_URL": "sqlite:///x"}
    zero.browser.post("/onboarding/company", data={**form, "REMEDIATION_ORGANISATION": "Contoso"})
    assert set(zero.choices.typed()) == {"REMEDIATION_ORGANISATION"}


def test_T26_a_secret_is_sealed_for_its_process_and_shown_to_nobody(zero: FromZero) -> None:
    zero.comes_by_the_link()
    zero.types_company_and_apps()
    typed = zero.choices.typed()
    for name, key, other, secret in (
        ("REMEDIATION_SERVICE_CLIENT_SECRET", SEAL_KEY, WEB_KEY, zero.service.secret),
        ("REMEDIATION_SIGN_IN_CLIENT_SECRET", WEB_KEY, SEAL_KEY, zero.facts["sign_in"]["client_secret"]),
    ):
        sealed = typed[name].value
        assert secret not in sealed
        assert open_sealed(name, sealed, [key]) == secret
        assert open_sealed(name, sealed, [other]) is None
        assert secret not in zero.browser.get("/onboarding/credential").text
        assert all(secret not in row for row in zero.audit("settings.changed"))
    found, missing = zero.worker_settings()
    assert found.service_client_secret is not None
    assert found.service_client_secret.get_secret_value() == zero.service.secret
    assert "REMEDIATION_MINIMUM_EVIDENCE" in missing, "and nothing is pushed before it is chosen"


def test_the_environment_wins_and_the_page_says_so(zero: FromZero) -> None:
    zero.comes_by_the_link()
    zero.types("company", ORGANISATION="Typed AG")
    zero.environment(ORGANISATION="Contoso of the environment")
    zero.worker_starts()
    zero.types("company", HELPDESK_HOURS="Mon-Fri 7:00-19:00")
    said = zero.says("company")
    assert "Contoso of the environment" in said
    assert "cannot be changed here" in said
    form = zero.browser.form("/onboarding/company", "/onboarding/company")
    zero.browser.post("/onboarding/company", data={**form, "REMEDIATION_ORGANISATION": "Other AG"})
    assert zero.choices.typed()["REMEDIATION_ORGANISATION"].value == "Typed AG"


def test_settings_that_cannot_be_used_leave_the_ones_before_in_force(zero: FromZero) -> None:
    zero.comes_by_the_link()
    zero.types("company", ORGANISATION="Contoso", HELPDESK_HOURS="Mon-Fri 7:00-19:00")
    assert "Contoso" in zero.browser.get("/onboarding").text
    zero.environment(WEB_THREADS="many")  # somebody spoilt the environment meanwhile
    with zero.engine.begin() as connection:
        connection.execute(sa.text("UPDATE choices SET value = 'Fabrikam', seq = seq + 1 WHERE name = 'REMEDIATION_ORGANISATION'"))
    assert "Contoso" in zero.browser.get("/onboarding").text
    changed = onboard_wiring.Changed(zero.choices, 0)
    zero.patch.delenv("REMEDIATION_WEB_THREADS")
    zero.environment(LEASE_HOURS="never")
    assert not changed(), "the worker goes on as it is"
    zero.patch.delenv("REMEDIATION_LEASE_HOURS")
    assert onboard_wiring.Changed(zero.choices, 0)(), "the control"


# consent


@pytest.mark.parametrize("address", ["sqlite", "postgresql"], indirect=True)
def test_consent_is_proven_by_a_token_and_a_call(zero: FromZero) -> None:
    zero.comes_by_the_link()
    zero.types_company_and_apps()
    back = zero.consents()
    assert zero.browser.get(back).headers["Location"] == "/onboarding/consent"
    assert "Being tested" in zero.says("consent")
    zero.worker_looks()
    assert "Microsoft gave a token, and Graph answered." in zero.says("consent")
    assert "User.Read.All" in zero.looked("consent").detail["roles"]["graph"]


def consent_fails(zero: FromZero, cause: str) -> str:
    """What the page says once the worker has looked: the cause, and who can act."""
    zero.worker_looks()
    assert zero.looked("consent").cause == cause
    return zero.says("consent")


def test_a_consent_that_was_declined_changes_nothing_and_says_so(zero: FromZero) -> None:
    zero.comes_by_the_link()
    zero.types_company_and_apps()
    zero.browser.get(zero.consents(declines=True))
    said = zero.says("consent")
    assert "The consent was declined" in said
    assert "change request" in said
    assert "AADSTS65004" in said
    zero.browser.get(zero.consents())
    zero.worker_looks()
    assert "Graph answered" in zero.says("consent"), "the control"


def test_T29_error_is_tested_before_anything_else_in_the_answer(zero: FromZero) -> None:
    zero.comes_by_the_link()
    zero.types_company_and_apps()
    back = zero.consents(declines=True)
    assert "admin_consent=True" in back
    zero.browser.get(f"{back}&tenant={zero.facts['tenant_id']}")
    assert zero.looked("consent").cause == "declined"


def test_T29_a_state_is_of_one_browser_one_administrator_and_one_use(zero: FromZero) -> None:
    zero.comes_by_the_link()
    zero.types_company_and_apps()
    back = zero.consents()
    stranger = zero.new_browser()
    assert stranger.get(back).status_code == 401, "nobody"
    mine, zero.browser = zero.browser, stranger
    zero.comes_by_the_link()
    assert stranger.get(back).status_code == 400, "another administrator's browser"
    zero.browser = mine
    assert mine.get(back).status_code == 303
    assert mine.get(back).status_code == 400, "replayed"
    assert mine.get("/onboarding/consent/back?admin_consent=True&state=made-up").status_code == 400
    assert mine.get("/onboarding/consent/back?admin_consent=True").status_code == 400


def test_T29_a_state_from_before_the_tenant_was_changed_is_refused(zero: FromZero) -> None:
    zero.comes_by_the_link()
    zero.types_company_and_apps()
    back = zero.consents()
    zero.types("tenant", SERVICE_CLIENT_ID=zero.facts["sign_in"]["client_id"])
    assert zero.browser.get(back).status_code == 400


def test_T29_the_tenant_in_the_answer_decides_nothing(zero: FromZero) -> None:
    zero.comes_by_the_link()
    zero.types_company_and_apps()
    state = parse_qs(urlsplit(zero.at_microsoft("/onboarding/consent/begin")).query)["state"][0]
    forged = f"/onboarding/consent/back?admin_consent=True&tenant={zero.facts['other_tenant_id']}&state={state}"
    answer = zero.browser.get(forged)
    assert "another tenant" in zero.words_of(zero.browser.get(answer.headers["Location"]).text)
    assert "Nobody consented" in consent_fails(zero, "no_consent"), "nobody consented, whatever the address says"


def test_a_partial_consent_names_what_is_missing_and_what_it_is_for(zero: FromZero) -> None:
    zero.comes_by_the_link()
    zero.types_company_and_apps()
    graph = next(iter(zero.service.requested))
    zero.service.requested[graph] -= {"Device.Read.All", "AuditLog.Read.All"}
    zero.browser.get(zero.consents())
    said = consent_fails(zero, "missing")
    assert "Permissions are missing" in said
    assert zero.looked("consent").detail["permissions"] == "Device.Read.All", "the optional one is no fault"


def test_calls_that_have_to_wait_are_waited_for_and_are_no_fault(zero: FromZero) -> None:
    zero.comes_by_the_link()
    zero.types_company_and_apps()
    zero.sandbox.faults.add(Fault("graph", "throttle", retry_after=600))
    zero.browser.get(zero.consents())
    for _ in range(2):
        zero.worker_looks()
        said = zero.says("consent")
        assert "Being tested" in said
        assert "asks us to wait" not in said
    assert zero.looked("consent").waiting
    zero.sandbox.faults.clear()
    with zero.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM budgets"))  # it has become later
    zero.worker_looks()
    assert "Graph answered" in zero.says("consent"), "by itself: nobody asked again"


def test_a_remote_that_wants_no_calls_for_long_is_told_in_the_end(zero: FromZero) -> None:
    zero.comes_by_the_link()
    zero.types_company_and_apps()
    zero.sandbox.faults.add(Fault("graph", "throttle", retry_after=600))
    zero.browser.get(zero.consents())
    zero.lies_back(set_up_looks.c.wanted_at, timedelta(minutes=16), set_up_looks.c.name == "consent")
    assert "asks us to wait" in consent_fails(zero, "busy")
    zero.sandbox.faults.clear()


@pytest.mark.parametrize(
    ("change", "cause"),
    [("secret", "wrong_secret"), ("expired", "expired_secret"), ("revoked", "no_consent"), ("deleted", "no_app")],
)
def test_what_breaks_later_is_named_and_mends(zero: FromZero, change: str, cause: str) -> None:
    zero.comes_by_the_link()
    zero.types_company_and_apps()
    zero.browser.get(zero.consents())
    zero.worker_looks()
    app, apps = zero.service, zero.sandbox.world.apps
    good = app.secret
    if change == "secret":
        app.secret = "another-secret-9917"
    app.secret_expired, app.consented = change == "expired", change != "revoked"
    if change == "deleted":
        del apps["service"]
    zero.browser.press("/onboarding/consent", "/onboarding/consent/look")
    said = consent_fails(zero, cause)
    assert "Last success" in said
    assert "Last error" in said
    app.secret, app.secret_expired, app.consented = good, False, True
    apps["service"] = app
    zero.browser.press("/onboarding/consent", "/onboarding/consent/look")
    zero.worker_looks()
    assert "Graph answered" in zero.says("consent")


def test_wrong_ids_are_told_apart(zero: FromZero) -> None:
    zero.comes_by_the_link()
    zero.types_company_and_apps(SERVICE_CLIENT_ID="5b9d3c77-1f20-4e57-a6a5-2c9e8d41b7f2")
    zero.browser.press("/onboarding/consent", "/onboarding/consent/look")
    assert "no service app" in consent_fails(zero, "no_app")
    zero.types("tenant", SERVICE_CLIENT_ID=zero.facts["service"]["client_id"], TENANT_ID=zero.facts["other_tenant_id"])
    swapped = consent_fails(zero, "no_app")
    assert "This tenant knows no service app with this client id" in swapped
    assert "or the tenant id is another tenant's" in swapped
    zero.types("tenant", TENANT_ID="0c9f5a1e-77c3-4c38-8e5d-6d1f0f6f2b11")
    made_up = consent_fails(zero, "no_tenant")
    assert "no tenant with this id" in made_up
    assert "An Entra administrator compares the tenant id" in made_up


def test_what_stands_in_the_way_at_intune_is_told_with_who_can_act_and_mends(zero: FromZero) -> None:
    """The slot taken by another vendor, Intune not set up, and a chosen group that was deleted meanwhile."""
    zero.environment(PARTNER_NAME=zero.sandbox.world.partner.name, DEMO="true")
    whole(zero)
    partner, world = zero.sandbox.world.partner, zero.sandbox.world
    partner.chosen_groups = [zero.facts["groups"][0]["id"]]

    def asked(button: str) -> str:
        assert zero.browser.press("/onboarding/partner", f"/onboarding/partner/{button}").status_code == 303
        zero.worker_answers()
        return zero.says("partner")

    partner.others, partner.platforms = [OtherPartner("o", "Another Vendor", ["iOS"])], ["Android", "macOS"]
    said = asked("check")
    assert "Held by Another Vendor, enabled. Microsoft takes only that partner's word here. An Intune administrator" in said
    assert "Needs attention: Another partner holds a platform." in zero.says()
    partner.others, partner.platforms, partner.set_up = [], ["iOS", "Android", "macOS"], False
    said = asked("provision")
    assert "Intune is not set up in this tenant, or not licensed An Intune administrator sets it up" in said
    partner.set_up = True
    group = world.groups.pop(zero.facts["groups"][0]["id"])
    said = asked("provision")
    assert "A chosen group is not in the directory any more" in said
    assert zero.audit("partner.provisioned") == []
    world.groups[group.id] = group
    assert "Microsoft took" in asked("provision"), "the control"


def test_a_certificate_is_made_by_the_worker_and_used_once_it_was_uploaded(zero: FromZero) -> None:
    zero.comes_by_the_link()
    zero.types_company_and_apps()
    zero.browser.get(zero.consents())
    zero.worker_looks()
    zero.browser.press("/onboarding/credential", "/onboarding/credential/make")
    zero.worker_looks()
    pem = zero.browser.get("/onboarding/credential/certificate.pem").text
    assert "PRIVATE KEY" not in pem
    assert zero.worker_settings()[0].service_certificate is None, "the secret stays in force until then"
    zero.service.certificates.append(pem)
    zero.browser.press("/onboarding/credential", "/onboarding/credential/use")
    zero.service.secret = "taken-away-4471"
    zero.worker_looks()
    assert zero.looked("consent").cause is None, zero.looked("consent").detail
    assert "REMEDIATION_SERVICE_CLIENT_SECRET" not in zero.choices.typed()
    said = zero.says("credential")
    assert "by the certificate itself" in said
    assert "by Microsoft's directory" in said
    assert "ends soon" not in said
    zero.sandbox.world.apps["sign-in"].secret_ends = datetime.now(UTC) + timedelta(days=6)
    assert zero.sends("credential", SIGN_IN_SECRET_ENDS="soon") == 400
    zero.types("credential", SIGN_IN_SECRET_ENDS="2031-06-30")
    zero.worker_looks()
    for page in ("credential", ""):
        assert "The secret of the sign-in app ends soon" in zero.says(page), "the directory knows better than whoever typed"


# the doctor's page


def test_the_doctor_is_asked_on_a_page_and_finds_what_the_command_finds(zero: FromZero) -> None:
    whole(zero)
    assert zero.browser.press("/onboarding/doctor", "/onboarding/doctor/look").status_code == 303
    zero.worker_looks()
    said = zero.says("doctor")
    for words in (
        "Entra gives the service app a token.",
        "messages of ws1 No message of it was seen to arrive, so possession is off.",
        "Whoever runs this product: remediation doctor possession --connection ws1",
        "No policy asks for a compliant device where one is being registered.",
    ):
        assert words in said
    kept = zero.looked("doctor").detail["findings"]
    assert {one["state"] for one in kept} == {"good", "bad", "unknown"}
    assert zero.service.secret not in str(kept)
    zero.service.consented = False
    zero.sandbox.world.end_tokens()
    zero.browser.press("/onboarding/doctor", "/onboarding/doctor/look")
    zero.worker_looks()
    assert "its consent was withdrawn, or the app was deleted" in zero.says("doctor")


# go


def whole(zero: FromZero) -> None:
    """Everything but *go*."""
    zero.comes_by_the_link()
    zero.types_company_and_apps()
    zero.browser.get(zero.consents())
    ws1 = zero.facts["workspace_one"]
    api = zero.sandbox.api_url.replace("127.0.0.1", "localhost")
    typed = {"url": f"{api}/ws1", "token_url": f"{api}/ws1auth/connect/token"}
    typed |= {name: ws1[name] for name in ("client_id", "client_secret")}
    page = "/onboarding/mdm/connection/ws1"
    form = zero.browser.form(f"{page}?kind=workspace_one", page)
    assert zero.browser.post(page, data={**form, **typed}).status_code == 303
    zero.types("evidence", MINIMUM_EVIDENCE="possession")
    channels = {f"CHANNEL_{name}": "intune_partner" for name in ("IOS", "ANDROID", "MACOS")}
    zero.types("channel", **channels, CHANNEL_WINDOWS="none")
    zero.worker_looks()
    assert zero.signs_in() == "/onboarding"
    zero.environment(GROUPS=zero.facts["groups"][0]["id"])
    zero.types("company", HELPDESK_HOURS="Mon-Fri 7:00-18:00")  # the web begins anew, and so sees the environment
    csrf = {"csrf_token": zero.browser.csrf()}
    for path in ("partner/seen", "excluded/seen", "arrival/open"):
        assert zero.browser.post(f"/onboarding/{path}", data={**csrf, "tested": next(iter(WAYS))}).status_code == 303
    zero.new_browser().get(next(iter(WAYS.values())))  # *not set up yet*, and noted all the same


def without_a_pilot(zero: FromZero) -> None:
    assert zero.browser.press("/onboarding/pilot", "/onboarding/pilot/without").status_code == 303


def go_address(zero: FromZero) -> str:
    found = zero.browser.get("/onboarding/go").text
    return found.partition('id="go" href="')[2].partition('"')[0].replace("&amp;", "&")


def test_go_takes_a_fresh_sign_in_and_opens_the_product(zero: FromZero) -> None:
    whole(zero)
    assert "13 of 15 steps are done." in zero.says(), zero.says()
    assert "Go on without a pilot device" in zero.says("pilot")
    without_a_pilot(zero)
    assert zero.audit("set_up.pilot_said"), "who decided that is known"
    assert zero.browser.get("/").status_code == 503
    assert not onboard_wiring.is_open([], onboard_wiring.taken_for(WorkerSettings)), "the worker pushes nothing before"
    address = go_address(zero)
    assert "0" in zero.words_of(zero.browser.get(address).text)
    asked = parse_qs(urlsplit(address).query)["change"][0]
    back = zero.signs_in(path=f"/onboarding/confirm/sign-in?change={asked}")
    assert "fresh=1" in back
    assert zero.browser.press(back, "/onboarding/confirm").status_code == 303
    assert "15 of 15 steps are done." in zero.says()
    assert zero.browser.get("/").status_code == 200
    found, missing = zero.worker_settings()
    assert (missing, list(found.mdm)) == (set(), ["ws1"])
    assert onboard_wiring.is_open([], onboard_wiring.taken_for(WorkerSettings))
    assert zero.audit("settings.go")


def confirmed(zero: FromZero, address: str) -> int:
    """Whatever asks for another sign-in, with one."""
    asked = parse_qs(urlsplit(address).query)["change"][0]
    return zero.browser.press(zero.signs_in(path=f"/onboarding/confirm/sign-in?change={asked}"), "/onboarding/confirm").status_code


def named(zero: FromZero, account: str) -> str:
    """The address behind *let them go first*, or nothing where the page offers none."""
    form = zero.browser.form("/onboarding/pilot", "/onboarding/pilot/account")
    assert zero.browser.post("/onboarding/pilot/account", data={**form, "name": account}).status_code == 303
    zero.worker_answers()
    found = zero.browser.get("/onboarding/pilot").text
    return found.partition('id="let-in" href="')[2].partition('"')[0].replace("&amp;", "&")


def test_T29_before_go_it_is_open_for_those_who_go_first_and_for_nobody_else(zero: FromZero) -> None:
    whole(zero)
    assert named(zero, "nobody@contoso.example") == ""
    assert "Nobody in your directory" in zero.says("pilot")
    address = named(zero, "mia.berger@contoso.example")
    mia = next(one["oid"] for one in zero.facts["persons"] if one["name"].startswith("Mia"))
    shown = zero.words_of(zero.browser.get(address).text)
    assert "nothing → Mia Berger" in shown, "whom it lets in is told by name"
    assert mia not in shown
    asked = parse_qs(urlsplit(address).query)["change"][0]
    refused = zero.browser.post("/onboarding/confirm", data={"csrf_token": zero.browser.csrf(), "change": asked})
    assert refused.status_code == 403, "no fresh sign-in"
    assert zero.browser.get("/").status_code == 503
    assert confirmed(zero, address) == 303
    assert f'"old": null, "new": "{mia}"' in zero.audit("settings.changed")[-1]
    assert "14 of 15" not in zero.says()
    second = named(zero, "noah.lind@contoso.example")
    assert "Mia Berger → Mia Berger, Noah Lind" in zero.words_of(zero.browser.get(second).text)
    assert "Mia Berger" in zero.says("pilot")
    taken = onboard_wiring.taken_for(WorkerSettings)
    assert (onboard_wiring.is_open([], taken), list(onboard_wiring.first_of(taken))) == (True, [mia]), (
        "the worker does it for her alone"
    )
    adam, zero.browser = zero.browser, zero.new_browser()
    assert zero.browser.get("/start?platform=ios").status_code == 200
    assert zero.signs_in("Mia", "/sign-in?platform=ios") == "/journey"
    assert zero.browser.get("/journey").status_code == 200
    zero.browser = stranger = zero.new_browser()
    stranger.get("/start?platform=ios")
    address = zero.at_microsoft("/sign-in?platform=ios")
    with pytest.raises(AssertionError, match="Not set up yet"):
        zero.signs_in("Noah", "/sign-in?platform=ios")
    assert stranger.get("/journey").status_code == 503
    with zero.engine.connect() as connection:
        journeys = connection.execute(sa.text("SELECT DISTINCT oid FROM journeys")).scalars().all()
    assert journeys == [mia]
    zero.browser = adam
    assert confirmed(zero, go_address_after_pilot(zero)) == 303
    zero.browser = stranger
    assert stranger.get("/").status_code == 200, "the control"
    assert "first" not in zero.choices.typed(), "after the go nobody goes first"


def go_address_after_pilot(zero: FromZero) -> str:
    without_a_pilot(zero)
    return go_address(zero)


def test_T10_nobody_goes_first_before_the_steps_that_protect_them_and_whoever_does_is_taken_back(zero: FromZero) -> None:
    whole(zero)
    address = named(zero, "mia.berger@contoso.example")
    zero.types("evidence", MINIMUM_EVIDENCE="")
    assert "blocked" in zero.browser.get("/onboarding").text
    asked = parse_qs(urlsplit(address).query)["change"][0]
    form = {"csrf_token": zero.browser.csrf(), "change": asked}
    assert zero.browser.post("/onboarding/confirm", data=form).status_code == 409
    assert "first" not in zero.choices.typed()
    zero.types("evidence", MINIMUM_EVIDENCE="possession")
    assert confirmed(zero, named(zero, "mia.berger@contoso.example")) == 303
    assert "first" in zero.choices.typed(), "the control"
    form = {"csrf_token": zero.browser.csrf(), "oid": zero.choices.typed()["first"].value}
    assert zero.browser.post("/onboarding/pilot/first/remove", data=form).status_code == 303
    assert "first" not in zero.choices.typed(), "narrowing asks for no other sign-in"
    assert zero.new_browser().get("/").status_code == 503


def test_T10_go_without_the_fresh_sign_in_is_refused(zero: FromZero) -> None:
    whole(zero)
    without_a_pilot(zero)
    asked = parse_qs(urlsplit(go_address(zero)).query)["change"][0]
    form = {"csrf_token": zero.browser.csrf(), "change": asked}
    assert zero.browser.post("/onboarding/confirm", data=form).status_code == 403
    assert zero.browser.post("/onboarding/confirm", data={**form, "change": asked[:-3] + "abc"}).status_code == 409
    assert zero.audit("settings.go") == []


def test_T13_a_sign_in_that_entra_did_not_ask_for_counts_for_nothing(zero: FromZero) -> None:
    whole(zero)
    without_a_pilot(zero)
    asked = parse_qs(urlsplit(go_address(zero)).query)["change"][0]
    zero.sandbox.world.apps["sign-in"].optional_claims = ()  # nobody says when
    address = zero.at_microsoft(f"/onboarding/confirm/sign-in?change={asked}")
    assert "prompt=login" in address
    with pytest.raises(AssertionError, match="auth_time"):
        zero.signs_in(path=f"/onboarding/confirm/sign-in?change={asked}")
    assert zero.audit("settings.go") == []


def test_T10_lowering_the_evidence_asks_first_and_raising_it_does_not(zero: FromZero) -> None:
    test_go_takes_a_fresh_sign_in_and_opens_the_product(zero)
    answer = zero.browser.post(
        "/onboarding/evidence",
        data={"csrf_token": zero.browser.csrf(), "REMEDIATION_MINIMUM_EVIDENCE": "fresh"},
    )
    page = zero.words_of(zero.browser.get(answer.headers["Location"]).text)
    assert "possession → fresh" in page
    assert zero.choices.typed()["REMEDIATION_MINIMUM_EVIDENCE"].value == "possession"
    asked = parse_qs(urlsplit(answer.headers["Location"]).query)["change"][0]
    back = zero.signs_in(path=f"/onboarding/confirm/sign-in?change={asked}")
    assert zero.browser.press(back, "/onboarding/confirm").status_code == 303
    assert '"old": "possession", "new": "fresh"' in zero.audit("settings.changed")[-1]
    zero.types("evidence", MINIMUM_EVIDENCE="bound")
    assert zero.choices.typed()["REMEDIATION_MINIMUM_EVIDENCE"].value == "bound"


def test_T10_what_was_confirmed_on_older_values_is_refused(zero: FromZero) -> None:
    test_go_takes_a_fresh_sign_in_and_opens_the_product(zero)
    lower = {"csrf_token": zero.browser.csrf(), "REMEDIATION_MINIMUM_EVIDENCE": "fresh"}
    asked = parse_qs(urlsplit(zero.browser.post("/onboarding/evidence", data=lower).headers["Location"]).query)["change"][0]
    zero.types("company", HELPDESK_HOURS="Mon-Sun")
    back = zero.signs_in(path=f"/onboarding/confirm/sign-in?change={asked}")
    assert zero.browser.press(back, "/onboarding/confirm").status_code == 409


def test_T24_a_page_leads_the_worker_to_no_address(zero: FromZero) -> None:
    """Nor does a name that leads into the own network, unless whoever runs the product named it."""
    zero.comes_by_the_link()
    zero.types_company_and_apps()
    page = "/onboarding/mdm/connection/ws1"
    form = {**zero.browser.form(f"{page}?kind=workspace_one", page), "client_id": "x", "client_secret": "y"}
    api = urlsplit(zero.sandbox.api_url)
    there = {"url": f"{zero.sandbox.api_url}/ws1", "token_url": f"{zero.sandbox.api_url}/ws1auth/connect/token"}
    assert zero.browser.post(page, data={**form, **there}).status_code == 400
    zero.environment(PRIVATE_HOSTS="mdm.contoso.example")
    named = {name: value.replace("127.0.0.1", "localhost") for name, value in there.items()}
    assert zero.browser.post(page, data={**form, **named}).status_code == 303
    before = len(zero.sandbox.ledger.since())
    zero.worker_looks()
    assert zero.looked("mdm:ws1").cause == "refused"
    asked = [one.path for one in zero.sandbox.ledger.since(before)]
    assert not any("ws1" in path for path in asked), asked
    assert api.port is not None


def test_T10_another_mdm_is_not_believed_without_a_fresh_sign_in(zero: FromZero) -> None:
    test_go_takes_a_fresh_sign_in_and_opens_the_product(zero)
    page, before = "/onboarding/mdm/connection/ws1", zero.choices.typed()
    form = zero.browser.form(page, page)
    asked = zero.browser.post(page, data={**form, "url": "https://mdm.attacker.example", "client_secret": "planted-9913"})
    address = asked.headers["Location"]
    assert address.startswith("/onboarding/confirm")
    assert "planted-9913" not in address
    assert "https://mdm.attacker.example" in zero.browser.get(address).text
    assert zero.choices.typed() == before
    assert zero.sends("credential", SERVICE_CLIENT_SECRET="planted-9914") == 303
    assert zero.choices.typed() == before
    zero.types("company", HELPDESK_HOURS="Mon-Sun")  # the control
    assert zero.choices.typed() != before


# the second lock is given up


def locked(zero: FromZero) -> str:
    """The lock is set up by its page; returns its rule."""
    graph = next(iter(zero.service.requested))
    zero.service.requested[graph] |= {"Device.ReadWrite.All"}
    whole(zero)
    zero.types("channel", CHANNEL_IOS="mdm_relay:ws1")
    zero.types("second_lock", SECOND_LOCK_ATTRIBUTE="7")
    zero.worker_looks()
    assert zero.browser.press("/onboarding/second_lock", "/onboarding/second_lock/prepare").status_code == 303
    zero.worker_looks()
    assert "Free, and ours since" in zero.says("second_lock")
    rule = BeautifulSoup(zero.browser.get("/onboarding/second_lock").text, "html.parser").find(id="rule")
    assert rule is not None
    return rule.get_text()


def gives_up(zero: FromZero) -> str:
    """With another sign-in, then the worker; returns what the page says."""
    link = BeautifulSoup(zero.browser.get("/onboarding/second_lock").text, "html.parser").find(id="give-up")
    assert link is not None
    address = str(link["href"])
    assert "Take the marks of the second lock away" in zero.words_of(zero.browser.get(address).text)
    assert confirmed(zero, address) == 303
    assert "Being tested" in zero.says("second_lock")
    zero.worker_looks()
    return zero.says("second_lock")


def test_the_second_lock_is_given_up_on_its_page_once_its_policy_is_off(zero: FromZero) -> None:
    rule, world = locked(zero), zero.sandbox.world
    value = rule.rpartition("-eq")[2].strip(' "')
    device = next(iter(world.devices.values()))
    device.extension_attributes["extensionAttribute7"] = value
    world.device_policies = [DevicePolicy("Second lock", rule)]
    assert "still on" in gives_up(zero)
    assert device.extension_attributes["extensionAttribute7"] == value, "nothing is taken away while people rely on it"
    assert zero.sends("second_lock", SECOND_LOCK_ATTRIBUTE="") == 400, "and its attribute stays"
    world.device_policies[0].state = "disabled"
    world.lags.compliance_lag = 0  # Entra shows at once what was taken away
    said = gives_up(zero)
    assert "still on" not in said
    assert "still shown" not in said
    assert not device.extension_attributes.get("extensionAttribute7"), "at Microsoft, read back"
    assert zero.audit("lock.leaving")
    assert zero.audit("lock.given_up")
    zero.types("second_lock", SECOND_LOCK_ATTRIBUTE="")
    assert "REMEDIATION_SECOND_LOCK_ATTRIBUTE" not in zero.choices.typed()
