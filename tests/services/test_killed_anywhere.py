"""Killed at any call to a remote, before it went out or after its answer: the phone still gets through, by one message (P1, P2)."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from remediation.domain.steps import Step
from tests.stories import Story
from tests.wsgi_adapter import WSGIAdapter

Tell = Callable[..., Story]
SAFETY_NET = 61.0  # after as many seconds the pulse finds a row whose worker vanished
CALLS = 60  # more than a whole way through takes; the last ones kill nothing and are the control


class Killed(BaseException):
    """What SIGKILL is to a process; nothing of ours catches it."""


class Deadly:
    """Kills once, at call number `at`, before or after the remote did what it was asked."""

    def __init__(self, transport: WSGIAdapter, at: int, *, after: bool) -> None:
        self.send = transport.send
        self.left, self.after = at, after

    def __call__(self, *args: Any, **kw: Any) -> requests.Response:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Killed
        response = self.send(*args, **kw)
        if self.left == 0:
            raise Killed
        return response


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, CALLS, 3))
def test_P2_killed_at_any_call_it_goes_on_from_the_top(tell: Tell, at: int, after: bool) -> None:
    story = tell("blocked_just_registered")
    transport: Any = story.remotes.transport
    transport.send = Deadly(transport, at, after=after)
    for move in (story.arrives, story.says_this_is_mine, story.taps_the_message):
        survive(move)
        survive(lambda: story.tick(SAFETY_NET))
    for _ in range(30):
        survive(lambda: story.tick(5))
    assert (story.step, story.outlook_opens(), len(story.uploads())) == (Step.OPEN, True, 1)


def survive(move: Callable[[], None]) -> None:
    try:
        move()
    except Killed:
        return
