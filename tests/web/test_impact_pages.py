"""The impact preview's pages: numbers drawn and in a table, the people behind them for administrators alone, and waves begun and
stopped."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from remediation.domain.device import ManagedKey, Person
from remediation.domain.impact import Missing, Reason
from remediation.domain.standing import Standing
from remediation.ports import Actor, Count, ListRead, Somebody
from remediation.services.impact import ask_for_count
from remediation.store.tables import audit
from tests.web.conftest import Browser, Web

ADAM = Person("adam", "Adam Kowal", "adam.kowal")
NOBODY_BUT = Actor("admin", "adam")
HOME = "/onboarding/impact"
Lacks = Mapping[str, Sequence[tuple[str, str]]]
LACKS: Lacks = {
    "mia": (("link", "ios"), ("compliance", "android")),
    "noah": (("link", "ios"),),
    "tom": (("licence", "none"),),
    "ida": (("enrollment", "none"),),
    "eve": (),
}


def admin(web: Web) -> Browser:
    return web.signed_in(ADAM, browser="adam", roles=("Admin",))


def counting(web: Web) -> Count:
    ask_for_count(web.store, actor=NOBODY_BUT, now=web.clock())
    count = web.store.claim_count(web.clock(), hold=timedelta(minutes=3))
    assert count is not None
    return count


def counted(
    web: Web, lacks: Lacks = LACKS, *, name: str = "{}", state: str = "done", lists: Mapping[str, ListRead] | None = None
) -> Count:
    """As the worker leaves it."""
    store, now, count = web.store, web.clock(), counting(web)
    fine = Standing(account_enabled=True, guest=False, licensed=True, in_scope=None, read_at=now)
    addresses = {oid: f"{oid}@contoso.example" for oid in lacks}
    people = [Somebody(Person(oid, name.format(oid), address, address), fine) for oid, address in addresses.items()]
    read = {"people:": ListRead(len(lacks)), "directory": ListRead(9), "mdm:ws1": ListRead(7, 1)}
    whole = {stage: replace(one, whole=True) for stage, one in read.items()}
    after = replace(count, stage="judge", cursor=None, next_at=now, lists={**whole, **(lists or {})})
    assert store.keep_people(count, people, after)
    found = {
        oid: tuple(
            Missing(Reason(why), platform, None if platform == "none" else ManagedKey("ws1", oid)) for why, platform in theirs
        )
        for oid, theirs in lacks.items()
    }
    assert store.keep_missing(count, found, replace(after, cursor=max(lacks)))
    with store.change(Actor("worker", "w"), f"impact.{state}", about=("impact", count.id), at=now) as change:
        change.end_count(replace(after, turn=count.turn), state=state)
    newest = store.newest_count()
    assert newest is not None
    return newest


def audited(web: Web) -> list[tuple[str, str, str]]:
    with web.engine.connect() as connection:
        rows = connection.execute(sa.select(audit.c.actor_kind, audit.c.actor_id, audit.c.why).order_by(audit.c.id))
        return [(row.actor_kind, row.actor_id, row.why) for row in rows]


def text(browser: Browser, path: str = HOME) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    return " ".join(BeautifulSoup(answer.text, "html.parser").get_text(" ").split())


def test_before_a_count_there_is_a_button_and_then_how_far_it_is(web: Web) -> None:
    browser = admin(web)
    assert "Count now" in text(browser)
    assert browser.press(HOME, f"{HOME}/count").status_code == 303
    assert browser.post(f"{HOME}/count", data={"csrf_token": browser.csrf()}).status_code == 409, "one at a time"
    count = web.store.claim_count(web.clock(), hold=timedelta(minutes=3))
    assert count is not None
    after = replace(count, stage="mdm:ws1", lists={"people:": ListRead(1234, whole=True), "mdm:ws1": ListRead(500)})
    web.store.keep_people(count, (), after)
    seen = text(browser)
    told = "The worker is counting", "People: 1,234 rows, complete", "Devices in the MDM ws1: 500 rows", "Now: devices in the MDM."
    for words in told:
        assert words in seen.replace(" :", ":")
    status = browser.get(f"{HOME}/status")
    assert (status.status_code, status.headers["X-Watch"]) == (200, "on")
    assert browser.get(f"{HOME}/status", headers={"If-None-Match": status.headers["ETag"]}).status_code == 204
    assert browser.press(HOME, f"{HOME}/stop").status_code == 303
    assert "The last count was stopped" in text(browser)
    assert browser.get(f"{HOME}/status").headers["X-Watch"] == "stop"
    assert audited(web) == [("admin", "adam", "impact.asked"), ("admin", "adam", "impact.stopped")]


def test_the_numbers_are_drawn_in_a_table_as_csv_and_as_json(web: Web) -> None:
    counted(web)
    browser = admin(web)
    page = BeautifulSoup(browser.get(HOME).text, "html.parser")
    assert [tile.get_text() for tile in page.select(".tiles strong")] == ["5", "1 (20 %)", "4 (80 %)"]
    drawn = [item.get_text(" ", strip=True) for item in page.select("section.funnel")[0].select("li")]
    assert drawn[3] == "Link between both 2 · 40 %"
    widths = [rect["width"] for rect in page.select("section.funnel")[0].select("rect:not(.whole)")]
    assert widths == ["20%", "20%", "40%", "20%"]
    rows = [[cell.get_text(" ", strip=True).split(" ")[0] for cell in row.select("td")] for row in page.select("tbody tr")]
    assert rows[0] == ["0", "0", "0", "2", "0"]
    assert rows[-1] == ["1", "1", "0", "2", "1"]
    assert "1 rows could not be read" in text(browser)
    table = list(csv.reader(io.StringIO(browser.get(f"{HOME}.csv").text)))
    assert table[0] == ["platform", "licence", "enrollment", "registration", "link", "compliance"]
    assert ["ios", "0", "0", "0", "2", "0"] in table
    assert table[-1] == ["all", "1", "1", "0", "2", "1"]
    told = json.loads(browser.get(f"{HOME}.json").text)
    assert (told["people"], told["touched"], told["impact"][-1]["link"]) == (5, 4, 2)


def test_a_count_without_whole_lists_shows_no_number_and_which_list(web: Web) -> None:
    counted(web, state="incomplete", lists={"mdm:ws1": ListRead(500, why="refused")})
    browser = admin(web)
    seen = text(browser)
    assert "The last count has no numbers" in seen
    assert "It was refused" in seen
    assert not BeautifulSoup(browser.get(HOME).text, "html.parser").select(".tiles")
    assert browser.get(f"{HOME}.csv").status_code == 404


def test_the_people_behind_a_number_are_for_administrators_and_each_look_is_noted(web: Web) -> None:
    count = counted(web)
    asked = f"count={count.id}&reason=link&platform=ios"
    browser = admin(web)
    seen = text(browser, f"{HOME}/people?{asked}")
    assert "mia@contoso.example" in seen
    assert "noah@contoso.example" in seen
    assert "tom@contoso.example" not in seen
    assert [row[0] for row in csv.reader(io.StringIO(browser.get(f"{HOME}/people.csv?{asked}").text))] == ["name", "mia", "noah"]
    assert [why for _, _, why in audited(web)].count("impact.people_listed") == 2
    for roles in ((), ("Helpdesk.Read", "Helpdesk.Act")):
        staff = web.signed_in(Person("hanna", "Hanna", "hanna"), browser="h", roles=roles)
        assert staff.get(f"{HOME}/people?{asked}").status_code == 403
    assert web.browser().get(f"{HOME}/people?{asked}").status_code == 401
    assert browser.get(f"{HOME}/people?count=older&reason=link").status_code == 409
    assert browser.get(f"{HOME}/people?count={count.id}&reason=nonsense").status_code == 404


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_T21_no_cell_of_a_list_is_a_formula(web: Web, start: str) -> None:
    count = counted(web, {"mia": (("link", "ios"),)}, name=start + "cmd|' /C calc'!A1{}")
    answer = admin(web).get(f"{HOME}/people.csv?count={count.id}&reason=link")
    assert next(iter(list(csv.reader(io.StringIO(answer.text)))[1])).startswith("'" + start)


def test_a_wave_is_picked_confirmed_with_its_count_seen_and_stopped(web: Web) -> None:
    count = counted(web)
    browser = admin(web)
    page = f"{HOME}/tell?count={count.id}&reason=link&platform=ios"
    assert "2 people lack:" in text(browser, page)
    form = browser.form(page, f"{HOME}/tell")
    picked: dict[str, Any] = {**form, "way": "device", "size": "25", "pause": "60"}
    assert browser.post(f"{HOME}/tell", data={**picked, "size": "many"}).status_code == 400
    assert browser.post(f"{HOME}/tell", data={**picked, "count": "older"}).status_code == 409
    assert browser.post(f"{HOME}/tell", data={**picked, "reason": "licence"}).status_code == 400
    assert web.store.waves() == []
    assert browser.post(f"{HOME}/tell", data=picked).status_code == 303
    assert browser.post(f"{HOME}/tell", data=picked).status_code == 409, "one at a time"
    [wave] = web.store.waves()
    assert (wave.people, wave.size, wave.pause, wave.way) == (2, 25, timedelta(hours=1), "device")
    assert "Still to be told: 2" in text(browser)
    assert browser.press(HOME, f"{HOME}/waves/{wave.id}/stop").status_code == 303
    assert web.store.waves()[0].state == "stopped"
    assert [why for _, _, why in audited(web)][-2:] == ["wave.asked", "wave.stopped"]


def test_whoever_has_no_device_can_be_told_by_mail_alone(web: Web) -> None:
    count = counted(web)
    page = BeautifulSoup(admin(web).get(f"{HOME}/tell?count={count.id}&reason=enrollment&platform=none").text, "html.parser")
    assert [field["value"] for field in page.select('input[name="way"]')] == ["mail"]
    assert admin(web).get(f"{HOME}/tell?count={count.id}&reason=licence&platform=none").status_code == 404
