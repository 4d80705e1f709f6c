"""No page reads more than is of its person. Measured with many people by `python -m bench search`."""

from collections.abc import Callable
from typing import Any

import pytest

from remediation.domain.device import Person
from tests.people import MIA
from tests.reads import asked, reads_everything
from tests.web.conftest import Web
from tests.web.test_impact_pages import counted
from tests.web.test_webhooks import event, sent

STAFF = Person("hanna", "Hanna Roth", "hanna.roth@contoso.example")
PAGES: dict[str, Callable[[Web, Any], None]] = {
    "journey": lambda web, scene: _ok(web.signed_in(MIA).get("/journey")),
    "search": lambda web, scene: _ok(_staff(web).get("/helpdesk?q=mia+ber")),
    "by device": lambda web, scene: _ok(_staff(web).get("/helpdesk?q=Serial:+F2LXK9ABC")),
    "figures": lambda web, scene: _ok(_staff(web).get("/helpdesk/figures")),
    "impact": lambda web, scene: _impact(web),
    "event": lambda web, scene: _taken(web),
    "person": lambda web, scene: _ok(_staff(web).get("/helpdesk/person/mia")),
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_reads_what_is_its_persons_alone(web: Web, page: str) -> None:
    scene = web.scene("open")
    with asked(web.engine) as statements:
        PAGES[page](web, scene)
    assert statements
    assert reads_everything(web.engine, statements) == []


def test_a_statement_that_reads_all_there_is_would_be_noticed(web: Web) -> None:
    for statement in ("SELECT * FROM people", "SELECT * FROM people WHERE tenant_id = 'x'"):
        assert reads_everything(web.engine, [(statement, ())])


def _staff(web: Web) -> Any:
    return web.signed_in(STAFF, browser="desk", roles=["Helpdesk.Read"])


def _impact(web: Web) -> None:
    browser, count = web.signed_in(Person("adam", "Adam", "adam"), browser="adam", roles=["Admin"]), counted(web)
    for path in ("", f"/people?count={count.id}&reason=link", f"/tell?count={count.id}&reason=link&platform=ios", ".csv"):
        _ok(browser.get(f"/onboarding/impact{path}"))


def _taken(web: Web) -> None:
    assert sent(web, event(EventType="Enrollment Complete", Udid="00008030-001C2D3E4F50602E")).status_code == 202


def _ok(answer: Any) -> None:
    assert answer.status_code == 200, answer.text[:300]
