"""A person goes the whole way while remotes refuse, answer nonsense, end tokens and change secrets, pages break, and others try her
links. Every answer of ours is kept, and searched in the end.

Next door: `planted` is the stage, `needles` the search.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

import requests
import sqlalchemy as sa
from flask.json.tag import TaggedJSONSerializer
from itsdangerous import URLSafeTimedSerializer

from bench.stage.needles import Search
from bench.stage.planted import Planted
from remediation.settings import OperatorSettings
from remediation.settings.names import environment_of
from remediation.store.engine import make_engine
from remediation.store.tables import watches
from sandbox import demo
from tests.journeys.plain import Plain
from tests.journeys.stage import Stage

OPEN = "Microsoft sees your device as compliant"


@dataclass(frozen=True)
class Size:
    """The troubles in which somebody signs in, and has the worker look."""

    troubles: tuple[tuple[str, str], ...]
    alarm: bool = True
    """Wait for an alarm, which takes half a minute."""


class _Visitor(Plain):
    """Somebody with a browser of their own, who takes every answer as it comes; each of ours is kept."""

    def __init__(self, stage: Stage, answers: list[requests.Response]) -> None:
        super().__init__(stage)
        self.session.hooks["response"].append(lambda answer, **_: answers.append(answer))

    def _take(self, answer: requests.Response) -> None:
        self.answer = answer

    def picks(self, name: str) -> None:
        """An account at Entra's page."""
        self.presses(f"button.account:-soup-contains('{name}')")


