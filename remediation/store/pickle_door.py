"""Closes the pickle door of DBOS: whoever can write a row must not be able to run code in the worker.

DBOS takes the decoder from the *row*, whatever serializer its configuration names: a row marked `py_pickle` is unpickled even by
a worker set to JSON (dbos 3.4 `_serialization.py`, `deserialize_value`, `deserialize_args`). Our rows are all JSON.
Whoever imports DBOS in this package calls `close_pickle_door()` at import.
"""

from typing import Any, NoReturn

from dbos._serialization import DefaultSerializer


class PickleRefused(Exception):
    """A row of the engine's asks to be unpickled; none of ours does."""


def close_pickle_door() -> None:
    """From here on nothing in this process unpickles what the engine's tables hold. Safe to call again."""
    setattr(DefaultSerializer, "deserialize", _refuse)  # noqa: B010 - replaced on purpose, which a typed assignment cannot say


def _refuse(_self: Any, _data: str) -> NoReturn:
    raise PickleRefused("a row of the engine asks to be unpickled; rows of this program never do")
