"""The API's repairs. Each needs an Idempotency-Key: asking again under the same key does nothing again and gets the same answer.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/; for what has changed meanwhile, If-Match (RFC 9110).
"""

import hashlib
from collections.abc import Callable
from typing import Literal

from flask import request
from pydantic import BaseModel, Field

from ...services.end_sessions import BECAUSE, end_sessions_of
from ..bearer import caller
from ..desk import desk
from ..guards import Who
from .operations import Shape, operation, tag_of
from .people import state_of, through
from .problems import Refusal
from .shapes import OfPerson

DONE = 200


class Key(Shape):
    key: str = Field(
        alias="Idempotency-Key",
        pattern=r'^"?[A-Za-z0-9._~-]{8,128}"?$',
        description="Yours, by chance, and another for each deed; kept for a day.",
    )


class DeedHeaders(Key):
    version: str | None = Field(
        default=None,
        alias="If-Match",
        pattern=r'^"[A-Za-z0-9_=-]{1,64}"$',
        description="The ETag of the person's state: refused where that has changed since.",
    )


class SignOutAsked(Shape):
    because: Literal["not_them", "lost", "left", "asked"]


class Done(Shape):
    """It was done, now or when this key was first used."""

    done: Literal[True] = True


def sign_out(path: OfPerson, headers: DeedHeaders, body: SignOutAsked) -> Done:
    """Sign a person out here in every browser."""

    def act() -> Done:
        if headers.version is not None and tag_of(state_of(path.oid)) != headers.version:
            raise Refusal("changed")
        who = {"because": body.because, "by": caller().oid, "now": desk().clock(), "through": through()}
        if not end_sessions_of(desk().look_up, desk().store, path.oid, **who):  # type: ignore[arg-type]
            raise Refusal("not_found")
        return Done()

    return once(headers.key, path.oid, body, act)


def once(told: str, oid: str, body: BaseModel, act: Callable[[], Done]) -> Done:
    """The insert of the key decides between two at once. What failed has done nothing, since a change is whole or not at all, and
    gives the key back; a process that ended in between leaves it taken, and the caller is told to look."""
    who, key = f"{caller().app}/{caller().oid}", told.strip('"')
    asked = hashlib.sha256("\n".join((request.method, request.path, body.model_dump_json())).encode()).hexdigest()
    store = desk().store
    before = store.begin_deed(who, key, asked, at=desk().clock())
    if before is not None:
        if before.asked != asked:
            raise Refusal("key_used")
        if before.status is None:
            raise Refusal("under_way")
        return Done()
    try:
        done = act()
    except BaseException:
        store.drop_deed(who, key)
        raise
    store.end_deed(who, key, status=DONE, answer=done.model_dump())
    return done


if set(BECAUSE) != {"not_them", "lost", "left", "asked"}:
    raise RuntimeError("the reasons of a sign-out are not those that the API describes")

OPERATIONS = (
    operation(
        *("POST", "/people/{oid}/sign-out", sign_out),
        role=Who.HELPDESK_ACTS,
        acts=True,
        refuses=("not_found", "under_way", "changed", "key_used", "stale", "conflict"),
    ),
)
