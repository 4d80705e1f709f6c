"""Where the MDM's maker tells Microsoft: the app's own check comes first, a clock time, and nothing is called sent."""

import pytest
from bs4 import BeautifulSoup

from remediation.domain.device import Person
from tests.web.conftest import Web


def words_of(web: Web, name: str) -> str:
    web.scene(name)
    return text_of(web.signed_in().get("/journey").text)


def text_of(page: str) -> str:
    return BeautifulSoup(page, "html.parser").main.get_text(" ", strip=True)  # type: ignore[union-attr]


def test_not_known_leads_with_the_apps_own_check_and_says_where_to_begin(web: Web) -> None:
    text = words_of(web, "in_app")
    assert text.index("Open Hub and have it check the status") < text.index("If not, start there now") < text.index("I've done it")
    assert "does not know the registration yet" not in text
    assert "Microsoft was told Needs you" in text


def test_a_turn_that_went_by_is_said_with_its_time(web: Web) -> None:
    text = words_of(web, "in_app_missed")
    assert "The device management does not know the registration yet" in text
    assert "It should have told Microsoft by" in text


def test_waiting_gives_the_next_turn_as_a_clock_time_and_never_says_sent(web: Web) -> None:
    text = words_of(web, "wait_relayed")
    assert "Waiting for the device management" in text
    assert text.index("check the status") < text.index("Its next turn, at the latest")
    assert "sent" not in text.lower()


def test_where_we_send_it_is_said(web: Web) -> None:
    assert "Sent to Microsoft" in words_of(web, "wait")


def test_register_says_to_begin_in_the_app_and_leads_nowhere_else(web: Web) -> None:
    web.scene("register_relayed")
    page = web.signed_in().get("/journey").text
    assert "Start in Hub" in text_of(page)
    assert "apps.apple.com" not in page


@pytest.mark.parametrize(("scene", "said"), [("in_app", True), ("wait", False)])
def test_staff_read_what_is_not_promised(web: Web, scene: str, said: bool) -> None:
    web.scene(scene)
    hanna = web.signed_in(Person("hanna", "Hanna Roth", "hanna.roth"), browser="hanna", roles=("Helpdesk.Read",))
    text = text_of(hanna.get("/helpdesk/person/mia").text)
    assert ("the device management's maker tells Microsoft, by what its own record says" in text) is said
