"""Mia in a real browser: one window for her pretend phone, one for the product's pages. Every page she meets is looked at."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.journeys.stage import Stage

ARTIFACTS = Path(os.environ.get("ARTIFACTS", Path(__file__).parents[2] / "artifacts"))


class Player:
    def __init__(self, stage: Stage, context: BrowserContext, name: str, *, script: bool = True) -> None:
        self.stage, self.context, self.name, self.script = stage, context, name, script
        self.phone: Page = context.new_page()
        self.product: Page = self.phone
        self.complaints: list[str] = []
        self.shots = 0

    # on the phone

    def taps_outlook(self) -> None:
        self.phone.goto(f"{self.stage.pages}/")
        self.phone.locator("#app-outlook").click()

    def continues(self) -> None:
        """From Microsoft's block page to the product's, in a window of its own."""
        with self.context.expect_page() as opened:
            self.phone.locator("#way-on").click()
        self.holds(opened.value)

    def comes_by_the_leaflet(self) -> None:
        """Where Microsoft's block page has no button, or there is none."""
        self.holds(self.context.new_page())
        self.product.goto(f"{self.stage.origin}/start")

    def holds(self, page: Page) -> None:
        """The window with the product's pages from now on."""
        page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.product = page

    def taps_the_message(self) -> None:
        self.phone.goto(f"{self.stage.pages}/phone/hub")
        link = self.phone.locator("a[href*='/possession/']").first
        with self.context.expect_page() as opened:
            link.click()
        self.product.close()
        self.holds(opened.value)
        expect(self.product.locator("#it-is-me")).to_be_visible()
        self.looks("possession")
        self.product.locator("#it-is-me").click()

    def sees_the_inbox(self) -> None:
        self.taps_outlook()
        expect(self.phone.get_by_text("You’re in.")).to_be_visible()

    def sees_the_block(self) -> None:
        self.taps_outlook()
        expect(self.phone.locator("#way-on")).to_be_visible()

    def is_blocked_within(self, seconds: float) -> None:
        """With no page of the product's open: the worker carries it."""
        for _ in range(int(seconds)):
            self.taps_outlook()
            expect(self.phone.locator("#way-on").or_(self.phone.get_by_text("You’re in."))).to_be_visible()
            if self.phone.locator("#way-on").count():
                return
            self.phone.wait_for_timeout(1000)
        raise AssertionError("Outlook still opens")

    def switches(self, name: str) -> None:
        self.phone.goto(f"{self.stage.pages}/")
        self._does(f"#switch-{name}")

    def registers(self) -> None:
        self.phone.goto(f"{self.stage.pages}/phone/authenticator")
        self._does("#register")

    def registers_in_app(self) -> None:
        self.phone.goto(f"{self.stage.pages}/phone/hub")
        self._does("#register-in-app")

    def registers_anew(self) -> None:
        self.phone.goto(f"{self.stage.pages}/phone/authenticator")
        self._does("#unregister")
        self._does("#register")

    def _does(self, button: str) -> None:
        """Until the answer is there: whoever went on at once would break the request off, or look before it was done."""
        with self.phone.expect_navigation():
            self.phone.locator(button).click()

    # on the product's pages

    def signs_in(self, platform: str = "ios") -> None:
        self.product.locator(f"a[href*='platform={platform}']").first.click()
        self.chooses_account()

    def chooses_account(self) -> None:
        self.product.get_by_role("button", name=re.compile("Mia Berger")).first.click()

    def sends_the_message(self) -> None:
        self.sees("this_device", "Are you holding this device?")
        self.product.locator("#send").click()
        self.sees("sent", "Open the message on this device", within=20)

    def says_still_blocked(self) -> None:
        self.product.locator("details:has(#still-blocked) summary").click()
        with self.product.expect_navigation():  # the page of before says *open* too
            self.product.locator("#still-blocked").click()

    def is_at(self, step: str, *, within: float = 30) -> None:
        """The same by the step, in whatever language."""
        expect(self.product.locator(f".step-{step}")).to_be_visible(timeout=within * 1000)
        self.looks(step)

    def proves(self) -> None:
        """From *this device* through the message on the phone."""
        self.is_at("this_device")
        if self.product.locator("input[type=radio]").count():
            self.product.locator("input[type=radio]").first.check()
        self.product.locator("#send").click()
        expect(self.phone_message()).to_be_visible(timeout=30_000)
        self.taps_the_message()

    def signs_in_again(self) -> None:
        """The product's own link to Entra, the account, and back."""
        self.product.locator("#sign-in-again").click()
        self.chooses_account()

    def phone_message(self) -> Locator:
        self.phone.goto(f"{self.stage.pages}/phone/hub")
        return self.phone.locator("a[href*='/possession/']").first

    def sees(self, step: str, heading: str, *, within: float = 20) -> None:
        """Waits for the page to say so; without script a person presses *check* in between."""
        title = self.product.get_by_role("heading", level=1, name=heading)
        if self.script:
            expect(title).to_be_visible(timeout=within * 1000)
        else:
            self._presses_until(lambda: title.count() > 0, within)
        self.looks(step)

    def _presses_until(self, done: Callable[[], bool], within: float) -> None:
        # A window just opened shows nothing yet; whoever pressed now would leave the page before seeing it.
        expect(self.product.get_by_role("heading", level=1)).to_be_visible()
        for _ in range(int(within * 2)):
            if done():
                return
            self.product.wait_for_timeout(500)
            self.product.goto(f"{self.stage.origin}/journey")
        raise AssertionError(f"still {self.product.get_by_role('heading', level=1).inner_text()}")

    def looks(self, step: str) -> None:
        """What every page must be: free of axe's violations, no wider than the screen, silent in the console, light."""
        expect(self.product.get_by_role("heading", level=1)).to_be_visible()  # a window just opened shows nothing yet
        self.product.wait_for_load_state()
        width = (self.product.viewport_size or {"width": 0})["width"]
        assert self.product.evaluate("document.documentElement.scrollWidth") <= width, f"{step} is wider than the screen"
        if self.script:
            violations = Axe().run(self.product).response["violations"]
            assert violations == [], (step, [(v["id"], [n["html"] for n in v["nodes"]]) for v in violations])
        assert self.complaints == [], (step, self.complaints)
        self.shots += 1
        ARTIFACTS.mkdir(exist_ok=True)
        self.product.screenshot(path=ARTIFACTS / f"{self.name}-{self.shots:02}-{step}.png", full_page=True)
