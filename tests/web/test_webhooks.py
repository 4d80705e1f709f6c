"""T25: events of an MDM are hints. Whoever has the password has a device looked at sooner; nobody has anything granted or taken."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from werkzeug.test import TestResponse

from remediation.domain import identifiers
from remediation.domain.device import LinkState
from remediation.domain.hints import PAUSE, USER, password
from remediation.domain.push import Lane, Push
from remediation.domain.turns import HINTS
from remediation.store.tables import journeys
from remediation.web import FORM_LIMIT
from tests.people import LINK, MANAGED_PHONE
from tests.web.conftest import SETTINGS, Web

ADDRESS = "/hooks/mdm/ws1"
KEY = SETTINGS["hook_key"].get_secret_value()
EARLIER = "Wq8rYk3tBv2zXn7mGd4hJs9cLf5pAe6u-Te"
UDID = "1C2F7A90B3D84E5F9A6B7C8D9E0F1A2B"
# As all sources together show it: mrpaws/awtest, zentralopensource/zentral tests/wsone.
EVENT = {
    "EventId": 178,
    "EventType": "Compliance Status Changed",
    "DeviceId": int(MANAGED_PHONE.key.record_id),
    "DeviceFriendlyName": "mia iPhone",
    "EnrollmentEmailAddress": "mia.berger@contoso.example",
    "EventTime": "2024-04-02T08:11:22.5720125Z",
    "EnrollmentStatus": "Enrolled",
    "CompromisedStatus": "",
    "ComplianceStatus": "Compliant",
    "Udid": UDID,
    "SerialNumber": MANAGED_PHONE.serial,
    "MACAddress": "A0B1C2D3E4F5",
    "Platform": "Apple",
}
BAD = {"ComplianceStatus": "NonCompliant"}


def basic(secret: str, user: str = USER) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()}


def sent(web: Web, body: bytes | str, *, address: str = ADDRESS, secret: str | None = None, **headers: str) -> TestResponse:
    right = basic(secret or password(KEY, "ws1"))
    return web.browser().post(address, data=body, headers={**right, "Content-Type": "application/json", **headers})


def event(**more: Any) -> str:
    return json.dumps({name: value for name, value in {**EVENT, **more}.items() if value is not None})


def xml(**more: Any) -> str:
    told = {name: value for name, value in {**EVENT, **more}.items() if value is not None}
    return "<Eventlog>" + "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in told.items()) + "</Eventlog>"


def row(web: Web) -> Push:
    found = web.store.push(LINK.id)
    assert found is not None
    return found


def written(web: Web) -> Any:
    """Everything that the database holds, but for what the hint itself may move, and how often turns were taken."""
    moved = {"wake", "next_look_at", "lane", "following"}
    with web.engine.connect() as connection:
        tables = [name for name in sa.inspect(connection).get_table_names() if name not in ("turns", "sign_in_states")]
        found = {name: connection.execute(sa.text(f'SELECT * FROM "{name}"')).mappings().all() for name in tables}  # noqa: S608
    return {
        name: [{c: v for c, v in one.items() if name != "pushes" or c not in moved} for one in rows] for name, rows in found.items()
    }


@pytest.fixture
def opened(web: Web) -> Web:
    """Mia's phone is linked, its row at rest and asleep for an hour."""
    web.scene("open")
    with web.engine.begin() as connection:
        connection.execute(sa.text("UPDATE managed_devices SET udid = :udid").bindparams(udid=UDID))
    asleep(web)
    return web


def asleep(web: Web) -> None:
    web.store.note_push(
        LINK.id, wake=row(web).wake, seq=1, next_at=web.clock() + timedelta(hours=1), attempts=0, reason=None, observed=True
    )


