"""T2, T23: what is another's and what never was get the same answer, byte for byte and as fast; nobody can read the whole list.

The ids come from a second person's journey, whose owner is the control: the same requests, made by them, succeed.
"""

from __future__ import annotations

import re
import statistics
import time
from dataclasses import replace

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from remediation.domain.device import Person
from remediation.domain.turns import SEARCHES
from remediation.ports import Actor
from remediation.services.start_journey import case_code
from remediation.store.tables import audit, people
from remediation.web import handles
from tests.people import MANAGED_PHONE, MIA, REGISTERED_PHONE
from tests.web.conftest import Browser, Web
from tests.web.scenes import NOAH, SECOND_REGISTERED, Scene

HANNA = Person(oid="hanna", name="Hanna Roth", user_name="hanna.roth@contoso.example")
NOAHS_PHONE = replace(MANAGED_PHONE, key=replace(MANAGED_PHONE.key, record_id="9001"), name="Noah's phone", serial="NOAHS")


def body(answer: TestResponse) -> str:
    """Without what differs in every answer."""
    return re.sub(r'nonce="[^"]+"|value="[^"]{40,}"', "", answer.text)


def two_people(web: Web) -> tuple[Scene, Scene]:
    """Mia has a choice of devices; Noah was sent a message to his phone."""
    mia = web.begun()
    mia.has_phones(MANAGED_PHONE).registered(REGISTERED_PHONE, SECOND_REGISTERED).looked().proven().looked()
    noah = web.begun(person=NOAH, browser="the-browser-of-noah")
    noah.has_phones(NOAHS_PHONE).registered(replace(REGISTERED_PHONE, device_id="d9", object_id="o9", owner_oid=NOAH.oid)).looked()
    noah.message_sent()
    return mia, noah


def everything_of(web: Web, scene: Scene) -> list[str]:
    """Every id and handle of this person's that the database or a page of theirs has."""
    journey = web.store.journey(scene.id)
    assert journey is not None
    with web.app.test_request_context():
        made = [handles.make(scene.id, scene.browser, one) for one in (NOAHS_PHONE.key, "d9")]
    return [
        scene.id,
        journey.case_code,
        scene.person.oid,
        scene.browser,
        scene.token,
        "ws1/9001",
        "9001",
        "d9",
        "o9",
        "NOAHS",
        *made,
    ]


POSTS = ("/journey/this-device", "/journey/choose", "/journey/device", "/journey/check", "/journey/still-blocked")


def test_T2_no_id_of_another_person_opens_or_changes_anything_and_looks_like_one_that_never_was(web: Web) -> None:
    _, noah = two_people(web)
    browser, foreign = web.signed_in(), everything_of(web, noah)
    token = browser.csrf()
    before = rows_of(web, noah)
    for one in foreign:
        unknown = "x" * len(one)
        for path in POSTS[:3]:
            answers = []
            for value in (one, unknown):
                form = {"csrf_token": token, "device": value, "platform": value, "journey": value, "oid": value, "id": value}
                answers.append(browser.post(path, data=form))
            assert (answers[0].status_code, body(answers[0])) == (answers[1].status_code, body(answers[1])), (path, one)
            assert answers[0].status_code == 400
        for name in ("journey", "id", "oid", "browser", "case", "device"):
            shown = [browser.get("/journey", query_string={name: value}) for value in (one, unknown)]
            assert body(shown[0]) == body(shown[1])
            assert "Noah" not in shown[0].text
    assert rows_of(web, noah) == before, "nothing of his changed"


def rows_of(web: Web, scene: Scene) -> list[object]:
    with web.engine.connect() as connection:
        found = [
            connection.execute(sa.text(f"SELECT * FROM {table} WHERE {column} = :it"), {"it": value}).all()  # noqa: S608
            for table, column, value in (("journeys", "id", scene.id), ("possession_links", "journey_id", scene.id))
        ]
    return [tuple(row) for rows in found for row in rows]


def test_T2_the_owner_can_do_each_of_these_things(web: Web) -> None:
    """The control: the very handles and the very token work in their owner's hands."""
    _, noah = two_people(web)
    his = web.signed_in(NOAH, browser=noah.browser)
    path = f"/possession/{noah.token}"
    assert his.get(path).status_code == 200
    mine = everything_of(web, noah)[-2]
    assert his.post("/journey/this-device", data={"csrf_token": his.csrf(), "device": mine}).status_code == 303
    assert his.press(path, path).status_code == 303


def test_T2_anothers_message_is_refused_by_page_and_button_and_stays_good_for_its_owner(web: Web) -> None:
    _, noah = two_people(web)
    mia = web.signed_in()
    for path in (f"/possession/{noah.token}", f"/possession/{noah.token}/not-me"):
        assert mia.post(path, data={"csrf_token": mia.csrf()}).status_code == 403
    assert "Noah" not in mia.get(f"/possession/{noah.token}").text
    path = f"/possession/{noah.token}"
    assert web.signed_in(NOAH, browser=noah.browser).press(path, path).status_code == 303


@pytest.fixture
def hanna(web: Web) -> Browser:
    return web.signed_in(HANNA, browser="the-browser-of-hanna", roles=("Helpdesk.Read",))


