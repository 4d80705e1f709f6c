"""Counts what must never happen, from outside: the answers as a browser takes them, the transactions as the database does."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from ada_url import URL
from bs4 import BeautifulSoup
from flask import redirect, request
from werkzeug.test import TestResponse

from bench.stage.fuzzed import MARK, Sent
from remediation.ports import Actor
from remediation.store.change import OneChange
from remediation.store.engine import writing
from remediation.store.store import SqlStore
from remediation.store.tables import metadata
from remediation.store.wakeups import DbosWakeups
from remediation.web.guards import who_may
from remediation.web.headers import ALWAYS
from tests.web.conftest import ORIGIN, Web

SHOWN = ["journeys", "observations"]
"""Which page a person sees: noted as an observation, as all that is seen and not done."""
COUNTED = ("server_errors", "reflected", "offsite", "unaudited", "missing_headers")
# Who is signed in, and how often somebody asked: of no consequence to anybody's device, and no decision of anybody's.
NOT_AUDITED = {"audit", "sessions", "sign_in_states", "turns"}
OURS = set(metadata.tables) - NOT_AUDITED
WRITES = re.compile(r'\s*(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM)\s+"?(\w+)', re.IGNORECASE)
ADDRESSES = re.compile(r'(?:href|action|src|data-watch)="([^"]*)"')
LEAVING = ("tel:", "https://apps.apple.com/", "https://play.google.com/", "ms-outlook://", "wsonehub://", "ms-settings:")
MARKED = re.compile(rf"(?i)[<\s]/?{MARK}\w*[\s=>/]|on\w+=\W?{MARK}\(|javascript:{MARK}")


class Watchman:
    def __init__(self, web: Web, tally: Counter[str], examples: list[str]) -> None:
        self.web, self.tally, self.examples = web, tally, examples
        self._watching = False
        entra = web.app.extensions["desk"].settings.entra_authority
        self._entra = (entra, entra.replace("https://", "http://").rpartition(":")[0])
        sa.event.listen(web.engine, "after_cursor_execute", self._wrote)
        sa.event.listen(web.engine, "commit", self._committed)
        sa.event.listen(web.engine, "rollback", lambda connection: connection.info.pop("wrote", None))

    def begin(self) -> None:
        self._watching = True

    def end(self) -> None:
        self._watching = False
        self.tally["batches"] += 1

    def judge(self, sent: Sent, answer: TestResponse) -> None:
        self.tally["decided"] += 1
        self.tally[f"status {answer.status_code}"] += 1
        if sent.rule is not None:
            self.tally[f"route {sent.method} {sent.rule}"] += 1
        found = {
            "server_errors": answer.status_code >= 500,
            "reflected": self._reflected(answer),
            "offsite": self._offsite(answer),
            "missing_headers": self._undressed(answer),
        }
        for name in (name for name, true in found.items() if true):
            self._note(name, f"{sent} → {answer.status_code} {answer.headers.get('Location', '')}")

    def _note(self, name: str, what: str) -> None:
        self.tally[name] += 1
        if len(self.examples) < 20:
            self.examples.append(f"{name}: {what[:600]}")

    def _reflected(self, answer: TestResponse) -> bool:
        if any(MARK in name.lower() or value == f"{MARK}=1" for name, value in answer.headers):
            return True
        text = answer.text
        if not MARKED.search(text):
            return False
        for tag in BeautifulSoup(text, "html.parser").find_all(True):
            if tag.name.startswith(MARK) or any(a.startswith((MARK, "on")) for a in tag.attrs):
                return True
            if any(str(tag.get(name, "")).strip().lower().startswith("javascript:") for name in ("href", "src", "action")):
                return True
        return False

    def _offsite(self, answer: TestResponse) -> bool:
        targets = [answer.headers["Location"]] if "Location" in answer.headers else []
        targets += re.findall(r"url=(.*)", answer.headers.get("Refresh", ""))
        targets += [unescape(found) for found in ADDRESSES.findall(answer.text)]
        return any(self._leaves(target, answer.request.path) for target in targets)

    def _leaves(self, target: str, path: str) -> bool:
        if target.startswith("/") and re.fullmatch(r"/[\w./?=&%+-]*", target) and not target.startswith("//"):
            return False  # nothing in it that two parsers could differ about
        try:
            parsed = URL(target, base=ORIGIN + "/")
        except ValueError:
            return False
        return parsed.origin != ORIGIN and not target.startswith(LEAVING) and not parsed.origin.startswith(self._entra)

    def _undressed(self, answer: TestResponse) -> bool:
        policy = answer.headers.get("Content-Security-Policy", "")
        kept = answer.headers.get("Cache-Control")
        dressed = all(answer.headers.get(name) == value for name, value in ALWAYS.items())
        file = answer.status_code == 200 and answer.request.path.startswith("/static/")
        return not (dressed and "frame-ancestors 'none'" in policy and (file or kept == "no-store"))

    # what the database is told

    def _wrote(self, connection: sa.Connection, cursor: Any, statement: str, *_: Any) -> None:
        found = WRITES.match(statement)
        if found is not None and cursor.rowcount != 0:
            connection.info.setdefault("wrote", []).append(found.group(1))

    def _committed(self, connection: sa.Connection) -> None:
        wrote = connection.info.pop("wrote", [])
        changed = OURS & set(wrote)
        if not self._watching or not (changed or "audit" in wrote) or sorted(wrote) == SHOWN:
            return
        self.tally["changes"] += 1
        if wrote.count("audit") != 1:
            self._note("unaudited", f"{sorted(changed)}")


def seed_fault(web: Web, broken: str | None) -> None:
    """One of the faults that the figures must catch, as a careless hand might write it."""
    app, desk = web.app, web.app.extensions["desk"]

    def replaced(endpoint: str, view: Callable[..., Any]) -> None:
        view.guard = who_may(app, endpoint)  # type: ignore[attr-defined]
        app.view_functions[endpoint] = view

    if broken == "reflected":
        app.jinja_env.autoescape = False
    elif broken == "offsite":
        for entrance in ("start", "enrollment", "remediation"):
            replaced(f"entrances.{entrance}", _trusting(app.view_functions[f"entrances.{entrance}"]))
    elif broken == "missing_headers":
        app.after_request_funcs[None] = [
            one for one in app.after_request_funcs[None] if one.__module__ != "remediation.web.headers"
        ]
    elif broken == "unaudited":
        app.extensions["desk"] = replace(desk, store=_Forgetful(web.engine, desk.store.tenant_id, DbosWakeups(web.engine)))
    elif broken == "server_errors":
        app.before_request(_for_the_log)


def _for_the_log() -> None:
    request.path.encode("ascii")


def _trusting(page: Callable[[], Any]) -> Callable[[], Any]:
    """Goes on to where the address says, if that is a path: it has no host, says `urlsplit`."""

    def view() -> Any:
        asked = (
            request.args.get(name, "") for name in ("next", "return", "url", "to", "returnUrl", "return_to", "continue", "target")
        )
        following = next((one for one in asked if one), None)
        return redirect(following, 303) if following is not None and not urlsplit(following).netloc else page()

    return view


class _Forgetful(SqlStore):
    """Rows without their audit row."""

    @contextmanager
    def change(self, actor: Actor, why: str, *, about: tuple[str, str], at: Any) -> Iterator[OneChange]:
        with writing(self._engine) as connection:
            inside = OneChange(connection, self.tenant_id, self._wakeups, at)
            yield inside
            if inside.broken is not None:
                raise inside.broken