def test_T25_a_right_event_marks_its_row_and_nothing_else(opened: Web) -> None:
    before, was = written(opened), row(opened)
    opened.clock.ahead = timedelta(minutes=1)
    assert sent(opened, event()).status_code == 202
    now = row(opened)
    assert (now.wake, now.lane) == (was.wake + 1, Lane.SWEEP)
    assert now.next_look_at is not None
    assert now.next_look_at <= opened.clock()
    assert written(opened) == before, "no verdict, no sequence, no lease, no audit row"


def test_bad_news_goes_with_the_revocations_and_still_says_nothing_itself(opened: Web) -> None:
    before = written(opened)
    assert sent(opened, event(**BAD)).status_code == 202
    assert row(opened).lane is Lane.REVOKE
    assert row(opened).says_compliant
    assert written(opened) == before


def test_T25_a_test_of_the_connection_is_a_get_with_the_same_header(web: Web) -> None:
    assert web.browser().get(ADDRESS, headers=basic(password(KEY, "ws1"))).status_code == 200
    assert web.browser().get(ADDRESS, headers=basic("wrong")).status_code == 401


FORGED: dict[str, dict[str, str]] = {
    "nothing": {},
    "no password": basic(""),
    "wrong": basic("wrong"),
    "another connection's": basic(password(KEY, "ws2")),
    "of a case that differs": basic(password(KEY, "WS1")),
    "another key's": basic(password(EARLIER, "ws1")),
    "the key itself": basic(KEY),
    "another user": basic(password(KEY, "ws1"), "admin"),
    "no user": basic(password(KEY, "ws1"), ""),
    "one letter more": basic(password(KEY, "ws1") + "x"),
    "one letter less": basic(password(KEY, "ws1")[:-1]),
    "as a bearer": {"Authorization": f"Bearer {password(KEY, 'ws1')}"},
    "not base64": {"Authorization": "Basic \u00fc"},
    "not text": {"Authorization": "Basic " + base64.b64encode(b"remediation:\xff\xfe").decode()},
    "half a header": {"Authorization": "Basic"},
    "in another header": {"X-Authorization": basic(password(KEY, "ws1"))["Authorization"]},
}


def test_T25_a_forged_event_costs_no_row_and_the_right_one_beside_it_works(opened: Web) -> None:
    before, was = opened.rows(), row(opened)
    browser = opened.browser()
    for how, headers in FORGED.items():
        for body in (event(**BAD), xml(**BAD)):
            answer = browser.post(ADDRESS, data=body, headers=headers)
            assert answer.status_code == 401, how
            assert "Set-Cookie" not in answer.headers
    assert row(opened) == was
    assert opened.rows() == before
    with opened.engine.connect() as connection:
        assert not connection.execute(sa.text("SELECT count(*) FROM turns WHERE key LIKE 'hint:%'")).scalar_one()
    assert sent(opened, event(**BAD)).status_code == 202
    assert row(opened).wake == was.wake + 1


def test_T25_without_a_key_nobody_has_a_password(database: Any) -> None:
    web = Web(database, hook_key=None)
    for secret in ("", "None", password("", "ws1"), password("None", "ws1"), password(KEY, "ws1")):
        assert sent(web, event(), secret=secret or "-").status_code == 401
    web.engine.dispose()


def test_two_keys_at_a_time_while_one_is_exchanged_for_the_other(database: Any) -> None:
    web = Web(database, hook_key_fallbacks=(SecretStr(EARLIER),))
    for key in (KEY, EARLIER):
        assert sent(web, event(), secret=password(key, "ws1")).status_code == 202
    web.engine.dispose()
    later = Web(database)
    assert sent(later, event(), secret=password(EARLIER, "ws1")).status_code == 401
    later.engine.dispose()


def test_a_browser_of_another_site_cannot_send_one_for_somebody(opened: Web) -> None:
    was = row(opened)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert sent(opened, event(), **headers).status_code == 403
    assert row(opened) == was


