"""Read one process's settings from the environment, from files that hold secrets, and from one TOML file; tell every fault at once.

The order: `REMEDIATION_X`, then the file named by `REMEDIATION_X_FILE` (secrets only), then `remediation.toml`. Secrets never come
from the TOML file, so that the web process never even parses one of the worker's. Faults name settings, never values.
"""

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

from ..secret_files import text_of
from . import PREFIX, DatabaseSettings, OperatorSettings, Says, Settings, WebSettings, WorkerSettings
from .rules import LOOPBACK

CONFIG = PREFIX + "CONFIG"
FILE = "_file"
ON = {"1", "true", "yes", "on"}

S = TypeVar("S", bound=DatabaseSettings)


@dataclass(frozen=True)
class Fault:
    """`name` is the environment name."""

    name: str
    words: str


class FaultySettings(Exception):
    """The settings cannot be used. Its text is for the person at the terminal."""

    def __init__(self, process: str, faults: list[Fault]) -> None:
        self.faults = faults
        one = len(faults) == 1
        head = f"The {process} cannot start: {'one setting is' if one else f'{len(faults)} settings are'} wrong or missing."
        super().__init__("\n".join([head, *(f"  {fault.name} {fault.words}" for fault in faults), "See docs/settings.md."]))


def read(cls: type[S]) -> S:
    """The settings of one process, or one `FaultySettings` with all that is wrong."""
    table, faults = _toml()
    faults += _unknown(table)
    secrets, files, unreadable = _secrets_from_files(cls, table)
    faults += unreadable
    values: dict[str, Any] = {**table, **secrets, **EnvSettingsSource(cls)()}
    faults += _between(cls, values)
    broken = {fault.name for fault in faults}
    try:
        settings = cls(**values)
    except ValidationError as error:
        faults += [fault for fault in _in_words(cls, error) if fault.name not in broken]
    if faults:
        raise FaultySettings(process_of(cls), faults)
    settings._files = files
    return settings


def process_of(cls: type[DatabaseSettings]) -> str:
    names = {WebSettings: "web process", WorkerSettings: "worker", OperatorSettings: "command"}
    return next((name for kind, name in names.items() if issubclass(cls, kind)), "migration")


def environment_of(cls: type[DatabaseSettings], environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child process: of our names only those that it knows (the web's never holds the service credential)."""
    return {name: value for name, value in environ.items() if not name.startswith(PREFIX) or name in names_of(cls) | {CONFIG}}


def names_of(cls: type[DatabaseSettings]) -> set[str]:
    """Every environment name that this class reads."""
    return {env_name(field) for field in cls.model_fields} | {
        env_name(field + FILE) for field in cls.model_fields if is_secret(cls, field)
    }


def env_name(field: str) -> str:
    return PREFIX + field.upper()


def is_secret(cls: type[DatabaseSettings], field: str) -> bool:
    return SecretStr.__name__ in str(cls.model_fields[field].annotation)


def secrets_of(settings: DatabaseSettings) -> Iterator[str]:
    """The values that the log must never show."""
    for _, value in settings:
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, SecretStr):
                yield item.get_secret_value()
                if item.get_secret_value().startswith("https://"):  # the log tells paths of calls
                    yield urlsplit(item.get_secret_value()).path


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
    faults = [
        Fault(
            env_name(name), f"stands in {path}; secrets belong in the environment, or in a file named by {env_name(name + FILE)}."
        )
        for name in dict.fromkeys(secret)
    ]
    return {name: value for name, value in table.items() if name not in secret}, faults


def _unknown(table: Mapping[str, Any]) -> Iterator[Fault]:
    """A typing error must not silently leave a default in place. Each process knows the other's names too."""
    known = names_of(WebSettings) | names_of(WorkerSettings) | {CONFIG}
    given = [name for name in os.environ if name.startswith(PREFIX)] + [env_name(name) for name in table]
    for name in sorted(set(given) - known):
        near = difflib.get_close_matches(name, known, n=1)
        yield Fault(name, "is not a setting of ours." + (f" Did you mean {near[0]}?" if near else ""))


def _secrets_from_files(
    cls: type[DatabaseSettings], table: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, Path], list[Fault]]:
    """What was read, from which file, and what is wrong."""
    values, files, faults = {}, {}, []
    for field in cls.model_fields:
        name = env_name(field + FILE)
        path = os.environ.get(name) or table.get(field + FILE)
        if not is_secret(cls, field) or not path:
            continue
        if os.environ.get(env_name(field)):
            faults.append(Fault(env_name(field), f"and {name} are both set; keep one."))
            continue
        try:
            files[field] = Path(path)
            values[field] = text_of(files[field])
        except (OSError, UnicodeDecodeError) as error:
            faults.append(Fault(name, f"names {path}, which cannot be read ({type(error).__name__})."))
            values[field] = ""  # one fault is enough: it must not be called missing as well
    return values, files, faults


