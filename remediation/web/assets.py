"""Style and script, under addresses that hold a hash of their content, so that browsers may keep them for ever."""

import hashlib
from pathlib import Path

from flask import Blueprint, Response, abort

from .desk import desk
from .guards import anyone

pages = Blueprint("assets", __name__)
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


class Assets:
    """The files of one folder, read once at start."""

    def __init__(self, folder: Path) -> None:
        self._addresses: dict[str, str] = {}
        self._served: dict[str, tuple[bytes, str]] = {}
        for file in sorted(folder.iterdir()):
            if file.suffix not in TYPES:
                continue
            content = file.read_bytes()
            name = f"{file.stem}.{hashlib.sha256(content).hexdigest()[:16]}{file.suffix}"
            self._addresses[file.name] = f"/static/{name}"
            self._served[name] = (content, TYPES[file.suffix])

    def address(self, name: str) -> str:
        return self._addresses[name]

    def find(self, name: str) -> tuple[bytes, str] | None:
        return self._served.get(name)


@pages.get("/static/<name>")
@anyone
def static_file(name: str) -> Response:
    found = desk().assets.find(name)
    if found is None:
        abort(404)
    answer = Response(found[0], content_type=found[1])
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return answer
