"""The part of a change that is about journeys: starting, wishes, and the proof of possession. Next door: `change_links`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ..domain.device import ManagedKey, Platform
from ..domain.push import Lane
from ..domain.sign_in_proof import Record, SignIn
from ..errors import PossessionRefused, Stale
from ..ports import Revoked
from .open_change import SAFETY_NET, OpenChange, waking
from .tables import cases, journeys, managed_devices, possession_links, pushes, sign_ins
from .wakeups import LOOK_JOURNEY


class JourneyChanges(OpenChange):
    def start_journey(
        self, *, journey_id: str, case_code: str, oid: str, platform: Platform, browser: str, entrance: str, expires_at: datetime
    ) -> None:
        values = {"id": journey_id, "case_code": case_code, "oid": oid, "platform": platform, "browser": browser}
        times = {"entrance": entrance, "started_at": self.at, "expires_at": expires_at}
        try:
            self.connection.execute(sa.insert(journeys).values(tenant_id=self.tenant_id, **values, **times))
        except IntegrityError as error:
            self.refuse(Stale("the journey id or case code is taken, or the person unknown"), error)

    def bind_journey(self, journey_id: str, browser: str) -> None:
        self.set_one(self._journey(journey_id).values(browser=browser), "bind_journey")

    def want_look(self, journey_id: str, *, refresh: bool = False) -> None:
        more = {"refresh_wanted_at": self.at} if refresh else {}
        self._wake_journey(journey_id, **more)

    def registered_in_app(self, journey_id: str) -> None:
        self.set_one(self._journey(journey_id).values(in_app_at=self.at), "registered_in_app")

    def tried(self, journey_id: str, tries: Sequence[str]) -> None:
        self.set_one(self._journey(journey_id).values(tries=list(tries), tried_at=self.at), "tried")

    def want_told(self, journey_id: str) -> None:
        self.set_one(self._journey(journey_id).values(tell_open_at=self.at), "want_told")

    def want_possession(self, journey_id: str, key: ManagedKey) -> None:
        forgotten = dict.fromkeys(("sent_at", "expires_at", "error", "proven_at", "proven_generation", "sending_until"))
        asked = {"connection": key.connection, "record_id": key.record_id, "wanted_at": self.at}
        self._wake_journey(journey_id, **{f"possession_{name}": value for name, value in {**forgotten, **asked}.items()})

    def mint_possession_link(self, journey_id: str, *, token_hash: str, expires_at: datetime) -> str:
        self._claim_sending(journey_id)
        device = managed_devices.c
        asked = self.connection.execute(
            sa.select(device.connection, device.record_id, device.generation)
            .join(
                journeys,
                sa.and_(
                    journeys.c.tenant_id == device.tenant_id,
                    journeys.c.possession_connection == device.connection,
                    journeys.c.possession_record_id == device.record_id,
                ),
            )
            .where(self.mine(journeys, id=journey_id))
        ).one_or_none()
        if asked is None:
            self.refuse(Stale("nobody asked for a proof of possession in this journey"))
        link_id = str(uuid4())
        values = {"id": link_id, "journey_id": journey_id, "token_hash": token_hash, **asked._mapping}
        self.connection.execute(
            sa.insert(possession_links).values(tenant_id=self.tenant_id, minted_at=self.at, expires_at=expires_at, **values)
        )
        return link_id

    def _claim_sending(self, journey_id: str) -> None:
        """In the UPDATE's own conditions: two passes at once would else send two messages for one wish. One that vanished meanwhile
        keeps the others out for as long as a woken row waits for its worker."""
        wish = journeys.c
        unsent = sa.or_(wish.possession_sent_at.is_(None), wish.possession_sent_at < wish.possession_wanted_at)
        free = sa.or_(wish.possession_sending_until.is_(None), wish.possession_sending_until <= self.at)
        open_wish = wish.possession_wanted_at.is_not(None), wish.possession_proven_at.is_(None), unsent, free
        claimed = self._journey(journey_id).where(*open_wish).values(possession_sending_until=self.at + SAFETY_NET)
        self.set_one(claimed, "mint_possession_link")

    def possession_link_sent(self, link_id: str) -> None:
        self.set_one(
            sa.update(possession_links).where(self.mine(possession_links, id=link_id)).values(sent_at=self.at),
            "possession_link_sent",
        )
        link = self.connection.execute(sa.select(possession_links).where(self.mine(possession_links, id=link_id))).one()
        # Never before it was wanted: with the web's clock ahead of the worker's each look would send another message.
        wanted = journeys.c.possession_wanted_at
        sent_at = sa.case((wanted > self.at, wanted), else_=sa.literal(self.at, wanted.type))
        # No compare-and-set: where the person asked about another device meanwhile, or tapped already, this message is old news.
        self.connection.execute(
            self._journey(link.journey_id, possession_connection=link.connection, possession_record_id=link.record_id)
            .where(journeys.c.possession_proven_at.is_(None))
            .values(possession_sent_at=sent_at, possession_expires_at=link.expires_at, possession_error=None)
            .values(possession_sending_until=None)
        )

    def possession_failed(self, journey_id: str, error: str) -> None:
        asked = journeys.c.possession_wanted_at.is_not(None)
        failed = self._journey(journey_id).where(asked).values(possession_error=error, possession_sending_until=None)
        self.set_one(failed, "possession_failed")

    def possession_put_off(self, journey_id: str) -> None:
        self.set_one(self._journey(journey_id).values(possession_sending_until=None), "possession_put_off")

    def prove_possession(self, token_hash: str, *, oid: str, browser: str) -> str:
        """The refusals are in the UPDATE's own conditions, so that of many at once one wins; they are told apart afterwards."""
        its_journey = self.mine(journeys, id=possession_links.c.journey_id, oid=oid, browser=browser)
        link = self.connection.execute(
            sa.update(possession_links)
            .where(
                self.mine(possession_links, token_hash=token_hash),
                possession_links.c.used_at.is_(None),
                possession_links.c.revoked_at.is_(None),
                possession_links.c.expires_at > self.at,
                sa.exists().where(its_journey, journeys.c.expires_at > self.at),
            )
            .values(used_at=self.at)
            .returning(*possession_links.c)
        ).one_or_none()
        if link is None:
            self.refuse(PossessionRefused(self._why_refused(token_hash, oid, browser)))
        journey_id: str = link.journey_id
        self._wake_journey(
            journey_id,
            possession_connection=link.connection,
            possession_record_id=link.record_id,
            possession_wanted_at=sa.func.coalesce(journeys.c.possession_wanted_at, link.minted_at),
            possession_sent_at=link.sent_at or link.minted_at,  # killed between sending and saying so: it was sent, as we see
            possession_expires_at=link.expires_at,
            possession_error=None,
            possession_proven_at=self.at,
            possession_proven_generation=link.generation,  # the enrollment that the message went to: a wipe since then voids it
        )
        return journey_id

    def revoke_possession(self, token_hash: str, *, oid: str) -> Revoked:
        link = self._link_with_journey(token_hash)
        if link is None or link.oid != oid:
            self.refuse(PossessionRefused("unknown" if link is None else "other_person"))
        revoked = self.connection.execute(
            sa.update(possession_links)
            .where(self.mine(possession_links, journey_id=link.journey_id))
            .where(possession_links.c.used_at.is_(None), possession_links.c.revoked_at.is_(None))
            .values(revoked_at=self.at)
        )
        unproven = journeys.c.possession_proven_at.is_(None)
        self.connection.execute(self._journey(link.journey_id).where(unproven).values(possession_error="revoked"))
        return Revoked(link.journey_id, link.case_code, revoked.rowcount)

    def signed_in_again(self, journey_id: str, sign_in: SignIn, *, oid: str, browser: str) -> None:
        pair, names = sign_in.pair, ("id", "app_id", "correlation_id", "began_at", "returned_at", "claimed", "error", "record")
        values = {**{name: getattr(sign_in, name) for name in names}, "device_id": pair.device_id, "object_id": pair.object_id}
        values |= {"connection": pair.managed.connection, "record_id": pair.managed.record_id, "generation": pair.generation}
        living = self.mine(journeys, id=journey_id, oid=oid, browser=browser), journeys.c.expires_at > self.at
        if self.connection.execute(sa.select(journeys.c.id).where(*living)).one_or_none() is None:
            self.refuse(Stale("signed_in_again: not this person's journey in this browser"))
        self.connection.execute(sa.insert(sign_ins).values(tenant_id=self.tenant_id, journey_id=journey_id, **values))
        self._wake_journey(journey_id)

    def sign_in_recorded(self, sign_in: SignIn) -> None:
        waiting = self.mine(sign_ins, id=sign_in.id, record=Record.WAITING)
        found = {"record": sign_in.record, "recorded": sign_in.recorded, "record_looks": sign_in.record_looks}
        self.set_one(sa.update(sign_ins).where(waiting).values(**found), "sign_in_recorded")

    def still_blocked(self, journey_id: str) -> None:
        count = journeys.c.still_blocked_count + 1
        self.set_one(self._journey(journey_id).values(still_blocked_at=self.at, still_blocked_count=count), "still_blocked")

    def pick(self, journey_id: str, device_id: str) -> None:
        self.set_one(self._journey(journey_id).values(picked=device_id), "pick")

    def open_case(self, *, case_code: str, browser: str, platform: Platform, entrance: str) -> None:
        values = {"case_code": case_code, "browser": browser, "platform": platform, "entrance": entrance, "opened_at": self.at}
        try:
            self.connection.execute(sa.insert(cases).values(tenant_id=self.tenant_id, **values))
        except IntegrityError as error:
            self.refuse(Stale("the case code is taken"), error)

    def need_help(self, journey_id: str, why: str) -> None:
        self.set_one(self._journey(journey_id).values(help_why=why), "need_help")

    def _journey(self, journey_id: str, **keys: Any) -> sa.Update:
        return sa.update(journeys).where(self.mine(journeys, id=journey_id, **keys))

    def _wake_journey(self, journey_id: str, **values: Any) -> None:
        """A look that somebody wants: it also decides anew whether only a person can help."""
        marks = {"wanted_at": self.at, "attempts": 0, "help_why": None, **waking(journeys, self.at), **values}
        lane = sa.literal(Lane.PERSON, pushes.c.lane.type)
        self.wake(LOOK_JOURNEY, journey_id, self._journey(journey_id).values(**marks).returning(journeys.c.wake, lane))

    def _link_with_journey(self, token_hash: str) -> sa.Row[Any] | None:
        same = sa.and_(journeys.c.tenant_id == possession_links.c.tenant_id, journeys.c.id == possession_links.c.journey_id)
        return self.connection.execute(
            sa.select(possession_links, journeys.c.oid, journeys.c.browser, journeys.c.case_code)
            .join(journeys, same)
            .where(self.mine(possession_links, token_hash=token_hash))
        ).one_or_none()

    def _why_refused(self, token_hash: str, oid: str, browser: str) -> str:
        link = self._link_with_journey(token_hash)
        if link is None:
            return "unknown"
        if link.oid != oid:
            return "other_person"
        if link.revoked_at is not None:
            return "revoked"
        if link.used_at is not None:
            return "used"
        return "other_journey" if link.browser != browser else "too_late"
