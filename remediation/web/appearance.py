"""What an administrator put in place of ours, on every page: read from the database once in some seconds, whatever is asked for.

It must never keep a page from being shown: where the database is away, what was last read counts. Next door: `appearance_pages`
(where it is changed), `domain/appearance.py` (what may stand there, checked once more when it is shown).
"""

import hashlib
import logging
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from flask import Flask

from ..domain import appearance as rules
from ..domain.appearance import DARK, HOURS, LIGHT, LOGO, PHONE
from ..domain.logo import fit
from ..ports import AppearanceRows
from ..services.appearance import Ours, checked
from .desk import desk

log = logging.getLogger(__name__)

READ_EVERY = timedelta(seconds=5)  # how late another process may be with it
HEIGHT = 28  # pixels of the logo on the page
NAMES = {LIGHT: ("", ""), DARK: ("@media (prefers-color-scheme: dark) {", "}")}


class Shop:
    """One for each process."""

    def __init__(self, rows: AppearanceRows, ours: Ours) -> None:
        self.rows, self._ours = rows, ours
        self._lock = Lock()
        self._read_at: datetime | None = None
        self._known: Mapping[str, str] = {}
        self._made: dict[str, tuple[bytes, str]] = {}
        self._style: str | None = None

    def current(self, now: datetime) -> Mapping[str, str]:
        with self._lock:
            if self._read_at is None or not timedelta(0) <= now - self._read_at < READ_EVERY:
                self._read_at = now
                try:
                    self._take({key: value for key, value in self.rows.current().items() if not self._unfit(key, value)})
                except Exception as error:  # the page for a database that is away has a look too
                    log.warning("the appearance could not be read (%s)", type(error).__name__)
            return self._known

    def forget(self) -> None:
        """After a change of our own: the next page reads anew."""
        with self._lock:
            self._read_at = None

    def style(self, now: datetime) -> str | None:
        """The address of the colours and the logo; None where both are ours."""
        self.current(now)
        return self._style

    def find(self, name: str) -> tuple[bytes, str] | None:
        return self._made.get(name)

    def _unfit(self, key: str, value: str) -> bool:
        """Once more: our sentence may have got another variable since it was stored."""
        return bool(checked(key, value, self._ours)[1])

    def _take(self, read: Mapping[str, str]) -> None:
        if read == self._known:
            return
        self._known, self._made, self._style = read, {}, None
        sheet = _colours(read) + self._logo(read.get(LOGO))
        if sheet:
            self._style = self._serve(f"@media screen {{\n{sheet}}}\n".encode(), ".css", "text/css; charset=utf-8")

    def _logo(self, kept: str | None) -> str:
        if kept is None:
            return ""
        content, width, height = fit(kept)
        address = self._serve(content, ".png", "image/png")
        size = f"width: {round(width * HEIGHT / height)}px; height: {HEIGHT}px; border-radius: 0; vertical-align: middle"
        return f".organisation::before {{ background: url({address}) center / contain no-repeat; {size} }}\n"

    def _serve(self, content: bytes, suffix: str, kind: str) -> str:
        name = hashlib.sha256(content).hexdigest()[:16] + suffix
        self._made[name] = (content, kind)
        return f"/brand/{name}"


def _colours(read: Mapping[str, str]) -> str:
    sheet = ""
    for key, (before, after) in NAMES.items():
        if key in read:
            made = rules.shades(key, read[key])
            names = {"accent": made.accent, "accent-hover": made.hover, "on-accent": made.on_accent, "accent-bg": made.pale}
            sheet += f"{before}:root {{ {'; '.join(f'--{name}: {value}' for name, value in names.items())} }}{after}\n"
    # A light accent of theirs must not reach the dark page, which has its own.
    return sheet if DARK in read or LIGHT not in read else f"@media (prefers-color-scheme: light) {{ {sheet} }}\n"


def install(app: Flask) -> None:
    texts = app.extensions["desk"].texts
    texts.instead = lambda language, key: _shown().get(rules.text_key(language, key))
    app.jinja_env.globals["brand"] = lambda: desk().shop.style(desk().clock())
    app.context_processor(_helpdesk)


def _shown() -> Mapping[str, str]:
    return desk().shop.current(desk().clock())


def _helpdesk() -> dict[str, Any]:
    settings, shown = desk().settings, _shown()
    phone = shown.get(PHONE, settings.helpdesk_phone)
    return {
        "helpdesk_phone": phone.replace(" ", "\u00a0"),  # never broken over two lines
        "helpdesk_tel": re.sub(r"[^+0-9]", "", phone),
        "helpdesk_hours": shown.get(HOURS, settings.helpdesk_hours),
    }
