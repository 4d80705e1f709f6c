"""Every sentence a person reads, by its stable id. English is a catalogue like any other: one `.po` file in `translations/`.

Variables are escaped when they are put in (Jinja's *newstyle*); a sentence itself is ours and holds no markup (a test holds that).
Next door: `languages` (the links by which a person changes the language).
"""

import io
from collections.abc import Callable
from gettext import GNUTranslations
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, g, has_request_context, request
from markupsafe import escape

HERE = Path(__file__).resolve().parent / "translations"
ENGLISH = "en"
ASKED, COOKIE = "lang", "language"
APP = "%(app)s"
"""Stands in a sentence for the name of the MDM's app on the device."""


class Texts:
    """The catalogues of one folder, read once at start. `default` is for browsers that ask for none we have, and for messages."""

    def __init__(self, folder: Path = HERE, default: str = ENGLISH) -> None:
        self.default = default
        self.app: Callable[[], str] = lambda: "Hub"
        self.catalogues = {file.stem: _read(file) for file in sorted(folder.glob("*.po"))}
        for name, catalogue in self.catalogues.items():
            if name != ENGLISH:
                catalogue.add_fallback(self.catalogues[ENGLISH])  # a sentence in the wrong language is better than an id

    def install(self, app: Flask) -> None:
        app.jinja_env.add_extension("jinja2.ext.i18n")
        app.jinja_env.install_gettext_callables(self.gettext, self.ngettext, newstyle=True)  # type: ignore[attr-defined]
        app.jinja_env.globals["language"] = self.language
        app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    def language(self) -> str:
        """What the person chose, in this address or earlier; else the best of ours for this browser."""
        if not has_request_context():
            return self.default
        if "language" not in g:
            chosen = (request.args.get(ASKED), request.cookies.get(COOKIE))
            known = next((name for name in chosen if name in self.catalogues), None)
            g.language = known or request.accept_languages.best_match(list(self.catalogues)) or self.default
        return str(g.language)

    def gettext(self, key: str) -> str:
        """A sentence is ours and passes as markup; a key that has none may end in a word of the database, and must not."""
        found = self.catalogues[self.language()].gettext(key)
        if APP in found:
            found = found.replace(APP, str(escape(self.app())).replace("%", "%%"))
        return found if found != key else str(escape(key)).replace("%", "%%")

    def ngettext(self, one: str, many: str, count: int) -> str:
        return self.catalogues[self.language()].ngettext(one, many, count)

    def in_default(self, key: str, **values: str) -> str:
        """For what is written outside a page, such as a message through the MDM."""
        return self.catalogues[self.default].gettext(key) % values


def _read(file: Path) -> GNUTranslations:
    with file.open("rb") as source:
        catalogue = read_po(source, locale=file.stem)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
