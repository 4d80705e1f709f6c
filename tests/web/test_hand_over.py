"""From a computer to the phone that is refused: a code that leads to our own start page and says nothing of anybody."""

import pytest
import segno
from bs4 import BeautifulSoup, Tag

from tests.web.conftest import Web

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148 Safari/604.1"


def code(web: Web, path: str, user_agent: str) -> Tag | None:
    page = web.browser().get(path, headers={"User-Agent": user_agent})
    return BeautifulSoup(page.text, "html.parser").select_one("#hand-over .qr svg")


@pytest.mark.parametrize("path", ["/start", "/remediation?platform=macos", "/enrollment?platform=windows"])
def test_on_a_computer_there_is_a_code_for_the_phone(web: Web, path: str) -> None:
    shown = code(web, path, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)")
    assert shown is not None
    right = segno.make(f"{web.settings.public_origin}/start", error="m", micro=False)
    drawn = [str(line["d"]) for line in shown.select("path[d]")]
    assert right.svg_inline(border=4, omitsize=True).split(' d="')[1].split('"')[0] in drawn


def test_on_a_phone_there_is_none(web: Web) -> None:
    assert code(web, "/start", IPHONE) is None


@pytest.mark.parametrize("language", ["en", "de", "ja", "ar"])
def test_the_leaflet_has_the_code_the_address_and_the_number_and_names_nobody(web: Web, language: str) -> None:
    web.scene("fix")
    page = BeautifulSoup(web.signed_in().get(f"/leaflet?lang={language}").text, "html.parser").select("main, .case")
    text = " ".join(part.get_text(" ", strip=True) for part in page)
    assert len(page[0].select(".qr svg path")) > 0
    assert [one in text for one in (f"{web.settings.public_origin}/start", "5550", "Mia")] == [True, True, False]
    assert page[0].select("form, button, a") == [], "it works on paper"
