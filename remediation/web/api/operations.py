"""One declaration for each operation: its address, who may ask, what goes in and what comes out. By it requests are checked and
answers made, and of it the description is made (`description`): there is no second copy.

Checked in this order: the caller (`guards`), how often they ask, what they accept, the body's kind, then each part.
"""

import base64
import hashlib
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from typing import Any

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, ValidationError

from ...domain.turns import API_CALLS
from ...errors import TooOften
from ..bearer import caller
from ..desk import desk
from ..guards import Who, of_the_api
from .problems import Fault, Refusal

JSON = "application/json"
PARTS = ("path", "query", "headers", "body")
EVERYWHERE = ("bad_request", "no_token", "role_missing", "api_off", "not_acceptable", "invalid", "too_often", "bug", "busy")
WITH_BODY = ("bad_json", "too_large", "not_json")


class Shape(BaseModel):
    """What goes in and comes out is what is named, and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Operation:
    """`does` takes the parts of the request that it names (`path`, `query`, `headers`, `body`) and returns an `answer`. `acts`: it
    changes something. `tagged`: its answer has an ETag. `refuses`: codes of `problems` that it may answer beside those of all."""

    method: str
    address: str
    role: Who
    summary: str
    does: Callable[..., BaseModel]
    answer: type[BaseModel]
    acts: bool = False
    tagged: bool = False
    refuses: tuple[str, ...] = ()
    name: str = ""
    parts: Mapping[str, type[BaseModel]] = field(default_factory=dict)

    @property
    def may_refuse(self) -> tuple[str, ...]:
        return (*EVERYWHERE, *(WITH_BODY if "body" in self.parts else ()), *self.refuses)


def operation(method: str, address: str, does: Callable[..., Any], *, role: Who, **more: Any) -> Operation:
    """The parts and the answer are read from the function that does it, and the summary from its first line."""
    if bool(more.get("acts")) != (role is Who.HELPDESK_ACTS):
        raise RuntimeError(f"{method} {address}: what changes something needs the role that may, and nothing else does")
    hints = inspect.get_annotations(does, eval_str=True)
    answer = hints.pop("return")
    wrong = [name for name, kind in hints.items() if name not in PARTS or not issubclass(kind, Shape)]
    if wrong or not issubclass(answer, BaseModel):
        raise RuntimeError(f"{method} {address} has parts that are none: {wrong}")
    summary = inspect.getdoc(does) or ""
    return Operation(
        method, address, role, summary.partition("\n")[0], does, answer, name=does.__name__.strip("_"), parts=hints, **more
    )


def add(pages: Blueprint, asked: Operation) -> None:
    def view(**values: str) -> Response:
        return _answer(asked, values)

    view.__name__ = asked.name
    rule = re.sub(r"\{(\w+)\}", r"<\1>", asked.address)
    guarded = of_the_api(view, asked.role)
    pages.add_url_rule(rule, asked.name, guarded, methods=[asked.method], provide_automatic_options=False)


def _answer(asked: Operation, values: Mapping[str, str]) -> Response:
    limits = _turn()
    if not request.accept_mimetypes.accept_json and request.accept_mimetypes:
        raise Refusal("not_acceptable")
    made = asked.does(**_parts(asked, values))
    if not isinstance(made, asked.answer):
        raise TypeError(f"{asked.name} answered with {type(made).__name__}")
    answer = Response(made.model_dump_json(by_alias=True), 200, content_type=JSON)
    if asked.tagged:
        answer.headers["ETag"] = tag_of(made)
        if answer.headers["ETag"] in _tags(request.headers.get("If-None-Match", "")):
            answer.set_data(b"")
            answer.status_code = 304
    for name, value in limits.items():
        answer.headers[name] = value
    return answer


def tag_of(made: BaseModel) -> str:
    digest = hashlib.sha256(made.model_dump_json(by_alias=True).encode()).digest()
    return f'"{base64.urlsafe_b64encode(digest[:18]).decode()}"'


def _tags(told: str) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in told.split(",")}


def _turn() -> dict[str, str]:
    """Of each caller by itself. https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/"""
    who, now = caller(), desk().clock()
    again_at, left = desk().store.take_turn_and_count(f"api:{who.oid}", API_CALLS, at=now)
    if again_at is not None:
        raise TooOften(again_at)
    most, window = API_CALLS.at_once, API_CALLS.every * API_CALLS.at_once
    anew = ceil(API_CALLS.every / timedelta(seconds=1))
    return {
        "RateLimit-Policy": f'"calls";q={most};w={ceil(window.total_seconds())}',
        "RateLimit": f'"calls";r={left};t={anew}',
    }


def _parts(asked: Operation, values: Mapping[str, str]) -> dict[str, BaseModel]:
    found: dict[str, BaseModel] = {}
    faults: list[Fault] = []
    for name, shape in asked.parts.items():
        try:
            found[name] = _body(shape) if name == "body" else shape.model_validate(_told(name, shape, values))
        except ValidationError as error:
            faults += _faults(name, error)
    if "body" not in asked.parts and request.content_length:
        faults.append(Fault(where="body", what="must be empty"))
    if "query" not in asked.parts and request.args:
        faults.append(Fault(where="query", what="must be empty"))
    if faults:
        raise Refusal("invalid", errors=faults)
    return found


def _told(part: str, shape: type[BaseModel], values: Mapping[str, str]) -> Mapping[str, Any]:
    """What is said twice becomes a list, which no parameter of ours is."""
    if part == "path":
        return values
    if part == "headers":
        names = {info.alias or name for name, info in shape.model_fields.items()}
        return {name: request.headers[name] for name in names if name in request.headers}
    return {name: told if len(told) > 1 else told[0] for name, told in request.args.lists()}


def _body(shape: type[BaseModel]) -> BaseModel:
    if request.mimetype != JSON:
        raise Refusal("not_json")
    raw = request.get_data(cache=False)
    try:
        return shape.model_validate_json(raw, strict=True)
    except ValidationError as error:
        if any(
            one["type"] == "json_invalid" for one in error.errors(include_url=False, include_context=False, include_input=False)
        ):
            raise Refusal("bad_json") from None
        raise


def _faults(part: str, error: ValidationError) -> list[Fault]:
    """Where and what, never the value."""
    return [
        Fault(where=".".join([part, *(str(step) for step in one["loc"])])[:200], what=one["msg"][:200]) for one in _wrong(error)
    ]


def _wrong(error: ValidationError) -> list[Any]:
    return list(error.errors(include_url=False, include_context=False, include_input=False))
