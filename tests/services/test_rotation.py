"""Secrets are rotated while pushes run (T26): the file is written anew, nobody restarts anything, and nothing is lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remediation.domain.compliance import Verdict
from remediation.domain.steps import Step
from remediation.settings import PREFIX, WorkerSettings
from remediation.settings.names import names_of
from remediation.settings.reading import read
from remediation.wiring import build_budgets, build_world
from tests.services.test_budgets import settings_for
from tests.stories import Story
from tests.wsgi_adapter import WSGIAdapter

Tell = Callable[..., Story]
FILES = {"SERVICE_CLIENT_SECRET": "entra", "MDM_WS1_CLIENT_SECRET": "ws1"}


class Rotating:
    """A story whose worker has its two secrets from files, as a secret store mounts them."""

    def __init__(self, story: Story, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.story, self.folder = story, folder
        settings = settings_for(story.sandbox)
        given = settings.model_dump(exclude_unset=True, exclude={"mdm"})
        for name in names_of(WorkerSettings):
            patch.delenv(name, raising=False)
        ws1 = settings.mdm["ws1"].model_dump(exclude_unset=True)
        for name, value in [*given.items(), *((f"mdm_ws1_{field}", value) for field, value in ws1.items())]:
            text = getattr(value, "get_secret_value", lambda value=value: value)()
            if name.upper() in FILES:
                self.write(FILES[name.upper()], text)
                patch.setenv(f"{PREFIX}{name.upper()}_FILE", str(folder / FILES[name.upper()]))
            else:
                patch.setenv(PREFIX + name.upper(), ",".join(text) if isinstance(text, tuple) else str(getattr(text, "name", text)))
        settings = read(WorkerSettings)
        story.sandbox.world.stand_still()
        budgets = build_budgets(settings, story.engine, clock=story.world.clock)
        transport = WSGIAdapter(story.sandbox.api)
        story.world = build_world(settings, story.store, budgets, transport=transport, clock=story.world.clock)

    def write(self, name: str, secret: str) -> None:
        """As secret stores do: a new file, renamed into place."""
        new = self.folder / f"{name}.new"
        new.write_text(secret + "\n")
        os.rename(new, self.folder / name)

    def rotate_there(self) -> dict[str, str]:
        """At Microsoft and at the MDM: from here on the old ones are refused."""
        world, new = self.story.sandbox.world, {"entra": "the-newer-entra-secret-4471", "ws1": "the-newer-ws1-secret-9083"}
        with world.lock:
            world.apps["service"].secret = new["entra"]
            world.mdm.client_secret = new["ws1"]
        return new

    def asked_for_tokens(self, since: int) -> list[Any]:
        entries = self.story.sandbox.ledger.since(since)
        return [entry for entry in entries if entry.method == "POST" and entry.path.endswith(("/token", "/connect/token"))]

    def seen(self) -> int:
        return len(self.story.sandbox.ledger.since())

    def turns(self, *, passcode: bool) -> None:
        self.story.reports_health(passcode=passcode)
        self.story.checks_again()


@pytest.fixture
def rotating(tell: Tell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rotating:
    return Rotating(tell("blocked_just_registered"), tmp_path, monkeypatch)


def test_T26_secrets_are_rotated_while_pushes_run_and_nothing_is_lost(rotating: Rotating) -> None:
    """The way that Microsoft and the MDM allow where two secrets may live at once, or where somebody is quick."""
    story = rotating.story
    story.gets_through()
    before = len(story.uploads())
    for turn in range(6):
        if turn == 2:
            for name, secret in rotating.rotate_there().items():
                rotating.write(name, secret)
        story.sandbox.world.advance(3700)  # every token has run out, so each turn asks with the secret of the day
        rotating.turns(passcode=bool(turn % 2))
        story.passes(60)
        assert story.push.at_rest, turn
        assert story.push.reason is None
        assert story.entra_shows is bool(turn % 2)
    assert len(story.uploads()) == before + 6
    assert all(entry.status == 200 for entry in rotating.asked_for_tokens(0))


def test_T26_a_secret_that_was_rotated_there_first_costs_time_and_nothing_else(rotating: Rotating) -> None:
    """Whoever forgot the file is told by `remediation stuck`, locks no account meanwhile, and loses no push."""
    story = rotating.story
    story.gets_through()
    new = rotating.rotate_there()
    story.sandbox.world.advance(3700)
    since = rotating.seen()
    rotating.turns(passcode=False)
    story.passes(600, every=10)
    assert story.entra_shows is True, "nothing could be told yet"
    assert story.push.reason in ("mdm_refused", "directory_refused", "channel_refused")
    refused = [entry for entry in rotating.asked_for_tokens(since) if entry.status != 200]
    assert 1 <= len(refused) <= 2 * 12, "held for a minute or longer after each refusal, so no account is locked"
    for name, secret in new.items():
        rotating.write(name, secret)
    story.passes(1800, every=10)
    assert story.push.at_rest
    assert story.push.desired is not Verdict.COMPLIANT
    assert story.entra_shows is False


def test_T26_a_file_that_is_away_or_blank_for_a_moment_changes_nothing(rotating: Rotating) -> None:
    story = rotating.story
    story.arrives()
    (rotating.folder / "entra").unlink()
    rotating.write("ws1", " ")
    story.sandbox.world.advance(3700)
    story.says_this_is_mine()
    story.taps_the_message()
    story.gets_to(Step.OPEN)


def test_T26_a_new_secret_never_shows_in_the_log(rotating: Rotating) -> None:
    from remediation.log import GONE, Redactor

    net = Redactor(["something-else"])
    rotating.write("ws1", "rotated-5512-planted")
    rotating.story.sandbox.world.mdm.client_secret = "rotated-5512-planted"
    rotating.story.arrives()
    assert net.text("x rotated-5512-planted y") == f"x {GONE} y"
