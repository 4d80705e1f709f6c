"""A browser of requests, cookies, links and forms, before the product of `walk_in`; waiting moves the stand-in's clock."""

from __future__ import annotations

from urllib.parse import urljoin

import requests
from bs4 import BeautifulSoup, Tag

from bench.stage.walk_in import WalkIn
from sandbox.scenarios import SCENARIOS


class ByHand:
    def __init__(self, tenant: WalkIn) -> None:
        self.tenant, self.origin, self.pages = tenant, tenant.origin, tenant.sandbox.pages_url
        self.spent = 0.0
        """Seconds that the product's pages took."""
        self.answer = requests.Response()
        self._page: BeautifulSoup | None = None
        self.forgets()

    def forgets(self) -> None:
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["User-Agent"] = SCENARIOS[self.tenant.world.scenario].kind.user_agent

    @property
    def address(self) -> str:
        return self.answer.url

    def shows(self) -> BeautifulSoup:
        if self._page is None:
            self._page = BeautifulSoup(self.answer.text, "html.parser")
        return self._page

    def goes(self, address: str) -> None:
        self._takes(self.session.get(urljoin(self.answer.url or self.origin, address), timeout=30))

    def follows(self, link: Tag) -> None:
        self.goes(str(link["href"]))

    def presses(self, button: Tag, picked: Tag | None = None) -> None:
        form = button.find_parent("form")
        assert form is not None
        fields = {str(one["name"]): str(one.get("value", "")) for one in form.select("input[name]") if one.get("type") != "radio"}
        for one in (button, picked):
            if one is not None and one.get("name"):
                fields[str(one["name"])] = str(one.get("value", ""))
        address = urljoin(self.answer.url, str(form.get("action") or ""))
        self._takes(self.session.post(address, data=fields, headers={"Origin": _origin(self.answer.url)}, timeout=30))

    def waits(self, seconds: float) -> None:
        while seconds > 0:
            step = min(seconds, max(5.0, seconds / 3))
            self.tenant.passes(step)
            seconds -= step
        if self.address.startswith(self.origin):
            self.goes(f"{self.origin}/journey")

    def busy(self, seconds: float) -> None:
        self.tenant.passes(seconds)

    def _takes(self, answer: requests.Response) -> None:
        if answer.status_code >= 500:
            raise AssertionError(f"{answer.status_code} at {answer.url}: {answer.text[:300]}")
        self.spent += sum(hop.elapsed.total_seconds() for hop in [*answer.history, answer] if hop.url.startswith(self.origin))
        self.answer, self._page = answer, None
        self.tenant.works()
        if answer.url == f"{self.origin}/journey":  # what was wished is done by the time that they look, as on a page that waits
            again = self.session.get(answer.url, timeout=30)
            self.spent += again.elapsed.total_seconds()
            self.answer = again


def _origin(address: str) -> str:
    return "/".join(address.split("/")[:3])
