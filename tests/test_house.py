"""The house rules that a reader relies on, read from the sources: arrows point inwards, strangers stay strangers."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Room -> the rooms and modules of `remediation` that it may see besides itself. Whoever is not named here is seen by nobody.
MAY_SEE = {
    "domain": set(),
    "errors": set(),
    "ports": {"domain", "errors"},
    "services": {"domain", "ports", "errors"},
    "adapters": {"domain", "ports", "errors"},
    "store": {"domain", "ports", "errors"},
    "worker": {"services", "domain", "ports", "errors"},
    "web": {"services", "domain", "ports", "errors", "settings"},
    "secret_files": set(),
    "settings": {"secret_files", "domain"},
    "log": {"secret_files"},
    "serving": set(),
    "operator_pulses": {"adapters", "store", "worker", "services", "ports", "settings"},
    "wire_mdm": {"wire", "adapters", "domain", "ports", "errors", "settings"},
    "wire_channels": {"wire", "adapters", "domain", "ports", "errors", "settings"},
    "wire": {"wire_mdm", "adapters", "domain", "ports", "settings", "secret_files"},
    "set_up_wiring": {"wire", "adapters", "services", "domain", "ports", "settings"},
    "wiring": {
        "wire",
        "wire_mdm",
        "wire_channels",
        "set_up_wiring",
        "messages",
        "operator_pulses",
        "adapters",
        "store",
        "web",
        "worker",
        "services",
        "domain",
    }
    | {"ports", "errors", "settings"},
    "operator_wiring": {"wiring", "adapters", "store", "web", "services", "domain", "ports", "errors", "settings"},
    "credential_wiring": {"wire", "adapters", "services", "domain", "ports", "settings"},
    "look_wiring": {"wiring", "doctor_wiring", "lock_wiring", "adapters", "services", "domain", "ports", "errors", "settings"},
    "onboard_console": {"wiring", "onboard_wiring", "adapters", "store", "web", "services", "domain", "ports", "settings"},
    "onboard_wiring": {
        "wiring",
        "look_wiring",
        "doctor_wiring",
        "set_up_wiring",
        "adapters",
        "store",
        "web",
        "worker",
        "services",
        "domain",
        "ports",
        "errors",
    }
    | {"settings", "log"},
    "onboard_commands": {"onboard_console", "registrations", "wiring", "services", "domain", "terminal", "settings"},
    "registrations": {"domain"},
    "terminal": {"serving", "errors", "settings"},
    "operator_commands": {"wiring", "operator_wiring", "onboard_wiring", "log", "terminal", "errors", "settings"},
    "messages": {"web", "services", "domain"},
    "message_command": {"wiring", "onboard_wiring", "terminal", "settings"},
    "bar_command": {"wiring", "onboard_wiring", "services", "log", "terminal", "settings"},
    "appearance_commands": {"operator_commands", "terminal", "domain"},
    "work_commands": {"wiring", "operator_commands", "terminal", "domain"},
    "figures_command": {"operator_commands", "services", "terminal"},
    "audit_commands": {"wiring", "operator_wiring", "onboard_wiring", "operator_commands", "terminal", "errors", "settings"},
    "impact_commands": {"operator_commands", "services", "ports", "terminal", "errors"},
    "connection_commands": {"wiring", "operator_wiring", "operator_commands", "terminal"},
    "mdm_commands": {"mdm_wiring", "onboard_wiring", "log", "terminal", "errors", "settings"},
    "mdm_wiring": {"wiring", "services", "store", "web", "domain", "ports", "errors", "settings"},
    "repair_commands": {"operator_commands", "operator_wiring", "terminal", "domain", "errors"},
    "partner_commands": {"wiring", "onboard_wiring", "partner_wiring", "terminal", "domain", "errors", "settings"},
    "partner_wiring": {"wire", "wiring", "set_up_wiring", "adapters", "store", "web", "services", "domain", "ports", "errors"}
    | {"settings"},
    "lock_commands": {"lock_wiring", "terminal", "errors", "settings"},
    "lock_wiring": {"wire", "wiring", "adapters", "store", "web", "services", "domain", "ports", "errors", "settings"},
    "scope_wiring": {"wire", "wiring", "set_up_wiring", "store", "web", "services", "domain", "ports", "errors", "settings"},
    "scope_commands": {"onboard_wiring", "scope_wiring", "log", "terminal", "errors", "settings"},
    "pilot_commands": {"scope_wiring", "scope_commands", "onboard_commands", "doctor_words", "terminal", "domain", "errors"},
    "doctor_wiring": {
        "credential_wiring",
        "wire",
        "wiring",
        "set_up_wiring",
        "adapters",
        "store",
        "web",
        "services",
        "domain",
        "ports",
        "errors",
    }
    | {"settings"},
    "doctor_words": {"domain", "web"},
    "doctor_commands": {
        "wiring",
        "onboard_wiring",
        "doctor_wiring",
        "doctor_words",
        "log",
        "terminal",
        "domain",
        "errors",
        "settings",
    },
    "commands": {"wiring", "serving", "log", "terminal", "operator_commands", "audit_commands", "bar_command", "operator_wiring"}
    | {"message_command"}
    | {"doctor_commands", "figures_command", "mdm_commands", "connection_commands", "partner_commands", "lock_commands"}
    | {"appearance_commands", "repair_commands", "work_commands"}
    | {"onboard_commands", "onboard_wiring", "scope_commands", "pilot_commands", "impact_commands", "settings"},
    "__main__": {"commands"},
    "__init__": set(),
}
# Libraries that live in one room only.
ONLY_IN = {
    "flask": {"web", "wiring", "onboard_wiring"},  # wiring says the type of what it builds
    "flask_wtf": {"web"},
    "authlib": {"web"},
    "msal": {"adapters"},
    "cryptography": {"adapters"},
    # Authlib's client in web, a transport for tests
    "requests": {
        "adapters",
        "web",
        "wire",
        "wiring",
        "doctor_wiring",
        "partner_wiring",
        "look_wiring",
        "scope_wiring",
        "lock_wiring",
    },
    "sqlalchemy": {"store", "wiring", "operator_pulses", "onboard_wiring"},
    "alembic": {"store", "wiring"},
    "dbos": {"store", "worker"},
    "gunicorn": {"serving"},
    "pydantic_settings": {"settings"},
    "smtplib": {"adapters"},
    "segno": {"web"},
    "prometheus_client": {"adapters"},
    "pydantic": {"settings", "web"},
}


def python_files(folder: str) -> list[Path]:
    return sorted(path for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts)


def imports(path: Path) -> Iterator[str]:
    """Full dotted names, relative ones resolved; `from a import b` gives `a.b`, since b may be a module."""
    package = list(path.relative_to(ROOT).with_suffix("").parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "remediation").with_suffix("").parts[0]


@pytest.mark.parametrize("path", python_files("remediation"), ids=lambda path: str(path.relative_to(ROOT)))
def test_arrows_point_inwards(path: Path) -> None:
    room = room_of(path)
    seen = {name.split(".")[1] for name in imports(path) if name.startswith("remediation.")} - {room}
    assert seen <= MAY_SEE[room], f"{path.relative_to(ROOT)} may not see {sorted(seen - MAY_SEE[room])}"
    tops = {name.split(".")[0] for name in imports(path)}
    assert "sandbox" not in tops, "the product and its stand-in are strangers"
    for library in tops & ONLY_IN.keys():
        assert room in ONLY_IN[library], f"{library} lives in {sorted(ONLY_IN[library])}"


@pytest.mark.parametrize("room", ["domain", "ports", "errors", "services"])
def test_the_core_needs_the_standard_library_only(room: str) -> None:
    for path in python_files("remediation"):
        if room_of(path) == room:
            foreign = {name.split(".")[0] for name in imports(path)} - sys.stdlib_module_names - {"remediation"}
            assert not foreign, f"{path.relative_to(ROOT)} imports {sorted(foreign)}"


def test_the_domain_has_no_clock_and_does_nothing() -> None:
    for path in python_files("remediation/domain"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\.(now|utcnow|today)\(|\bopen\(|import (os|time|random|socket|logging)\b", text), path


def test_no_adapter_knows_another() -> None:
    """Files of one family (`workspace_one…`) are one adapter; `http` and what `shared` names are for all."""
    shared = {"http", "fields", "gate", "addresses", "causes", "odata"}
    families = sorted((path.stem for path in python_files("remediation/adapters")), key=len)
    for path in python_files("remediation/adapters"):
        seen = {name.split(".")[2] for name in imports(path) if name.startswith("remediation.adapters.") and name.count(".") >= 2}
        family = next(stem for stem in families if path.stem.startswith(stem))
        strangers = {other for other in seen - shared if not other.startswith(family)}
        assert not strangers, f"{path.name} sees {sorted(strangers)}"


@pytest.mark.parametrize(
    "door",
    [
        "__main__",
        "commands",
        "operator_commands",
        "audit_commands",
        "connection_commands",
        "doctor_commands",
        "figures_command",
        "impact_commands",
        "lock_commands",
        "mdm_commands",
        "onboard_commands",
        "partner_commands",
        "appearance_commands",
        "work_commands",
        "pilot_commands",
        "scope_commands",
        "repair_commands",
        "app",
    ],
)
def test_nobody_sees_a_door(door: str) -> None:
    for path in python_files("remediation") + python_files("sandbox"):
        if path.stem == "__main__" or path.stem.endswith(("commands", "figures_command")):
            continue
        for name in imports(path):
            assert name != door
            assert not name.startswith(f"remediation.{door}"), f"{path.relative_to(ROOT)} sees {door}"


def test_the_app_sees_wiring_settings_and_the_log() -> None:
    seen = {name.split(".")[1] for name in imports(ROOT / "app.py") if name.startswith("remediation.")}
    assert seen <= {"wiring", "onboard_wiring", "errors", "log", "settings"}


def test_the_sandbox_is_a_stranger() -> None:
    for path in python_files("sandbox"):
        assert not any(name.split(".")[0] in ("remediation", "app", "tests") for name in imports(path)), path
    assert "sandbox" not in re.search(r"packages = \[(.*?)\]", (ROOT / "pyproject.toml").read_text()).group(1)  # type: ignore[union-attr]


def test_nothing_of_ours_is_mocked() -> None:
    for path in python_files("tests"):
        assert not any(name.startswith(("unittest.mock", "mock", "pytest_mock")) for name in imports(path)), path


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


def test_nothing_is_left_to_do() -> None:
    mark = "TO" + "DO"
    for path in tracked():
        if path.suffix in (".py", ".html", ".css", ".js", ".md", ".toml", ".sh") or path.name == "Makefile":
            text = path.read_text(encoding="utf-8")
            assert not re.search(rf"\b({mark}|FIX" + r"ME|XX" + r"X)\b", text), path.relative_to(ROOT)


@pytest.mark.parametrize("folder", ["templates", "sandbox/templates"])
def test_templates_are_safe_and_have_nothing_inline(folder: str) -> None:
    pages = sorted((ROOT / folder).rglob("*.html"))
    assert pages
    for page in pages:
        text, name = page.read_text(encoding="utf-8"), page.relative_to(ROOT)
        assert not re.search(r"\|\s*safe\b|autoescape\s+false", text), f"{name} trusts a text"
        assert not re.search(r"\sstyle\s*=", text), f"{name} has an inline style"
        assert "<style" not in text, f"{name} has an inline style sheet"
        assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text), f"{name} has an inline handler"
        assert not re.search(r"javascript:", text), name
        for script in re.findall(r"<script\b[^>]*>", text):
            assert " src=" in script, f"{name} has an inline script"


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "base", "manager"])
def test_no_module_is_a_drawer(word: str) -> None:
    assert not [path for folder in ("remediation", "sandbox", "tests") for path in python_files(folder) if path.stem == word]


def test_every_module_says_what_is_here() -> None:
    for path in [*python_files("remediation"), *python_files("sandbox"), ROOT / "app.py"]:
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path.relative_to(ROOT)


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-test.lock", "requirements-postgres.lock"])
def test_lock_files_name_no_host_and_hash_everything(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    for requirement in re.findall(r"^[a-z0-9].*?(?=^[a-z0-9]|\Z)", text, re.MULTILINE | re.DOTALL | re.IGNORECASE):
        assert "--hash=sha256:" in requirement, requirement[:60]
