"""Whoever can write a row of the engine's cannot run code with it."""

import base64
import os
import pickle
from pathlib import Path

import pytest
import sqlalchemy as sa
from dbos import DBOSClient, DBOSPortableJSONSerializer
from dbos._serialization import deserialize_args, deserialize_value

from remediation.store.pickle_door import PickleRefused
from tests.store.scenes import Scene


class Planted:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_a_planted_row_runs_nothing(scene: Scene, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    planted = base64.b64encode(pickle.dumps(Planted(trap))).decode()
    with scene.change() as change:
        change.want_look("j1")
    schema = "dbos." if scene.engine.dialect.name == "postgresql" else ""
    with scene.engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE {schema}workflow_status SET serialization = 'py_pickle'"))  # noqa: S608
        connection.execute(sa.text(f"UPDATE {schema}workflow_input SET inputs = :planted"), {"planted": planted})  # noqa: S608
    client = DBOSClient(system_database_engine=scene.engine, serializer=DBOSPortableJSONSerializer(), lazy=True)
    assert [str(w.input) for w in client.list_workflows(load_input=True)] == [planted]
    for read in (deserialize_args, deserialize_value):
        with pytest.raises(PickleRefused):
            read(planted, "py_pickle", DBOSPortableJSONSerializer())
    assert not trap.exists()
