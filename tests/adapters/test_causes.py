"""Why a call got no good answer: by the wire where a sandbox cannot play it, and by the vendor's words, of which little is kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.wrappers import Response

from remediation.adapters import graph
from remediation.adapters.causes import LONGEST_WORDS, Causes, plain_words
from remediation.adapters.http import Remote, Timeouts
from remediation.domain.health import Cause
from remediation.errors import RemoteError
from sandbox.sockets import Socket
from tests.adapters.conftest import Server


def caused(remote: Remote) -> tuple[str | None, str]:
    with pytest.raises(RemoteError) as caught:
        remote.call("GET", "x")
    return caught.value.cause, caught.value.words


def reached(base: str, **more: Any) -> Remote:
    return Remote("directory", base, vendor_code=graph.vendor_code, timeouts=Timeouts(1, 0.3, 1), private=True, **more)


def test_a_name_that_is_nobodys_a_certificate_that_is_not_trusted_a_door_that_is_shut_and_one_that_keeps_silent(
    server: Server,
) -> None:
    assert caused(reached("https://nowhere.invalid"))[0] is Cause.NAME
    assert caused(reached(server.origin))[0] is Cause.TLS
    assert caused(reached("https://127.0.0.1:9"))[0] is Cause.CONNECTION
    assert caused(Remote("directory", "https://localhost:9", vendor_code=graph.vendor_code))[0] is Cause.ADDRESS
    shut = Socket(lambda environ, start: [], 0)  # speaks no TLS
    assert caused(reached(f"https://127.0.0.1:{shut.port}"))[0] in (Cause.TLS, Cause.TIMEOUT, Cause.CONNECTION)
    shut.stop()


def test_a_slow_answer(server: Server) -> None:
    def slow(request: Any) -> Response:
        time.sleep(0.8)
        return Response("{}", content_type="application/json")

    server.answer = slow
    assert caused(server.remote())[0] is Cause.TIMEOUT


ANSWERS: dict[str, tuple[Callable[[], Response], Cause]] = {
    "a page": (lambda: Response("<h1>x", 200, content_type="text/html"), Cause.PAGE),
    "a page where nothing is": (lambda: Response("<h1>x", 404, content_type="text/html"), Cause.PAGE),
    "a proxy's refusal": (lambda: Response("<h1>x", 403, content_type="text/html"), Cause.PAGE),
    "half": (lambda: Response('{"a": ', 200, content_type="application/json"), Cause.HALF),
    "large": (lambda: Response('"' + "a" * 2_000_001 + '"', 200, content_type="application/json"), Cause.LARGE),
    "a redirect, as to a proxy's own page": (lambda: Response("", 302, {"Location": "https://evil.example"}), Cause.PAGE),
    "throttled": (lambda: Response("", 429), Cause.THROTTLED),
    "fails": (lambda: Response("", 500), Cause.AWAY),
    "a token": (lambda: Response("{}", 401, content_type="application/json"), Cause.REVOKED),
    "no right": (lambda: Response("{}", 403, content_type="application/json"), Cause.PERMISSION),
    "a bad request": (lambda: Response("{}", 400, content_type="application/json"), Cause.REFUSED),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_what_an_answer_shows(server: Server, what: str) -> None:
    answer, cause = ANSWERS[what]
    server.answer = lambda request: answer()
    assert caused(server.remote())[0] is cause


def test_a_code_means_what_its_vendors_table_says(server: Server) -> None:
    server.answer = lambda request: Response('{"error": {"code": "X7", "message": "no"}}', 403, content_type="application/json")
    assert caused(server.remote())[0] is Cause.PERMISSION
    assert caused(server.remote(causes=Causes({"X7": Cause.GROUP})))[0] is Cause.GROUP
    assert caused(server.remote(causes=Causes(refused=Cause.CREDENTIALS)))[0] is Cause.CREDENTIALS


WORDS = {
    "The account is locked.": "The account is locked.",
    "Invalid client secret provided for app 'd0b4': s3cr3t~Value": "Invalid client secret provided for app …",
    "User mia.berger@contoso.example cannot be authenticated": "User … cannot be authenticated",
    "User Berger is not allowed": "User … is not allowed",
    "<b>Access</b> denied": "… denied",
    "\u202e token expired \x1b[1m \x00": "… token expired …",
    "9f8e7d6c5b4a": "",
    "": "",
    "correcthorsebatterystaple is the password": "… is the password",
}


@pytest.mark.parametrize("said", WORDS)
def test_of_the_vendors_words_only_plain_ones_are_kept(said: str) -> None:
    kept = plain_words({"message": said})
    assert kept == WORDS[said]
    assert plain_words({"authResponse": {"errorDesc": said}}) == kept
    assert plain_words({"odata.error": {"message": {"lang": "en", "value": said}}}) == kept


def test_words_are_never_many_and_oddities_are_none() -> None:
    assert len(plain_words({"message": "token " * 90_000})) <= LONGEST_WORDS
    odds: tuple[object, ...] = (None, [], "x", 7, {"message": 7}, {"message": {"message": {"message": {"message": "token"}}}})
    for odd in odds:
        assert plain_words(odd) == ""
