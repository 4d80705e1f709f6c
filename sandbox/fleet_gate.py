"""The manners of the pretend Fleet: who may call, its errors, its pages.

Written from fleetdm/fleet `docs/REST API/rest-api.md` and `docs/REST API/API-errors.md`. Next door: `fleet` has the resources,
`fleet_shapes` what they look like.
"""

from __future__ import annotations

import hmac
import re
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from sandbox.world import World

LARGEST_PAGE = 500
"""The real one has no published limit; a client that asks for more than this relies on that."""


class Fault(Exception):
    def __init__(self, status: int, message: str, reason: str, name: str = "base") -> None:
        super().__init__(reason)
        self.status, self.body = status, told(message, reason, name)


def told(message: str, reason: str, name: str = "base") -> dict[str, Any]:
    return {"message": message, "errors": [{"name": name, "reason": reason}], "uuid": "6f1c52a1-0b6e-4a3f-9d58-2f3e7c1b9a40"}


def bad_request(reason: str) -> Fault:
    return Fault(400, "Bad request", reason)


def no_host(what: str) -> Fault:
    return Fault(404, "Resource Not Found", f"Host {what} was not found in the datastore")


def forbidden() -> Fault:
    return Fault(403, "forbidden", "forbidden")


def asked(*names: str) -> dict[str, str]:
    """An unknown parameter is refused, where the real one ignores it, so that no typing error passes for a filter."""
    given = request.args.to_dict()
    if unknown := sorted(set(given) - set(names)):
        raise bad_request(f"unknown parameter {unknown[0]}")
    return given


def flag(query: dict[str, str], name: str) -> bool:
    if query.get(name, "false") not in ("true", "false", "1", "0"):
        raise bad_request(f"{name} is no boolean")
    return query.get(name) in ("true", "1")


def number_of_page(query: dict[str, str]) -> tuple[int, int]:
    """0-based. A page size has to be said, where the real one takes a large one by itself."""
    page, size = query.get("page", "0"), query.get("per_page", "")
    if not re.fullmatch(r"[0-9]{1,7}", page):
        raise bad_request("page must be a number from 0 on")
    if not re.fullmatch(r"[1-9][0-9]{0,3}", size) or int(size) > LARGEST_PAGE:
        raise bad_request("per_page must be a number from 1 on")
    return int(page), int(size)


def guard(app: Flask, world: World) -> None:
    @app.before_request
    def enter() -> None:
        if request.url_rule is None:
            return
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {world.fleet.token}".encode()):
            raise Fault(401, "Authentication required", "Authentication required")
        request.environ["sandbox.client_id"] = world.fleet.user

    @app.errorhandler(Fault)
    def refused(fault: Fault) -> tuple[Response, int]:
        return jsonify(fault.body), fault.status

    @app.errorhandler(HTTPException)
    def elsewhere(error: HTTPException) -> tuple[Response, int]:
        """Whatever is no address of the API is its web application."""
        return Response("<!doctype html><title>Fleet</title><div id='app'></div>", mimetype="text/html"), error.code or 500
