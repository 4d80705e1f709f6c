"""Every sentence by its id: none missing, none unused, none written into a template, none with markup of its own."""

import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

from remediation.domain.block_page import Meaning
from remediation.domain.compliance import ADVICE
from remediation.domain.device import Platform
from remediation.domain.loops import ASKS, Rung
from remediation.domain.steps import CHAIN, RELAYED, ChainState, Step
from remediation.domain.troubles import Part, Trouble
from remediation.web import HERE, HOUSE, entrances, error_pages, links, microsoft_says_pages, panel, possession_pages
from remediation.web.texts import APP
from tests.web import figure_ids, helpdesk_ids, impact_ids, onboarding_ids

TEMPLATES = sorted((HOUSE / "templates").rglob("*.html"))
CATALOGUES = sorted((HERE / "translations").glob("*.po"))


def ids(file: Path) -> dict[str, str]:
    with file.open("rb") as source:
        return {str(message.id): str(message.string) for message in read_po(source) if message.id}


TEXTS = {file.stem.replace("_", "-"): {key: words.replace(APP, "Hub") for key, words in ids(file).items()} for file in CATALOGUES}
"""By language, as pages show them where nobody set the name of the MDM's app."""
ENGLISH, GERMAN = TEXTS["en"], TEXTS["de"]
# Words of Latin letters that stand in Japanese and Arabic, too: names, and what systems write that way.
LATIN = """
AADSTS Android App Apple Authenticator BitLocker Chrome Company Cookie Edge Entra Face FileVault Finder Google Hub ID IT Intune Mac
Linux Microsoft Outlook PIN Play Portal Safari Store Teams Touch Update Wi-Fi Windows dsregcmd iPad iPhone macOS status HH MMM mm
auth time remediation onboard
"""
FAMILIAR = {
    "de": r"du|dein|deine|dich|dir",
    "fr": r"tu|toi|ton|ta|tes",
    "es": r"tú|tu|tus|ti|contigo",
    "pt-BR": r"tu|teu|tua|teus|tuas|contigo",
}


def asked_for() -> Iterator[tuple[str, bool]]:
    """Each id that a template asks for; True where it is only the beginning of one."""
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    for file in TEMPLATES:
        tree = environment.parse(file.read_text())
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "_":
                yield from _named(call.args[0])
            if isinstance(call.node, nodes.Getattr) and call.node.attr == "steps":
                yield from _named(call.args[0], beginning=True)


def _named(node: nodes.Node, *, beginning: bool = False) -> Iterator[tuple[str, bool]]:
    if isinstance(node, nodes.Const):
        yield node.value, beginning
    elif isinstance(node, nodes.CondExpr):
        assert node.expr2 is not None
        yield from _named(node.expr1)
        yield from _named(node.expr2)
    elif isinstance(node, nodes.Concat) and isinstance(node.nodes[0], nodes.Const):
        yield node.nodes[0].value, True
    elif isinstance(node, nodes.Concat):
        assert isinstance(node.nodes[0], nodes.Name), "an id begins with a literal"


def values(kind: type[Enum]) -> list[str]:
    return [str(member.value) for member in kind]


