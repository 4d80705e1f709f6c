"""The opening that most seeds begin with: Mia and Noah went through, their phones are linked and open, their journeys over."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.simulator import laws
from tests.simulator.run import LINKED, Run
from tests.simulator.stage import Stage


def open_stage(folder: Path) -> Stage:
    """The stage with every opening kept."""
    stage = Stage(folder)
    run = Run(stage, 0, opening="blocked_just_registered")
    run.honest = True
    for who in run.people.all:
        run._press(who, run.people.arrives(who))
    run.calm(timedelta(minutes=1))
    run._honest_people_go_on()
    states = [str(run.people.page(who)) for who in run.people.all]
    assert states == ["open", "open"], states
    for _ in range(5):
        for number in stage.sandbox.world.records:
            stage.sandbox.world.check_in(number)
        run.calm(timedelta(hours=5))
    laws.all_at_rest(run)
    laws.final_state(run)
    stage.keep(LINKED, run.diary())
    return stage
