"""The description of the API, OpenAPI 3.1, generated from the declarations (`operations`) when first asked for, and served to
anybody: it says what could be asked, and nothing of anyone. https://spec.openapis.org/oas/v3.1.1.html
"""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from flask import Blueprint, Response
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from ..guards import Who, anyone
from .operations import JSON, Operation
from .problems import KINDS, MEDIA_TYPE, Problem

VERSION = "1.0.0"
WHERE = {"path": "path", "query": "query", "headers": "header"}
LIMITS = {
    "RateLimit-Policy": {"description": "How often one caller may ask.", "schema": {"type": "string"}},
    "RateLimit": {"description": "What is left of that.", "schema": {"type": "string"}},
}
LATER = {"Retry-After": {"description": "Seconds.", "schema": {"type": "string", "pattern": "^[0-9]+$"}}}
TAG = {"ETag": {"description": "Changes with the answer; for If-None-Match.", "schema": {"type": "string"}}}


def add(pages: Blueprint, operations: Sequence[Operation]) -> None:
    @cache
    def made() -> str:
        return json.dumps(describe(operations), indent=1)

    @pages.get("/openapi.json", provide_automatic_options=False)
    @anyone
    def openapi() -> Response:
        return Response(made(), content_type="application/json")


def describe(operations: Sequence[Operation]) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.address, {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Remediation",
            "version": VERSION,
            "description": "What the helpdesk's console shows and does, for programs. Names of people stand in bodies alone.",
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"entra": []}],
        "paths": paths,
        "components": {
            "schemas": _schemas(operations),
            "securitySchemes": {
                "entra": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "Of Entra's, for this API."}
            },
        },
    }


def _operation(one: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "description": f"Needs the app role {one.role.value}.",
        "parameters": [parameter for part in WHERE if part in one.parts for parameter in _parameters(part, one.parts[part])],
        "responses": dict(_responses(one)),
    }
    if one.role is Who.HELPDESK_ACTS:
        described["description"] += " It changes something."
    if "body" in one.parts:
        described["requestBody"] = {"required": True, "content": {JSON: {"schema": _ref(one.parts["body"])}}}
    return described


def _parameters(part: str, shape: type[BaseModel]) -> Iterator[dict[str, Any]]:
    schema = shape.model_json_schema(by_alias=True, mode="validation", ref_template="#/components/schemas/{model}")
    for name, told in schema["properties"].items():
        about = {key: value for key, value in told.items() if key not in ("title", "description", "default")}
        if "anyOf" in about:  # None is for what is left out
            [about] = [one for one in about["anyOf"] if one != {"type": "null"}]
        yield {
            "name": name,
            "in": WHERE[part],
            "required": name in schema.get("required", ()),
            "description": told.get("description", ""),
            "schema": about,
        }


def _responses(one: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    headers = {**LIMITS, **(TAG if one.tagged else {})}
    yield "200", {"description": "As asked.", "headers": headers, "content": {JSON: {"schema": _ref(one.answer)}}}
    if one.tagged:
        yield "304", {"description": "As it was.", "headers": headers}
    by_status: dict[int, list[str]] = {}
    for code in ("bad_token", "not_found", "not_allowed", "from_elsewhere", *one.may_refuse):
        if code not in by_status.setdefault(KINDS[code].status, []):
            by_status[KINDS[code].status].append(code)
    for status, codes in sorted(by_status.items()):
        problem: dict[str, Any] = {"description": ", ".join(codes), "content": {MEDIA_TYPE: {"schema": _ref(Problem)}}}
        yield str(status), {**problem, **({"headers": LATER} if status in (429, 503) else {})}


def _schemas(operations: Sequence[Operation]) -> dict[str, Any]:
    asked = [one.parts["body"] for one in operations if "body" in one.parts]
    told = [*dict.fromkeys(one.answer for one in operations), Problem]
    modes = [*((shape, "validation") for shape in dict.fromkeys(asked)), *((shape, "serialization") for shape in told)]
    _, made = models_json_schema(modes, by_alias=True, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    found: dict[str, Any] = made["$defs"]
    return found


def _ref(shape: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{shape.__name__}"}
