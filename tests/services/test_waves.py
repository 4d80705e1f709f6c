"""Start messages in waves: so many at once, at most one for each person whatever crashes, and none after *stop*."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from bench.stage.fill import fill
from remediation.errors import ImpactRefused, Refused, Unreachable
from remediation.ports import Wave
from remediation.services.tell_owner import Words
from remediation.services.waves import Beginning, WaveAsked, begin_wave, send_on, stop_wave
from sandbox import crowd
from sandbox.crowd import Member
from tests.services.test_impact import ADAM, Deadly, Killed, counted, newest
from tests.stories import Story

Tell = Callable[..., Story]
ON_POSTGRESQL = True
HOUR = 3600.0


class Company:
    """Ten people whose phones are registered and not linked, and a count that says so."""

    def __init__(self, story: Story) -> None:
        self.story = story
        story.sandbox.world.page_size = 50
        of_the_story = list(story.sandbox.world.records)
        self.members: Sequence[Member] = crowd.gather(story.sandbox.world, 10, compliant=False)
        for record in of_the_story:
            del story.sandbox.world.records[record]
        self.count = counted(story)
        self.mails: list[str] = []
        self.away = False

    def send(self, to: str, subject: str, text: str, *, identity: str, at: object) -> None:
        if self.away:
            raise Unreachable("the server is away", remote="mail", called=False)
        if to == "":
            raise Refused("no", remote="mail")
        self.mails.append(to)

    def asks(self, **other: Any) -> str:
        picked = {"reason": "link", "platform": "ios", "way": "device", "size": 4, "pause": timedelta(hours=1)}
        asked = {"count_id": self.count.id, **picked}
        return begin_wave(self.story.store, WaveAsked(**{**asked, **other}), actor=ADAM, now=self.story.world.clock())[0]

    def beat(self) -> int:
        words = Words("Begin", "Begin here: http://localhost:8000/start")
        beginning = Beginning({"ws1": self.story.remotes.mdm}, self, lambda: words)
        return send_on(self.story.store, beginning, actor=self.story.world.actor, clock=self.story.world.clock)

    def passes(self, seconds: float, *, every: float = 30) -> None:
        for _ in range(int(seconds / every)):
            self.beat()
            self.story.sandbox.world.advance(every)

    @property
    def wave(self) -> Wave:
        return self.story.store.waves()[0]

    @property
    def told(self) -> Counter[str]:
        """How many messages lie on each phone."""
        return Counter({m.phone.key: len(m.phone.messages) for m in self.members})


@pytest.fixture
def company(tell: Tell) -> Company:
    return Company(tell("blocked_just_registered"))


def test_so_many_at_once_with_a_pause_between(company: Company) -> None:
    company.asks()
    assert company.beat() == 4
    company.passes(HOUR - 60)
    assert (company.told.total(), company.wave.number, company.wave.state) == (4, 2, "sending")
    company.passes(120)
    assert company.told.total() == 8
    company.passes(2 * HOUR)
    assert set(company.told.values()) == {1}
    assert (company.wave.state, dict(company.wave.told), company.wave.people) == ("done", {"sent": 10}, 10)
    assert "http://localhost:8000/start" in company.members[0].phone.messages[-1].body
    audited = [why for why in company.story.audit() if why.startswith(("wave", "start_"))]
    assert audited == ["wave.asked", *["start_message.sent"] * 10]


def test_nobody_is_told_after_stop(company: Company) -> None:
    wave = company.asks()
    company.beat()
    stop_wave(company.story.store, wave, actor=ADAM, now=company.story.world.clock())
    company.passes(3 * HOUR, every=300)
    assert (company.told.total(), company.wave.state, dict(company.wave.told)) == (4, "stopped", {"sent": 4, "waiting": 6})
    with pytest.raises(ImpactRefused):
        stop_wave(company.story.store, wave, actor=ADAM, now=company.story.world.clock())
    company.asks(size=100)
    company.beat()
    assert company.told.total() == 14, "a wave that is asked for anew tells everybody of the group"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", [1, 4, 9])
def test_P2_killed_at_any_call_nobody_is_told_twice(company: Company, at: int, after: bool) -> None:
    transport: Any = company.story.remotes.transport
    transport.send = Deadly(transport.send, at, after=after)
    company.asks(size=100)
    for _ in range(10):
        try:
            company.beat()
        except Killed:
            assert company.wave.state == "sending"
        company.story.sandbox.world.advance(60)
    told = company.told
    assert max(told.values()) == 1
    assert told.total() >= 9
    assert company.wave.state == "done"
    assert company.wave.told.get("sending", 0) == 1, "what nobody saw the end of says so"


def test_what_was_not_asked_of_the_mdm_waits_and_goes_on(company: Company) -> None:
    company.asks(size=100)
    company.story.fault("workspace_one", "throttle", times=2, retry_after=90, path="messages")
    company.beat()
    assert (company.told.total(), company.wave.why) == (0, "mdm_busy")
    company.passes(60)
    assert company.told.total() == 0, "the remote's Retry-After is obeyed"
    company.passes(600)
    assert set(company.told.values()) == {1}


def test_a_device_that_is_gone_fails_alone_and_what_nobody_knows_is_not_sent_again(company: Company) -> None:
    del company.story.sandbox.world.records[company.members[0].record.id]
    company.story.fault("workspace_one", "drop_answer", times=1, path="messages", method="POST")
    company.asks(size=100)
    company.passes(600)
    assert max(company.told.values()) == 1
    assert dict(company.wave.told) == {"sent": 8, "failed": 1, "unknown": 1}


def test_who_was_linked_meanwhile_is_not_told(company: Company) -> None:
    story, member = company.story, company.members[0]
    company.asks(size=100)
    fill(story.engine, story.sandbox.world, [member])
    company.passes(120)
    assert (len(member.phone.messages), company.told.total()) == (0, 9)
    assert company.wave.told["not_needed"] == 1


def test_by_mail_where_that_was_picked(company: Company) -> None:
    company.asks(way="mail", size=3, pause=timedelta())
    company.away = True
    company.passes(300)
    assert (company.mails, company.wave.why) == ([], "mail_unreachable")
    company.away = False
    company.passes(600)
    assert (sorted(company.mails), company.told.total()) == (sorted(m.person.mail for m in company.members), 0)
    assert company.wave.state == "done"


NOT_BEGUN: list[tuple[dict[str, Any], str]] = [
    ({"reason": "licence"}, "reason"),
    ({"reason": "enrollment"}, "way"),
    ({"way": "pigeon"}, "way"),
    ({"size": 0}, "size"),
    ({"size": 5001}, "size"),
    ({"pause": timedelta(days=8)}, "pause"),
    ({"platform": "android"}, "nobody"),
    ({"count_id": "another"}, "counted_anew"),
]


def test_what_is_not_begun(company: Company) -> None:
    for other, why in NOT_BEGUN:
        with pytest.raises(ImpactRefused) as refused:
            company.asks(**other)
        assert (refused.value.why, list(company.story.store.waves())) == (why, []), other


def test_one_at_a_time_and_from_the_newest_numbers_alone(company: Company) -> None:
    company.asks()
    with pytest.raises(ImpactRefused) as refused:
        company.asks()
    assert refused.value.why == "sending_already"
    stop_wave(company.story.store, company.wave.id, actor=ADAM, now=company.story.world.clock())
    assert counted(company.story).id == newest(company.story).id
    with pytest.raises(ImpactRefused) as refused:
        company.asks()
    assert refused.value.why == "counted_anew"
