"""What the doctor looks at in our own house: files of certificates, the worker's rows. Next door: `doctor_remotes`."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from ..domain.channel import ChannelKind
from ..domain.finding import Finding, State
from ..domain.push import TWO_WRITERS
from ..domain.turns import Turns
from ..domain.watch import watch_names
from .doctor import Doctor

SOON = timedelta(days=30)
OVERDUE = timedelta(minutes=2)  # a pulse wakes what is due twice a second, and an outage of a minute is none
WRITES = Turns(1000, timedelta(seconds=1))


def database(doctor: Doctor, _: Sequence[Finding]) -> Iterator[Finding]:
    """Who called this has seen that it is migrated; a row that is written shows that it can be."""
    try:
        doctor.world.store.take_turn("doctor", WRITES, at=doctor.world.clock())
    except Exception as error:
        if not any(kind.__name__ == "DatabaseError" for kind in type(error).__mro__):  # every driver's, by PEP 249
            raise
        yield Finding("database", State.BAD, "not_writable")
        return
    yield Finding("database", State.GOOD, "writable")


def files(doctor: Doctor, _: Sequence[Finding]) -> Iterator[Finding]:
    now = doctor.world.clock()
    for what, path in doctor.files.items():
        of_lists = what == "revocation_lists"
        ends = doctor.certificates.lists_end(path) if of_lists else doctor.certificates.ends(path)
        if ends is None:
            yield Finding(what, State.BAD, "unreadable", detail={"file": path})
            continue
        detail = {"file": path, "ends": f"{ends:%Y-%m-%d %H:%M} UTC"}
        if ends <= now:
            yield Finding(what, State.BAD, "ended", detail=detail)
        elif not of_lists and ends - now < SOON:  # lists are made to be exchanged within days
            yield Finding(what, State.BAD, "ends_soon", detail=detail)
        else:
            yield Finding(what, State.GOOD, "in_force", detail=detail)


def worker(doctor: Doctor, _: Sequence[Finding]) -> Iterator[Finding]:
    """A worker keeps the rows of its watches moving; one that stands due for minutes has nobody."""
    now = doctor.world.clock()
    watches = [doctor.world.store.watch(name) for name in watch_names(doctor.world.managers)]
    if not any(watches):
        yield Finding("worker", State.BAD, "never")
        return
    due = [watch.next_look_at for watch in watches if watch is not None and watch.next_look_at is not None]
    oldest = min(due, default=now)
    if now - oldest > OVERDUE:
        yield Finding("worker", State.BAD, "gone", detail={"since": f"{oldest:%Y-%m-%d %H:%M} UTC"})
    else:
        yield Finding("worker", State.GOOD, "works")


def writers(doctor: Doctor, _: Sequence[Finding]) -> Iterator[Finding]:
    """Where we tell Graph of Windows: does somebody else, too? Noticed as verdicts are carried (`push.two_writers`)."""
    if not any(channel.kind is ChannelKind.GRAPH_DEVICE for channel in doctor.world.channels):
        return
    counts = doctor.stuck.count(doctor.world.clock())
    overwritten = sum(number for (_, reason), number in counts.items() if reason == TWO_WRITERS)
    if overwritten:
        yield Finding("writers", State.BAD, "two", detail={"count": str(overwritten)})
    else:
        yield Finding("writers", State.GOOD, "one")


def queue(doctor: Doctor, _: Sequence[Finding]) -> Iterator[Finding]:
    """What does not rest is listed by `remediation stuck`; here it counts whether a bug of ours holds anything up."""
    counts = doctor.stuck.count(doctor.world.clock())
    ours = sum(number for (_, reason), number in counts.items() if reason == "our_fault")
    if ours:
        yield Finding("queue", State.BAD, "our_fault", detail={"count": str(ours)})
    else:
        yield Finding("queue", State.GOOD, "moves", detail={"count": str(sum(counts.values()))})
