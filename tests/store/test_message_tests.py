"""One row for each MDM connection: of many taps one counts, within its tenant; and what was tapped before this version counts."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from remediation.services.message_test import arrived
from remediation.store import DbosWakeups, SqlStore, migrations
from remediation.store.engine import writing
from remediation.store.tables import message_tests
from tests.people import NOON, minutes
from tests.proven import asked, never_arrived
from tests.store.scenes import BROWSER, Scene, all_at_once


def test_T7_of_sixteen_taps_one_counts(scene: Scene) -> None:
    never_arrived(scene.engine)
    token = asked(scene.store, NOON)
    assert scene.journey().unproven == {"ws1"}
    taps = [lambda: arrived(scene.store, token, browser=BROWSER, now=NOON + minutes(1))] * 16
    assert all_at_once(taps) == {"done": 1, "used": 15}
    assert scene.journey().unproven == set()
    assert scene.audited().count("message_test.seen") == 1


def test_I10_what_arrives_in_another_tenant_proves_nothing_here(scene: Scene) -> None:
    never_arrived(scene.engine)
    theirs = SqlStore(scene.engine, "fabrikam", DbosWakeups(scene.engine))
    token = asked(theirs, NOON)
    assert scene.store.message_test_behind(token) is None
    arrived(theirs, token, browser=BROWSER, now=NOON)
    assert scene.journey().unproven == {"ws1"}


def test_a_message_that_a_person_tapped_before_there_was_a_test_counts(scene: Scene) -> None:
    scene.ask_for_proof()
    scene.mint("hash")
    with scene.change("possession.proven", at=NOON + minutes(2)) as change:
        change.prove_possession("hash", oid="mia", browser=BROWSER)
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with writing(scene.engine) as connection:
        config.attributes["connection"] = connection
        connection.execute(sa.text("DROP TABLE message_tests"))
        command.stamp(config, BEFORE)
        command.upgrade(config, "0016")
    [row] = scene.rows(sa.select(message_tests))
    assert (row.connection, row.proven_at, row.token_hash) == ("ws1", NOON + minutes(2), None)
    assert scene.journey().unproven == set()


BEFORE = "0015"
