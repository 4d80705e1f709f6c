"""The part of a change that is about the set-up: what is typed, what is found of it, set-up links. Next door: `onboarding`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ..domain.onboarding import Looked
from ..errors import SetUpRefused
from ..ports.onboarding import Choice
from .onboarding import newest
from .open_change import OpenChange
from .tables import DEPLOYMENT, choices, set_up_links, set_up_looks
from .upsert import insert_or_update

_ONE_AT_A_TIME = 4_815_162_342  # PostgreSQL's advisory lock; on SQLite the write transaction itself is the lock


class OnboardingChanges(OpenChange):
    def choose(self, chosen: Mapping[str, Choice | None], *, seen: int | None = None) -> Mapping[str, Choice | None]:
        """Returns what stood there before. `seen` is the count that whoever decided saw: another one is refused as *changed*."""
        if self.connection.dialect.name == "postgresql":
            self.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))
        seq = newest(self.connection)
        if seen is not None and seen != seq:
            self.refuse(SetUpRefused("changed"))
        mine = choices.c.tenant_id == DEPLOYMENT, choices.c.name.in_(list(chosen)), choices.c.value.is_not(None)
        rows = self.connection.execute(sa.select(choices).where(*mine)).all()
        before = {row.name: Choice(row.value, row.sealed_for) for row in rows}
        for name, choice in chosen.items():
            value, sealed_for = (choice.value, choice.sealed_for) if choice is not None else (None, None)
            row = {"name": name, "value": value, "sealed_for": sealed_for, "seq": seq + 1, "changed_at": self.at}
            insert_or_update(self.connection, choices, {"tenant_id": DEPLOYMENT, **row})
        return {name: before.get(name) for name in chosen}

    def want_look_at(self, name: str) -> None:
        row = {"tenant_id": DEPLOYMENT, "name": name, "wanted_at": self.at, "detail": {}}
        changed = sa.update(set_up_looks).where(*self._look(name)).values(wanted_at=self.at)
        if self.connection.execute(changed).rowcount == 0:
            insert_or_update(self.connection, set_up_looks, row)

    def looked_at(self, looked: Looked) -> None:
        """As it is now. What somebody asked for meanwhile is not answered by this one, and stays."""
        values: dict[str, Any] = {name: getattr(looked, name) for name in Looked.__dataclass_fields__ if name != "wanted_at"}
        values["detail"] = dict(looked.detail)
        if self.connection.execute(sa.update(set_up_looks).where(*self._look(looked.name)).values(values)).rowcount == 0:
            insert_or_update(self.connection, set_up_looks, {"tenant_id": DEPLOYMENT, "wanted_at": looked.wanted_at, **values})

    def make_set_up_link(self, token_hash: str, *, made_by: str, expires_at: datetime) -> None:
        """Those that were made before open nothing any more; whoever came in by one stays in."""
        link = set_up_links.c
        open_ones = link.tenant_id == DEPLOYMENT, link.used_at.is_(None)
        self.connection.execute(sa.delete(set_up_links).where(*open_ones))
        row = {"token_hash": token_hash, "made_at": self.at, "made_by": made_by, "expires_at": expires_at}
        self.connection.execute(sa.insert(set_up_links).values(tenant_id=DEPLOYMENT, **row))

    def use_set_up_link(self, token_hash: str, *, session_hash: str, until: datetime) -> None:
        """The refusals are in the UPDATE's own conditions, so that of many presses at once one counts."""
        link = set_up_links.c
        lives = link.tenant_id == DEPLOYMENT, link.token_hash == token_hash, link.used_at.is_(None), link.expires_at > self.at
        used = sa.update(set_up_links).where(*lives).values(used_at=self.at, session_hash=session_hash, session_until=until)
        if self.connection.execute(used).rowcount != 1:
            self.refuse(SetUpRefused("link"))

    def end_set_up_sessions(self) -> int:
        link = set_up_links.c
        living = link.tenant_id == DEPLOYMENT, link.session_until > self.at
        return self.connection.execute(sa.update(set_up_links).where(*living).values(session_until=self.at)).rowcount

    def _look(self, name: str) -> tuple[sa.ColumnElement[bool], ...]:
        return set_up_looks.c.tenant_id == DEPLOYMENT, set_up_looks.c.name == name
