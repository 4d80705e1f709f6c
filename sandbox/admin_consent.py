"""Microsoft's page of admin consent: sign in as somebody who may, see what the app asks for, accept or not.

The older address without `scope`: all that the registration lists, of all resources. Source: entra-docs v2-admin-consent.md, and
fleetdm/fleet get-compliance-partner-settings.js, receive-redirect-from-microsoft.js. Next door: `entra_pages`.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Flask, redirect, render_template, request

from sandbox.client_auth import find_client
from sandbox.entra_errors import EntraError

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from sandbox.server import Sandbox

_PARAMETERS = {"client_id", "redirect_uri", "state"}


def add_admin_consent(app: Flask, sandbox: Sandbox) -> None:
    @app.get("/<tenant>/adminconsent")
    def ask(tenant: str) -> str:
        return _page(sandbox, tenant, _checked(sandbox, tenant))

    @app.post("/<tenant>/adminconsent")
    def answer(tenant: str) -> AnyResponse | tuple[str, int]:
        asked = sandbox.keys.unseal("consent", request.form.get("request", ""))
        if asked is None or tenant != sandbox.world.tenant_id:
            raise EntraError(165000, "invalid_request", "This page has gone stale. Go back to the app and begin again.")
        if "cancel" in request.form:
            error = EntraError(65004, "access_denied", "User declined to consent to access the app.")
            told = {"error": error.error, "error_description": error.description(sandbox.world.now())}
            return _back(asked, **told, admin_consent="True")  # True all the same: entra-docs v2-admin-consent.md
        with sandbox.world.lock:
            person = sandbox.world.person(request.form.get("upn", "").strip())
            known = person is not None and person.tenant_id == sandbox.world.tenant_id
            if not known or person is None or not hmac.compare_digest(request.form.get("password", ""), person.password):
                wrong = EntraError(50126, "invalid_request", "Your account or password is incorrect.")
                return _page(sandbox, tenant, asked, wrong), 400
            if not person.may_consent:
                raise EntraError(90094, "access_denied", "An administrator is required to grant permissions to this app.")
            client = find_client(sandbox, asked["client_id"])
            client.permissions = {resource: set(roles) for resource, roles in client.requested.items()}
            client.consented = True
        return _back(asked, tenant=sandbox.world.tenant_id, admin_consent="True")


def _checked(sandbox: Sandbox, tenant: str) -> dict[str, Any]:
    """An unknown tenant, client or redirect address never gets a redirect."""
    if tenant.lower() != sandbox.world.tenant_id:
        raise EntraError(90002, "invalid_request", f"Tenant '{tenant}' not found.")
    if unknown := set(request.args) - _PARAMETERS:
        raise EntraError(9000410, "invalid_request", f"Not known to the stand-in: {', '.join(sorted(unknown))}.")
    client = find_client(sandbox, request.args.get("client_id", ""))
    request.environ["sandbox.client_id"], request.environ["sandbox.tenant"] = client.client_id, tenant
    if request.args.get("redirect_uri") not in client.redirect_uris:
        raise EntraError(50011, "invalid_request", "The redirect URI does not match those configured for the application.")
    return {"client_id": client.client_id, "redirect_uri": request.args["redirect_uri"], "state": request.args.get("state")}


def _back(asked: dict[str, Any], **answer: str) -> AnyResponse:
    query = {**answer, **({"state": asked["state"]} if asked.get("state") else {})}
    return redirect(f"{asked['redirect_uri']}?{urlencode(query)}")


def _page(sandbox: Sandbox, tenant: str, asked: dict[str, Any], error: EntraError | None = None) -> str:
    client = find_client(sandbox, asked["client_id"])
    roles = sorted(role for roles in client.requested.values() for role in roles)
    sealed = sandbox.keys.seal("consent", asked)
    return render_template("entra/consent.html", tenant=tenant, app=client.name, roles=roles, sealed=sealed, error=error)
