"""Figures as a file in Prometheus' text form, for node_exporter's textfile collector or anything that reads it.

Written whole and renamed into place (prometheus_client's `write_to_textfile`), so that no reader ever sees half of it.
https://github.com/prometheus/node_exporter#textfile-collector
"""

from pathlib import Path

from ..ports import Figures
from .metrics import registry_of


class MetricsFile:
    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, figures: Figures) -> None:
        from prometheus_client import write_to_textfile  # here, so that whoever sets no file pays nothing for it

        write_to_textfile(str(self._path), registry_of(figures))
