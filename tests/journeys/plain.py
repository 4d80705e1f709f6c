"""The same person with forms and links only: requests, cookies, and the HTML as it comes. No script, no guessing of addresses."""

import re
import time
from urllib.parse import urljoin

import requests
from bs4 import BeautifulSoup, Tag

from tests.journeys.stage import Stage


class Plain:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.session = requests.Session()
        self.session.trust_env = False
        self.answer = requests.Response()
        self.slowest = 0.0

    def goes(self, address: str) -> None:
        self._take(self.session.get(urljoin(self.answer.url or self.stage.origin, address), timeout=30))

    def follows(self, selector: str) -> None:
        """A link of the page."""
        self.goes(str(self._one(selector)["href"]))

    def presses(self, selector: str) -> None:
        """A button of a form, with all that the form holds."""
        button = self._one(selector)
        form = button.find_parent("form")
        assert isinstance(form, Tag)
        data = {str(field["name"]): str(field.get("value", "")) for field in form.select("input[name]")}
        if button.get("name"):
            data[str(button["name"])] = str(button.get("value", ""))
        address = urljoin(self.answer.url, str(form.get("action") or ""))
        self._take(self.session.post(address, data=data, headers={"Referer": self.answer.url}, timeout=30))

    def waits_for(self, heading: str, *, within: float = 60) -> None:
        until = time.monotonic() + within
        while self.heading != heading:
            assert time.monotonic() < until, f"still: {self.heading}"
            time.sleep(0.5)
            self.goes(f"{self.stage.origin}/journey")

    @property
    def heading(self) -> str:
        return self._one("h1").get_text(" ", strip=True)

    @property
    def page(self) -> BeautifulSoup:
        return BeautifulSoup(self.answer.text, "html.parser")

    def _one(self, selector: str) -> Tag:
        found = self.page.select_one(selector)
        assert found is not None, f"no {selector} on {self.answer.url}: {self.answer.text[:1500]}"
        return found

    def _take(self, answer: requests.Response) -> None:
        assert answer.status_code < 500, answer.text[:500]
        self.slowest = max([self.slowest, *(hop.elapsed.total_seconds() for hop in [*answer.history, answer] if self._ours(hop))])
        self.answer = answer

    def _ours(self, hop: requests.Response) -> bool:
        return hop.url.startswith(self.stage.origin)

    # the story's moves

    def arrives(self) -> None:
        self.goes(f"{self.stage.pages}/phone/outlook")
        self.follows("#way-on")

    def signs_in(self) -> None:
        self.follows("a[href*='platform=ios']")
        self.presses("button.account")

    def taps_the_message(self) -> None:
        self.goes(f"{self.stage.pages}/phone/hub")
        self.follows("a[href*='/possession/']")
        self.presses("#it-is-me")

    def outlook(self) -> str:
        answer = requests.get(f"{self.stage.pages}/phone/outlook", timeout=30)
        return "open" if re.search("You’re in", answer.text) else "blocked"
