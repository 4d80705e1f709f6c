"""Ten thousand people with one thing wrong each, who follow what the pages show and nothing else (`stage/reader.py`), one after the
other before the whole product, a row for each core; two hundred of them in a real browser. Time is the stand-in's: nobody waits for
a clock, but those with the browser.

`unaided`: of those whose trouble a person can cure, the share whose Outlook opened. `handed_over`: of all others, the share that
ended at *help*, with a case code, a number to call and what will be done. `median_taps` of those who can, on our pages and
Microsoft's, the link in the message among them. `own_seconds_p95`: what our pages and our worker took of a person's time on this
machine. `dead_ends`: pages with no way on, a fault of ours, circles, or an hour without news.

`--break mute` sends the page that asks for the phone in the hand without its button, `--break no_code` the page for the helpdesk
without the code, `--break deaf` runs a worker that looks at nothing twice: `dead_ends` counts, and `unaided` or `handed_over`
falls.
"""

import logging
import multiprocessing
import os
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from bench.stage import in_chromium
from bench.stage.broken_pages import broken
from bench.stage.by_hand import ByHand
from bench.stage.reader import Ending, Reader
from bench.stage.troubles import BY_NAME, Trouble, drawn
from bench.stage.walk_in import WalkIn

if TYPE_CHECKING:
    from bench.__main__ import Options

PEOPLE, IN_CHROMIUM = 10_000, 200
PROCESSES = os.cpu_count() or 1
ROW, ROW_WITH_BROWSER, BROWSERS = 200, 25, 4
QUICK, QUICK_IN_CHROMIUM = 60, 1
QUICK_SECONDS = 25.0
"""After these nobody begins any more: before a seeded fault people go in circles, ten times as long as on their way."""


def run(options: "Options", say: Callable[[str], None]) -> dict[str, Any]:
    if options.db != "sqlite":
        say("  each person begins in a copy of one SQLite file; PostgreSQL is for the other benches")
    many, few = (QUICK, QUICK_IN_CHROMIUM) if options.quick else (PEOPLE, IN_CHROMIUM)
    return play(many - few, few, options.seed, options.broken, say, QUICK_SECONDS if options.quick else None)


@dataclass(frozen=True)
class Row:
    """People one behind the other at a product of their own: name of the trouble and manner of each."""

    people: Sequence[tuple[str, str]]
    seed: int
    fault: str | None
    seconds: float | None


@dataclass(frozen=True)
class Met:
    trouble: str
    manner: str
    ending: Ending
    trail: Sequence[str]
    seconds: float | None = None


def play(
    people: int, browsers: int, seed: int, fault: str | None, say: Callable[[str], None], seconds: float | None = None
) -> dict[str, Any]:
    chance, tally = random.Random(seed), _Tally(say)
    few = 0 if fault else browsers
    many, others = drawn(people, chance), drawn(few, chance)
    if fault:
        chance.shuffle(many)  # of those who are cured and those who are not, some are among the first
    by_hand = _rows(many, Row((), seed, fault, seconds), ROW)
    with_browser = _rows(others, Row((), seed, fault, None), ROW_WITH_BROWSER)
    if len(by_hand) == 1:  # a short run: no time for processes to start
        for row in by_hand:
            tally.takes(_by_hand(row))
        for row in with_browser:
            tally.takes(_with_a_browser(row))
    else:
        with _processes(PROCESSES) as here, _processes(BROWSERS) as there:  # those with a browser wait most of the time
            for met in chain(here.map(_by_hand, by_hand), there.map(_with_a_browser, with_browser)):
                tally.takes(met)
    return tally.figures(few)


def _rows(people: Sequence[tuple[Trouble, str]], like: Row, length: int) -> list[Row]:
    names = [(trouble.name, manner) for trouble, manner in people]
    return [replace(like, people=names[at : at + length], seed=like.seed * 100_000 + at + 1) for at in range(0, len(names), length)]


def _processes(count: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _in_silence)


def _in_silence() -> None:
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _with_a_browser(row: Row) -> list[Met]:
    people = [(BY_NAME[name], manner) for name, manner in row.people]
    return [
        Met(trouble.name, manner, ending, reader.trail) for trouble, manner, ending, reader in in_chromium.people(people, row.seed)
    ]


def _by_hand(row: Row) -> list[Met]:
    found: list[Met] = []
    begun = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        tenant = stack.enter_context(WalkIn(folder, templates=broken(row.fault), deaf=row.fault == "deaf"))
        for number, (name, manner) in enumerate(row.people):
            if row.seconds is not None and time.monotonic() - begun > row.seconds:
                break
            trouble = BY_NAME[name]
            tenant.begins(trouble.scenario, row.seed + number)
            trouble.before(tenant.sandbox)
            hands = ByHand(tenant)
            reader = Reader(tenant.sandbox, hands, trouble.platform, manner)
            found.append(Met(name, manner, reader.goes_the_way(), reader.trail, hands.spent + tenant.spent))
    return found


class _Tally:
    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._begun, self._told, self._shown = say, time.monotonic(), time.monotonic(), 0
        self.ended: Counter[tuple[bool, str]] = Counter()
        self.where: Counter[str] = Counter()
        self.taps: list[int] = []
        self.seconds: list[float] = []

    def takes(self, row: Sequence[Met]) -> None:
        for met in row:
            self._takes(met)
        if time.monotonic() - self._told > 20:
            self._told = time.monotonic()
            self._say(f"  {sum(self.ended.values())} people")

    def _takes(self, met: Met) -> None:
        trouble, ending = BY_NAME[met.trouble], met.ending
        self.ended[trouble.curable, ending.how] += 1
        if trouble.curable:
            self.taps.append(ending.taps)
        if met.seconds is not None:
            self.seconds.append(met.seconds)
        if ending.how == ("open" if trouble.curable else "help"):
            return
        self.where[trouble.name] += 1
        if self._shown < 40:
            self._shown += 1
            way = " > ".join(_short(met.trail))
            self._say(f"  {trouble.name} ({met.manner}): {ending.how} at “{ending.at}” {ending.why}; {way}")

    def figures(self, browsers: int) -> dict[str, Any]:
        cured, others = self.ended[True, "open"], self.ended[False, "help"]
        able = sum(count for (curable, _), count in self.ended.items() if curable)
        unable = sum(self.ended.values()) - able
        self.seconds.sort()
        return {
            "people": able + unable,
            "in_chromium": browsers,
            "unaided": round(cured / able, 4) if able else None,
            "handed_over": round(others / unable, 4) if unable else None,
            "median_taps": statistics.median(self.taps) if self.taps else None,
            "own_seconds_p95": round(self.seconds[int(len(self.seconds) * 0.95)], 2) if self.seconds else None,
            "dead_ends": self.ended[True, "dead"] + self.ended[False, "dead"],
            "otherwise": dict(self.where.most_common(10)),
            "seconds": round(time.monotonic() - self._begun, 1),
        }


def _short(trail: Sequence[str]) -> list[str]:
    """Without what was only read again."""
    return [word for at, word in enumerate(trail) if at == 0 or trail[at - 1] != word][-12:]
