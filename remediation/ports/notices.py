"""What the owner of a device is told in another way than the page: on the managed device, and by mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..domain.device import ManagedKey

OPEN = "open_"
"""Begins the ways in which is told that the device is open; the others tell that a link took another one's place."""


@dataclass(frozen=True)
class Notice:
    """`way` is `device` or `mail`, or one of these behind `OPEN`; `link_id` is the link that is open or took another one's place,
    and `mail` where its owner gets mail."""

    link_id: str
    way: str
    managed: ManagedKey
    mail: str | None
    at: datetime
    attempts: int

    @property
    def what(self) -> str:
        return "open" if self.way.startswith(OPEN) else "replaced"

    @property
    def by(self) -> str:
        return self.way.removeprefix(OPEN)


class Notices(Protocol):
    def claim(self, now: datetime) -> Sequence[Notice]:
        """What is due; each for one caller only, and again after minutes should that one vanish."""

    def told(self, notice: Notice, *, at: datetime) -> None: ...

    def not_told(self, notice: Notice, *, reason: str, next_try_at: datetime | None) -> None:
        """None: it is not tried again."""


class OwnerMail(Protocol):
    def send(self, to: str, subject: str, text: str, *, identity: str, at: datetime) -> None:
        """Raises the errors of a remote where it could not. The same `identity` is the same mail."""
