"""The part of a change by which an administrator puts something in place of ours (`ports.AppearanceChanges`)."""

import sqlalchemy as sa

from .open_change import OpenChange
from .tables import appearance


class AppearanceChanges(OpenChange):
    def set_appearance(self, version_id: str, key: str, value: str | None, *, by: str) -> None:
        before = self.mine(appearance), appearance.c.key == key, appearance.c.current
        self.connection.execute(sa.update(appearance).where(*before).values(current=False))
        row = {"id": version_id, "key": key, "value": value, "made_at": self.at, "made_by": by, "current": True}
        self.connection.execute(sa.insert(appearance).values(tenant_id=self.tenant_id, **row))
