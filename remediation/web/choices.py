"""What was typed into a form of the set-up: checked by the rules of all settings, sealed where it is secret, and stored."""

from collections.abc import Iterable, Mapping, Sequence

from ..domain.onboarding import Facts, Step, touched
from ..services import onboard
from ..services.onboard import CannotSeal
from ..services.set_up_facts import with_rows
from ..settings import proposal
from ..settings.proposal import Wrong
from ..settings.typed import kinds_in, whose_secret
from .desk import desk
from .set_up import acting, set_up

__all__ = ["CannotSeal", "facts", "store", "wrong_with"]


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
    return with_rows(found, desk().store, desk().clock())


def _here() -> Mapping[str, str | None]:
    return set_up().elsewhere