SPELLINGS: dict[str, Callable[[], bytes | str]] = {
    "as it comes": event,
    "without blanks": lambda: event(EventType="ComplianceStatusChanged"),
    "other case": lambda: event(EventType="compliance STATUS changed"),
    "five digits": lambda: event(EventTime="2024-04-02T08:11:22.57201Z"),
    "an old date": lambda: event(EventTime="/Date(1642324439572)/"),
    "no date": lambda: event(EventTime=None),
    "a date that is none": lambda: event(EventTime="yesterday"),
    "a date of the future": lambda: event(EventTime="9999-12-31T23:59:59.9999999Z"),
    "a number as text": lambda: event(DeviceId=MANAGED_PHONE.key.record_id),
    "the UDID alone": lambda: json.dumps({"EventType": "Break MDM Confirmed", "Udid": UDID}),
    "the UDID in small letters": lambda: event(DeviceId=None, SerialNumber=None, Udid=UDID.lower()),
    "the UDID with dashes": lambda: event(DeviceId=None, SerialNumber=None, Udid="1c2f7a90-b3d8-4e5f-9a6b-7c8d9e0f1a2b"),
    "the serial alone": lambda: json.dumps({"EventType": "EnrollmentComplete", "SerialNumber": "f2lxk0abcd12"}),
    "a record of a later enrollment": lambda: event(DeviceId=999_999),
    "byte arrays": lambda: event(Udid="System.Byte[]", MACAddress="System.Byte[]"),
    "byte arrays and a serial": lambda: event(DeviceId=None, Udid="System.Byte[]"),
    "another event's id": lambda: event(EventId=39),
    "a field too many": lambda: event(Later={"nested": [1, 2]}),
    "other types of fields": lambda: event(Udid=17, SerialNumber=["x"], EventTime={}),
    "with a mark before it": lambda: b"\xef\xbb\xbf" + event().encode(),
    "in UTF-16": lambda: event().encode("utf-16"),
    "XML": xml,
    "XML with a head": lambda: '<?xml version="1.0" encoding="utf-8"?>\n' + xml(),
    "XML with a mark before it": lambda: b"\xef\xbb\xbf" + xml().encode(),
    "XML, no blanks": lambda: xml(EventType="ComplianceStatusChanged"),
    "XML with a namespace": lambda: xml().replace("<Eventlog>", '<Eventlog xmlns="http://air-watch.example">'),
    "XML, the UDID alone": lambda: xml(DeviceId=None, SerialNumber=None),
    "an unknown type with bad news": lambda: event(EventType="Device Wiped", EnrollmentStatus="Unenrolled"),
}


def test_an_event_is_understood_however_it_is_written(opened: Web) -> None:
    for how, body in SPELLINGS.items():
        opened.clock.ahead += timedelta(minutes=1)
        asleep(opened)
        was = row(opened).wake
        assert sent(opened, body()).status_code == 202, how
        assert row(opened).wake == was + 1, how


IGNORED = {
    "a type that we do not know": event(EventType="Something Of A Later Version"),
    "one that says nothing of posture": event(EventType="Device MCC"),
    "no type": event(EventType=None),
    "a type that is no text": event(EventType=7),
    "another device": event(DeviceId=7, Udid="00008030-001C2D3E4F50602E", SerialNumber="OTHER"),
    "identifiers that name nothing": event(DeviceId=None, Udid="0" * 32, SerialNumber="unknown"),
    "no identifiers": event(DeviceId=None, Udid=None, SerialNumber=None),
    "an id that is none": event(DeviceId=True, Udid=None, SerialNumber=None),
    "an id below nothing": event(DeviceId=-1, Udid=None, SerialNumber=None),
    "a very long id": event(DeviceId="1" * 2000, Udid="A" * 2000, SerialNumber="B" * 2000),
    "a pattern for an id": event(DeviceId="%", Udid="%", SerialNumber="' OR 1=1 --"),
    "NUL and half a letter": event(DeviceId=None, Udid="\x00\ud800", SerialNumber="\x00\udfff"),
    "XML that nests the fields": f"<Eventlog><Device>{xml()[10:-11]}</Device></Eventlog>",
}


