"""The manners of a call, over TLS: what counts as an answer, where a call may go, how long it may take."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import trustme
from werkzeug.wrappers import Response

from remediation.adapters import graph
from remediation.adapters.http import LARGEST_BODY, Remote, Timeouts
from remediation.errors import Busy, Garbled, NotFound, Refused, RemoteError, Unreachable
from sandbox.server import Sandbox
from tests.adapters.conftest import Server

ERROR = json.dumps({"error": {"code": "Some_Code", "message": "m"}})


def says(body: str | bytes, status: int = 200, content_type: str = "application/json", **headers: str) -> Response:
    return Response(body, status, {k.replace("_", "-"): v for k, v in headers.items()}, content_type=content_type)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, ERROR, Refused, "Some_Code"),
        (401, ERROR, Refused, "Some_Code"),
        (403, "<html>", Refused, None),
        (404, ERROR, NotFound, "Some_Code"),
        (404, "<html>no page</html>", Garbled, None),
        (404, "{}", Garbled, None),
        (404, json.dumps({"error": {"code": {"a": 1}}}), Garbled, None),
        (404, json.dumps({"error": {"code": "x\r\ny"}}), Garbled, None),
        (405, ERROR, Refused, "Some_Code"),
        (409, ERROR, Refused, "Some_Code"),
        (408, ERROR, Unreachable, "Some_Code"),
        (429, ERROR, Busy, "Some_Code"),
        (503, "<html>", Busy, None),
        (500, ERROR, Unreachable, "Some_Code"),
        (504, "<html>", Unreachable, None),
        (302, "", Garbled, None),
        (304, "", Garbled, None),
    ],
)
def test_each_failure_becomes_one_of_the_five(
    server: Server, status: int, body: str, kind: type[RemoteError], code: str | None
) -> None:
    content_type = "text/html" if body.startswith("<") else "application/json"
    server.answer = lambda _: says(body, status, content_type)
    with pytest.raises(kind) as raised:
        server.remote().call("GET", "thing")
    assert raised.type is kind
    assert (raised.value.status, raised.value.vendor_code) == (status, code)
    assert len(server.asked) == 1, "nothing is tried again"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"a": 1', "application/json"),
        (b"<html></html>", "text/html"),
        (b'{"a": 1}', "text/html"),
        (b'{"a": 1, "a": 2}', "application/json"),
        (b'{"a": NaN}', "application/json"),
        (b"\xff\xfe\xfa", "application/json"),
        ('{"a": "é"}'.encode("latin-1"), "application/json"),
        (b"[" * 100_000 + b"]" * 100_000, "application/json"),
        (b'{"a": ' + b"9" * 5000 + b"}", "application/json"),
        (b'"' + b"a" * LARGEST_BODY + b'"', "application/json"),
    ],
)
def test_what_is_no_answer(server: Server, body: bytes, content_type: str) -> None:
    server.answer = lambda _: says(body, content_type=content_type)
    with pytest.raises(Garbled):
        server.remote().call("GET", "thing")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/problem+json", "Application/JSON"])
def test_what_is_one(server: Server, content_type: str) -> None:
    server.answer = lambda _: says('{"a": 1}', content_type=content_type)
    assert server.remote().call("GET", "thing").body == {"a": 1}


def test_T24_a_packed_bomb_is_not_unpacked_whole(server: Server) -> None:
    bomb = gzip.compress(b" " * 200_000_000, 9)
    server.answer = lambda _: says(bomb, Content_Encoding="gzip")
    with pytest.raises(Garbled, match="too large"):
        server.remote().call("GET", "thing")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("86400", 3600.0),
        (format_datetime(datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC), usegmt=True), 30.0),
        (format_datetime(datetime(2026, 11, 21, 11, tzinfo=UTC), usegmt=True), 0.0),
        ("soon", None),
        ("-1", None),
        ("1e9", None),
        ("", None),
    ],
)
def test_retry_after_in_seconds_and_as_a_date(server: Server, value: str, seconds: float | None) -> None:
    noon = format_datetime(datetime(2026, 11, 21, 12, tzinfo=UTC), usegmt=True)
    server.answer = lambda _: says(ERROR, 429, Retry_After=value, Date=noon)
    with pytest.raises(Busy) as raised:
        server.remote().call("GET", "thing")
    assert raised.value.retry_after == seconds


def test_a_date_without_a_clock_beside_it_is_read_by_ours(server: Server) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    server.answer = lambda _: says(ERROR, 503, Retry_After=until)
    with pytest.raises(Busy) as raised:
        server.remote().call("GET", "thing")
    assert raised.value.retry_after == pytest.approx(100, abs=5)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_T24_a_redirect_is_not_followed(server: Server, elsewhere: Server, status: int) -> None:
    server.answer = lambda _: says("", status, Location=f"{elsewhere.origin}/thing")
    with pytest.raises(Garbled):
        server.remote().call("GET", "thing", headers={"aw-tenant-code": "secret"})
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "link",
    [
        "{evil}/x",
        "//127.0.0.1:1/x",
        "http://127.0.0.1:{port}/x",
        "https://127.0.0.1:{port}@evil.example/x",
        "https://user@127.0.0.1:{port}/x",
        "https://127.0.0.1.evil.example:{port}/x",
        "https://evil.example\\@127.0.0.1:{port}/x",
        "https://127.0.0.1:99999/x",
        "https://2130706433:{port}/x",
        "https://[::ffff:127.0.0.1]:{port}/x",
        "https://127.0.0.1.:{port}/x",
        "file:///etc/passwd",
        "javascript://x",
    ],
)
def test_T24_a_link_to_another_host_is_refused(server: Server, elsewhere: Server, link: str) -> None:
    port = server.origin.rpartition(":")[2]
    with pytest.raises(Garbled):
        server.remote().call("GET", link.format(evil=elsewhere.origin, port=port))
    assert not server.asked


def test_a_link_of_the_same_host_is_followed_as_it_is(server: Server) -> None:
    server.remote().call("GET", f"{server.origin}/v1.0/things?$skiptoken=a%2Fb%27")
    assert (server.asked[0].path, server.asked[0].environ["QUERY_STRING"]) == ("/v1.0/things", "$skiptoken=a%2Fb%27")


def test_T24_slow_answers_end(server: Server) -> None:
    stop = threading.Event()

    def slow(_: object) -> Response:
        stop.wait(3)
        return says("{}")

    server.answer = slow
    try:
        with pytest.raises(Unreachable, match="in time"):
            server.remote(timeouts=Timeouts(read=0.2)).call("GET", "thing")
    finally:
        stop.set()


def test_T24_a_dripping_answer_ends_too(sandbox: Sandbox) -> None:
    """A byte every 50 ms meets each read's timeout and would go on for hours."""
    with _raw_server(sandbox.keys.tls(), drip=True) as port:
        remote = Remote(
            "mdm",
            f"https://127.0.0.1:{port}",
            vendor_code=graph.vendor_code,
            ca=sandbox.keys.ca_pem,
            timeouts=Timeouts(read=0.5, total=0.4),
        )
        with pytest.raises(Unreachable, match="too slow"):
            remote.call("GET", "thing")