PLATFORMS = [platform.value for platform in entrances.CHOICES]
WAYS = [platform for platform in PLATFORMS if platform != "android"] + [f"android.{broker}" for broker in links.BROKERS]
# Made up in the console's own modules; tests/web/test_helpdesk.py has them.
# What anybody may meet, such as a link of the set-up that is over, is not among them.
STAFFS = (
    "helpdesk_",
    "role_",
    "impact_",
    "preview_",
    "admin_signed_out",
    "confirm_again",
    "mdm_name",
    "set_up_changed",
    "set_up_too_early",
    "work_",
    "incident_",
    *("access_gone", "access_unsure", "access_own", "access_same", "access_changed"),
)
STAFF_ERRORS = [f"error.{part}.{key}" for part in ("title", "text", "go") for key in STAFFS]
LEADS = (
    "title",
    "link",
    "lead",
    "current",
    "end",
    "write",
    "text",
    "hint",
    "for",
    "hours",
    "see",
    "preview",
    "replaces",
    "publish",
    "fault.",
)
STAFF = (
    *("helpdesk.", "audit.", "connections.", "figures.", "onboarding.", "impact.", "repair.", "preview.", "work."),
    *("access.desk.", "access.hand.", "appearance."),
    *(f"incident.{part}" for part in LEADS),
    *STAFF_ERRORS,
)
# Ids that Python asks for.
IN_PYTHON = {
    "page.day_and_time",
    "message.possession",
    "message.test",
    "message.replaced",
    "message.replaced.subject",
    "message.begin",
    "message.begin.subject",
    "message.start",
    "message.start.subject",
    "message.open",
    "message.open.subject",
}
MADE_UP = {
    **helpdesk_ids.MADE_UP,
    **figure_ids.MADE_UP,
    **onboarding_ids.MADE_UP,
    **impact_ids.MADE_UP,
    "title.": {*values(Step), "relay"},
    "platform.": values(Platform),
    "chain.name.": {*CHAIN, *RELAYED},
    "chain.state.": values(ChainState),
    "wait.now.": {*CHAIN, *RELAYED},
    "wait.heading.": ("usual", "longer", "late"),
    "wait.said.": panel.SAID,
    "wait.said_do.": panel.SAID,
    **{f"help.{part}.": {*panel.HELP, "other"} for part in ("why", "do", "they")},
    **{f"not_for_you.{part}.": {*panel.NOT_FOR_YOU, "other"} for part in ("heading", "what", "who", "say")},
    "device.not.": PLATFORMS,
    "inside.text.": ("safari", "browser"),
    "enroll.step.": {f"{platform}.{n}" for platform in PLATFORMS for n in "123"},
    "enroll.sees_not.": PLATFORMS,
    "again.step.": "123",
    "in_app.step.": "1234",
    **{f"sign_in.{part}.": ("asked", "waiting", "unnamed", "failed", "another") for part in ("heading", "lead")},
    "sign_in.step.": "123",
    **{f"certificate.{part}.": ("asked", "shown") for part in ("heading", "lead")},
    "certificate.step.": "123",
    "sign_in.browser.": values(Platform),
    "cannot.step.": "123",
    **{f"says.{part}.": values(Meaning) for part in ("title", "text")},
    **{f"says.computer.{part}.": microsoft_says_pages.COMPUTERS for part in ("title", "text")},
    **{f"says.{part}.": microsoft_says_pages.WHOSE for part in ("device", "device_text")},
    "says.where.": "123",
    "loop.heading.": {Rung.ANOTHER.value, Rung.HELPDESK.value},
    "loop.do.": {step.value for step in ASKS},
    "trouble.noticed.": {one.value for one in (Trouble.HALF_WAY, Trouble.NEW_PHONE, Trouble.ASKED_AGAIN, Trouble.TOO_MANY)},
    "trouble.part.": values(Part),
    **{f"trouble.{part}.": values(Trouble) for part in ("ask", "text", "do")},
    "open.observed.": ("changed", "already_so", "relayed", "found"),
    "slow.title.": ("mdm", "directory", "channel"),
    "advice.title.": ADVICE,
    "advice.why.": ADVICE,
    "advice.step.": {f"{name}.{platform}.{n}" for name in ADVICE for platform in PLATFORMS for n in "123"},
    "register.": {f"{way}.{n}" for way in WAYS for n in "1234"},
    "register.android.": {f"{broker}.{n}" for broker in links.BROKERS for n in "1234"},
    "register.open.": set(PLATFORMS) - {"android"},
    "register.store.": {*links.BROKERS, "macos"},
    "this_device.open.": "123",
    "open.step.": {f"{kind}.{n}" for kind in ("phone", "computer") for n in "12"},
    "open.other.": "123",
}
ERRORS = (
    set(error_pages.KNOWN.values())
    | error_pages.SIGN_IN
    | error_pages.BACK_TO_JOURNEY
    | {f"possession_{why}" for why in possession_pages.STATUS}
    | impact_ids.ERRORS
)


def keys_in_python() -> set[str]:
    of_pages = [file for file in HERE.glob("*.py") if file.name != "doctor_words.py"]  # whose ids are the doctor's
    source = "\n".join(file.read_text() for file in of_pages)
    return {key for found in re.findall(r'(?:Interruption|page)\(\s*"(\w+)"|"(sign_in_[a-z_]+)"', source) for key in found if key}


