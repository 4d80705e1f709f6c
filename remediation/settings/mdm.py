"""The worker's access to the MDM, and what its words mean here."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from . import rules as rule
from .says import ENTRA_ADMIN, MDM_ADMIN, Group, Https, Says, Secret, Text


class MdmSettings(Group):
    """One MDM connection."""

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
