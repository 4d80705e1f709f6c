"""The promises, judged by what the sandbox saw and by what was true; our own rows are only asked which link a message was about.

Next door: `truth` (the histories), `wire` (the diary of calls), `run` (which calls these).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from remediation.domain.device import DeviceLink, LinkState
from remediation.domain.push import Push, message_id
from remediation.domain.steps import Step, next_step
from remediation.store import tables
from tests.simulator.doors import SKEW
from tests.simulator.stage import LEASE
from tests.simulator.truth import DeviceWas, RecordWas
from tests.simulator.wire import DEVICE, MESSAGE, RECORD, Call

if TYPE_CHECKING:
    from tests.simulator.run import Run

NEWS = {"verdict.changed", "drift.repaired", "mark.repaired", "lease.ended", "link.ended", "push.failed", "push.not_applied"}
"""Why the sequence of a push rises; each rise has its one audit row."""


class Broken(AssertionError):
    """A promise was not kept."""


def demand(holds: object, what: str) -> None:
    if not holds:
        raise Broken(what)


# what we know of links


def links(run: Run) -> list[tuple[DeviceLink, Push]]:
    store = run.web.store
    with run.stage.engine.connect().execution_options(reads=True) as connection:
        ids = connection.execute(sa.select(tables.device_links.c.id).order_by(tables.device_links.c.made_at)).scalars().all()
    return [(link, push) for i in ids if (link := store.link(i)) is not None and (push := store.push(i)) is not None]


def name(run: Run, link: DeviceLink) -> str:
    return run.names.get(link.id, link.id)


def records_read(run: Run, link: DeviceLink) -> list[Call]:
    """The good reads of its record, with what is asked of its compliance right after it."""
    number, following, read = link.managed.record_id, dict[int, Call](), list[Call]()
    for call in reversed(run.wire.calls):
        then = following.get(call.task)
        if call.good and call.found(RECORD) == number and (then is None or then.good or not then.path.endswith("/compliance")):
            read.append(call)
        following[call.task] = call
    return read[::-1]


def record_at(run: Run, number: str, at: datetime) -> RecordWas | None:
    return next((was for was in reversed(run.truth.records.get(number, [])) if was.at <= at), None)


def holds(run: Run, link: DeviceLink) -> bool:
    """Whether both sides are still what was linked."""
    made = record_at(run, link.managed.record_id, link.made_at + SKEW)
    now = run.truth.records.get(link.managed.record_id, [None])[-1]
    device = run.truth.devices.get(link.device_id, [None])[-1]
    if made is None or now is None or device is None:
        return False
    return now.enrollment is not None and now.enrollment == made.enrollment and device.identity == (link.object_id, link.oid)


# at any moment


def truthful_pages(run: Run) -> None:
    """P6: *open* is never claimed once somebody has read from Entra, and written down, that it is not so."""
    for who in run.people.all:
        journey = run.people.journey(who)
        if journey is None or journey.link is None or next_step(journey, run.web.clock()) is not Step.OPEN:
            continue
        read = [c for c in run.wire.calls if c.good and c.found(DEVICE) == journey.link.device_id]
        yes = max((c.at for c in read if c.compliant is True), default=None)
        demand(yes, f"P6: {who.person.name}'s page says open, and Entra never showed it")
        no = max((c.at for c in read if c.compliant is not True and c.task in run.noted and _whole(run, c)), default=None)
        demand(
            no is None or yes is None or yes > no - SKEW,
            f"P6: {who.person.name}'s page says open, and Entra was seen not to show it",
        )


def _whole(run: Run, read: Call) -> bool:
    """Where the list of its owners then failed, as of an entry that was replaced between the two calls, the device was not read."""
    later = (c for c in run.wire.calls if c.task == read.task and c.at > read.at)
    following = next(later, None)
    return following is None or "/registeredOwners/" not in following.path or following.good


# when all is calm


def all_at_rest(run: Run) -> None:
    for link, push in links(run):
        if link.state is LinkState.PENDING:
            continue
        demand(push.at_rest, f"P1: {name(run, link)} ({link.state.value}) is not at rest: {push.desired} {push.reason}")
    for who in run.people.all:
        journey = run.people.journey(who)
        demand(journey is None or not journey.look.under_way, f"P1: {who.person.name} still waits for a look")
        if run.honest and journey is not None:
            step = next_step(journey, run.web.clock())
            demand(step in (Step.OPEN, Step.FIX, Step.HELP), f"P1: {who.person.name} is honest and did not get through: {step}")


def final_state(run: Run) -> None:
    """P3: what Entra shows is what the MDM says, for each device we ever touched."""
    now, found = run.clock.now(), links(run)
    active = {link.device_id: link for link, _ in found if link.state is LinkState.ACTIVE}
    demand(len(active) == sum(link.state is LinkState.ACTIVE for link, _ in found), "I1: two active links share a directory device")
    records = [link.managed for link in active.values()]
    demand(len(set(records)) == len(records), "I1: two active links share a record")
    for device_id in {link.device_id for link, _ in found}:
        shown, link = run.truth.shown(device_id), active.get(device_id)
        if link is not None:
            demand(holds(run, link), f"I6: {name(run, link)} is active, and one of its sides is another now")
            was = run.truth.records[link.managed.record_id][-1]
            near = was.good_until is not None and abs(was.good_until - now) < timedelta(minutes=3)
            demand(near or shown is was.good(now), f"P3: {name(run, link)}: Entra shows {shown}, the MDM says {was.good(now)}")
            continue
        ended = max(link.ended_at for link, _ in found if link.device_id == device_id and link.ended_at is not None)
        stranger = run.truth.strangers.get(device_id)
        exempt = stranger is not None and stranger >= ended - SKEW
        demand(exempt or not shown, f"P4: {run.names.get(device_id, device_id)} has no link any more, and Entra shows it compliant")
    told = {str(c.sent["DeviceId"]) for c in run.wire.calls if c.sent}
    demand(told <= {link.device_id for link, _ in found}, "P4: a message about a device that was never linked")
    for link, _ in found:
        demand((link.managed.record_id, link.device_id) in run.truth.pairs, f"T1: {name(run, link)} pairs what was never one phone")


# leases


def leases(run: Run) -> dict[str, tuple[datetime, datetime]]:
    """Until when each device that Entra shows compliant must and may stand, by our last good read and its own last check-in: the
    row of a list may renew a lease, or leave that to a direct look."""
    ends = {}
    for link, push in links(run):
        was = run.truth.records.get(link.managed.record_id, [None])[-1]
        reads = [c.at for c in records_read(run, link) if c.task in run.noted]  # a look of the page renews no lease
        if (
            link.state is LinkState.ACTIVE
            and run.truth.shown(link.device_id)
            and push.says_compliant
            and was
            and was.good_until
            and reads
        ):
            early = max(reads)
            late = max([early, *(c.at for c in run.wire.calls if link.managed.record_id in c.listed and "watch" in c.who)])
            until = was.good_until
            ends[link.device_id] = min(early + LEASE.since_read, until), min(late + LEASE.since_read, until)
    return ends


def none_down_early(run: Run, ends: dict[str, tuple[datetime, datetime]]) -> None:
    for device_id, (end, _) in ends.items():
        early = end > run.clock.now() + SKEW and not run.truth.shown(device_id)
        demand(not early, f"P7: {run.names.get(device_id, device_id)} was pushed down before its lease ended")


def all_down(run: Run, ends: dict[str, tuple[datetime, datetime]]) -> None:
    for device_id in ends:
        demand(not run.truth.shown(device_id), f"P7: {run.names.get(device_id, device_id)} stands compliant past its lease")


# what the remotes were told


def ledger(run: Run) -> None:
    demand(not run.manners.impolite, f"P8: {run.manners.impolite[:1]}")
    found = links(run)
    tenant = run.stage.tenant_id
    owner = {message_id(tenant, link.id, seq): (link, seq) for link, push in found for seq in range(1, push.desired_seq + 1)}
    first: dict[str, Call] = {}
    for call in run.wire.calls:
        mid = call.found(MESSAGE)
        if mid is None or call.sent is None:
            continue
        demand(mid in owner, "P2: a message under an id that belongs to no link")
        link, _ = owner[mid]
        _one_content(call, first.setdefault(mid, call))
        demand(call.sent["DeviceId"] == link.device_id, "a message about another device than its link's")
        if call.sent["complianceStatus"] == "compliant":
            _justified(run, call, link)
    _in_order(run, first, owner)


def _one_content(call: Call, first: Call) -> None:
    for field in ("DeviceId", "LastUpdateTime", "complianceStatus", "DeviceManagementState"):
        demand((call.sent or {})[field] == (first.sent or {})[field], f"P2: one message id, two contents: {field}")


def _justified(run: Run, call: Call, link: DeviceLink) -> None:
    """P4: whoever says *compliant* has read in the same pass that it is so, not longer ago than the lease lasts."""
    of_pass = [c for c in run.wire.calls if c.task == call.task and c.at <= call.at]
    reads = [c for c in of_pass if c.good and c.found(RECORD) == link.managed.record_id and c.truth and c.truth.good(c.at)]
    demand(reads, f"P4: compliant was sent for {name(run, link)} by a pass that read nothing good ({call.who})")
    age = call.stood_at - reads[-1].at
    demand(age <= LEASE.since_read, f"P4: compliant was sent for {name(run, link)} on a read {age} old ({call.who})")
    made = record_at(run, link.managed.record_id, link.made_at + SKEW)
    same = made is not None and reads[-1].truth.enrollment == made.enrollment
    demand(same, f"I2: compliant was sent for {name(run, link)} after its device was enrolled anew ({call.who})")
    entra = [c for c in of_pass if c.good and c.found(DEVICE) == link.device_id]
    demand(entra, f"I5: compliant was sent for {name(run, link)} by a pass that did not look at its owner ({call.who})")


def _in_order(run: Run, first: dict[str, Call], owner: dict[str, tuple[DeviceLink, int]]) -> None:
    """I11: for each device the update times differ and grow with the sequence; P3: the newer message rests on the newer read."""
    by_device: dict[str, list[tuple[datetime, str, Call]]] = defaultdict(list)
    for mid, call in first.items():
        stamp = datetime.fromisoformat(str((call.sent or {})["LastUpdateTime"]).replace("Z", "+00:00"))
        by_device[owner[mid][0].device_id].append((stamp, mid, call))
    for messages in by_device.values():
        messages.sort(key=lambda m: (m[0], owner[m[1]][1]))
        demand(len({m[0] for m in messages}) == len(messages), "I11: two messages about one device with one update time")
        newest: datetime | None = None
        rises = _rises(run)
        last: dict[str, tuple[int, Call]] = {}
        for _, mid, call in messages:
            link, seq = owner[mid]
            before = last.get(link.id)
            demand(before is None or seq > before[0], f"I11: the update times of {name(run, link)} do not grow with its sequence")
            if before is not None and _up(before[1]) and not _up(call):
                decided = rises[link.id][seq - 1]
                demand(
                    _cause(run, link, before[1], decided),
                    f"P7: {name(run, link)} was pushed down without a cause ({call.who})",
                )
            last[link.id] = seq, call
            reads = [c.at for c in records_read(run, link) if c.task == call.task and c.at <= call.at]
            if reads:
                older = newest is not None and reads[-1] < newest - SKEW
                demand(not older, f"P3: {name(run, link)} was told older news after newer ({call.who})")
                newest = max(reads[-1], newest or reads[-1])


def _up(call: Call) -> bool:
    return bool(call.sent and call.sent["complianceStatus"] == "compliant")


def _rises(run: Run) -> dict[str, list[datetime]]:
    """When each sequence of each link was decided."""
    row, found = tables.audit.c, defaultdict(list)
    with run.stage.engine.connect().execution_options(reads=True) as connection:
        for about, at in connection.execute(sa.select(row.about_id, row.at).where(row.why.in_(NEWS)).order_by(row.id)):
            found[about].append(at)
    return found


def _cause(run: Run, link: DeviceLink, up: Call, decided: datetime) -> bool:
    """Between the two something was not good for a moment, or the lease was over by what we had read: the age of the last read of
    both sides, or of the check-in that the MDM showed, to the deciding pass, too."""
    decider, decided = run.deciders.get((link.id, decided), (None, decided))
    read = [c for c in records_read(run, link) if c.at <= decided + SKEW]
    before = [c for c in read if c.at <= decided and c.task != decider]
    known = [c for c in before if run.noted.get(c.task, decided) < decided or c.task == up.task]
    directory = {c.task for c in run.wire.calls if c.good and c.found(DEVICE) == link.device_id and _whole(run, c)}
    reads = [c.at for c in known]
    good_at_up = [at for at in reads if at <= up.at]
    begins = good_at_up[-1] if good_at_up else up.at
    made = record_at(run, link.managed.record_id, link.made_at + SKEW)
    device = (link.object_id, link.oid)
    history = run.truth.records.get(link.managed.record_id, [])
    for was, until in zip(history, [*(later.at for later in history[1:]), decided + SKEW], strict=True):
        for_a_while = until >= begins and was.at <= decided + SKEW
        good = was.good_until is not None and was.good_until >= min(until, decided + SKEW)
        if for_a_while and not (good and made is not None and was.enrollment == made.enrollment):
            return True
    for shown in run.truth.devices.get(link.device_id, []):
        if begins <= shown.at <= decided + SKEW and shown.identity != device:
            return True
    both = [c.at for c in known if c.task in directory]
    if not both or max(both) + LEASE.since_read <= decided + SKEW:
        return True
    shown = max((c for c in read if c in known or c.task == decider), key=lambda c: c.at).truth
    return shown is not None and shown.good_until is not None and shown.good_until <= decided + SKEW


def bookkeeping(run: Run) -> None:
    """One change, one audit row; one not-compliant for each ended link."""
    with run.stage.engine.connect().execution_options(reads=True) as connection:
        rows = connection.execute(sa.select(tables.audit.c.about_id, tables.audit.c.why, tables.audit.c.detail)).all()
    told = Counter((about, why) for about, why, _ in rows)
    for link, push in links(run):
        rises = sum(told[link.id, why] for why in NEWS)
        if link.state is not LinkState.PENDING:
            demand(rises == push.desired_seq, f"P10: {name(run, link)}: {push.desired_seq} changes, {rises} audit rows")
        demand(
            told[link.id, "link.made"] == 1, f"P10: {name(run, link)} was made, and {told[link.id, 'link.made']} audit rows say so"
        )
        ends = told[link.id, "link.ended"]
        demand(ends == (link.state is LinkState.ENDED), f"I6: {name(run, link)} is {link.state.value} and ended {ends} times")
        if link.state is LinkState.ENDED:
            demand(not push.says_compliant, f"I6: {name(run, link)} has ended and says compliant")


__all__ = ["Broken", "DeviceWas"]
