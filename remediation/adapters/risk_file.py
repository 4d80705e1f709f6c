"""Risk scores from a file that some other system writes: `serial or UDID,score` in each line, under a heading that ends in
`score` or under none. Read anew when it changes.

Write a new file and rename it into place. One that cannot be read, or of which a line cannot, changes nothing, and the log says so.
"""

import csv
import threading
from collections.abc import Mapping
from pathlib import Path

import structlog

from ..domain.device import ManagedDevice
from ..domain.identifiers import identifier

log = structlog.get_logger(__name__)


class RiskFile:
    """`unlisted` is the score of a device that the file does not name; None where nobody knows it."""

    def __init__(self, path: Path, *, unlisted: float | None) -> None:
        self._path, self._unlisted = path, unlisted
        self._stamp: tuple[int, int, int] | None = (0, 0, 0)  # of no file, so that one which is missing is said too
        self._scores: Mapping[str, float] | None = None
        self._lock = threading.Lock()

    def score_of(self, device: ManagedDevice) -> float | None:
        """The higher one where serial and UDID are listed with two; None before the file could be read once."""
        scores = self._now()
        if scores is None:
            return None
        names = (_name(text) for text in (device.serial, device.udid))
        found = [scores[name] for name in names if name is not None and name in scores]
        return max(found, default=self._unlisted)

    def _now(self) -> Mapping[str, float] | None:
        """Looked at for every record that is read, and so said once for each change of the file, not for each device."""
        with self._lock:
            stamp = self._look()
            if stamp != self._stamp:
                self._stamp = stamp
                try:
                    self._scores = _read(self._path)
                    log.info("risk scores read", file=str(self._path), devices=len(self._scores))
                except (OSError, ValueError) as error:
                    kind = type(error).__name__ if isinstance(error, OSError | UnicodeError) else str(error)
                    log.warning(
                        "the file of risk scores cannot be used; what was read before stays", file=str(self._path), why=kind
                    )
            return self._scores

    def _look(self) -> tuple[int, int, int] | None:
        try:
            seen = self._path.stat()
        except OSError:
            return None
        return seen.st_mtime_ns, seen.st_size, seen.st_ino


def _read(path: Path) -> Mapping[str, float]:
    scores: dict[str, float] = {}
    with path.open(newline="", encoding="utf-8") as lines:
        for number, row in enumerate(csv.reader(lines), 1):
            if not row or (number == 1 and row[-1].strip().lower() == "score"):
                continue  # an empty line; the heading
            name = _name(row[0]) if len(row) == 2 else None
            if name is None or not _is_number(row[1]):
                raise ValueError(f"line {number} is no `serial or UDID,score`")
            scores[name] = max(float(row[1]), scores.get(name, float("-inf")))
    return scores


def _is_number(text: str) -> bool:
    try:
        return float("-inf") < float(text) < float("inf")
    except ValueError:
        return False


def _name(text: str | None) -> str | None:
    """As both sides may write it: capitals, and the dashes of a UDID, do not matter."""
    plain = identifier(text)
    return plain.replace("-", "") if plain is not None else None
