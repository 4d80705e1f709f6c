"""`Store.change`: the one write transaction. Rows, wake-ups and exactly one audit row are committed together or not at all.

A change is not tried again here: its body is the caller's code, which ran already. Work that a lost connection or a deadlock cut
short stands in its row, and the next wake-up or the person's next tap does it again.
Next door: `change_journeys`, `change_certificates`, `change_impact`, `change_message_tests`, `change_links`, `change_repairs`,
`change_operating`, `change_onboarding`, `change_set_up`, `change_work`, `change_incidents`, `change_access`,
`change_appearance`, `partner` and `second_lock` are what can be done inside.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ..domain.device import Person
from ..ports import Actor, Wakeups
from . import terms
from .change_access import AccessChanges
from .change_appearance import AppearanceChanges
from .change_certificates import CertificateChanges
from .change_impact import ImpactChanges
from .change_incidents import IncidentChanges
from .change_message_tests import MessageTestChanges
from .change_onboarding import OnboardingChanges
from .change_operating import OperatingChanges
from .change_repairs import RepairChanges
from .change_set_up import SetUpChanges
from .change_work import WorkChanges
from .engine import writing
from .partner import PartnerChanges
from .second_lock import LockChanges
from .sessions import alive
from .tables import audit, people, sessions
from .upsert import upsert

_SECRETS = ("token", "secret", "password", "cookie", "verifier", "assertion", "authorization", "nonce")


class OneChange(
    AccessChanges,
    AppearanceChanges,
    CertificateChanges,
    ImpactChanges,
    LockChanges,
    RepairChanges,
    MessageTestChanges,
    OnboardingChanges,
    OperatingChanges,
    PartnerChanges,
    SetUpChanges,
    IncidentChanges,
    WorkChanges,
):
    """Implements `ports.Change`."""

    def audit(self, **detail: Any) -> None:
        for name in detail:
            if any(word in name.lower() for word in _SECRETS):
                raise ValueError(f"audit rows hold no secrets: {name}")
        self.detail.update(detail)

    def save_person(self, person: Person) -> None:
        """What a sign-in says; it never knows the mail address, so one that the directory gave stays."""
        same = people.c.tenant_id == self.tenant_id, people.c.oid == person.oid
        known = self.connection.execute(sa.select(people).where(*same).with_for_update()).mappings().one_or_none()
        if known is not None and known["read_at"] > self.at:
            return
        mail = person.mail if known is None else person.mail or known["mail"]
        values = {"tenant_id": self.tenant_id, "oid": person.oid, "name": person.name, "user_name": person.user_name, "mail": mail}
        upsert(self.connection, people, {**values, "read_at": self.at})
        terms.keep(self.connection, people, known, values)

    def end_sessions(self, oid: str, *, but_browser: str | None = None) -> int:
        theirs = self.mine(sessions, oid=oid)
        if but_browser is not None:
            theirs = sa.and_(theirs, sessions.c.browser != but_browser)
        ended = self.connection.execute(sa.delete(sessions).where(theirs).returning(alive(self.at))).scalars()
        return sum(ended)


@contextmanager
def change(
    engine: sa.Engine, tenant_id: str, wakeups: Wakeups, actor: Actor, why: str, *, about: tuple[str, str], at: datetime
) -> Iterator[OneChange]:
    with writing(engine) as connection:
        inside = OneChange(connection, tenant_id, wakeups, at)
        yield inside
        if inside.broken is not None:
            raise inside.broken
        who = {"actor_kind": actor.kind, "actor_id": actor.id, "about_kind": about[0], "about_id": about[1]}
        connection.execute(sa.insert(audit).values(tenant_id=tenant_id, at=at, why=why, detail=inside.detail, **who))
