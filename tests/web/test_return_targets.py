"""T15: where anybody goes is a key of a table of ours, never an address. Judged by a WHATWG parser, as browsers are: `urlsplit`
takes several of these for addresses on our own site, and a browser leaves it.
"""

from __future__ import annotations

import hashlib
import html
import json
import random
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from ada_url import URL
from werkzeug.test import TestResponse

from remediation.domain.device import Person
from remediation.store.sessions import SqlSignInStates
from remediation.web.sign_in import _place
from tests.web.conftest import ORIGIN, Web
from tests.web.test_sign_in import Entra, begin, entra, running, web  # noqa: F401  # fixtures

VECTORS = (
    *("/ok", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/%09/evil.example", "///evil.example"),
    *("/..//evil.example", "https:evil.example", "https:/evil.example", "https://localhost:8000@evil.example"),
    *("https://localhost:8000.evil.example", "https://localhost\\.evil.example", "javascript:alert(1)", " //evil.example"),
    *("\x01//evil.example", "/.\\/evil.example", "//localhost:8000@evil.example", "//ｅｖｉｌ.example", "ms-outlook:evil"),
    *("intent://evil.example#Intent;end", "https://localhost:8000:443@evil.example/", "/;@evil.example", "//[::1]/"),
    "//evil。example",
)
NAMES = (
    *(
        "possession",
        "to",
        "entrance",
        "platform",
        "account",
        "silent",
        "q",
        "person",
        "case",
        "lang",
        "code",
        "next",
        "return",
        "url",
    ),
    *("redirect_uri", "return_to", "returnUrl", "state", "iss", "continue", "target"),
)
INSERTS = (
    "/",
    "\\",
    "\t",
    "\n",
    "@",
    ":",
    "//",
    "..",
    ";",
    "#",
    "?",
    "%2f",
    "%5c",
    "%00",
    " ",
    "\x01",
    "evil.example",
    "。",
    "​",
    "'",
    '"',
)


def mutations(seed: int, count: int) -> Iterator[str]:
    chance = random.Random(seed)
    for _ in range(count):
        text = chance.choice(VECTORS)
        for _ in range(chance.randrange(1, 5)):
            at = chance.randrange(len(text) + 1)
            text = chance.choice(
                (text[:at] + chance.choice(INSERTS) + text[at:], text[:at] + text[at + 1 :], text * 2, quote(text))
            )[:300]
        yield text


def leaves_the_site(target: str, path: str) -> bool:
    """Where a browser that reads `target` on a page of ours would be."""
    try:
        return URL(target, base=ORIGIN + path).origin != ORIGIN
    except ValueError:
        return False  # no address at all: a browser stays where it is


def offsite(answer: TestResponse, *, allowed: tuple[str, ...]) -> list[str]:
    """All that leads away from this answer, but for what the table allows."""
    targets = [answer.headers["Location"]] if "Location" in answer.headers else []
    targets += re.findall(r"url=(.*)", answer.headers.get("Refresh", ""))
    targets += [html.unescape(found) for found in re.findall(r'(?:href|action|src|data-watch)="([^"]*)"', answer.text)]
    own = answer.request.path
    return [target for target in targets if leaves_the_site(target, own) and not target.startswith(allowed)]


def test_T15_the_judge_knows_what_a_browser_does() -> None:
    left = [vector for vector in VECTORS if leaves_the_site(vector, "/journey")]
    assert len(VECTORS) == 25
    assert {"/\\evil.example", "/\t/evil.example", "///evil.example", "\\\\evil.example"} <= set(left)
    assert "/ok" not in left


@pytest.mark.parametrize("vector", VECTORS)
def test_T15_no_parameter_decides_where_a_sign_in_leads(web: Web, entra: Entra, vector: str) -> None:  # noqa: F811
    pages = urlsplit(entra.sandbox.pages_url).netloc
    for names in (NAMES, ("person", "case", "q"), ("possession",)):
        browser = web.browser()
        asked = {**dict.fromkeys(names, vector), **({"to": "helpdesk"} if len(names) == 3 else {})}
        away = browser.get("/sign-in", query_string=asked).headers["Location"]
        assert urlsplit(away).netloc == pages
        assert parse_qs(urlsplit(away).query)["redirect_uri"] == [f"{ORIGIN}/signed-in"]
        place = browser.get(entra.answers(away)).headers["Location"]
        assert not leaves_the_site(place, "/signed-in"), place
        assert place.startswith(("/journey", "/helpdesk", "/possession/"))


ROUTES = (
    "/start/{}",
    "/enrollment/{}",
    "/remediation/{}",
    "/journey/{}",
    "/possession/{}",
    "/refused/{}",
    "/helpdesk/person/{}",
    "/{}",
)


@pytest.mark.slow
@pytest.mark.parametrize("each", [1000, pytest.param(5000, marks=pytest.mark.long)])
def test_T15_of_ten_thousand_mutations_none_leads_off_the_site(web: Web, entra: Entra, each: int) -> None:  # noqa: F811
    web.scene("this_device_sent")
    pages = entra.sandbox.pages_url
    allowed = (f"{pages}/", "tel:", "https://apps.apple.com/", "https://play.google.com/", "ms-outlook://")
    mia, hanna = web.signed_in(), web.signed_in(Person("hanna", "Hanna", "h"), browser="h", roles=("Helpdesk.Read",))
    begin(mia)
    left: list[object] = []
    for number, text in enumerate(mutations(7, each)):
        browser = (mia, hanna)[number % 2]
        path = ROUTES[number % len(ROUTES)].format(text)
        raw = {
            "PATH_INFO": path.encode().decode("latin-1")
        }  # as a server hands it on, unquoted: no parser of the test's in between
        asked = {NAMES[number % len(NAMES)]: text}
        answer = browser.get("/", environ_overrides=raw, query_string=asked)
        left += [(path, target) for target in offsite(answer, allowed=allowed)]
        assert answer.status_code < 500, path
    states: list[str] = []
    for number, text in enumerate(mutations(8, each)):
        asked = {
            NAMES[number % len(NAMES)]: text,
            "to": "helpdesk" if number % 3 else text,
            "person": text,
            "q": text,
            "case": text,
        }
        away = mia.get("/sign-in", query_string=asked).headers["Location"]
        assert away.startswith(f"{pages}/"), away
        states.append(parse_qs(urlsplit(away).query)["state"][0])
    with mia.session_transaction(base_url=ORIGIN) as cookie:
        keys = [hashlib.sha256(f"{state}\n{cookie['b']}".encode()).hexdigest() for state in states]
    rows = SqlSignInStates(web.engine, web.settings.tenant_id)
    kept = [json.loads(rows.take(key, at=web.clock()) or "null") for key in keys]
    assert len(kept) >= each
    assert None not in kept
    with web.app.test_request_context(base_url=ORIGIN):
        places = [_place(one, Person("mia", "Mia", "m"))[1] for one in kept]
    left += [place for place in places if leaves_the_site(place, "/signed-in")]
    assert left == []
    assert {place.split("?")[0].split("/")[1] for place in places} == {"journey", "helpdesk"}
