"""Secrets that stand in files, read anew when their file changes: whoever rotates one writes the file, and nothing is restarted.

Write a new file and rename it into place, as secret stores do: then nobody ever reads half of one. A file that is away, blank or
unfit for a moment changes nothing, and the log says so once.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

_learned: list[str] = []


def learned() -> Sequence[str]:
    """Every value that was read since the start, for the log's net: they must never show either."""
    return _learned


class SecretFile:
    """Called, it gives the secret as it is now. `check` refuses with ValueError, and then the one before stays. `within` are the
    secrets in it, where the file holds several."""

    def __init__(
        self,
        path: Path,
        value: str,
        check: Callable[[str], object],
        within: Callable[[str], Sequence[str]] = lambda value: (value,),
    ) -> None:
        self._path, self._value, self._check, self._within = path, value, check, within
        self._stamp = self._look()
        self._lock = threading.Lock()

    def __call__(self) -> str:
        with self._lock:
            stamp = self._look()
            if stamp != self._stamp:
                self._stamp = stamp
                self._read()
            return self._value

    def _look(self) -> tuple[int, int, int] | None:
        """A file renamed into place has another number, whatever its time says."""
        try:
            seen = self._path.stat()
        except OSError:
            return None
        return seen.st_mtime_ns, seen.st_size, seen.st_ino

    def _read(self) -> None:
        try:
            value = text_of(self._path)
            self._check(value)
        except (
            OSError,
            ValueError,
        ) as error:  # a UnicodeDecodeError is a ValueError; its text may hold the secret, so its kind is told
            log.warning("a changed secret file cannot be used; the value before it stays", file=str(self._path), why=_why(error))
            return
        if value != self._value:
            _learned.extend(self._within(value))
            self._value = value
            log.info("a changed secret file is used from here on", file=str(self._path))


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8").rstrip("\r\n")


def not_blank(value: str) -> None:
    if not value.strip():
        raise ValueError("must not be blank")


def _why(error: Exception) -> str:
    return type(error).__name__ if isinstance(error, OSError | UnicodeError) else str(error)
