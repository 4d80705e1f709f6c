"""Read one process's settings from the environment, from files that hold secrets, and from one TOML file; tell every fault at once.

The order: `REMEDIATION_X`, then the file named by `REMEDIATION_X_FILE` (secrets only), then `remediation.toml`, then what an
administrator typed into pages (`typed`). Secrets never come from the TOML file, so that the web process never even parses one of
the worker's. Faults name settings, never values.
"""

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource

from ..secret_files import text_of
from .between import CREDENTIALS, Fault, between
from .mdm import KINDS, Connection
from .names import A_CONNECTION, CONFIG, FILE, MDM, env_name, is_secret, names_of
from .operator import DatabaseSettings, OperatorSettings
from .rules import Unfit
from .says import PREFIX, Group, Says
from .typed import NOT_YET, Typed, connections_of, fields_of, given_elsewhere, may_be_typed, of_connection
from .web import WebSettings
from .worker import WorkerSettings

S = TypeVar("S", bound=DatabaseSettings)
# Beginnings of the kinds of faults that pydantic finds by itself.
KEYS = {"literal": "choice", "int": "number", "greater": "number", "less": "number", "date": "day"}
NOTHING: Typed = {}
NO_FIELDS: Mapping[str, Any] = {}


class FaultySettings(Exception):
    """The settings cannot be used. Its text is for the person at the terminal."""

    def __init__(self, process: str, faults: list[Fault]) -> None:
        self.faults = faults
        one = len(faults) == 1
        head = f"The {process} cannot start: {'one setting is' if one else f'{len(faults)} settings are'} wrong or missing."
        super().__init__("\n".join([head, *(f"  {fault.name} {fault.words}" for fault in faults), "See docs/settings.md."]))


def read(cls: type[S], typed: Typed = NOTHING) -> S:
    """The settings of one process, or one `FaultySettings` with all that is wrong. `typed` is what an administrator typed."""
    settings, faults = _look(cls, typed)
    if settings is None or faults:
        raise FaultySettings(process_of(cls), faults)
    return settings


def read_so_far(cls: type[S], typed: Typed = NOTHING) -> tuple[S, list[Fault]]:
    """The same, where what an administrator can still type into a page may be missing: then with what is missing, and something
    useless in its place. Whatever is wrong in any other way is a `FaultySettings`."""
    settings, faults = _look(cls, typed)
    if settings is not None and not faults:
        return settings, []
    if any(not (fault.missing and _is_for_pages(fault.name)) for fault in faults):
        raise FaultySettings(process_of(cls), faults)
    settings, _ = _look(cls, typed, under={name: value for name, value in NOT_YET.items() if name in cls.model_fields})
    if settings is None:
        raise FaultySettings(process_of(cls), faults)
    return settings, faults


def faults_of(cls: type[S], typed: Typed) -> list[Fault]:
    """All that is wrong, for whoever asks before something is stored."""
    return _look(cls, typed)[1]


def elsewhere() -> Mapping[str, str | None]:
    """What may be typed and is given to this process already, by environment or files; secrets without their value."""
    return dict(given_elsewhere(os.environ, _toml()[0]))


def _is_for_pages(name: str) -> bool:
    return may_be_typed(name) or name in (f"{PREFIX}…", f"{MDM}…") or of_connection(name) is not None


def _look(cls: type[S], typed: Typed, under: Mapping[str, Any] = NO_FIELDS) -> tuple[S | None, list[Fault]]:
    table, faults = _toml()
    connections = table.pop("mdm", {})
    faults += [*_unknown(table), *_secrets_within(connections)]
    more: dict[str, Any] = {}
    if issubclass(cls, WorkerSettings):
        more["mdm"], faulty = _connections(connections, connections_of(typed))
        faults += faulty
    settings, faulty = _build(cls, table, PREFIX, more, {**under, **fields_of(cls, typed)})
    return settings, faults + faulty


