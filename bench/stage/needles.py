"""Secrets, in each form in which they could turn up, and the places in which to look for them: pages and headers, logs, a process's
environment and memory, every column of a database. What is found is told by name and place, never by value."""

import base64
import html
import json
import math
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import sqlalchemy as sa

CHUNK, OVERLAP = 16 * 2**20, 4096


def forms(secret: str) -> set[bytes]:
    """As it is, as UTF-16, hex, in an address, in HTML, in JSON, and in base64 wherever in a text it begins."""
    raw = secret.encode()
    texts = {html.escape(secret), json.dumps(secret)[1:-1], quote_plus(secret), raw.hex()}
    return memory_forms(secret) | {text.encode() for text in texts} | _base64(raw, base64.urlsafe_b64encode)


def memory_forms(secret: str) -> set[bytes]:
    """The likeliest of them, since memory is large."""
    raw = secret.encode()
    return {raw, secret.encode("utf-16-le"), quote(secret, safe="").encode()} | _base64(raw, base64.b64encode)


def _base64(raw: bytes, encode: Callable[[bytes], bytes]) -> set[bytes]:
    found = set()
    for before in range(3):
        first, last = math.ceil(before * 8 / 6), (before + len(raw)) * 8 // 6  # of the characters that hold nothing else
        found.add(encode(b"\0" * before + raw)[first:last])
    return found


class Search:
    """`needles` by name: one of these may have several values, such as the states of several sign-ins."""

    def __init__(self) -> None:
        self.needles: dict[str, set[str]] = {}
        self.places = 0
        self.found: set[str] = set()
        self._forms: dict[str, set[bytes]] = {}

    def add(self, name: str, *secrets: str) -> None:
        self.needles.setdefault(name, set()).update(secrets)
        self._forms[name] = {form for secret in self.needles[name] for form in forms(secret)}

    def look(self, place: str, content: bytes | str, *, but: Collection[str] = ()) -> None:
        """`but` names those that belong there."""
        self.places += 1
        self.found |= {f"{name} in {place}" for name in self.inside(content) if name not in but}

    def look_in_memory(self, place: str, pid: int, names: Collection[str]) -> set[str]:
        """The names of those that are there. Counts none of them: some belong there."""
        self.places += 1
        sought = {name: {form for secret in self.needles.get(name, ()) for form in memory_forms(secret)} for name in names}
        found: set[str] = set()
        for part in memory(pid):
            found |= {name for name in sought.keys() - found if any(form in part for form in sought[name])}
        return found

    def inside(self, content: bytes | str, names: Collection[str] | None = None) -> set[str]:
        raw = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
        return {name for name in (self.needles if names is None else names) if any(form in raw for form in self._forms[name])}


def family(pid: int) -> Iterator[int]:
    """A process and all that descend from it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from family(int(child))


def environment(pid: int) -> bytes:
    """As it was given at the start: what the process drops later still stands there."""
    return Path(f"/proc/{pid}/environ").read_bytes()


def memory(pid: int) -> Iterator[bytes]:
    """What a core dump holds: every map that can be read, but for files that nobody changed in memory (programs and libraries)."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as core:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, _, _, _, *name = line.split()
            if rights.startswith("r") and (rights[1] == "w" or not name):
                start, end = (int(number, 16) for number in span.split("-"))
                yield from _parts(core, start, end)


def _parts(core: Any, start: int, end: int) -> Iterator[bytes]:
    while start < end:
        core.seek(start)
        try:
            part = core.read(min(CHUNK, end - start))
        except OSError:  # a guard page, or gone meanwhile
            return
        if not part:
            return
        if part.strip(b"\0"):  # else a page that nobody ever touched
            yield part
        start += len(part) if len(part) < CHUNK else CHUNK - OVERLAP


def columns(engine: sa.Engine) -> Iterator[tuple[str, str]]:
    """Every column of every table, ours and the engine's: its name, and all of its values as text."""
    inspector = sa.inspect(engine)
    for schema in {inspector.default_schema_name, *({"dbos"} & set(inspector.get_schema_names()))}:
        for name in inspector.get_table_names(schema):
            table = sa.Table(name, sa.MetaData(), schema=schema, autoload_with=engine)
            with engine.connect() as connection:
                for column in table.c:
                    raw = sa.type_coerce(column, sa.LargeBinary) if isinstance(column.type, sa.LargeBinary) else column
                    values = connection.execute(sa.select(sa.cast(raw, sa.Text) if raw is column else raw)).scalars()
                    yield f"{name}.{column.name}", "\n".join(_text(value) for value in values)


def _text(value: Any) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
