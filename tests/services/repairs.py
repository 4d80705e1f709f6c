"""Somebody of the helpdesk beside a story: what they see, what they confirm, and the worker's share of it."""

from typing import Any

from remediation.adapters.graph_writing import GraphDirectoryWriting
from remediation.domain.repairs import Offer, Repair, Situation, offers
from remediation.ports import Actor
from remediation.services import repair as repairs
from remediation.services.disable_entries import disable_entries
from remediation.services.start_links import StartWays, send_start_links
from remediation.services.tell_owner import Words
from remediation.store.look_up import SqlLookUp
from remediation.store.repairs import SqlRepairWork
from tests.stories import Story

IDA = Actor("helpdesk", "ida")


class Desk:
    """Ida, who may act, at the page of a story's person."""

    def __init__(self, story: Story, **allowed: bool) -> None:
        self.story, self.allowed = story, repairs.Allowed(**allowed)
        self.look_up = SqlLookUp(story.engine, story.store.tenant_id)
        self.work = SqlRepairWork(story.engine, story.store.tenant_id)
        self.mail: Any = None

    def sees(self) -> Situation:
        found = repairs.situation(self.look_up, self.story.store, self.story.oid, allowed=self.allowed)
        assert found is not None
        return found

    def offered(self) -> dict[Repair, Offer]:
        return {one.repair: one for one in offers(self.sees(), self.story.world.clock())}

    def does(self, which: Repair, target: str | None = None, *, seen: Situation | None = None) -> None:
        """To the only one there is, where none is named; afterwards the worker does its share."""
        found = seen or self.sees()
        if target is None:
            targets = self.offered()[which].targets if which in self.offered() else ()
            target = targets[0].id if targets else ""
        order = repairs.Order(which, target, "asked", found.seen)
        repairs.repair(self.story.store, found, order, actor=IDA, now=self.story.world.clock())
        self.works()

    def works(self) -> None:
        story = self.story
        ways = StartWays(story.world.managers, self.mail, lambda code: Words("start", f"http://localhost:8000/s/{code}"))
        send_start_links(story.store, self.work, ways, actor=story.world.actor, now=story.world.clock())
        disable_entries(self.work, story.world)
        story.tick()


def permits_disabling(story: Story) -> None:
    story.with_world(directory_writing=GraphDirectoryWriting(story.remotes.graph_as("directory")))
