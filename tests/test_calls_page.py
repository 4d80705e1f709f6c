"""docs/calls.md has every call that our adapters make at Microsoft: with its permission, its source, and what is proven of it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "calls.md").read_text(encoding="utf-8")
# The address of a call, as the adapters write it: in the call itself, or where its values are filled in.
CALLED = re.compile(r'(?:call\(\s*"(?:GET|POST|PATCH|PUT|DELETE)",\s*|path\(\s*)f?"([^"]+)"')
PARTNER = re.compile(r"\b(PartnerTenants|PartnerTenantHeartbeat|PartnerCompliancePolicies|DataUploadMessages)\b")


def without_values(text: str) -> str:
    """`{oid}`, `{{}}` and `{kind}` are all the same here."""
    return re.sub(r"\{+[^{}]*\}+", "{}", text)


def adapters() -> list[Path]:
    """Those that speak to Graph or to Intune, by what they say of themselves."""
    found = sorted((ROOT / "remediation" / "adapters").glob("*.py"))
    return [file for file in found if re.search(r"graph-docs|Microsoft Graph|Intune", file.read_text(encoding="utf-8"))]


def calls() -> set[tuple[str, str]]:
    found = set()
    for file in adapters():
        text = file.read_text(encoding="utf-8")
        found |= {(file.stem, without_values(address)) for address in CALLED.findall(text) if "/ws1" not in address}
        found |= {(file.stem, word) for word in PARTNER.findall(text)}
    return found


CAST = {"groups/{}/transitiveMembers/microsoft.graph.{}": "groups/{}/transitiveMembers/microsoft.graph.user"}
"""What is put together from more than one value stands there once for each."""


def test_every_call_stands_in_the_table() -> None:
    known = without_values(PAGE)
    found = calls()
    assert {file for file, _ in found} >= {"graph", "graph_device", "second_lock", "directory_groups", "intune_partner_service"}
    missing = {(file, address) for file, address in found if CAST.get(address, address).removeprefix("{}/") not in known}
    assert missing == set()


ROWS = [line for line in PAGE.splitlines() if line.startswith(("| `", "| the "))]


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_a_permission_a_source_and_what_is_proven(row: str) -> None:
    cells = [cell.strip() for cell in row.strip("|").split(" | ")]
    assert len(cells) == 4, row
    assert all(cells), row
    assert re.search(r"proven|public|documented", cells[3]), row


ON_THE_STAND_IN = {"zero", "story", "tell", "ward", "ground", "remotes", "windows", "bare"}
"""Fixtures behind which the stand-in answers, over sockets or in process."""


def test_each_refusal_is_shown_by_a_test_in_which_the_stand_in_refuses() -> None:
    """docs/onboarding.md, *Each refusal*: the tests are there, and stand on it."""
    page = (ROOT / "docs" / "onboarding.md").read_text(encoding="utf-8")
    named, files = set(re.findall(r"\b(test_\w+)\b(?!\.py)", page)), set(re.findall(r"tests/[\w/]+\.py", page))
    found = {
        test.name: {argument.arg for argument in test.args.args}
        for file in (ROOT / "tests").rglob("test_*.py")
        for test in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(test, ast.FunctionDef) and test.name in named
    }
    assert len(named) > 12
    assert named == set(found)
    assert [name for name, given in found.items() if not given & ON_THE_STAND_IN] == []
    assert [file for file in files if not (ROOT / file).exists()] == []
