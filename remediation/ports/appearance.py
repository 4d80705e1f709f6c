"""What an administrator put in place of ours, in the database. Next door: `services/appearance.py`."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from ..domain.appearance import Version


class AppearanceRows(Protocol):
    def current(self) -> Mapping[str, str]:
        """What stands in place of ours, by key."""

    def history(self, key: str) -> Sequence[Version]:
        """All that it ever was, the newest first."""

    def version(self, version_id: str) -> Version | None: ...


class AppearanceChanges(Protocol):
    """Part of `Change`."""

    def set_appearance(self, version_id: str, key: str, value: str | None, *, by: str) -> None:
        """In place of what stood there; None brings back ours."""
