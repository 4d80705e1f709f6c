"""What can be set, and by whom: one frozen class for each process. `reading_settings` next door reads and explains.

The web's class has no field that can hold the service credential or an MDM's, so that no mistake can put one there (design: two
processes, two powers). `docs/settings.md` lists every field; a test keeps it complete.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, SecretStr
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from . import setting_rules as rule
from .domain.evidence import Level
from .secret_files import SecretFile, not_blank

PREFIX = "REMEDIATION_"
LOOPBACK = rule.LOOPBACK


@dataclass(frozen=True)
class Says:
    """What the documentation and a fault tell about one setting."""

    what: str
    by: str
    example: str


ENTRA_ADMIN = "the Entra administrator"
OPERATOR = "whoever runs this product"
MDM_ADMIN = "the Workspace ONE administrator"
_ENROLL = "https://enroll.contoso.example/"

Https = Annotated[str, AfterValidator(rule.https_address)]
Guid = Annotated[str, AfterValidator(rule.guid)]
Text = Annotated[str, AfterValidator(rule.not_blank)]
Link = Annotated[str, AfterValidator(rule.link)]
Calls = Annotated[str, AfterValidator(rule.calls)]
Secret = Annotated[SecretStr, AfterValidator(rule.not_blank_secret)]


class DatabaseSettings(BaseSettings):
    """All that `migrate` needs."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: object, **__: object
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The constructor reads nothing by itself; `reading_settings.read` does, so that it can name every fault at once."""
        return (init_settings,)

    _files: Mapping[str, Path] = PrivateAttr(default_factory=dict)
    """Where secrets were read from a file: by field."""

    def live(self, field: str, check: Callable[[str], object] = not_blank) -> Callable[[], str]:
        """The secret as it is whenever it is asked for: a changed file is read anew."""
        given: SecretStr = getattr(self, field)
        value, path = given.get_secret_value(), self._files.get(field)
        return SecretFile(path, value, check) if path is not None else lambda: value

    database_url: Annotated[
        SecretStr,
        AfterValidator(rule.database),
        Says(
            "Where everything is kept: one SQLite file, or PostgreSQL. Secret, since it may hold a password",
            OPERATOR,
            "postgresql://remediation:…@db.contoso.example/remediation",
        ),
    ] = SecretStr("sqlite:///.remediation/remediation.sqlite")


TenantId = Annotated[Guid, Says("The tenant (Directory ID)", ENTRA_ADMIN, "8f5c1d3e-2a47-4c0b-9d6e-1b7f0a9c2e55")]
AuditKey = Annotated[
    SecretStr,
    AfterValidator(rule.strong_key),
    Says(
        "Seals the rows of the audit; 32 characters or more, by chance, and never the web's",
        OPERATOR,
        'python3 -c "import secrets; print(secrets.token_urlsafe(48))"',
    ),
]
EarlierAuditKeys = Annotated[
    tuple[SecretStr, ...],
    NoDecode,
    BeforeValidator(rule.split),
    AfterValidator(rule.strong_keys),
    Says("Earlier ones, by which older rows are checked, with commas between", OPERATOR, "the-key-before-this-one"),
]
CheckInDays = Annotated[
    int, Field(ge=1, le=90), Says("How long it may stand after the device last reported to the MDM", OPERATOR, "7")
]


class OperatorSettings(DatabaseSettings):
    """What the commands of whoever runs the product need: the same names as the worker's, and none of its credentials."""

    tenant_id: TenantId
    check_in_days: CheckInDays = 14


class AuditSettings(OperatorSettings):
    """What the check of the audit needs besides. Never on a web host."""

    audit_key: AuditKey
    audit_key_fallbacks: EarlierAuditKeys = ()


