"""Entra as the browser meets it: authorize with PKCE, a sign-in page that says it is a stand-in, logout.

An unknown client or redirect address never gets a redirect, only an error page; every later fault goes back to the
app. Next door: `entra` redeems the code. Source: entra-docs v2-oauth2-auth-code-flow, v2-protocols-oidc (sign-out).
"""

from __future__ import annotations

import hmac
import re
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Flask, Response, make_response, redirect, render_template, request
from werkzeug.exceptions import HTTPException

from sandbox.admin_consent import add_admin_consent
from sandbox.client_auth import find_client
from sandbox.entra_errors import EntraError
from sandbox.own_api import claims_fault, own_api, own_api_fault, proven_device, wants_device
from sandbox.sign_in_log import entry
from sandbox.world import DirectoryDevice, Person

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from sandbox.server import Sandbox

_COOKIE = "sandbox_entra"
_CHALLENGE = re.compile(r"^[A-Za-z0-9_-]{43}$")
_PARAMETERS = frozenset(
    {
        "client_id",
        "response_type",
        "redirect_uri",
        "response_mode",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "login_hint",
        "domain_hint",
        "claims",
        "client_info",
        "client-request-id",
    }
)


def create_entra_pages(sandbox: Sandbox) -> Flask:
    app = Flask("sandbox.entra_pages", root_path=__file__.rpartition("/")[0], static_url_path="/entra/static")
    world = sandbox.world

    @app.get("/<tenant>/oauth2/v2.0/authorize")
    def authorize(tenant: str) -> AnyResponse:
        asked = _checked(sandbox, tenant)
        if (error := _fault_of(asked)) is not None:
            return _back(asked, error=error.error, error_description=error.description(world.now()))
        known = _remembered(sandbox)
        if asked.get("prompt") == "none":
            if len(known) == 1 and not known[0].second_factor_gone:
                return _issue(sandbox, asked, known[0])
            if len(known) == 1:
                error = EntraError(50074, "interaction_required", "Strong authentication is required.")
                return _back(asked, error=error.error, error_description=error.description(world.now()))
            error = EntraError(50058, "login_required", "No one is signed in, or more than one account is.")
            return _back(asked, error=error.error, error_description=error.description(world.now()))
        return _page(sandbox, tenant, asked, [] if asked.get("prompt") == "login" else known)

    @app.post("/<tenant>/login")
    def login(tenant: str) -> AnyResponse:
        asked = sandbox.keys.unseal("authorize", request.form.get("request", ""))
        if asked is None or tenant != world.tenant_id or world.now().timestamp() > asked["expires"]:
            raise EntraError(165000, "invalid_request", "This sign-in has gone stale. Go back to the app and begin again.")
        if "cancel" in request.form:
            error = EntraError(65004, "access_denied", "The person chose not to sign in.")
            return _back(asked, error=error.error, error_description=error.description(world.now()))
        try:
            person = _who(sandbox)
        except EntraError as error:
            return _page(sandbox, tenant, asked, _remembered(sandbox), error)
        return _approval(sandbox, tenant, asked, person) if person.second_factor_gone else _issue(sandbox, asked, person)

    @app.route("/<tenant>/oauth2/v2.0/logout", methods=["GET", "POST"])
    def logout(tenant: str) -> AnyResponse:
        target = request.values.get("post_logout_redirect_uri", "")
        registered = {uri for a in world.apps.values() for uri in (*a.logout_uris, *a.redirect_uris)}
        if tenant == world.tenant_id and target in registered:
            state = request.values.get("state")
            response: AnyResponse = redirect(f"{target}?{urlencode({'state': state})}" if state else target)
        else:
            response = make_response(render_template("entra/signed_out.html"))
        response.delete_cookie(_COOKIE)
        return response

    add_admin_consent(app, sandbox)
    _speak(app, sandbox)
    return app


def _speak(app: Flask, sandbox: Sandbox) -> None:
    @app.errorhandler(EntraError)
    def refused(error: EntraError) -> tuple[str, int]:
        return _error_page(sandbox, error), 400

    @app.errorhandler(HTTPException)
    def elsewhere(error: HTTPException) -> tuple[str, int]:
        return _error_page(sandbox, EntraError(90023, "invalid_request", error.name)), error.code or 500

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'"
        )
        response.headers["Referrer-Policy"] = "no-referrer"
        return response


