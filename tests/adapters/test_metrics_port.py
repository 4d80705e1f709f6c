"""Figures for Prometheus on a port of their own: what is told, to whom, and that it names nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from remediation.adapters.metrics_port import STAND, PortTaken, WorkerMetrics, serve_worker
from remediation.ports import Figures
from tests.children import wait_for
from tests.journeys.ports import free_port
from tests.test_settings import GOOD_WEB

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
FIGURES = Figures(
    links={"compliant": 3},
    stuck={("link", "mdm_unreachable"): 1},
    oldest_revocation=0.0,
    leases_ending={"ws1": 2},
    since_good={"mdm:ws1/poll": 12.0},
    well={"directory": True},
    since_good_call={"directory": 1.0},
)


class Rows:
    """The database's part: counts how often it is asked, and fails when told to."""

    def __init__(self) -> None:
        self.asked, self.away = 0, False

    def read(self, now: datetime) -> Figures:
        self.asked += 1
        if self.away:
            raise ConnectionError("the database is away")
        return FIGURES


def told(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(port: int) -> str:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(f"http://127.0.0.1:{port}/metrics", timeout=10)
    assert answer.status_code == 200
    return answer.text


def test_a_worker_tells_its_figures_and_reads_them_no_oftener_than_it_must() -> None:
    rows, now = Rows(), [NOON]
    port = free_port()
    serve_worker(f"127.0.0.1:{port}", rows, lambda: now[0])
    found = [told(scrape(port)) for _ in range(5)]
    assert found[0]["remediation_links", frozenset({("verdict", "compliant")})] == 3
    assert found[0]["remediation_figures_read", frozenset()] == 1
    assert rows.asked == 1
    now[0] += STAND
    scrape(port)
    assert rows.asked == 2
    rows.away, now[0] = True, now[0] + STAND
    away = told(scrape(port))
    assert away["remediation_figures_read", frozenset()] == 0, "an answer, and no stale figures in it"
    assert not any(name == "remediation_links" for name, _ in away)


def test_the_port_of_another_is_refused_in_words() -> None:
    port = free_port()
    serve_worker(f"127.0.0.1:{port}", Rows(), lambda: NOON)
    with pytest.raises(PortTaken, match="REMEDIATION_WORKER_METRICS"):
        serve_worker(f"127.0.0.1:{port}", Rows(), lambda: NOON)


def test_a_clock_that_goes_back_reads_anew() -> None:
    rows, now = Rows(), [NOON]
    metrics = WorkerMetrics(rows, lambda: now[0])
    list(metrics.collect())
    now[0] -= timedelta(hours=1)
    list(metrics.collect())
    assert rows.asked == 2


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    given = {**GOOD_WEB, "PUBLIC_ORIGIN": "http://localhost:8000", "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite'}", **settings}
    environment = {**os.environ, **{f"REMEDIATION_{name}": value for name, value in given.items()}}
    command = [sys.executable, "-m", "remediation"]
    subprocess.run([*command, "migrate"], env=environment, check=True, capture_output=True)
    process = subprocess.Popen([*command, "serve"], env=environment, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(40)


@pytest.mark.slow
def test_T36_answers_of_several_processes_are_added_up_on_a_port_that_is_no_pages(tmp_path: Path) -> None:
    pages, figures = free_port(), free_port()
    names = {"BIND": f"127.0.0.1:{pages}", "WEB_METRICS": str(figures), "WEB_PROCESSES": "3", "WEB_THREADS": "2"}
    with serving(tmp_path, **names) as process, requests.Session() as session:
        session.trust_env = False
        address = f"http://localhost:{pages}"
        wait_for(lambda: session.get(f"{address}/health", timeout=5).status_code == 200)
        for path in ("/helpdesk/person/7e4b1a90-3c5d-4f28-a6e1-0d9c8b7a6f51", "/mia.berger@contoso.example", "/health?q=Berger"):
            for _ in range(20):
                session.get(f"{address}{path}", timeout=5, headers={"Connection": "close"})
        session.request("MIA", f"{address}/health", timeout=5)
        text = wait_for(lambda: scrape(figures))
        found = told(text)
        answers = {labels: value for (name, labels), value in found.items() if name == "remediation_web_answers_total"}
        by_route = {dict(labels)["route"]: value for labels, value in answers.items() if dict(labels)["method"] == "GET"}
        assert by_route["/helpdesk/person/<oid>"] == 20
        assert sum(value for labels, value in answers.items() if dict(labels)["route"] == "none") == 21, "with the odd method"
        assert by_route["/health"] >= 20
        for personal in ("7e4b1a90", "mia.berger", "Berger", "MIA"):
            assert personal not in text
        assert session.get(f"{address}/metrics", timeout=5).status_code == 404
        assert process.poll() is None
