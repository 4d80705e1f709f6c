"""From an empty tenant to the first compliant phone and to *go* in a real browser, by each channel, with the real processes: each
takes in what is typed by itself; before *go* the holder of the first device alone is let in."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, expect

from remediation.settings import PREFIX
from sandbox.scenarios import SCENARIOS
from sandbox.things import DevicePolicy
from tests.journeys.administrator import GIVEN, Administrator, Begun, possession_is_on
from tests.journeys.player import Player
from tests.journeys.stage import Stage, copied
from tests.journeys.test_in_a_browser import OPEN, begins
from tests.store.conftest import Lend, postgresql, postgresql_copy

__all__ = ["postgresql", "postgresql_copy"]  # fixtures

pytestmark = pytest.mark.slow
MIA = "mia.berger@contoso.example", "Mia Berger"
AT_A_DESK, ON_A_PHONE = (1280, 900), (390, 844)


class Play:
    """A stage with nothing set up, its administrator, and Mia once she comes."""

    def __init__(self, stage: Stage, adam: Administrator, browser: Browser) -> None:
        self.stage, self.adam, self._browser = stage, adam, browser

    @contextmanager
    def mia(self) -> Iterator[Player]:
        """Who was named to go first, in front of her blocked Outlook."""
        possession_is_on(self.stage)
        kind = SCENARIOS[self.stage.sandbox.world.scenario].kind
        look: dict[str, Any] = {
            "viewport": {"width": 390, "height": 844},
            "user_agent": kind.user_agent,
            "reduced_motion": "reduce",
        }
        context = self._browser.new_context(**look)
        context.set_default_timeout(20_000)
        try:
            yield Player(self.stage, context, f"from-zero-{self.adam.name}-mia")
        finally:
            context.close()


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """On SQLite, unless a story says `postgresql`."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield copied(request.getfixturevalue("migrated"), tmp_path)
        return
    lend: Lend = request.getfixturevalue("postgresql")
    with lend() as address:
        yield address


@pytest.fixture
def plays(url: str, tmp_path: Path, browser: Browser) -> Any:
    @contextmanager
    def play(name: str, scenario: str, size: tuple[int, int] = ON_A_PHONE, relay: float | None = None) -> Iterator[Play]:
        given: dict[str, Any] = {"without": GIVEN, "more": {PREFIX + "PRIVATE_HOSTS": "localhost"}, "relay": relay}
        with Begun(url, tmp_path, scenario, **given) as stage:
            width, height = size
            context = browser.new_context(viewport={"width": width, "height": height}, java_script_enabled=False)
            yield Play(stage, Administrator(context, stage, name), browser)
            context.close()

    return play


def shows_her_device(mia: Player) -> None:
    """The worker began anew with what was typed last, and takes its time for that on a busy machine."""
    mia.sees("looking", "Are you holding this device?", within=90)
    mia.sends_the_message()
    mia.taps_the_message()


def gets_through(mia: Player, platform: str = "ios") -> None:
    """From the blocked Outlook to her inbox."""
    mia.taps_outlook()
    mia.continues()
    mia.signs_in(platform)
    shows_her_device(mia)
    mia.sees("open", OPEN, within=60)
    mia.sees_the_inbox()


def goes(play: Play) -> None:
    play.adam.lets_all_go()
    assert re.search(r'"typed|settings.go', " ".join(play.stage.audit()))


