"""A look-up of a whole story: found by code and by name, one audit row each, and the timeline tells the way through."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from remediation.domain.steps import Step
from remediation.services import look_up
from remediation.store.look_up import SqlLookUp
from remediation.store.tables import audit
from remediation.web.helpdesk_panel import panel
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
    looked = [(row.why, row.detail) for row in rows(story) if row.why.startswith("look_up.")]
    by_code, by_word = {"words": 2, "codes": 1, "found": [story.oid]}, {"words": 1, "codes": 0, "found": [story.oid]}
    viewed = {"case": story.journey.case_code}
    assert looked == [("look_up.searched", by_code), ("look_up.searched", by_word), ("look_up.viewed", viewed)]


def test_a_pasted_id_is_found_with_whatever_stands_around_it(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.gets_through()
    reads = SqlLookUp(story.engine, story.store.tenant_id)
    device_id, serial = story.links()[-1].device_id, story.journey.managed[0].serial
    for pasted in (f"Device identifier: {device_id}\nDevice platform: iOS", f"S/N {serial} (phone of Mia)", device_id.upper()):
        found = look_up.search(reads, story.store, pasted, oid="hanna", now=NOW)
        assert [one.person.oid for one in found.people] == [story.oid], pasted
        assert found.people[0].device, "the page says by which device"
    nobody = look_up.search(reads, story.store, f"Device identifier: {device_id[::-1]}", oid="hanna", now=NOW)
    assert nobody.nothing


def rows(story: Story) -> list[Any]:
    with story.engine.connect() as connection:
        return list(connection.execute(sa.select(audit).order_by(audit.c.id)).all())


def ids_of_the_last_call(story: Story, service: str) -> tuple[str, int | None]:
    called = [entry for entry in story.ledger() if entry["service"] == service][-1]
    return called["headers"]["Client-Request-Id"], called["status"]


@pytest.mark.parametrize(("service", "remote"), [("graph", "directory"), ("workspace_one", "mdm")])
def test_a_failed_look_keeps_the_ids_to_quote_also_when_all_is_well_again(tell: Tell, service: str, remote: str) -> None:
    story = tell("blocked_just_registered")
    story.arrives()
    assert not story.journey.look.failed_calls
    story.fault(service, "server_error")
    story.checks_again()
    ours, status = ids_of_the_last_call(story, service)
    [call] = list(story.journey.look.failed_calls)
    assert (call.remote, call.code, call.client_request_id, status) == (remote, "busy", ours, 503)
    story.sandbox.faults.clear()
    story.passes(300)
    assert story.journey.look.mdm_error is story.journey.look.directory_error is None
    assert list(story.journey.look.failed_calls) == [call]


def test_a_push_keeps_the_ids_of_its_call_whether_it_failed_or_not(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.arrives()
    story.says_this_is_mine()
    story.fault("intune", "server_error")
    story.taps_the_message()
    ours, _ = ids_of_the_last_call(story, "intune")
    (failed,) = story.push.failed_calls
    assert (failed.remote, failed.code, failed.client_request_id) == ("channel", "busy", ours)
    story.sandbox.faults.clear()
    story.gets_to(Step.OPEN)
    (put,) = [e for e in story.ledger() if (e["service"], e["method"], e["status"]) == ("intune", "PUT", 200)]
    timeline = SqlLookUp(story.engine, story.store.tenant_id).timeline(story.oid, limit=100)
    (sent,) = [event for event in timeline if event.what == "push.sent"]
    assert sent.detail["client_request_id"] == put["headers"]["Client-Request-Id"]
    assert sent.detail["request_id"]
    file = look_up.open_file(SqlLookUp(story.engine, story.store.tenant_id), story.store, story.oid, case_code="", oid="h", now=NOW)
    assert file is not None
    seen = panel(file, NOW, tenant_id=story.store.tenant_id)
    assert {fact.id for fact in seen.quotes} >= {sent.detail["client_request_id"], sent.detail["request_id"]}
    assert [(card.name, failed.client_request_id in {fact.id for fact in card.facts}) for card in seen.calls] == [("channel", True)]


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
    written = set(
        re.findall(r'"((?:journey|device|possession|link|verdict|drift|lease|push|case|look_up|person)\.[a-z_]+)"', source)
    )
    assert {"journey.started", "link.made", "push.confirmed"} <= written
    assert {why for why in written if not why.startswith(("case.", "look_up."))} <= EVENTS
