"""The key of cookies and forms is rotated while people are on their way (T26): nobody is signed out, and no form is refused.

Two rolling restarts: first every process learns to read the new key, then every process signs with it. Between them, and during
each, a person meets old and new processes in turn. The old key is taken away once the sessions that it signed have ended.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.web.conftest import Browser, Web
from tests.web.scenes import BROWSER, Scene

OLD, NEW = "vK8rTq2mZx5nWb7hLp4cYd9gFs3jNe6u-Ra", "Jd4uXs9bVm1zQk7tHc3wLn6fPy8gRe2a-Zo"
FIRST = {"secret_key": OLD}
READS_BOTH = {"secret_key": OLD, "secret_key_fallbacks": NEW}
SIGNS_NEW = {"secret_key": NEW, "secret_key_fallbacks": OLD}
NEW_ALONE = {"secret_key": NEW}


class Balancer:
    """Sends each request to the next process, as a load balancer in front of a rolling restart does."""

    def __init__(self, web: Web, database: Path) -> None:
        self._database, self._made = database, [web]
        self.front = web
        self._own = web.app.wsgi_app
        self._turns: Iterator[Any] = cycle([self._own])
        web.app.wsgi_app = self  # type: ignore[method-assign]  # Flask's own place for what stands in front of an app

    def roll(self, *kinds: dict[str, str]) -> list[Web]:
        begun = []
        for kind in kinds:
            values = {name: SecretStr(value) for name, value in kind.items()}
            fallbacks = (values.pop("secret_key_fallbacks"),) if "secret_key_fallbacks" in values else ()
            process = Web(self._database, demo=True, **values, secret_key_fallbacks=fallbacks)
            begun.append(process)
        self._made += begun
        self._turns = cycle([process.app.wsgi_app for process in begun])
        return begun

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return next(self._turns)(environ, start_response)

    def end(self) -> None:
        for process in self._made[1:]:
            process.engine.dispose()


class Person:
    """Somebody whose form may be as old as the last restart."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.open_form = browser.csrf()

    def goes_on(self) -> Iterator[int]:
        """A page, and a form that was open since the turn before."""
        yield self.browser.get("/journey").status_code
        yield self.browser.post("/journey/check", data={"csrf_token": self.open_form}).status_code
        self.open_form = self.browser.csrf()


@pytest.fixture
def balancer(web: Web, database: Path) -> Iterator[Balancer]:
    balancer = Balancer(web, database)
    yield balancer
    balancer.end()


def answers(people: list[Person], rounds: int = 4) -> Counter[int]:
    return Counter(status for _ in range(rounds) for person in people for status in person.goes_on())


def crowd(web: Web) -> tuple[Scene, list[Person]]:
    scene = web.scene("wait")
    return scene, [Person(web.signed_in(browser=BROWSER)) for _ in range(3)]


def test_T26_the_webs_key_is_rotated_under_load_without_one_failure(web: Web, balancer: Balancer) -> None:
    _, people = crowd(web)
    seen: Counter[int] = Counter()
    for stage in ([FIRST], [FIRST, READS_BOTH], [READS_BOTH], [READS_BOTH, SIGNS_NEW], [SIGNS_NEW]):
        balancer.roll(*stage)
        seen += answers(people)
    assert seen.keys() == {200, 303}, seen
    assert seen[303] == seen[200] == 5 * 4 * 3


def test_a_key_that_is_simply_replaced_signs_everybody_out(web: Web, balancer: Balancer) -> None:
    """The control: it is the fallbacks that hold."""
    _, people = crowd(web)
    balancer.roll(NEW_ALONE)
    assert people[0].browser.get("/journey").status_code == 401


def test_lesson_CVE_2025_47278_the_new_key_signs_and_not_the_one_before_it(web: Web, balancer: Balancer) -> None:
    """Flask 3.1.0 signed with an old key: rotated ones were in use for ever, and taking them away signed everybody out."""
    web.scene("wait")
    [process] = balancer.roll(SIGNS_NEW)
    browser = process.signed_in(browser=BROWSER)
    token, cookie = browser.csrf(), browser.get_cookie("remediation")
    assert cookie is not None
    for kind, page, form in ((NEW_ALONE, 200, 303), (FIRST, 401, 401)):
        [other] = balancer.roll(kind)
        again = other.browser()
        again.set_cookie("remediation", cookie.value)
        assert again.get("/journey").status_code == page
        assert again.post("/journey/check", data={"csrf_token": token}).status_code == form
