"""docs/complaints.md: every complaint has its sentence, its scenario and its test, and each of them is there."""

import re
from pathlib import Path

import pytest

from remediation.domain.troubles import Trouble
from sandbox.scenarios import SCENARIOS
from tests.web.test_texts import ENGLISH

HOUSE = Path(__file__).resolve().parent.parent
LINES = [line for line in (HOUSE / "docs" / "complaints.md").read_text().splitlines() if re.match(r"\| \d+ \|", line)]
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in LINES]
FOR_ADMINISTRATORS = "33"


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_all_thirty_six_are_there_once() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, 37))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_names_what_there_is(row: list[str]) -> None:
    number, complaint, signal, sentences, helpdesk, scenarios, tests = row
    assert complaint
    assert signal
    assert helpdesk
    assert named(sentences), number
    assert set(named(sentences)) <= set(ENGLISH)
    assert set(named(scenarios)) <= set(SCENARIOS)
    assert named(scenarios) or number == FOR_ADMINISTRATORS
    assert named(tests), number
    for test in named(tests):
        file, _, name = test.partition("::")
        assert f"def {name}(" in (HOUSE / file).read_text(), test


def test_what_is_asked_has_a_row() -> None:
    said = {name for row in ROWS for name in named(row[3])}
    assert {f"trouble.text.{trouble.value}" for trouble in Trouble} - said == {"trouble.text.computer"}
