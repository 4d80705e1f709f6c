"""T21, T25, T33, T36: what this product does not have, held so that it is noticed when it comes; and odd requests at the server."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from remediation.domain.device import Person
from remediation.web import HOUSE
from remediation.web.guards import Who, who_may
from tests.web.conftest import Web

KINDS = {"text/html", "application/json", "application/problem+json", "text/css", "text/javascript", "image/svg+xml"}
HANNA = Person(oid="hanna", name="Hanna Roth", user_name="hanna.roth@contoso.example")


TABLES = {"/helpdesk/figures.csv", "/helpdesk/figures.json"}  # defused cell by cell: test_figures
TABLES |= {"/helpdesk/figures/list.csv", "/helpdesk/figures/list.json"}
TABLES |= {f"/onboarding/impact{name}" for name in (".csv", ".json", "/people.csv")}  # the same: test_impact_pages


def test_T21_no_other_answer_is_a_table_for_a_spreadsheet(web: Web) -> None:
    """Whoever adds an export finds what it needs in docs/security.md."""
    token, kinds = web.scene("this_device_sent").token, set()
    for browser in (web.browser(), web.signed_in(), web.signed_in(HANNA, browser="h", roles=("Helpdesk.Read",))):
        for rule in web.app.url_map.iter_rules():
            path = rule.rule.replace("<token>", token).replace("<oid>", "mia").replace("<name>", web.style_name())
            answer = browser.get(path, headers={"Accept": "text/csv"}, query_string={"format": "csv", "q": "mia"})
            if rule.rule not in TABLES:
                assert "Content-Disposition" not in answer.headers, rule
                kinds.add(answer.mimetype)
    assert {"text/html", "application/json", "text/css"} <= kinds <= KINDS


def test_T25_only_what_asks_for_a_machines_password_is_let_off_the_forms_token(web: Web) -> None:
    protection, views = web.app.extensions["csrf"], web.app.view_functions
    machines = {
        f"{view.__module__}.{view.__name__}" for name, view in views.items() if who_may(web.app, name) in (Who.MACHINE, Who.BEARER)
    }
    assert protection._exempt_views == machines
    assert not protection._exempt_blueprints
    assert {rule.rule for rule in web.app.url_map.iter_rules() if who_may(web.app, rule.endpoint) is Who.MACHINE} == {
        "/hooks/mdm/<connection>"
    }


@pytest.mark.parametrize("word", ["DebugToolbar", "werkzeug.debug", "DebuggedApplication", "run_simple", "/metrics", "pprof"])
def test_T36_no_page_for_those_who_debug(web: Web, word: str) -> None:
    assert not [file.name for file in (HOUSE / "remediation").rglob("*.py") if word in file.read_text()]
    for path in (
        "/metrics",
        "/debug",
        "/console",
        "/debug/pprof",
        "/?__debugger__=yes&cmd=resource&f=style.css",
        "/.env",
        "/.git/config",
    ):
        answer = web.browser().get(path)
        assert answer.status_code == (200 if path.startswith("/?") else 404)
        assert "Traceback" not in answer.text
        assert "SECRET" not in answer.text
    assert web.app.debug is False


ECHO = """
from remediation.serving import serve
def app(environ, start_response):
    body = environ["wsgi.input"].read()
    end = f"{environ['wsgi.url_scheme']} {len(body)}\\n"
    said = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {environ['SCRIPT_NAME']} {end}"
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(said)))])
    return [said.encode()]
serve(lambda: app, bind="127.0.0.1:PORT", processes=1, threads=2)
"""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        number = int(free.getsockname()[1])
    command = [sys.executable, "-c", ECHO.replace("PORT", str(number))]
    served = subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", number), timeout=1).close()
            break
        except OSError:
            time.sleep(0.1)
    yield number
    served.terminate()
    served.wait(timeout=30)


def told(port: int, raw: bytes) -> bytes:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=5)) as line:
        line.sendall(raw)
        line.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := line.recv(65_536):
            answer += piece
    return answer


HEAD = b"POST /one HTTP/1.1\r\nHost: localhost\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"
ODD = {
    "both lengths": HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two lengths": HEAD + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + HIDDEN,
    "two in one": HEAD + b"Content-Length: 0, 44\r\n\r\n" + HIDDEN,
    "a sign": HEAD + b"Content-Length: +0\r\n\r\n" + HIDDEN,
    "an odd encoding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + HIDDEN,
    "two encodings": HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a blank before the colon": HEAD + b"Content-Length : 44\r\n\r\n" + HIDDEN,
    "a tab in the name": HEAD + b"Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "an underscore": HEAD + b"Content_Length: 44\r\nTransfer_Encoding: chunked\r\n\r\n",
    "a chunk size that is none": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + HIDDEN,
    "HTTP/1.0 in chunks": b"POST /one HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "folded": HEAD + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "NUL": HEAD + b"X: a\x00b\r\n\r\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ODD)
def test_T33_a_request_that_two_parsers_read_differently_hides_no_other(port: int, name: str) -> None:
    assert told(port, HEAD + b"Content-Length: 3\r\n\r\nabc").endswith(b"POST /one  http 3\n"), "the control"
    answer = told(port, ODD[name])
    assert b"/hidden" not in answer, answer
    assert answer.count(b"HTTP/1.") <= 1


@pytest.mark.slow
def test_T16_gunicorn_takes_neither_scheme_nor_script_name_from_a_header(port: int) -> None:
    spoofed = b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: on\r\nScript-Name: /evil\r\nSCRIPT_NAME: /evil\r\nPath-Info: /evil\r\n"
    answer = told(port, b"GET /one HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + spoofed + b"\r\n")
    assert answer.endswith(b"GET /one  http 0\n"), answer
