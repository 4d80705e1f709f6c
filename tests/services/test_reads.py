"""The work for one person or one link reads what is theirs, however many others there are."""

from collections.abc import Callable

import sqlalchemy as sa

from remediation.services.look import look
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


def test_a_look_reads_its_journey_again_only_after_something_may_have_changed_it(tell: Callable[..., Story]) -> None:
    """At its beginning, once both remotes were asked, and before it is written down what came of it."""
    story = tell("blocked_just_registered")
    story.arrives()
    story.tick()
    with asked(story.engine) as statements:
        look(story.journey_id, world=story.world)
    assert sum("FROM journeys JOIN people" in one for one, _ in statements) == 3


def test_what_each_pulse_and_each_pass_asks_is_made_once(tell: Callable[..., Story]) -> None:
    """Making such a statement anew takes three times as long as asking it."""
    story = tell("blocked_just_registered")
    story.gets_through()
    link = story.links()[0]
    made: list[object] = []

    def note(_connection: object, statement: object, *_: object) -> None:
        made.append(statement)

    def all_of_them() -> None:
        story.store.wake_due(story.world.clock())
        store = story.store
        store.link(link.id), store.push(link.id), store.managed_device(link.managed), store.beside(link), store.partner_told()
        store.living_links(link.managed, link.device_id), store.living_journey(link.oid, link.platform, story.world.clock())

    sa.event.listen(story.engine, "before_execute", note)
    all_of_them()
    first = len(made)
    all_of_them()
    assert first >= 8
    assert [*map(id, made[first:])] == [*map(id, made[:first])]
