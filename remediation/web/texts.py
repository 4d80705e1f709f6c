"""Every sentence a person reads, by its stable id. English is a catalogue like any other: one `.po` file in `translations/`.

A catalogue that lacks what only staff read is offered to the blocked person and not to staff, so that no page falls back in silence
and `lang` never lies. Variables are escaped when they are put in (Jinja's *newstyle*); a sentence itself is ours and holds no
markup (a test holds that). Next door: `languages` (the links by which a person changes the language).
"""

import io
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from gettext import GNUTranslations
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, g, has_request_context, request
from markupsafe import escape

HERE = Path(__file__).resolve().parent / "translations"
ENGLISH = "en"
ASKED, COOKIE = "lang", "language"
APP = "%(app)s"
"""Stands in a sentence for the name of the MDM's app on the device."""
CODE = "%(code)s"
"""A case code is read aloud, so it stays on one line, its hyphen notwithstanding."""
NOT_OF_PAGES = ("message.", "page.language", "mail.")
VARIABLE = re.compile(r"%\(\w+\)s")


class Texts:
    """The catalogues of one folder by their language tag (`pt-BR` for `pt_BR.po`), read once at start. `default` is for browsers
    that ask for none we have, and for messages. `whole` names those that have every id of the English one."""

    def __init__(self, folder: Path = HERE, default: str = ENGLISH) -> None:
        self.default = default
        self.app: Callable[[], str] = lambda: "Hub"
        self.for_staff: Callable[[], bool] = lambda: False
        self.instead: Callable[[str, str], str | None] = lambda language, key: None
        """What an administrator put in place of a sentence of ours (`appearance`)."""
        files = sorted(folder.glob("*.po"))
        self.catalogues, self.whole, self.for_people = _catalogues(tuple((file, file.stat().st_mtime_ns) for file in files))

    def install(self, app: Flask) -> None:
        app.jinja_env.add_extension("jinja2.ext.i18n")
        app.jinja_env.install_gettext_callables(self.gettext, self.ngettext, newstyle=True)  # type: ignore[attr-defined]
        app.jinja_env.globals.update(language=self.language, direction=self.direction)
        app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    def offered(self) -> Sequence[str]:
        """The languages that the page which is being answered can be read in as a whole."""
        return self.whole if self.for_staff() else list(self.catalogues)

    def language(self) -> str:
        """What the person chose, in this address or earlier; else the best of ours for this browser."""
        if not has_request_context():
            return self.default
        if "language" not in g:
            offered = self.offered()
            chosen = (request.args.get(ASKED), request.cookies.get(COOKIE), _wish(offered), self.default)
            g.language = next((tag for tag in chosen if tag in offered), ENGLISH)
        return str(g.language)

    def locale(self) -> Locale:
        return Locale.parse(self.language(), sep="-")

    def direction(self) -> str:
        """`ltr` or `rtl`, as HTML's `dir` has it."""
        return self.locale().text_direction

    def gettext(self, key: str) -> str:
        """A sentence is ours and passes as markup; a key that has none may end in a word of the database, and must not."""
        theirs = self.instead(self.language(), key)
        found = self.catalogues[self.language()].gettext(key) if theirs is None else str(escape(theirs))
        if found == key:
            return str(escape(key)).replace("%", "%%")
        if self.direction() == "rtl":
            # A phone number or code among words that run the other way would have its parts put in the other order
            # (Unicode's UAX #9), so what stands for a variable is set apart.
            found = VARIABLE.sub(r"<bdi>\g<0></bdi>", found)
        found = found.replace(CODE, f'<bdi class="whole">{CODE}</bdi>')
        return found.replace(APP, str(escape(self.app())).replace("%", "%%")) if APP in found else found

    def ngettext(self, one: str, many: str, count: int) -> str:
        return self.catalogues[self.language()].ngettext(one, many, count)

    def in_default(self, key: str, **values: str) -> str:
        """For what is written outside a page, such as a message through the MDM."""
        return self.sentence(key) % values

    def sentence(self, key: str) -> str:
        """Ours, in the default language, with its variables."""
        return self.catalogues[self.default].gettext(key)


@lru_cache(maxsize=4)
def _catalogues(
    files: tuple[tuple[Path, int], ...],
) -> tuple[dict[str, GNUTranslations], list[str], dict[str, dict[str, str]]]:
    """By tag, the whole ones, and by tag the sentences that every language has: those that people see. Kept as long as the files
    are the same: reading them takes a third of a second, and a process that takes other settings, or a test, builds its pages again
    and again."""
    read = {file.stem.replace("_", "-"): _read(file) for file, _ in files}
    catalogues = {tag: catalogue for tag, (catalogue, _) in read.items()}
    for tag, catalogue in catalogues.items():
        if tag != ENGLISH:
            catalogue.add_fallback(catalogues[ENGLISH])  # a sentence in the wrong language is better than an id
    whole = [tag for tag, (_, ids) in read.items() if ids >= read[ENGLISH][1]]
    common = sorted(one for one in set.intersection(*(ids for _, ids in read.values())) if not one.startswith(NOT_OF_PAGES))
    return catalogues, whole, {tag: {one: catalogue.gettext(one) for one in common} for tag, catalogue in catalogues.items()}


def _wish(offered: Sequence[str]) -> str | None:
    """The first of ours in the browser's own order. Regions count only between two of ours, so that `fr-CA` and `pt` find one."""
    for wanted, quality in request.accept_languages:
        alike = [tag for tag in offered if _primary(tag) == _primary(wanted)]
        if alike and quality > 0:
            return next((tag for tag in alike if tag.lower() == wanted.lower()), alike[0])
    return None


def _primary(tag: str) -> str:
    return tag.partition("-")[0].lower()


def _read(file: Path) -> tuple[GNUTranslations, set[str]]:
    with file.open("rb") as source:
        catalogue = read_po(source, locale=file.stem)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled), {
        message.id for message in catalogue if message.id and message.string and isinstance(message.id, str)
    }
