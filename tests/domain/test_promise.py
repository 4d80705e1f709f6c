"""What a person is told of the wait: measured here where there is enough of it, and never rosier than it was."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from remediation.domain.promise import SHORTEST_WORST, Promise, promised
from remediation.domain.push import USUAL, WORST
from remediation.domain.work import ENOUGH
from tests.people import minutes

SECONDS = st.timedeltas(timedelta(), timedelta(hours=30))


def test_too_few_say_nothing_and_it_is_said_that_they_do_not() -> None:
    assert promised([minutes(1)] * (ENOUGH - 1)) == Promise(USUAL, WORST, 0)
    assert promised([minutes(1)] * ENOUGH) == Promise(minutes(1), SHORTEST_WORST, ENOUGH)


def test_the_median_and_the_nineteenth_of_twenty() -> None:
    waits = [timedelta(seconds=90)] * 12 + [minutes(7)] * 7 + [minutes(600)]
    assert promised(waits) == Promise(minutes(2), minutes(7), 20)


@given(st.lists(SECONDS, min_size=ENOUGH, max_size=60))
def test_half_and_nineteen_of_twenty_kept_to_it(waits: list[timedelta]) -> None:
    told = promised(waits)
    assert sum(one <= told.usual for one in waits) * 2 >= len(waits)
    assert sum(one <= told.worst for one in waits) * 20 >= len(waits) * 19
    assert minutes(1) <= told.usual <= told.worst
    assert told.measured == len(waits)
