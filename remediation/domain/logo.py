"""A logo is a small PNG, made anew from its pixels: whatever else was in the file (text, profiles, a second file behind the end, a
script) is not in ours. SVG can hold script and is refused, as is all that is no PNG by its content.

PNG: https://www.w3.org/TR/png-3/, sections 5 (chunks), 7.2 (scanlines), 9 (filters), 11.2.1 (IHDR).
"""

import base64
import binascii
import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_BYTES = 8 * 1024
WIDEST, HIGHEST = 480, 120
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8), 2: (8,), 3: (1, 2, 4, 8), 4: (8,), 6: (8,)}
_KEPT = (b"PLTE", b"tRNS")


class Unfit(ValueError):
    """Why it is refused, as a stable word: `kind`, `size`, `measure`, `broken`."""


def made_anew(given: bytes) -> str:
    """The picture as we keep it, in base64."""
    if not given.startswith(SIGNATURE):
        raise Unfit("kind")
    if len(given) > MOST_BYTES:
        raise Unfit("size")
    return base64.b64encode(_rebuilt(given)).decode()


def fit(kept: str) -> tuple[bytes, int, int]:
    """The picture that is kept, its width and height in pixels. Raises `Unfit` where it is not what we made."""
    try:
        content = base64.b64decode(kept, validate=True)
    except (binascii.Error, ValueError):
        raise Unfit("broken") from None
    if not content.startswith(SIGNATURE):
        raise Unfit("kind")
    if len(content) > MOST_BYTES + 1024:  # packed anew it may be a little larger
        raise Unfit("size")
    _rebuilt(content)
    width, height = struct.unpack(">II", content[16:24])
    return content, width, height


def _rebuilt(given: bytes) -> bytes:
    header, packed, further = b"", b"", {}
    for kind, body in _chunks(given):
        if kind == b"IHDR" and not header:
            header = body
        elif kind == b"IDAT":
            packed += body
        elif kind in _KEPT and kind not in further and not packed:
            further[kind] = body
        elif kind[:1].isupper() and kind != b"IEND":
            raise Unfit("broken")  # critical, doubled or unknown
    pixels = _pixels(header, packed)
    if header[9] == 3 and not 3 <= len(further.get(b"PLTE", b"")) <= 768:
        raise Unfit("broken")
    parts = [(b"IHDR", header), *further.items(), (b"IDAT", zlib.compress(pixels, 9)), (b"IEND", b"")]
    return SIGNATURE + b"".join(_chunk(kind, body) for kind, body in parts)


def _chunks(given: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], len(SIGNATURE)
    while at + 12 <= len(given):
        size, kind = struct.unpack(">I4s", given[at : at + 8])
        body, end = given[at + 8 : at + 8 + size], at + 12 + size
        if end > len(given) or struct.unpack(">I", given[end - 4 : end])[0] != zlib.crc32(kind + body):
            raise Unfit("broken")
        found.append((kind, body))
        if kind == b"IEND":
            return found
        at = end
    raise Unfit("broken")


def _pixels(header: bytes, packed: bytes) -> bytes:
    """Exactly as many bytes as the header promises, each line with a filter that there is."""
    if len(header) != 13:
        raise Unfit("broken")
    width, height, depth, colour, packing, filters, woven = struct.unpack(">IIBBBBB", header)
    if depth not in _DEPTHS.get(colour, ()) or packing or filters or woven:
        raise Unfit("kind")
    if not (0 < width <= WIDEST and 0 < height <= HIGHEST):
        raise Unfit("measure")
    line = 1 + (width * depth * _SAMPLES[colour] + 7) // 8
    unpacking = zlib.decompressobj()
    try:
        pixels = unpacking.decompress(packed, line * height + 1)
    except zlib.error:
        raise Unfit("broken") from None
    if len(pixels) != line * height or not unpacking.eof or any(pixels[at] > 4 for at in range(0, len(pixels), line)):
        raise Unfit("broken")
    return pixels


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