def test_what_concerns_nothing_here_is_taken_and_ignored(opened: Web) -> None:
    was = row(opened)
    for how, body in IGNORED.items():
        assert sent(opened, body).status_code == 202, how
        assert row(opened) == was, how


AN_ENTITY = '<!DOCTYPE e [<!ENTITY a "Compliance Status Changed">]>' + xml(EventType=None).replace(
    "<DeviceId>", "<EventType>&a;</EventType><DeviceId>"
)
LAUGHS = "".join(f'<!ENTITY {name} "{f"&{before};" * 9}">' for before, name in pairwise("abcdefghi"))
HOSTILE = {
    "nothing": b"",
    "half": event()[:40].encode(),
    "a list": b"[]",
    "a text": b'"x"',
    "not text": b"\xff\xfe\xfd\x00\x01",
    "nested deeply": b"[" * 7_000 + b"]" * 7_000,
    "a nested object": b'{"a":' * 2_500 + b"1" + b"}" * 2_500,
    "half XML": xml()[:40].encode(),
    "another root": b"<html><body>ComplianceStatusChanged</body></html>",
    "an entity": AN_ENTITY.encode(),
    "entities of entities": f'<!DOCTYPE e [<!ENTITY a "aaaa">{LAUGHS}]><Eventlog><EventType>&i;</EventType></Eventlog>'.encode(),
    "a file": b'<!DOCTYPE e [<!ENTITY a SYSTEM "file:///etc/passwd">]><Eventlog><Udid>&a;</Udid></Eventlog>',
    "a document type elsewhere": b'<!DOCTYPE e SYSTEM "http://evil.example/e.dtd"><Eventlog/>',
    "an encoding of nobody": b'<?xml version="1.0" encoding="zq-1"?><Eventlog/>',
    "a form": b"EventType=ComplianceStatusChanged&DeviceId=4711",
}


def test_T25_what_is_no_event_is_refused_in_words_and_changes_nothing(opened: Web) -> None:
    was = row(opened)
    for how, body in HOSTILE.items():
        answer = sent(opened, body)
        assert answer.status_code == 400, how
        assert answer.mimetype == "application/json", how
        assert "aaaa" not in answer.text, how
        assert row(opened) == was, how
    assert sent(opened, event(**BAD)).status_code == 202
    assert row(opened).wake == was.wake + 1


def test_T31_a_body_that_is_no_event_for_its_size_is_not_read(opened: Web) -> None:
    was = row(opened)
    assert sent(opened, event(DeviceFriendlyName="x" * (FORM_LIMIT - 1_000))).status_code == 202
    assert row(opened).wake == was.wake + 1
    assert sent(opened, event(DeviceFriendlyName="x" * FORM_LIMIT, **BAD)).status_code == 413
    assert row(opened).lane is Lane.SWEEP


def test_T31_a_storm_of_duplicates_is_one_look(opened: Web) -> None:
    was = row(opened).wake
    opened.clock.ahead = timedelta(minutes=1)
    for _ in range(50):
        assert sent(opened, event()).status_code == 202
    assert row(opened).wake == was + 1
    for _ in range(50):
        assert sent(opened, xml(**BAD)).status_code == 202
    assert row(opened).wake == was + 2, "once more, to go with the revocations"
    with opened.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM turns WHERE key LIKE 'hint:%'")).scalar_one() == 2


def test_news_of_a_device_that_is_only_followed_is_judged_anew(opened: Web) -> None:
    """Its next look would ask Microsoft alone how far it is, and take the row for told."""
    soon = opened.clock() + timedelta(seconds=2)
    opened.store.note_push(LINK.id, wake=row(opened).wake, seq=1, next_at=soon, attempts=1, reason="sent", following=True)
    was = row(opened)
    assert was.following
    assert sent(opened, event()).status_code == 202
    now = row(opened)
    assert (now.following, now.wake, now.next_look_at) == (False, was.wake + 1, was.next_look_at)
    assert sent(opened, event()).status_code == 202
    assert row(opened) == now


