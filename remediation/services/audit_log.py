"""The audit log is sealed row by row, its newest seal told to an outside place, and the whole of it checked.

What each check rests on: a row's own seal shows that it was changed; the chain of seals shows that one was taken out, put in
between or moved; the count shows a gap; a signed checkpoint shows that a cut at the old end was the retention's; and only an anchor
that somebody keeps elsewhere shows that the newest rows were cut away. Texts are in English, as the command line is.
Next door: `domain/seals.py` (the seal), `store/seals.py` (the rows).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ..domain.seals import BEGINNING, Anchor, Place, SealKeys
from ..ports import AuditEntry, AuditLog, AuditSnapshot

BEATS = 20  # batches that one beat seals at most: what an older version left unsealed takes a few minutes
SOON = timedelta(minutes=5)
"""A row that was there so long before the newest seal should have had its own."""
BACKDATED = LATE = timedelta(hours=1)
TOLD_EACH = 10_000
NEVER = datetime.min.replace(tzinfo=UTC)

Progress = Callable[[int, int], None]
"""Rows checked so far, rows in all."""


@dataclass(frozen=True)
class Finding:
    """`seq` is the row's place in the log; `audit_id` its id, None where nobody knows."""

    seq: int | None
    audit_id: int | None
    what: str
    meaning: str


@dataclass
class Checked:
    """`first` and how many findings in all; `last` is the newest seal as an anchor. `unsealed` and `oldest_unsealed` are of rows
    that wait for their seal. `backdated` are those that say a time long before the rows that were there already, and `late` those
    that got their seal long after their time; both may be a clock or a worker that was down."""

    rows: int = 0
    begins: int = 1
    first: Finding | None = None
    findings: int = 0
    last: Anchor | None = None
    unsealed: int = 0
    oldest_unsealed: datetime | None = None
    backdated: int = 0
    first_backdated: int | None = None
    late: int = 0
    first_late: int | None = None
    anchors: int = 0

    def found(self, seq: int | None, audit_id: int | None, what: str, meaning: str) -> None:
        self.findings += 1
        self.first = self.first or Finding(seq, audit_id, what, meaning)


def seal(log: AuditLog, key: str, now: Callable[[], datetime], *, late: bool = False) -> int:
    """How many rows got their seal."""
    sealed = 0
    for _ in range(BEATS):
        some = log.seal(key, now(), late=late)
        sealed += some
        if not some:
            break
    return sealed


def verify(log: AuditLog, keys: SealKeys, tenant_id: str, anchors: Mapping[int, Anchor], progress: Progress) -> Checked:
    """The whole log, in one walk and with as much memory as the anchors take."""
    with log.snapshot() as snapshot:
        walk = _Walk(keys, tenant_id, anchors, snapshot)
        total = snapshot.count()
        for entry in snapshot.entries():
            walk.take(entry)
            if walk.checked.rows % TOLD_EACH == 0:
                progress(walk.checked.rows, total)
        progress(walk.checked.rows, total)
        walk.end(snapshot)
    return walk.checked


