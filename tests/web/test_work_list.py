"""The work list and the incident's sentence as pages: who sees names, who may act, and that hostile text is text."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from remediation.domain.device import Person
from remediation.store.tables import audit, incidents
from tests.reads import asked
from tests.web.conftest import Browser, Web
from tests.web.test_hostile_columns import POLYGLOTS, harmless
from tests.web.test_routes import ADAM, HANNA, IDA, LENA

NAMES = {"hanna": HANNA, "ida": IDA, "adam": ADAM, "lena": LENA}
ROLES = {
    "hanna": ("Helpdesk.Read",),
    "ida": ("Helpdesk.Read", "Helpdesk.Act"),
    "adam": ("Admin",),
    "lena": ("Helpdesk.Lead",),
}


def staff(web: Web, who: str) -> Browser:
    return web.signed_in(NAMES[who], browser=f"the-browser-of-{who}", roles=ROLES[who])


def page(answer: Any) -> BeautifulSoup:
    assert answer.status_code == 200, answer.text[:500]
    return BeautifulSoup(answer.text, "html.parser")


def lines(web: Web, who: str, query: str = "") -> list[str]:
    return [li.get_text(" ", strip=True) for li in page(staff(web, who).get(f"/helpdesk/work{query}")).select(".work > li")]


def audited(web: Web, why: str) -> list[Any]:
    with web.engine.connect() as connection:
        return list(connection.execute(sa.select(audit).where(audit.c.why == why)).all())


def test_nothing_waits(web: Web) -> None:
    assert "Nothing waits for people" in staff(web, "hanna").get("/helpdesk/work").text


def test_a_case_that_needs_help_is_listed_with_who_since_when_and_the_way_to_the_person(web: Web) -> None:
    scene = web.scene("help")
    found = page(staff(web, "hanna").get("/helpdesk/work"))
    [link] = found.select(".work .name a")
    assert link["href"] == f"/helpdesk/person/mia?case={scene.journey().case_code}"
    [line] = lines(web, "hanna")
    for words in ("Mia Berger", "Case open", "Aimed at:", "UTC", scene.journey().case_code):
        assert words in line, line
    assert found.select("form[method=post]") == [], "who may only read gets no button"
    assert audited(web, "look_up.work_listed")[0].detail == {"found": ["mia"]}


def test_who_runs_the_set_up_sees_no_name_and_no_way_to_a_person(web: Web) -> None:
    web.scene("help")
    answer = staff(web, "adam").get("/helpdesk/work")
    assert len(page(answer).select(".work > li")) == 1
    for secret in ("Mia", "mia.berger", "/helpdesk/person/", "iPhone of"):
        assert secret not in answer.text
    assert audited(web, "look_up.work_listed") == []


def test_one_takes_it_and_the_colleague_sees_who(web: Web) -> None:
    scene = web.scene("help")
    ida = staff(web, "ida")
    assert ida.press("/helpdesk/work?kind=help", f"/helpdesk/work/{scene.id}/take?kind=help").location == "/helpdesk/work?kind=help"
    assert "You have taken this" in lines(web, "ida")[0]
    assert "Taken by Ida Brandt" in lines(web, "hanna")[0]
    assert lines(web, "hanna", "?whose=free") == []
    assert len(lines(web, "ida", "?whose=mine")) == 1
    other = web.signed_in(Person("otto", "Otto", "otto@contoso.example"), browser="o", roles=ROLES["ida"])
    answer = other.post(f"/helpdesk/work/{scene.id}/take", data={"csrf_token": other.csrf()})
    assert (answer.status_code, "Somebody was faster" in answer.text) == (409, True)
    assert ida.press("/helpdesk/work", f"/helpdesk/work/{scene.id}/release").status_code == 303
    assert len(lines(web, "hanna", "?whose=free")) == 1


@pytest.mark.parametrize("after", ["x", "20261127T120000.000000~link~", "' OR 1=1 --", "~~~"])
def test_a_page_that_is_none_of_ours_is_refused(web: Web, after: str) -> None:
    web.scene("help")
    answer = staff(web, "hanna").get("/helpdesk/work", query_string={"after": after})
    assert answer.status_code == 400
    assert "To the work list" in answer.text


def test_words_that_are_no_filter_filter_nothing(web: Web) -> None:
    web.scene("help")
    assert len(lines(web, "hanna", "?kind=%3Cscript%3E&who=x&platform=y&whose=z")) == 1
    assert lines(web, "hanna", "?kind=ageing") == []
    assert len(lines(web, "hanna", "?kind=help&who=helpdesk&platform=ios")) == 1


# what everybody is told


def publish(web: Web, text: str, **more: str) -> Any:
    lena = staff(web, "lena")
    form = {"csrf_token": lena.csrf(), "text_en": text, "hours": "2", **more}
    return lena.post("/helpdesk/incident", data=form)


def test_a_sentence_is_seen_first_then_published_on_every_page_and_taken_away(web: Web) -> None:
    scene = web.scene("wait")
    lena = staff(web, "lena")
    words = {"text_en": "Microsoft is slow today.", "text_de": "Microsoft ist heute langsam.", "hours": "2"}
    seen = page(lena.get("/helpdesk/incident", query_string=words))
    assert "Microsoft ist heute langsam." in seen.select_one("#preview").get_text()  # type: ignore[union-attr]
    pages = {"/journey": web.signed_in(), "/": web.browser(), "/cannot-sign-in": web.browser(), "/helpdesk": staff(web, "hanna")}
    assert not any("slow today" in browser.get(path).text for path, browser in pages.items()), "a preview changes nothing"
    form = {str(f["name"]): str(f["value"]) for f in seen.select("#preview form input")}
    assert lena.post("/helpdesk/incident", data=form).status_code == 303
    for path, browser in {**pages, "/nowhere": web.browser(), "/sign-out": web.signed_in()}.items():
        assert "Microsoft is slow today." in browser.get(path).text, path
    assert "heute langsam" in web.browser().get("/?lang=de").text
    assert lena.press("/helpdesk/incident", "/helpdesk/incident/end").status_code == 303
    assert not any("slow today" in browser.get(path).text for path, browser in pages.items())
    [made], [ended] = audited(web, "incident.published"), audited(web, "incident.ended")
    assert (made.actor_id, ended.actor_id, made.about_id) == ("lena", "lena", ended.about_id)
    assert "slow" not in str(made.detail), "the audit holds no words that somebody typed"
    assert scene.id


def test_it_ends_by_itself_and_a_new_one_takes_its_place(web: Web) -> None:
    assert publish(web, "The first.").status_code == 303
    assert publish(web, "The second.").status_code == 303
    told = web.browser().get("/").text
    assert ("The first." in told, "The second." in told) == (False, True)
    web.clock.ahead += 3 * 3600 * (web.clock().resolution * 1_000_000)
    assert "The second." not in web.browser().get("/").text


def test_it_costs_one_read_in_some_seconds(web: Web) -> None:
    publish(web, "Slow.")
    browser = web.browser()
    browser.get("/")
    with asked(web.engine) as statements:
        for _ in range(5):
            assert "Slow." in browser.get("/").text
    assert [one for one, _ in statements if "incidents" in one] == []


def test_a_database_that_is_away_keeps_no_page_from_being_shown(web: Web) -> None:
    publish(web, "Slow.")
    web.browser().get("/")
    with web.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE incidents RENAME TO gone"))
    web.clock.ahead += 10 * (web.clock().resolution * 1_000_000)
    assert "Slow." in web.browser().get("/").text


@pytest.mark.parametrize("payload", POLYGLOTS.values(), ids=POLYGLOTS)
def test_T20_the_sentence_is_text_and_nothing_else(web: Web, payload: str) -> None:
    assert publish(web, payload[:200]).status_code in (303, 400)
    lena = staff(web, "lena")
    for browser, path in ((web.browser(), "/"), (lena, "/helpdesk/incident")):
        harmless(browser.get(path))
    harmless(lena.get("/helpdesk/incident", query_string={"text_en": payload, "hours": "2"}))


@pytest.mark.parametrize("more", [{"text_en": ""}, {"text_en": "x" * 241}, {"hours": "0"}, {"hours": "-1"}, {"hours": "900"}])
def test_what_is_no_sentence_is_refused_in_words(web: Web, more: dict[str, str]) -> None:
    answer = publish(web, "Slow.", **more)
    assert (answer.status_code, "Nothing was published" in answer.text) == (400, True)
    lena = staff(web, "lena")
    seen = lena.get("/helpdesk/incident", query_string={"text_en": "Slow.", "hours": "2", **more})
    assert seen.status_code == 400
    assert 'id="publish"' not in seen.text
    with web.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(incidents)).scalar_one() == 0


def test_T18_a_form_from_elsewhere_tells_nobody_anything(web: Web) -> None:
    lena = staff(web, "lena")
    assert lena.post("/helpdesk/incident", data={"text_en": "Send your password to evil.example", "hours": "2"}).status_code == 403
    assert "evil.example" not in web.browser().get("/").text
    assert publish(web, "Slow.").status_code == 303
