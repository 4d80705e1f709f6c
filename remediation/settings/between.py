"""Faults of several settings together: what goes with what, and what excludes what."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .both import Settings
from .channels import lock_unsuited, unsuited
from .clouds import incomplete, mixed
from .mdm import Connection, Maas360Connection
from .names import MDM, env_name
from .rules import INSTANCES, LOOPBACK
from .says import PREFIX, Group
from .web import WebSettings
from .worker import WorkerSettings

ON = {"1", "true", "yes", "on"}
CREDENTIALS = [["service_certificate"], ["service_client_secret"]]
"""Of the service app: one of them."""


@dataclass(frozen=True)
class Fault:
    """`name` is the environment name. `key`: the stable id of what is wrong, empty where pages have no words of their own for it.
    `missing`: nothing is wrong but that nobody gave it yet."""

    name: str
    words: str
    missing: bool = field(default=False, compare=False)
    key: str = field(default="", compare=False)


def between(cls: type[Group], values: Mapping[str, Any], prefix: str) -> Iterator[Fault]:
    """Faults of several settings together."""
    if issubclass(cls, Connection) and cls.ways:
        yield from _one_of(values, prefix, cls.ways)
    if issubclass(cls, Maas360Connection) and "url" not in values and str(values.get("billing_id", "1"))[:1] not in INSTANCES:
        yield Fault(
            env_name("url", prefix),
            "is not set, and the first digit of the BILLING_ID is of no instance that we know.",
            key="billing_id",
        )
    if (
        issubclass(cls, WebSettings)
        and os.environ.get("FLASK_DEBUG", "").lower() in ON
        and str(values.get("demo")).lower() not in ON
    ):
        yield Fault(
            "FLASK_DEBUG", "is on. Its debugger runs anybody's code: unset it, or set REMEDIATION_DEMO=true for a demonstration."
        )
    if issubclass(cls, WebSettings):
        yield from _api(values)
    if issubclass(cls, Settings):
        yield from _certificate(cls, values)
        if str(values.get("temporary_access", "off")) != "off" and "temporary_access_group" not in values:
            yield Fault(env_name("temporary_access_group"), "is not set, and goes with REMEDIATION_TEMPORARY_ACCESS.")
        if values.get("temporary_access") == "package":
            for name in ("temporary_access_package", "temporary_access_policy"):
                if name not in values:
                    yield Fault(env_name(name), "is not set, and goes with REMEDIATION_TEMPORARY_ACCESS=package.")
        yield from (Fault(env_name(field), words, key="cloud") for field, words in mixed(values, cls.model_fields))
    if issubclass(cls, WorkerSettings):
        yield from _one_of(values, PREFIX, CREDENTIALS)
        yield from _mail(values)
        yield from _owner(values)
        yield from (Fault(env_name(field), words) for field, words in incomplete(values))
        yield from (Fault(env_name(field), words, key="unsuited") for field, words in unsuited(values))
        yield from (Fault(env_name(field), words, key="lock_unsuited") for field, words in lock_unsuited(values))


def _certificate(cls: type[Group], values: Mapping[str, Any]) -> Iterator[Fault]:
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


def _api(values: Mapping[str, Any]) -> Iterator[Fault]:
    """An API that any app of the tenant may call is not what anybody wants by saying nothing."""
    together = ["api_audience", "api_clients"]
    missing = [field for field in together if field not in values]
    if len(missing) == 1:
        yield Fault(env_name(missing[0]), _goes_with(missing[0], together))
    said = (str(values.get("web_metrics", "")), str(values.get("bind", WebSettings.model_fields["bind"].default)))
    if said[0] and said[0].rpartition(":")[2] == said[1].rpartition(":")[2]:
        yield Fault(env_name("web_metrics"), "has the port of the pages, REMEDIATION_BIND; it must be another one.")


def _owner(values: Mapping[str, Any]) -> Iterator[Fault]:
    """Both sides of the comparison, or neither. A connection without its own compares mail addresses and names."""
    asked = env_name("owner_directory_attribute")
    sides = {name for name, one in values["mdm"].items() if getattr(one, "owner_attribute", None)}
    if "owner_directory_attribute" in values and not sides and values["mdm"]:
        yield Fault(asked, "goes with the OWNER_ATTRIBUTE of an MDM connection: set both, or neither.")
    elif sides and "owner_directory_attribute" not in values:
        first = env_name("owner_attribute", f"{MDM}{min(sides).upper()}_")
        yield Fault(asked, f"is not set, and goes with {first}: set both, or neither.")


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


def _one_of(values: Mapping[str, Any], prefix: str, ways: list[list[str]]) -> Iterator[Fault]:
    """Exactly one way, and that one whole."""
    begun = [way for way in ways if any(field in values for field in way)]
    spelled = ", or ".join(" and ".join(env_name(field, prefix) for field in way) for way in ways)
    if len(begun) != 1:
        words = f"{'says two things' if begun else 'is not set'}: give either {spelled}."
        yield Fault(prefix + "…", words, missing=not begun, key="one_of")
        return
    lacking = [field for field in begun[0] if field not in values]
    yield from (Fault(env_name(field, prefix), _goes_with(field, begun[0], prefix), key="together") for field in lacking)


def _goes_with(field: str, together: list[str], prefix: str = PREFIX) -> str:
    return "is not set, and goes with " + ", ".join(env_name(other, prefix) for other in together if other != field) + "."