def test_every_id_that_a_page_can_ask_for_is_there() -> None:
    literal = {key for key, beginning in asked_for() if not beginning}
    errors = {f"error.{part}.{key}" for part in ("title", "text", "go") for key in ERRORS | keys_in_python()}
    made_up = {beginning + end for beginning, ends in MADE_UP.items() for end in ends}
    assert (literal | errors | made_up | IN_PYTHON) - set(ENGLISH) == set()


def test_no_id_is_left_over() -> None:
    asked = list(asked_for())
    literal = {key for key, beginning in asked if not beginning}
    made_up = {beginning + end for beginning, ends in MADE_UP.items() for end in ends}
    errors = {f"error.{part}.{key}" for part in ("title", "text", "go") for key in ERRORS | keys_in_python()}
    left = set(ENGLISH) - literal - made_up - errors - IN_PYTHON
    assert not [key for key in left if not key.startswith(STAFF)]
    beginnings = {key for key, beginning in asked if beginning} - {"advice.step.", "error.title.", "error.text.", "error.go."}
    assert not [key for key in beginnings - set(MADE_UP) if not key.startswith(STAFF)]


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.stem)
def test_every_catalogue_has_the_same_ids_and_the_same_variables_and_no_markup(file: Path) -> None:
    texts = ids(file)
    assert set(texts) <= set(ENGLISH)
    assert not [key for key in set(ENGLISH) - set(texts) if not key.startswith(STAFF)]
    for key, text in texts.items():
        assert text.strip(), key
        assert "<" not in text, key
        assert sorted(re.findall(r"%\((\w+)\)s", text.replace(APP, "Hub"))) == sorted(re.findall(r"%\((\w+)\)s", ENGLISH[key])), key
        assert "%" not in re.sub(r"%\(\w+\)s", "", text), key
        assert text == text.strip(), key
        assert key.startswith(STAFF) or not re.search(r"[\n\r\t]|  ", text), key


@pytest.mark.parametrize(("language", "letters"), [("ja", r"[\u3041-\u30ff\u4e00-\u9fff]"), ("ar", r"[\u0621-\u064a]")])
def test_what_is_written_in_other_letters_holds_no_word_of_ours_but_names(language: str, letters: str) -> None:
    for key, text in TEXTS[language].items():
        bare = re.sub(r"%\(\w+\)s", "", text)
        assert key in ("platform.macos", "page.day_and_time") or re.search(letters, bare), key
        assert set(re.findall(r"[A-Za-z][A-Za-z-]+", bare)) <= set(LATIN.split()), key


def test_latin_languages_are_written_in_latin_letters() -> None:
    for language in TEXTS.keys() - {"ja", "ar"}:
        assert not [key for key, text in TEXTS[language].items() if re.search(r"[\u0370-\u1dff\u3000-\ud7ff]", text)], language


@pytest.mark.parametrize("language", FAMILIAR)
def test_nobody_is_addressed_as_a_friend(language: str) -> None:
    friend = re.compile(rf"\b({FAMILIAR[language]})\b", re.IGNORECASE)
    assert not [key for key, text in TEXTS[language].items() if friend.search(text)]


def test_a_head_of_a_catalogue_says_whose_it_is() -> None:
    for file in CATALOGUES:
        assert f'"Language: {file.stem}\\n"' in file.read_text(), file.name


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_a_template_holds_no_words_no_safe_filter_and_stays_small(file: Path) -> None:
    source = file.read_text()
    assert len(source.splitlines()) <= 120
    assert "|safe" not in source.replace(" ", "")
    assert not re.search(r"\s[\w-]+=\{\{|\son\w+=|\sstyle=", source), "unquoted attribute or inline handler"
    bare = re.sub(r"\{% block kind %\}\w+|\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", source, flags=re.DOTALL)
    attributes = re.findall(r'(?:alt|title|aria-label|placeholder)="([^"]*)"', bare)
    bare = re.sub(r"<[^>]*>", " ", bare, flags=re.DOTALL)
    assert not re.search(r"[A-Za-z]{2,}", bare + " ".join(attributes)), bare
