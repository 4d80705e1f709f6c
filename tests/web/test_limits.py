"""T31: how much one person, and all who are nobody yet, may make this product do; each limit beside the use it leaves alone."""

from __future__ import annotations

import json
import threading
from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa

from remediation.domain.turns import CASES, LOOKS, MESSAGES, PROOFS, SEARCHES, Turns
from tests.people import NOON
from tests.web.conftest import Web

ALL = (MESSAGES, LOOKS, PROOFS, SEARCHES, CASES)


@pytest.mark.parametrize("turns", ALL)
def test_a_few_at_once_then_one_after_the_other(turns: Turns) -> None:
    full_at, now = None, NOON
    for _ in range(turns.at_once):
        full_at, again_at = turns.take(full_at, now)
        assert again_at is None
    assert turns.take(full_at, now) == (None, now + turns.every)
    full_at, again_at = turns.take(full_at, now + turns.every)
    assert again_at is None
    assert turns.take(full_at, now + turns.every)[1] == now + 2 * turns.every
    assert turns.take(full_at, now + timedelta(days=1))[1] is None


def test_a_clock_that_was_far_ahead_keeps_nobody_out_for_longer_than_all_turns_take() -> None:
    _, again_at = MESSAGES.take(NOON + timedelta(days=365), NOON)
    assert again_at == NOON + MESSAGES.every


def test_T31_of_many_at_once_only_as_many_get_a_turn_as_there_are(web: Web) -> None:
    barrier, got = threading.Barrier(16), []

    def take() -> None:
        barrier.wait()
        got.append(web.store.take_turn("message:mia", MESSAGES, at=NOON))

    threads = [threading.Thread(target=take) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got.count(None) == MESSAGES.at_once
    assert web.store.take_turn("message:noah", MESSAGES, at=NOON) is None


def test_T31_a_message_cannot_be_sent_to_a_device_again_and_again(web: Web) -> None:
    scene = web.scene("this_device")
    browser, statuses = web.signed_in(), []
    form = browser.form("/journey", "/journey/this-device")
    for _ in range(MESSAGES.at_once + 2):
        answer = browser.post("/journey/this-device", data=form)
        statuses.append(answer.status_code)
        with web.engine.begin() as connection:  # as if it had not arrived, so that pressing again is a wish again
            connection.execute(sa.text("UPDATE journeys SET possession_error = 'mdm_refused'"))
    assert statuses == [303] * MESSAGES.at_once + [429] * 2
    assert "very often" in answer.text
    assert 'id="go-on" href="/journey"' in answer.text
    assert "+49" in answer.text, "whom to call stands on the page"
    with web.engine.connect() as connection:
        wished = connection.execute(sa.text("SELECT count(*) FROM audit WHERE why = 'possession.wanted'")).scalar_one()
    assert wished == MESSAGES.at_once
    web.clock.ahead = MESSAGES.every
    assert browser.post("/journey/this-device", data=form).status_code == 303
    assert scene.id


@pytest.mark.parametrize(
    ("path", "scene"), [("/journey/check", "fix"), ("/journey/still-blocked", "open"), ("/journey/device", "fix")]
)
def test_T31_looks_at_the_remotes_are_asked_for_a_dozen_times_and_then_slowly(web: Web, path: str, scene: str) -> None:
    web.scene(scene)
    browser, statuses = web.signed_in(), Counter[int]()
    token = browser.csrf()
    for number in range(LOOKS.at_once + 8):
        web.clock.ahead = timedelta(seconds=4) * number  # past the pause between two presses that are one
        form = {"csrf_token": token, "platform": ("android", "ios")[number % 2]}
        statuses[browser.post(path, data=form).status_code] += 1
    assert statuses[303] >= LOOKS.at_once
    assert statuses[429] > 0
    web.clock.ahead += timedelta(minutes=10)
    assert browser.post(path, data={"csrf_token": token, "platform": "windows"}).status_code == 303


def test_T31_cases_of_people_who_cannot_sign_in_are_bounded_and_the_phone_number_stays(web: Web) -> None:
    def opens() -> int:
        browser = web.browser()
        return browser.press("/cannot-sign-in", "/cannot-sign-in").status_code

    for _ in range(CASES.at_once - 2):
        web.store.take_turn("cases", CASES, at=web.clock())
    statuses = [opens() for _ in range(6)]
    assert statuses[:2] == [303, 303]
    assert set(statuses[2:]) <= {429, 303}
    assert statuses.count(429) >= 3
    full = web.browser()
    page = full.press("/cannot-sign-in", "/cannot-sign-in")
    assert "+49" in page.text
    assert web.rows()["cases"] <= 3
    again = web.browser()
    web.clock.ahead = timedelta(minutes=5)
    assert again.press("/cannot-sign-in", "/cannot-sign-in").status_code == 303
    assert again.post("/cannot-sign-in", data={"csrf_token": again.csrf()}).status_code == 303, "the same browser, the same case"
    assert web.rows()["cases"] <= 4


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "application/xml", "multipart/form-data; boundary=x", ""]
)
def test_T31_a_body_of_another_kind_is_no_form_and_nothing_reads_it_whole(web: Web, content_type: str) -> None:
    web.scene("fix")
    browser, before = web.signed_in(), web.rows()
    deep = "[" * 30_000 + "]" * 30_000
    assert browser.post("/journey/check", data=deep, content_type=content_type).status_code in (403, 413)
    assert (
        browser.post("/journey/check", data=json.dumps({"csrf_token": browser.csrf()}), content_type=content_type).status_code
        == 403
    )
    assert web.rows() == before


def test_T31_a_form_of_thousands_of_fields_or_parts_is_refused(web: Web) -> None:
    web.scene("fix")
    browser, before = web.signed_in(), web.rows()
    token = browser.csrf()
    many = "&".join(f"a{n}=" for n in range(9_000))
    assert (
        browser.post(
            "/journey/check", data=f"csrf_token={token}&{many}", content_type="application/x-www-form-urlencoded"
        ).status_code
        == 413
    )
    parts = "".join(f'--x\r\nContent-Disposition: form-data; name="a{n}"\r\n\r\n\r\n' for n in range(1_100))
    sent = browser.post("/journey/check", data=f"{parts}--x--\r\n", content_type="multipart/form-data; boundary=x")
    assert sent.status_code == 413
    assert web.rows() == before
    assert browser.post("/journey/check", data={"csrf_token": token}).status_code == 303


def test_T31_long_addresses_and_cookies_are_no_fault_of_ours(web: Web) -> None:
    browser = web.browser()
    for query in ("q=" + "x" * 60_000, "&".join(f"a{n}={n}" for n in range(5_000)), "%00" * 5_000, "lang=" + "é" * 9_000):
        for path in ("/", "/sign-out", "/helpdesk", "/cannot-sign-in"):
            assert browser.get(f"{path}?{query}").status_code in (200, 401)
