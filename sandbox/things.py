"""What exists in the sandbox's world: plain shapes and the ids that are Microsoft's own.

Next door: `world` holds them and lets them change; import them from there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sandbox.platforms import IPHONE, DeviceKind

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
INTUNE_APP_ID = "c161e42e-d4df-4a3d-9b42-e7a3c31f59d4"
INTUNE_DISCOVERY_APP_ID = "0000000a-0000-0000-c000-000000000000"
INTUNE_PLAN = "c1ec4a95-1f05-45b3-a911-aa3fa01094f5"
ENTRA_P1_PLAN = "41781fb2-bc02-4b7c-bd55-b576c07bb09d"

Vendor = Literal["workspace_one", "maas360", "fleet"]


@dataclass
class Health:
    """What is true of a phone, or what its MDM record last heard of it."""

    passcode: bool = True
    encrypted: bool = True
    jailbroken: bool = False

    def copy(self) -> Health:
        return Health(self.passcode, self.encrypted, self.jailbroken)


@dataclass(frozen=True)
class Policy:
    """A compliance policy of the MDM; `rule` names the one thing it looks at."""

    id: int
    uuid: str
    name: str
    detail: str
    rule: Literal["passcode", "encrypted", "jailbroken"]

    def fails(self, health: Health) -> bool:
        return health.jailbroken if self.rule == "jailbroken" else not getattr(health, self.rule)


@dataclass
class Person:
    """Someone in a directory, in the MDM, or in both: the MDM's own users have no tenant, others no `mdm_user_id`."""

    oid: str
    upn: str
    mail: str
    name: str
    password: str
    enabled: bool = True
    guest: bool = False
    licences: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    mdm_user_id: int | None = None
    mdm_user_uuid: str | None = None
    mdm_user_name: str | None = None
    tenant_id: str = ""
    sam_account_name: str | None = None
    employee_id: str | None = None
    mdm_external_id: str | None = None
    mdm_attributes: list[str] = field(default_factory=list)
    """Workspace ONE's CustomAttribute1 to 5, as the directory sync filled them."""
    may_consent: bool = False
    """Has a role of the directory's that may consent for everybody (Privileged Role Administrator)."""
    second_factor_gone: bool = False
    """The phone that approves this person's sign-ins is not there any more."""


@dataclass
class Group:
    id: str
    name: str
    description: str
    members: set[str]
    """Object ids of people."""
    groups: set[str] = field(default_factory=set)
    """Ids of groups in it, whose people are in it as well."""
    dynamic: bool = False
    security: bool = True
    at_mdm: bool = True
    """The MDM holds it as well."""


def everyone_in(groups: dict[str, Group], key: str) -> tuple[set[str], set[str]]:
    """People in this group or in a group within it, however deep; and those groups. A circle ends where it began."""
    people: set[str] = set()
    seen: set[str] = set()
    ahead = [key]
    while ahead:
        one = groups.get(ahead.pop())
        if one is not None and one.id not in seen:
            seen.add(one.id)
            people |= one.members
            ahead += one.groups
    return people, seen - {key}


@dataclass
class Privileged:
    """A membership that Privileged Identity Management gave; without an `end` it lasts."""

    id: str
    oid: str
    group_id: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True)
class Package:
    """An access package that holds one group, with a policy for direct assignments."""

    id: str
    policy_id: str
    group_id: str


@dataclass
class Packaged:
    """An assignment of an access package; without an `end` it lasts. `end` is moved to now when it is removed."""

    id: str
    oid: str
    package_id: str
    start: datetime
    end: datetime | None


@dataclass
class DirectoryDevice:
    object_id: str
    device_id: str
    name: str
    os: str
    os_version: str
    owner_oid: str
    registered_at: datetime
    listed_at: datetime
    manufacturer: str | None = None
    model: str | None = None
    enabled: bool = True
    trust_type: str = "Workplace"
    profile_type: str = "RegisteredDevice"
    is_compliant: bool | None = None
    is_managed: bool | None = None
    extension_attributes: dict[str, str | None] = field(default_factory=dict)
    deleted: bool = False
    registered_users: list[str] = field(default_factory=list)
    """Who registered it beside its owner: they see it among their registeredDevices, and do not own it."""
    last_update_time: datetime | None = None
    """The stamp of the newest partner message applied to it; an older or equal one is ignored."""


@dataclass
class ManagedRecord:
    id: int
    uuid: str
    udid: str
    serial: str
    friendly_name: str
    reported_name: str
    model: str
    os_version: str
    person_oid: str
    enrolled_on: datetime
    last_seen: datetime
    last_compliance_check: datetime
    policies: list[Policy]
    listed_at: datetime
    """When a search first finds it."""
    platform: str = "Apple"
    ownership: Literal["C", "E", "S"] = "C"
    enrollment_status: str = "Enrolled"
    reported: Health = field(default_factory=Health)
    custom_attributes: dict[tuple[str, str], str] = field(default_factory=dict)
    compliance_override: str | None = None
    vendor: Vendor = "workspace_one"
    """Which MDM holds it: it shows there and nowhere else."""
    agent_device_id: str | None = None
    """The Azure device id that its agent learned, since the registration began in the MDM's app. No API shows it."""
    also_mapped: list[tuple[str, str]] = field(default_factory=list)
    """Further mail addresses that Fleet has of its users, each with the source that says so."""

    @property
    def failing(self) -> list[Policy]:
        return [policy for policy in self.policies if policy.fails(self.reported)]

    @property
    def compliance_status(self) -> str:
        if self.compliance_override is not None:
            return self.compliance_override
        return "NonCompliant" if self.failing else "Compliant"


