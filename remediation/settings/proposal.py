"""Whether something that was typed may be stored: by the rules of all settings, before it is. For pages and the command line.

A fault that was there before is not held against it: whoever asks does not know all that both processes were given.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from .between import Fault
from .reading import faults_of
from .typed import may_be_typed, of_connection
from .web import WebSettings
from .worker import WorkerSettings

OTHER = "other"
"""Pages say that it does not fit, and show the words of the terminal beside that."""
LONGEST = 12_000  # a certificate with its key
# Stands for a secret that nobody here can open: whatever the rules ask of one, this has it.
_SEALED = "-----BEGIN CERTIFICATE----- held -----BEGIN PRIVATE KEY-----"


# Whoever runs the product may write an address into a setting, and it is called; a page must not lead into the own network.
NO_ADDRESS = (
    "must name a host, not an address. One in your own network is allowed by REMEDIATION_PRIVATE_HOSTS, "
    "where the worker is started."
)


@dataclass(frozen=True)
class Wrong:
    """`words` come from the rules and never repeat what was typed; `key` is the stable id of the same, for pages."""

    name: str
    words: str
    key: str = OTHER


def wrong_with(chosen: Mapping[str, str | None], typed: Mapping[str, str | None], fixed: Mapping[str, str | None]) -> list[Wrong]:
    """Faults that `chosen` would bring in beside what is `typed` already and what is `fixed` elsewhere; empty where it may be
    stored. Of a secret that is there the value is None."""
    odd = [Wrong(name, "is no setting that can be typed here.", "not_here") for name in chosen if not may_be_typed(name)]
    odd += [Wrong(name, "is set where the product is started, and that wins.", "fixed") for name in chosen if name in fixed]
    odd += [Wrong(name, NO_ADDRESS, "address") for name, value in chosen.items() if value is not None and _is_address(name, value)]
    odd += [Wrong(name, "is too long.", "long") for name, value in chosen.items() if value is not None and len(value) > LONGEST]
    if odd:
        return odd
    before = {name: value if value is not None else _SEALED for name, value in {**typed, **fixed}.items() if may_be_typed(name)}
    after = {name: value for name, value in {**before, **chosen}.items() if value is not None}
    old = _faults(before)
    new = [fault for fault in _faults(after) if fault not in old and not fault.missing]
    return list(dict.fromkeys(Wrong(fault.name, fault.words, fault.key or OTHER) for fault in new))  # both processes may say it


def _is_address(name: str, value: str) -> bool:
    if of_connection(name) is None or "://" not in value:
        return False
    try:
        ipaddress.ip_address((urlsplit(value).hostname or "").strip("[]"))
    except ValueError:
        return False
    return True


def _faults(typed: Mapping[str, str]) -> list[Fault]:
    return [*faults_of(WebSettings, typed), *faults_of(WorkerSettings, typed)]
