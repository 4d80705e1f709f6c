"""`python -m tests.simulator --seeds 1000 --from 1 [--break NAME] [--trace]`: seeds by hand. Ends 1 where a promise broke."""

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path

import structlog

from tests.simulator.breaks import BREAKS, UNBROKEN
from tests.simulator.opening import open_stage
from tests.simulator.run import Run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--from", dest="first", type=int, default=1)
    parser.add_argument("--break", dest="broken", choices=sorted(BREAKS), help="with a fault seeded, to see that it is caught")
    parser.add_argument("--trace", action="store_true", help="print the trace of every seed, not of failing ones alone")
    parser.add_argument("--go-on", type=int, default=1, metavar="N", help="stop after so many failing seeds")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    failing = events = done = 0
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        stage = open_stage(Path(folder))
        for seed in range(given.first, given.first + given.seeds):
            outcome = Run(stage, seed, BREAKS[given.broken] if given.broken else UNBROKEN).play()
            done, events = done + 1, events + outcome.events
            if outcome.wrong or given.trace:
                print(*outcome.trace, sep="\n")
            if outcome.wrong:
                failing += 1
                print(f"seed {seed} ({outcome.opening}): {'; '.join(outcome.wrong)}", flush=True)
            if done % 100 == 0:
                spent = 1000 * (time.process_time() - begun) / done
                print(
                    f"{done} seeds, {failing} failing, {spent:.0f} ms each",
                    file=sys.stderr,
                    flush=True,
                )
            if failing >= given.go_on:
                break
        stage.close()
    spent = 1000 * (time.process_time() - begun) / max(done, 1)
    print(f"{done} seeds from {given.first}: {failing} failing, {events / max(done, 1):.0f} events and {spent:.0f} ms of CPU each")
    return 1 if failing else 0


if __name__ == "__main__":
    sys.exit(main())