@dataclass
class _Walk:
    keys: SealKeys
    tenant_id: str
    anchors: Mapping[int, Anchor]
    snapshot: AuditSnapshot
    checked: Checked = field(default_factory=Checked)
    previous: str | None = BEGINNING
    expected: int = 1
    newest_at: datetime | None = None
    newest_seal: datetime | None = None

    def take(self, entry: AuditEntry) -> None:
        if not self.checked.rows:
            self._begin(entry)
        elif entry.seq != self.expected:
            self._gap(entry)
        self.checked.rows += 1
        self._check(entry)
        self._time(entry)
        anchor = self.anchors.get(entry.seq)
        if anchor is not None:
            self.checked.anchors += 1
            if anchor.digest != entry.digest:
                told = f"The anchor{_of(anchor)} has another seal for this row: the log was written anew from here or earlier."
                self.checked.found(entry.seq, entry.audit_id, "not what the anchor says", told)
        self.previous, self.expected = entry.digest, _next(entry.seq, self.expected)
        self.checked.last = Anchor(entry.seq, entry.digest, _text(entry.sealed_at))

    def _begin(self, entry: AuditEntry) -> None:
        """Not from 1 only where the retention cut, and signed for it."""
        self.checked.begins = entry.seq
        if entry.seq == 1:
            return
        cut = self.snapshot.checkpoint(entry.seq - 1)
        if cut is not None and cut.get("through") == entry.seq - 1 and self.keys.vouches(self.tenant_id, cut):
            self.previous = str(cut["digest"])
            return
        self.previous = None
        told = (
            f"The rows before it are gone, and no checkpoint that our key signed says that they should be (begins at {entry.seq})."
        )
        self.checked.found(entry.seq, entry.audit_id, "cut at its old end", told)

    def _gap(self, entry: AuditEntry) -> None:
        last = entry.seq - 1 if isinstance(entry.seq, int) else entry.seq
        rows = f"row {self.expected}" if last == self.expected else f"rows {self.expected} to {last}"
        self.checked.found(self.expected, None, "missing", f"The seals of {rows} are gone, and with them what they sealed.")
        self.previous = None

    def _check(self, entry: AuditEntry) -> None:
        if entry.row is None:
            self.checked.found(entry.seq, entry.audit_id, "deleted", "Its seal is there, and the row is gone.")
            return
        if not isinstance(entry.sealed_at, datetime):
            self.checked.found(entry.seq, entry.audit_id, "changed", "The time of its seal is none any more.")
            return
        if self.previous is None:  # what came before is gone, and named already
            return
        place = Place(self.tenant_id, self.previous, entry.seq, entry.sealed_at)
        must = self.keys.digest(entry.key, place, entry.row)
        if must is None:
            told = f"Its key is {entry.key}, which is neither REMEDIATION_AUDIT_KEY nor among REMEDIATION_AUDIT_KEY_FALLBACKS."
            self.checked.found(entry.seq, entry.audit_id, "sealed with a key that is not given", told)
        elif must != entry.digest:
            told = "What it says, its time, its place or its seal is not what was sealed: it was changed, swapped or moved."
            self.checked.found(entry.seq, entry.audit_id, "changed", told)

    def _time(self, entry: AuditEntry) -> None:
        at = entry.row.get("at") if entry.row is not None else None
        if isinstance(entry.sealed_at, datetime):
            self.newest_seal = max(self.newest_seal or entry.sealed_at, entry.sealed_at)
        if not isinstance(at, datetime):
            return
        if isinstance(entry.sealed_at, datetime) and entry.sealed_at - at > LATE:
            self.checked.late += 1
            self.checked.first_late = self.checked.first_late or entry.seq
        if self.newest_at is not None and at < self.newest_at - BACKDATED:
            self.checked.backdated += 1
            self.checked.first_backdated = self.checked.first_backdated or entry.seq
        self.newest_at = max(self.newest_at or at, at)

    def end(self, snapshot: AuditSnapshot) -> None:
        newest = self.checked.last.seq if self.checked.last is not None else 0
        beyond = [anchor for seq, anchor in self.anchors.items() if seq > newest]
        if beyond:
            furthest = max(beyond, key=lambda anchor: anchor.seq)
            told = f"The anchor{_of(furthest)} knows row {furthest.seq:,}, and the log ends with {newest:,}: the rest was cut away."
            self.checked.found(newest + 1, None, "cut at its new end", told)
        left = snapshot.unsealed(self.newest_seal - SOON if self.newest_seal else NEVER)
        self.checked.unsealed = left.count
        self.checked.oldest_unsealed = left.oldest if isinstance(left.oldest, datetime) else None
        if left.missed is not None:
            audit_id, at, why = left.missed
            told = (
                f"It says {_text(at)} ({why}), and rows were sealed after that without it: it was put in afterwards, or its "
                "transaction hung. A worker seals late ones within an hour; whatever is still named then was put in."
            )
            self.checked.found(None, audit_id, "never sealed", told)


def _next(seq: Any, expected: int) -> int:
    return seq + 1 if isinstance(seq, int) else expected + 1


def _of(anchor: Anchor) -> str:
    return f" of {anchor.at}" if anchor.at else ""


def _text(at: Any) -> str:
    return at.isoformat(timespec="seconds") if isinstance(at, datetime) else str(at)
