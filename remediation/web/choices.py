"""What was typed into a form of the set-up: checked by the rules of all settings, sealed where it is secret, and stored.

A fault that was there before is not held against it: this process does not know all that the worker was given.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..domain.onboarding import Facts, Step, touched
from ..ports import Choice
from ..services import onboard, set_up_facts
from ..settings import WebSettings, WorkerSettings
from ..settings.between import Fault
from ..settings.mdm import KINDS
from ..settings.reading import faults_of
from ..settings.typed import may_be_typed, of_connection, whose_secret
from .desk import desk
from .set_up import acting, set_up

GROUPS = "REMEDIATION_GROUPS"
LONGEST = 12_000  # a certificate with its key
# Stands for a secret that this process cannot open: whatever the rules ask of one, this has it.
_SEALED = "-----BEGIN CERTIFICATE----- held -----BEGIN PRIVATE KEY-----"


@dataclass(frozen=True)
class Wrong:
    """`words` come from the rules of the settings and never repeat what was typed."""

    name: str
    words: str


class CannotSeal(Exception):
    """The worker never said with what; so nothing secret can be typed for it."""


def wrong_with(chosen: Mapping[str, str | None]) -> list[Wrong]:
    """Faults that this would bring in; empty where it may be stored."""
    odd = [Wrong(name, "") for name in chosen if not may_be_typed(name) or name in _fixed()]
    long = [Wrong(name, "is too long.") for name, value in chosen.items() if value is not None and len(value) > LONGEST]
    if odd or long:
        return odd + long
    before = _now()
    after = {name: value for name, value in {**before, **chosen}.items() if value is not None}
    old = _faults(before)
    return [Wrong(fault.name, fault.words) for fault in _faults(after) if fault not in old and not fault.missing]


def store(chosen: Mapping[str, str | None], steps: Sequence[Step], *, looks: Iterable[str] = (), seen: int | None = None) -> None:
    """Raises `CannotSeal`, `SetUpRefused`. Whoever calls it asked `wrong_with` before."""
    kept = {name: _choice(name, value) for name, value in chosen.items()}
    again = dict.fromkeys((*touched(steps, chosen), *looks))
    onboard.choose(desk().store, kept, actor=acting(), now=desk().clock(), looks=again, seen=seen)


def facts() -> Facts:
    kinds = {name: part[0] for name in _now() if (part := of_connection(name)) is not None and part[1] == "kind"}
    found = onboard.facts(set_up().choices, set_up().elsewhere, kinds, gone=set_up().open)
    setting = by_setting(found)
    return replace(found, looked={**found.looked, **set_up_facts.looked(desk().store, setting, desk().clock())})


def by_setting(found: Facts) -> tuple[str, ...]:
    """The groups that the environment of this process or of the worker's names."""
    return tuple(found.values.get(GROUPS, "").split(",")) if found.values.get(GROUPS) else ()


def kinds() -> Sequence[str]:
    return tuple(KINDS)


def _choice(name: str, value: str | None) -> Choice | None:
    if value is None:
        return None
    process = whose_secret(name)
    if process is None:
        return Choice(value)
    half = set_up().half_of(process)
    if half is None:
        raise CannotSeal
    return Choice(set_up().seal(name, value, half), process)


def _fixed() -> Mapping[str, str | None]:
    return {**onboard.elsewhere_of_worker(set_up().choices.looks()), **set_up().elsewhere}


def _now() -> dict[str, str]:
    """What both processes know, as far as this one may."""
    typed = {name: choice.value if choice.sealed_for is None else _SEALED for name, choice in set_up().choices.typed().items()}
    fixed = {name: value if value is not None else _SEALED for name, value in _fixed().items()}
    return {name: value for name, value in {**typed, **fixed}.items() if may_be_typed(name)}


def _faults(typed: Mapping[str, str]) -> list[Fault]:
    return [*faults_of(WebSettings, typed), *faults_of(WorkerSettings, typed)]
