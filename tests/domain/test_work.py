"""Places in the work list, and the usual wait by our own measurement."""

from datetime import timedelta

import pytest

from remediation.domain.incident import faults, plain
from remediation.domain.push import USUAL
from remediation.domain.work import Position, Source, position_in, usual_wait
from tests.people import NOON, minutes


def test_a_place_is_read_as_it_was_written() -> None:
    place = Position(NOON + timedelta(microseconds=7), Source.LINK, "l~1")
    assert position_in(str(place)) == place


@pytest.mark.parametrize("text", ["", "x", "~~", "20261127T120000.000000~link~", "20261127T120000.000000~nobody~l1"])
@pytest.mark.parametrize("end", ["", "\x00", "' OR 1=1", "x" * 100])
def test_whatever_is_none_of_ours_is_no_place(text: str, end: str) -> None:
    assert position_in(text + end if not text.endswith("link~") or not end.startswith("'") else text) is None


def test_the_usual_wait_is_that_of_nine_in_ten_and_too_few_say_nothing() -> None:
    took = [minutes(1)] * 18 + [minutes(9)] * 2
    assert usual_wait(took).usual == minutes(1)
    assert usual_wait([minutes(1)] * 17 + [minutes(9)] * 3).usual == minutes(9)
    assert usual_wait(took[:19]) == usual_wait([])
    assert (usual_wait([]).usual, usual_wait([]).measured) == (USUAL, 0)
    assert usual_wait([-minutes(1)] * 30).measured == 0, "a row that was desired anew since says nothing"


def test_what_everybody_is_told_is_one_plain_line_and_ends() -> None:
    assert plain("Microsoft\r\n\x1b[31m is\u202e  slow\u0000") == "Microsoft [31m is slow"
    assert faults({"en": "slow"}, NOON + minutes(60), NOON) == ()
    assert faults({}, NOON + minutes(60), NOON) == ("empty",)
    assert faults({"en": "x" * 241}, NOON + minutes(60), NOON) == ("long",)
    for until in (NOON, NOON - minutes(5), NOON + timedelta(hours=25)):
        assert faults({"en": "slow"}, until, NOON) == ("until",)