@pytest.mark.parametrize("url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True)
def test_from_an_empty_tenant_to_go(plays: Any) -> None:
    with plays("partner", "blocked_just_registered", AT_A_DESK) as play:
        adam = play.adam
        adam.connects()
        adam.adds_workspace_one()
        adam.chooses()
        adam.checks_the_partner()
        adam.checks_our_sign_in()
        adam.sees_somebody_arrive()
        adam.sees("", "13 of 15 steps are done.")
        assert requests.get(play.stage.origin, timeout=20).status_code == 503, "nobody is let in before *go*"
        adam.lets_go_first(*MIA)
        with play.mia() as mia:
            begins(mia)
            shows_her_device(mia)
            mia.sees("open", OPEN, within=60)
            mia.sees_the_inbox()
        assert "push.sent" in play.stage.audit(), "with the first device, before *go*"
        adam.goes_without_a_pilot()
        goes(play)


@pytest.mark.long
def test_a_pilot_device_is_named_proves_the_partner_and_all_go(plays: Any) -> None:
    with plays("pilot", "blocked_just_registered") as play:
        adam = play.adam
        adam.connects()
        adam.adds_workspace_one()
        adam.chooses()
        adam.presses("partner", "provision")
        adam.sees("partner", "Microsoft took")
        adam.checks_the_partner()
        adam.checks_our_sign_in()
        adam.sees_somebody_arrive()
        adam.lets_go_first(*MIA)
        with play.mia() as mia:
            gets_through(mia)
            adam.begins_the_pilot()
            adam.sees_the_pilot_wait_for("Entra shows it not compliant")
            mia.is_blocked_within(60)
            adam.sees("pilot", "Proven: this service as compliance partner", within=120)
            mia.sees_the_inbox()
        assert play.stage.audit().count("pilot.seen") == 2
        adam.sees("", "14 of 15 steps are done.")
        goes(play)


@pytest.mark.long
def test_windows_is_told_by_graph(plays: Any) -> None:
    with plays("windows", "windows") as play:
        adam = play.adam
        adam.connects("Device.ReadWrite.All")
        adam.service.approved_mdm = True  # Mobility (MDM and MAM), Create your own application: docs/channels.md
        adam.adds_workspace_one(windows_hub="com.airwatch.windows.hub")
        adam.chooses({"WINDOWS": "graph_device"})
        adam.checks_the_partner()
        adam.checks_our_sign_in()
        adam.sees_somebody_arrive()
        adam.lets_go_first(*MIA)
        with play.mia() as mia:
            gets_through(mia, "windows")
            assert play.stage.uploads() == [], "no partner was asked"
            adam.begins_the_pilot()
            adam.sees("pilot", "Proven: by Microsoft Graph", within=120)
            mia.sees_the_inbox()
        adam.sees("", "14 of 15 steps are done.")
        goes(play)


@pytest.mark.long
@pytest.mark.parametrize("mdm", ["ws1", "maas"])
def test_the_mdms_maker_tells_and_a_broken_rule_proves_it(plays: Any, mdm: str) -> None:
    """In Workspace ONE she has not registered yet; in MaaS360 she did, in the wrong place."""
    scenario = {"ws1": "blocked_unregistered", "maas": "on_maas360"}[mdm]
    with plays(f"relay-{mdm}", scenario, relay=10) as play:
        adam, world = play.adam, play.stage.sandbox.world
        adam.connects()
        {"ws1": adam.adds_workspace_one, "maas": adam.adds_maas360}[mdm](relay_minutes="1")
        adam.chooses({"IOS": f"mdm_relay:{mdm}", "ANDROID": "none", "MACOS": "none"})
        adam.checks_the_partner()
        adam.checks_our_sign_in()
        adam.sees_somebody_arrive()
        adam.lets_go_first(*MIA)
        with play.mia() as mia:
            begins(mia)
            shows_her_device(mia)
            if mdm == "maas":
                mia.sees("in_app", "Register your device in MaaS360", within=60)
            else:
                mia.is_at("register")
            mia.registers_in_app()
            if mdm == "maas":
                mia.product.locator("#check").click()
            mia.sees("open", OPEN, within=90)
            mia.sees_the_inbox()
            adam.begins_the_pilot(mdm)
            adam.sees_the_pilot_wait_for("Entra shows it not compliant")
            for _ in range(2):
                mia.switches("passcode")
                world.check_in(play.stage.mia.record_id or 0)
                adam.sees_the_pilot_wait_for("compliant again", within=120) if _ == 0 else None
            adam.sees("pilot", "Proven: by the maker of the device management", within=120)
            mia.sees_the_inbox()
        assert not {"push.prepared", "push.sent"} & set(play.stage.audit())
        adam.sees("", "14 of 15 steps are done.")
        goes(play)


@pytest.mark.long
def test_under_the_second_lock_both_are_seen_blocked_before_anybody_goes(plays: Any) -> None:
    with plays("lock", "blocked_unregistered", relay=5) as play:
        adam, world = play.adam, play.stage.sandbox.world
        adam.connects("Device.ReadWrite.All")
        adam.adds_workspace_one(relay_minutes="1")
        adam.chooses({"IOS": "mdm_relay:ws1", "ANDROID": "none", "MACOS": "none"})
        adam.checks_the_partner()
        adam.checks_our_sign_in()
        adam.sees_somebody_arrive()
        adam.types("second_lock", SECOND_LOCK_ATTRIBUTE="7", SECOND_LOCK_PLATFORMS="ios")
        adam.sees("second_lock", "Is the attribute free?")
        adam.presses("second_lock", "prepare")
        adam.sees("second_lock", "Free, and ours since")
        rule = adam.page.locator("#rule").inner_text()
        world.device_policies = [DevicePolicy("Second lock", rule)]
        adam.presses("second_lock", "look-second_lock")
        adam.sees("second_lock", "The two devices were not both seen blocked yet.")
        with play.mia() as mia:
            mia.taps_outlook()
            expect(mia.phone.locator("h1")).not_to_have_text("Inbox")
            adam.presses("second_lock", "seen-unregistered", what_unregistered="Mia's iPhone before it was registered: 53000")
            mia.registers_in_app()
            for _ in range(60):
                with world.settled():
                    device = world.device_by_device_id(str(play.stage.mia.device_id))
                    if device is not None and device.is_compliant:
                        break
                mia.phone.wait_for_timeout(500)
            mia.taps_outlook()
            expect(mia.phone.get_by_text("You cannot access this right now").first).to_be_visible()
            mia.phone.screenshot(path="artifacts/from-zero-lock-blocked.png", full_page=True)
            adam.presses("second_lock", "seen-unmarked", what_unmarked="Mia's iPhone, compliant and not marked: 53003")
            adam.sees_done("second_lock")
            adam.lets_go_first(*MIA)
            mia.comes_by_the_leaflet()
            mia.sees("welcome", "Get back into your work apps")
            mia.signs_in()
            shows_her_device(mia)
            mia.sees("open", OPEN, within=90)
            mia.sees_the_inbox()
        with world.settled():
            device = world.device_by_device_id(str(play.stage.mia.device_id))
            assert device is not None
            assert device.extension_attributes["extensionAttribute7"] in rule
        adam.goes_without_a_pilot()
        goes(play)