@dataclass(frozen=True)
class PhoneMessage:
    id: str
    at: datetime
    application: str
    body: str


@dataclass
class Phone:
    """The hardware in the hand. `health` is the truth; the record knows what was last reported."""

    key: str
    name: str
    person_oid: str
    model: str
    os_version: str
    kind: DeviceKind = IPHONE
    vendor: Vendor = "workspace_one"
    """Under which MDM the company puts it."""
    record_id: int | None = None
    device_id: str | None = None
    former_device_id: str | None = None
    keeps_device_id: bool = False
    """Registered again, it gets the device id that it had (under another object id)."""
    health: Health = field(default_factory=Health)
    messages: list[PhoneMessage] = field(default_factory=list)
    trouble: str | None = None
    """What is wrong on the device itself (`troubles`)."""
    hidden: bool = False
    """So wrong that no sign-in on it shows which device it is."""
    outlook: dict[str, Any] | None = None
    """What Outlook showed last time it was opened (`policy.Outcome.as_json()`)."""


@dataclass
class DataUpload:
    """One device message of the partner service, on its way from received to applied."""

    message_id: str
    received_at: datetime
    completes_at: datetime
    applies_at: datetime
    content: list[dict[str, Any]]
    status: Literal["InProgress", "Completed", "Failed"] = "InProgress"
    error_code: int = 0
    error_detail: str | None = None
    ignored: bool = False
    applied: bool = False


@dataclass
class AppRegistration:
    client_id: str
    name: str
    secret: str
    tenant_id: str
    redirect_uris: tuple[str, ...] = ()
    logout_uris: tuple[str, ...] = ()
    permissions: dict[str, set[str]] = field(default_factory=dict)
    """Granted application permissions by resource app id."""
    consented: bool = True
    """Its service principal is in the tenant, and enabled."""
    certificates: list[str] = field(default_factory=list)
    """PEM certificates that may sign a client assertion."""
    exposes: tuple[str, ...] = ()
    """Scopes of its own API, admin consent given."""
    approved_mdm: bool = False
    """Microsoft, or an administrator under Mobility (MDM and MAM), approved it as an MDM app."""
    requested: dict[str, set[str]] = field(default_factory=dict)
    """What the registration lists (`requiredResourceAccess`): an admin consent grants all of it, and nothing else."""
    optional_claims: tuple[str, ...] = ()
    """Of the ID token (entra-docs optional-claims-reference.md)."""
    secret_expired: bool = False
    secret_ends: datetime | None = None
    """None: a year after the story began."""
    app_roles: tuple[str, ...] = ()
    """Those that its registration defines."""
    token_version: int = 1
    """`requestedAccessTokenVersion` of the manifest; Entra takes 1 where nobody set it."""


@dataclass
class DevicePolicy:
    """A Conditional Access policy that blocks, but for devices that its filter leaves out (or only those that it takes in)."""

    name: str
    rule: str
    mode: Literal["exclude", "include"] = "exclude"
    state: Literal["enabled", "disabled", "enabledForReportingButNotEnforced"] = "enabled"
    apps: list[str] = field(default_factory=lambda: ["Office365"])
    platforms: list[str] = field(default_factory=list)
    not_platforms: list[str] = field(default_factory=list)
    clients: list[str] = field(default_factory=lambda: ["all"])


@dataclass
class OtherPartner:
    """Another vendor, to whom an administrator gave some platforms."""

    id: str
    name: str
    platforms: list[str]


@dataclass
class PartnerTenant:
    """What Intune remembers of its compliance partner in this tenant."""

    name: str = "Contoso Remediation"
    set_up: bool = True
    """Intune is there at all."""
    platforms: list[str] = field(default_factory=lambda: ["iOS", "Android", "macOS"])
    """Given to this partner by an administrator, in Intune."""
    others: list[OtherPartner] = field(default_factory=list)
    state: str | None = None
    """`partnerState` as Intune shows it, whatever else is so; None: by what happened."""
    provisioned: int | None = None
    enrollment_url: str | None = None
    remediation_url: str | None = None
    last_heartbeat: datetime | None = None
    resync_at: datetime | None = None
    resync_times: int = 0
    """With how many more heartbeats that is shown."""
    chosen_groups: list[str] = field(default_factory=list)
    """The groups that an administrator gave to this partner in Intune; empty means all users."""
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    assignments: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Lags:
    """Seconds between a write and its being seen elsewhere."""

    registration_lag: float = 3
    compliance_lag: float = 4
    processing_lag: float = 2
    check_in_lag: float = 2
    enrollment_lag: float = 2
    sign_in_lag: float = 20


@dataclass
class MdmConnection:
    """The OAuth client and the console names of the pretend Workspace ONE."""

    client_id: str
    client_secret: str
    group_id: int = 570
    group_uuid: str = ""
    group_name: str = "contoso"
    locked: bool = False
    """How the real one says so is not public."""
    custom_groups: list[Group] = field(default_factory=list)
    """User groups made in the console, of no directory."""


@dataclass
class Maas360Console:
    """The access key and the administrator's account of the pretend MaaS360, and the attributes defined there."""

    access_key: str
    password: str
    billing_id: str = "30012345"
    platform_id: str = "3"
    app_id: str = "com.30012345.api"
    app_version: str = "1.0"
    user: str = "api@contoso.example"
    attributes: set[str] = field(default_factory=set)
    locked: bool = False


@dataclass
class FleetServer:
    """The API-only user of the pretend Fleet, with the token that lets it in."""

    token: str
    user: str = "api-only@contoso.example"
