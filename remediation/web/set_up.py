"""Before everything is set up, and who gets in then: the pages that are open, and the session of whoever had the set-up link.

A process with too little configured answers with the set-up alone: nobody can sign in, so the first administrator comes by a link
that `remediation onboard` prints. Next door: `set_up_pages` (the link), `onboarding_pages` (the checklist).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flask import Flask, request

from ..ports import Actor, Choices
from ..services.onboard import half_of_worker
from .desk import desk
from .error_pages import Interruption
from .sessions import set_up_session, signed_in_session

ALWAYS = {"assets", "health", "onboarding", "set_up", "style", "sign_out"}
"""Blueprints whose pages are there whatever is set up."""
TO_SIGN_IN = {"sign_in"}
NEEDED_TO_SIGN_IN = {f"REMEDIATION_{name}" for name in ("TENANT_ID", "SIGN_IN_CLIENT_ID", "SIGN_IN_CLIENT_SECRET")}


@dataclass(frozen=True)
class SetUp:
    """`missing`: names of settings that nobody gave this process yet; `open`: *go* was chosen, or all stands in the environment.
    `first`: whom alone it is open for, before *go*. `elsewhere`: what was given to this process and
    pages cannot change. `kinds`: of the MDM connections that were typed, by their names. `seal` seals a secret by its name with a
    public half; `own_half` is this process's."""

    choices: Choices
    seal: Callable[[str, str, str], str]
    own_half: str
    elsewhere: Mapping[str, str | None] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    open: bool = True
    first: frozenset[str] = frozenset()
    kinds: Mapping[str, str] = field(default_factory=dict)

    @property
    def gone(self) -> bool:
        return self.open and not self.first

    def lets_in(self, oid: str) -> bool:
        """The worker asks the same before it does anything for a person."""
        return self.gone or oid in self.first

    @property
    def can_sign_in(self) -> bool:
        return not NEEDED_TO_SIGN_IN & self.missing

    def half_of(self, process: str) -> str | None:
        """With which a secret for that process is sealed; None where the worker has no key for it, or never started."""
        if process == "web":
            return self.own_half
        return half_of_worker(self.choices.looks())


def install(app: Flask) -> None:
    app.before_request(_only_what_is_there)


def set_up() -> SetUp:
    return desk().set_up


def _only_what_is_there() -> None:
    if request.endpoint is None or _part() in ALWAYS:
        return
    if set_up().open:
        _not_before_go()
        return
    if not (_part() in TO_SIGN_IN and set_up().can_sign_in):
        raise Interruption("not_set_up", 503, href="/onboarding")


def _not_before_go() -> None:
    """A session may be older than what is open now. Staff find their own pages, and no journey begins for them either."""
    if set_up().gone or _part() in TO_SIGN_IN:
        return
    session = signed_in_session()
    if session is not None and not session.roles and not set_up().lets_in(session.oid):
        raise Interruption("not_set_up", 503, href="/onboarding")


def _part() -> str:
    return (request.blueprint or "").partition(".")[0]


def acting() -> Actor:
    """Who acts on a page of the set-up."""
    signed_in = signed_in_session()
    if signed_in is not None and "Admin" in signed_in.roles:
        return Actor("admin", signed_in.oid)
    return Actor("set_up", set_up_session() or "")
