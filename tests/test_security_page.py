"""docs/security.md names tests: each is there, and each attack has its row."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text()
TESTS = {
    name for file in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
}


def test_every_attack_from_T1_to_T37_has_a_row() -> None:
    assert [int(number) for number in re.findall(r"^\| T(\d+) ", PAGE, re.MULTILINE)] == list(range(1, 38))


def test_every_test_that_the_page_names_is_there() -> None:
    whole = set(re.findall(r"`(?:[\w/.]+: )?(test_\w+)`", PAGE))
    begun = set(re.findall(r"`(test_\w+_)…", PAGE))
    assert len(whole) > 10
    assert whole <= TESTS, whole - TESTS
    assert not [name for name in begun if not any(test.startswith(name) for test in TESTS)]


def test_every_file_that_the_page_names_is_there() -> None:
    for name in re.findall(r"`((?:tests|remediation|\.ci)/[\w/]+(?:\.py)?)", PAGE):
        assert (ROOT / name).exists(), name
