"""What counts as a text, a flag, a number, a moment; and that nothing counts as two of them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from remediation.adapters.fields import Fields
from remediation.errors import Garbled

SAMPLES: dict[str, Any] = {"text": "a", "flag": True, "number": 7, "real": 1.5, "list": [1], "object": {"a": 1}}


def of(value: Any) -> Fields:
    return Fields({"it": value}, "mdm")


@pytest.mark.parametrize("kind", ["text", "flag", "number"])
@pytest.mark.parametrize("sample", SAMPLES)
def test_each_type_is_itself_alone(kind: str, sample: str) -> None:
    if kind == sample:
        assert getattr(of(SAMPLES[sample]), kind)("it") == SAMPLES[sample]
        return
    with pytest.raises(Garbled, match="it is not as specified"):
        getattr(of(SAMPLES[sample]), kind)("it")


@pytest.mark.parametrize("kind", ["text", "flag", "number", "moment"])
def test_absent_and_null_are_none_and_garbled_where_needed(kind: str) -> None:
    for fields in (of(None), Fields({}, "mdm")):
        assert getattr(fields, kind)("it") is None
        if kind != "moment":
            with pytest.raises(Garbled):
                getattr(fields, f"need_{kind}")("it")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2021-06-28T04:35:20.150", datetime(2021, 6, 28, 4, 35, 20, 150_000, tzinfo=UTC)),
        ("2021-06-28T04:35:20Z", datetime(2021, 6, 28, 4, 35, 20, tzinfo=UTC)),
        ("2021-06-28T06:35:20+02:00", datetime(2021, 6, 28, 4, 35, 20, tzinfo=UTC)),
        ("2024-04-02T08:11:22.5720125Z", datetime(2024, 4, 2, 8, 11, 22, 572_012, tzinfo=UTC)),
        ("0001-01-01T00:00:00.000", None),
        ("0001-01-01T00:00:00Z", None),
        ("", None),
    ],
)
def test_moments_are_utc_wherever_we_run(monkeypatch: pytest.MonkeyPatch, text: str, moment: datetime | None) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert of(text).moment("it") == moment
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "text", ["yesterday", "2021-13-01T00:00:00", "0001-01-01T00:00:00+14:00", "1617264000", "/Date(1642324439572)/"]
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(Garbled):
        of(text).moment("it")


def test_what_no_database_takes_is_replaced() -> None:
    assert of("a\0b\ud800c").text("it") == "a\ufffdb\ufffdc"
    assert of("Mia’s “iPhone” \u202e<b>\U0001f600").text("it") == "Mia’s “iPhone” \u202e<b>\U0001f600"


def test_lists_hold_objects() -> None:
    assert [item.number("a") for item in of([{"a": 1}, {"a": 2}]).items("it")] == [1, 2]
    odds: tuple[Any, ...] = (None, {}, "x", [1], [None])
    for odd in odds:
        with pytest.raises(Garbled):
            of(odd).items("it")


def test_a_list_of_texts_is_one() -> None:
    assert Fields({"value": ["a", "b"]}, "x").texts("value") == ["a", "b"]
    assert Fields({"value": []}, "x").texts("value") == []
    spoilt: list[Any] = [None, "a", {}, ["a", 1], ["a", None], [["a"]]]
    for value in spoilt:
        with pytest.raises(Garbled):
            Fields({"value": value}, "x").texts("value")
