"""One seed: a small tenant, an opening, and a scheduler that chooses at random who moves, who dies, and what happens meanwhile.

First disorder, then the faults end, zombies wake and time passes; then `laws` judges what the remotes saw. The same seed gives the
same trace. Next door: `turns` (how tasks stand and move), `deeds` and `people` (what happens), `breaks` (seeded faults).
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from remediation.domain.budget import A_WHOLE_LOOK, Limit, Limits
from remediation.domain.push import Lane
from remediation.domain.steps import Step
from remediation.domain.watch import watch_names
from remediation.ports import Actor
from remediation.services.look import look
from remediation.services.push_compliance import bring_to_rest
from remediation.services.reconcile import watch
from remediation.store import tables
from remediation.store.wakeups import LOOK_JOURNEY, PUSH_LINK, WATCH_SOURCE
from sandbox.faults import Fault
from tests.simulator import laws
from tests.simulator.breaks import UNBROKEN
from tests.simulator.deeds import Deeds
from tests.simulator.doors import Manners, Queue
from tests.simulator.people import REFUSALS, People, Press, Someone
from tests.simulator.stage import LEASE, RECHECK, Around, Parts, Process, Stage, start_process
from tests.simulator.truth import DeviceWas, RecordWas, Truth
from tests.simulator.turns import Task, current
from tests.simulator.wire import DEVICE, MESSAGE, RECORD, Call, Wire

Wake = Callable[..., None]
WORKFLOWS: dict[str, Wake] = {LOOK_JOURNEY: look, PUSH_LINK: bring_to_rest, WATCH_SOURCE: watch}
"""What the engine calls for each name of a wake-up."""
ROWS = (tables.pushes, tables.journeys, tables.watches)
"""The tables whose rows wait for their time."""

TO_THE_END = 999
DANGEROUS = ("before PUT", "before verdict", "before drift", "before push", "before link", "before lease", "after PUT")
"""Where a pass likes to be overtaken: what it knows is about to be acted on."""

PROCESSES = 2
WEB = -1
MOST_AT_ONCE = 4
CALM = RECHECK * 4
LATE = (0, 0, 60, 240, 600)
"""Seconds by which a pulse may come late; else most of a seed would be spent on people's quick looks."""
SETTLED = timedelta(minutes=2)
GUIDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

LINKED = "linked"
SCENARIOS = ("blocked_just_registered", "blocked_unregistered", "two_phones", "registered_last_year", "not_compliant")


@dataclass
class Outcome:
    seed: int
    wrong: list[str]
    trace: list[str]
    events: int
    opening: str


@dataclass
class Diary:
    """What an opening leaves to the seeds that begin with it."""

    calls: list[Call] = field(default_factory=list)
    noted: dict[int, datetime] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    records: dict[str, list[RecordWas]] = field(default_factory=dict)
    devices: dict[str, list[DeviceWas]] = field(default_factory=dict)
    pairs: dict[tuple[str, str], datetime] = field(default_factory=dict)


