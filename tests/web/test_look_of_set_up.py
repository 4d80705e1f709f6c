"""Every page of the set-up in a real browser, as `test_look` has it for the others: from zero, half-way, and at work."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from remediation.domain.credential_ends import LOOK as CREDENTIALS
from remediation.domain.device import Person
from remediation.domain.finding import DOCTOR
from remediation.domain.onboarding import FIRST, WORKER, Looked
from remediation.domain.onboarding_lock import ATTRIBUTE
from remediation.domain.wishes import Kind
from remediation.ports import Actor, Choice
from remediation.services.onboard import NEW_CERTIFICATE, choose, make_set_up_link
from remediation.services.scope import wish
from remediation.web.onboarding_pages import PAGES
from tests.set_ups import WEB_KEY
from tests.web import set_up_scenes as scenes
from tests.web.conftest import Web
from tests.web.test_look import Screen, looked_at

ADAM = Person("adam", "Adam Kowal", "adam.kowal")
TENANT = "8f5c1d3e-2a47-4c0b-9d6e-1b7f0a9c2e55"
TYPED = {
    "TENANT_ID": TENANT,
    "SERVICE_CLIENT_ID": "5b9d3c77-1f20-4e57-a6a5-2c9e8d41b7f2",
    "SIGN_IN_CLIENT_ID": "0d2b4b66-6a0e-4d5b-8b55-7f3f0f6b9a10",
    "ORGANISATION": "Contoso",
    "HELPDESK_PHONE": "+49 30 5550 100",
    "HELPDESK_HOURS": "Mon-Fri 7:00-19:00",
    "MINIMUM_EVIDENCE": "possession",
    "MDM_WS1_KIND": "workspace_one",
    "MDM_WS1_URL": "https://as1234.awmdm.com",
}


@pytest.fixture(scope="module")
def screen(browser: Browser) -> Iterator[Screen]:
    screen = Screen(browser)
    yield screen
    screen.context.close()


def half_way(web: Web) -> None:
    """Ids and secrets are typed; the consent was partial, and the MDM has not answered yet."""
    now, actor = web.clock(), Actor("admin", "adam")
    chosen = {f"REMEDIATION_{name}": Choice(value) for name, value in TYPED.items()}
    sealed = {f"REMEDIATION_{name}": Choice("h1.sealed", who) for name, who in (("SERVICE_CLIENT_SECRET", "worker"),)}
    choose(web.store, {**chosen, **sealed, "REMEDIATION_SIGN_IN_CLIENT_SECRET": Choice("h1.x", "web")}, actor=actor, now=now)
    roles = {"graph": ["User.Read.All", "Directory.ReadWrite.All"], "intune": ["update_device_attributes"]}
    detail = {"roles": roles, "permissions": "Device.Read.All", "too_many": ["Directory.ReadWrite.All"], "code": "403"}
    made = {"certificate": "-----BEGIN CERTIFICATE-----", "sealed": "h1.x", "ends": now.isoformat(), "thumbprint": "AB" * 20}
    looks = [
        Looked(WORKER, looked_at=now, good_at=now, detail={"half": WEB_KEY, "elsewhere": {"REMEDIATION_CHANNEL_WINDOWS": "none"}}),
        Looked("consent", now, now, now, now, "missing", detail),
        Looked("mdm:ws1", now),
        Looked(NEW_CERTIFICATE, now, now, now, detail=made),
        Looked(DOCTOR, now, now, now, detail={"findings": scenes.FINDINGS}),
    ]
    with web.store.change(actor, "test", about=("look", "all"), at=now) as change:
        for looked in looks:
            change.looked_at(looked)


@pytest.mark.slow
def test_every_page_of_a_set_up_that_is_half_way(database: Path, screen: Screen) -> None:
    web = Web(database, set_up={"open": False})
    half_way(web)
    screen.client = web.signed_in(ADAM, browser="adam", roles=("Admin",))
    paths = ["", *(f"/{page.name}" for page in PAGES), "/doctor", "/consent/request", "/mdm/connection/maas?kind=maas360"]
    for path in [*paths, "/mdm/connection/ws1", "/consent?hint=other_tenant"]:
        name = path.strip("/").replace("/", "-").replace("?", "-").replace("=", "-") or "overview"
        looked_at(screen, f"/onboarding{path}", f"set-up-{name}")
    link = f"/set-up/{make_set_up_link(web.store, operator='root', now=web.clock())}"
    looked_at(screen, link, "set-up-link")
    looked_at(screen, "/set-up/never-made", "set-up-link-over")
    looked_at(screen, "/", "not-set-up")
    web.engine.dispose()


@pytest.mark.slow
def test_the_pages_at_work_and_what_asks_first(database: Path, screen: Screen) -> None:
    web = Web(database, set_up={"elsewhere": {"REMEDIATION_ORGANISATION": "Contoso"}})
    half_way(web)
    client = screen.client = web.signed_in(ADAM, browser="adam", roles=("Admin",))
    for path in ("", "/company", "/evidence"):
        looked_at(screen, f"/onboarding{path}", f"set-up-at-work{path.replace('/', '-')}")
    lower = {"csrf_token": client.csrf(), "REMEDIATION_MINIMUM_EVIDENCE": "fresh"}
    asked = client.post("/onboarding/evidence", data=lower).headers["Location"]
    looked_at(screen, asked, "set-up-confirm")
    looked_at(screen, f"{asked}&fresh=1", "set-up-confirm-fresh")
    web.engine.dispose()


@pytest.mark.slow
def test_the_pages_before_go_with_who_goes_first_and_a_second_lock(database: Path, screen: Screen) -> None:
    web = Web(database, set_up={"open": True, "first": frozenset({TENANT})})
    half_way(web)
    now, worker = web.clock(), Actor("worker", "w")
    chosen = {f"REMEDIATION_CHANNEL_{name}": Choice("mdm_relay:ws1") for name in ("IOS", "ANDROID", "MACOS")}
    choose(web.store, {**chosen, ATTRIBUTE: Choice("7"), FIRST: Choice(TENANT)}, actor=worker, now=now)
    ends = {"sign_in": {"ends": (now + timedelta(days=5)).isoformat(), "how": "directory"}}
    with web.store.change(worker, "test", about=("look", "all"), at=now) as change:
        for name in ("consent", "sign_in", "mdm:ws1"):
            change.looked_at(Looked(name, looked_at=now, good_at=now))
        change.looked_at(Looked(CREDENTIALS, looked_at=now, good_at=now, detail=ends))
    for kind in (Kind.PARTNER_SAID, Kind.POLICY_SAID):
        wish(web.store, kind, {}, actor=worker, now=now)
    scenes.chosen(web, scenes.group(0, "Mobile users", people=12))
    scenes.answered(web, Kind.ACCOUNT, {"name": "mia"}, oid="5f0c5a6e-8c57-4f0a-9b0b-3d2f5a7a9d12", name="Mia Berger")
    web.store.keep_second_lock(7, f"remediation-{'5a1e0c7d' * 4}", at=now)
    with web.store.change(worker, "lock.prepared", about=("lock", "x"), at=now) as change:
        change.lock_prepared()
    client = screen.client = web.signed_in(ADAM, browser="adam", roles=("Admin",))
    day = f"{(now + timedelta(days=5)).date()}"
    for path, shown in (("pilot", 'id="let-in"'), ("second_lock", 'id="give-up"'), ("credential", day), ("", day)):
        assert shown in client.get(f"/onboarding/{path}".rstrip("/")).text, path
        looked_at(screen, f"/onboarding/{path}".rstrip("/"), f"set-up-before-go-{path}")
    web.engine.dispose()
