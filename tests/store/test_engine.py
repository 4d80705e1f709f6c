"""The two kinds of transaction: no update is lost, reads wait for no writer and write nothing."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from remediation.store.columns import Moment
from remediation.store.engine import make_engine, reading, writing
from remediation.store.tables import sign_in_states
from tests.people import NOON
from tests.store.scenes import all_at_once


def test_four_writers_that_read_first_lose_no_update(engine: sa.Engine) -> None:
    row = sa.and_(sign_in_states.c.tenant_id == "t", sign_in_states.c.key == "count")
    with writing(engine) as connection:
        connection.execute(sa.insert(sign_in_states).values(tenant_id="t", key="count", value="0", until=NOON))

    def count_up() -> None:
        for _ in range(25):
            with writing(engine) as connection:
                now = connection.execute(sa.select(sign_in_states.c.value).where(row).with_for_update()).scalar_one()
                connection.execute(sa.update(sign_in_states).where(row).values(value=str(int(now) + 1)))

    assert all_at_once([count_up] * 4) == {"done": 4}
    with reading(engine) as connection:
        assert connection.execute(sa.select(sign_in_states.c.value)).scalar_one() == "100"


def test_a_reader_waits_for_no_writer_and_sees_one_snapshot(engine: sa.Engine) -> None:
    count = sa.select(sa.func.count()).select_from(sign_in_states)
    with reading(engine) as reader:
        assert reader.execute(count).scalar_one() == 0
        with writing(engine) as writer:
            writer.execute(sa.insert(sign_in_states).values(tenant_id="t", key="k", value="v", until=NOON))
            assert reader.execute(count).scalar_one() == 0
        assert reader.execute(count).scalar_one() == 0


def test_the_sqlite_settings_hold_on_every_connection(tmp_path: Path) -> None:
    with reading(make_engine(f"sqlite:///{tmp_path / 'here.sqlite'}")) as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        ]
    assert found == ["wal", 2, 30000, 1]


@pytest.mark.parametrize("address", ["mysql://host/db", "sqlite://", "postgresql+psycopg2://host/db"])
def test_another_database_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="must begin with"):
        make_engine(address)


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        Moment().process_bind_param(NOON.replace(tzinfo=None), sa.create_engine("sqlite://").dialect)


def test_what_a_statement_carried_stands_in_no_error(engine: sa.Engine) -> None:
    row = sa.insert(sign_in_states).values(tenant_id="t", key="a-key", value="a-value", until=NOON)
    with writing(engine) as connection:
        connection.execute(row)
    with pytest.raises(sa.exc.IntegrityError) as raised, writing(engine) as connection:
        connection.execute(row)
    assert "a-value" not in str(raised.value)
