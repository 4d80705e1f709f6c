"""How long a page takes while each remote in turn is dead or slow, against the same page with all remotes well.

The promise: every page answers within a second, whatever the remotes do, because the web process asks none of them. One signed-in
person reloads the journey page; seconds are measured by the client, on this machine, one request at a time. `hurt` counts the calls
that the weather spoiled meanwhile, and is never 0. `--break patience` runs a web that waits too long for the worker:
`over_one_second` must then count.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.stage.company import database
from sandbox.faults import Fault
from tests.journeys.plain import Plain
from tests.journeys.stage import Stage

if TYPE_CHECKING:
    from bench.__main__ import Options

REMOTES = {"mdm": "workspace_one", "directory": "graph", "intune": "intune"}
UNTIL_HURT = 15.0  # seconds that a weather is given to spoil its first call


def run(options: "Options", say: Callable[[str], None]) -> dict[str, Any]:
    reloads, slow = (5, 5.0) if options.quick else (50, 25.0)  # `slow`: seconds that a slow remote takes for each answer
    web = "bench.too_patient" if options.broken == "patience" else None
    figures: dict[str, Any] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stage = stack.enter_context(Stage(database(options.db, folder, stack), folder, "blocked_just_registered", web=web))
        for name, spoiled, act in _weathers(Plain(stage), slow, together=not options.quick):
            figures[name] = _measured(stage, spoiled, act, reloads)
            say(f"{name:20} {figures[name]}")
    return {"reloads": reloads, "over_one_second": sum(f["max_ms"] > 1000 for f in figures.values()), "weather": figures}


Weather = tuple[str, tuple[Fault, ...], Callable[[], Plain]]


def _weathers(mia: Plain, slow: float, *, together: bool) -> list[Weather]:
    """Each with what a person does in it, so that the worker goes and asks. Intune is asked once there is something to tell."""

    def signs_in() -> Plain:
        again = Plain(mia.stage)
        again.goes(f"{mia.stage.origin}/start")  # her Outlook may be open by now, and leads here no more
        again.signs_in()
        return again

    def gets_the_message() -> Plain:
        mia.arrives()
        mia.signs_in()
        mia.waits_for("Are you holding this device?")
        mia.presses("#send")
        mia.waits_for("Open the message on this device")
        return mia

    def taps_the_message() -> Plain:
        mia.taps_the_message()
        return mia

    def checks() -> Plain:
        mia.goes(f"{mia.stage.origin}/journey")
        mia.presses("#check")
        return mia

    def each(kind: str, *names: str) -> tuple[Fault, ...]:
        return tuple(Fault(REMOTES[name], kind, seconds=slow) for name in names)

    found: list[Weather] = [
        ("well", (), gets_the_message),
        ("intune_slow", each("slow", "intune"), taps_the_message),
        ("intune_down", each("down", "intune"), checks),
    ]
    for name in ("mdm", "directory"):
        found += [(f"{name}_{kind}", each(kind, name), signs_in) for kind in ("slow", "down")]
    if together:
        found += [(f"all_{kind}", each(kind, *REMOTES), signs_in) for kind in ("down", "slow")]
    return found


def _measured(stage: Stage, spoiled: tuple[Fault, ...], act: Callable[[], Plain], times: int) -> dict[str, Any]:
    stage.sandbox.faults.clear()
    before = len(stage.sandbox.ledger.entries)
    for fault in spoiled:
        stage.sandbox.faults.add(fault)

    def hurt() -> int:
        return sum(entry.fault is not None for entry in list(stage.sandbox.ledger.entries)[before:])

    mia, until = act(), time.monotonic() + UNTIL_HURT
    taken: list[float] = []
    while len(taken) < times or (spoiled and not hurt()):
        if time.monotonic() > until and not hurt():
            raise AssertionError("nothing was asked of the remote that this weather spoils")
        begun = time.perf_counter()
        mia.goes(f"{stage.origin}/journey")
        taken.append(time.perf_counter() - begun)
    taken.sort()
    return {
        "median_ms": _ms(statistics.median(taken)),
        "p95_ms": _ms(taken[int(len(taken) * 0.95)]),
        "max_ms": _ms(taken[-1]),
        "hurt": hurt(),
    }


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
