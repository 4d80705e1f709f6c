"""What the worker does for a set-up: it looks at what an administrator typed, by making the call that it is for.

A look is asked for by name (`consent`, `mdm:ws1`), and whoever adds a step adds its look to `onboard_wiring.looks`. It is made
again at every wish and never by itself, but for what passes by itself: a consent that may not have arrived everywhere yet, and
calls that have to wait.
"""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import Any

from ..domain.finding import Finding, State
from ..domain.onboarding import Looked
from ..domain.onboarding_steps import LAGS, cause_of_token
from ..ports import Actor, Choices, Store


@dataclass(frozen=True)
class Found:
    """`cause` keys our texts; None is *good*."""

    cause: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


AGAIN = timedelta(seconds=5)
Look = Callable[[str], Found]
"""Given what stands behind the colon of its name."""


def look_at_all(
    choices: Choices,
    looks: Mapping[str, Look],
    store: Store,
    *,
    actor: Actor,
    now: Callable[[], datetime],
    later: MutableMapping[str, datetime] | None = None,
) -> int:
    """Every look that somebody waits for; returns how many were made. `later` remembers from one call to the next which of them
    passes by itself, and when it is made again."""
    later = {} if later is None else later
    wanted = [looked for looked in choices.wanted() if looked.name.partition(":")[0] in looks]
    wanted = [looked for looked in wanted if now() >= later.get(looked.name, datetime.min.replace(tzinfo=UTC))]
    for looked in wanted:
        kind, _, about = looked.name.partition(":")
        at = now()
        found = looks[kind](about)
        lag = LAGS.get(found.cause or "")
        if lag is not None and looked.wanted_at is not None and at - looked.wanted_at < lag:
            later[looked.name] = now() + AGAIN
            continue
        good = found.cause is None
        seen = Looked(
            looked.name,
            looked.wanted_at,
            at,
            at if good else looked.good_at,
            looked.failed_at if good else at,
            found.cause,
            found.detail,
        )
        with store.change(actor, "set_up.looked", about=("look", looked.name), at=at) as change:
            change.audit(cause=found.cause)
            change.looked_at(seen)
    return len(wanted)


def kept(finding: Finding) -> Mapping[str, Any]:
    """For the doctor's page: without what a remote said of itself, and without where files are."""
    detail = {**finding.detail, **({"said": finding.detail.get("code", "-")} if "said" in finding.detail else {})}
    if "file" in detail:
        detail["file"] = PurePath(detail["file"]).name
    return {"check": finding.check, "state": finding.state.value, "why": finding.why, "about": finding.about, "detail": detail}


def of_findings(findings: Sequence[Finding]) -> Found:
    """The first that is bad, or could not be known, names the cause; a permission that is missing is told after a token that was
    refused."""
    told = [{"check": one.check, "why": one.why, "about": one.about, "state": one.state.value, **one.detail} for one in findings]
    wrong = next((one for one in findings if one.state is not State.GOOD and (one.check, one.why) != ("mdm", "empty")), None)
    detail = {"found": [{name: str(value) for name, value in one.items() if name != "said"} for one in told]}
    if wrong is None:
        return Found(None, detail)
    code = wrong.detail.get("code", "")
    return Found(
        cause_of(wrong), {**detail, "code": code, "about": wrong.about, "permissions": wrong.detail.get("permissions", "")}
    )


def cause_of(wrong: Finding) -> str:
    if wrong.check == "token" and wrong.why not in ("busy", "unreachable", "garbled"):
        return cause_of_token(wrong.detail.get("code", ""))
    return {"not_told": "garbled", "no_consent": "missing"}.get(wrong.why, wrong.why)
