"""How long a source fails, and which level that is."""

from datetime import timedelta

import pytest

from remediation.domain.outage import sources
from remediation.domain.watch import Watch
from tests.people import NOON, minutes


@pytest.mark.parametrize(("hours", "level"), [(0, 0), (0.99, 0), (1, 1), (11.9, 1), (12, 12), (23.9, 12), (24, 24), (500, 24)])
def test_levels(hours: float, level: int) -> None:
    [source] = sources([Watch("mdm:ws1/poll", failing_since=NOON)])
    assert source.level(NOON + timedelta(hours=hours)) == level


def test_a_source_fails_while_any_of_its_watches_does() -> None:
    good, bad = minutes(5), minutes(90)
    ws1, directory = sources(
        [
            Watch("mdm:ws1/sweep", good_at=NOON - bad, failing_since=NOON - bad, reason="mdm_refused"),
            Watch("directory/sweep", good_at=NOON),
            Watch("mdm:ws1/poll", good_at=NOON - good, alarmed=1),
        ]
    )[::-1]
    assert (ws1.name, ws1.connection, ws1.failing_since, ws1.good_at) == ("mdm:ws1", "ws1", NOON - bad, NOON - good)
    assert (ws1.reason, ws1.leader.name, ws1.level(NOON)) == ("mdm_refused", "mdm:ws1/poll", 1)
    assert (directory.connection, directory.failing_since, directory.level(NOON)) == (None, None, 0)
