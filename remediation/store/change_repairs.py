"""The part of a change that is about repairs of the helpdesk. Next door: `repairs` (what the worker carries out of them)."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ..domain.device import DeviceLink, ManagedKey, Platform
from ..domain.push import Lane
from ..domain.repairs import Mark
from ..errors import ChangedMeanwhile, Stale
from .change_journeys import JourneyChanges
from .change_links import LinkChanges
from .tables import device_marks, directory_devices, journeys, people, pushes, start_links
from .timeline import last_act
from .upsert import insert_or_update

# What a journey knows of proofs: a case that staff reopen, or whose link they end, begins without any.
_NO_PROOF: dict[str, Any] = {
    **dict.fromkeys(f"possession_{name}" for name in ("connection", "record_id", "wanted_at", "sent_at", "expires_at", "error")),
    **dict.fromkeys(f"possession_{name}" for name in ("sending_until", "proven_at", "proven_generation")),
    **dict.fromkeys(("settled", "picked", "in_app_at", "tries", "tried_at")),
}


class RepairChanges(JourneyChanges, LinkChanges):
    def as_seen(self, oid: str, seen: int) -> None:
        """Under the person's lock, so that of two who confirm at once the second sees what the first did."""
        mine = self.mine(people, oid=oid)
        self.connection.execute(sa.select(people.c.oid).where(mine).with_for_update())
        if last_act(self.connection, self.tenant_id, oid) != seen:
            self.refuse(ChangedMeanwhile("something was done for this person since"))

    def tell_again(self, link_id: str) -> None:
        told = pushes.c.sent_seq == pushes.c.desired_seq, pushes.c.desired_seq > 0
        self.set_one(self._push(link_id).where(*told).values(tell_again_at=self.at), "tell_again")
        self.wake_link(link_id, lane=Lane.PERSON)

    def settle(self, journey_id: str, device_id: str) -> None:
        self._wake_journey(journey_id, settled=device_id)

    def forget_proofs(self, link: DeviceLink) -> None:
        """What proved this link proves no other: every living journey of its person on its platform begins to prove anew."""
        living = self.mine(journeys, oid=link.oid, platform=link.platform), journeys.c.expires_at > self.at
        for journey_id in self.connection.execute(sa.select(journeys.c.id).where(*living).order_by(journeys.c.id)).scalars().all():
            self._wake_journey(journey_id, reopened_at=self.at, **_NO_PROOF)

    def close_journey(self, journey_id: str) -> None:
        living = self._journey(journey_id).where(journeys.c.expires_at > self.at)
        self.set_one(living.values(expires_at=self.at, next_look_at=None), "close_journey")

    def reopen_journey(self, journey_id: str, *, expires_at: datetime) -> None:
        over = self._journey(journey_id).where(journeys.c.expires_at <= self.at)
        anew = {"still_blocked_at": None, "still_blocked_count": 0, "owner_problem": None}
        self.set_one(over.values(expires_at=expires_at, reopened_at=self.at, **_NO_PROOF, **anew), "reopen_journey")
        self._wake_journey(journey_id)

    def mark_device(self, device_id: str, mark: Mark, *, oid: str) -> None:
        known = sa.select(directory_devices.c.device_id).where(self.mine(directory_devices, device_id=device_id))
        if self.connection.execute(known).one_or_none() is None:
            self.refuse(Stale("mark_device: no such device"))
        never = dict.fromkeys(("disable_wanted_at", "disabled_at", "next_try_at", "reason"))
        row = {"tenant_id": self.tenant_id, "device_id": device_id, "oid": oid, "mark": mark, "at": self.at, "attempts": 0, **never}
        insert_or_update(self.connection, device_marks, row)

    def want_disabled(self, device_id: str) -> None:
        leftover = sa.update(device_marks).where(self.mine(device_marks, device_id=device_id, mark=Mark.LEFTOVER))
        wanted = {"disable_wanted_at": self.at, "next_try_at": self.at, "attempts": 0, "reason": None}
        self.set_one(leftover.where(device_marks.c.disabled_at.is_(None)).values(**wanted), "want_disabled")

    def make_start_link(
        self, *, code: str, oid: str, platform: Platform, way: str, device: ManagedKey | None, expires_at: datetime
    ) -> None:
        where = {"connection": device.connection, "record_id": device.record_id} if device is not None else {}
        due = {"next_try_at": None if way == "show" else self.at, "attempts": 0}
        row = {"id": str(uuid4()), "code": code, "oid": oid, "platform": platform, "way": way, "at": self.at, **where, **due}
        try:
            self.connection.execute(sa.insert(start_links).values(tenant_id=self.tenant_id, expires_at=expires_at, **row))
        except IntegrityError as error:
            self.refuse(Stale("the code is taken, or the person unknown"), error)

    def start_link_told(self, link_id: str) -> None:
        told = {"told_at": self.at, "next_try_at": None, "reason": None}
        self.set_one(sa.update(start_links).where(self.mine(start_links, id=link_id)).values(**told), "start_link_told")

    def entry_disabled(self, device_id: str) -> None:
        done = {"disabled_at": self.at, "next_try_at": None, "reason": None}
        self.set_one(sa.update(device_marks).where(self.mine(device_marks, device_id=device_id)).values(**done), "entry_disabled")
