"""What was typed into a form of the set-up: checked by the rules of all settings, sealed where it is secret, and stored."""

from collections.abc import Mapping, Sequence

from ..domain.onboarding import Facts, Step, touched
from ..ports import Choice
from ..services import onboard
from ..services.onboard import CannotSeal
from ..services.set_up_facts import with_rows
from ..settings import proposal
from ..settings.proposal import Wrong
from ..settings.typed import kinds_in, of_connection, whose_secret
from .desk import desk
from .set_up import acting, set_up

__all__ = ["CannotSeal", "facts", "sealed", "store", "wrong_with"]


def wrong_with(chosen: Mapping[str, str | None]) -> list[Wrong]:
    """Faults that this would bring in; empty where it may be stored."""
    found = set_up().choices
    return proposal.wrong_with(chosen, onboard.plain(found.typed()), {**onboard.elsewhere_of_worker(found.looks()), **_here()})


def sealed(chosen: Mapping[str, str | None]) -> dict[str, Choice | None]:
    """As it is kept. Raises `CannotSeal`."""
    here = set_up()
    return {name: onboard.choice_of(name, value, whose_secret(name), here.half_of, here.seal) for name, value in chosen.items()}


def store(kept: Mapping[str, Choice | None], steps: Sequence[Step], *, seen: int | None = None) -> None:
    """Raises `SetUpRefused`. Whoever calls it asked `wrong_with` before."""
    connections = {part[0] for name in kept if (part := of_connection(name)) is not None}
    looks = dict.fromkeys((*touched(steps, kept), *(f"mdm:{name}" for name in sorted(connections))))
    onboard.choose(desk().store, kept, actor=acting(), now=desk().clock(), looks=looks, seen=seen)


def facts() -> Facts:
    found = onboard.facts(set_up().choices, _here(), kinds_in, gone=set_up().gone, first=set_up().first)
    return with_rows(found, desk().store, desk().clock())


def _here() -> Mapping[str, str | None]:
    return set_up().elsewhere
