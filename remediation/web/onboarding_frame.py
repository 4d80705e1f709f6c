"""What a step of the set-up is as a page. Each step is one small module with its `PAGES`, and one template.

To add a step: a `Step` with its judge in `domain/onboarding_….py`, a `StepPage` around it in a module here, its template
`onboarding/<name>.html` (which extends `onboarding/step.html`), and its place in `onboarding_pages.PAGES`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import request

from ..domain.onboarding import Facts, Standing, Step
from ..settings.proposal import Wrong
from .names import shown
from .sessions import signed_in_session

Typed = Mapping[str, str | None]


def nothing(_: Facts) -> Mapping[str, Any]:
    return {}


def plain(step: Step) -> Callable[[Facts], Typed]:
    """The fields of the step, as they were typed; a field that came empty is taken back."""

    def read(facts: Facts) -> Typed:
        return {name: _typed(name) for name in step.fields if name in request.form and name not in facts.elsewhere}

    return read


def secret(name: str) -> Typed:
    """A secret that came empty stays as it is: no page shows one, so nobody can type it once more."""
    value = request.form.get(name, "").strip()
    return {name: value} if value else {}


def _typed(name: str) -> str | None:
    return ",".join(part.strip() for part in request.form.getlist(name) if part.strip()) or None


def staff() -> str:
    """Who is here, for the corner of the page; nobody has a name who came by the set-up link."""
    session = signed_in_session()
    return shown(session.name) if session is not None else ""


@dataclass(frozen=True)
class StepPage:
    """`more` adds to what its template is given; `read` says what its form typed; `asks` fills the words of its change request;
    `stops` says what no rule of the settings knows."""

    step: Step
    more: Callable[[Facts], Mapping[str, Any]] = nothing
    read: Callable[[Facts], Typed] | None = None
    asks: Callable[[Facts], Mapping[str, str]] = lambda _: {}
    template: str = ""
    stops: Callable[[Typed], list[Wrong]] = lambda _: []

    def typed(self, facts: Facts) -> Typed:
        return (self.read or plain(self.step))(facts)

    @property
    def name(self) -> str:
        return self.step.name

    @property
    def page(self) -> str:
        return self.template or f"onboarding/{self.step.name}.html"


def around(standings: tuple[Standing, ...], name: str) -> Mapping[str, Any]:
    """What every page of a step is given: how it stands, and where to go next."""
    here = next(one for one in standings if one.step.name == name)
    after = next((one for one in standings if one.state.value in ("next", "wrong") and one.step.name != name), None)
    return {"standing": here, "step": here.step, "next": after, "staff": staff()}
