"""The wait as clock times of our own measuring, entries of one device, and what is shown where the same did not help."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from remediation.domain.loops import AGAIN_AFTER
from remediation.domain.push import USUAL, WORST
from remediation.domain.work import ENOUGH
from tests.web.conftest import Web


def times(page: str) -> list[datetime]:
    return [datetime.fromisoformat(str(one["datetime"])) for one in BeautifulSoup(page, "html.parser").select("dl.times time")]


def measured(web: Web, count: int, took: timedelta) -> None:
    """The links of so many others, confirmed just now."""
    with web.engine.begin() as connection:
        tables = {name: sa.Table(name, sa.MetaData(), autoload_with=connection) for name in ("pushes", "device_links")}
        link = dict(connection.execute(sa.select(tables["device_links"])).mappings().one())
        push = dict(connection.execute(sa.select(tables["pushes"])).mappings().one())
        now = web.clock().replace(tzinfo=None)
        for number in range(count):
            ended = {**link, "id": f"m{number}", "state": "ended", "device_id": link["device_id"]}
            connection.execute(sa.insert(tables["device_links"]).values(ended))
            done = {"desired": "compliant", "desired_seq": 1, "confirmed_seq": 1, "confirmed_by": "changed"}
            when = {"desired_at": now - took, "confirmed_at": now}
            connection.execute(sa.insert(tables["pushes"]).values({**push, "link_id": f"m{number}", **done, **when}))


def test_the_wait_is_what_was_measured_here_and_documented_until_then(web: Web) -> None:
    web.scene("wait")
    page = web.signed_in().get("/journey").text
    since, usual, worst = times(page)
    assert (usual - since, worst - since) == (USUAL, WORST)
    assert "not measured enough" in page
    measured(web, ENOUGH, timedelta(seconds=130))
    page = web.signed_in().get("/journey").text
    since, usual, worst = times(page)
    assert (usual - since, worst - since) == (timedelta(minutes=3), timedelta(minutes=5))
    assert f"the last {ENOUGH} waits" in page


def test_register_said_and_said_again_gets_something_else_and_then_somebody(web: Web) -> None:
    web.scene("register")
    browser = web.signed_in()
    seen = []
    for _ in range(6):
        page = browser.get("/journey").text
        seen.append("call" if "big-code" in page else "else" if "Something else this time" in page else "usual")
        web.clock.ahead += AGAIN_AFTER + timedelta(seconds=1)
        browser.press("/journey", "/journey/check")
    assert len(BeautifulSoup(page, "html.parser").select("main ol.steps li")) == 3, "who acts, and what comes then"
    assert seen == ["usual", "usual", "else", "else", "call", "call"]
    again = browser.get("/journey?steps=1").text
    assert "Device registration" in again
    assert 'data-watch="/journey/status?steps=1"' in again
    assert "big-code" not in browser.get("/journey/status?steps=1").text
    assert 'id="what-happens"' in browser.get("/journey").text


def test_a_second_entry_of_the_linked_device_is_shown_and_nothing_is_asked(web: Web) -> None:
    scene = web.scene("open")
    assert 'id="entries"' not in web.signed_in().get("/journey").text
    journey = web.store.journey(scene.id)
    assert journey is not None
    linked = next(d for d in journey.directory if journey.link is not None and d.device_id == journey.link.device_id)
    scene.registered(*journey.directory, replace(linked, device_id="left-behind", object_id="o-left", compliant=False))
    page = web.signed_in().get("/journey").text
    assert "Microsoft has 2 entries for this device" in page
    assert "left-behind" not in page, "ids stay behind"


@pytest.mark.parametrize("scene", ["choose"])
def test_the_mark_is_asked_for_with_how_many_there_are(web: Web, scene: str) -> None:
    web.scene(scene)
    page = web.signed_in().get("/journey").text
    count = len(BeautifulSoup(page, "html.parser").select("input[type=radio]"))
    assert f"Microsoft has {count} entries that could be this device" in page
    assert "Nothing is deleted" in page
