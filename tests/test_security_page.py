"""docs/security.md names tests: each is there, and each attack and each invariant has its row and its tests."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
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


# Listed with the reason why the product has nothing that could be attacked so; their tests hold that it stays so.
NOT_HERE: set[int] = set()


def rows(letter: str) -> Mapping[int, list[str]]:
    """The cells of each numbered row of a table."""
    lines = (line for line in PAGE.splitlines() if re.match(rf"\| {letter}\d+ ", line))
    cells = ([cell.strip() for cell in line.strip("|").split(" | ")] for line in lines)
    return {int(found[1]): row for row in cells if (found := re.match(rf"\|? ?{letter}(\d+)", row[0]))}


def sources() -> Iterator[tuple[str, str]]:
    """Each test there is, with its source and that of what decorates it."""
    for file in (ROOT / "tests").rglob("test_*.py"):
        source = file.read_text()
        lines = source.splitlines()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
                yield node.name, "\n".join(lines[first - 1 : node.end_lineno])


def numbered(letter: str) -> Mapping[int, dict[str, str]]:
    """By number the tests that bear it: `test_T3_T5_…` bears two."""
    found = defaultdict[int, dict[str, str]](dict)
    for name, source in sources():
        for number in re.findall(rf"_{letter}(\d+)(?=_)", name):
            found[int(number)][name] = source
    return found


def test_every_attack_has_a_defence_and_a_proof_in_its_row_and_a_test_of_its_name() -> None:
    page, there = rows("T"), numbered("T")
    assert sorted(page) == list(range(1, 38))
    for number, (_, defence, proof) in page.items():
        assert len(defence) > 20, f"T{number} says no defence"
        assert ("*not here*" in defence) is (number in NOT_HERE), f"T{number}"
        assert f"test_T{number}_" in proof, f"the row of T{number} names no test of its own"
        assert there[number], f"no test is named after T{number}"


def test_every_invariant_has_a_row_and_a_property_test() -> None:
    """Over whatever hypothesis comes up with: examples alone prove no invariant."""
    page, there = rows("I"), numbered("I")
    assert sorted(page) == sorted(there) == list(range(1, 13))
    for number, (_, held_by, proof) in page.items():
        assert len(held_by) > 10, f"I{number} is held by nothing"
        assert f"`test_I{number}_…`" in proof
        assert any("@given(" in source for source in there[number].values()), f"I{number} has examples alone"