def _between(cls: type[DatabaseSettings], values: Mapping[str, Any]) -> Iterator[Fault]:
    """Faults of several settings together."""
    if (
        issubclass(cls, WebSettings)
        and os.environ.get("FLASK_DEBUG", "").lower() in ON
        and str(values.get("demo")).lower() not in ON
    ):
        yield Fault(
            "FLASK_DEBUG", "is on. Its debugger runs anybody's code: unset it, or set REMEDIATION_DEMO=true for a demonstration."
        )
    if issubclass(cls, Settings):
        yield from _certificate(cls, values)
    if issubclass(cls, WorkerSettings):
        yield from _one_of(values, "REMEDIATION_SERVICE_", [["service_certificate_file"], ["service_client_secret"]])
        oauth = ["workspace_one_token_url", "workspace_one_client_id", "workspace_one_client_secret"]
        basic = ["workspace_one_user", "workspace_one_password", "workspace_one_tenant_code"]
        yield from _one_of(values, "REMEDIATION_WORKSPACE_ONE_", [oauth, basic])
        yield from _mail(values)
        owner = ("owner_directory_attribute", "owner_mdm_attribute")
        for field, other in (owner, owner[::-1]):
            if field in values and other not in values:
                yield Fault(env_name(other), f"is not set, and goes with {env_name(field)}: set both, or neither.")


def _certificate(cls: type[DatabaseSettings], values: Mapping[str, Any]) -> Iterator[Fault]:
    """Whole or not at all, and whole where the minimum asks for it; another host name than that of the pages, or nothing would tell
    the hop behind mutual TLS from the other."""
    need = ["certificate_ca_file", "certificate_names"]
    if issubclass(cls, WebSettings):
        need += ["certificate_origin", "certificate_hop_secret"]
    asked = str(values.get("minimum_evidence")).strip().lower() == "certificate"
    if asked or any(field in values for field in [*need, "certificate_crl_file"]):
        yield from (Fault(env_name(field), _goes_with(field, need)) for field in need if field not in values)
    hosts = [urlsplit(str(values.get(field, ""))).hostname for field in ("certificate_origin", "public_origin")]
    if hosts[0] is not None and hosts[0] == hosts[1]:
        yield Fault(env_name("certificate_origin"), "has the host name of REMEDIATION_PUBLIC_ORIGIN; it must be another one.")


def _mail(values: Mapping[str, Any]) -> Iterator[Fault]:
    """Whole or not at all; and in the open to this machine only."""
    need = ["alarm_mail_to", "alarm_mail_from", "alarm_mail_server"]
    for together in (need, ["alarm_mail_user", "alarm_mail_password"]):
        missing = [field for field in together if field not in values]
        if len(missing) < len(together):
            yield from (Fault(env_name(field), _goes_with(field, together)) for field in missing)
    host = str(values.get("alarm_mail_server", "")).rpartition(":")[0]
    if values.get("alarm_mail_security") == "none" and host.strip("[]") not in LOOPBACK:
        yield Fault(env_name("alarm_mail_security"), "is none, which only a mail server on this machine may have.")


def _one_of(values: Mapping[str, Any], family: str, ways: list[list[str]]) -> Iterator[Fault]:
    """Exactly one way, and that one whole."""
    begun = [way for way in ways if any(field in values for field in way)]
    spelled = ", or ".join(" and ".join(env_name(field) for field in way) for way in ways)
    if len(begun) != 1:
        yield Fault(family + "…", f"{'says two things' if begun else 'is not set'}: give either {spelled}.")
        return
    yield from (Fault(env_name(field), _goes_with(field, begun[0])) for field in begun[0] if field not in values)


def _goes_with(field: str, together: list[str]) -> str:
    return "is not set, and goes with " + ", ".join(env_name(other) for other in together if other != field) + "."


def _in_words(cls: type[DatabaseSettings], error: ValidationError) -> Iterator[Fault]:
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
        yield Fault(env_name(field), f"{wrong}. {told.what}. From {told.by}; for example: {told.example}")
