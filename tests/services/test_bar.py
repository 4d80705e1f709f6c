"""The organisation's own bar, from its file to Entra: it takes down what the MDM calls compliant; and the dry run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from remediation.adapters.risk_file import RiskFile
from remediation.commands import remediation
from remediation.domain.device import ManagedDevice
from remediation.domain.steps import Step
from remediation.services.try_bar import Effect, Trial, try_bar
from remediation.settings.bar import read_bar
from remediation.store.migrations import migrate
from remediation.wiring import build_bar, build_budgets, build_world
from sandbox import demo
from sandbox.server import create_sandbox
from tests.journeys.ports import free_port
from tests.people import MANAGED_PHONE
from tests.services.test_budgets import settings_for
from tests.stories import Story
from tests.wsgi_adapter import WSGIAdapter

Tell = Callable[..., Story]


def written(folder: Path, text: str) -> str:
    path = folder / "bar.toml"
    path.write_text(text)
    return str(path)


def under(story: Story, bar_file: str | None) -> Story:
    """The story goes on with a worker that was started with this rule file."""
    settings = settings_for(story.sandbox, bar_file=bar_file)
    budgets = build_budgets(settings, story.engine, clock=story.world.clock)
    transport = WSGIAdapter(story.sandbox.api)
    story.world = build_world(settings, story.store, budgets, transport=transport, clock=story.world.clock)
    return story


def test_a_device_below_the_bar_is_not_compliant_whatever_the_mdm_says(tell: Tell, tmp_path: Path) -> None:
    story = under(tell("blocked_just_registered"), written(tmp_path, '[least_os]\nios = "99"\nname = "iOS 99"\n'))
    story.arrives()
    story.says_this_is_mine()
    story.taps_the_message()
    story.passes(60)
    assert story.step is Step.FIX
    assert not story.outlook_opens()
    [rule] = story.journey.managed[0].posture.failing
    assert (rule.name, rule.advice) == ("iOS 99", "update")
    under(story, None).checks_again()  # the control: the same device without the bar
    story.gets_to(Step.OPEN)


def test_a_bar_that_comes_later_takes_down_what_stood(tell: Tell, tmp_path: Path) -> None:
    story = under(tell("blocked_just_registered"), None)
    story.gets_through()
    under(story, written(tmp_path, "[ownership]\nallowed = ['shared']\n")).passes(120)
    assert story.entra_shows is False
    assert story.step is Step.FIX


def test_a_rule_in_the_administrators_own_words(tell: Tell) -> None:
    """By the policy's name, whatever its capitals, and in the languages that he wrote; before the catalogue and the MDM's words."""
    story = tell("blocked_just_registered")
    settings = settings_for(story.sandbox)
    own = {"PASSCODE required": {"en": "Six digits or more.", "de": "Sechs Ziffern oder mehr."}}
    settings.mdm["ws1"].__dict__["advice"] = own
    budgets = build_budgets(settings, story.engine, clock=story.world.clock)
    transport = WSGIAdapter(story.sandbox.api)
    story.world = build_world(settings, story.store, budgets, transport=transport, clock=story.world.clock)
    story.reports_health(passcode=False)
    story.arrives()
    [rule] = story.journey.managed[0].posture.failing
    assert (rule.name, dict(rule.says)) == ("Passcode required", own["PASSCODE required"])


def test_the_oldest_check_in_is_the_leases(tell: Tell, tmp_path: Path) -> None:
    story = under(tell("blocked_just_registered"), written(tmp_path, "[check_in]\noldest_days = 2\n"))
    assert story.world.lease.since_check_in.days == 2
    assert under(story, written(tmp_path, "[check_in]\noldest_days = 60\n")).world.lease.since_check_in.days == 14, "never more"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x", "not valid TOML"),
        ("[least_os]\nios = 'seventeen'\n", "least_os.ios"),
        ("[least_os]\nios = 17.4\n", "least_os.ios"),
        ("[least_os]\npalm = '1'\n", "least_os.palm: is not a rule of ours"),
        ("[passcode]\nrequired = true\n", "passcode: is not a rule of ours"),
        ("[encryption]\nrequired = false\n", "encryption.required"),
        ("[ownership]\nallowed = []\n", "ownership.allowed"),
        ("[ownership]\nallowed = ['mine']\n", "ownership.allowed"),
        ("[check_in]\noldest_days = 0\n", "check_in.oldest_days"),
        ("[risk]\nmost = 50\nfile = '/x'\n", "risk.unlisted"),
    ],
)
def test_a_faulty_rule_file_is_told_in_words(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ValueError, match=r"must|valid|required|rule") as refused:
        read_bar(written(tmp_path, text))
    assert told in str(refused.value)


def test_risk_scores(tmp_path: Path) -> None:
    path = tmp_path / "risk.csv"
    scores = RiskFile(path, unlisted=None)
    listed, other = MANAGED_PHONE, replace(MANAGED_PHONE, serial="OTHER", udid=None)

    def of(*devices: ManagedDevice) -> list[float | None]:
        return [scores.score_of(device) for device in devices]

    assert of(listed) == [None], "no file yet"
    path.write_text(f"device,score\n{(listed.serial or '').lower()},40\n\n{listed.serial},70.5\n")
    assert of(listed, other) == [70.5, None], "capitals do not matter, and of two lines the worse counts"
    assert RiskFile(path, unlisted=float("-inf")).score_of(other) == float("-inf")
    path.write_text("device,score\nOTHER;3\n")
    assert of(listed, other) == [70.5, None], "what cannot be read changes nothing"
    path.write_text("OTHER,nan\n")
    assert of(listed) == [70.5]
    path.write_text("OTHER,3\n")
    assert of(listed, other) == [None, 3]


def test_the_dry_run_counts_and_changes_nothing(tell: Tell, tmp_path: Path) -> None:
    story = under(tell("blocked_just_registered"), None)
    trial = Trial(build_bar(None), build_bar(written(tmp_path, '[least_os]\nios = "99"\nandroid = "1"\n')))
    settings = settings_for(story.sandbox)
    budgets = build_budgets(settings, story.engine, clock=story.world.clock)
    world = build_world(
        settings, story.store, budgets, transport=WSGIAdapter(story.sandbox.api), clock=story.world.clock, hold=trial
    )
    pages: list[Effect] = []
    before = len([entry for entry in story.ledger() if entry["method"] != "GET"])
    [effect] = try_bar(world.managers, trial, progress=pages.append)
    assert (effect.connection, effect.error, effect.lifted) == ("ws1", None, 0)
    assert 0 < effect.lowered <= effect.failing["least_os"] <= effect.devices
    assert effect.lowered <= effect.compliant
    assert len(pages) == 1
    writes = [entry["path"] for entry in story.ledger() if entry["method"] != "GET"][before:]
    assert [path for path in writes if "token" not in path] == []
    story.fault("workspace_one", "down")
    [cut] = try_bar(world.managers, trial, progress=pages.append)
    assert (cut.error, cut.devices) == ("unreachable", 0)


@pytest.fixture
def settings(tmp_path: Path, ca_folder: Path) -> Iterator[dict[str, str]]:
    """Of a product whose sandbox answers on real sockets."""
    ports = demo.Ports(free_port(), free_port(), free_port())
    sandbox = create_sandbox(demo.tenant_for(ports, tmp_path))
    sandbox.begin("blocked_just_registered")
    sandbox.start()
    yield demo.product_settings(sandbox, ports, tmp_path, "a-key-for-tests-only-that-is-long-enough-to-be-taken")
    sandbox.stop()


def test_the_command_tells_how_many_devices_it_would_change(settings: dict[str, str], tmp_path: Path) -> None:
    migrate(settings["REMEDIATION_DATABASE_URL"])
    file = written(tmp_path, '[least_os]\nios = "99"\nandroid = "1"\n')
    told = CliRunner().invoke(remediation, ["bar", file], env=settings, catch_exceptions=False)
    assert told.exit_code == 0, told.output
    assert "would not be compliant any more" in told.output
    assert "least_os: " in told.output
    assert settings["REMEDIATION_MDM_WS1_CLIENT_SECRET"] not in told.output
    refused = CliRunner().invoke(remediation, ["bar", written(tmp_path, "[x]\n")], env=settings, catch_exceptions=False)
    assert (refused.exit_code, "x: is not a rule of ours" in refused.output) == (2, True)
    wrong = settings | {"REMEDIATION_MDM_WS1_CLIENT_SECRET": "not-this-one"}
    cut = CliRunner().invoke(remediation, ["bar", written(tmp_path, "")], env=wrong, catch_exceptions=False)
    assert (cut.exit_code, "look at the credential" in cut.output) == (2, True)