class Settings(DatabaseSettings):
    """Both processes know these."""

    public_origin: Annotated[
        str,
        AfterValidator(rule.origin),
        Says("The address under which people reach the pages; http only on loopback", OPERATOR, "https://return.contoso.example"),
    ]
    tenant_id: TenantId
    entra_authority: Annotated[
        Https, Says("Where Microsoft Entra signs people and apps in", OPERATOR, "https://login.microsoftonline.us")
    ] = "https://login.microsoftonline.com"
    ca_file: Annotated[
        str | None,
        AfterValidator(rule.readable_file),
        Says("Trust only the certificate authorities in this PEM file when calling out", OPERATOR, "/etc/ssl/contoso-ca.pem"),
    ] = None
    organisation: Annotated[Text, Says("Your company's name, as pages and messages show it", OPERATOR, "Contoso")]
    minimum_evidence: Annotated[
        Level,
        BeforeValidator(rule.level),
        Says(
            "How sure we must be that phone and record are one device before anything is pushed: `fresh` (same owner, and nothing "
            "else fits: an insider can let a colleague's phone in), `possession` (the holder opened a message that the MDM "
            "delivered to that device: an insider can still forward it), `bound` (and Entra named the device at a second "
            "sign-in: an insider must forward the message and sign in there) or `certificate` (and it showed a certificate that "
            "the MDM put on it). The last two have a setup of their own in docs/security.md",
            "the security officer, with docs/security.md in hand",
            "possession",
        ),
    ]
    certificate_ca_file: Annotated[
        str | None,
        AfterValidator(rule.certificates),
        Says(
            "PEM file of the authorities that issue the MDM's device certificates, and nothing else", MDM_ADMIN, "/etc/x/mdm-ca.pem"
        ),
    ] = None
    certificate_names: Annotated[
        str | None,
        AfterValidator(rule.naming),
        Says(
            "Where such a certificate names its device: a field (`CN`, `SERIALNUMBER`, `UID`, `OU`, or `DNS`, `URI`, `EMAIL`, "
            "`UPN` of the alternative names), and in its text `{serial}`, `{udid}` or `{record}` (the MDM's number of it)",
            MDM_ADMIN,
            "CN={serial}",
        ),
    ] = None
    certificate_crl_file: Annotated[
        str | None,
        AfterValidator(rule.revocation_lists),
        Says("PEM file of their revocation lists; one that is overdue refuses everybody", MDM_ADMIN, "/etc/x/mdm-crl.pem"),
    ] = None
    language: Annotated[
        Literal["en", "de"],
        Says("The language of messages, and of pages for a browser that asks for none we have", OPERATOR, "de"),
    ] = "en"
    demo: Annotated[bool, Says("Marks every page as a demonstration", OPERATOR, "true")] = False


class WebSettings(Settings):
    """The pages. They call no remote but the sign-in."""

    bind: Annotated[str, AfterValidator(rule.bind), Says("Where the web process listens", OPERATOR, "0.0.0.0:8000")] = (
        "127.0.0.1:8000"
    )
    web_processes: Annotated[int, Field(ge=1, le=64), Says("Processes that answer pages", OPERATOR, "4")] = 2
    web_threads: Annotated[int, Field(ge=1, le=64), Says("Threads in each of them", OPERATOR, "16")] = 8
    secret_key: Annotated[
        SecretStr,
        AfterValidator(rule.strong_key),
        Says(
            "Signs cookies and forms; 32 characters or more, by chance",
            OPERATOR,
            'python3 -c "import secrets; print(secrets.token_urlsafe(48))"',
        ),
    ]
    secret_key_fallbacks: Annotated[
        tuple[SecretStr, ...],
        NoDecode,
        BeforeValidator(rule.split),
        AfterValidator(rule.strong_keys),
        Says("Earlier keys, which still read what they signed, with commas between", OPERATOR, "the-key-before-this-one"),
    ] = ()
    sign_in_client_id: Annotated[
        Guid, Says("The sign-in app registration's client id", ENTRA_ADMIN, "0d2b4b66-6a0e-4d5b-8b55-7f3f0f6b9a10")
    ]
    sign_in_client_secret: Annotated[
        Secret, Says("The sign-in app registration's client secret", ENTRA_ADMIN, "a file's path in …_FILE")
    ]
    helpdesk_phone: Annotated[Text, Says("The number to call when a person is stuck", "the helpdesk", "+49 30 5550 100")]
    helpdesk_hours: Annotated[Text, Says("When somebody answers it", "the helpdesk", "Mon-Fri 7:00-19:00")]
    return_link: Annotated[
        Link,
        Says("Where the last page's button leads: back to the app that was blocked", OPERATOR, "https://outlook.office.com/"),
    ] = "ms-outlook://"
    enrollment_link_ios: Annotated[
        Link | None,
        Says("Where people add an iPhone or iPad to the MDM; without it the page sends them to the helpdesk", MDM_ADMIN, _ENROLL),
    ] = None
    enrollment_link_android: Annotated[Link | None, Says("The same for Android", MDM_ADMIN, _ENROLL)] = None
    enrollment_link_macos: Annotated[Link | None, Says("The same for Macs", MDM_ADMIN, _ENROLL)] = None
    enrollment_link_windows: Annotated[
        Link | None, Says("The same for Windows; never with an access token in it", MDM_ADMIN, "ms-device-enrollment:?mode=mdm")
    ] = None
    certificate_origin: Annotated[
        str | None,
        AfterValidator(rule.second_origin),
        Says("The second host name, behind mutual TLS (docs/nginx.conf)", OPERATOR, "https://device.contoso.example"),
    ] = None
    certificate_hop_secret: Annotated[
        Secret | None,
        AfterValidator(rule.hop_secret),
        Says(
            "What nginx adds so that we believe it a certificate; 32 characters or more, by chance",
            OPERATOR,
            "a file's path in …_FILE",
        ),
    ] = None
    android_broker: Annotated[
        Literal["authenticator", "company_portal"],
        Says("The app in which people register an Android device with Microsoft", ENTRA_ADMIN, "company_portal"),
    ] = "authenticator"


