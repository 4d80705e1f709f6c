"""Which terms a text is found by, and what is asked for when somebody types or pastes."""

import pytest

from remediation.domain import search


@pytest.mark.parametrize(
    ("text", "found_by"),
    [
        ("Mia Berger", {"mia", "berger"}),
        ("Ödegaard-Lind", {"odegaard-lind", "lind", "odegaardlind"}),
        ("O’Brien", {"o'brien", "brien", "obrien"}),
        ("mia.berger@contoso.example", {"mia.berger@contoso.example", "berger@contoso.example", "contoso.example", "example"}),
        ("Straße (Lab)", {"strasse", "lab"}),
        ("山田 太郎", {"山田", "太郎"}),
        ("… — !", set()),
        (None, set()),
    ],
)
def test_words(text: str | None, found_by: set[str]) -> None:
    assert search.words(text) == found_by


def test_identifiers_are_found_from_their_beginning_only() -> None:
    assert search.identifiers("5F0E1C2D-4B3A-4F5E-8D6C-7B8A9F0E1D2C", "F2LX K9", None, "--") == {
        "5f0e1c2d4b3a4f5e8d6c7b8a9f0e1d2c",
        "f2lxk9",
    }


@pytest.mark.parametrize(
    ("text", "words", "identifiers"),
    [
        ("  MIA   berger ", ("mia", "berger"), ()),
        ("Mia Berger <mia@contoso.example>;", ("mia", "berger", "mia@contoso.example"), ("mia@contoso.example",)),
        ("Serial number: C02XK1ABC", ("serial", "number", "c02xk1abc"), ("c02xk1abc",)),
        (
            'Device identifier: "5f0e1c2d-4b3a-4f5e-8d6c-7b8a9f0e1d2c" (iOS 18)',
            ("device", "identifier", "5f0e1c2d-4b3a-4f5e-8d6c-7b8a9f0e1d2c", "ios"),
            ("5f0e1c2d-4b3a-4f5e-8d6c-7b8a9f0e1d2c",),
        ),
        (
            "deviceid=5f0e1c2d4b3a4f5e8d6c7b8a9f0e1d2c&x",
            ("deviceid=5f0e1c2d4b3a4f5e8d6c7b8a9f0e1d2c&x",),
            ("5f0e1c2d4b3a4f5e8d6c7b8a9f0e1d2c",),
        ),
        ("\x00mia", ("mia",), ()),
    ],
)
def test_what_is_asked(text: str, words: tuple[str, ...], identifiers: tuple[str, ...]) -> None:
    asked = search.asked(text, most=4)
    assert asked.words == words
    assert set(identifiers) <= set(asked.identifiers)
    assert len(asked.identifiers) - len(identifiers) <= 1  # a token around an id may look like one


@pytest.mark.parametrize(("word", "enough"), [("mi", False), ("mia", True), ("m-i", False), ("山", False), ("山田", True)])
def test_three_letters_or_two_wide_ones(word: str, *, enough: bool) -> None:
    assert search.long_enough(word) is enough


def test_a_hostile_name_is_not_worth_many_terms() -> None:
    assert len(search.words("a-" * 5000)) <= search.MOST
    assert all(len(term) <= search.LONGEST for term in search.words("x" * 5000, "y@" * 5000))
