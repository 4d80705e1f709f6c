"""A test tap: the next arrival is recorded once, in time, and without anything of whoever it was."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from remediation.domain.arrival import LASTS, referrer_kind, way_of
from remediation.domain.device import Platform
from remediation.errors import StepRefused
from remediation.services.arrival import arrived, open_window
from remediation.store.tables import arrival_tests
from tests.services.set_up import ADMIN
from tests.stories import Story

Tell = Callable[..., Story]


@pytest.fixture
def story(tell: Tell) -> Story:
    return tell("blocked_just_registered")


def comes(story: Story, entrance: str = "enrollment", way: str | None = None, came_from: str | None = None) -> None:
    arrived(
        story.store,
        entrance=entrance,
        way=way,
        platform=Platform.IOS,
        came_from=came_from,
        own_host="return.example",
        now=story.world.clock(),
    )


def state(story: Story, tested: str) -> str:
    return next(one for one in story.store.arrival_tests() if one.tested == tested).state(story.world.clock())


def test_nothing_is_written_while_nobody_tests(story: Story) -> None:
    before = story.audit()
    comes(story)
    assert (story.audit(), story.store.arrival_tests()) == (before, [])


def test_microsofts_button_leads_here_and_the_second_arrival_is_nobodys_business(story: Story) -> None:
    test = open_window(story.store, "button", actor=ADMIN, now=story.world.clock())
    comes(story, came_from="login.microsoftonline.com")
    comes(story, "start")
    (seen,) = story.store.arrival_tests()
    assert (seen.id, seen.entrance, seen.platform, seen.referrer, seen.state(story.world.clock())) == (
        *(test.id, "enrollment", "ios", "microsoft"),
        "here",
    )
    assert story.audit().count("arrival.seen") == 1
    with story.engine.connect() as connection:
        (row,) = connection.execute(sa.select(arrival_tests)).mappings()
    assert not [value for value in row.values() if isinstance(value, str) and "microsoftonline" in value], (
        "a kind, never an address"
    )


def test_another_entrance_is_said_to_be_another(story: Story) -> None:
    open_window(story.store, "button", actor=ADMIN, now=story.world.clock())
    comes(story, "start", way="clip")
    assert state(story, "button") == "elsewhere"
    open_window(story.store, "clip", actor=ADMIN, now=story.world.clock())
    comes(story, "start", way="clip")
    assert state(story, "clip") == "here"


def test_too_late_is_not_recorded_and_nobody_is_said_to_have_come(story: Story) -> None:
    open_window(story.store, "leaflet", actor=ADMIN, now=story.world.clock())
    assert state(story, "leaflet") == "open"
    story.sandbox.world.advance(LASTS.total_seconds() + 1)
    comes(story, "start", way="leaflet")
    assert state(story, "leaflet") == "nobody"


def test_one_window_at_a_time(story: Story) -> None:
    open_window(story.store, "leaflet", actor=ADMIN, now=story.world.clock())
    story.sandbox.world.advance(1)
    open_window(story.store, "clip", actor=ADMIN, now=story.world.clock())
    comes(story, "start", way="leaflet")
    assert (state(story, "leaflet"), state(story, "clip")) == ("nobody", "elsewhere")
    with pytest.raises(StepRefused):
        open_window(story.store, "carrier pigeon", actor=ADMIN, now=story.world.clock())


def test_what_was_seen_once_stays_known_beside_a_newer_test(story: Story) -> None:
    open_window(story.store, "clip", actor=ADMIN, now=story.world.clock())
    comes(story, "start", way="clip")
    story.sandbox.world.advance(timedelta(days=1).total_seconds())
    open_window(story.store, "clip", actor=ADMIN, now=story.world.clock())
    assert sorted(one.state(story.world.clock()) for one in story.store.arrival_tests()) == ["here", "open"]


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("login.microsoftonline.com", "microsoft"),
        ("device.login.microsoftonline.com", "microsoft"),
        ("evil-login.microsoftonline.com.example", "other"),
        ("return.example", "none"),
        (None, "none"),
    ],
)
def test_the_kind_of_page_by_its_host(host: str | None, kind: str) -> None:
    assert referrer_kind(host, "return.example") == kind


def test_each_address_that_is_given_out_is_known_however_it_is_written() -> None:
    assert [way_of(path) for path in ("/start/clip", "/START/Clip/", "/start/clip/x", "/start")] == ["clip", "clip", None, None]
