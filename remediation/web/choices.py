"""What was typed into a form of the set-up: checked by the rules of all settings, sealed where it is secret, and stored."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..domain.onboarding import Facts, Step, touched
from ..services import onboard, set_up_facts
from ..services.onboard import CannotSeal
from ..settings import proposal
from ..settings.proposal import Wrong
from ..settings.typed import kinds_in, whose_secret
from .desk import desk
from .set_up import acting, set_up

__all__ = ["CannotSeal", "by_setting", "facts", "store", "wrong_with"]

GROUPS = "REMEDIATION_GROUPS"


def wrong_with(chosen: Mapping[str, str | None]) -> list[Wrong]:
    """Faults that this would bring in; empty where it may be stored."""
    found = set_up().choices
    return proposal.wrong_with(chosen, onboard.plain(found.typed()), {**onboard.elsewhere_of_worker(found.looks()), **_here()})


def store(chosen: Mapping[str, str | None], steps: Sequence[Step], *, looks: Iterable[str] = (), seen: int | None = None) -> None:
    """Raises `CannotSeal`, `SetUpRefused`. Whoever calls it asked `wrong_with` before."""
    kept = {
        name: onboard.choice_of(name, value, whose_secret(name), set_up().half_of, set_up().seal) for name, value in chosen.items()
    }
    again = dict.fromkeys((*touched(steps, chosen), *looks))
    onboard.choose(desk().store, kept, actor=acting(), now=desk().clock(), looks=again, seen=seen)


def facts() -> Facts:
    found = onboard.facts(set_up().choices, _here(), kinds_in, gone=set_up().open)
    setting = by_setting(found)
    return replace(found, looked={**found.looked, **set_up_facts.looked(desk().store, setting, desk().clock())})


def by_setting(found: Facts) -> tuple[str, ...]:
    """The groups that the environment of this process or of the worker's names."""
    return tuple(found.values.get(GROUPS, "").split(",")) if found.values.get(GROUPS) else ()


def _here() -> Mapping[str, str | None]:
    return set_up().elsewhere
