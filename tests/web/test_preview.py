"""Each step as a person on a platform sees it: the real page, from invented facts, that changes nothing and leads nowhere."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import template_rendered

from remediation.domain.device import Person, Platform
from remediation.domain.invented import PLATFORMS, at_step
from remediation.domain.steps import Step, next_step
from remediation.web.inert import inert
from remediation.web.preview_pages import POSSESSION, STEPS, WELCOME
from tests.web.conftest import Browser, Web
from tests.web.scenes import stage

ADAM = Person("adam", "Adam Kowal", "adam.kowal")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
OF_STEP = {WELCOME: "welcome.html", POSSESSION: "possession.html"}
LANGUAGES = ("en", "de")


def admin(web: Web) -> Browser:
    return web.signed_in(ADAM, browser="adam", roles=("Admin",))


def contents(web: Web) -> str:
    """Everything in the database but when the administrator's own session was last used."""
    with web.engine.connect() as connection:
        tables = sorted(set(sa.inspect(connection).get_table_names()) - {"sessions"})
        rows = [(name, connection.execute(sa.text(f'SELECT * FROM "{name}"')).all()) for name in tables]  # noqa: S608
    return hashlib.sha256(repr(rows).encode()).hexdigest()


@contextmanager
def rendered(web: Web) -> Iterator[list[str]]:
    names: list[str] = []

    def note(_sender: Any, template: Any, **_: Any) -> None:
        names.append(template.name)

    template_rendered.connect(note, web.app)
    try:
        yield names
    finally:
        template_rendered.disconnect(note, web.app)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("step", Step)
def test_the_facts_of_each_step_lead_to_it_by_the_dispatcher_itself(step: Step, platform: Platform) -> None:
    journey = at_step(step, platform, NOON, name="Alex Sample")
    assert (next_step(journey, NOON), journey.platform) == (step, platform)


@pytest.mark.parametrize("platform", [platform.value for platform in PLATFORMS])
def test_every_step_is_shown_by_its_own_template_in_each_language_and_changes_nothing(web: Web, platform: str) -> None:
    browser = admin(web)
    browser.get("/onboarding/preview")
    before, rows = contents(web), web.rows()
    for step in STEPS:
        for language in LANGUAGES:
            with rendered(web) as names:
                answer = browser.get(f"/onboarding/preview/{step}/{platform}?lang={language}")
            assert answer.status_code == 200, answer.text
            assert names == [OF_STEP.get(step, "journey.html")]
            page = BeautifulSoup(answer.text, "html.parser")
            assert page.html is not None
            assert page.html["lang"] == language
            assert page.select("nav.demo"), "labelled as a preview"
            if step not in OF_STEP:
                assert page.select(f".step-{step}"), "the step itself"
            leads_nowhere(page)
    assert contents(web) == before
    assert web.rows() == rows


def leads_nowhere(page: BeautifulSoup) -> None:
    for form in page.find_all("form"):
        assert {"action", "method"}.isdisjoint(form.attrs), form
        assert not form.find_all("input", type="hidden"), form
    for control in page.find_all(["button", "input", "select", "textarea"]):
        assert "disabled" in control.attrs, control
    for link in page.find_all("a", href=True):
        assert str(link["href"]).startswith(("#", "/onboarding/preview")), link
    assert not page.select("[data-watch]")


def test_the_real_page_and_its_preview_differ_in_nothing_but_what_leads_on(web: Web) -> None:
    """The control: the same scene for a real person, whose forms and links do lead on."""
    stage("enroll", web.begun())
    real = BeautifulSoup(web.signed_in().get("/journey").text, "html.parser")
    shown = BeautifulSoup(admin(web).get("/onboarding/preview/enroll/ios").text, "html.parser")
    with pytest.raises(AssertionError):
        leads_nowhere(real)

    def words(page: BeautifulSoup) -> str:
        main = page.find("main")
        assert main is not None
        return re.sub(r"\d\d:\d\d UTC|[A-Z0-9]{3}-[A-Z0-9]{3}|\s+", " ", main.get_text(" ")).strip()

    assert words(shown) == words(real)


def test_it_takes_get_alone_and_the_table_leads_to_each(web: Web) -> None:
    browser = admin(web)
    links = re.findall(r'href="(/onboarding/preview/[a-z_]+/[a-z]+)"', browser.get("/onboarding/preview").text)
    assert len(links) == len(set(links)) == len(STEPS) * len(PLATFORMS)
    rules = [rule for rule in web.app.url_map.iter_rules() if rule.rule.startswith("/onboarding/preview")]
    assert all((rule.methods or set()) <= {"GET", "HEAD", "OPTIONS"} for rule in rules)
    assert browser.get("/onboarding/preview/nowhere/ios").status_code == 404
    assert browser.get("/onboarding/preview/enroll/toaster").status_code == 404


def test_all_else_of_a_page_stays_letter_by_letter() -> None:
    page = '<!doctype html>\n<p class=x title="a &amp; &quot;b&quot;">1 &lt; 2 &#x27;é</p><!-- c --><svg viewBox="0 0 1 1"/><br>'
    assert inert(page) == page
    assert inert('<form method="post" action="/x"><input type="hidden" value="s"><button class="a">Go</button></form>') == (
        '<form><button class="a" disabled>Go</button></form>'
    )
    assert inert('<a class="a" href="/x?a=1&amp;b=2">y</a><a href="#m">z</a><a data-kept href="/k">k</a>') == (
        '<a class="a" role="link" aria-disabled="true">y</a><a href="#m">z</a><a data-kept href="/k">k</a>'
    )
    assert inert('<div id="panel" data-watch="/s" data-etag="e">') == '<div id="panel">'
