"""A look-up of a whole story: found by code and by name, one audit row each, and the timeline tells the way through."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from remediation.services import look_up
from remediation.store.look_up import SqlLookUp
from remediation.web.helpdesk_timeline import EVENTS
from tests.stories import Story

Tell = Callable[..., Story]
SERVICES = Path(look_up.__file__).parent
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_a_whole_story_is_told_by_its_rows(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.gets_through()
    reads = SqlLookUp(story.engine, story.store.tenant_id)
    answer = look_up.search(reads, story.store, f"code {story.journey.case_code.lower()}", oid="hanna", now=NOW)
    assert answer.case is not None
    assert answer.case.oid == story.oid
    by_name = look_up.search(reads, story.store, "mia", oid="hanna", now=NOW)
    assert [one.person.oid for one in by_name.people] == [story.oid]
    file = look_up.open_file(reads, story.store, story.oid, case_code=story.journey.case_code, oid="hanna", now=NOW)
    assert file is not None
    assert file.journey == story.journey
    told = [event.what for event in reversed(file.timeline)]
    way = ["journey.started", "possession.sent", "possession.proven", "link.made", "push.sent", "push.accepted", "push.confirmed"]
    assert [what for what in told if what in way] == way
    assert set(told) <= EVENTS, "every id that the product writes has words"
    assert [why for why in story.audit() if why.startswith("look_up.")] == ["look_up.searched"] * 2 + ["look_up.viewed"]


@pytest.mark.parametrize("text", ["", "  ", "mi", "a b c"])
def test_too_little_asks_the_database_nothing(tell: Tell, text: str) -> None:
    story = tell("blocked_just_registered")
    story.arrives()
    asked: list[str] = []
    sa.event.listen(story.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    answer = look_up.search(SqlLookUp(story.engine, story.store.tenant_id), story.store, text, oid="hanna", now=NOW)
    assert not answer.asked_enough
    assert asked == []


def test_everything_that_the_services_write_down_has_words() -> None:
    """A case's own row stands beside no person; look-ups stay out of the timeline."""
    source = "\n".join(file.read_text() for file in SERVICES.glob("*.py"))
    written = set(re.findall(r'"((?:journey|device|possession|link|verdict|drift|lease|push|case|look_up)\.[a-z_]+)"', source))
    assert {"journey.started", "link.made", "push.confirmed"} <= written
    assert {why for why in written if not why.startswith(("case.", "look_up."))} <= EVENTS
