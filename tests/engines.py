"""Engines that share what SQLAlchemy compiled: each test has a database of its own, and its statements are those of all others.

Compiling them anew took a fifth of the time of all tests.
"""

from typing import Any

import sqlalchemy as sa

from remediation.store import engine as product

_firsts: dict[str, sa.Engine] = {}
_compiled: dict[Any, Any] = {}


def make_engine(url: str) -> sa.Engine:
    """As the product makes it, but a commit does not wait for the disk."""
    made = product.make_engine(url, durable=False)
    name = made.dialect.name
    if name not in _firsts:
        first = product.make_engine(url, durable=False)
        first.connect().close()  # what a dialect knows of its server, it learns at the first connection
        first.dispose()
        _firsts[name] = first
    made.dialect = _firsts[name].dialect  # it is a part of the key of whatever was compiled
    made.update_execution_options(compiled_cache=_compiled)
    return made
