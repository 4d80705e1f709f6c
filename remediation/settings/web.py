"""What the web process knows. No field here can hold the service credential or an MDM's, so that no mistake can put one there."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from . import rules as rule
from .both import Settings
from .operator import DatabaseSettings
from .says import ENTRA_ADMIN, MDM_ADMIN, OPERATOR, Guid, Link, Says, Secret, Text

_ENROLL = "https://enroll.contoso.example/"


SecretKey = Annotated[
    SecretStr,
    AfterValidator(rule.strong_key),
    Says(
        "Signs cookies and forms; 32 characters or more, by chance",
        OPERATOR,
        'python3 -c "import secrets; print(secrets.token_urlsafe(48))"',
    ),
]
EarlierSecretKeys = Annotated[
    tuple[SecretStr, ...],
    NoDecode,
    BeforeValidator(rule.split),
    AfterValidator(rule.strong_keys),
    Says("Earlier keys, which still read what they signed, with commas between", OPERATOR, "the-key-before-this-one"),
]


class WebSettings(Settings):
    """The pages. They call no remote but the sign-in."""

    bind: Annotated[str, AfterValidator(rule.bind), Says("Where the web process listens", OPERATOR, "0.0.0.0:8000")] = (
        "127.0.0.1:8000"
    )
    web_processes: Annotated[int, Field(ge=1, le=64), Says("Processes that answer pages", OPERATOR, "4")] = 2
    web_threads: Annotated[int, Field(ge=1, le=64), Says("Threads in each of them", OPERATOR, "16")] = 8
    secret_key: SecretKey
    secret_key_fallbacks: EarlierSecretKeys = ()
    hook_key_fallbacks: Annotated[
        tuple[SecretStr, ...],
        NoDecode,
        BeforeValidator(rule.split),
        AfterValidator(rule.strong_keys),
        Says("Earlier ones, whose passwords MDMs may still send, with commas between", OPERATOR, "the-key-before-this-one"),
    ] = ()
    sign_in_client_id: Annotated[
        Guid, Says("The sign-in app registration's client id", ENTRA_ADMIN, "0d2b4b66-6a0e-4d5b-8b55-7f3f0f6b9a10")
    ]
    sign_in_client_secret: Annotated[
        Secret, Says("The sign-in app registration's client secret", ENTRA_ADMIN, "a file's path in …_FILE")
    ]
    helpdesk_phone: Annotated[Text, Says("The number to call when a person is stuck", "the helpdesk", "+49 30 5550 100")]
    helpdesk_hours: Annotated[Text, Says("When somebody answers it", "the helpdesk", "Mon-Fri 7:00-19:00")]
    start_link_mail: Annotated[
        bool,
        Says("The helpdesk may send start links by mail: the worker has a mail server and a sender", OPERATOR, "true"),
    ] = False
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
        AfterValidator(rule.optional_key),
        Says(
            "What nginx adds so that we believe it a certificate; 32 characters or more, by chance",
            OPERATOR,
            "a file's path in …_FILE",
        ),
    ] = None
    device_app: Annotated[
        Text,
        Says(
            "What the MDM's app is called on devices; pages name it where they send people to it. Without it, the name that the "
            "maker of an MDM typed in the set-up gives it",
            MDM_ADMIN,
            "MaaS360",
        ),
    ] = "Hub"
    device_apps: Annotated[
        dict[str, str],
        NoDecode,
        BeforeValidator(rule.table),
        Says("The same for single connections, by their names, where there are several MDMs", MDM_ADMIN, '{maas = "MaaS360"}'),
    ] = Field(default_factory=dict)
    staff_guests: Annotated[
        bool, Says("Lets guests of the tenant who have a role of the helpdesk's work here as such", ENTRA_ADMIN, "true")
    ] = False
    api_audience: Annotated[
        Guid | None,
        Says(
            "The client id of the app registration that stands for our API; without it there is none (docs/api.md)",
            ENTRA_ADMIN,
            "3e7a1c05-92d4-4f6b-8a1e-5c0b7d9f2e64",
        ),
    ] = None
    api_clients: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(rule.split),
        AfterValidator(rule.guids),
        Says(
            "The client ids of the apps that may call it, with commas between; goes with the audience",
            ENTRA_ADMIN,
            "b4d8e6f1-7c23-4a90-b5d2-1f8e3c6a9b07",
        ),
    ] = ()
    web_metrics: Annotated[
        str | None,
        AfterValidator(rule.listen),
        Says(
            "Where figures of the pages are told to Prometheus: a port of this machine's own, or host:port. Never the pages' own, "
            "and never to be reachable from outside",
            OPERATOR,
            "9464",
        ),
    ] = None
    android_broker: Annotated[
        Literal["authenticator", "company_portal"],
        Says("The app in which people register an Android device with Microsoft", ENTRA_ADMIN, "company_portal"),
    ] = "authenticator"


class WebKeySettings(DatabaseSettings):
    """What opens the one secret that was typed for the web: that of the sign-in."""

    secret_key: SecretKey
    secret_key_fallbacks: EarlierSecretKeys = ()
