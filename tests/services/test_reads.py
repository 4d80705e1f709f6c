"""The work for one person or one link reads what is theirs, however many others there are."""

from collections.abc import Callable

from tests.reads import asked, reads_everything
from tests.stories import Story


def test_from_the_first_look_to_open_and_down_again(tell: Callable[..., Story]) -> None:
    story = tell("blocked_just_registered")
    with asked(story.engine) as statements:
        story.gets_through()
        story.reports_health(passcode=False)
        story.passes(600, every=60)
    assert len(statements) > 50
    ours = [one for one in statements if "WHERE" in one[0]]  # the story itself looks which rows are due
    assert reads_everything(story.engine, ours) == []
