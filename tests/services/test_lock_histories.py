"""Whole histories under the second lock, one seed each: phones fall ill, remotes fail, links end, others write into the attribute.

Laws: a mark is written only where both sides justify it at that moment; when all is calm it stands exactly there; and an alarm is
raised only where somebody else wrote."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from remediation.domain.device import LinkState
from remediation.store.tables import alarms
from tests.locked import NUMBER, VALUE, device, mark_of, opened, somebody_writes
from tests.stories import Story

Tell = Callable[..., Story]
HOUR = 3600.0
NAME = f"extensionAttribute{NUMBER}"


class History:
    def __init__(self, story: Story, seed: int, *, forged: bool) -> None:
        self.story, self.chance, self.forges, self.seen = story, random.Random(seed), forged, len(story.ledger())
        self.wrote = False

    def play(self, events: int) -> None:
        for _ in range(events):
            self.chance.choice([self.flips, self.flips, self.time, self.time, self.fault, self.kind, self.maker, self.forge])()
            self.story.tick(self.chance.choice([5, 20, 60, 600]))
            self.justified()

    def calm(self) -> None:
        self.story.sandbox.faults.clear()
        self.story.reports_health()
        for _ in range(90):
            self.story.tick(120)
            self.justified()

    # what happens

    def flips(self) -> None:
        well = self.story.remotes.phone.health.passcode
        self.story.reports_health(passcode=not well)

    def time(self) -> None:
        self.story.tick(self.chance.choice([300, 1800, HOUR]))
        self.justified()

    def fault(self) -> None:
        service = self.chance.choice(["graph", "graph", "workspace_one"])
        kinds = ["down", "throttle", "drop_answer", "garbled", *(["ignore_writes"] if service == "graph" else [])]
        self.story.fault(service, self.chance.choice(kinds), times=self.chance.choice([1, 3, 8]))

    def kind(self) -> None:
        self.story.sandbox.faults.clear()

    def maker(self) -> None:
        """Or whoever else: Entra shows another word, whatever the MDM says."""
        with self.story.sandbox.world.settled():
            device(self.story).is_compliant = self.chance.random() < 0.7

    def forge(self) -> None:
        if self.forges:
            self.wrote = True
            somebody_writes(self.story, self.chance.choice([VALUE, "Finance", None]))

    def ends(self) -> None:
        self.story.remotes.record.enrollment_status = "Unenrolled"

    # the laws

    @property
    def good(self) -> bool:
        record, entry = self.story.remotes.record, device(self.story)
        well = record.compliance_status == "Compliant" and record.enrollment_status == "Enrolled"
        return well and entry.enabled and entry.owner_oid == self.story.oid

    def justified(self) -> None:
        new: list[Any] = self.story.ledger()[self.seen :]
        self.seen += len(new)
        on = [c for c in new if c["method"] == "PATCH" and (c["body"] or {}).get("extensionAttributes", {}).get(NAME) == VALUE]
        assert self.good or not on, "a mark was written that nothing justified"

    def at_rest(self) -> None:
        active = self.story.link_states()[-1] is LinkState.ACTIVE
        assert mark_of(self.story) == (VALUE if active and self.good else None)
        with self.story.sandbox.world.settled():
            opens = device(self.story).is_compliant is True and active and self.good
        assert self.story.outlook_opens() is opens


@pytest.mark.slow
@pytest.mark.parametrize("forged", [False, True], ids=["alone", "forged"])
@pytest.mark.parametrize("seed", range(6))
def test_P4_the_mark_stands_where_it_is_justified_and_nowhere_else(tell: Tell, seed: int, forged: bool) -> None:
    story = opened(tell("blocked_just_registered"))
    story.is_watched()
    history = History(story, seed, forged=forged)
    history.play(30)
    history.calm()
    history.at_rest()
    if seed % 2:
        history.ends()
        history.calm()
        history.at_rest()
        assert (mark_of(story), story.outlook_opens()) == (None, False)
    with story.engine.connect() as connection:
        told = connection.execute(sa.select(sa.func.count()).select_from(alarms)).scalar_one()
    assert history.wrote or told == 0, "nobody else wrote, and nobody is blamed"