class Story:
    def __init__(self, stage: Planted, search: Search, say: Callable[[str], None]) -> None:
        self._stage, self._search, self._say = stage, search, say
        self._answers: list[requests.Response] = []
        self._engine = make_engine(stage.url)
        self._mia = self._visitor()
        self._said: dict[str, subprocess.Popen[bytes]] = {}

    def play(self, size: Size) -> None:
        mia = self._mia
        mia.arrives()
        mia.signs_in()
        mia.waits_for("Are you holding this device?")
        mia.presses("#send")
        mia.waits_for("Open the message on this device")
        token = self._stage.mia.messages[-1].body.rpartition("/possession/")[2].split()[0]
        self._search.add("possession token", token)
        self._others_try(token)
        self._pages_break(token)
        for service, kind in size.troubles:
            self._in_trouble(service, kind)
        self._signs_in()
        mia.taps_the_message()
        mia.waits_for(OPEN)
        self._say("  the whole way is gone")
        if size.alarm:
            self._alarm()
        self._stage.another_worker()
        self._secrets_are_refused()
        self._helpdesk()
        if size.alarm:
            self._told()
        self._visitor().goes(f"{self._stage.origin}/sign-in?possession={token}")  # one that is left open
        self._look_at_commands()
        self._harvest()
        self._look_at_answers(token)
        self._engine.dispose()

    def _visitor(self) -> _Visitor:
        return _Visitor(self._stage, self._answers)

    def _signs_in(self) -> None:
        """Mia, again, in the browser that her journey is bound to: the worker looks."""
        self._mia.goes(f"{self._stage.origin}/sign-in?platform=ios")
        if self._mia.page.select_one("button.account") is not None:
            self._mia.presses("button.account")

    def _others_try(self, token: str) -> None:
        noah, origin = self._visitor(), self._stage.origin
        noah.goes(f"{origin}/possession/{token}")
        noah.goes(f"{origin}/sign-in?possession={token}")
        noah.picks("Noah")
        noah.goes(f"{origin}/possession/{token}")
        back = next(answer.url for answer in self._answers if "/signed-in?" in answer.url)
        for address in (
            back,
            f"{back}&x=1",
            f"{origin}/nothing",
            f"{origin}/possession/{token}x",
            f"{origin}/signed-in?error=server_error",
        ):
            noah.goes(address)
            self._visitor().goes(address)
        self._visitor().session.post(f"{origin}/possession/{token}", data={"csrf_token": "wrong"}, timeout=30)

    def _pages_break(self, token: str) -> None:
        """A bug, as anybody's: what a statement names is not there. Its page and its traceback must say nothing."""
        with self._renamed("sign_in_states", "RENAME COLUMN value TO gone", "RENAME COLUMN gone TO value"):
            self._breaks(f"/sign-in?possession={token}")
        away = "RENAME TO away", "RENAME TO sessions"
        with self._renamed("sessions", *away):
            self._breaks("/journey")
        self._mia.goes(f"{self._stage.origin}/sign-in?possession={token}")
        with self._renamed("sessions", *away):
            self._mia.presses("button.account")

    def _breaks(self, address: str) -> None:
        self._mia.goes(f"{self._stage.origin}{address}")
        if self._mia.answer.status_code < 500:
            raise AssertionError(f"{address} works all the same")

    @contextmanager
    def _renamed(self, table: str, change: str, back: str) -> Iterator[None]:
        with self._engine.begin() as connection:
            connection.execute(sa.text(f"ALTER TABLE {table} {change}"))
        try:
            yield
        finally:
            with self._engine.begin() as connection:
                connection.execute(sa.text(f"ALTER TABLE {'away' if 'RENAME TO' in back else table} {back}"))

    def _in_trouble(self, service: str, kind: str) -> None:
        """Somebody signs in, so that the worker looks; with Entra itself in trouble, the web is refused too."""
        self._stage.fault(service, kind, times=6)
        before = len(self._stage.sandbox.ledger.entries)
        with suppress(requests.ConnectionError):  # what is down may be the page on which she signs in
            self._signs_in()
        until = time.monotonic() + 5
        while time.monotonic() < until and not any(e.fault for e in list(self._stage.sandbox.ledger.entries)[before:]):
            time.sleep(0.1)
        time.sleep(0.3)
        self._stage.sandbox.faults.clear()

    def _secrets_are_refused(self) -> None:
        """Each is changed at the remote, and tokens end: what is sent then is wrong."""
        world = self._stage.sandbox.world
        kept = {name: world.apps[name].secret for name in world.apps}, world.mdm.client_secret
        self._signs_in()
        for app in world.apps.values():
            app.secret = "another"  # noqa: S105
        world.mdm.client_secret = "another"  # noqa: S105
        world.end_tokens()
        self._signs_in()
        time.sleep(1)
        self._commands()
        for name, secret in kept[0].items():
            world.apps[name].secret = secret
        world.mdm.client_secret = kept[1]
        self._signs_in()

    def _helpdesk(self) -> None:
        hanna = self._visitor()
        hanna.goes(f"{self._stage.origin}/helpdesk")
        hanna.follows("#go-on")
        hanna.picks("Hanna")
        for address in ("/helpdesk?q=Mia", "/helpdesk/stuck"):
            hanna.goes(f"{self._stage.origin}{address}")
        hanna.goes(f"{self._stage.origin}/helpdesk?q=Mia")
        link = hanna.page.select_one("a[href*='/helpdesk/person/']")
        if link is not None:
            hanna.goes(str(link["href"]))
        if "Mia" not in hanna.answer.text:
            raise AssertionError(f"the console does not show Mia: {hanna.answer.url}")

    def _alarm(self) -> None:
        """An outage two hours old is told to a webhook that does not take it."""
        with self._engine.begin() as connection:
            now = self._stage.sandbox.world.now()
            old = {"failing_since": now - timedelta(hours=2), "reason": "mdm_unreachable", "next_look_at": now + timedelta(hours=1)}
            connection.execute(sa.update(watches).where(watches.c.name.startswith("mdm:")).values(**old))

    def _told(self) -> None:
        until = time.monotonic() + 60
        while not any("/hooks/" in entry.path for entry in self._stage.sandbox.ledger.since()):
            if time.monotonic() > until:
                raise AssertionError("the alarm was not told")
            time.sleep(0.2)

    def _commands(self) -> None:
        """At the side, since each takes a second to start."""
        settings = environment_of(OperatorSettings, demo.environment(self._stage.settings))
        for name in ("stuck", "leases"):
            command = [sys.executable, "-m", "remediation", name]
            self._said[name] = subprocess.Popen(
                command, env=settings, cwd=demo.REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )

    def _look_at_commands(self) -> None:
        for name, process in self._said.items():
            said, _ = process.communicate(timeout=240)
            if b"Traceback" in said or not said:
                raise AssertionError(f"remediation {name}: {said.decode()[-500:]}")
            self._search.look(f"what `remediation {name}` says", said)

    def _harvest(self) -> None:
        """What was by chance: states and codes as they came back in addresses, cookies and the tokens in them."""
        for answer in self._ours():
            query = parse_qs(urlsplit(answer.url).query)
            for name, known in (("state", "state"), ("code", "authorization code")):
                self._search.add(known, *(value for value in query.get(name, ()) if len(value) > 16))
            for header in answer.raw.headers.getlist("Set-Cookie"):
                for cookie in SimpleCookie(header).values():
                    if token := _token_in(cookie.value):
                        self._search.add("session cookie", cookie.value, token)

    def _look_at_answers(self, token: str) -> None:
        for answer in self._ours():
            path, to = urlsplit(answer.url).path, urlsplit(answer.headers.get("Location", "")).path
            its_own = {"possession token"} if token in answer.url else set[str]()
            led_on = {"state"} if path == "/sign-in" else {"possession token"} if to == f"/possession/{token}" else set[str]()
            self._search.look(f"a page at {path.replace(token, '…')}", answer.content, but=its_own | led_on)
            self._search.places += 1
            for name, value in answer.raw.headers.items():
                belongs = its_own | {"location": led_on, "set-cookie": {"session cookie"}}.get(name.lower(), set())
                there = self._search.inside(value) - belongs
                self._search.found |= {f"{needle} in the header {name} at {path.replace(token, '…')}" for needle in there}

    def _ours(self) -> list[requests.Response]:
        return [answer for answer in self._answers if answer.url.startswith(self._stage.origin)]


def _token_in(cookie: str) -> str | None:
    """What a session cookie of Flask's holds, without asking who signed it."""
    try:
        _signed, content = URLSafeTimedSerializer("", serializer=TaggedJSONSerializer()).loads_unsafe(cookie)
    except ValueError:
        return None
    token = content.get("t") if isinstance(content, dict) else None
    return token if isinstance(token, str) else None
