"""How each kind of MDM is reached and understood: a further kind begins here, with a class in `settings/mdm.py`.

Next door: `wire` (every other remote).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .adapters import (
    fleet,
    fleet_posture,
    fleet_sign_in,
    maas360,
    maas360_reading,
    maas360_sign_in,
    workspace_one,
    workspace_one_sign_in,
    workspace_one_targets,
)
from .adapters.fields import fold
from .adapters.http import Credential, Remote
from .domain.bar import Facts
from .domain.compliance import in_own_words
from .domain.device import ManagedDevice, Platform
from .errors import NotReady
from .ports import DeviceManager, EventTargets
from .settings.mdm import Connection, FleetConnection, Maas360Connection, WorkspaceOneConnection

if TYPE_CHECKING:
    from .wire import Wire

Hold = Callable[[ManagedDevice, Facts], ManagedDevice]
"""Judges a record by the organisation's own bar."""


def manager(wire: "Wire", name: str, given: Connection, hold: Hold) -> DeviceManager:
    if isinstance(given, WorkspaceOneConnection):
        return _workspace_one(wire, name, given, hold)
    if isinstance(given, Maas360Connection):
        return _maas360(wire, name, given, hold)
    if isinstance(given, FleetConnection):
        return _fleet(wire, name, given, hold)
    raise NotReady(f"No MDM of the kind of {name} is known")


def _workspace_one(wire: "Wire", name: str, given: WorkspaceOneConnection, hold: Hold) -> workspace_one.WorkspaceOne:
    return workspace_one.WorkspaceOne(
        name,
        _workspace_one_api(wire, name, given),
        now=wire.clock,
        advice=given.catalogued,
        owner_attribute=given.owner_attribute,
        shared_users=given.shared_users,
        hubs=workspace_one.hubs(given.windows_hub),
        hold=_in_own_words(hold, given.own_words),
    )


def _workspace_one_api(wire: "Wire", name: str, given: WorkspaceOneConnection) -> Remote:
    credential = _workspace_one_credential(wire, name, given)
    basic = isinstance(credential, workspace_one_sign_in.BasicKey)
    causes = workspace_one_sign_in.BASIC_CAUSES if basic else workspace_one_sign_in.OAUTH_CAUSES
    more: dict[str, Any] = {"gate": f"mdm:{name}", "quota": workspace_one.quota(wire.clock), "causes": causes}
    return wire.remote("mdm", f"{given.url}/API", workspace_one.vendor_code, credential, **more)


def event_targets(wire: "Wire", name: str, given: Connection) -> EventTargets:
    if isinstance(given, WorkspaceOneConnection):
        return workspace_one_targets.WorkspaceOneTargets(_workspace_one_api(wire, name, given))
    raise NotReady(f"The MDM {name} sends no events; its lists are read.")


def _workspace_one_credential(wire: "Wire", name: str, given: WorkspaceOneConnection) -> Credential:
    if given.client_id and given.client_secret and given.token_url:
        # one gate for both addresses: a console that wants no calls is not asked for tokens meanwhile either
        more: dict[str, Any] = {"gate": f"mdm:{name}", "causes": workspace_one_sign_in.TOKEN_CAUSES}
        token = wire.remote("mdm", given.token_url, workspace_one_sign_in.vendor_code, **more)
        secret = given.live("client_secret")
        return workspace_one_sign_in.OAuthClient(token, client_id=given.client_id, secret=secret, now=wire.clock)
    if given.user and given.password and given.tenant_code:
        password, code = given.live("password"), given.live("tenant_code")
        return workspace_one_sign_in.BasicKey(user=given.user, password=password, tenant_code=code, now=wire.clock)
    raise NotReady(f"The credential of the MDM connection {name} is not set")


def _maas360(wire: "Wire", name: str, given: Maas360Connection, hold: Hold) -> maas360.Maas360:
    base = given.url or maas360_sign_in.HOSTS[given.billing_id[:1]]
    # one gate for sign-in and calls, as for Workspace ONE
    inside: dict[str, Any] = {"gate": f"mdm:{name}", "inside": maas360_reading.code_inside}
    key = maas360_sign_in.AccessKey(
        billing_id=given.billing_id,
        app_id=given.app_id,
        user=given.user,
        access_key=given.live("access_key"),
        password=given.live("password"),
        app_version=given.app_version,
        platform_id=given.platform_id,
    )
    sign_in = wire.remote("mdm", base, maas360_reading.vendor_code, causes=maas360_reading.SIGN_IN_CAUSES, **inside)
    token = maas360_sign_in.MaasToken(sign_in, key, now=wire.clock)
    return maas360.Maas360(
        name,
        wire.remote("mdm", base, maas360_reading.vendor_code, token, causes=maas360_reading.CAUSES, **inside),
        billing_id=given.billing_id,
        now=wire.clock,
        title=wire.organisation,
        advice=given.catalogued,
        states=given.states,
        owner_attribute=given.owner_attribute,
        shared_users=given.shared_users,
        unconfirmed=maas360.Unconfirmed(
            given.attribute, given.attribute_parameters, given.registered_field, given.event_rule_field
        ),
        hold=_in_own_words(hold, given.own_words),
    )


def _fleet(wire: "Wire", name: str, given: FleetConnection, hold: Hold) -> fleet.Fleet:
    token = fleet_sign_in.ApiToken(given.live("token"))
    more: dict[str, Any] = {"gate": f"mdm:{name}", "causes": fleet_sign_in.CAUSES}
    return fleet.Fleet(
        name,
        wire.remote("mdm", f"{given.url}/api/v1/fleet", fleet_sign_in.vendor_code, token, **more),
        now=wire.clock,
        advice=given.catalogued,
        meaning=fleet_posture.Meaning(
            integrity=frozenset(fold(policy) for policy in given.integrity_policies),
            unchecked=frozenset(Platform(platform) for platform in given.unchecked),
            profiles=given.phones_by_profiles,
        ),
        sources=given.people_from,
        chosen=given.owner_attribute is not None,
        shared_users=given.shared_users,
        hold=_in_own_words(hold, given.own_words),
    )


def _in_own_words(hold: Hold, own: Mapping[str, Mapping[str, str]]) -> Hold:
    def held(device: ManagedDevice, facts: Facts) -> ManagedDevice:
        device = hold(device, facts)
        return replace(device, posture=in_own_words(device.posture, own))

    return held if own else hold
