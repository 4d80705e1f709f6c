"""To the device that is refused: our start page as a code to scan, for whoever opened it on a computer.

The code is the same for everybody. What was begun goes on there, since signing in finds it.
"""

from functools import lru_cache

import segno
from flask import Flask
from markupsafe import Markup

from .desk import desk


def install(app: Flask) -> None:
    app.jinja_env.globals.update(start_address=start_address, qr=lambda: drawn(start_address()))


def start_address() -> str:
    return f"{desk().settings.public_origin}/start"


@lru_cache(maxsize=64)
def drawn(address: str) -> Markup:
    """Black on white in either theme: not every camera reads the other way round (ISO/IEC 18004 has it dark on light)."""
    code = segno.make(address, error="m", micro=False)
    return Markup(code.svg_inline(border=4, omitsize=True, light="#fff", svgclass=None, lineclass=None))  # noqa: S704
