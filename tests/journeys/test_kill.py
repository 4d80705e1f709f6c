"""`kill -9` of the worker at ten random moments of a push, on both databases: the phone still gets through, by one message."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from remediation.operator_wiring import AuditCheck
from remediation.settings import PREFIX, AuditSettings
from remediation.store.migrations import migrate
from tests.journeys.plain import Plain
from tests.journeys.stage import Stage, copied
from tests.postgres import running_postgres

Raised = Callable[..., Stage]
KILLS = 10
pytestmark = pytest.mark.slow


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, migrated: Path, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield copied(migrated, tmp_path)
        return
    with running_postgres() as address:
        server = sa.make_url(address)
        admin = sa.create_engine(server.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        own = server.set(database=f"killed_{uuid4().hex}")
        with admin.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {own.database}"))
        admin.dispose()
        url = own.render_as_string(hide_password=False)
        migrate(url)
        yield url


def test_P2_killed_ten_times_in_mid_push_the_phone_gets_through_once(raised: Raised, url: str) -> None:
    stage = raised("blocked_just_registered", url, lagging=True)
    mia = Plain(stage)
    mia.arrives()
    mia.signs_in()
    mia.waits_for("Are you holding this device?")
    mia.presses("#send")
    mia.waits_for("Open the message on this device")
    mia.taps_the_message()
    chance = random.Random(11)
    for _ in range(KILLS):
        threading.Event().wait(chance.uniform(0.2, 2.5))
        stage.kill_worker()
    mia.waits_for("Microsoft sees your device as compliant", within=180)
    assert mia.outlook() == "open"
    assert len(stage.uploads()) == 1
    assert stage.audit().count("push.confirmed") == 1
    assert whole_and_sealed(stage)


def whole_and_sealed(stage: Stage) -> bool:
    """Each worker that was killed was in the midst of sealing once or twice."""
    names = {name.removeprefix(PREFIX).lower(): value for name, value in stage.settings.items()}
    known = {name: names[name] for name in ("database_url", "tenant_id", "audit_key")}
    check = AuditCheck(AuditSettings.model_validate(known))
    until = time.monotonic() + 10
    while (checked := check.verify({}, lambda done, total: None)).unsealed and time.monotonic() < until:
        time.sleep(0.2)
    return checked.first is None and checked.unsealed == 0 and checked.rows == len(stage.audit())
