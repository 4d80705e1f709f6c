"""Seeded faults: another class where the simulator wires a process. Each must be caught, or the simulator proves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from remediation.adapters.intune_partner import IntunePartnerChannel
from remediation.adapters.workspace_one import WorkspaceOne
from remediation.domain.compliance import Lease
from remediation.domain.device import DirectoryDevice, LinkState, ManagedDevice
from remediation.domain.journey import Journey
from remediation.errors import RemoteError
from remediation.ports import Actor, Change, Report, Sent
from remediation.store.change import OneChange
from remediation.store.tables import device_links
from tests.simulator.doors import SteppedStore
from tests.simulator.stage import Parts


class ReadsOnce(WorkspaceOne):
    """What a durable step would do: after a crash, or later, the posture that was read first is read again from memory."""

    def device(self, record_id: str) -> ManagedDevice:
        kept: dict[str, ManagedDevice] = self.__dict__.setdefault("kept", {})
        if record_id not in kept:
            kept[record_id] = super().device(record_id)
        return kept[record_id]


class TrustsSilence(WorkspaceOne):
    """Where the MDM does not answer, what it said last is taken for fresh."""

    def device(self, record_id: str) -> ManagedDevice:
        kept: dict[str, ManagedDevice] = self.__dict__.setdefault("kept", {})
        try:
            kept[record_id] = super().device(record_id)
        except RemoteError:
            if record_id not in kept:
                raise
            kept[record_id] = replace(kept[record_id], posture=replace(kept[record_id].posture, read_at=self._now()))
        return kept[record_id]


class StampsLate(IntunePartnerChannel):
    """The update time is made when the message leaves, so that a worker that wakes late looks like the newest."""

    def send(self, report: Report) -> Sent:
        return super().send(replace(report, update_time=self._now()))


class BelievesItself(IntunePartnerChannel):
    """Marked before sent: a send that failed counts, and what was sent is taken for what Entra shows."""

    def send(self, report: Report) -> Sent:
        self.__dict__.setdefault("sent", {})[report.device_id] = report.compliant
        try:
            return super().send(report)
        except RemoteError:
            return Sent(report.message_id)

    def observe(self, device_id: str) -> DirectoryDevice:
        device = super().observe(device_id)
        return replace(device, compliant=self.__dict__.get("sent", {}).get(device_id, device.compliant))


class _Blind(OneChange):
    """Compares no sequence."""

    def _push(self, link_id: str, **keys: Any) -> sa.Update:
        return super()._push(link_id)


class _Silent(OneChange):
    """Ends a link and tells nobody."""

    def end_link(self, link_id: str, why: str) -> None:
        row = self.mine(device_links, id=link_id)
        values = {"state": LinkState.ENDED, "ended_at": self.at, "ended_why": why}
        self.set_one(sa.update(device_links).where(row, device_links.c.state == LinkState.ACTIVE).values(**values), "end_link")


class _Changed(SteppedStore):
    changes: type[OneChange]

    @contextmanager
    def change(self, actor: Actor, why: str, *, about: tuple[str, str], at: datetime) -> Iterator[Change]:
        with super().change(actor, why, about=about, at=at) as change:
            change.__class__ = self.changes
            yield change


class NoCompareAndSet(_Changed):
    changes = _Blind


class SilentEnd(_Changed):
    changes = _Silent


class OpensEarly(SteppedStore):
    """The page takes *sent* for *open*."""

    def journey(self, journey_id: str) -> Journey | None:
        journey = super().journey(journey_id)
        if journey is None:
            return None
        pushes = tuple(replace(p, observed=True, confirmed_seq=p.sent_seq) if p.says_compliant else p for p in journey.pushes)
        return replace(journey, pushes=pushes)


UNBROKEN = Parts()
BREAKS: dict[str, Parts] = {
    "reads_once": Parts(manager=ReadsOnce),
    "trusts_silence": Parts(manager=TrustsSilence),
    "stamps_late": Parts(channel=StampsLate),
    "believes_itself": Parts(channel=BelievesItself),
    "no_compare_and_set": Parts(store=NoCompareAndSet),
    "silent_end": Parts(store=SilentEnd),
    "opens_early": Parts(store=OpensEarly),
    "endless_lease": Parts(lease=Lease(timedelta(days=365), timedelta(days=365))),
}
