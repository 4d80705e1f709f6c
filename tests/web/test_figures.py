"""The figures' page: who may see it, what it shows in both languages, what each export carries, and what bad input gets."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from remediation.domain.device import Person
from remediation.domain.turns import FIGURES
from remediation.ports import Actor
from remediation.services import figures
from remediation.services.csv_table import DANGEROUS, defused
from remediation.services.figure_lists import Number
from remediation.services.figure_tables import NAMES
from remediation.store.tables import audit, throttlings, watches
from remediation.web.figures_pages import place_of
from remediation.web.guards import ROLE_LASTS
from tests.people import LINK
from tests.web.conftest import Browser, Web

HANNA = Person("hanna", "Hanna Roth", "hanna.roth@contoso.example")
ADAM = Person("adam", "Adam Kowal", "adam.kowal@contoso.example")


@pytest.fixture
def hanna(web: Web) -> Browser:
    return web.signed_in(HANNA, browser="the-browser-of-hanna", roles=("Helpdesk.Read",))


def page(browser: Browser, path: str = "/helpdesk/figures", status: int = 200) -> BeautifulSoup:
    answer = browser.get(path)
    assert answer.status_code == status, answer.text[:500]
    return BeautifulSoup(answer.text, "html.parser")


def words(soup: BeautifulSoup, where: str) -> str:
    return " ".join(one.get_text(" ", strip=True) for one in soup.select(where))


def came(web: Web) -> None:
    """A journey that is open, as the worker's own rows tell it, and a connection that is listed."""
    scene = web.scene("open")
    with web.engine.begin() as connection:
        connection.execute(sa.insert(watches).values(tenant_id=web.settings.tenant_id, name="mdm:ws1/sweep"))
    rows: list[tuple[str, dict[str, Any]]] = [
        ("link.made", {"journey": scene.id, "state": "active"}),
        ("verdict.changed", {"verdict": "compliant", "reasons": []}),
        ("push.sent", {"compliant": True}),
        ("push.accepted", {}),
        ("push.confirmed", {"shown": True}),
    ]
    for why, detail in rows:
        with web.store.change(Actor("worker", "1"), why, about=("link", LINK.id), at=web.clock()) as change:
            change.audit(**detail)


def test_nobody_came_and_every_table_says_so(hanna: Browser) -> None:
    soup = page(hanna)
    assert [one["id"] for one in soup.select("main section[id]")] == list(NAMES)
    assert words(soup, ".tiles li:first-child strong") == "0"
    assert "Nothing in this time." in words(soup, "#causes")


@pytest.mark.parametrize(
    ("language", "shown"), [("en", ("Figures", "iPhone or iPad", "proved")), ("de", ("Zahlen", "iPhone", "Besitz"))]
)
def test_one_came_and_is_seen_in_numbers_bars_and_tables(web: Web, hanna: Browser, language: str, shown: tuple[str, ...]) -> None:
    came(web)
    soup = page(hanna, f"/helpdesk/figures?lang={language}")
    for word in shown:
        assert word in words(soup, "main")
    assert words(soup, ".tiles li:nth-child(2) strong") == "1 (100 %)"
    bars = soup.select(".funnels li")
    assert len(bars) == 8
    assert {rect["width"] for rect in soup.select(".bar rect:not(.whole)")} == {"100%"}
    assert len(soup.select("#funnel table tbody tr")) == 16
    assert "figures." not in soup.get_text(), "no id without its words"
    assert not soup.select("main script")
    assert len(str(soup)) < 50_000


def test_nothing_personal_is_shown_or_exported(web: Web, hanna: Browser) -> None:
    came(web)
    for path in ("/helpdesk/figures", "/helpdesk/figures.json", *(f"/helpdesk/figures.csv?table={name}" for name in NAMES)):
        text = hanna.get(path).text
        for personal in ("mia", "Mia", "Berger", "F2LXK"):
            assert personal not in text, path


