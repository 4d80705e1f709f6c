"""The step about the second lock: nobody has to want one; where one is wanted, *go* waits until it was seen to hold."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup

from remediation.domain.onboarding import Facts, Looked, State
from remediation.domain.onboarding_lock import ATTRIBUTE, GIVE_UP, LOOK, PREPARE, SECOND_LOCK
from remediation.ports import Actor, Choice
from remediation.services import onboard, set_up_lock
from remediation.store.onboarding import SqlChoices
from tests.people import NOON
from tests.web.conftest import Browser, Web
from tests.web.set_up_scenes import admin

PAGE = "/onboarding/second_lock"
GOOD = Looked(LOOK, looked_at=NOON, good_at=NOON)
ASKED = Looked(PREPARE, wanted_at=NOON)


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (Facts(), State.DONE),
        (Facts(frozenset({ATTRIBUTE})), State.OPEN),
        (
            Facts(frozenset({ATTRIBUTE}), looked={LOOK: Looked(LOOK, looked_at=NOON, failed_at=NOON, cause="lock_not_seen")}),
            State.WRONG,
        ),
        (Facts(frozenset({ATTRIBUTE}), looked={LOOK: GOOD}), State.DONE),
        (Facts(frozenset({ATTRIBUTE}), looked={LOOK: GOOD, PREPARE: ASKED}), State.WAITING),
    ],
)
def test_go_waits_for_it_where_it_is_wanted(facts: Facts, state: State) -> None:
    assert SECOND_LOCK.judge(facts).state is state
    assert not SECOND_LOCK.optional


def prepared(web: Web) -> None:
    web.store.keep_second_lock(7, "remediation-5a1e0c7d", at=web.clock())
    with web.store.change(Actor("worker", "w"), "lock.prepared", about=("lock", "x"), at=web.clock()) as change:
        change.lock_prepared()


def sent(browser: Browser, path: str, **fields: str) -> int:
    return browser.post(path, data={"csrf_token": browser.csrf(), **fields}).status_code


def test_what_was_seen_blocked_is_kept_once_the_attribute_is_ours(web: Web) -> None:
    adam, now = admin(web), web.clock()
    assert "Extension attribute" in adam.get(PAGE).text
    assert sent(adam, f"{PAGE}/prepare") == 409, "the worker has not made the lock yet"
    held = web.store.keep_second_lock(7, "remediation-5a1e0c7d", at=now)
    assert sent(adam, f"{PAGE}/seen", kind="unmarked", what="53003") == 409, "not prepared yet"
    prepared(web)
    assert sent(adam, f"{PAGE}/seen", kind="unmarked", what=" ") == 400
    assert sent(adam, f"{PAGE}/seen", kind="another", what="53003") == 400
    assert sent(adam, f"{PAGE}/seen", kind="unmarked", what="<b>53003</b> on the test iPhone") == 303
    [one] = web.store.seen_blocked()
    assert (one.kind, one.how, one.what) == ("unmarked", "confirmed", "<b>53003</b> on the test iPhone")
    assert sent(adam, f"{PAGE}/prepare") == 303
    assert held.value not in adam.get(PAGE).text, "no attribute is chosen any more"
    onboard.choose(web.store, {ATTRIBUTE: Choice("7")}, actor=Actor("person", "adam"), now=now)
    page = BeautifulSoup(adam.get(PAGE).text, "html.parser")
    rule = page.find(id="rule")
    assert rule is not None
    assert rule.get_text() == held.rule
    assert page.find(id="seen-unregistered") is not None
    assert page.find(id="seen-unmarked") is None, "that one was seen"


def test_another_attribute_is_refused_while_marks_stand_and_the_way_out_asks_for_another_sign_in(web: Web) -> None:
    adam = admin(web)
    onboard.choose(web.store, {ATTRIBUTE: Choice("7")}, actor=Actor("person", "adam"), now=web.clock())
    prepared(web)
    answer = adam.post(PAGE, data={"csrf_token": adam.csrf(), ATTRIBUTE: ""})
    assert (answer.status_code, "Give the second lock up first" in answer.text) == (400, True)
    assert set_up_lock.stands_in_the_way(web.store.second_lock(), "9")
    assert not set_up_lock.stands_in_the_way(web.store.second_lock(), "7"), "the control"
    link = BeautifulSoup(adam.get(PAGE).text, "html.parser").find(id="give-up")
    assert link is not None
    address = str(link["href"])
    assert "Take the marks of the second lock away" in adam.get(address).text
    change = address.partition("change=")[2]
    assert sent(adam, "/onboarding/confirm", change=change) == 403, "without a fresh sign-in nothing is asked for"
    assert GIVE_UP not in SqlChoices(web.engine).looks()
