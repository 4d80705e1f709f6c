"""*What Microsoft says*: what was pasted is explained, its ids are kept in the case, and its text is kept nowhere."""

import json
from dataclasses import replace

import pytest
import sqlalchemy as sa

from remediation.domain.block_page import MEANINGS, WAYS, Way
from remediation.domain.device import Person
from remediation.domain.turns import SAID
from tests.domain.test_block_page import CORRELATION, DEVICE, JOINED, MORE_DETAILS
from tests.people import REGISTERED_PHONE
from tests.web.conftest import Browser, Web

HANNA = Person(oid="hanna", name="Hanna Roth", user_name="hanna.roth@contoso.example")
PATH = "/what-microsoft-says"


def tells(browser: Browser, text: str) -> str:
    """Where it leads."""
    answer = browser.post(PATH, data={**browser.form(PATH, PATH), "text": text})
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def kept(web: Web) -> list[dict[str, object]]:
    with web.engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT detail FROM audit WHERE why = 'microsoft.said' ORDER BY id")).scalars()
        return [row if isinstance(row, dict) else json.loads(row) for row in rows]


def test_somebody_who_is_not_signed_in_is_told_and_nothing_is_kept(web: Web) -> None:
    browser = web.browser()
    place = tells(browser, MORE_DETAILS)
    assert place == f"{PATH}?code=530003"
    page = browser.get(place)
    assert "device management has to know your device" in page.text
    assert 'id="go-on" href="/"' in page.text
    assert kept(web) == []


def test_in_a_journey_the_ids_are_kept_and_the_text_is_not(web: Web) -> None:
    scene = web.begun()
    scene.registered(REGISTERED_PHONE).looked()
    browser = web.signed_in()
    place = tells(browser, MORE_DETAILS)
    assert CORRELATION not in place
    (row,) = kept(web)
    assert {name: row[name] for name in ("codes", "correlation_id", "device", "platform")} == {
        "codes": ["530003"],
        "correlation_id": CORRELATION,
        "device": DEVICE,
        "platform": "ios",
    }
    assert "Outlook" not in json.dumps(row)
    journey = web.store.journey(scene.id)
    assert journey is not None
    page = browser.get(place).text
    assert journey.case_code in page
    assert "Microsoft saw another device" in page


def test_the_number_of_ones_own_device_is_recognised(web: Web) -> None:
    web.begun().registered(replace(REGISTERED_PHONE, device_id=DEVICE)).looked()
    browser = web.signed_in()
    assert "Microsoft recognised your device" in browser.get(tells(browser, MORE_DETAILS)).text


def test_the_helpdesk_reads_it_in_the_timeline(web: Web) -> None:
    web.begun()
    tells(web.signed_in(), MORE_DETAILS)
    hanna = web.signed_in(HANNA, browser="of-hanna", roles=("Helpdesk.Read",))
    page = hanna.get("/helpdesk/person/mia").text
    assert "Told what Microsoft showed" in page
    assert CORRELATION in page


def test_a_windows_computer_says_how_it_is_joined(web: Web) -> None:
    browser = web.browser()
    place = tells(browser, JOINED)
    assert place == f"{PATH}?computer=no_token"
    assert "lost its sign-in token" in browser.get(place).text


def test_nothing_in_it_is_said_and_the_box_is_there_again(web: Web) -> None:
    browser = web.browser()
    page = browser.get(tells(browser, "it does not work"))
    assert "We found no code in it" in page.text
    assert 'name="text"' in page.text


@pytest.mark.parametrize("code", [*MEANINGS, "9999999"])
def test_every_code_has_one_way_on(web: Web, code: str) -> None:
    page = web.browser().get(f"{PATH}?code={code}")
    assert page.status_code == 200
    way = WAYS[MEANINGS[code]] if code in MEANINGS else Way.HELPDESK
    assert page.text.count('id="go-on"') == (0 if way is Way.THERE else 1)
    assert f"AADSTS{code}" in page.text


def test_T20_what_is_pasted_and_what_stands_in_the_address_is_shown_nowhere(web: Web) -> None:
    browser = web.browser()
    evil = '"><script>alert(1)</script> AADSTS53003'
    assert "<script>alert" not in browser.get(tells(browser, evil)).text
    page = browser.get(PATH, query_string={"code": evil, "computer": evil, "device": evil, "kept": "1"})
    assert page.status_code == 200
    assert "alert(1)" not in page.text
    assert "Kept in your case" not in page.text, "there is no case here, whatever the address says"


def test_one_person_can_fill_no_table_with_it(web: Web) -> None:
    web.begun()
    browser = web.signed_in()
    form = {**browser.form(PATH, PATH), "text": "53003"}
    answers = [browser.post(PATH, data=form).status_code for _ in range(SAID.at_once + 1)]
    assert answers == [303] * SAID.at_once + [429]
    assert len(kept(web)) == SAID.at_once
    assert web.browser().get(f"{PATH}?code=53003").status_code == 200, "to be told what it means is free"
