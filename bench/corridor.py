"""Ten thousand people with one thing wrong each, who follow what the pages show and nothing else (`stage/reader.py`), one after the
other before the whole product; two hundred of them in a real browser. Time is the stand-in's: nobody waits for a clock.

`unaided`: of those whose trouble a person can cure, the share whose Outlook opened. `handed_over`: of all others, the share that
ended at *help*, with a case code, a number to call and what will be done. `median_taps` of those who can, on our pages and
Microsoft's, the link in the message among them. `own_seconds_p95`: what our pages and our worker took of a person's time on this
machine. `dead_ends`: pages with no way on, a fault of ours, circles, or an hour without news.

`--break mute` sends the page that asks for the phone in the hand without its button, `--break no_code` the page for the helpdesk
without the code, `--break deaf` runs a worker that looks at nothing twice: `dead_ends` counts, and `unaided` or `handed_over`
falls.
"""

import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.stage import in_chromium
from bench.stage.broken_pages import broken
from bench.stage.by_hand import ByHand
from bench.stage.reader import Ending, Reader
from bench.stage.troubles import Trouble, drawn
from bench.stage.walk_in import WalkIn

if TYPE_CHECKING:
    from bench.__main__ import Options

PEOPLE, IN_CHROMIUM = 10_000, 200
QUICK, QUICK_IN_CHROMIUM = 60, 1


def run(options: "Options", say: Callable[[str], None]) -> dict[str, Any]:
    if options.db != "sqlite":
        say("  each person begins in a copy of one SQLite file; PostgreSQL is for the other benches")
    many, few = (QUICK, QUICK_IN_CHROMIUM) if options.quick else (PEOPLE, IN_CHROMIUM)
    return play(many - few, few, options.seed, options.broken, say)


def play(people: int, browsers: int, seed: int, fault: str | None, say: Callable[[str], None]) -> dict[str, Any]:
    chance, tally = random.Random(seed), _Tally(say)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        tenant = stack.enter_context(WalkIn(folder, templates=broken(fault), deaf=fault == "deaf"))
        for number, (trouble, manner) in enumerate(drawn(people, chance)):
            tenant.begins(trouble.scenario, seed * 100_000 + number + 1)
            trouble.before(tenant.sandbox)
            hands = ByHand(tenant)
            reader = Reader(tenant.sandbox, hands, trouble.platform, manner)
            tally.takes(trouble, manner, reader.goes_the_way(), hands.spent + tenant.spent, reader)
    if browsers and fault is None:
        for trouble, manner, ending, reader in in_chromium.people(drawn(browsers, chance), seed):
            tally.takes(trouble, manner, ending, None, reader)
    return tally.figures(browsers if fault is None else 0)


class _Tally:
    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._begun, self._told, self._shown = say, time.monotonic(), time.monotonic(), 0
        self.ended: Counter[tuple[bool, str]] = Counter()
        self.where: Counter[str] = Counter()
        self.taps: list[int] = []
        self.seconds: list[float] = []

    def takes(self, trouble: Trouble, manner: str, ending: Ending, seconds: float | None, reader: Reader) -> None:
        self.ended[trouble.curable, ending.how] += 1
        if trouble.curable:
            self.taps.append(ending.taps)
        if seconds is not None:
            self.seconds.append(seconds)
        wanted = "open" if trouble.curable else "help"
        if ending.how != wanted:
            self.where[trouble.name] += 1
            if self._shown < 40:
                self._shown += 1
                self._say(
                    f"  {trouble.name} ({manner}): {ending.how} at “{ending.at}” {ending.why}; {' > '.join(_short(reader.trail))}"
                )
        if time.monotonic() - self._told > 20:
            self._told = time.monotonic()
            self._say(f"  {sum(self.ended.values())} people")

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


def _short(trail: list[str]) -> list[str]:
    """Without what was only read again."""
    return [word for at, word in enumerate(trail) if at == 0 or trail[at - 1] != word][-12:]
