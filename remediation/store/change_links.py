"""The part of a change that is about device links and their compliance pushes. Next door: `change_journeys`.

Each step of a push compares the sequence before it sets; whoever carries an older one gets `Stale` and has changed nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ..domain.compliance import Decision, Verdict
from ..domain.device import DeviceLink, LinkState
from ..domain.push import FLIPS_WITHIN, Lane
from ..errors import Conflict
from .lanes import once_wanted
from .open_change import OpenChange, waking
from .tables import LIVING, UNIQUE_LINKS, device_links, journeys, notices, pushes
from .upsert import insert_or_update
from .wakeups import PUSH_LINK

# What belongs to one sequence only, and is forgotten with it.
_NOTHING_CARRIED: dict[str, Any] = {
    "message_id": None,
    "seen_before": None,
    "attempts": 0,
    "reason": None,
    "following": False,
    "tell_again_at": None,
}


class LinkChanges(OpenChange):
    def make_link(self, link: DeviceLink) -> None:
        values = {
            **{
                name: getattr(link, name)
                for name in ("id", "device_id", "object_id", "generation", "oid", "platform", "minimum", "state", "made_at")
            },
            "connection": link.managed.connection,
            "record_id": link.managed.record_id,
            **{f"evidence_{name}": getattr(link.evidence, name) for name in ("level", "at", "how")},
        }
        try:
            self.connection.execute(sa.insert(device_links).values(tenant_id=self.tenant_id, **values))
        except IntegrityError as error:
            if _violates_uniqueness(error):
                self.refuse(Conflict("one of the two devices has a living link already"), error)
            raise
        self._begin_push(link)
        if link.state is LinkState.ACTIVE:  # a pending one pushes nothing; its journey looks after it
            self.wake_link(link.id, lane=Lane.PERSON)

    def _begin_push(self, link: DeviceLink) -> None:
        """Times grow per directory device (I11): the new row goes on from the newest that an earlier link's message bore."""
        earlier = device_links.c.tenant_id == pushes.c.tenant_id, device_links.c.id == pushes.c.link_id
        last = self.connection.execute(
            sa.select(sa.func.max(pushes.c.last_update_time))
            .join(device_links, sa.and_(*earlier))
            .where(self.mine(device_links, device_id=link.device_id))
        ).scalar_one()
        row = {"link_id": link.id, "lane": Lane.PERSON, "last_update_time": last}
        self.connection.execute(sa.insert(pushes).values(tenant_id=self.tenant_id, **row))

    def tell_owner(self, link_id: str, *, ways: Sequence[str]) -> None:
        for way in ways:
            row = {"link_id": link_id, "way": way, "at": self.at, "next_try_at": self.at, "attempts": 0}
            self.connection.execute(sa.insert(notices).values(tenant_id=self.tenant_id, **row))

    def tell_open(self, link_id: str, *, ways: Sequence[str]) -> None:
        """Where the wish is taken back and told about as one, two passes cannot tell twice."""
        link = self.mine(device_links, id=link_id)
        theirs = (
            journeys.c.oid == sa.select(device_links.c.oid).where(link).scalar_subquery(),
            journeys.c.platform == sa.select(device_links.c.platform).where(link).scalar_subquery(),
        )
        wish = self.mine(journeys), *theirs, journeys.c.tell_open_at.is_not(None), journeys.c.expires_at > self.at
        if not self.connection.execute(sa.update(journeys).where(*wish).values(tell_open_at=None)).rowcount:
            return
        for way in ways:
            again = {"at": self.at, "next_try_at": self.at, "told_at": None, "attempts": 0, "reason": None}
            row = {"tenant_id": self.tenant_id, "link_id": link_id, "way": way, **again}
            insert_or_update(self.connection, notices, row)

    def end_link(self, link_id: str, why: str) -> None:
        """A pending link pushed nothing, so its end revokes nothing: its directory device may be another link's by now."""
        row = self.mine(device_links, id=link_id)
        was = self.connection.execute(sa.select(device_links.c.state).where(row).with_for_update()).scalar_one_or_none()
        self.set_one(
            sa.update(device_links)
            .where(row, device_links.c.state.in_(LIVING))
            .values(state=LinkState.ENDED, ended_at=self.at, ended_why=why),
            "end_link",
        )
        if was is LinkState.PENDING:
            self.set_one(self._push(link_id).values(next_look_at=None), "end_link")
            return
        told = {"desired": Verdict.NOT_COMPLIANT, "desired_at": self.at, "reasons": [why], "compliant_until": None}
        self.set_one(self._push(link_id).values(desired_seq=pushes.c.desired_seq + 1, **told, **_NOTHING_CARRIED), "end_link")
        self.wake_link(link_id, lane=Lane.REVOKE)

    def desire(
        self, link_id: str, *, seq: int, decision: Decision, posture_read_at: datetime, lane: Lane, again: str | None = None
    ) -> None:
        """Refused where a newer posture was judged already (I3), and for *compliant* unless the link is active (I12)."""
        told = {"desired": decision.verdict, "desired_at": self.at, "reasons": list(decision.reasons), "lane": lane}
        fresh = {"posture_read_at": posture_read_at, "compliant_until": decision.until}
        newer = sa.or_(pushes.c.posture_read_at.is_(None), pushes.c.posture_read_at <= posture_read_at)
        statement = self._push(link_id, desired_seq=seq).where(newer)
        if decision.verdict is Verdict.COMPLIANT:
            statement = statement.where(sa.exists().where(self.mine(device_links, id=link_id, state=LinkState.ACTIVE)))
        counted = self._counted(again)
        self.set_one(statement.values(desired_seq=seq + 1, **told, **fresh, **counted, **_NOTHING_CARRIED), "desire")

    def _counted(self, again: str | None) -> dict[str, Any]:
        if again == "not_applied":
            return {"not_applied": pushes.c.not_applied + 1}
        if again == "flipped":
            lately = pushes.c.flipped_at > sa.literal(self.at - FLIPS_WITHIN, pushes.c.flipped_at.type)
            return {"flips": sa.case((lately, pushes.c.flips + 1), else_=1), "flipped_at": self.at}
        return {}

    def about_to_send(self, link_id: str, *, seq: int, message_id: str, update_time: datetime, seen_before: bool | None) -> None:
        """The time grows with every message (I11); the same message again keeps its own, or one id would name two contents: whoever
        prepared it meanwhile with another time goes on with it."""
        last, same = pushes.c.last_update_time, pushes.c.message_id == message_id
        other = sa.or_(pushes.c.message_id.is_(None), ~same)
        grows = sa.or_(sa.and_(other, sa.or_(last.is_(None), last < update_time)), sa.and_(same, last == update_time))
        values = {"message_id": message_id, "last_update_time": update_time, "seen_before": seen_before}
        self.set_one(self._push(link_id, desired_seq=seq).where(grows).values(**values), "about_to_send")

    def sent(self, link_id: str, *, seq: int) -> None:
        self.set_one(self._push(link_id, desired_seq=seq).values(sent_seq=seq, sent_at=self.at), "sent")

    def accepted(self, link_id: str, *, seq: int) -> None:
        self.set_one(self._push(link_id, desired_seq=seq).values(accepted_seq=seq, accepted_at=self.at), "accepted")

    def confirmed(self, link_id: str, *, seq: int, by: str, shows_other: bool = False) -> None:
        observed = pushes.c.desired != Verdict.COMPLIANT if shows_other else pushes.c.desired == Verdict.COMPLIANT
        seen = {"observed": observed, "observed_at": self.at}
        done = {"confirmed_seq": seq, "confirmed_at": self.at, "confirmed_by": by}
        self.set_one(self._push(link_id, desired_seq=seq).values(**done, **seen), "confirmed")

    def noted(self, link_id: str) -> None:
        self.set_one(self._push(link_id).values(noted_at=self.at), "noted")

    def wake_link(self, link_id: str, *, lane: Lane) -> None:
        wake_up = self._push(link_id).values(lane=once_wanted(lane), following=False, **waking(pushes, self.at))
        self.wake(PUSH_LINK, link_id, wake_up.returning(pushes.c.wake, pushes.c.lane))

    def _push(self, link_id: str, **keys: Any) -> sa.Update:
        return sa.update(pushes).where(self.mine(pushes, link_id=link_id, **keys))


def _violates_uniqueness(error: IntegrityError) -> bool:
    """PostgreSQL names the constraint; SQLite lists its columns instead."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        return diagnosis.constraint_name in {index.name for index in UNIQUE_LINKS}
    lists = {", ".join(f"{device_links.name}.{c.name}" for c in index.columns) for index in UNIQUE_LINKS}
    return any(str(error.orig).endswith(f"UNIQUE constraint failed: {columns}") for columns in lists)
