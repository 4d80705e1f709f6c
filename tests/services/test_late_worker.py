"""A worker that stops in the middle of a pass and goes on after another one did the whole of it: at calls to the remotes, for a
link and for a journey (P2, P3, P9). The last numbers interrupt nothing and are the control."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
import requests

from bench.stage.in_process import Unheard
from remediation.domain.device import LinkState
from remediation.domain.push import Lane
from remediation.domain.steps import Step
from remediation.ports import Actor, Change
from remediation.services.look import look
from remediation.services.push_compliance import bring_to_rest
from remediation.store.store import SqlStore
from tests.stories import Story

Tell = Callable[..., Story]
CALLS = range(1, 13, 2)


class Interrupted:
    """Does something else, once, just before call number `at` goes out."""

    def __init__(self, story: Story, at: int, meanwhile: Callable[[], None]) -> None:
        self.transport = cast("Any", story.remotes.transport)
        self.send: Any = self.transport.send
        self.left, self.meanwhile = at, meanwhile
        self.transport.send = self

    def __call__(self, *args: Any, **kw: Any) -> requests.Response:
        self.left -= 1
        if self.left == 0:
            self.transport.send = self.send
            other = threading.Thread(target=self.meanwhile, daemon=True)  # not nested: it may wait for a lock that this one holds
            other.start()
            other.join(2)
        answer: requests.Response = self.send(*args, **kw)
        return answer


def about_to_be_told(tell: Tell) -> Story:
    """Linked while it was jailbroken, and good by now: the next pass has *compliant* to tell."""
    story = tell("blocked_just_registered")
    story.arrives()
    story.says_this_is_mine()
    story.reports_health(jailbroken=True)
    story.taps_the_message()
    story.passes(60)
    story.reports_health(jailbroken=False)
    return story


def words(story: Story) -> list[str]:
    return [u.content[1]["complianceStatus"] for u in sorted(story.uploads(), key=lambda upload: upload.received_at)]


@pytest.mark.slow
@pytest.mark.parametrize("at", CALLS)
@pytest.mark.parametrize("news", ["jailbreak", "wipe"])
def test_P3_a_late_compliant_never_stands(tell: Tell, at: int, news: str) -> None:
    """It had read a good posture, was about to say so, and is overtaken by bad news."""
    story = about_to_be_told(tell)

    def meanwhile() -> None:
        if news == "wipe":
            story.remotes.record.enrollment_status = "Unenrolled"
        else:
            story.reports_health(jailbroken=True)
        story.passes(90)

    pause = Interrupted(story, at, meanwhile)
    bring_to_rest(story.push.link_id, world=story.world)
    story.passes(300, every=20)
    if pause.left > 0:
        meanwhile()
        story.passes(120)
    assert (story.entra_shows, story.push.says_compliant, story.push.at_rest) == (False, False, True)
    assert (story.link_states() == [LinkState.ENDED]) is (news == "wipe")
    assert story.step is not Step.OPEN


def test_P7_a_worker_that_slept_over_what_it_read_judges_nothing(tell: Tell) -> None:
    """What it read would be too old by now, though the phone has checked in since."""
    story = tell("blocked_just_registered")
    story.gets_through()
    link = story.push.link_id
    story.remotes.record.last_seen -= timedelta(days=13, hours=20)

    def meanwhile() -> None:
        story.reports_health()
        story.sandbox.world.advance(6 * 3600)

    Interrupted(story, 3, meanwhile)
    bring_to_rest(link, world=story.world)
    assert words(story) == ["compliant"]
    story.passes(120)
    assert (story.entra_shows, story.push.at_rest) == (True, True)


def test_P6_a_worker_that_slept_between_two_calls_covers_no_newer_sight_of_entra(tell: Tell) -> None:
    """The MDM is away, so nobody judges and nobody repairs: the row alone says what Entra shows."""
    story = tell("blocked_just_registered")
    story.gets_through()
    link = story.push.link_id
    story.fault("workspace_one", "down")

    def meanwhile() -> None:
        with story.sandbox.world.settled() as world:
            next(d for d in world.devices.values() if d.device_id == story.remotes.device_id).is_compliant = None
        story.sandbox.world.advance(30)
        bring_to_rest(link, world=story.world)
        assert story.push.observed is None
        story.sandbox.world.advance(1)

    pause = Interrupted(story, 3, meanwhile)  # it has read the device, and asks for its owner
    bring_to_rest(link, world=story.world)
    assert (pause.left, story.push.observed) == (0, None)


class Sleepy(SqlStore):
    """Its worker sleeps for so long after it has prepared a message, once."""

    sleep: Callable[[], None] | None = None

    @contextmanager
    def change(self, actor: Actor, why: str, **more: Any) -> Iterator[Change]:
        with super().change(actor, why, **more) as change:
            yield change
        if why == "push.prepared" and self.sleep is not None:
            sleep, self.sleep = self.sleep, None
            sleep()


@pytest.mark.parametrize("hours", [1, 80])
def test_P4_a_worker_that_slept_over_its_evidence_tells_nothing_of_it(tell: Tell, hours: int) -> None:
    story = about_to_be_told(tell)
    told, store = len(story.uploads()), Sleepy(story.engine, story.store.tenant_id, Unheard())
    store.sleep = lambda: story.sandbox.world.advance(hours * 3600)
    bring_to_rest(story.push.link_id, world=replace(story.world, store=store))
    assert store.sleep is None
    assert len(story.uploads()) - told == (hours == 1), "within the lease it is told as ever"
    story.reports_health(jailbroken=False)
    story.passes(600, every=20)
    assert (story.entra_shows, story.push.at_rest) == (True, True)


@pytest.mark.slow
@pytest.mark.parametrize("at", CALLS)
def test_P9_two_passes_over_one_link_are_one_message(tell: Tell, at: int) -> None:
    story = tell("blocked_just_registered")
    story.arrives()
    story.says_this_is_mine()
    story.fault("intune", "down")
    story.taps_the_message()
    story.sandbox.faults.clear()
    link = story.push.link_id
    Interrupted(story, at, lambda: bring_to_rest(link, world=story.world))
    bring_to_rest(link, world=story.world)
    story.gets_to(Step.OPEN, within=600)
    assert words(story) == ["compliant"]


@pytest.mark.slow
@pytest.mark.parametrize("at", [*CALLS, 8, 16])
def test_P9_two_looks_at_one_journey_are_one_link_told_once(tell: Tell, at: int) -> None:
    story = tell("blocked_just_registered")
    story.arrives()
    with story.store.change(
        story.world.actor, "possession.wanted", about=("journey", story.journey_id), at=story.world.clock()
    ) as c:
        c.want_possession(story.journey_id, story.journey.managed[0].key)
    Interrupted(story, at, lambda: look(story.journey_id, world=story.world))
    look(story.journey_id, world=story.world)
    story.sandbox.world.advance(2)
    Interrupted(story, at, lambda: look(story.journey_id, world=story.world))
    story.taps_the_message()
    story.gets_to(Step.OPEN, within=600)
    assert (len(story.journey.links), words(story)) == (1, ["compliant"])


class TakingTurns:
    """The first pass stops before its third call, with the MDM read and nothing written; the second one, at the same place, lets it
    go on to its end first."""

    def __init__(self, story: Story) -> None:
        self.transport = cast("Any", story.remotes.transport)
        self.send: Any = self.transport.send
        self.story, self.calls = story, dict.fromkeys(("first", "second"), 0)
        self.first = threading.Thread(target=self.passes, name="first", daemon=True)
        self.first_waits, self.first_goes_on = threading.Event(), threading.Event()
        self.transport.send = self

    def __call__(self, *args: Any, **kw: Any) -> requests.Response:
        name = threading.current_thread().name
        self.calls[name] += 1
        if self.calls[name] == 3:
            if name == "first":
                self.first_waits.set()
                self.first_goes_on.wait(10)
            else:
                self.first_goes_on.set()
                self.first.join(10)
        answer: requests.Response = self.send(*args, **kw)
        return answer

    def passes(self) -> None:
        bring_to_rest(self.story.push.link_id, world=self.story.world)

    def play(self, meanwhile: Callable[[], None]) -> None:
        self.first.start()
        self.first_waits.wait(10)
        meanwhile()
        second = threading.Thread(target=self.passes, name="second", daemon=True)
        second.start()
        second.join(20)
        self.transport.send = self.send


@pytest.mark.parametrize("hinted", [False, True])
def test_P3_old_news_told_while_a_newer_pass_finds_none_is_put_right_soon(tell: Tell, *, hinted: bool) -> None:
    """The newer pass had seen nothing to tell and would have let the row rest until the next recheck (found by `bench race`)."""
    story = tell("blocked_just_registered")
    story.gets_through()
    story.with_world(recheck=timedelta(days=1))
    link = story.push.link_id
    bring_to_rest(link, world=story.world)
    story.reports_health(jailbroken=True)

    def passes_away() -> None:
        story.reports_health(jailbroken=False)
        if hinted:
            with story.store.change(story.world.actor, "hint", about=("link", link), at=story.world.clock()) as change:
                change.wake_link(link, lane=Lane.SWEEP)
            story._attended[link] = story.push.wake

    TakingTurns(story).play(passes_away)
    story.passes(20)
    assert (story.entra_shows, story.push.says_compliant, story.push.at_rest) == (True, True, True)


def test_P3_the_newer_of_two_passes_loses_the_race_for_the_row_and_what_it_read_is_not_forgotten(tell: Tell) -> None:
    """It would have been looked for a minute later, by the safety net (found by `bench zombie`)."""
    story = tell("blocked_just_registered")
    story.arrives()
    story.says_this_is_mine()
    story.fault("intune", "down")
    story.taps_the_message()
    story.sandbox.faults.clear()
    assert (story.push.says_compliant, story.push.sent_seq) == (True, 0)
    link = story.push.link_id
    story.reports_health(jailbroken=True)

    def passes_away() -> None:
        story.reports_health(jailbroken=False)
        with story.store.change(story.world.actor, "hint", about=("link", link), at=story.world.clock()) as change:
            change.wake_link(link, lane=Lane.SWEEP)
        story._attended[link] = story.push.wake

    TakingTurns(story).play(passes_away)
    assert story.push.says_compliant is False
    story.passes(20)
    assert (story.entra_shows, story.push.says_compliant, story.push.at_rest) == (True, True, True)
