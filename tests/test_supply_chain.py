"""T35: what is installed is what the lock files name, byte for byte; whatever is not stays out."""

import base64
import hashlib
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = sorted(ROOT.glob("requirements*.lock"))
PINNED = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9.-]*)(?:\[[a-z0-9,-]+\])?==(?P<version>[^\s;]+)(?: ; [^\\]+?)?"
    r"(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})+)"
)
TOOLS = {"pip", "setuptools"}  # of the virtual environment itself, by the Python that made it


def requirements(text: str) -> list[str]:
    joined = re.sub(r"\s*\\\n\s*", " ", text)
    return [line.strip() for line in joined.splitlines() if line.strip() and not line.startswith("#")]


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_T35_every_requirement_has_one_version_and_its_hashes(lock: Path) -> None:
    found = requirements(lock.read_text())
    assert len(found) > (0 if "postgres" in lock.name else 20)
    assert [line for line in found if not PINNED.fullmatch(line)] == []
    good = found[0]
    without_hash, from_elsewhere = good.partition(" --hash")[0], good.replace("==", " @ https://evil.example/", 1)
    for bad in (without_hash, from_elsewhere, good.replace("==", ">=", 1), "--extra-index-url https://evil.example/", "-e ."):
        assert not PINNED.fullmatch(bad), bad


def test_T35_nothing_is_installed_that_no_lock_names() -> None:
    """Which is what a list of ingredients would say: the lock file is one."""
    locked = {}
    for line in requirements((ROOT / "requirements-test.lock").read_text()):
        found = PINNED.fullmatch(line)
        assert found is not None
        locked[found["name"]] = found["version"]
    here = {
        plain(one.metadata["Name"]): one.version
        for one in distributions()
        if Path(str(one.locate_file(""))).is_relative_to(sys.prefix)
    }
    assert len(here) > 40
    strangers = {name: version for name, version in here.items() if name not in TOOLS and locked.get(name) != version}
    assert strangers == {}
    runs = {found["name"] for line in requirements((ROOT / "requirements.lock").read_text()) if (found := PINNED.fullmatch(line))}
    assert runs <= set(locked), "the tests run with what the product runs with"


def ingredients(bom: dict[str, Any]) -> dict[tuple[str, str], set[str]]:
    """By name and version the hashes that it gives."""
    found = {}
    for one in bom["components"]:
        hashes = [given for where in one["externalReferences"] for given in where.get("hashes", ())]
        found[plain(one["name"]), one["version"]] = {given["content"] for given in hashes if given["alg"] == "SHA-256"}
    return found


def locked(text: str) -> dict[tuple[str, str], set[str]]:
    pinned = [found for line in requirements(text) if (found := PINNED.fullmatch(line))]
    return {(one["name"], one["version"]): set(re.findall(r"sha256:([0-9a-f]{64})", one["hashes"])) for one in pinned}


def test_T35_the_list_of_ingredients_is_what_the_product_is_locked_to() -> None:
    """`make sbom` makes it; whoever changes the lock file and forgets is told here."""
    lock, bom = (ROOT / "requirements.lock").read_text(), json.loads((ROOT / "sbom.cdx.json").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (bom["bomFormat"], bom["metadata"]["component"]["name"]) == ("CycloneDX", project["name"])
    assert bom["metadata"]["component"]["version"] == project["version"]
    assert all(one["purl"].startswith(f"pkg:pypi/{one['name']}@{one['version']}") for one in bom["components"])
    assert len(locked(lock)) > 40
    assert ingredients(bom) == locked(lock)
    other = lock.replace("--hash=sha256:9", "--hash=sha256:8", 1)
    assert ingredients(bom) != locked(other), "another hash is noticed"


def wheel(folder: Path, word: str) -> str:
    """A package of ours in this folder; returns its hash."""
    files = {
        "ingredient.py": f"WORD = {word!r}\n",
        "ingredient-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: ingredient\nVersion: 1.0\n",
    }
    files["ingredient-1.0.dist-info/WHEEL"] = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    sums = {
        name: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode() for name, text in files.items()
    }
    record = "".join(f"{name},sha256={sums[name]},{len(text)}\n" for name, text in files.items())
    path = folder / "ingredient-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as made:
        for name, text in {**files, "ingredient-1.0.dist-info/RECORD": record + "ingredient-1.0.dist-info/RECORD,,\n"}.items():
            made.writestr(name, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def installs(folder: Path, requirement: str) -> bool:
    """As `.ci/venv` does, from this folder alone."""
    options = re.search(r"pip install (.*) -r", (ROOT / ".ci" / "venv").read_text())
    assert options is not None
    lock = folder / "some.lock"
    lock.write_text(requirement + "\n")
    there = ["--no-index", "--find-links", str(folder), "--target", str(folder / hashlib.sha256(requirement.encode()).hexdigest())]
    command = [sys.executable, "-m", "pip", "--isolated", "install", *options[1].split(), *there, "-r", str(lock)]
    return subprocess.run(command, capture_output=True, check=False, timeout=120).returncode == 0


@pytest.mark.slow
def test_T35_another_package_under_the_same_name_and_version_stays_out(tmp_path: Path) -> None:
    right = wheel(tmp_path, "right")
    assert installs(tmp_path, f"ingredient==1.0 --hash=sha256:{right}"), "the control"
    assert not installs(tmp_path, "ingredient==1.0"), "without a hash"
    wheel(tmp_path, "wrong")
    assert not installs(tmp_path, f"ingredient==1.0 --hash=sha256:{right}")