def test_another_authority_is_not_trusted(server: Server, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    with pytest.raises(Unreachable, match=r"TLS: .*certificate"):
        server.remote(ca=other).call("POST", "thing", json={"secret": 1})
    assert not server.asked


def test_the_environment_changes_nothing(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login mallory password x\n")
    netrc.chmod(0o600)
    for name, value in {
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9",
        "REQUESTS_CA_BUNDLE": "/nonexistent",
        "CURL_CA_BUNDLE": "/nonexistent",
        "NETRC": str(netrc),
    }.items():
        monkeypatch.setenv(name, value)
    server.remote().call("GET", "thing")
    assert "Authorization" not in server.asked[0].headers


def test_no_cookie_is_kept(server: Server) -> None:
    server.answer = lambda _: says("{}", Set_Cookie="session=1; Path=/")
    remote = server.remote()
    remote.call("GET", "one")
    remote.call("GET", "two")
    assert "Cookie" not in server.asked[1].headers


def test_every_call_has_an_id_of_its_own(server: Server) -> None:
    remote = server.remote()
    remote.call("GET", "one")
    remote.call("GET", "two")
    first, second = (request.headers["client-request-id"] for request in server.asked)
    assert first != second


def test_an_answer_and_an_error_name_the_call_for_whoever_has_to_ask_about_it(server: Server) -> None:
    remote = server.remote()
    statuses = iter((200, 503))
    server.answer = lambda request: Response(
        "{}", next(statuses), headers={"request-id": "theirs"}, content_type="application/json"
    )
    good = remote.call("GET", "one")
    with pytest.raises(Busy) as busy:
        remote.call("GET", "two")
    ours = [request.headers["client-request-id"] for request in server.asked]
    assert [good.client_request_id, busy.value.client_request_id] == ours
    assert [good.request_id, busy.value.request_id] == ["theirs", "theirs"]


@pytest.mark.parametrize(
    "base", ["http://graph.example", "graph.example", "https://", "https://a@graph.example", "https://graph.example?x=1"]
)
def test_only_plain_https_addresses(base: str) -> None:
    with pytest.raises(ValueError, match="https"):
        Remote("directory", base, vendor_code=graph.vendor_code)


def test_a_connection_that_breaks_in_the_middle(sandbox: Sandbox) -> None:
    with _raw_server(sandbox.keys.tls(), drip=False) as port:
        remote = Remote("mdm", f"https://127.0.0.1:{port}", vendor_code=graph.vendor_code, ca=sandbox.keys.ca_pem)
        with pytest.raises((Unreachable, Garbled)):
            remote.call("GET", "thing")


class _raw_server:
    """Promises a megabyte, and drips it or hangs up after ten bytes."""

    def __init__(self, tls: ssl.SSLContext, *, drip: bool) -> None:
        self._tls, self._drip = tls, drip
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        with suppress(OSError):
            connection, _ = self._listening.accept()
            with self._tls.wrap_socket(connection, server_side=True) as talking:
                talking.recv(65_536)
                talking.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n" + b" " * 10)
                for _ in range(60 if self._drip else 0):
                    if not self._stop.wait(0.05):
                        talking.sendall(b" ")

    def __enter__(self) -> int:
        self._thread.start()
        return int(self._listening.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._listening.close()
        self._thread.join(timeout=5)
