"""No planted secret reaches the log, by whatever way it is said; what is no secret stays readable."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from remediation.log import GONE, Redactor

SECRET = "s3cr3t-Value_77"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtaWEifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "line",
    [
        f"POST /token client_id=app&client_secret={SECRET}&grant_type=client_credentials",
        f"client_assertion={SECRET}",
        f"GET /sign-in/callback?code={SECRET}&state={SECRET}",
        f"Authorization: Bearer {SECRET}",
        f"sent with bearer {SECRET}",
        f"aw-tenant-code: {SECRET}",
        f"{{'aw-tenant-code': '{SECRET}', 'Accept': 'application/json'}}",
        f'{{"access_token": "{SECRET}", "expires_in": 3599}}',
        f"?token={SECRET}",
        f"Set-Cookie: session={SECRET}; Path=/",
        f"GET /possession/{SECRET}-of-more-than-sixteen?lang=de",
        f"POST /message-test/{SECRET}-of-more-than-sixteen",
        f'"client_assertion": "{SECRET}"',
    ],
)
def test_a_text_loses_its_secret(line: str) -> None:
    clean = Redactor().text(line)
    assert SECRET not in clean
    assert GONE in clean


def test_a_token_is_known_by_its_form() -> None:
    assert JWT not in Redactor().text(f"could not read {JWT} as a token")


def test_keys_and_depths() -> None:
    event = {"event": "asked", "state": SECRET, "headers": {"Authorization": SECRET, "Accept": "*/*"}, "form": [{"code": SECRET}]}
    clean = Redactor()(None, "info", event)
    assert SECRET not in str(clean)
    assert clean["headers"]["Accept"] == "*/*"


def test_a_known_secret_is_gone_wherever_it_stands() -> None:
    assert (
        Redactor([SECRET]).text(f"connect to postgresql://u:{SECRET}@host/db failed")
        == f"connect to postgresql://u:{GONE}@host/db failed"
    )


@pytest.mark.parametrize(
    "line", ["status code: 404", "the state of the link", "case code K7-42M", "token expired", "path=/users/{id}/devices"]
)
def test_plain_words_stay(line: str) -> None:
    assert Redactor().text(line) == line


PROGRAM = f"""
import logging, structlog
from remediation import log
log.set_up("worker", ["{SECRET}"])
logging.getLogger("urllib3").warning("retry %s", "https://host/?code={SECRET}")
logging.getLogger("dbos").error("cannot connect with {SECRET}")
try:
    raise ValueError("the answer was {SECRET} and {JWT}")
except ValueError:
    structlog.get_logger("x").exception("failed", device="d1")
"""


def test_libraries_and_tracebacks_pass_the_same_nets() -> None:
    command = [sys.executable, "-c", PROGRAM]
    told = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True).stderr
    assert SECRET not in told
    assert JWT not in told
    assert len(told.splitlines()) == 3
    assert "Traceback" in told
    assert '"device": "d1"' in told


HOSTILE = (
    'mia"}\n{"event": "forged", "level": "info"}',
    "a\r\n2026-01-01 admin signed in",
    "\x1b[2J\x1b[31mred\x07\x08",
    "line\u2028separator\u2029and\u0085next\x0b\x0c\x1c",
    "\u202emoor\u2066 \x00 \ufeff",
    "%s %(name)s %n {0} {event}",
    "half a pair \ud83d",
    f"Authorization: Bearer {SECRET}",
    f"aw-tenant-code: {SECRET}\r\nX: y",
    f"?code={SECRET}&state={SECRET}&client_assertion={SECRET}",
    f"https://return.contoso.example/possession/{SECRET}abcdefghij",
    "x" * 20_000,
)
CHATTY = """
import json, logging, sys, structlog
from remediation import log
log.set_up("web")
for text in json.loads(sys.stdin.read()):
    structlog.get_logger("x").info(text)
    structlog.get_logger("x").info("seen", name=text, nested={"user_agent": text, text: [text]})
    logging.getLogger("some.library").warning("asked for %s by %r", text, text)
    logging.getLogger("some.library").warning(text.replace("%", "%%"), )
    try:
        raise ValueError(text)
    except ValueError:
        structlog.get_logger("x").exception("failed", because=text)
"""


def test_T22_each_line_is_one_object_whatever_names_agents_and_remotes_say() -> None:
    given = json.dumps([*HOSTILE, "an ordinary name"])
    done = subprocess.run(
        [sys.executable, "-c", CHATTY], cwd=Path(__file__).parents[1], input=given, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()  # at every separator that Unicode knows
    assert len(lines) == 5 * (len(HOSTILE) + 1)
    told = [json.loads(line) for line in lines]
    assert all({"event", "level", "process", "timestamp"} <= entry.keys() for entry in told)
    assert {entry["level"] for entry in told} == {"info", "warning", "error"}
    assert done.stderr.isascii()
    assert not any(ord(char) < 32 and char != "\n" for char in done.stderr)
    assert SECRET not in done.stderr
    assert sum("an ordinary name" in line for line in lines) == 5, "what is no attack is there to be read"
