"""What is kept of a set-up that is under way: what was typed, what the worker found, and who came in by a set-up link."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..domain.onboarding import Looked


@dataclass(frozen=True)
class Choice:
    """One setting as it was typed. A secret's `value` is sealed for the process `sealed_for`."""

    value: str
    sealed_for: str | None = None


class Choices(Protocol):
    def typed(self) -> Mapping[str, Choice]:
        """By name of the environment; what was taken back is not there."""

    def seq(self) -> int:
        """Counts up with every change of what is typed; 0 where nothing ever was."""

    def looks(self) -> Mapping[str, Looked]: ...

    def wanted(self) -> Sequence[Looked]:
        """Those that wait for the worker."""

    def set_up_link_lives(self, token_hash: str, *, at: datetime) -> bool: ...

    def set_up_session(self, session_hash: str, *, at: datetime) -> str | None:
        """Which set-up, in the words of the audit, if its session lives."""

    def devices(self) -> tuple[int, int]:
        """How many devices are linked or wait for better evidence, and how many managed ones are known at all."""
