"""The worker's MDM connections: each by a name of its own, with its address, its credential, and what its words mean here.

`REMEDIATION_MDM_WS1_URL` is the address of the connection `ws1`; in the TOML file it stands under `[mdm.ws1]`. The name is part of
the key of every record that was read through it: it is chosen once, and never given to another MDM.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from . import rules as rule
from .bar import rule_file
from .says import ENTRA_ADMIN, MDM_ADMIN, Calls, Group, Https, Says, Secret, Text


class Connection(Group):
    """What every connection has, whatever its kind. `ways` are its credentials: one of them is given, and that one whole."""

    ways: ClassVar[list[list[str]]] = []

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
    advice: Annotated[
        dict[str, str | dict[str, str]],
        NoDecode,
        BeforeValidator(rule.table),
        AfterValidator(rule.advice),
        Says(
            "What people read about a compliance policy that fails, by the policy's name: one of our own pieces of advice "
            "(`passcode`, `encryption`, `jailbreak`, `update`), or words of yours by language",
            MDM_ADMIN,
            '{"Passcode required" = "passcode", "Lab radio" = {en = "Turn the radio off."}}',
        ),
    ] = Field(default_factory=dict)
    calls: Annotated[
        Calls,
        Says(
            "Never more calls than this (calls/seconds), beside what its console's people and other integrations need",
            MDM_ADMIN,
            "300/60",
        ),
    ] = "1200/60"

    relay_minutes: Annotated[
        int,
        Field(ge=1, le=1440),
        Says(
            "Where its maker carries compliance to Microsoft (`mdm_relay`): how often, so that people read by when it is done",
            MDM_ADMIN,
            "240",
        ),
    ] = 15

    @property
    def catalogued(self) -> Mapping[str, str]:
        return {name: told for name, told in self.advice.items() if isinstance(told, str)}

    @property
    def own_words(self) -> Mapping[str, Mapping[str, str]]:
        return {name.casefold(): told for name, told in self.advice.items() if isinstance(told, dict)}


class WorkspaceOneConnection(Connection):
    """Workspace ONE UEM."""

    ways: ClassVar = [["token_url", "client_id", "client_secret"], ["user", "password", "tenant_code"]]

    kind: Annotated[Literal["workspace_one"], Says("Workspace ONE UEM", MDM_ADMIN, "workspace_one")]
    url: Annotated[Https, Says("The REST API server", MDM_ADMIN, "https://as1234.awmdm.com")]
    token_url: Annotated[
        Https | None, Says("Its OAuth token address, by region", MDM_ADMIN, "https://emea.uemauth.workspaceone.com/connect/token")
    ] = None
    client_id: Annotated[Text | None, Says("OAuth client id", MDM_ADMIN, "3c1f0e…")] = None
    client_secret: Annotated[Secret | None, Says("OAuth client secret", MDM_ADMIN, "a file's path in …_FILE")] = None
    user: Annotated[Text | None, Says("Where OAuth is not to be had: an administrator's name", MDM_ADMIN, "api-remediation")] = None
    password: Annotated[Secret | None, Says("That administrator's password", MDM_ADMIN, "a file's path in …_FILE")] = None
    tenant_code: Annotated[Secret | None, Says("The REST API key that goes with it", MDM_ADMIN, "a file's path in …_FILE")] = None
    windows_hub: Annotated[
        Text | None,
        Says(
            "What Intelligent Hub on Windows is called in a push message (`Application`). Without it no message goes to a Windows "
            "device, and so none of this connection can prove that it is in somebody's hand",
            MDM_ADMIN,
            "AirWatchLLC.WorkspaceONEIntelligentHub",
        ),
    ] = None
    owner_attribute: Annotated[
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
            "The MDM user's side of REMEDIATION_OWNER_DIRECTORY_ATTRIBUTE: `email`, `user_name`, `upn`, `external_id`, or "
            "`custom_attribute_1` to `_5`. All but the first two are looked for among those users only whose mail address or user "
            "name is the person's",
            MDM_ADMIN,
            "custom_attribute_1",
        ),
    ] = None


class Maas360Connection(Connection):
    """IBM MaaS360."""

    kind: Annotated[Literal["maas360"], Says("IBM MaaS360", MDM_ADMIN, "maas360")]
    relay_minutes: Annotated[int, Field(ge=1, le=1440), Says("The same for IBM's own sync", MDM_ADMIN, "240")] = 240
    billing_id: Annotated[
        str,
        AfterValidator(rule.billing_id),
        Says("The billing id, which the portal's profile menu calls *Account ID*", MDM_ADMIN, "30012345"),
    ]
    url: Annotated[
        Https | None,
        Says(
            "Its web services, where they are not at the address that the first digit of the billing id says",
            MDM_ADMIN,
            "https://services.m3.maas360.com",
        ),
    ] = None
    app_id: Annotated[
        Text, Says("App ID of an access key (*Setup > Manage Access Keys*, type *Web Services*)", MDM_ADMIN, "com.30012345.api")
    ]
    app_version: Annotated[Text, Says("That key's App Version", MDM_ADMIN, "1.0")] = "1.0"
    platform_id: Annotated[Text, Says("That key's Platform ID", MDM_ADMIN, "3")] = "3"
    access_key: Annotated[Secret, Says("The access key itself", MDM_ADMIN, "a file's path in …_FILE")]
    user: Annotated[Text, Says("An administrator's name, of an account for this product alone", MDM_ADMIN, "api@contoso.example")]
    password: Annotated[Secret, Says("That administrator's password", MDM_ADMIN, "a file's path in …_FILE")]
    owner_attribute: Annotated[
        Literal["email", "user_name", "upn"] | None,
        Says(
            "The MDM user's side of REMEDIATION_OWNER_DIRECTORY_ATTRIBUTE: `email`, `user_name`, or `upn` (the user name, or user "
            "name and domain with an `@` between)",
            MDM_ADMIN,
            "user_name",
        ),
    ] = None
    states: Annotated[
        tuple[Literal["policy", "rule", "app", "passcode"], ...],
        NoDecode,
        BeforeValidator(rule.split),
        Field(min_length=1),
        Says(
            "Which of a record's four states must say *in compliance* before a device counts as compliant. One that says otherwise "
            "counts whatever stands here; leave out only what your portal leaves empty for want of such rules",
            MDM_ADMIN,
            "policy,passcode",
        ),
    ] = ("policy", "rule", "app", "passcode")
    attribute: Annotated[
        str,
        AfterValidator(rule.maas360_attribute),
        Says("The custom attribute that notes the Entra device id, for look-up", MDM_ADMIN, "ContosoEntraDeviceId"),
    ] = "RemediationEntraDeviceId"
    attribute_parameters: Annotated[
        tuple[str, str, str],
        NoDecode,
        BeforeValidator(rule.split),
        Says(
            "How the call that sets it names device, attribute and value; the vendor's guide has them", MDM_ADMIN, "csn,name,value"
        ),
    ] = ("deviceId", "customAttributeName", "customAttributeValue")
    registered_field: Annotated[
        Literal["lastMdmRegisteredInEpochms", "lastRegisteredInEpochms", "firstRegisteredInEpochms", "installedDateInEpochms"],
        Says(
            "The field of a record that changes when the device is enrolled anew, and at no other time",
            MDM_ADMIN,
            "installedDateInEpochms",
        ),
    ] = "lastMdmRegisteredInEpochms"
    event_rule_field: Annotated[Text, Says("The field of a compliance event that names the rule", MDM_ADMIN, "ruleSetName")] = (
        "ruleName"
    )


class FleetConnection(Connection):
    """Fleet."""

    kind: Annotated[Literal["fleet"], Says("Fleet", MDM_ADMIN, "fleet")]
    url: Annotated[Https, Says("The Fleet server", MDM_ADMIN, "https://fleet.contoso.example")]
    token: Annotated[
        Secret,
        Says("The token of an API-only user with the role Observer, of this product alone", MDM_ADMIN, "a file's path in …_FILE"),
    ]
    owner_attribute: Annotated[
        Literal["email"] | None,
        Says("The host's side of REMEDIATION_OWNER_DIRECTORY_ATTRIBUTE: `email` is all that Fleet has", MDM_ADMIN, "email"),
    ] = None
    people_from: Annotated[
        tuple[Literal["mdm_idp_accounts", "google_chrome_profiles", "custom"], ...],
        NoDecode,
        BeforeValidator(rule.split),
        Field(min_length=1),
        Says(
            "Which of Fleet's sources say whose a host is: `mdm_idp_accounts` (who signed in at enrollment), `custom` (what a "
            "script or the installer wrote), `google_chrome_profiles` (who signed in to a browser there, which anybody can). A "
            "host that two people are named for is nobody's own",
            MDM_ADMIN,
            "mdm_idp_accounts,custom",
        ),
    ] = ("mdm_idp_accounts",)
    integrity_policies: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(rule.split),
        Says(
            "Names of the policies that a computer fails which was tampered with, commas between. Fleet looks for that by nothing "
            "else: without one that passed, a computer is not compliant, unless its platform stands in UNCHECKED",
            MDM_ADMIN,
            "System Integrity Protection enabled,Secure Boot on",
        ),
    ] = ()
    unchecked: Annotated[
        tuple[Literal["macos", "windows", "ios", "android"], ...],
        NoDecode,
        BeforeValidator(rule.split),
        Says(
            "Platforms on which nothing looks for a jailbreak or for tampering, and devices may be compliant all the same",
            "the security officer",
            "ios",
        ),
    ] = ()
    phones_by_profiles: Annotated[
        bool,
        Says(
            "An iPhone, iPad or Android device, on which Fleet runs no policies, is good when it has profiles of Fleet's and each "
            "is *verified*. That says that settings arrived, not that they are heeded. Without it, none of them is ever compliant",
            "the security officer",
            "true",
        ),
    ] = False


KINDS: Mapping[str, type[Connection]] = {
    "workspace_one": WorkspaceOneConnection,
    "maas360": Maas360Connection,
    "fleet": FleetConnection,
}


class MdmSettings(Group):
    """Every connection by its name, and whose device a record is."""

    mdm: Mapping[str, Connection]
    bar_file: Annotated[
        str | None,
        AfterValidator(rule_file),
        Says(
            "A file with the organisation's own rules, on top of what each MDM calls compliant (docs/operating.md). Read at the "
            "start; try it first with `remediation bar`",
            "the security officer",
            "/etc/remediation/bar.toml",
        ),
    ] = None
    owner_directory_attribute: Annotated[
        Literal["mail", "userPrincipalName", "onPremisesSamAccountName", "employeeId", "onPremisesImmutableId"] | None,
        Says(
            "Who is this in the MDM? The attribute of the person in Entra that equals the OWNER_ATTRIBUTE of each MDM's user. "
            "Without it, mail address or user principal name are compared with the MDM user's mail address, and the user "
            "principal names where no mail address fits",
            ENTRA_ADMIN,
            "employeeId",
        ),
    ] = None
