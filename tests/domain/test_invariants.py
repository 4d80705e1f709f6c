"""The invariants that hold in the pure domain, for whatever there may be. Those of the database are in `tests/store`, those of the
worker in `tests/services`, each under its number.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from remediation.domain.budget import Admitted, Budget, Limit, Limits, enter
from remediation.domain.compliance import Lease, MdmWord, Posture, Verdict, decide
from remediation.domain.device import DirectoryDevice, ManagedDevice
from remediation.domain.evidence import Evidence, Level, ends_link, suffices, to_replace
from remediation.domain.push import Lane
from tests.people import HEALTHY, LINK, MANAGED_PHONE, NOON, REGISTERED_PHONE

words = st.text(min_size=1, max_size=12)
moments = st.integers(-60 * 24, 60 * 24).map(lambda hours: NOON + timedelta(hours=hours))
spans = st.integers(1, 60 * 24).map(lambda hours: timedelta(hours=hours))
levels = st.sampled_from(Level)


PINNED = {
    "generation": lambda managed, directory: (replace(managed, generation="another"), directory),
    "enrolled": lambda managed, directory: (replace(managed, posture=replace(HEALTHY, enrolled=False)), directory),
    "object": lambda managed, directory: (managed, replace(directory, object_id="another")),
    "owner": lambda managed, directory: (managed, replace(directory, owner_oid="another")),
    "enabled": lambda managed, directory: (managed, replace(directory, enabled=False)),
}


@st.composite
def sides(draw: st.DrawFn) -> tuple[ManagedDevice, DirectoryDevice, set[str]]:
    """What fresh reads may say, and which of the things that a link pins are not what they were; one alone as often as not."""
    managed = replace(MANAGED_PHONE, name=draw(words), os_version=draw(words), serial=draw(words))  # which a link does not pin
    directory = replace(REGISTERED_PHONE, name=draw(words), os_version=draw(words))
    other = draw(st.sampled_from([set[str](), *({name} for name in PINNED)]) | st.sets(st.sampled_from(sorted(PINNED))))
    for name in other:
        managed, directory = PINNED[name](managed, directory)
    return managed, directory, other


@given(sides())
def test_I2_a_link_stands_exactly_as_long_as_all_that_it_pins(read: tuple[ManagedDevice, DirectoryDevice, set[str]]) -> None:
    managed, directory, other = read
    assert (ends_link(LINK, managed, directory) is not None) is bool(other)


@given(st.none() | moments, moments, moments, st.builds(Lease, spans, spans))
def test_I7_compliant_ends_by_both_clocks_and_nothing_but_a_newer_read_prolongs_it(
    last_seen: datetime | None, read_at: datetime, now: datetime, lease: Lease
) -> None:
    posture = Posture(MdmWord.COMPLIANT, True, False, (), last_seen, read_at)
    decision = decide(posture, now, lease)
    if decision.verdict is not Verdict.COMPLIANT:
        assert decision.until is None
        return
    assert last_seen is not None
    assert decision.until is not None
    assert now < decision.until <= min(read_at + lease.since_read, last_seen + lease.since_check_in)
    for later in (decision.until, decision.until + timedelta(days=1)):
        assert decide(posture, later, lease).verdict is not Verdict.COMPLIANT
    assert decide(posture, decision.until - timedelta(microseconds=1), lease) == decision


buckets = st.none() | st.floats(-60, 60).map(lambda seconds: NOON + timedelta(seconds=seconds))
limits = st.builds(
    lambda rate, burst, reserve: Limit(rate, burst, min(reserve, burst - 1)),
    st.floats(0.1, 50),
    st.integers(1, 40),
    st.integers(0, 9),
)


@given(
    st.builds(
        Budget, full_at=buckets, writes_full_at=buckets, closed_until=buckets, failures=st.integers(0, 6), probe_until=buckets
    ),
    st.builds(Limits, limits, st.none() | limits),
    st.sampled_from((Lane.PERSON, Lane.SWEEP)),
    st.booleans(),
)
def test_I8_wherever_a_grant_may_go_a_revocation_may(budget: Budget, of: Limits, lane: Lane, writes: bool) -> None:
    if isinstance(enter(budget, of, NOON, lane, writes=writes), Admitted):
        assert isinstance(enter(budget, of, NOON, Lane.REVOKE, writes=writes), Admitted)


@given(levels, st.none() | levels, levels, levels)
def test_I12_a_live_link_gives_way_to_nothing_weaker_than_itself_than_what_it_was_made_under_and_than_bound(
    rests_on: Level, made_under: Level | None, minimum: Level, offered: Level
) -> None:
    old = replace(LINK, evidence=Evidence(rests_on, NOON, ""), minimum=made_under)
    if suffices(Evidence(offered, NOON, ""), max(to_replace(old), minimum)):
        assert offered >= max(rests_on, made_under or Level.NONE, minimum, Level.BOUND)
    best = Evidence(Level.AGENT, NOON, "")
    assert suffices(best, max(to_replace(old), minimum)), "the control: the best suffices always"
