"""Setting up a tenant: the steps as data, and what stored facts say of each. Pure.

A step says which role of Microsoft's or of the MDM's it needs, which settings are typed on its page, what the worker is to look at,
and which steps come first. Whether it is done is derived whenever somebody looks, and is never stored. Next door:
`onboarding_steps` (the steps of the frame), `ports/onboarding` (where the facts are kept).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

SETUP_LINK_LASTS = timedelta(minutes=15)
SETUP_SESSION_LASTS = timedelta(hours=2)
WORKER = "worker"
"""The look under which the worker says what it was started with: its public half, what is fixed there, what is wrong."""
GO = "go"
"""What is typed last: from then on devices are linked and compliance is pushed."""
FIRST = "first"
"""Whoever may use it before *go*, as object ids with commas between them: the holders of the pilot devices."""
MOST_FIRST = 5


class Role(StrEnum):
    """Whose administrator can do it; where one person is all of them, nothing is to be copied to anybody."""

    OPERATOR = "operator"
    ENTRA = "entra"
    INTUNE = "intune"
    ACCESS = "access"
    MDM = "mdm"
    SECURITY = "security"


@dataclass(frozen=True)
class Looked:
    """What the worker found when it last looked; `cause` keys our texts. `wanted_at` is when somebody last asked for a look."""

    name: str
    wanted_at: datetime | None = None
    looked_at: datetime | None = None
    good_at: datetime | None = None
    failed_at: datetime | None = None
    cause: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def waiting(self) -> bool:
        return self.wanted_at is not None and (self.looked_at is None or self.looked_at < self.wanted_at)

    @property
    def good(self) -> bool:
        return self.good_at is not None and (self.failed_at is None or self.failed_at < self.good_at)


@dataclass(frozen=True)
class Facts:
    """`given`: names of the environment that have a value, wherever it came from; `values`: those of them that are no secrets;
    `elsewhere`: those that pages cannot change; `connections`: the MDM connections, with their kind; `gone`: *go* was chosen;
    `first`: who may use it before that."""

    given: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict)
    elsewhere: frozenset[str] = frozenset()
    looked: Mapping[str, Looked] = field(default_factory=dict)
    connections: Mapping[str, str] = field(default_factory=dict)
    gone: bool = False
    first: tuple[str, ...] = ()

    @property
    def relied_on(self) -> bool:
        """Somebody's device may be linked by now."""
        return self.gone or bool(self.first)

    def look(self, name: str) -> Looked:
        return self.looked.get(name) or Looked(name)


class State(StrEnum):
    DONE = "done"
    NEXT = "next"
    OPEN = "open"
    WAITING = "waiting"
    WRONG = "wrong"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Outcome:
    """Of a step by itself, whatever comes before it. `why` keys our texts."""

    state: State
    why: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


DONE = Outcome(State.DONE)
OPEN = Outcome(State.OPEN)
Judge = Callable[[Facts], Outcome]


@dataclass(frozen=True)
class Step:
    """`after`: steps without which this one cannot be done; `fields`: settings that are typed on its page, by their names in the
    environment; `looks`: what the worker looks at again whenever one of `fields` or `rests_on` changes. *Go* waits for every step
    that is not `optional`."""

    name: str
    role: Role
    judge: Judge
    after: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    rests_on: tuple[str, ...] = ()
    looks: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class Standing:
    """How a step stands. `blocked_by`: the steps that have to be done first."""

    step: Step
    state: State
    why: str
    detail: Mapping[str, Any]
    blocked_by: tuple[str, ...] = ()


def checklist(steps: Sequence[Step], facts: Facts) -> tuple[Standing, ...]:
    """In order. Of those that could be done now, the first is *next*."""
    own = {step.name: step.judge(facts) for step in steps}
    standings, offered = [], False
    for step in steps:
        outcome = own[step.name]
        waits_for = [name for name in (*step.after, *(_required(steps, step) if step.name == GO else ())) if name in own]
        blocked_by = tuple(name for name in dict.fromkeys(waits_for) if own[name].state is not State.DONE)
        state = outcome.state
        if state in (State.OPEN, State.WRONG) and blocked_by:
            state = State.BLOCKED
        elif state in (State.OPEN, State.WRONG) and not offered and not step.optional:
            offered, state = True, State.NEXT if state is State.OPEN else state
        standings.append(Standing(step, state, outcome.why, outcome.detail, blocked_by if state is State.BLOCKED else ()))
    return tuple(standings)


def _required(steps: Sequence[Step], last: Step) -> Iterable[str]:
    return (step.name for step in steps if step is not last and not step.optional)


def all_given(*names: str) -> Judge:
    """Done when each of these has a value."""

    def judge(facts: Facts) -> Outcome:
        missing = [name for name in names if name not in facts.given]
        return Outcome(State.OPEN, detail={"missing": missing}) if missing else DONE

    return judge


def looked_good(name: str, *names: str) -> Judge:
    """Done when each of `names` has a value and the worker's last look was good."""

    def judge(facts: Facts) -> Outcome:
        given, looked = all_given(*names)(facts), facts.look(name)
        if given.state is not State.DONE:
            return given
        return of_look(looked)

    return judge


def of_look(looked: Looked) -> Outcome:
    if looked.waiting:
        return Outcome(State.WAITING, "waiting")
    if looked.looked_at is None:
        return OPEN
    return DONE if looked.good else Outcome(State.WRONG, looked.cause or "unknown", looked.detail)


def touched(steps: Iterable[Step], names: Iterable[str]) -> tuple[str, ...]:
    """The looks that say nothing any more once these settings changed."""
    changed = set(names)
    return tuple(dict.fromkeys(look for step in steps for look in step.looks if changed & {*step.fields, *step.rests_on}))
