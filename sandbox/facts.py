"""All that a product's settings and a test's fingers need to know of a running sandbox, as JSON.

Next door: `control` serves it, `demo` turns it into the product's settings.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sandbox.entra import RESOURCES
from sandbox.world import Phone

if TYPE_CHECKING:
    from sandbox.server import Sandbox


def facts_of(sandbox: Sandbox) -> dict[str, Any]:
    world = sandbox.world
    graph_scope, intune_scope = RESOURCES
    with world.lock:
        return {
            "tenant_id": world.tenant_id,
            "other_tenant_id": world.other_tenant_id,
            "scenario": world.scenario,
            "api_url": sandbox.api_url,
            "pages_url": sandbox.pages_url,
            "ca_pem": str(sandbox.keys.ca_pem),
            "authority": f"{sandbox.api_url}/{world.tenant_id}",
            "discovery_url": f"{sandbox.api_url}/{world.tenant_id}/v2.0/.well-known/openid-configuration",
            "graph_url": f"{sandbox.api_url}/graph/v1.0",
            "graph_scope": graph_scope,
            "intune_scope": intune_scope,
            "sign_in": app_facts(sandbox, "sign-in"),
            "service": app_facts(sandbox, "service"),
            "workspace_one": {
                "api_url": f"{sandbox.api_url}/ws1/API",
                "token_url": f"{sandbox.api_url}/ws1auth/connect/token",
                "client_id": world.mdm.client_id,
                "client_secret": world.mdm.client_secret,
                "group_id": world.mdm.group_id,
                "group_uuid": world.mdm.group_uuid,
                "group_name": world.mdm.group_name,
            },
            "maas360": {
                "api_url": f"{sandbox.api_url}/maas360",
                "billing_id": world.maas360.billing_id,
                "app_id": world.maas360.app_id,
                "access_key": world.maas360.access_key,
                "user": world.maas360.user,
                "password": world.maas360.password,
            },
            "fleet": {"url": f"{sandbox.api_url}/fleet", "token": world.fleet.token},
            "persons": [asdict(person) for person in world.persons.values()],
            "groups": [
                {**asdict(group), "members": sorted(group.members), "groups": sorted(group.groups)}
                for group in world.groups.values()
            ],
            "phones": [phone_facts(phone) for phone in world.phones.values()],
        }


def app_facts(sandbox: Sandbox, kind: str) -> dict[str, Any]:
    app = sandbox.world.apps[kind]
    return {
        "client_id": app.client_id,
        "client_secret": app.secret,
        "redirect_uris": list(app.redirect_uris),
        "logout_uris": list(app.logout_uris),
        "permissions": {resource: sorted(roles) for resource, roles in app.permissions.items()},
        "certificates": list(app.certificates),
    }


def phone_facts(phone: Phone) -> dict[str, Any]:
    messages = [{"id": m.id, "at": m.at.isoformat(), "application": m.application, "body": m.body} for m in phone.messages]
    return {**asdict(phone), "messages": messages}