def _error_page(sandbox: Sandbox, error: EntraError) -> str:
    return render_template("entra/error.html", error=error, details=error.body(sandbox.world.now(), None))


def _checked(sandbox: Sandbox, tenant: str) -> dict[str, Any]:
    """The request, once tenant, client and redirect address are beyond doubt; else an error page, never a redirect."""
    if tenant.lower() != sandbox.world.tenant_id:
        raise EntraError(90002, "invalid_request", f"Tenant '{tenant}' not found.")
    for name, values in request.args.lists():
        if len(values) > 1:
            raise EntraError(9000411, "invalid_request", f"The parameter '{name}' is duplicated.")
    asked: dict[str, Any] = request.args.to_dict()
    client = find_client(sandbox, asked.get("client_id", ""))
    request.environ["sandbox.client_id"], request.environ["sandbox.tenant"] = client.client_id, tenant
    if asked.get("redirect_uri") not in client.redirect_uris:
        raise EntraError(50011, "invalid_request", "The redirect URI does not match those configured for the application.")
    asked["client_id"], asked["exposes"] = client.client_id, list(client.exposes)
    asked["expires"] = sandbox.world.now().timestamp() + 600
    return asked


def _fault_of(asked: dict[str, Any]) -> EntraError | None:
    unknown = {name for name in asked if name not in _PARAMETERS | {"expires", "exposes"} and not name.startswith("x-client-")}
    if unknown:
        return EntraError(9000410, "invalid_request", f"Not known to the stand-in: {', '.join(sorted(unknown))}.")
    if asked.get("response_type") != "code":
        return EntraError(700054, "unsupported_response_type", "response_type must be 'code'.")
    if asked.get("response_mode", "query") != "query":
        return EntraError(9002331, "invalid_request", "The stand-in answers by response_mode 'query' only.")
    scopes = asked.get("scope", "").split()
    if "openid" not in scopes:
        return EntraError(900144, "invalid_request", "The scope must contain 'openid'.")
    if (own := own_api_fault(asked, scopes)) is not None:
        return own
    if extra := [scope for scope in scopes if scope not in ("openid", "profile", "email", own_api(asked["client_id"]))]:
        # Nobody consented to more: a sign-in that asks for Graph scopes can itself be blocked (entra-docs
        # concept-enforcement-resource-exclusions).
        return EntraError(65001, "consent_required", f"Nobody has consented to: {', '.join(extra)}.")
    for name in ("state", "nonce"):
        if not asked.get(name):
            return EntraError(900144, "invalid_request", f"The request must contain the parameter: '{name}'.")
    if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
        return EntraError(9002325, "invalid_request", "Proof Key for Code Exchange with S256 is required.")
    if not _CHALLENGE.match(asked["code_challenge"]):
        return EntraError(501491, "invalid_request", "The code_challenge has the wrong size.")
    if asked.get("prompt", "select_account") not in ("none", "login", "select_account"):
        return EntraError(90023, "invalid_request", "The value of 'prompt' is not supported.")
    return claims_fault(asked)


def _back(asked: dict[str, Any], **answer: str) -> AnyResponse:
    query = {**answer, **({"state": asked["state"]} if asked.get("state") else {})}
    separator = "&" if "?" in asked["redirect_uri"] else "?"
    return redirect(f"{asked['redirect_uri']}{separator}{urlencode(query)}")


def _remembered(sandbox: Sandbox) -> list[Person]:
    """Who signed in with this browser before, the last one first."""
    kept = sandbox.keys.unseal("session", request.cookies.get(_COOKIE, "")) or {}
    with sandbox.world.lock:
        people = [sandbox.world.persons.get(oid) for oid in kept.get("oids", [])]
    return [person for person in people if person is not None and person.enabled]


def _who(sandbox: Sandbox) -> Person:
    world, form = sandbox.world, request.form
    with world.lock:
        person = world.person(form.get("account") or form.get("upn", "").strip())
    if person is None or person.tenant_id != world.tenant_id:
        raise EntraError(50020, "invalid_request", "This account is not in Contoso's directory.")
    if not form.get("account") and not hmac.compare_digest(form.get("password", "").encode(), person.password.encode()):
        raise EntraError(50126, "invalid_request", "Your account or password is incorrect.")
    if not person.enabled:
        raise EntraError(50057, "invalid_request", "Your account has been disabled.")
    return person


