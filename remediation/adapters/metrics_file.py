"""Figures as a file in Prometheus' text form, for node_exporter's textfile collector or anything that reads it.

Written whole and renamed into place (prometheus_client's `write_to_textfile`), so that no reader ever sees half of it.
https://github.com/prometheus/node_exporter#textfile-collector
"""

from pathlib import Path

from ..ports import Figures


class MetricsFile:
    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, figures: Figures) -> None:
        # Imported here, so that whoever sets no file pays nothing for it.
        from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

        registry = CollectorRegistry()

        def gauge(name: str, what: str, *labels: str) -> Gauge:
            return Gauge(f"remediation_{name}", what, labels, registry=registry)

        links = gauge("links", "Active links, by what Microsoft should be told", "verdict")
        for verdict, count in figures.links.items():
            links.labels(verdict).set(count)
        confirmed = gauge("confirmed", "Active links at rest, by whose doing it was that Entra shows what it should", "by")
        for by, count in figures.confirmed.items():
            confirmed.labels(by).set(count)
        gauge("accepted_not_applied", "Messages that Microsoft accepted and did not apply within the hour, so far").set(
            figures.not_applied
        )
        stuck = gauge("stuck", "Rows that do not rest", "kind", "reason")
        for (kind, reason), count in figures.stuck.items():
            stuck.labels(kind, reason).set(count)
        gauge("oldest_revocation_seconds", "Age of the oldest revocation that Entra does not show yet, 0 for none").set(
            figures.oldest_revocation
        )
        leases = gauge("leases_ending_24h", "Compliant links whose lease ends within 24 hours", "connection")
        for connection, count in figures.leases_ending.items():
            leases.labels(connection).set(count)
        good = gauge("since_good_answer_seconds", "Since a source gave its last good answer", "watch")
        for watch, seconds in figures.since_good.items():
            good.labels(watch).set(seconds)
        well = gauge("connection_well", "1 where a connection is well, 0 where not", "connection")
        for name, is_well in figures.well.items():
            well.labels(name).set(is_well)
        good_call = gauge("connection_since_good_answer_seconds", "Since a remote gave its last good answer", "connection")
        for name, seconds in figures.since_good_call.items():
            good_call.labels(name).set(seconds)
        write_to_textfile(str(self._path), registry)
