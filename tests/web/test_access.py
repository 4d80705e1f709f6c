"""Temporary access as pages: off unless switched on, asked for with words that stay words, decided by two, seen with its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from remediation.domain.access import State
from remediation.domain.device import Person
from remediation.ports import Actor
from remediation.store.tables import access_requests, audit
from tests.people import MIA
from tests.web.conftest import Browser, Web
from tests.web.scenes import Scene
from tests.web.test_hostile_columns import POLYGLOTS, harmless
from tests.web.test_work_list import ROLES, lines, staff

GROUP = "6f0c2a57-3d1b-4e88-9a47-0b5d2c7e9f31"
OTTO = Person("otto", "Otto Kern", "otto.kern@contoso.example")


@pytest.fixture
def on(database: Path) -> Iterator[Web]:
    made = Web(database, temporary_access="pim", temporary_access_group=GROUP, temporary_access_hours=4)
    yield made
    made.engine.dispose()


def asked(web: Web, message: str = "The board meets at noon", scene: str = "help") -> tuple[Scene, str]:
    begun = web.scene(scene)
    mia = web.signed_in()
    form = {**mia.form("/journey/access", "/journey/access"), "message": message}
    assert mia.post("/journey/access", data=form).location == "/journey"
    return begun, row(web).id


def row(web: Web) -> Any:
    with web.engine.connect() as connection:
        return connection.execute(sa.select(access_requests).order_by(access_requests.c.asked_at.desc())).first()


def otto(web: Web) -> Browser:
    return web.signed_in(OTTO, browser="the-browser-of-otto", roles=ROLES["ida"])


def decides(web: Web, browser: Browser, what: str, **more: str) -> Any:
    path = f"/helpdesk/access/{row(web).id}"
    form = {"csrf_token": browser.csrf(), "version": str(row(web).version), "sure": "on", **more}
    return browser.post(f"{path}/{what}", data=form)


def test_it_is_off_unless_somebody_switches_it_on(web: Web) -> None:
    web.scene("help")
    mia = web.signed_in()
    assert "emporary access" not in mia.get("/journey").text
    assert mia.post("/journey/access", data={"csrf_token": mia.csrf(), "message": "x"}).location == "/journey"
    assert row(web) is None


@pytest.mark.parametrize(
    ("scene", "offered"), [("help", True), ("wait", True), ("not_for_you", True), ("open", False), ("fix", False)]
)
def test_it_is_offered_to_whoever_is_stuck(on: Web, scene: str, offered: bool) -> None:
    on.scene(scene)
    assert ("ask-access" in on.signed_in().get("/journey").text) is offered


def test_from_the_request_over_two_of_the_staff_to_what_the_person_reads(on: Web) -> None:
    _, request_id = asked(on)
    assert "Two people of the helpdesk look at it" in on.signed_in().get("/journey").text
    assert "A person asks for temporary access" in lines(on, "hanna", "?kind=access")[0]
    ida, path = staff(on, "ida"), f"/helpdesk/access/{request_id}"
    seen = ida.get(path).text
    assert "The board meets at noon" in seen
    assert staff(on, "hanna").get(path).text.count("<form") == 0, "who may only read decides nothing"
    texts = {"hours": "4", "answer": "Until this afternoon.", "note": "called back by phone"}
    assert decides(on, ida, "approve", **texts).status_code == 303
    assert "another person decides now" in ida.get(path).text
    assert 'id="approve"' not in ida.get(path).text
    assert decides(on, ida, "approve").status_code == 403
    assert decides(on, otto(on), "approve").status_code == 303
    assert row(on).state is State.APPROVED
    told = on.signed_in().get("/journey").text
    assert "Approved" in told
    assert "Until this afternoon." in told
    for staffs in ("called back by phone", "ida", "otto"):
        assert staffs not in told

    version = row(on).version
    with on.store.change(Actor("worker", "w"), "access.given", about=("person", "mia"), at=on.clock()) as change:
        change.move_access(request_id, version, state=State.GIVEN)
    assert "You are let in" in on.signed_in().get("/journey").text
    assert "Given" in staff(on, "hanna").get("/helpdesk/person/mia").text
    assert decides(on, staff(on, "ida"), "end").status_code == 303
    assert "It is being ended" in on.signed_in().get("/journey").text


def test_T27_whoever_asked_decides_nothing_though_they_are_staff(on: Web) -> None:
    on.scene("help")
    mia = on.signed_in(MIA, roles=ROLES["ida"])
    form = {**mia.form("/journey/access", "/journey/access"), "message": "for me"}
    mia.post("/journey/access", data=form)
    for what in ("approve", "deny"):
        assert decides(on, mia, what, hours="4").status_code == 403
    assert row(on).state is State.ASKED
    assert "two others decide" in mia.get(f"/helpdesk/access/{row(on).id}").text
    assert decides(on, otto(on), "approve", hours="4").status_code == 303, "the control"


def test_T27_a_stale_form_decides_nothing(on: Web) -> None:
    asked(on)
    seen = str(row(on).version)
    assert decides(on, staff(on, "ida"), "approve", hours="4").status_code == 303
    answer = decides(on, otto(on), "approve", version=seen)
    assert (answer.status_code, "Look at it again" in answer.text) == (409, True)
    assert row(on).state is State.FIRST
    assert decides(on, otto(on), "approve").status_code == 303


@pytest.mark.parametrize("hours", ["", "0", "5", "24", "-1", "1e1", "٤", "999999999"])
def test_T27_hours_that_were_no_choice_are_refused(on: Web, hours: str) -> None:
    asked(on)
    assert decides(on, staff(on, "ida"), "approve", hours=hours).status_code == 400
    assert row(on).state is State.ASKED


@pytest.mark.parametrize("more", [{"version": ""}, {"version": "x"}, {"version": "-1"}, {"version": "9" * 30}, {"version": "¹"}])
def test_a_form_without_its_version_decides_nothing(on: Web, more: dict[str, str]) -> None:
    asked(on)
    assert decides(on, staff(on, "ida"), "approve", hours="4", **more).status_code == 400
    ida = staff(on, "ida")
    unsure = ida.post(f"/helpdesk/access/{row(on).id}/approve", data={"csrf_token": ida.csrf(), "version": "1", "hours": "4"})
    assert unsure.status_code == 400
    assert row(on).state is State.ASKED


def test_T18_a_form_from_elsewhere_decides_nothing(on: Web) -> None:
    asked(on)
    ida, path = staff(on, "ida"), f"/helpdesk/access/{row(on).id}/approve"
    assert ida.post(path, data={"version": "1", "hours": "4", "sure": "on"}).status_code == 403
    form = {"csrf_token": ida.csrf(), "version": "1", "hours": "4", "sure": "on"}
    assert ida.post(path, data=form, headers={"Origin": "https://evil.example"}).status_code == 403
    assert row(on).state is State.ASKED
    assert ida.post(path, data=form).status_code == 303


def test_denied_the_person_reads_the_text_and_not_the_note_and_may_ask_again(on: Web) -> None:
    asked(on)
    assert decides(on, staff(on, "ida"), "deny", answer="Please do step 2 first.", note="third time this week").status_code == 303
    told = on.signed_in().get("/journey").text
    assert ("Please do step 2 first." in told, "third time" in told, "ask-access" in told) == (True, False, True)
    assert decides(on, otto(on), "approve", hours="4").status_code == 409


def test_one_request_of_a_person_is_open_at_a_time_and_an_empty_one_is_none(on: Web) -> None:
    on.scene("help")
    mia = on.signed_in()
    empty = mia.post("/journey/access", data={"csrf_token": mia.csrf(), "message": " \u202e\n "})
    assert (empty.status_code, "Nothing was sent" in empty.text) == (400, True)
    for status in (303, 409):
        assert mia.post("/journey/access", data={"csrf_token": mia.csrf(), "message": "now"}).status_code == status
    assert mia.get("/journey/access").location == "/journey"


def test_by_hand_the_staff_see_the_steps_and_nothing_is_carried(database: Path) -> None:
    web = Web(database, temporary_access="steps", temporary_access_group=GROUP)
    _, request_id = asked(web)
    decides(web, staff(web, "ida"), "approve", hours="2")
    decides(web, otto(web), "approve")
    assert row(web).next_try_at is None, "no worker looks at it"
    seen = staff(web, "hanna").get(f"/helpdesk/access/{request_id}").text
    for words in ("Privileged Identity Management", GROUP, "never without an end"):
        assert words in seen
    assert decides(web, staff(web, "ida"), "end").status_code == 303
    assert row(web).state is State.ENDED
    web.engine.dispose()


def test_what_was_typed_stands_in_no_audit_row(on: Web) -> None:
    asked(on, "my secret reason")
    decides(on, staff(on, "ida"), "approve", hours="4", answer="an answer", note="a private note")
    with on.engine.connect() as connection:
        everything = str(connection.execute(sa.select(audit)).all())
    for words in ("secret reason", "an answer", "private note"):
        assert words not in everything
    assert "access.first_approved" in everything


@pytest.mark.parametrize("payload", POLYGLOTS.values(), ids=POLYGLOTS)
def test_T20_what_anybody_types_is_text_and_nothing_else(on: Web, payload: str) -> None:
    asked(on, payload)
    ida, path = staff(on, "ida"), f"/helpdesk/access/{row(on).id}"
    harmless(ida.get(path))
    assert decides(on, ida, "approve", hours="4", answer=payload, note=payload).status_code == 303
    for browser, page in ((ida, path), (on.signed_in(), "/journey"), (ida, "/helpdesk/work"), (ida, "/helpdesk/person/mia")):
        harmless(browser.get(page))
