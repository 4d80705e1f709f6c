"""Figures for Prometheus, as a registry: `metrics_file` writes it down, `metrics_port` is asked for it. No label names a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..ports import Figures

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


def registry_of(figures: Figures) -> CollectorRegistry:
    # Imported here, so that whoever wants none of it pays nothing for it.
    from prometheus_client import CollectorRegistry, Gauge

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
    return registry