def test_T31_news_of_a_device_that_was_just_looked_at_waits_a_moment_and_bad_news_does_not(opened: Web) -> None:
    read_at = row(opened).posture_read_at
    assert read_at is not None
    sent(opened, event())
    assert row(opened).next_look_at == read_at + PAUSE
    sent(opened, event(**BAD))
    next_at = row(opened).next_look_at
    assert next_at is not None
    assert next_at < read_at + PAUSE


def test_T31_more_events_than_any_company_has_news_are_put_off_and_never_the_bad_ones_for_the_good(opened: Web) -> None:
    opened.clock.ahead = timedelta(minutes=1)
    opened.store.take_turn("hint:ws1:sweep", HINTS, at=opened.clock() + timedelta(days=1))  # as if all were taken
    was = row(opened)
    full = sent(opened, event())
    assert full.status_code == 429
    assert int(full.headers["Retry-After"]) >= 1
    assert row(opened) == was
    assert sent(opened, event(**BAD)).status_code == 202
    assert row(opened).lane is Lane.REVOKE


def test_the_events_of_one_mdm_say_nothing_of_anothers_devices(opened: Web) -> None:
    was = row(opened)
    assert sent(opened, event(), address="/hooks/mdm/ws2", secret=password(KEY, "ws2")).status_code == 202
    assert row(opened) == was


def test_a_link_that_ended_or_is_pending_is_left_alone(web: Web) -> None:
    web.scene("sign_in")
    was = row(web)
    assert sent(web, event(**BAD)).status_code == 202
    assert row(web) == was
    link = web.store.link(LINK.id)
    assert link is not None
    assert link.state is LinkState.PENDING


def test_T25_whatever_comes_in_whatever_order_only_timers_move(opened: Web) -> None:
    """Forged ones, replays, duplicates and mutations, by chance. The figure for many more is that of `bench hints`."""
    chance, before = random.Random(7), written(opened)
    words = [event(), event(**BAD), xml(), xml(**BAD), event(CompromisedStatus="True"), event(EventType="Break MDM Confirmed")]
    for _ in range(300):
        body = bytearray(chance.choice(words).encode())
        for _ in range(chance.choice((0, 0, 1, 3))):
            body[chance.randrange(len(body))] = chance.randrange(256)
        secret = chance.choice((password(KEY, "ws1"), "wrong"))
        assert sent(opened, bytes(body), secret=secret).status_code in (202, 400, 401)
    assert written(opened) == before
    assert row(opened).lane is Lane.REVOKE


def test_serials_and_udids_that_name_nothing_are_nobodys() -> None:
    assert not identifiers.serial_spellings("unknown")
    assert not identifiers.udid_spellings("0000-0000")
    assert {"00008030-001C2D3E4F50602E", "00008030001c2d3e4f50602e"} <= identifiers.udid_spellings("00008030001C2D3E4F50602E")


# somebody waits for a device of theirs

ENROLLED = {"EventType": "MDM Enrollment Complete", "DeviceId": 7, "Udid": None, "SerialNumber": None}


@pytest.fixture
def waiting(web: Web) -> Web:
    """Mia has no managed device yet; the last look was a while ago, and the next is an hour off."""
    web.scene("enroll")
    with web.engine.begin() as connection:
        connection.execute(sa.update(journeys).values(next_look_at=_in(web, hours=1)))
    return web


def _in(web: Web, **time: float) -> datetime:
    return web.clock() + timedelta(**time)


