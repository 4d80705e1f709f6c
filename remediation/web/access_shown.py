"""What a person sees of their own request for temporary access: nothing of who decided, nothing that was meant for the staff."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..domain.access import ASKED_LASTS, MOST_WORDS, AccessRequest, State
from ..domain.journey import Journey
from ..domain.steps import Step, next_step
from .desk import desk
from .names import shown

STUCK = {Step.HELP, Step.NOT_FOR_YOU, Step.WAIT}
TOLD_FOR = timedelta(hours=24)  # what came of it is told so long afterwards


@dataclass(frozen=True)
class AccessCard:
    """`state`: `offered`, `asked`, `approved`, `given`, `ending`, `denied`, `failed` or `over`."""

    state: str
    at: datetime | None = None
    until: datetime | None = None
    answer: str = ""
    may_ask: bool = False


def access_card(journey: Journey, now: datetime) -> AccessCard | None:
    """None where it is off, and where there is neither a need nor a request."""
    if desk().settings.temporary_access == "off":
        return None
    known, stuck = desk().everybody.access.newest(journey.person.oid), next_step(journey, now) in STUCK
    card = _card(known, now) if known is not None else None
    if card is None:
        return AccessCard("offered", may_ask=True) if stuck else None
    return AccessCard(card.state, card.at, card.until, card.answer, may_ask=stuck and card.state in ("denied", "over"))


def _card(known: AccessRequest, now: datetime) -> AccessCard | None:
    answer = shown(known.answer, MOST_WORDS)
    match known.state:
        case State.ASKED | State.FIRST:
            return AccessCard("asked", known.asked_at) if now < known.asked_at + ASKED_LASTS else None
        case State.APPROVED:
            over = known.until is not None and known.until <= now
            return None if over else AccessCard("approved", known.second_at, known.until, answer)
        case State.GIVEN:
            word = "ending" if known.end_wanted_at is not None or (known.until is not None and known.until <= now) else "given"
            return AccessCard(word, known.given_at, known.until, answer)
        case _:
            told = {State.DENIED: "denied", State.FAILED: "failed"}.get(known.state, "over")
            recent = known.ended_at is not None and now < known.ended_at + TOLD_FOR
            return AccessCard(told, known.ended_at, answer=answer if told == "denied" else "") if recent else None
