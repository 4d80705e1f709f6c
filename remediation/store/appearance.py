"""`SqlAppearance` implements `ports.AppearanceRows`."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from ..domain.appearance import Version
from .engine import reading
from .tables import appearance

MOST = 50  # of one key's versions that are shown


class SqlAppearance:
    def __init__(self, engine: sa.Engine, tenant_id: str) -> None:
        self._engine, self._tenant_id = engine, tenant_id

    def current(self) -> Mapping[str, str]:
        row = appearance.c
        # As the index says it, letter for letter: SQLite does not see that `current = 1` is the same.
        ours = row.tenant_id == self._tenant_id, sa.text("current"), row.value.is_not(None)
        with reading(self._engine) as connection:
            return {key: value for key, value in connection.execute(sa.select(row.key, row.value).where(*ours))}  # noqa: C416 (rows)

    def history(self, key: str) -> Sequence[Version]:
        row = appearance.c
        mine = self._versions.where(row.tenant_id == self._tenant_id, row.key == key)
        with reading(self._engine) as connection:
            return [Version(*found) for found in connection.execute(mine.order_by(row.made_at.desc()).limit(MOST))]

    def version(self, version_id: str) -> Version | None:
        row = appearance.c
        with reading(self._engine) as connection:
            found = connection.execute(self._versions.where(row.tenant_id == self._tenant_id, row.id == version_id)).one_or_none()
        return None if found is None else Version(*found)

    @property
    def _versions(self) -> sa.Select[Any]:
        row = appearance.c
        return sa.select(row.id, row.key, row.value, row.made_at, row.made_by)