G = TypeVar("G", bound=Group)


def _build(
    cls: type[G], table: Mapping[str, Any], prefix: str, more: Mapping[str, Any], typed: Mapping[str, Any]
) -> tuple[G | None, list[Fault]]:
    secrets, files, faults = _secrets_from_files(cls, table, prefix)
    values: dict[str, Any] = {**table, **secrets, **EnvSettingsSource(cls, env_prefix=prefix)(), **more}
    values = {**_but_for_another_way(cls, typed, values), **values}
    faults += between(cls, values, prefix)
    broken = {fault.name for fault in faults}
    try:
        settings = cls(**values)
    except ValidationError as error:
        return None, faults + [fault for fault in _in_words(cls, error, prefix) if fault.name not in broken]
    settings._files = files
    return settings, faults


def _but_for_another_way(cls: type[Group], typed: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
    """A credential that stands elsewhere takes the place of another kind of credential that was typed."""
    ways = cls.ways if issubclass(cls, Connection) else CREDENTIALS if issubclass(cls, WorkerSettings) else []
    begun = [way for way in ways if any(field in given for field in way)]
    others = {field for way in ways if begun and way not in begun for field in way} - {field for way in begun for field in way}
    return {field: value for field, value in typed.items() if field not in others}


def _connections(tables: Any, typed: Mapping[str, Mapping[str, str]]) -> tuple[dict[str, Connection], list[Fault]]:
    """Each MDM connection by its name: what the environment says of it before what stands under `[mdm.name]`."""
    found: dict[str, Connection] = {}
    faults: list[Fault] = []
    tables = tables if isinstance(tables, dict) else {"": tables}
    named = {match[1].lower() for match in map(A_CONNECTION.fullmatch, os.environ) if match}
    for name in sorted(named | tables.keys() | typed.keys()):
        connection, faulty = _connection(name, tables.get(name, {}), typed.get(name, {}))
        faults += faulty
        if connection is not None:
            found[name] = connection
    if not found and not faults:
        faults.append(
            Fault(f"{MDM}…", f"is not set. The worker needs one MDM or more; {MDM}WS1_KIND begins the connection ws1.", True)
        )
    return found, faults


def _connection(name: str, table: Any, typed: Mapping[str, str]) -> tuple[Connection | None, list[Fault]]:
    prefix = f"{MDM}{name.upper()}_"
    if not A_CONNECTION.fullmatch(f"{prefix}KIND") or name != name.lower() or not isinstance(table, dict):
        return None, [Fault(f"[mdm.{name}]", "must be a table, and its name small letters and digits, at most 16, a letter first.")]
    kind = str(os.environ.get(f"{prefix}KIND") or table.get("kind") or typed.get("kind", ""))
    if kind not in KINDS:
        wrong = "is not one that we know" if kind else "is not set"
        return None, [Fault(f"{prefix}KIND", f"{wrong}: which product is this MDM? One of: {', '.join(KINDS)}.")]
    cls = KINDS[kind]
    connection, faults = _build(
        cls, table, prefix, {}, {field: value for field, value in typed.items() if field in cls.model_fields}
    )
    return connection, [*_strangers(table, cls, prefix), *faults]


def _secrets_within(tables: Any) -> Iterator[Fault]:
    for name, table in tables.items() if isinstance(tables, dict) else ():
        for field in table if isinstance(table, dict) else ():
            if any(field in cls.model_fields and is_secret(cls, field) for cls in KINDS.values()):
                yield _in_toml(field, f"{MDM}{name.upper()}_", "the settings file")


def process_of(cls: type[Group]) -> str:
    names = {WebSettings: "web process", WorkerSettings: "worker", OperatorSettings: "command"}
    return next((name for kind, name in names.items() if issubclass(cls, kind)), "migration")


def says(info: FieldInfo) -> Says:
    return next(item for item in info.metadata if isinstance(item, Says))


def _toml() -> tuple[dict[str, Any], list[Fault]]:
    named = os.environ.get(CONFIG)
    path = Path(named or "remediation.toml")
    if named is None and not path.exists():
        return {}, []
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError:
        return {}, [Fault(CONFIG, f"names {path}, which is not valid TOML.")]
    except (OSError, UnicodeDecodeError) as error:
        return {}, [Fault(CONFIG, f"names {path}, which cannot be read ({type(error).__name__}).")]
    secret = [name for cls in (WebSettings, WorkerSettings) for name in table if name in cls.model_fields and is_secret(cls, name)]
    faults = [_in_toml(name, PREFIX, path) for name in dict.fromkeys(secret)]
    return {name: value for name, value in table.items() if name not in secret}, faults


def _in_toml(field: str, prefix: str, where: object) -> Fault:
    named = env_name(field + FILE, prefix)
    return Fault(env_name(field, prefix), f"stands in {where}; secrets belong in the environment, or in a file named by {named}.")


def _unknown(table: Mapping[str, Any]) -> Iterator[Fault]:
    """A typing error must not silently leave a default in place. Each process knows the other's names too."""
    known = names_of(WebSettings) | names_of(WorkerSettings) | {CONFIG}
    given = [name for name in os.environ if name.startswith(PREFIX)] + [env_name(name) for name in table]
    for name in sorted(set(given) - known):
        if not A_CONNECTION.fullmatch(name):
            yield _not_ours(name, known)


def _strangers(table: Mapping[str, Any], cls: type[Connection], prefix: str) -> Iterator[Fault]:
    known = names_of(cls, prefix)
    given = [name for name in os.environ if name.startswith(prefix)] + [env_name(name, prefix) for name in table]
    yield from (_not_ours(name, known) for name in sorted(set(given) - known))


def _not_ours(name: str, known: set[str]) -> Fault:
    near = difflib.get_close_matches(name, known, n=1)
    return Fault(name, "is not a setting of ours." + (f" Did you mean {near[0]}?" if near else ""))


def _secrets_from_files(
    cls: type[Group], table: Mapping[str, Any], prefix: str
) -> tuple[dict[str, str], dict[str, Path], list[Fault]]:
    """What was read, from which file, and what is wrong."""
    values, files, faults = {}, {}, []
    for field in cls.model_fields:
        name = env_name(field + FILE, prefix)
        path = os.environ.get(name) or table.get(field + FILE)
        if not is_secret(cls, field) or not path:
            continue
        if os.environ.get(env_name(field, prefix)):
            faults.append(Fault(env_name(field, prefix), f"and {name} are both set; keep one."))
            continue
        try:
            files[field] = Path(path)
            values[field] = text_of(files[field])
        except (OSError, UnicodeDecodeError) as error:
            faults.append(Fault(name, f"names {path}, which cannot be read ({type(error).__name__})."))
            values[field] = ""  # one fault is enough: it must not be called missing as well
    return values, files, faults


def _in_words(cls: type[Group], error: ValidationError, prefix: str) -> Iterator[Fault]:
    """One fault for each field, without pydantic's echo of the input."""
    seen = set()
    for detail in error.errors(include_input=False, include_url=False):
        field = str(detail["loc"][0])
        if field in seen:
            continue
        seen.add(field)
        wrong = (
            "is not set"
            if detail["type"] == "missing"
            else detail["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
        )
        told = says(cls.model_fields[field])
        words = f"{wrong}. {told.what}. From {told.by}; for example: {told.example}"
        yield Fault(env_name(field, prefix), words, missing=detail["type"] == "missing", key=_key(detail))


def _key(detail: ErrorDetails) -> str:
    error = detail.get("ctx", {}).get("error")
    return (
        error.key if isinstance(error, Unfit) else next((key for kind, key in KEYS.items() if detail["type"].startswith(kind)), "")
    )
