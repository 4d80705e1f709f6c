"""Which lane a row of `pushes` is in, once it is marked, woken or parked. What is marked as a revocation stays one, whoever marks
it next, until a pass has looked at both sides or has told the news.

Next door: `due` (waking), `timers` (parking), `watching` and `hints` (marking by lists and by events).
"""

from typing import Any

import sqlalchemy as sa

from ..domain.compliance import Verdict
from ..domain.push import Lane
from .tables import LEASED, UNSENT, pushes

_lane = pushes.c.lane
AT_REST = pushes.c.confirmed_seq >= pushes.c.desired_seq
URGENCY = sa.case((_lane == Lane.REVOKE, 0), (_lane == Lane.PERSON, 1), else_=2)


def _word(lane: Lane) -> sa.BindParameter[Lane]:
    return sa.literal(lane, _lane.type)


def over(now: Any) -> sa.ColumnElement[bool]:
    """What was told stands beyond its lease."""
    return sa.and_(sa.text(LEASED), pushes.c.compliant_until <= now, sa.text(UNSENT))


def once_woken(now: Any) -> sa.ColumnElement[Any]:
    """What stands beyond its lease is a revocation. A row at rest in the lane of people is looked at for its own time, and goes
    with the sweeps."""
    rests = sa.and_(AT_REST, _lane == Lane.PERSON)
    return sa.case((over(now), _word(Lane.REVOKE)), (rests, _word(Lane.SWEEP)), else_=_lane)


def once_marked(lane: Lane) -> sa.ColumnElement[Any]:
    """A row that is not at rest keeps its lane, too, unless it is to go with the revocations."""
    return _word(lane) if lane is Lane.REVOKE else sa.case((sa.and_(AT_REST, _lane != Lane.REVOKE), _word(lane)), else_=_lane)


def once_wanted(lane: Lane) -> sa.ColumnElement[Any]:
    """By a person, or by a change of ours: whose turn it is now."""
    revocation = sa.and_(_lane == Lane.REVOKE, sa.or_(AT_REST, pushes.c.desired != Verdict.COMPLIANT))
    return sa.case((revocation, _lane), else_=_word(lane))


def once_parked(*, looked: bool) -> sa.ColumnElement[Any]:
    return sa.case((AT_REST, _word(Lane.SWEEP)), else_=_lane) if looked else _lane


def known(word: str) -> Lane:
    """One row with a word that this version does not know must not keep all others from being woken."""
    return Lane[word.upper()] if word.upper() in Lane.__members__ else Lane.SWEEP