@dataclass
class Run:
    stage: Stage
    seed: int
    parts: Parts = UNBROKEN
    opening: str = ""
    trace: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    noted: dict[int, datetime] = field(init=False)
    """Tasks that came to the end of a pass and wrote down what they had seen, and when."""
    deciders: dict[tuple[str, datetime], tuple[int, datetime]] = field(default_factory=dict)
    """Which task decided something about a row, and when by the clock of all, by the row and the time of its audit."""

    def __post_init__(self) -> None:
        chance = self.chance = random.Random(self.seed)
        self.opening_itself = bool(self.opening)
        self.opening = self.opening or (LINKED if chance.random() < 0.85 else chance.choice(SCENARIOS))
        self.honest = chance.random() < 0.3
        diary: Diary = self.stage.begin(self.opening) or Diary()
        # nobody has a page open: what is told of links is all that happens, in half of the time
        self.deserted = chance.random() < 0.7 and self.opening == LINKED and not self.opening_itself
        self.sandbox = self.stage.sandbox
        self.clock = self.sandbox.world
        self.begun = self.clock.now()
        if self.deserted:
            self.stage.asks.execute("UPDATE journeys SET expires_at = ?", (str(self.begun.replace(tzinfo=None)),))
        self.names, self.noted, self._serial = diary.names, diary.noted, len(diary.noted) + 10_000 * bool(diary.calls)
        self._lags()
        self.truth = Truth(self.clock, LEASE.since_check_in, diary.records, diary.devices, diary.pairs)
        self.truth.notice()
        self.queue = Queue()
        self.wire = Wire(self.sandbox, self.tell, self._call_lasts)
        self.wire.truth_of = self.truth.record
        self.wire.calls = diary.calls
        self.deeds = Deeds(self.clock, self.sandbox.faults, self.truth, chance)
        self._skews = [timedelta(seconds=chance.choice([0.0, 0.0, 1.5, -1.5])) for _ in range(PROCESSES)]
        self.manners = Manners()
        calls = chance.choice([None, None, None, Limit.of(30, 20, at_once=A_WHOLE_LOOK), Limit.of(600, 60)])
        limits = {} if calls is None else {name: Limits(calls) for name in ("directory", "channel", "mdm")}
        watched = chance.random() < 0.6 and not self.opening_itself
        # where lists are watched, a row at rest may sleep until its lease ends: what changes must come from the lists
        recheck = chance.choice([RECHECK, timedelta(hours=10)]) if watched else RECHECK
        self._around = Around(
            self.stage, self.parts, self.wire, self.queue, self.tell, self.decides, limits, self.manners, chance.random, recheck
        )
        self.processes = [self._start(number) for number in range(PROCESSES)]
        web = start_process("web", self._around, timedelta())
        self.web = web.world
        if watched:
            web.store.keep_watches(watch_names(["ws1"]), at=self.clock.now())
        self.people = People(self.clock, web.store, self.web.clock, chance)

    def _lags(self) -> None:
        lags, chance = self.clock.lags, self.chance
        lags.processing_lag, lags.compliance_lag = chance.choice([0, 2, 20]), chance.choice([1, 4, 40])
        lags.registration_lag, lags.enrollment_lag = chance.choice([0, 3, 30]), chance.choice([0, 2, 20])

    def _call_lasts(self) -> float:
        return self.chance.choice([0.02, 0.2, 1.0])

    def _start(self, number: int) -> Process:
        return start_process(f"worker-{number}", self._around, self._skews[number])

    def diary(self) -> Diary:
        told = [c for c in self.wire.calls if c.found(RECORD) or c.found(DEVICE) or c.found(MESSAGE)]
        truth = self.truth
        return Diary(told, self.noted, self.names, truth.records, truth.devices, truth.pairs)

    # telling

    def tell(self, text: str) -> None:
        task = current()
        if task is not None and text.startswith(("  note_push", "  note_page")) and "nothing changed" not in text:
            self.noted[task.serial] = self.clock.now()
        after = (self.clock.now() - self.begun).total_seconds()
        who = f"{task.name}: " if task and text.startswith("  ") else ""
        self.trace.append(f"{after:10.2f} {who}{GUIDS.sub(self._name, text)}")

    def decides(self, about: str, at: datetime) -> None:
        if (task := current()) is not None:
            skew = timedelta() if task.process == WEB else self._skews[task.process]
            self.deciders[about, at] = task.serial, at - skew

    def _name(self, guid: re.Match[str]) -> str:
        """Ids of ours are random; by the order in which they are met a trace is the same each time."""
        return self.names.setdefault(guid[0], f"#{len(self.names) + 1}")

    # the two halves

    def play(self, turns: int | None = None) -> Outcome:
        try:
            self._disorder(self.chance.choice([20, 40, 80]) if turns is None else turns)
            self._order()
        except laws.Broken as broken:
            self.wrong.append(str(broken))
        finally:
            for task in self.tasks:
                task.kill()
        return Outcome(self.seed, self.wrong, self.trace, len(self.trace), self.opening)

    def _disorder(self, turns: int) -> None:
        for _ in range(turns):
            self._turn()
            self.truth.notice()

    def _turn(self) -> None:
        moves: dict[Callable[[], None], int] = {
            self._moves: 40,
            self._starts: 22,
            self._hints: 9,
            self._pulse: 7,
            self._waits: 9,
            self._happens: 14,
            self._presses: 0 if self.deserted else 7,
            self._unkind: 5,
            self._freezes: 3,
            self._crash: 5,
        }
        self.chance.choices(list(moves), list(moves.values()))[0]()

    def _order(self) -> None:
        self.tell("the faults end")
        self.deeds.mends_what_is_broken()
        if self.chance.random() < 0.8:
            for number in sorted(self.clock.records):
                self.clock.check_in(number)
        self.calm(SETTLED)
        if self.honest and not self.deserted:
            self._honest_people_go_on()
        self.calm(CALM, until=self._all_quiet())
        laws.all_at_rest(self)
        laws.final_state(self)
        if self.chance.random() < 0.15:
            self._mdm_goes_silent()
        laws.ledger(self)
        laws.bookkeeping(self)

    def _honest_people_go_on(self) -> None:
        for _ in range(8):
            for who in self.people.all:
                if self.people.page(who) not in (None, Step.OPEN):
                    self._press(who, self.people.honest_press(who))
            self.calm(timedelta(minutes=2), late=(0, 60))  # their message lasts ten minutes

    def _mdm_goes_silent(self) -> None:
        """A lease: down at its end, and never earlier (P7)."""
        leases = laws.leases(self)
        if not leases:
            return
        self.tell("the MDM goes silent")
        self.sandbox.faults.add(Fault("workspace_one", "down"))
        first, last = min(early for early, _ in leases.values()), max(late for _, late in leases.values())
        self.calm(first - self.clock.now() - timedelta(seconds=20), late=(0,))
        laws.none_down_early(self, leases)
        self.calm(last - self.clock.now() + timedelta(minutes=3), late=(0,))
        laws.all_down(self, leases)
        self.tell("the MDM is back")
        self.sandbox.faults.clear()
        self.calm(CALM, until=self._all_quiet())
        laws.all_at_rest(self)
        laws.final_state(self)

    # what can be done in a turn

    def _awake(self) -> list[Task]:
        now = self.clock.now()
        return [t for t in self.tasks if t.asleep_until is None or t.asleep_until <= now]

    def _moves(self) -> None:
        awake = self._awake()
        if not awake:
            return self._starts()
        self._move(self.chance.choice(awake), self.chance.choice([1, 1, 2, 3, 5, 8, 99]))
        return None

    def _move(self, task: Task, steps: int) -> None:
        for _ in range(steps):
            task.move()
            self.truth.notice()
            if task.ended:
                self._end(task)
                return
            if steps < TO_THE_END and task.at.startswith(DANGEROUS) and self.chance.random() < 0.2:
                return

    def _end(self, task: Task) -> None:
        self.tasks.remove(task)
        allowed = REFUSALS if task.process == WEB else ()
        if task.bug is not None and not isinstance(task.bug, allowed):
            raise laws.Broken(f"{task.name} failed at {task.at}: {task.bug!r}") from task.bug
        self.tell(f"{task.name} ends{f': {task.bug!r}' if task.bug else ''}")
        if self.chance.random() < 0.25:
            laws.truthful_pages(self)

    def _starts(self, *, newest: bool = False) -> None:
        if not self.queue.committed or len(self._awake()) >= MOST_AT_ONCE:
            return
        wake_up = self.queue.committed.pop(-1 if newest else self.chance.randrange(len(self.queue.committed)))
        if self.chance.random() < 0.06:
            self.queue.committed.append(wake_up)  # the engine promises at least once
        self._begin(wake_up)

    def _begin(self, wake_up: tuple[str, str, int, object]) -> Task:
        workflow, row_id, wake, _ = wake_up
        number = self.chance.randrange(PROCESSES)
        run = partial(WORKFLOWS[workflow], row_id, world=self.processes[number].world)
        return self._task(f"{workflow} {row_id}:{wake}", number, run)

    def _task(self, name: str, process: int, run: Callable[[], object]) -> Task:
        self._serial += 1
        short = GUIDS.sub(self._name, f"{'web' if process == WEB else f'w{process}'}.{self._serial} {name}")
        task = Task(short, process, run, serial=self._serial)
        self.tasks.append(task)
        self.tell(f"{task.name} begins")
        return task

    def _pulse(self) -> None:
        number = self.chance.randrange(PROCESSES)
        task = self._task("pulse", number, self.processes[number].pulse)
        self._move(task, self.chance.choice([1, 2, 99, 99]))

    def _hints(self) -> None:
        """A webhook, a list row, whatever: somebody says that a link may want to be looked at. It is mostly wrong."""
        active = self.stage.asks.execute("SELECT id FROM device_links WHERE state = 'active' ORDER BY made_at, id").fetchall()
        if not active:
            return
        link_id, now = self.chance.choice(active)[0], self.web.clock()
        lane = self.chance.choice([Lane.PERSON, Lane.SWEEP])

        def wake() -> None:
            with self.web.store.change(Actor("hint", "simulated"), "link.hinted", about=("link", link_id), at=now) as change:
                change.wake_link(link_id, lane=lane)

        self._move(self._task(f"hint about {link_id}", WEB, wake), 99)

    def _waits(self) -> None:
        self.wait(self.chance.choice([1, 5, 10, 30, 30, 70, 300, 700, 2000, 4000, 9000]))

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.truth.notice()
        self.tell(f"{seconds:.0f} s pass")

    def _happens(self) -> None:
        deed = self.deeds.gentle() if self.honest else self.deeds.any()
        if deed:
            self.tell(deed)
        if deed and self.chance.random() < 0.4:  # two who were told at once: both have the same news to carry
            for _ in range(2):
                self._hints()
                self._starts(newest=True)

    def _presses(self) -> None:
        who = self.chance.choice(self.people.all)
        self._press(who, self.people.honest_press(who) if self.honest else self.people.any_press(who), hurried=True)

    def _press(self, who: Someone, press: Press | None, *, hurried: bool = False) -> None:
        if press is not None:
            self._move(self._task(press[0], WEB, press[1]), self.chance.choice([1, 2, 99, 99]) if hurried else 99)

    def _unkind(self) -> None:
        unkind = self.chance.random() < 0.7
        self.tell((self.deeds.unkindness() if unkind else self.deeds.kindness()) or "nothing changes")

    def _freezes(self) -> None:
        awake = [t for t in self._awake() if t.process != WEB]
        if awake:
            task = self.chance.choice(awake)
            seconds = self.chance.choice([60, 900, 5000, 12_000, 30_000])
            task.asleep_until = self.clock.now() + timedelta(seconds=seconds)
            self.tell(f"{task.name} is frozen {task.at} for {seconds} s")

    def _crash(self) -> None:
        """A process dies with all it was doing. Its wake-ups come again with its executor, or never, its host being gone."""
        number = self.chance.choice([WEB, *range(PROCESSES)])
        dying = [t for t in self.tasks if t.process == number]
        self.tell(f"process {number} dies")
        comes_back = self.chance.random() < 0.5
        for task in dying:
            self.tell(f"{task.name} dies {task.at}")
            task.kill()
            self.tasks.remove(task)
            workflow, _, rest = task.name.partition(" ")[2].partition(" ")
            if comes_back and workflow in WORKFLOWS:
                row, _, wake = rest.rpartition(":")
                row_id = next((guid for guid, name in self.names.items() if name == row), row)
                self.queue.committed.append((workflow, row_id, int(wake), None))  # type: ignore[arg-type]
        if number != WEB:
            self.processes[number] = self._start(number)

    # a calm sea

    def calm(self, span: timedelta, *, until: Callable[[], bool] = lambda: False, late: tuple[int, ...] = LATE) -> None:
        """Time passes, and everything is done when it is due; zombies wake first."""
        end = self.clock.now() + span
        for _ in range(1000):
            self._finish_all()
            if self.queue.committed:
                self._begin(self.queue.committed.pop(self.chance.randrange(len(self.queue.committed))))
                continue
            due, now = self._next_due(), self.processes[0].world.clock()
            if due is not None and due <= now:
                self.processes[0].pulse()
            elif until():
                return
            elif due is None or due > end:
                break
            else:
                self.wait((due - now).total_seconds() + self.chance.choice(late))
        else:
            raise laws.Broken("never comes to rest")
        if end > self.clock.now():
            self.wait((end - self.clock.now()).total_seconds())

    def _finish_all(self) -> None:
        while self.tasks:
            task = self.chance.choice(self.tasks)
            task.asleep_until = None
            self._move(task, TO_THE_END if len(self.tasks) == 1 else self.chance.choice([1, 3, 99]))

    def _next_due(self) -> datetime | None:
        """Asked of the driver: this is looked at more often than anything else here."""
        now = str(self.clock.now().replace(tzinfo=None))
        found = [self.stage.asks.execute(question, (now,) * question.count("?")).fetchone()[0] for question in _SOONEST]
        return min((datetime.fromisoformat(at).replace(tzinfo=UTC) for at in found if at is not None), default=None)

    def _all_quiet(self) -> Callable[[], bool]:
        """Whether every link was looked at since now, and none waits for anything."""
        begun = self.clock.now()

        def quiet() -> bool:
            if self.clock.now() < begun + RECHECK + timedelta(seconds=max(LATE)):
                return False
            return not self.stage.asks.execute(_UNQUIET).fetchone()[0]

        return quiet


_SOONEST = [
    f"SELECT min(next_look_at) FROM {table.name}" + (" WHERE expires_at > ?" if "expires_at" in table.c else "")  # noqa: S608
    for table in ROWS
]
_UNQUIET = "SELECT count(*) FROM pushes WHERE confirmed_seq < desired_seq OR reason IS NOT NULL"
