"""What the product itself writes of a person, and where: a whole story, then the person goes (T34)."""

import logging
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
import structlog

from remediation.domain.seals import SealKeys
from remediation.domain.steps import Step
from remediation.ports import Actor
from remediation.services import look_up
from remediation.services.audit_log import seal, verify
from remediation.services.person_file import end_links, erase, export
from remediation.settings.names import secrets_of
from remediation.store import SqlSessions
from remediation.store.engine import reading
from remediation.store.look_up import SqlLookUp
from remediation.store.person_rows import NOBODYS, SqlPersonRows
from remediation.store.seals import SqlSeals
from remediation.store.tables import metadata
from tests.services.test_budgets import settings_for
from tests.stories import BROWSER, Story

Tell = Callable[..., Story]
OPERATOR = Actor("operator", "root")
KEY = "nK3wXv8pQz5rTm1yJd7bLf2hGc9sEa4u"


def personal(story: Story) -> list[str]:
    """What a neighbour would know her by."""
    person = story.remotes.person()
    [device] = story.remotes.mdm.devices_of(person).devices
    names = [person.name, *person.name.split(), person.user_name, person.mail or "", device.name, device.serial or ""]
    return [name.lower() for name in names if name]


def where_it_stands(story: Story, words: list[str]) -> dict[str, set[str]]:
    """By table, the columns in which any of the words stands. Object ids are GUIDs, in which no name is found by chance."""
    found: dict[str, set[str]] = {}
    with reading(story.engine) as connection:
        for table in metadata.sorted_tables:
            for column in table.columns:
                text = sa.func.lower(sa.cast(sa.type_coerce(column, sa.types.NullType()), sa.Text))
                says = sa.or_(*(text.contains(word, autoescape=True) for word in words))
                if connection.execute(sa.select(sa.literal(1)).select_from(table).where(says).limit(1)).first():
                    found.setdefault(table.name, set()).add(column.name)
    return found


def lived_through(tell: Tell) -> Story:
    """With a fault, a search by the helpdesk for everything that she may be known by, and a fall from compliance."""
    story = tell("blocked_just_registered")
    SqlSessions(story.engine, story.store.tenant_id).begin(
        oid=story.remotes.person().oid, name=story.remotes.person().name, roles=(), browser=BROWSER, at=story.world.clock()
    )
    story.arrives()
    story.fault("workspace_one", "server_error", times=1)
    story.checks_again()
    story.passes(60)
    story.says_this_is_mine()
    story.taps_the_message()
    story.gets_to(Step.OPEN)
    story.says_still_blocked()
    story.reports_health(passcode=False)
    story.passes(120)
    reads = SqlLookUp(story.engine, story.store.tenant_id)
    for text in (*personal(story), story.journey.case_code):
        look_up.search(reads, story.store, text, oid="hanna", now=story.world.clock())
    look_up.open_file(reads, story.store, story.oid, case_code="", oid="hanna", now=story.world.clock())
    return story


def note(events: list[Any]) -> Any:
    def processor(_logger: Any, _method: str, event: Any) -> Any:
        events.append(dict(event))
        raise structlog.DropEvent

    return processor


def test_T34_only_tables_that_an_erasure_empties_hold_names(tell: Tell) -> None:
    """And so the audit may stay: it holds ids alone, whatever the helpdesk typed. The log holds no more than that either."""
    events: list[Any] = []
    before = structlog.get_config()
    structlog.configure(processors=[note(events)], wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    try:
        story = lived_through(tell)
    finally:
        structlog.configure(**before)
    told = repr(events).lower()
    assert "remote.call" in told
    assert [word for word in personal(story) if word in told] == []
    found = where_it_stands(story, personal(story))
    assert {"people", "sessions", "managed_devices", "directory_devices", "observations"} <= found.keys()
    assert found.keys().isdisjoint(NOBODYS), found


def test_T34_a_whole_life_is_erased_once_microsoft_has_taken_its_end(tell: Tell) -> None:
    story = lived_through(tell)
    log, rows, oid, words = (
        SqlSeals(story.engine, story.store.tenant_id),
        SqlPersonRows(story.engine, story.store.tenant_id),
        story.oid,
        personal(story),
    )
    story.reports_health(passcode=True)
    story.passes(120)
    assert story.entra_shows is True
    seal(log, KEY, story.world.clock)
    held = export(story.store, rows, oid, actor=OPERATOR, why="their right", now=story.world.clock())
    assert held is not None
    assert held["people"][0]["name"] in repr(held)
    assert story.token not in repr(held)
    assert end_links(story.store, rows, oid, actor=OPERATOR, now=story.world.clock()) == 1
    for _ in range(40):
        if not end_links(story.store, rows, oid, actor=OPERATOR, now=story.world.clock()):
            break
        story.tick(5)
    assert story.entra_shows is False, "taken down at Microsoft before anything was forgotten here"
    erase(story.store, oid, actor=OPERATOR, why="asked for", now=story.world.clock())
    assert where_it_stands(story, words) == {}
    assert where_it_stands(story, [oid]).keys() == {"audit"}
    story.passes(120)
    assert where_it_stands(story, words) == {}, "nothing that runs brings it back"
    seal(log, KEY, story.world.clock)
    checked = verify(log, SealKeys([KEY]), story.store.tenant_id, {}, lambda *_: None)
    assert (checked.first, checked.unsealed, checked.rows) == (None, 0, len(story.audit()))


def test_lesson_CVE_2024_8365_no_secret_stands_in_an_audit_row(tell: Tell) -> None:
    """HashiCorp Vault wrote tokens into its audit in the clear. The word list of `Change.audit` is a net; this is the proof."""
    story = lived_through(tell)
    planted = [secret.lower() for secret in secrets_of(settings_for(story.sandbox))]
    assert len(planted) == 4, "the service's, the MDM's, the audit's key, and the database's address"
    assert where_it_stands(story, [*planted, story.token.lower(), "bearer "]) == {}
    assert "possession_links" in where_it_stands(story, [story.journey_id]), "the look finds what is there"
