"""`SqlChoices` implements `ports.Choices`: reads of what was typed, of what the worker found, and of set-up links.

Next door: `change_onboarding` (the writes).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from ..domain.onboarding import Looked
from ..ports.onboarding import Choice
from .engine import reading
from .tables import DEPLOYMENT, LIVING, choices, device_links, managed_devices, set_up_links, set_up_looks

_LOOK = [set_up_looks.c[name] for name in Looked.__dataclass_fields__]


class SqlChoices:
    """`tenant_id`: whose devices are counted; what is typed belongs to the deployment."""

    def __init__(self, engine: sa.Engine, tenant_id: str = DEPLOYMENT) -> None:
        self._engine, self._tenant_id = engine, tenant_id

    def typed(self) -> Mapping[str, Choice]:
        mine = choices.c.tenant_id == DEPLOYMENT, choices.c.value.is_not(None)
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(choices.c.name, choices.c.value, choices.c.sealed_for).where(*mine)).all()
        return {row.name: Choice(row.value, row.sealed_for) for row in rows}

    def seq(self) -> int:
        with reading(self._engine) as connection:
            return newest(connection)

    def looks(self) -> Mapping[str, Looked]:
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(*_LOOK).where(set_up_looks.c.tenant_id == DEPLOYMENT)).mappings().all()
        return {row["name"]: Looked(**row) for row in rows}

    def wanted(self) -> Sequence[Looked]:
        return [look for look in self.looks().values() if look.waiting]

    def set_up_link_lives(self, token_hash: str, *, at: datetime) -> bool:
        link = set_up_links.c
        lives = link.tenant_id == DEPLOYMENT, link.token_hash == token_hash, link.used_at.is_(None), link.expires_at > at
        with reading(self._engine) as connection:
            return connection.execute(sa.select(link.token_hash).where(*lives)).one_or_none() is not None

    def set_up_session(self, session_hash: str, *, at: datetime) -> str | None:
        link = set_up_links.c
        lives = link.tenant_id == DEPLOYMENT, link.session_hash == session_hash, link.session_until > at
        with reading(self._engine) as connection:
            row = connection.execute(sa.select(link.made_by, link.token_hash).where(*lives)).one_or_none()
        return None if row is None else f"{row.token_hash[:8]} of {row.made_by}"

    def devices(self) -> tuple[int, int]:
        mine = device_links.c.tenant_id == self._tenant_id, device_links.c.state.in_(LIVING)
        linked = sa.select(sa.func.count()).select_from(device_links).where(*mine)
        known = sa.select(sa.func.count()).select_from(managed_devices).where(managed_devices.c.tenant_id == self._tenant_id)
        with reading(self._engine) as connection:
            return connection.execute(linked).scalar_one(), connection.execute(known).scalar_one()


def newest(connection: sa.Connection) -> int:
    counted = sa.select(sa.func.max(choices.c.seq)).where(choices.c.tenant_id == DEPLOYMENT)
    return connection.execute(counted).scalar_one() or 0
