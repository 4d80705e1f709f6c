"""The change-over as an operator does it: refused while the product runs, then done, and a linked phone is carried on."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from remediation.settings import WebSettings, WorkerSettings
from sandbox import demo
from tests.journeys.plain import Plain
from tests.journeys.stage import Stage
from tests.postgres import running_postgres

Raised = Callable[..., Stage]
pytestmark = pytest.mark.slow


@pytest.fixture
def postgresql() -> Iterator[str]:
    """Holds nothing at all yet."""
    with running_postgres() as address:
        server = sa.make_url(address)
        own = server.set(database=f"moved_{uuid4().hex}")
        admin = sa.create_engine(server.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {own.database}"))
        admin.dispose()
        yield own.render_as_string(hide_password=False)


def moves(stage: Stage, target: Path) -> subprocess.CompletedProcess[str]:
    settings = {name: stage.settings[name] for name in ("REMEDIATION_DATABASE_URL", "REMEDIATION_TENANT_ID")}
    command = [sys.executable, "-m", "remediation", "migrate", "--to-file", str(target)]
    return subprocess.run(
        command, env=demo.environment(settings), cwd=demo.REPOSITORY, capture_output=True, text=True, timeout=120, check=False
    )


def test_P1_a_linked_phone_is_carried_on_after_the_move(raised: Raised, postgresql: str, tmp_path: Path) -> None:
    stage = raised("blocked_just_registered")
    mia = Plain(stage)
    mia.arrives()
    mia.signs_in()
    mia.waits_for("Are you holding this device?")
    mia.presses("#send")
    mia.waits_for("Open the message on this device")
    mia.taps_the_message()
    mia.waits_for("Microsoft sees your device as compliant")
    address = tmp_path / "new-database"
    address.write_text(postgresql + "\n")

    told = moves(stage, address)
    assert told.returncode == 2
    assert "is in use. End `serve` and `work`" in told.stderr
    for child in stage.children.values():
        child.terminate()
        assert child.wait(40) == 0
    told = moves(stage, address)
    assert told.returncode == 0, told.stderr
    assert "rows moved in" in told.stdout
    stage.url = stage.settings["REMEDIATION_DATABASE_URL"] = postgresql
    stage.start("serve", WebSettings)
    stage.start("work", WorkerSettings)

    with stage.sandbox.world.lock:
        stage.mia.health.jailbroken = True
        assert stage.mia.record_id is not None
        stage.sandbox.world.check_in(stage.mia.record_id)
    until = time.monotonic() + 90
    while mia.outlook() != "blocked":
        assert time.monotonic() < until, stage.log("work")[-3000:]
        time.sleep(0.5)
    assert stage.audit().count("database.moved") == 1
    mia.goes(f"{stage.origin}/journey")
    assert mia.heading != "Microsoft sees your device as compliant", "still signed in, and the page says what is so"