class WorkerSettings(Settings):
    """The process that looks, links and pushes. It alone holds the credentials of the directory and the MDM."""

    service_client_id: Annotated[
        Guid, Says("The service app registration's client id", ENTRA_ADMIN, "5b9d3c77-1f20-4e57-a6a5-2c9e8d41b7f2")
    ]
    service_client_secret: Annotated[
        Secret | None,
        Says("The service app registration's secret, where it has no certificate", ENTRA_ADMIN, "a file's path in …_FILE"),
    ] = None
    service_certificate_file: Annotated[
        str | None,
        AfterValidator(rule.key_and_certificate),
        Says(
            "Better: a PEM file with the private key and the certificate registered there",
            ENTRA_ADMIN,
            "/etc/remediation/service.pem",
        ),
    ] = None
    graph_url: Annotated[Https, Says("Microsoft Graph", OPERATOR, "https://graph.microsoft.us")] = "https://graph.microsoft.com"
    graph_scope: Annotated[Text, Says("What a token for Graph is asked for", OPERATOR, "https://graph.microsoft.us/.default")] = (
        "https://graph.microsoft.com/.default"
    )
    intune_scope: Annotated[
        Text,
        Says(
            "What a token for the Intune partner service is asked for; the double slash is meant",
            OPERATOR,
            "https://api.manage.microsoft.us//.default",
        ),
    ] = "https://api.manage.microsoft.com//.default"
    partner_hosts: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(rule.split),
        AfterValidator(rule.hosts),
        Says(
            "Hosts, or suffixes with a dot before, at which a discovered partner service may live", OPERATOR, ".manage.microsoft.us"
        ),
    ] = (".manage.microsoft.com", ".manage.microsoft.us")
    intune_plans: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(rule.split),
        AfterValidator(rule.plans),
        Says(
            "Service plans (ids, commas between) of which a person needs one, or the page says that a licence is missing; the "
            "default is INTUNE_A, and education and government tenants may have others",
            ENTRA_ADMIN,
            "c1ec4a95-1f05-45b3-a911-aa3fa01094f5",
        ),
    ] = ("c1ec4a95-1f05-45b3-a911-aa3fa01094f5",)
    groups: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(rule.split),
        AfterValidator(rule.groups),
        Says(
            "For whom this is: up to ten groups (object ids, commas between), members of groups within them too; none is all users",
            ENTRA_ADMIN,
            "2f1c9a44-6d0e-4b7a-9c35-8e0d1f6b2a71",
        ),
    ] = ()
    owner_directory_attribute: Annotated[
        Literal["mail", "userPrincipalName", "onPremisesSamAccountName", "employeeId", "onPremisesImmutableId"] | None,
        Says(
            "Who is this in the MDM? The attribute of the person in Entra that equals OWNER_MDM_ATTRIBUTE of the MDM's user. Set "
            "both, or neither: then mail address or user principal name are compared with the MDM user's mail address, and the "
            "user principal names where no mail address fits",
            ENTRA_ADMIN,
            "employeeId",
        ),
    ] = None
    owner_mdm_attribute: Annotated[
        Literal[
            "email",
            "user_name",
            "upn",
            "external_id",
            "custom_attribute_1",
            "custom_attribute_2",
            "custom_attribute_3",
            "custom_attribute_4",
            "custom_attribute_5",
        ]
        | None,
        Says(
            "The MDM user's side of it: `email`, `user_name`, `upn`, `external_id`, or `custom_attribute_1` to `_5`. All but the "
            "first two are looked for among those users only whose mail address or user name is the person's",
            MDM_ADMIN,
            "custom_attribute_1",
        ),
    ] = None
    shared_users: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(rule.split),
        Says(
            "User names of staging and shared accounts in the MDM, commas between: what is theirs is nobody's own, and whoever "
            "holds it is sent to the helpdesk",
            MDM_ADMIN,
            "staging,kiosk",
        ),
    ] = ("staging",)
    workspace_one_url: Annotated[Https, Says("The REST API server of Workspace ONE UEM", MDM_ADMIN, "https://as1234.awmdm.com")]
    workspace_one_token_url: Annotated[
        Https | None, Says("Its OAuth token address, by region", MDM_ADMIN, "https://emea.uemauth.workspaceone.com/connect/token")
    ] = None
    workspace_one_client_id: Annotated[Text | None, Says("OAuth client id", MDM_ADMIN, "3c1f0e…")] = None
    workspace_one_client_secret: Annotated[Secret | None, Says("OAuth client secret", MDM_ADMIN, "a file's path in …_FILE")] = None
    workspace_one_user: Annotated[
        Text | None, Says("Where OAuth is not to be had: an administrator's name", MDM_ADMIN, "api-remediation")
    ] = None
    workspace_one_password: Annotated[
        Secret | None, Says("That administrator's password", MDM_ADMIN, "a file's path in …_FILE")
    ] = None
    workspace_one_tenant_code: Annotated[
        Secret | None, Says("The REST API key that goes with it", MDM_ADMIN, "a file's path in …_FILE")
    ] = None
    advice: Annotated[
        dict[str, str],
        NoDecode,
        BeforeValidator(rule.table),
        Says(
            "Which advice of ours a compliance policy gets, by the policy's name", MDM_ADMIN, '{"Passcode required" = "passcode"}'
        ),
    ] = Field(default_factory=dict)
    lease_hours: Annotated[
        int, Field(ge=1, le=24 * 30), Says("How long *compliant* may stand after we last read it", OPERATOR, "24")
    ] = 72
    check_in_days: CheckInDays = 14
    recheck_seconds: Annotated[
        int,
        Field(ge=5, le=90 * 86_400),
        Says(
            "How long a compliant device may go by the MDM's lists alone before its record is read by itself. Polls and sweeps "
            "notice what changes; this bounds what a list could keep from us",
            OPERATOR,
            "604800",
        ),
    ] = 30 * 86_400
    poll_seconds: Annotated[
        int, Field(ge=30, le=3600), Says("How often the MDM is asked which devices reported to it since", OPERATOR, "120")
    ] = 300
    poll_overlap_seconds: Annotated[
        int,
        Field(ge=0, le=3600),
        Says(
            "How far each of those questions reaches back behind the one before: for records that are listed late, and by as much "
            "as the MDM's clock may be behind ours. What it misses, the sweep finds",
            OPERATOR,
            "900",
        ),
    ] = 300
    sweep_minutes: Annotated[
        int,
        Field(ge=5, le=1440),
        Says("How often all records of the MDM and all devices of the directory are listed and compared", OPERATOR, "30"),
    ] = 60
    executor_id: Annotated[
        Text,
        Says("This worker's own name: the same after a restart, and never the same as another worker's", OPERATOR, "worker-2"),
    ] = "worker-1"
    queue_concurrency: Annotated[int, Field(ge=1, le=200), Says("How many rows this worker attends to at once", OPERATOR, "20")] = (
        50
    )
    directory_calls: Annotated[
        Calls,
        Says(
            "Never more calls to Microsoft Graph than this (calls/seconds), by all workers together. The smallest tenants' "
            "published limit is 3,500 units in 10 seconds, most calls cost one or two, and other apps want their share",
            OPERATOR,
            "3000/10",
        ),
    ] = "1500/10"
    channel_calls: Annotated[
        Calls, Says("The same for the Intune partner service, reads and writes together", OPERATOR, "500/20")
    ] = "1000/20"
    channel_writes: Annotated[Calls, Says("And its writes alone: each verdict that is sent is one", OPERATOR, "50/20")] = "100/20"
    mdm_calls: Annotated[
        Calls,
        Says("The same for each MDM connection, beside what its console's people and other integrations need", MDM_ADMIN, "300/60"),
    ] = "1200/60"
    entra_calls: Annotated[Calls, Says("The same for Entra's token endpoint", OPERATOR, "100/60")] = "200/10"
    calls_in_flight: Annotated[
        int,
        Field(ge=1, le=200),
        Says("Calls that one worker makes to one remote at the same time; a few more for revocations", OPERATOR, "10"),
    ] = 20
    private_hosts: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(rule.split),
        AfterValidator(rule.host_names),
        Says(
            "Host names that may lead to an address in your own network, such as an MDM on your premises, commas between. Every "
            "other name that does is not called; an address written as such in a setting needs no mention",
            OPERATOR,
            "mdm.contoso.example",
        ),
    ] = ()
    alarm_webhook: Annotated[
        Secret | None,
        AfterValidator(rule.webhook),
        Says(
            "Where alarms go as JSON, an https address. Secret, since such addresses are. The log has each alarm in any case",
            OPERATOR,
            "https://hooks.contoso.example/services/…",
        ),
    ] = None
    alarm_mail_to: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(rule.split),
        AfterValidator(rule.mail_addresses),
        Says(
            "Who gets alarms by mail, commas between; goes with sender and server",
            OPERATOR,
            "it@contoso.example",
        ),
    ] = ()
    alarm_mail_from: Annotated[
        str | None, AfterValidator(rule.mail_address), Says("The sender of those mails", OPERATOR, "remediation@contoso.example")
    ] = None
    alarm_mail_server: Annotated[
        str | None, AfterValidator(rule.bind), Says("The mail server, host:port", OPERATOR, "smtp.contoso.example:587")
    ] = None
    alarm_mail_security: Annotated[
        Literal["starttls", "tls", "none"],
        Says("`starttls`, `tls` from the first byte (port 465), or `none` for a server on this machine", OPERATOR, "tls"),
    ] = "starttls"
    alarm_mail_user: Annotated[Text | None, Says("Its account, where it wants one", OPERATOR, "remediation")] = None
    alarm_mail_password: Annotated[Secret | None, Says("That account's password", OPERATOR, "a file's path in …_FILE")] = None
    metrics_file: Annotated[
        str | None,
        AfterValidator(rule.writable_file),
        Says(
            "Write figures for Prometheus here every 30 s, for a textfile collector; of several workers on one host, one is enough",
            OPERATOR,
            "/var/lib/node_exporter/remediation.prom",
        ),
    ] = None
    audit_key: AuditKey
    audit_key_fallbacks: EarlierAuditKeys = ()
    keep_journeys_days: Annotated[
        int,
        Field(ge=1, le=3650),
        Says(
            "How long journeys that ended, their messages, the cases of those who could not sign in and alarms are kept",
            OPERATOR,
            "14",
        ),
    ] = 30
    keep_links_days: Annotated[
        int,
        Field(ge=7, le=3650),
        Says(
            "How long links that ended and what was seen of devices are kept; then people and devices whom nothing needs go, too",
            OPERATOR,
            "30",
        ),
    ] = 90
    keep_audit_days: Annotated[
        int, Field(ge=30, le=3650), Says("How long rows of the audit are kept", "the security officer", "365")
    ] = 730