def test_every_table_is_exported_with_what_was_chosen(web: Web, hanna: Browser) -> None:
    came(web)
    day = web.clock().date().isoformat()
    soup = page(hanna, f"/helpdesk/figures?from={day}&to={day}&platform=ios&connection=ws1")
    assert [str(one["value"]) for one in soup.select("option[selected]")] == ["ios", "ws1"]
    links = [str(one["href"]) for one in soup.select(".exports a")]
    assert len(links) == 2 * len(NAMES)
    for link in links:
        assert f"from={day}&to={day}&platform=ios&connection=ws1" in link
        answer = hanna.get(link)
        assert answer.status_code == 200
        assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(hanna.get(links[0]).text)))
    assert rows[-1] == {**rows[-1], "entrance": "all", "begun": "1", "finished": "1"}
    told = json.loads(hanna.get(links[1]).text)
    assert [told[name] for name in ("from", "to", "platform", "connection")] == [day, day, "ios", "ws1"]
    assert told["tables"]["journeys"][-1]["begun"] == 1
    assert told["most_rows_read"] == figures.MOST
    assert list(hanna.get("/helpdesk/figures.json").json["tables"]) == sorted(NAMES)  # type: ignore[index]
    other = hanna.get(f"/helpdesk/figures.csv?table=journeys&from={day}&platform=macos")
    assert list(csv.DictReader(io.StringIO(other.text)))[-1]["begun"] == "0"


def test_T27_each_role_by_itself_and_no_other(web: Web) -> None:
    for roles, status in ((("Admin",), 200), (("Helpdesk.Read",), 200), (("Helpdesk.Act", "admin", "figures"), 403), ((), 403)):
        staff = web.signed_in(ADAM, browser="the-browser-of-adam", roles=roles)
        assert staff.get("/helpdesk/figures").status_code == status
        assert staff.get("/helpdesk/figures.json").status_code == status


def test_the_search_leads_here(hanna: Browser) -> None:
    assert page(hanna, "/helpdesk").select_one("a[href='/helpdesk/figures']") is not None


def test_a_sign_in_comes_back_to_what_was_asked_for(web: Web) -> None:
    path = "/helpdesk/figures?platform=ios&from=2026-11-01&evil=//zq.example"
    go_on = page(web.browser(), path, 401).select_one("a#go-on")
    assert go_on is not None
    assert "to=helpdesk" in str(go_on["href"])
    assert "platform%3Dios" in str(go_on["href"])
    assert "zq" not in str(go_on["href"])
    assert (
        place_of("from=2026-11-01&to=&platform=ios&connection=&next=//zq.example")
        == "/helpdesk/figures?from=2026-11-01&platform=ios"
    )
    assert place_of("=&&nonsense") == "/helpdesk/figures"
    staff = web.signed_in(HANNA, browser="desk", roles=("Helpdesk.Read",))
    web.clock.ahead += ROLE_LASTS + timedelta(seconds=1)
    refresh = staff.get(path).headers["Refresh"]
    assert "figures=" in refresh
    assert "zq" not in refresh


@pytest.mark.parametrize(
    "said",
    [
        *("from=x", "to=2026-02-30", "from=0000-00-00", "from=99999-01-01", "from=2026-11-20&to=2026-01-01", "from=2020-01-01"),
        *("platform=symbian", "connection=ws9", "connection=%00", "from=%00", "platform=%ff%fe", "from=" + "9" * 5000),
        *("from=2999-01-01&to=2999-01-02", "connection=<script>alert(1)</script>", "from=0001-01-01", "to=-1"),
    ],
)
def test_bad_input_gets_a_sentence(web: Web, hanna: Browser, said: str) -> None:
    came(web)
    soup = page(hanna, f"/helpdesk/figures?{said}", 400)
    assert words(soup, ".notice.careful").startswith(("A day", "The first day", "At most 400", "There is no such", "This time"))
    assert soup.select("#journeys") == []
    told = hanna.get(f"/helpdesk/figures.csv?table=journeys&{said}")
    assert (told.status_code, told.mimetype) == (400, "text/plain")
    assert told.text.strip().endswith((".", "list."))
    assert hanna.get(f"/helpdesk/figures.json?{said}").status_code == 400


