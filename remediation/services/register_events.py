"""Have an MDM send its events to us: one target of ours at each connection, made where it is missing and repaired where it differs.

Safe to repeat. An MDM does not tell a password that it holds, so that one is renewed only when asked for (`renew`), or along with
something else that differs.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from ..domain.hints import USER
from ..ports import EventTarget, EventTargets

NAME = "remediation"


class Did(StrEnum):
    CREATED = "created"
    REPAIRED = "repaired"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Registered:
    """`differed` are the words for what was not as it should be; `still` what the MDM shows otherwise even now."""

    did: Did
    target: EventTarget | None
    differed: tuple[str, ...] = ()
    still: tuple[str, ...] = ()


def see(targets: EventTargets, url: str) -> Registered:
    """Changes nothing."""
    found = targets.named(NAME)
    return Registered(Did.NOTHING, found[0] if found else None, _differs(found[0], url) if found else ("missing",))


def register(targets: EventTargets, url: str, password: str, *, renew: bool) -> Registered:
    seen = see(targets, url)
    if seen.target is not None and not seen.differed and not renew:
        return seen
    if seen.target is None:
        targets.create(EventTarget("", NAME, url, USER, active=True, whole=True), password)
        did = Did.CREATED
    else:
        targets.replace(replace(seen.target, url=url, user=USER, active=True, whole=True), password)
        did = Did.REPAIRED
    after = see(targets, url)  # a write answers nothing
    return Registered(did, after.target, seen.differed or ("password",), after.differed)


def _differs(target: EventTarget, url: str) -> tuple[str, ...]:
    wrong = (
        ("address", target.url != url),
        ("user", target.user != USER),
        ("switched off", not target.active),
        ("events or format", not target.whole),
    )
    return tuple(words for words, differs in wrong if differs)