def journey_row(web: Web) -> Any:
    with web.engine.connect() as connection:
        return connection.execute(sa.select(journeys)).mappings().one()


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"EventType": "MDMEnrollmentComplete"},
        {"EventType": "Enrollment Complete", "EnrollmentEmailAddress": "MIA.Berger@contoso.example"},
        {"EnrollmentEmailAddress": None, "EnrollmentUserName": "mia.berger@contoso.example"},
        {"EnrollmentEmailAddress": 7, "EnrollmentUserName": "mia.berger@contoso.example"},
    ],
)
def test_one_that_says_enrolled_wakes_whoever_waits_for_it_and_grants_nothing(waiting: Web, told: dict[str, Any]) -> None:
    was, before = journey_row(waiting), _without_timers(waiting)
    for body in (event(**{**ENROLLED, **told}), xml(**{**ENROLLED, **told})):
        assert sent(waiting, body).status_code == 202
    now = journey_row(waiting)
    assert now["wake"] == was["wake"] + 1, "the second of them finds it due"
    assert now["next_look_at"] <= waiting.clock()
    assert _without_timers(waiting) == before


@pytest.mark.parametrize(
    "told",
    [
        {"EnrollmentEmailAddress": "noah.lind@contoso.example"},
        {"EnrollmentEmailAddress": None},
        {"EnrollmentEmailAddress": "mia.berger%"},
        {"EnrollmentEmailAddress": ["mia.berger@contoso.example"]},
        {"EventType": "Compliance Status Changed"},
        {"EnrollmentStatus": "Unenrolled"},
        {"EnrollmentEmailAddress": "mia.berger@contoso.example" + "x" * 300},
    ],
)
def test_T25_one_about_somebody_else_or_of_another_kind_wakes_nobody(waiting: Web, told: dict[str, Any]) -> None:
    was = journey_row(waiting)
    assert sent(waiting, event(**{**ENROLLED, **told})).status_code == 202
    assert journey_row(waiting) == was
    assert sent(waiting, event(**ENROLLED)).status_code == 202, "the control"
    assert journey_row(waiting)["wake"] == was["wake"] + 1


def test_T25_a_forged_one_wakes_nobody(waiting: Web) -> None:
    was = journey_row(waiting)
    for headers in FORGED.values():
        assert waiting.browser().post(ADDRESS, data=event(**ENROLLED), headers=headers).status_code == 401
    assert journey_row(waiting) == was


def test_T31_a_storm_wakes_a_journey_once_in_five_seconds_and_drops_none(waiting: Web) -> None:
    """The pulse takes what is due twice a second, and what is under way is looked for again after a minute."""
    first, begun = journey_row(waiting)["wake"], waiting.clock()
    taken = 0
    for _ in range(100):
        assert sent(waiting, event(**ENROLLED)).status_code == 202
        taken += waiting.store.wake_due(waiting.clock()).rows
        waiting.clock.ahead += timedelta(seconds=0.5)
    seconds = (waiting.clock() - begun).total_seconds()
    assert 2 <= taken <= seconds / 5 + 2
    assert journey_row(waiting)["wake"] > first
    sent(waiting, event(**ENROLLED))
    assert journey_row(waiting)["next_look_at"] <= _in(waiting, seconds=5), "the last one is put off, not dropped"


def test_T25_a_journey_that_is_over_or_waits_for_nothing_is_left_alone(waiting: Web) -> None:
    for change in ("expires_at = started_at", "next_look_at = NULL"):
        with waiting.engine.begin() as connection:
            connection.execute(sa.text(f"UPDATE journeys SET {change}"))  # noqa: S608
        was = journey_row(waiting)
        assert sent(waiting, event(**ENROLLED)).status_code == 202
        assert journey_row(waiting) == was


def _without_timers(web: Web) -> Any:
    moved = {"wake", "next_look_at", "wanted_at", "attempts"}
    found = written(web)
    return {**found, "journeys": [{c: v for c, v in one.items() if c not in moved} for one in found["journeys"]]}
