"""The journey by forms and links only; what was sent in which order, by the ledger; no page waits for a remote."""

from collections.abc import Callable

import pytest

from tests.journeys.plain import Plain
from tests.journeys.stage import Stage

Raised = Callable[..., Stage]
OPEN = "Microsoft sees your device as compliant"
WITHIN = 10.0  # seconds: far less than a remote that takes 30; how fast pages really are is for `python -m bench answers`
pytestmark = pytest.mark.slow


def to_the_message(mia: Plain) -> None:
    mia.arrives()
    mia.signs_in()
    mia.waits_for("Are you holding this device?")
    mia.presses("#send")
    mia.waits_for("Open the message on this device")


def test_the_whole_way_and_what_the_ledger_says_of_it(raised: Raised) -> None:
    stage = raised("blocked_just_registered")
    mia = Plain(stage)
    to_the_message(mia)
    assert stage.uploads() == []
    mia.taps_the_message()
    mia.waits_for(OPEN)
    assert mia.outlook() == "open"
    assert mia.slowest < WITHIN
    calls = [(e.service, e.method, e.path) for e in stage.sandbox.ledger.since()]
    message = next(i for i, (_, method, path) in enumerate(calls) if method == "POST" and path.endswith("/messages/push"))
    messages = [(i, method) for i, (_, method, path) in enumerate(calls) if "DataUploadMessages" in path]
    sent, asked = ([i for i, method in messages if method == wanted] for wanted in ("PUT", "GET"))
    read_back = [i for i, (service, _, path) in enumerate(calls) if service == "graph" and "devices(deviceId" in path]
    assert message < sent[0] < asked[0] < read_back[-1]
    assert len(sent) == 1
    why = stage.audit()
    steps = ["possession.sent", "possession.proven", "link.made", "push.sent", "push.accepted", "push.confirmed"]
    assert [w for w in why if w in steps] == steps


@pytest.mark.parametrize(
    ("service", "kind", "more"),
    [
        ("workspace_one", "down", {}),
        ("workspace_one", "slow", {"seconds": 30}),
        pytest.param("graph", "slow", {"seconds": 30}, marks=pytest.mark.long),
        ("graph", "throttle", {}),
        ("workspace_one", "html", {}),
        ("graph", "garbled", {}),
    ],
)
def test_a_remote_that_is_down_or_slow_never_keeps_a_page_waiting(
    raised: Raised, service: str, kind: str, more: dict[str, float]
) -> None:
    stage = raised("blocked_just_registered")
    stage.fault(service, kind, **more)
    mia = Plain(stage)
    mia.arrives()
    mia.signs_in()
    for _ in range(6):
        mia.goes(f"{stage.origin}/journey")
    assert mia.heading == "Looking for your device"
    assert mia.slowest < WITHIN
    assert mia.outlook() == "blocked"


def test_a_page_never_claims_more_than_was_seen(raised: Raised) -> None:
    """Microsoft takes the news and applies nothing."""
    stage = raised("blocked_just_registered")
    stage.fault("intune", "ignore_writes")
    mia = Plain(stage)
    to_the_message(mia)
    mia.taps_the_message()
    for _ in range(20):
        mia.goes(f"{stage.origin}/journey")
        assert mia.heading != OPEN
    done = [item.get_text(" ", strip=True) for item in mia.page.select(".chain .done")]
    assert any("Sent to Microsoft" in words for words in done)
    assert not any("Seen as compliant" in words for words in done)
    assert mia.outlook() == "blocked"


def test_signing_in_again_goes_on_with_the_same_case(raised: Raised) -> None:
    stage = raised("blocked_just_registered")
    mia = Plain(stage)
    to_the_message(mia)
    code = mia.page.select_one("#case-code")
    again = Plain(stage)
    again.arrives()
    again.signs_in()
    again.waits_for("Open the message on this device")
    assert (again.page.select_one("#case-code"), mia.slowest < WITHIN) == (code, True)