def test_no_such_table_says_which_there_are(hanna: Browser) -> None:
    for path in ("/helpdesk/figures.csv", "/helpdesk/figures.csv?table=people", "/helpdesk/figures.json?table=people"):
        answer = hanna.get(path)
        assert answer.status_code == 400
        assert "journeys, trend, funnel" in answer.text


@pytest.mark.parametrize("sign", DANGEROUS)
def test_T21_no_cell_is_a_formula(web: Web, hanna: Browser, sign: str) -> None:
    name = f"{sign}HYPERLINK(1)"
    with web.engine.begin() as connection:
        told = {"day": web.clock(), "remote": name, "count": 1, "last_at": web.clock()}
        connection.execute(sa.insert(throttlings).values(tenant_id=web.settings.tenant_id, **told))
    answer = hanna.get("/helpdesk/figures.csv?table=throttled")
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True), newline="")))
    assert rows[1][0] == f"'{name}"
    assert (defused("ws1"), defused(-1), defused(None)) == ("ws1", -1, None), "the control"


def test_a_remotes_days_are_listed_with_how_often_and_nobody_is_led_to(web: Web, hanna: Browser) -> None:
    with web.engine.begin() as connection:
        told = {"day": web.clock(), "remote": "mdm:ws1", "count": 12, "last_at": web.clock(), "last_code": "1012"}
        connection.execute(sa.insert(throttlings).values(tenant_id=web.settings.tenant_id, **told))
    link = page(hanna).select_one("#throttled tbody a")
    assert link is not None
    assert link.get_text() == "12"
    soup = page(hanna, str(link["href"]))
    assert [one.get_text() for one in soup.select("tbody td")] == ["mdm:ws1", "1012", "12"]
    assert [one.get_text() for one in soup.select("thead th")] == ["When", "Remote", "Its own code", "Times"]
    shown = str(link["href"]).replace("/list?", "/list.json?")
    [item] = hanna.get(shown).json["items"]  # type: ignore[index]
    assert (item["remote"], item["count"], item["code"], "oid" in item) == ("mdm:ws1", 12, "1012", False)
    text = hanna.get(shown.replace(".json", ".csv")).text
    assert next(csv.DictReader(io.StringIO(text)))["count"] == "12"


def test_who_asks_again_and_again_is_asked_to_wait(web: Web, hanna: Browser) -> None:
    for _ in range(FIGURES.at_once):
        assert hanna.get("/helpdesk/figures.csv").status_code == 400
    assert hanna.get("/helpdesk/figures").status_code == 429


def test_staff_and_causes_are_told_in_words(web: Web, hanna: Browser) -> None:
    came(web)
    hanna.get("/helpdesk?q=mia+ber")
    with web.store.change(Actor("operator", "root"), "stuck.retried", about=("link", "x"), at=web.clock()) as change:
        change.audit(because="Mia asked")
    soup = page(hanna)
    assert "look_up.searched" in words(soup, "#staff code")
    assert "stuck.retried" in words(soup, "#staff code")
    assert "Mia" not in soup.get_text()


def test_the_page_is_in_the_look_of_every_language(web: Web, hanna: Browser) -> None:
    came(web)
    texts: dict[str, Any] = {language: page(hanna, f"/helpdesk/figures?lang={language}") for language in ("en", "de")}
    heads = {language: [one.get_text() for one in soup.select("h2, th[scope=col]")] for language, soup in texts.items()}
    assert len(heads["en"]) == len(heads["de"])
    same = [one for one, other in zip(heads["en"], heads["de"], strict=True) if one == other]
    assert set(same) <= {"Median (h:mm:ss)"}