def test_T2_another_tenants_person_is_as_unknown_as_nobody(web: Web, hanna: Browser) -> None:
    web.scene("wait")
    with web.engine.begin() as connection:
        theirs = {"tenant_id": "another", "oid": "theirs", "name": "Mia Berger", "user_name": "mia@other.example"}
        connection.execute(sa.insert(people).values(**theirs, read_at=web.clock()))
    answers = [hanna.get(f"/helpdesk/person/{oid}") for oid in ("theirs", "nobody")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert body(answers[0]).replace("theirs", "nobody") == body(answers[1])
    assert hanna.get("/helpdesk/person/mia").status_code == 200


def test_T23_whoever_is_not_signed_in_learns_nothing_about_anybody(web: Web) -> None:
    """A thousand pairs: addresses that name a person, device or case there is, and the same with one there is not."""
    scene = web.scene("wait")
    journey = web.store.journey(scene.id)
    assert journey is not None
    known = {"oid": MIA.oid, "login_hint": MIA.user_name, "device": "d1", "case": journey.case_code, "serial": "F2LXK0ABCD12"}
    taken: dict[bool, list[float]] = {True: [], False: []}
    for number in range(1000):
        name, value = list(known.items())[number % len(known)]
        path = ("/", "/start", "/enrollment", "/remediation", "/cannot-sign-in")[number // 5 % 5]
        answers = []
        for real in (True, False) if number % 2 else (False, True):
            began = time.perf_counter()
            answers.append(web.browser().get(path, query_string={name: value if real else value[::-1]}))
            taken[real].append(time.perf_counter() - began)
        assert answers[0].status_code == answers[1].status_code
        assert body(answers[0]) == body(answers[1])
    medians = [statistics.median(times) for times in taken.values()]
    assert max(medians) < 1.2 * min(medians)


def test_T23_a_search_wants_three_letters_gives_twenty_at_most_and_leaves_a_row(web: Web, hanna: Browser) -> None:
    with web.store.change(Actor("person", "p0"), "test", about=("person", "p0"), at=web.clock()) as change:
        for number in range(30):
            change.save_person(Person(f"p{number}", f"Berta {number}", f"p{number}"))
    assert "Berta" not in hanna.get("/helpdesk?q=be").text
    assert "Berta" not in hanna.get("/helpdesk?q=%25%25%25").text, "no wildcards"
    assert "Berta" not in hanna.get("/helpdesk?q=___").text
    assert hanna.get("/helpdesk?q=ber").text.count('class="name"') == 20
    with web.engine.connect() as connection:
        searched = sa.select(sa.func.count()).where(audit.c.why == "look_up.searched")
        assert connection.execute(searched).scalar_one() == 1, "signs alone are no word, and nothing was looked up"


def test_T23_nothing_in_an_address_sorts_filters_or_pages(web: Web, hanna: Browser) -> None:
    web.scene("wait")
    plain = body(hanna.get("/helpdesk?q=mia"))
    for name in ("sort", "order", "order_by", "orderBy", "filter", "fields", "limit", "offset", "page", "cursor", "after", "dir"):
        hanna = web.signed_in(replace(HANNA, oid=f"hanna-{name}"), browser=name, roles=("Helpdesk.Read",))  # with turns of her own
        for value in ("oid", "user_name DESC", "1;DROP TABLE people", "(SELECT token_hash FROM sessions)", "-1", "999999"):
            assert body(hanna.get("/helpdesk", query_string={"q": "mia", name: value})) == plain, name


def test_T23_who_reads_people_one_after_the_other_is_stopped_in_every_process_and_goes_on_later(web: Web, database: object) -> None:
    hanna = web.signed_in(HANNA, browser="h", roles=("Helpdesk.Read",))
    web.scene("wait")
    second = Web(database, demo=True)  # type: ignore[arg-type]
    elsewhere = second.signed_in(HANNA, browser="h2", roles=("Helpdesk.Read",))
    statuses = [
        (hanna, elsewhere)[n % 2].get("/helpdesk?q=mia" if n % 3 else "/helpdesk/person/mia").status_code for n in range(70)
    ]
    assert statuses[: SEARCHES.at_once] == [200] * SEARCHES.at_once
    assert 429 in statuses
    stopped = hanna.get("/helpdesk?q=mia")
    if stopped.status_code == 200:  # a turn came back meanwhile
        stopped = hanna.get("/helpdesk?q=mia")
    assert stopped.status_code == 429
    assert "from" in stopped.text
    assert 1 <= int(stopped.headers["Retry-After"]) <= SEARCHES.every.total_seconds()
    assert stopped.text.count('id="go-on"') == 1
    assert "Mia Berger" not in stopped.text
    assert hanna.get("/helpdesk").status_code == 200, "the console itself stays"
    other = web.signed_in(Person("ida", "Ida", "ida"), browser="i", roles=("Helpdesk.Read",))
    assert other.get("/helpdesk?q=mia").status_code == 200, "another's turns are their own"
    web.clock.ahead = SEARCHES.every
    assert web.signed_in(HANNA, browser="h", roles=("Helpdesk.Read",)).get("/helpdesk?q=mia").status_code == 200
    second.engine.dispose()


def test_T23_a_made_up_case_code_is_no_oracle(web: Web, hanna: Browser) -> None:
    web.scene("wait")
    found = {
        body(hanna.get("/helpdesk", query_string={"q": code})).replace(code, "CODE") for code in (case_code() for _ in range(20))
    }
    assert len(found) == 1
