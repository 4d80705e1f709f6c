"""What a page of the set-up asks the worker, and how long it waits for the answer. Next door: `services/scope.py: wish`."""

import time

from flask import current_app, request

from ..domain.wishes import Wish
from .desk import desk

GLANCE = 0.05  # seconds


def awaited(name: str) -> Wish | None:
    """The wish that the address names, answered if that takes no longer than a page may; None where it names none."""
    wish_id = request.args.get(name, "")
    until = time.monotonic() + current_app.config["PATIENCE"]
    while True:
        wish = desk().store.wish(wish_id) if wish_id else None
        if wish is None or wish.done_at is not None or time.monotonic() >= until:
            return wish
        time.sleep(GLANCE)
