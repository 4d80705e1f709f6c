"""`remediation connections`: for the eye, for a machine, and its exit status; what rows hold cannot steer a terminal."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from remediation.store.tables import remotes, watches
from tests.store.scenes import GOOD
from tests.test_operator_commands import PLANTED, TENANT, Ground


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    made = Ground(tmp_path)
    yield made
    made.engine.dispose()


def remember(ground: Ground, remote: str, **values: Any) -> None:
    ground.put(sa.insert(remotes).values(tenant_id=TENANT, remote=remote, **values))


def well(ground: Ground, *, name: str = "ws1") -> None:
    for remote in ("tokens:graph.example", "directory", "channel", f"mdm:{name}"):
        remember(ground, remote, good_at=ground.now, rate=2.0, burst=12)


def test_all_well(ground: Ground) -> None:
    well(ground)
    told = ground.says("connections")
    assert told.count("Well.") == 4
    assert "Device management ws1: Well." in told
    answer = json.loads(ground.says("connections", "--json"))
    assert answer["well"] is True
    assert [(one["kind"], one["name"], one["condition"]) for one in answer["connections"]] == [
        *(("entra", "", "well"), ("directory", "", "well"), ("channel", "", "well"), ("mdm", "ws1", "well"))
    ]


def test_a_dead_one_is_told_with_why_who_acts_and_whose_leases_end(ground: Ground) -> None:
    well(ground, name="maas")
    ground.linked().desire(GOOD)
    since = ground.now - timedelta(hours=3)
    failure = {"failed_at": ground.now, "failing_since": since, "failures": 9, "error": "refused", "cause": "credentials"}
    remember(ground, "mdm:ws1", good_at=since, status=401, code="1005", words="User … cannot be authenticated.", **failure)
    ground.put(sa.insert(watches).values(tenant_id=TENANT, name="mdm:gone/poll", reason="no_such_source", good_at=since))
    remember(ground, "mdm:gone", good_at=since)
    told = ground.says("connections", status=1)
    for words in (
        *("Device management ws1: No good answers. Since", "(3 h", "It does not take our credential.", "who has access keeps it"),
        *("An administrator of this device management checks the account", "1 in all", "The first lease ends at"),
        *("refused · 401 · 1005", "User … cannot be authenticated.", "Links that depend on it: 1"),
    ):
        assert words in told, words
    assert "gone" not in told, "taken out of the settings"
    answer = json.loads(ground.says("connections", "--json", status=1))
    one = next(one for one in answer["connections"] if one["name"] == "ws1")
    assert (answer["well"], one["cause"], one["links"], one["since"]) == (False, "credentials", 1, since.isoformat())
    assert one["facts"]["error"] == "refused · 401 · 1005"


def test_nothing_asked_yet_is_not_well_and_no_other_tenants_rows_are_read(ground: Ground) -> None:
    ground.put(sa.insert(remotes).values(tenant_id="another", remote="mdm:theirs", good_at=ground.now))
    told = ground.says("connections", status=1)
    assert told.count("Not asked yet.") == 3
    assert "theirs" not in told


def test_what_rows_hold_cannot_steer_a_terminal(ground: Ground) -> None:
    failure = {"failed_at": ground.now, "failures": 3, "error": PLANTED, "cause": PLANTED, "code": PLANTED, "words": PLANTED}
    remember(ground, f"mdm:{PLANTED}", **failure)
    for told in (ground.says("connections", status=1), ground.says("connections", "--json", status=1)):
        assert not {"\x1b", "\x07"} & set(told)
    assert "red" in told
