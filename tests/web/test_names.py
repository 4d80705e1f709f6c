"""T20: names from remotes are shown harmless on every page; the raw ones stay in the database."""

import unicodedata
from dataclasses import replace

import pytest
from bs4 import BeautifulSoup

from remediation.domain.compliance import Rule
from remediation.domain.device import Person
from remediation.web.names import LONGEST, shown
from tests.people import MANAGED_PHONE, MIA, REGISTERED_PHONE
from tests.web.conftest import Web
from tests.web.scenes import BROWSER, FAILING, SECOND_PHONE

HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "attribute": '" autofocus onfocus="alert(1)',
    "template": "{{ 7*7 }} %(name)s {% raw %} %s",
    "link": "javascript:alert(1)//</bdi></title></textarea>",
    "bidi": "Mia\u202egnp.exe\u2066\u2069\u200f\u061c",
    "control": "a\x00b\x1b[31mc\r\nSet-Cookie: x\u2028d\u2029\x7f",
    "long": "n" * 4096,
    "zalgo": "e" + "\u0301" * 4000,
    "emoji": "📱 Mia's 👩‍👩‍👧 phone 🇩🇪",
    "invisible": "\u200b\ufeff\u00ad\u2060",
    "surrogate": "x\ud83d y".encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_shown_is_short_on_one_line_and_visible(name: str) -> None:
    words = shown(name)
    assert len(words) <= LONGEST
    assert {unicodedata.category(char) for char in words if char != "\u200d"} & {"Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"} == set()


def test_an_ordinary_name_stays_as_it_is() -> None:
    for name in ("mia iPhone", "Zoë’s iPhone 13 mini", "山田さんのiPhone", "هاتف ميا", "📱 👩‍👩‍👧"):
        assert shown(name) == name


def bones(page: str) -> list[tuple[str, tuple[str, ...]]]:
    """Elements with the names of their attributes: what a hostile name must not add to."""
    return [(tag.name, tuple(sorted(tag.attrs))) for tag in BeautifulSoup(page, "html.parser").find_all(True)]


def pages(web: Web, name: str) -> list[str]:
    phone = replace(
        MANAGED_PHONE,
        name=name,
        model=name,
        posture=replace(FAILING, failing=(Rule(name, name, None), Rule(name, name, "passcode"))),
    )
    person = Person(oid=MIA.oid, name=name, user_name=name)
    scene = web.begun(person=person)
    scene.has_phones(phone, replace(SECOND_PHONE, name=name)).registered(replace(REGISTERED_PHONE, name=name)).looked()
    browser = web.signed_in(person, BROWSER)
    found = [browser.get("/journey").text]
    scene.message_sent()
    found += [browser.get("/journey").text, browser.get(f"/possession/{scene.token}").text]
    scene.linked().looked()
    return [*found, browser.get("/journey").text, browser.get("/journey/status").text]


@pytest.mark.parametrize("hostile", [name for name in HOSTILE if name not in ("surrogate", "invisible")])
def test_T20_a_hostile_name_adds_no_element_and_no_attribute(web: Web, hostile: str) -> None:
    raw = HOSTILE[hostile].replace("\x00", "")  # PostgreSQL holds no NUL; the adapters refuse it
    for page in pages(web, raw):
        names = {tag.name for tag in BeautifulSoup(page, "html.parser").find_all(True)}
        assert not names & {"img", "textarea", "iframe", "object"}
        assert all(not a.startswith("on") and a != "autofocus" for _, attributes in bones(page) for a in attributes)
        assert "alert(1)</script>" not in page
        assert not set(page) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200f\u061c\u2028\u2029\x1b")
        assert "n" * (LONGEST + 140) not in page


def test_T20_the_same_bones_with_a_hostile_name_as_with_a_plain_one(web: Web) -> None:
    scene = web.scene("this_device_two")
    plain = bones(web.signed_in().get("/journey").text)
    scene.has_phones(
        *(replace(phone, name=HOSTILE["markup"], model=HOSTILE["attribute"]) for phone in (MANAGED_PHONE, SECOND_PHONE))
    )
    hostile = web.signed_in().get("/journey").text
    assert bones(hostile) == plain
    assert "&lt;script&gt;" in hostile


def test_the_database_keeps_the_raw_name(web: Web) -> None:
    scene = web.begun().has_phones(replace(MANAGED_PHONE, name=HOSTILE["bidi"]))
    assert scene.phone().name == HOSTILE["bidi"]
