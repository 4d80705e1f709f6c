"""Every sentence a person reads, by its stable id. English is a catalogue like any other: one `.po` file in `translations/`.

Variables are escaped when they are put in (Jinja's *newstyle*); a sentence itself is ours and holds no markup (a test holds that).
"""

import io
from gettext import GNUTranslations
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, g, has_request_context, request

DEFAULT = "en"


class Texts:
    """The catalogues of one folder, read once at start."""

    def __init__(self, folder: Path) -> None:
        self.catalogues = {file.stem: _read(file) for file in sorted(folder.glob("*.po"))}

    def install(self, app: Flask) -> None:
        app.jinja_env.add_extension("jinja2.ext.i18n")
        app.jinja_env.install_gettext_callables(self.gettext, self.ngettext, newstyle=True)  # type: ignore[attr-defined]
        app.jinja_env.globals["language"] = self.language
        app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    def language(self) -> str:
        """The best of the shipped languages for this browser."""
        if not has_request_context():
            return DEFAULT
        if "language" not in g:
            g.language = request.accept_languages.best_match(list(self.catalogues)) or DEFAULT
        return str(g.language)

    def gettext(self, key: str) -> str:
        return self.catalogues[self.language()].gettext(key)

    def ngettext(self, one: str, many: str, count: int) -> str:
        return self.catalogues[self.language()].ngettext(one, many, count)


def _read(file: Path) -> GNUTranslations:
    with file.open("rb") as source:
        catalogue = read_po(source, locale=file.stem)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
