"""Which settings an administrator may type into pages, and how what was typed stands among the other sources: below all of them.

The environment, files and the TOML file win. What is typed has the same names as in the environment; whatever decides where a
process listens, which database it uses and what it seals with stays where only whoever runs the product can put it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ..domain.evidence import Level
from .mdm import KINDS
from .names import A_CONNECTION, MDM, env_name, is_secret, names_of
from .says import PREFIX, Group
from .web import WebSettings
from .worker import WorkerSettings

Typed = Mapping[str, str]
"""By name of the environment; secrets opened, or left out where this process cannot open them."""

_FIELDS = (
    "tenant_id",
    "organisation",
    "language",
    "minimum_evidence",
    "sign_in_client_id",
    "sign_in_client_secret",
    "helpdesk_phone",
    "helpdesk_hours",
    "service_client_id",
    "service_client_secret",
    "service_certificate",
    "service_secret_ends",
    "sign_in_secret_ends",
    "partner_name",
    "partner_all_users",
    "channel_ios",
    "channel_android",
    "channel_macos",
    "channel_windows",
    "second_lock_attribute",
    "second_lock_platforms",
    "device_app",
    "enrollment_link_ios",
    "enrollment_link_android",
    "enrollment_link_macos",
    "enrollment_link_windows",
)
NAMES = frozenset(env_name(field) for field in _FIELDS)
GROUPS = env_name("groups")
"""Chosen on a page of its own, and fixed there where it stands in the environment."""
NIL = "00000000-0000-0000-0000-000000000000"
# What a process runs with while an administrator has not said it yet. Nothing is looked at, linked or pushed meanwhile.
NOT_YET: Mapping[str, Any] = {
    "tenant_id": NIL,
    "organisation": "…",
    "minimum_evidence": max(Level),
    "sign_in_client_id": NIL,
    "sign_in_client_secret": "not set yet",
    "helpdesk_phone": "…",
    "helpdesk_hours": "…",
    "service_client_id": NIL,
    "service_client_secret": "not set yet",
    "mdm": {},
}


def may_be_typed(name: str) -> bool:
    return name in NAMES or of_connection(name) is not None


def of_connection(name: str) -> tuple[str, str] | None:
    """The connection and the field, where it is one of an MDM connection's."""
    match = A_CONNECTION.fullmatch(name)
    if match is None:
        return None
    connection = match[1].lower()
    field = name.removeprefix(f"{MDM}{match[1]}_").lower()
    return (connection, field) if any(field in kind.model_fields for kind in KINDS.values()) else None


def whose_secret(name: str) -> str | None:
    """`web` or `worker`: who must be able to open it; None where it is no secret."""
    connection = of_connection(name)
    if connection is not None:
        field = connection[1]
        return "worker" if any(field in kind.model_fields and is_secret(kind, field) for kind in KINDS.values()) else None
    field = name.removeprefix(PREFIX).lower()
    for process, cls in (("web", WebSettings), ("worker", WorkerSettings)):
        if field in cls.model_fields:
            return process if is_secret(cls, field) else None
    return None


def fields_of(cls: type[Group], typed: Typed) -> dict[str, str]:
    """What of it this class reads."""
    known = {name: name.removeprefix(PREFIX).lower() for name in names_of(cls) & NAMES}
    return {field: typed[name] for name, field in known.items() if name in typed}


def connections_of(typed: Typed) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name, value in typed.items():
        part = of_connection(name)
        if part is not None:
            found.setdefault(part[0], {})[part[1]] = value
    return found


def kinds_in(values: Mapping[str, str]) -> Mapping[str, str]:
    """The MDM connections among these settings, with their kind."""
    found = ((of_connection(name), value) for name, value in values.items())
    return {part[0]: value for part, value in found if part is not None and part[1] == "kind"}


def given_elsewhere(environ: Mapping[str, str], table: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """The names that may be typed and are given by the environment or a file already, with their values; None for secrets."""
    flat = {env_name(field): value for field, value in table.items() if field != "mdm"}
    connections = table.get("mdm", {})
    for connection, fields in connections.items() if isinstance(connections, dict) else ():
        for field, value in fields.items() if isinstance(fields, dict) else ():
            flat[env_name(field, f"{MDM}{connection.upper()}_")] = value
    flat |= {name: value for name, value in environ.items() if value}
    for name, value in sorted(flat.items()):
        plain = name.removesuffix("_FILE")
        if (may_be_typed(plain) or plain == GROUPS) and (plain == name or whose_secret(plain) is not None):
            yield plain, None if whose_secret(plain) is not None else _as_typed(value)


def _as_typed(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