def test_every_number_leads_to_its_list(web: Web, hanna: Browser) -> None:
    """And the list is as long as the number is large."""
    came(web)
    hanna.get("/helpdesk?q=mia")
    soup = page(hanna)
    links = [one for one in soup.select("main table a") if "list?" in str(one["href"])]
    assert {str(one["href"]).partition("table=")[2].partition("&")[0] for one in links} >= {"journeys", "trend", "funnel", "times"}
    unlinked = [one for one in soup.select("td.number:not(:has(a))") if one.get_text() not in ("0", "–", "0 %")]
    assert unlinked == []
    for link in links[:: max(1, len(links) // 12)]:
        shown = page(hanna, str(link["href"]))
        if link.get_text().isdigit():
            assert len(shown.select("tbody tr")) == int(link.get_text())
        assert "figures." not in shown.get_text()


def test_T27_a_list_leads_to_people_only_whoever_reads_about_them(web: Web, hanna: Browser) -> None:
    came(web)
    address = "?table=journeys&of=all~all~begun"
    adam = web.signed_in(ADAM, browser="the-browser-of-adam", roles=("Admin",))
    for staff, led_to in ((adam, []), (hanna, ["/helpdesk/person/mia"])):
        shown = page(staff, f"/helpdesk/figures/list{address}")
        assert [str(one["href"]) for one in shown.select("tbody a")] == led_to
        told = staff.get(f"/helpdesk/figures/list.json{address}").json
        assert told is not None
        assert [item.get("oid") for item in told["items"]] == ([None] if not led_to else ["mia"])
        for kind in ("", ".csv", ".json"):
            text = staff.get(f"/helpdesk/figures/list{kind}{address}").text
            assert not any(personal in text for personal in ("Mia", "Berger", "F2LXK"))
            assert ("mia" in text) is bool(led_to)
    noted = [row for row in rows_of(web) if row.why == "look_up.figures_listed"]
    assert {(row.actor_id, tuple(row.detail["found"])) for row in noted} == {("hanna", ("mia",))}


def rows_of(web: Web) -> Any:
    with web.engine.connect() as connection:
        return connection.execute(sa.select(audit)).all()


@pytest.mark.parametrize(
    "of", ["", "all", "all~all~nothing", "all~all", "~~begun", "all~all~platform", "all~all~begun~begun", "%00~~"]
)
def test_a_number_that_there_is_none_of_gets_a_sentence(hanna: Browser, of: str) -> None:
    soup = page(hanna, f"/helpdesk/figures/list?table=journeys&of={of}", 400)
    assert words(soup, ".notice.careful").startswith("There is no such number")
    assert hanna.get(f"/helpdesk/figures/list.csv?table=journeys&of={of}").mimetype == "text/plain"
    assert hanna.get("/helpdesk/figures/list.json?table=people&of=all~all~begun").status_code == 400
    gone = page(hanna, "/helpdesk/figures/list?table=journeys&of=start~macos~begun")
    assert "Nothing in this time." in words(gone, "main"), "the control"


@pytest.mark.parametrize("after", ["x", "~", "99999999T", "%00", "2026" * 2000])
def test_a_place_that_no_page_named_harms_nothing(hanna: Browser, after: str) -> None:
    assert hanna.get(f"/helpdesk/figures/list?table=journeys&of=all~all~begun&after={after}").status_code == 200


def test_a_sign_in_comes_back_to_the_list() -> None:
    asked = "from=&to=&platform=&connection=&table=journeys&of=all~all~begun&after="
    assert place_of(asked) == f"/helpdesk/figures/list?table=journeys&of={'all~all~begun'}"


def test_the_trend_is_drawn_and_stands_in_its_table(web: Web, hanna: Browser) -> None:
    came(web)
    soup = page(hanna)
    days = [row.get_text(" ", strip=True) for row in soup.select("#trend tbody tr")]
    assert len(days) == figures.DAYS
    assert days[-1].startswith(f"{web.clock().date().isoformat()} 1 1")
    [line] = soup.select("#trend polyline")
    assert len(str(line["points"]).split()) == figures.DAYS
    assert str(line["points"]).endswith("600,2"), "the highest point, on the last day"
    assert not page(hanna, f"/helpdesk/figures?from={web.clock().date()}").select("#trend svg"), "one point is no trend"
    first = (web.clock() - timedelta(days=69)).date()
    assert len(page(hanna, f"/helpdesk/figures?from={first}").select("#trend tbody tr")) == 10, "week by week"
    assert str(Number("trend", ("2026-11-21",), "begun")) == "2026-11-21~begun"
