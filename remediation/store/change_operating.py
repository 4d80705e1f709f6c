"""The part of a change that whoever runs the product makes at the command line. Next door: `change_links`."""

import sqlalchemy as sa

from .open_change import OpenChange
from .tables import watches


class OperatingChanges(OpenChange):
    def watch_soon(self, name: str) -> None:
        self.set_one(sa.update(watches).where(self.mine(watches, name=name)).values(next_look_at=self.at), "watch_soon")
