"""The part of a change that is about certificates of devices: the address for one, what was shown there, and the way back.

Each condition stands in the UPDATE itself, so that of many at once one wins; they are told apart afterwards. Next door:
`change_journeys`.
"""

from datetime import datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from ..domain.sign_in_proof import Pair
from ..errors import CertificateRefused, Stale
from .change_journeys import JourneyChanges
from .tables import journeys, shown_certificates


class CertificateChanges(JourneyChanges):
    def ask_for_certificate(
        self, journey_id: str, pair: Pair, *, handle_hash: str, oid: str, browser: str, expires_at: datetime
    ) -> None:
        living = self.mine(journeys, id=journey_id, oid=oid, browser=browser), journeys.c.expires_at > self.at
        if self.connection.execute(sa.select(journeys.c.id).where(*living)).one_or_none() is None:
            self.refuse(Stale("ask_for_certificate: not this person's journey in this browser"))
        values = {"connection": pair.managed.connection, "record_id": pair.managed.record_id, "generation": pair.generation}
        values |= {"id": str(uuid4()), "journey_id": journey_id, "handle_hash": handle_hash}
        self.connection.execute(
            sa.insert(shown_certificates).values(tenant_id=self.tenant_id, asked_at=self.at, expires_at=expires_at, **values)
        )

    def certificate_shown(self, handle_hash: str, *, pem: str, fingerprint: str, back_hash: str) -> None:
        shown = shown_certificates.c
        its_journey = self.mine(journeys, id=shown.journey_id)
        values = {"shown_at": self.at, "pem": pem, "fingerprint": fingerprint, "back_hash": back_hash}
        done = self.connection.execute(
            sa.update(shown_certificates)
            .where(self.mine(shown_certificates, handle_hash=handle_hash), shown.shown_at.is_(None), shown.expires_at > self.at)
            .where(sa.exists().where(its_journey, journeys.c.expires_at > self.at))
            .values(**values)
            .returning(shown.id)
        ).one_or_none()
        if done is None:
            found = self._shown(handle_hash=handle_hash)
            self.refuse(CertificateRefused("unknown" if found is None else "used" if found.shown_at else "too_late"))

    def came_back_with_certificate(self, back_hash: str, *, oid: str, browser: str) -> str:
        shown = shown_certificates.c
        its_journey = self.mine(journeys, id=shown.journey_id, oid=oid, browser=browser)
        back = self.connection.execute(
            sa.update(shown_certificates)
            .where(self.mine(shown_certificates, back_hash=back_hash), shown.returned_at.is_(None), shown.expires_at > self.at)
            .where(sa.exists().where(its_journey, journeys.c.expires_at > self.at))
            .values(returned_at=self.at)
            .returning(shown.journey_id)
        ).one_or_none()
        if back is None:
            self.refuse(CertificateRefused(self._why_not_back(back_hash)))
        journey_id: str = back.journey_id
        self.want_look(journey_id)
        return journey_id

    def _why_not_back(self, back_hash: str) -> str:
        found = self._shown(back_hash=back_hash)
        if found is None:
            return "unknown"
        if found.returned_at is not None:
            return "used"
        return "too_late" if found.expires_at <= self.at else "other_journey"

    def _shown(self, **keys: Any) -> sa.Row[Any] | None:
        return self.connection.execute(sa.select(shown_certificates).where(self.mine(shown_certificates, **keys))).one_or_none()
