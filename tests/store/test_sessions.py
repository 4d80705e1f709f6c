"""Sessions end when they should, on use; the state of a sign-in is given out once."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from remediation.errors import Stale
from remediation.store import SqlSessions, SqlSignInStates
from remediation.store.tables import sessions as table
from remediation.store.tables import sign_in_states
from tests.people import NOON, minutes
from tests.store.scenes import TENANT, Scene, all_at_once


@pytest.fixture
def sessions(engine: sa.Engine) -> SqlSessions:
    return SqlSessions(engine, TENANT)


def begin(sessions: SqlSessions, oid: str = "mia", *, browser: str = "safari", at: datetime = NOON) -> str:
    return sessions.begin(oid=oid, name="Mia", roles=["helpdesk"], browser=browser, at=at)


def test_a_session_is_found_by_its_token_alone(sessions: SqlSessions, engine: sa.Engine) -> None:
    token = begin(sessions)
    found = sessions.find(token, at=NOON)
    assert found is not None
    assert (found.oid, found.roles, found.browser, found.signed_in_at) == ("mia", ("helpdesk",), "safari", NOON)
    assert sessions.find(token[:-1], at=NOON) is None
    with engine.connect() as connection:
        assert token not in str(connection.execute(sa.select(table)).all())


def test_a_session_nobody_uses_ends(sessions: SqlSessions) -> None:
    token = begin(sessions)
    assert sessions.find(token, at=NOON + timedelta(hours=2)) is None


def test_a_session_in_use_goes_on_but_not_for_ever(sessions: SqlSessions) -> None:
    token = begin(sessions)
    for hour in range(1, 12):
        assert sessions.find(token, at=NOON + timedelta(hours=hour)) is not None
    assert sessions.find(token, at=NOON + timedelta(hours=12)) is None


def test_sessions_can_be_ended_one_or_all(sessions: SqlSessions, scene: Scene) -> None:
    one, two, eve = begin(sessions), begin(sessions), begin(sessions, "eve")
    sessions.end(one, at=NOON)
    assert [sessions.find(t, at=NOON) is None for t in (one, two, eve)] == [True, False, False]
    with scene.change() as change:
        assert change.end_sessions("mia") == 1
    assert [sessions.find(t, at=NOON) is None for t in (two, eve)] == [True, False]


def test_all_but_those_of_one_browser(sessions: SqlSessions, scene: Scene) -> None:
    here, there = begin(sessions), begin(sessions, browser="thiefs")
    begin(sessions, browser="long ago", at=NOON - timedelta(hours=3))
    with scene.change() as change:
        assert change.end_sessions("mia", but_browser="safari") == 1, "one that nobody used for hours was over before"
    assert [sessions.find(t, at=NOON) is None for t in (here, there)] == [False, True]


def test_what_is_not_saved_signs_nobody_out(sessions: SqlSessions, scene: Scene) -> None:
    token = begin(sessions)

    def fails() -> None:
        with scene.change() as change:
            change.end_sessions("mia")
            change.end_link("no such link", "x")

    with pytest.raises(Stale):
        fails()
    assert sessions.find(token, at=NOON) is not None


def test_a_sign_in_state_is_taken_once(engine: sa.Engine) -> None:
    states, taken = SqlSignInStates(engine, TENANT), list[str | None]()
    states.put("key", "value", until=NOON + minutes(10))
    all_at_once([lambda: taken.append(states.take("key", at=NOON))] * 16)
    assert sorted(taken, key=str) == [None] * 15 + ["value"]


def test_what_is_kept_of_a_sign_in_cannot_be_read_in_the_database(engine: sa.Engine) -> None:
    """A possession token and the verifier are among it; the key is what only the browser can name."""
    states = SqlSignInStates(engine, TENANT)
    states.put("the-key", "a possession token", until=NOON + minutes(10))
    with engine.connect() as connection:
        kept = str(connection.execute(sa.select(sign_in_states)).all())
    assert "possession" not in kept
    assert "the-key" not in kept
    assert states.take("the-key", at=NOON) == "a possession token"


def test_a_sign_in_state_ends(engine: sa.Engine) -> None:
    states = SqlSignInStates(engine, TENANT)
    states.put("key", "value", until=NOON + minutes(10))
    assert states.take("key", at=NOON + minutes(10)) is None


def test_abandoned_sign_ins_are_swept_by_later_ones(engine: sa.Engine) -> None:
    states = SqlSignInStates(engine, TENANT)
    for minute in range(30):
        states.put(f"key{minute}", "value", until=NOON + minutes(minute + 10))
    assert states.take("key19", at=NOON) is None
    assert states.take("key20", at=NOON) == "value"