def _page(
    sandbox: Sandbox, tenant: str, asked: dict[str, Any], known: list[Person], error: EntraError | None = None
) -> AnyResponse:
    world = sandbox.world
    with world.lock:
        app = next(a for a in world.apps.values() if a.client_id == asked["client_id"])
        others = [p for p in world.persons.values() if p.tenant_id == world.tenant_id and p not in known]
    body = render_template(
        "entra/sign_in.html",
        tenant=tenant,
        organisation=world.tenant_name,
        app=app.name,
        known=known,
        others=others,
        hint=request.form.get("upn") or asked.get("login_hint", ""),
        sealed=sandbox.keys.seal("authorize", asked),
        error=error,
    )
    return make_response(body, 400 if error else 200)


def _approval(sandbox: Sandbox, tenant: str, asked: dict[str, Any], person: Person) -> AnyResponse:
    """The second factor is a tap on a phone that is gone. A refusal here ends on Entra's own page, never at the app.

    Codes: entra-docs identity-platform/reference-error-codes (50074 strong authentication not passed, 500121 failed).
    """
    if "cannot" in request.form:
        raise EntraError(500121, "access_denied", "Authentication failed during strong authentication request.")
    error = EntraError(50074, "interaction_required", "We have not heard from the phone.") if "again" in request.form else None
    body = render_template(
        "entra/approve.html",
        tenant=tenant,
        person=person,
        phone=f"{person.name.partition(' ')[0]}’s old iPhone",
        number=10 + int(person.oid[:4], 16) % 90,
        sealed=sandbox.keys.seal("authorize", asked),
        error=error,
    )
    return make_response(body, 400 if error else 200)


def _log_entry(sandbox: Sandbox, asked: dict[str, Any], person: Person, device: DirectoryDevice | None) -> dict[str, Any]:
    """`correlationId` is the id that the client sent when the sign-in was begun (microsoft-graph-docs-contrib signin.md)."""
    world = sandbox.world
    app = next(a for a in world.apps.values() if a.client_id == asked["client_id"])
    return entry(
        person,
        device,
        id=str(uuid.uuid4()),
        correlation_id=asked.get("client-request-id") or str(uuid.uuid4()),
        at=world.now().isoformat(timespec="seconds"),
        app_id=app.client_id,
        app=app.name,
        system=world.in_hand.kind.policy_word,
    )


def _issue(sandbox: Sandbox, asked: dict[str, Any], person: Person) -> AnyResponse:
    """The code is bound to client, redirect address and challenge, and lives ten minutes."""
    device = proven_device(sandbox)
    proven_at = _proven_at(sandbox, asked, person)
    code = sandbox.keys.seal(
        "code",
        {
            "id": str(uuid.uuid4()),
            "oid": person.oid,
            "expires": sandbox.world.now().timestamp() + 600,
            **{name: asked[name] for name in ("client_id", "redirect_uri", "code_challenge", "scope", "nonce")},
            "deviceid": device.device_id if device is not None and wants_device(asked) else None,
            "auth_time": proven_at[person.oid],
        },
    )
    with sandbox.world.lock:
        sandbox.world.sign_ins.append(_log_entry(sandbox, asked, person, device))
    response = _back(asked, code=code)
    oids = [person.oid, *(p.oid for p in _remembered(sandbox) if p.oid != person.oid)]
    session = sandbox.keys.seal("session", {"oids": oids, "at": proven_at})
    response.set_cookie(_COOKIE, session, httponly=True, samesite="Lax")
    return response


def _proven_at(sandbox: Sandbox, asked: dict[str, Any], person: Person) -> dict[str, int]:
    """When each person of this browser last proved who they are: now, unless Entra still knew them and nobody asked for more."""
    kept = sandbox.keys.unseal("session", request.cookies.get(_COOKIE, "")) or {}
    at: dict[str, int] = dict(kept.get("at", {}))
    if person.oid not in at or asked.get("prompt") == "login":
        at[person.oid] = int(sandbox.world.remote_now().timestamp())
    return at
