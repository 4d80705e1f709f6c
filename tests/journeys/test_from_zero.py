"""From an empty tenant to the first compliant phone and to *go* in a real browser, with the real processes: each takes in what is
typed by itself; before *go* the holder of the first device alone is let in."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from remediation.domain.arrival import WAYS
from remediation.settings import PREFIX
from sandbox import demo
from sandbox.scenarios import SCENARIOS
from tests.engines import make_engine
from tests.journeys.player import Player
from tests.journeys.stage import Stage, copied
from tests.journeys.test_in_a_browser import OPEN, begins
from tests.proven import messages_arrive

pytestmark = pytest.mark.slow

GIVEN = tuple(
    PREFIX + name
    for name in (
        *("TENANT_ID", "SIGN_IN_", "SERVICE_", "MDM_", "MINIMUM_EVIDENCE", "ORGANISATION", "HELPDESK_", "CHANNEL_"),
        *("LANGUAGE", "PARTNER_NAME", "DEVICE_APP", "ENROLLMENT_"),
    )
)


class Administrator:
    """Adam at his desk, in a browser without script."""

    def __init__(self, page: Page, stage: Stage) -> None:
        self.page, self.stage = page, stage

    def goes_to(self, step: str = "") -> None:
        self.page.goto(f"{self.stage.origin}/onboarding{'/' if step else ''}{step}")

    def types(self, step: str, **fields: str) -> None:
        self.goes_to(step)
        for name, value in fields.items():
            self.page.locator(f'[name="{PREFIX}{name}"]').fill(value)
        self.page.locator("#save").click()
        expect(self.page.locator(".notice.careful")).to_have_count(0)

    def sees(self, step: str, words: str) -> None:
        """The page is loaded again until it says so, as it asks for."""
        for _ in range(40):
            self.goes_to(step)
            if words in self.page.locator("main").inner_text():
                return
            self.page.wait_for_timeout(500)
        raise AssertionError(
            f"{step} never says {words!r}: {self.page.locator('main').inner_text()}\n{self.stage.log('work')[-3000:]}"
        )

    def lets_go_first(self, account: str, name: str) -> None:
        """Before *go*, with another sign-in; the processes take it in by themselves."""
        self.goes_to("pilot")
        self.page.locator("#name").fill(account)
        self.page.locator("#find").click()
        self.sees("pilot", f"Let {name} go first")
        self.page.locator("#let-in").click()
        self.confirms()
        for _ in range(60):
            if requests.get(self.stage.origin, timeout=20).status_code == 200:
                return
            self.page.wait_for_timeout(500)
        raise AssertionError(f"it never opens: {self.stage.log('serve')[-3000:]}")

    def confirms(self) -> None:
        self.page.locator("#sign-in").click()
        self.signs_in_at_microsoft()
        self.page.locator("#confirm").click()

    def signs_in_at_microsoft(self) -> None:
        self.page.get_by_text("Type account and password").click()
        self.page.fill("#upn", "adam.kowal@contoso.example")
        self.page.fill("#password", "Adam-Pass-1")
        self.page.get_by_role("button", name="Sign in", exact=True).click()


def link(stage: Stage) -> str:
    environment = {**os.environ, **demo.environment(stage.settings)}
    command = [sys.executable, "-m", "remediation", "onboard"]
    done = subprocess.run(command, env=environment, cwd=demo.REPOSITORY, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


class Begun(Stage):
    """By their commands, as a supervisor does: the worker executes itself anew."""

    typed = True


def test_from_an_empty_tenant_to_go(migrated: Path, tmp_path: Path, browser: Browser) -> None:
    more = {PREFIX + "PRIVATE_HOSTS": "localhost"}
    with Begun(copied(migrated, tmp_path), tmp_path, "blocked_just_registered", without=GIVEN, more=more) as stage:
        _to_go(stage, browser)


def _to_go(stage: Stage, browser: Browser) -> None:
    world = stage.sandbox.world
    service, sign_in = world.apps["service"], world.apps["sign-in"]
    service.permissions, service.consented = {}, False
    context = browser.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=False)
    context.set_default_timeout(20_000)
    adam = Administrator(context.new_page(), stage)
    adam.page.goto(link(stage))
    adam.page.locator("#begin").click()
    expect(adam.page.locator("h1")).to_have_text("Set-up")
    adam.types("company", ORGANISATION="Contoso", HELPDESK_PHONE="+49 30 5550 100", HELPDESK_HOURS="Mon-Fri 7:00-19:00")
    adam.types("tenant", TENANT_ID=world.tenant_id, SIGN_IN_CLIENT_ID=sign_in.client_id, SERVICE_CLIENT_ID=service.client_id)
    adam.types("credential", SIGN_IN_CLIENT_SECRET=sign_in.secret)
    adam.page.locator("#make").click()
    adam.sees("credential", "Download the certificate")
    cookies = {cookie["name"]: cookie["value"] for cookie in context.cookies(stage.origin)}
    pem = requests.get(f"{stage.origin}/onboarding/credential/certificate.pem", cookies=cookies, timeout=20).text
    service.certificates.append(pem)
    adam.page.locator("#use").click()
    adam.sees("sign_in", "Sign in as administrator")
    adam.page.locator("#sign-in").click()
    adam.signs_in_at_microsoft()
    adam.sees("sign_in", "An administrator signed in.")
    adam.goes_to("consent")
    adam.page.locator("#consent").click()
    adam.page.fill("#upn", "adam.kowal@contoso.example")
    adam.page.fill("#password", "Adam-Pass-1")
    adam.page.get_by_role("button", name="Accept").click()
    adam.sees("consent", "Microsoft gave a token, and Graph answered.")
    adam.goes_to("mdm")
    adam.page.get_by_role("link", name="Workspace ONE UEM").click()
    api, mdm = stage.sandbox.api_url.replace("127.0.0.1", "localhost"), world.mdm
    typed = {"url": f"{api}/ws1", "token_url": f"{api}/ws1auth/connect/token"}
    for name, value in {**typed, "client_id": mdm.client_id, "client_secret": mdm.client_secret}.items():
        adam.page.locator(f'[name="{name}"]').fill(value)
    adam.page.locator("#save").click()
    adam.sees("mdm", "The device management answers.")
    adam.goes_to("evidence")
    adam.page.get_by_label("possession", exact=False).check()
    adam.page.locator("#save").click()
    adam.goes_to("channel")
    adam.page.locator("#save").click()
    adam.goes_to("arrival")
    form: dict[str, str | float | bool] = {
        "csrf_token": adam.page.locator('[name="csrf_token"]').first.input_value(),
        "tested": next(iter(WAYS)),
    }
    for path in ("partner/seen", "excluded/seen", "arrival/open"):
        assert context.request.post(f"{stage.origin}/onboarding/{path}", form=form).ok
    requests.get(f"{stage.origin}{next(iter(WAYS.values()))}", timeout=20)  # a tap: *not set up yet*, and noted all the same
    adam.sees("", "13 of 15 steps are done.")
    assert requests.get(stage.origin, timeout=20).status_code == 503, "nobody is let in before *go*"
    adam.lets_go_first("mia.berger@contoso.example", "Mia Berger")
    _gets_through(stage, browser)
    assert "push.sent" in stage.audit(), "with the first device, before *go*"
    adam.goes_to("pilot")
    form["csrf_token"] = adam.page.locator('[name="csrf_token"]').first.input_value()  # another session since he confirmed
    assert context.request.post(f"{stage.origin}/onboarding/pilot/without", form=form).ok
    adam.goes_to("go")
    adam.page.locator("#go").click()
    adam.confirms()
    adam.sees("", "15 of 15 steps are done.")
    assert requests.get(stage.origin, timeout=20).status_code == 200
    assert re.search(r'"typed|settings.go', " ".join(stage.audit()))
    context.close()


def _gets_through(stage: Stage, browser: Browser) -> None:
    """Mia, who was named to go first, from the blocked Outlook to her inbox."""
    engine = make_engine(stage.url)
    messages_arrive(engine, stage.sandbox.world.tenant_id)  # `remediation doctor possession` has stories of its own
    engine.dispose()
    phone = SCENARIOS["blocked_just_registered"].kind
    context = browser.new_context(viewport={"width": 390, "height": 844}, user_agent=phone.user_agent, reduced_motion="reduce")
    context.set_default_timeout(20_000)
    mia = Player(stage, context, "from-zero")
    begins(mia)
    mia.sends_the_message()
    mia.taps_the_message()
    mia.sees("open", OPEN, within=60)
    mia.sees_the_inbox()
    context.close()
