"""What may stand in place of ours: a sentence with its variables, a number, a colour that can be read, a picture of pixels."""

import base64
import re
import struct
import zlib
from pathlib import Path

import pytest

from remediation.domain import logo
from remediation.domain.appearance import DARK, HOURS, INKS, LIGHT, LOGO, PHONE, SURFACES, contrast, faults, lowest, shades, tidy
from remediation.domain.logo import SIGNATURE, Unfit, made_anew

STYLE = Path(__file__).parents[2] / "static" / "style.css"
OURS = "Call %(phone)s and say %(code)s."


def test_wcag_s_own_examples() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#ffffff", "#777777") == contrast("#777777", "#ffffff")


def test_our_own_colours_may_stand_there() -> None:
    assert faults(LIGHT, "#0b6468") == faults(DARK, "#6ccbc6") == ()


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        (LIGHT, "#ffd400", ("contrast",)),
        (LIGHT, "#6ccbc6", ("contrast",)),
        (DARK, "#0b6468", ("contrast",)),
        (LIGHT, "teal", ("colour",)),
        (LIGHT, "#0b6468;} body{display:none", ("colour",)),
        (DARK, "#fff", ("colour",)),
    ],
)
def test_a_colour_that_cannot_be_read_or_is_none_is_refused(key: str, value: str, why: tuple[str, ...]) -> None:
    assert faults(key, value) == why


def test_the_surfaces_are_those_of_the_style() -> None:
    light, dark = (dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{3,6})", part)) for part in STYLE.read_text().split("@media")[:2])
    for key, tokens in ((LIGHT, light), (DARK, dark)):
        surfaces = tuple({"#fff": "#ffffff"}.get(tokens[name], tokens[name]) for name in ("surface", "bg"))
        assert (SURFACES[key], INKS[key]) == (surfaces, (tokens["ink"], tokens["ink-2"]))


def test_the_poorest_pair_counts() -> None:
    made = shades(LIGHT, "#1a5fb4")
    assert lowest(LIGHT, "#1a5fb4") == min(
        *(contrast("#1a5fb4", ground) for ground in ("#ffffff", "#f6f7f9", made.pale)),
        *(contrast(made.on_accent, ground) for ground in ("#1a5fb4", made.hover)),
        *(contrast(ink, made.pale) for ink in INKS[LIGHT]),
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Ring %(phone)s; your code is %(code)s.", ()),
        ("%(code)s, then %(phone)s: <b>now</b>", ()),
        ("Ring us.", ("variables",)),
        ("%(phone)s %(phone)s %(code)s", ("variables",)),
        ("%(phone)s %(code)s %(oid)s", ("variables",)),
        ("%(phone)s %(code)s 100%", ("percent",)),
        ("%(phone)s %(code)s %s", ("percent",)),
        ("%(phone)s %(code)s" + "x" * 800, ("long",)),
        ("", ("empty",)),
    ],
)
def test_a_sentence_keeps_its_variables(text: str, why: tuple[str, ...]) -> None:
    assert faults("text/en/help.call", text, OURS) == why


def test_what_cannot_be_seen_is_taken_out() -> None:
    assert tidy("text/en/x", " a\u202eb\n\x00c ") == "a b c"


@pytest.mark.parametrize("number", ["javascript:alert(1)", "tel:1", "+49 30 call us", "+", "1" * 60])
def test_a_number_is_a_number(number: str) -> None:
    assert faults(PHONE, number) == ("phone",)
    assert faults(PHONE, "+49 (0)30 5550-100") == faults(HOURS, "Mo–Fr 7–19 Uhr") == ()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    width: int = 4, height: int = 2, *, pixels: bytes | None = None, before: bytes = b"", after: bytes = b"", kind: int = 6
) -> bytes:
    lines = pixels if pixels is not None else (b"\0" + bytes(range(4 * width))) * height
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"") + after


def test_a_picture_is_made_anew_from_its_pixels() -> None:
    given = png(before=chunk(b"tEXt", b"Comment\0<script>zq</script>"), after=b"<?php zq ?>")
    kept = base64.b64decode(made_anew(given))
    assert b"zq" in given
    assert b"zq" not in kept
    assert kept == png_at_nine()
    assert faults(LOGO, made_anew(given)) == ()


def png_at_nine() -> bytes:
    packed = zlib.compress((b"\0" + bytes(range(16))) * 2, 9)
    header = struct.pack(">IIBBBBB", 4, 2, 8, 6, 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='zq()'/>", "kind"),
        (b"GIF89a", "kind"),
        (b"", "kind"),
        (b"<script>" + png(), "kind"),
        (png() + b"x" * 9000, "size"),
        (png(pixels=b"\0" * 90), "broken"),
        (png(pixels=b"\0" * 9), "broken"),
        (png(pixels=(b"\x09" + bytes(16)) * 2), "broken"),
        (png(pixels=b"\0" * 5_000_000), "broken"),
        (png()[:-20], "broken"),
        (png().replace(b"IDAT", b"IDAX"), "broken"),
        (png(before=chunk(b"EVIL", b"x")), "broken"),
        (png(481, 1, pixels=b"\0" * 1925), "measure"),
        (png(100_000, 100_000, pixels=b""), "measure"),
        (png(kind=3, pixels=(b"\0" * 5) * 2), "broken"),
        (png(kind=9), "kind"),
    ],
)
def test_T7_what_is_no_small_plain_picture_is_refused(given: bytes, why: str) -> None:
    with pytest.raises(Unfit, match=f"^{why}$"):
        made_anew(given)


def test_what_was_changed_in_the_database_is_not_served() -> None:
    for kept in ("PHN2Zz4=", "%%", base64.b64encode(png()[:-1]).decode()):
        assert faults(LOGO, kept)
    assert logo.fit(made_anew(png()))[1:] == (4, 2)
