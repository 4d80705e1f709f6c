"""What an administrator does to set a tenant up, and what is known of it. The web calls all of this, and no remote is called here.

What is typed is checked before (`web/choices.py`, by the rules of all settings); the worker looks (`look_at_set_up`) and proves.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from ..domain.credential_ends import LOOK as CREDENTIALS
from ..domain.onboarding import FIRST, GO, SETUP_LINK_LASTS, SETUP_SESSION_LASTS, WORKER, Facts, Looked
from ..ports import Actor, Choice, Choices, Store

SECRET_SET = "set"  # noqa: S105 (says that there is one)
ABOUT = ("settings", "typed")
NEW_CERTIFICATE, USED_CERTIFICATE = "certificate", "certificate_in_use"
"""Looks: the one that the worker made last, sealed for itself; and what is known of the one in force."""


class CannotSeal(Exception):
    """The worker never said with what to seal; so nothing secret can be typed for it."""


def facts(
    choices: Choices,
    elsewhere: Mapping[str, str | None],
    kinds_in: Callable[[Mapping[str, str]], Mapping[str, str]],
    *,
    gone: bool,
    first: Iterable[str] = (),
) -> Facts:
    """`elsewhere` is what this process was given; the worker's own stands in its look. `kinds_in` finds MDM connections."""
    typed, looked = choices.typed(), choices.looks()
    fixed = {**elsewhere_of_worker(looked), **elsewhere}
    values = {name: choice.value for name, choice in typed.items() if choice.sealed_for is None}
    values |= {name: value for name, value in fixed.items() if value is not None}
    return Facts(frozenset({*typed, *fixed}), values, frozenset(fixed), looked, kinds_in(values), gone, tuple(sorted(first)))


def plain(typed: Mapping[str, Choice]) -> Mapping[str, str | None]:
    """What can be read by anybody; None where it is sealed."""
    return {name: choice.value if choice.sealed_for is None else None for name, choice in typed.items()}


def half_of_worker(looked: Mapping[str, Looked]) -> str | None:
    """With which secrets are sealed for it; None where it has no key, or never started."""
    half = looked[WORKER].detail.get("half") if WORKER in looked else None
    return half if isinstance(half, str) else None


def choice_of(
    name: str,
    value: str | None,
    process: str | None,
    half_of: Callable[[str], str | None],
    seal: Callable[[str, str, str], str],
) -> Choice | None:
    """As it is kept: sealed for that process where it is a secret. Raises `CannotSeal`."""
    if value is None or process is None:
        return None if value is None else Choice(value)
    half = half_of(process)
    if half is None:
        raise CannotSeal
    return Choice(seal(name, value, half), process)


def elsewhere_of_worker(looked: Mapping[str, Looked]) -> Mapping[str, str | None]:
    found = looked[WORKER].detail.get("elsewhere") if WORKER in looked else None
    return found if isinstance(found, dict) else {}


def choose(
    store: Store,
    chosen: Mapping[str, Choice | None],
    *,
    actor: Actor,
    now: datetime,
    looks: Iterable[str] = (),
    seen: int | None = None,
) -> None:
    """One audit row with what stood there before and what stands there now; of secrets that there is one. `looks` say nothing any
    more, and are made again. Raises `SetUpRefused` where the settings are not those any more that were `seen`."""
    with store.change(actor, "settings.changed", about=ABOUT, at=now) as change:
        before = change.choose(chosen, seen=seen)
        change.audit(
            changes=[{"name": name, "old": _told(name, before[name]), "new": _told(name, new)} for name, new in chosen.items()]
        )
        for name in looks:
            change.want_look_at(name)


def use_certificate(store: Store, made: Looked, certificate: str, secret: str, *, actor: Actor, now: datetime) -> None:
    """The certificate that the worker made becomes the credential, in place of a secret; consent is proven anew with it."""
    with store.change(actor, "settings.changed", about=ABOUT, at=now) as change:
        before = change.choose({certificate: Choice(str(made.detail["sealed"]), "worker"), secret: None})
        old = {name: _told(name, choice) for name, choice in before.items()}
        new = {certificate: SECRET_SET, secret: None}
        change.audit(changes=[{"name": name, "old": old[name], "new": new[name]} for name in new])
        detail = {name: made.detail[name] for name in ("ends", "thumbprint")}
        change.looked_at(Looked(USED_CERTIFICATE, looked_at=now, good_at=now, detail=detail))
        change.looked_at(Looked(NEW_CERTIFICATE, made.wanted_at, now))
        change.want_look_at("consent")
        change.want_look_at(CREDENTIALS)


def go(store: Store, *, actor: Actor, now: datetime, seen: int) -> None:
    with store.change(actor, "settings.go", about=ABOUT, at=now) as change:
        change.choose({GO: Choice("yes"), FIRST: None}, seen=seen)
        change.end_set_up_sessions()


def want_look(store: Store, name: str, *, actor: Actor, now: datetime) -> None:
    with store.change(actor, "set_up.look_wanted", about=("look", name), at=now) as change:
        change.want_look_at(name)


def note(store: Store, looked: Looked, *, actor: Actor, now: datetime) -> None:
    """What is known without the worker: somebody signed in as an administrator, or came back from Microsoft."""
    with store.change(actor, "set_up.noted", about=("look", looked.name), at=now) as change:
        change.audit(cause=looked.cause)
        change.looked_at(looked)


def make_set_up_link(store: Store, *, operator: str, now: datetime) -> str:
    """A token that opens the pages of the set-up once, within a quarter of an hour. Only its digest is kept."""
    token = secrets.token_urlsafe(32)
    with store.change(Actor("operator", operator), "set_up.link_made", about=("set_up", digest(token)[:8]), at=now) as change:
        change.make_set_up_link(digest(token), made_by=operator, expires_at=now + SETUP_LINK_LASTS)
    return token


def use_set_up_link(store: Store, token: str, *, browser: str, now: datetime) -> str:
    """The session that it begins. Raises `SetUpRefused`."""
    session = secrets.token_urlsafe(32)
    with store.change(Actor("browser", browser), "set_up.link_used", about=("set_up", digest(token)[:8]), at=now) as change:
        change.use_set_up_link(digest(token), session_hash=digest(session), until=now + SETUP_SESSION_LASTS)
    return session


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _told(name: str, choice: Choice | None) -> str | None:
    """Names of accounts count as people's here: the audit holds ids alone (docs/decisions/0007)."""
    if choice is None:
        return None
    return SECRET_SET if choice.sealed_for is not None or name.endswith(("_USER", "_USERS")) else choice.value
