"""The same people with a real browser in their hands, before the product as two processes with a real engine; the clock is the
machine's, and the stand-in's Microsoft and MDM are quick. One person after the other, each with an empty database.

Next door: `reader`, `troubles`; `walk_in`, where the ten thousand go.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Browser, BrowserContext, Locator, ViewportSize, sync_playwright

from bench.stage.reader import Ending, Reader
from bench.stage.troubles import Trouble
from remediation.store import tables
from remediation.store.engine import make_engine, writing
from remediation.store.migrations import migrate
from sandbox import demo
from sandbox.scenarios import SCENARIOS
from tests.journeys.stage import Stage

QUICK, PATIENT = 0.2, 6.0  # seconds: the stand-in's lags; how long one wait for news is
KEPT_OUT = ("no_licence", "not_in_group")
KEPT = ("message_tests", "watches", "budgets", "audit", "audit_seals", "remotes", "second_lock", "partner_slots", "scopes")


def people(drawn: Sequence[tuple[Trouble, str]], seed: int) -> Iterator[tuple[Trouble, str, Ending, Reader]]:
    """They all are the same Mia, and once it read that she may go on, the worker asks no more for ten minutes (`adapters/graph`):
    who may not comes first."""
    drawn = sorted(drawn, key=lambda one: one[0].name not in KEPT_OUT)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder / 'remediation.sqlite'}"
        migrate(url)
        stage = Stage(url, folder, "blocked_just_registered")
        stage.more = demo.second_mdm(stage.sandbox)
        stack.enter_context(stage)
        engine = make_engine(url)
        stack.callback(engine.dispose)
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"))
        stack.callback(browser.close)
        for number, (trouble, manner) in enumerate(drawn):
            _as_on_the_first_day(stage, engine, trouble, seed + number)
            manner = "reads" if manner == "late" else manner  # ten minutes of the machine's clock are not to be had
            with InChromium(stage, browser) as hands:
                reader = Reader(stage.sandbox, hands, trouble.platform, manner)
                yield trouble, manner, reader.goes_the_way(), reader


def _as_on_the_first_day(stage: Stage, engine: sa.Engine, trouble: Trouble, seed: int) -> None:
    with writing(engine) as connection:
        for table in reversed(tables.metadata.sorted_tables):
            if table.name not in KEPT:
                connection.execute(sa.delete(table))
    stage.sandbox.begin(trouble.scenario, devices_seed=seed)
    trouble.before(stage.sandbox)
    with stage.sandbox.world.lock:
        lags = stage.sandbox.world.lags
        stage.sandbox.world.lags = replace(lags, **dict.fromkeys(vars(lags), QUICK))


class InChromium:
    def __init__(self, stage: Stage, browser: Browser) -> None:
        self.stage, self.origin, self.pages, self._browser = stage, stage.origin, stage.pages, browser
        self._context: BrowserContext | None = None
        self.forgets()

    def __enter__(self) -> InChromium:
        return self

    def __exit__(self, *_: object) -> None:
        if self._context is not None:
            self._context.close()

    def forgets(self) -> None:
        if self._context is not None:
            self._context.close()
        kind = SCENARIOS[self.stage.sandbox.world.scenario].kind
        size = ViewportSize(width=390 if kind.frame == "phone" else 1280, height=844)
        self._context = self._browser.new_context(viewport=size, user_agent=kind.user_agent, reduced_motion="reduce")
        self._page = self._context.new_page()

    @property
    def address(self) -> str:
        return self._page.url

    def shows(self) -> BeautifulSoup:
        return BeautifulSoup(self._page.content(), "html.parser")

    def goes(self, address: str) -> None:
        self._page.goto(address)

    def follows(self, link: Tag) -> None:
        self._touches(self._found(link, f'a[href="{link["href"]}"]'))

    def presses(self, button: Tag, picked: Tag | None = None) -> None:
        form = button.find_parent("form")
        assert form is not None
        if picked is not None:
            self._page.locator(f'input[type=radio][value="{picked["value"]}"]').check()
        value = f'[value="{button["value"]}"]' if button.get("value") else ""
        self._touches(self._found(button, f'form[action="{form.get("action")}"] button{value}'))

    def _found(self, tag: Tag, selector: str) -> Locator:
        """Unfolded first, where it is folded away."""
        selector = f"#{tag['id']}" if tag.get("id") else selector
        for folded in self._folds(tag):
            self._page.locator(f"details:not([open]):has({selector}) > summary").nth(folded).click()
        return self._page.locator(selector).first

    def _folds(self, tag: Tag) -> Iterable[int]:
        return [0 for one in tag.find_parents("details") if one.get("open") is None]

    def _touches(self, found: Locator) -> None:
        with self._page.expect_navigation():
            found.click()

    def busy(self, seconds: float) -> None:
        """What takes seconds in life takes one here where it is done on the phone: Entra tells whole seconds, and a registration in
        that of the tap is none after it."""
        self._page.wait_for_timeout(seconds / 8 * 1000)

    def waits(self, seconds: float) -> None:
        """The page tells by itself; without script, who looks again would see it."""
        before, until = self._heading(), time.monotonic() + min(seconds, PATIENT)
        while time.monotonic() < until and self._heading() == before:
            self._page.wait_for_timeout(100)

    def _heading(self) -> str:
        return self._page.locator("h1").first.inner_text()
