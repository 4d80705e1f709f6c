"""Adam at his desk, who sets a tenant up from nothing in a real browser; and the processes, begun by their commands as a supervisor
does, so that each takes in by itself what is typed."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping

import requests
from playwright.sync_api import BrowserContext, Page, expect

from remediation.domain.arrival import WAYS
from remediation.settings import PREFIX
from sandbox import demo
from sandbox.maas360_shapes import csn
from sandbox.world import GRAPH_APP_ID
from tests.engines import make_engine
from tests.journeys.player import ARTIFACTS
from tests.journeys.stage import Stage
from tests.proven import messages_arrive

GIVEN = tuple(
    PREFIX + name
    for name in (
        *("TENANT_ID", "SIGN_IN_", "SERVICE_", "MDM_", "MINIMUM_EVIDENCE", "ORGANISATION", "HELPDESK_", "CHANNEL_"),
        *("LANGUAGE", "PARTNER_NAME", "DEVICE_APP", "ENROLLMENT_"),
    )
)
ACCOUNT, PASSWORD = "adam.kowal@contoso.example", "Adam-Pass-1"


class Begun(Stage):
    """By their commands: the worker executes itself anew. Nothing of the tenant is in the environment."""

    typed = True


class Administrator:
    """In a browser without script."""

    def __init__(self, context: BrowserContext, stage: Stage, name: str) -> None:
        context.set_default_timeout(20_000)
        self.context, self.stage, self.name, self.shots = context, stage, name, 0
        self.page: Page = context.new_page()
        self.service = stage.sandbox.world.apps["service"]
        self.service.permissions, self.service.consented = {}, False

    # pages

    def goes_to(self, step: str = "") -> None:
        self.page.goto(f"{self.stage.origin}/onboarding{'/' if step else ''}{step}")

    def types(self, step: str, **fields: str) -> None:
        self.goes_to(step)
        for name, value in fields.items():
            self._fills(f'[name="{PREFIX}{name}"]', value)
        self.page.locator("#save").click()
        expect(self.page.locator(".notice.careful")).to_have_count(0)

    def presses(self, step: str, button: str, **fields: str) -> None:
        """`fields` by their ids."""
        self.goes_to(step)
        for name, value in fields.items():
            self._fills(f"#{name.replace('_', '-')}", value)
        self.page.locator(f"#{button}").click()

    def _fills(self, selector: str, value: str) -> None:
        field = self.page.locator(selector)
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)

    def sees(self, step: str, words: str, *, within: float = 40) -> None:
        """The page is loaded again until it says so, as it asks for."""
        self._until(step, lambda: words in self.page.locator("main").inner_text(), words, within)
        self.looks(step or "overview")

    def sees_done(self, step: str) -> None:
        """By the mark of the step on the overview."""
        row = self.page.locator("li.done", has=self.page.locator(f"a[href='/onboarding/{step}']"))
        self._until("", lambda: row.count() > 0, f"{step} done", 40)

    def looks(self, step: str) -> None:
        """On a phone: no wider than the screen; the picture is for people."""
        width = (self.page.viewport_size or {"width": 0})["width"]
        if width > 500:
            return
        assert self.page.evaluate("document.documentElement.scrollWidth") <= width, f"{step} is wider than the screen"
        self.shots += 1
        ARTIFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTIFACTS / f"from-zero-{self.name}-{self.shots:02}-{step}.png", full_page=True)

    def _until(self, step: str, done: Callable[[], bool], what: str, within: float) -> None:
        for _ in range(int(within * 2)):
            self.goes_to(step)
            if done():
                return
            self.page.wait_for_timeout(500)
        said, log = self.page.locator("main").inner_text(), self.stage.log("work")[-3000:]
        raise AssertionError(f"{step} never says {what!r}: {said}\n{log}")

    # the steps

    def connects(self, *more_permissions: str) -> None:
        """From the set-up link to the consent, with a certificate. `more_permissions` are Graph's, as `onboard apps` lists them for
        a channel that needs them."""
        world = self.stage.sandbox.world
        service, sign_in = self.service, world.apps["sign-in"]
        service.requested[GRAPH_APP_ID] |= set(more_permissions)
        self.page.goto(link(self.stage))
        self.page.locator("#begin").click()
        expect(self.page.locator("h1")).to_have_text("Set-up")
        self.types("company", ORGANISATION="Contoso", HELPDESK_PHONE="+49 30 5550 100", HELPDESK_HOURS="Mon-Fri 7:00-19:00")
        self.types("tenant", TENANT_ID=world.tenant_id, SIGN_IN_CLIENT_ID=sign_in.client_id, SERVICE_CLIENT_ID=service.client_id)
        self.types("credential", SIGN_IN_CLIENT_SECRET=sign_in.secret)
        self.page.locator("#make").click()
        self.sees("credential", "Download the certificate")
        cookies = {cookie["name"]: cookie["value"] for cookie in self.context.cookies(self.stage.origin)}
        pem = requests.get(f"{self.stage.origin}/onboarding/credential/certificate.pem", cookies=cookies, timeout=20).text
        service.certificates.append(pem)
        self.page.locator("#use").click()
        self.sees("sign_in", "Sign in as administrator")
        self.page.locator("#sign-in").click()
        self.signs_in_at_microsoft()
        self.sees("sign_in", "An administrator signed in.")
        self.goes_to("consent")
        self.page.locator("#consent").click()
        self.page.fill("#upn", ACCOUNT)
        self.page.fill("#password", PASSWORD)
        self.page.get_by_role("button", name="Accept").click()
        self.sees("consent", "Microsoft gave a token, and Graph answered.")

    def adds_workspace_one(self, **more: str) -> None:
        api, mdm = self.stage.sandbox.api_url.replace("127.0.0.1", "localhost"), self.stage.sandbox.world.mdm
        typed = {"url": f"{api}/ws1", "token_url": f"{api}/ws1auth/connect/token"}
        self._adds("Workspace ONE UEM", {**typed, "client_id": mdm.client_id, "client_secret": mdm.client_secret, **more})

    def adds_maas360(self, **more: str) -> None:
        api, console = self.stage.sandbox.api_url.replace("127.0.0.1", "localhost"), self.stage.sandbox.world.maas360
        typed = {"url": f"{api}/maas360", "user": console.user, "password": console.password}
        key = {"billing_id": console.billing_id, "app_id": console.app_id, "access_key": console.access_key}
        self._adds("IBM MaaS360", {**key, **typed, **more})

    def _adds(self, kind: str, typed: Mapping[str, str]) -> None:
        self.goes_to("mdm")
        self.page.get_by_role("link", name=kind).click()
        for name, value in typed.items():
            self.page.locator(f'[name="{name}"]').fill(value)
        self.page.locator("#save").click()
        self.sees("mdm", "The device management answers.")

    def chooses(self, channels: Mapping[str, str] | None = None) -> None:
        """Evidence, and the channels where they are not to stay as they are offered."""
        self.goes_to("evidence")
        self.page.get_by_label("possession", exact=False).check()
        self.page.locator("#save").click()
        self.types("channel", **{f"CHANNEL_{platform}": word for platform, word in (channels or {}).items()})

    def checks_the_partner(self) -> None:
        """Nobody told under which name Intune lists us, so he looks himself and says so; of a maker the name is read."""
        self.presses("partner", "check")
        self.sees("partner", "Looked at")
        if self.page.locator("#seen").count():
            self.page.locator("#seen").click()
        self.sees_done("partner")

    def checks_our_sign_in(self) -> None:
        self.presses("excluded", "check")
        self.sees("excluded", "No policy asks our sign-in for a compliant device")

    def sees_somebody_arrive(self) -> None:
        """A tap leads to *not set up yet*, and counts all the same."""
        way, address = next(iter(WAYS.items()))
        self.presses("arrival", f"open-{way}")
        requests.get(f"{self.stage.origin}{address}", timeout=20)
        self.sees("arrival", "It leads here")

    # before *go*, and *go*

    def lets_go_first(self, account: str, name: str) -> None:
        """With another sign-in; the processes take it in by themselves."""
        self.presses("pilot", "find", name=account)
        self.sees("pilot", f"Let {name} go first")
        self.page.locator("#let-in").click()
        expect(self.page.locator("main")).to_contain_text(name)
        self.looks("confirm-first")
        self.confirms()
        for _ in range(60):
            if requests.get(self.stage.origin, timeout=20).status_code == 200:
                return
            self.page.wait_for_timeout(500)
        raise AssertionError(f"it never opens: {self.stage.log('serve')[-3000:]}")

    def begins_the_pilot(self, connection: str = "ws1") -> None:
        record = self.stage.sandbox.world.records[self.stage.mia.record_id or 0]
        self.presses("pilot", "start", connection=connection, record=csn(record) if connection == "maas" else str(record.id))

    def sees_the_pilot_wait_for(self, step: str, *, within: float = 60) -> None:
        current = self.page.locator("li.current", has_text=step)
        self._until("pilot", lambda: current.count() > 0, step, within)
        self.looks("pilot")

    def goes_without_a_pilot(self) -> None:
        self.goes_to("pilot")
        self.page.locator("details summary", has_text="Go on without").click()
        self.page.locator("#without").click()

    def lets_all_go(self) -> None:
        self.goes_to("go")
        self.page.locator("#go").click()
        self.confirms()
        self.sees("", "15 of 15 steps are done.")
        assert requests.get(self.stage.origin, timeout=20).status_code == 200

    def confirms(self) -> None:
        self.page.locator("#sign-in").click()
        self.signs_in_at_microsoft()
        self.page.locator("#confirm").click()

    def signs_in_at_microsoft(self) -> None:
        self.page.get_by_text("Type account and password").click()
        self.page.fill("#upn", ACCOUNT)
        self.page.fill("#password", PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()


def link(stage: Stage) -> str:
    environment = {**os.environ, **demo.environment(stage.settings)}
    command = [sys.executable, "-m", "remediation", "onboard"]
    done = subprocess.run(command, env=environment, cwd=demo.REPOSITORY, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def possession_is_on(stage: Stage) -> None:
    """`remediation doctor possession` has stories of its own."""
    engine = make_engine(stage.url)
    messages_arrive(engine, stage.sandbox.world.tenant_id)
    engine.dispose()
