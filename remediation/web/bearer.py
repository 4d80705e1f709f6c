"""Who calls the API: by the bearer token that each request brings, and by nothing else. No cookie is looked at, so that no page of
somebody else's can make a browser call it; and nothing is kept between two requests. Next door: `api_token` (the rules), `guards`.
"""

import logging

from flask import g, request

from ..errors import RemediationError
from . import entra_client
from .api_token import ApiCaller, caller_of, key_id
from .desk import desk
from .id_token import TokenRefused

log = logging.getLogger(__name__)

ROOT = "/api/"


class NotACaller(Exception):
    """No token, or none that we take. `told` is whether one was brought."""

    def __init__(self, *, told: bool) -> None:
        super().__init__("no token" if not told else "a token that is not taken")
        self.told = told


class ApiOff(RemediationError):
    """This deployment has no API: no audience is set for it."""

    code = "api_off"


def asked_by_a_program() -> bool:
    """By the address: an unknown one has no route to ask."""
    return request.path.startswith(ROOT)


def read_token() -> ApiCaller:
    """Raises NotACaller, ApiOff, or a RemoteError where Entra's keys cannot be had."""
    settings = desk().settings
    if settings.api_audience is None:
        raise ApiOff("the API is off")
    given = request.headers.getlist("Authorization")
    scheme, _, raw = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != "bearer":  # https://www.rfc-editor.org/rfc/rfc6750#section-2.1
        raise NotACaller(told=bool(given))
    try:
        caller = caller_of(
            raw.strip(),
            entra_client.keys(key_id(raw.strip())),
            authority=settings.entra_authority,
            tenant_id=settings.tenant_id,
            audience=settings.api_audience,
            clients=settings.api_clients,
            guests=settings.staff_guests,
        )
    except TokenRefused as refused:
        log.info("a token for the API was refused: %s", refused)
        raise NotACaller(told=True) from None
    g.caller = caller
    return caller


def caller() -> ApiCaller:
    """Of this request, behind the guard."""
    found: ApiCaller = g.caller
    return found
