"""The worker's access to Microsoft, and for whom it may be used."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

from . import file_rules as files
from . import rules as rule
from .says import ENTRA_ADMIN, INTUNE_ADMIN, OPERATOR, Group, Guid, Https, Says, Secret, Text


class MicrosoftSettings(Group):
    """The service app registration, where Microsoft's services live, and who is meant."""

    service_client_id: Annotated[
        Guid, Says("The service app registration's client id", ENTRA_ADMIN, "5b9d3c77-1f20-4e57-a6a5-2c9e8d41b7f2")
    ]
    service_client_secret: Annotated[
        Secret | None,
        Says("The service app registration's secret, where it has no certificate", ENTRA_ADMIN, "a file's path in …_FILE"),
    ] = None
    service_secret_ends: Annotated[
        date | None,
        Says(
            "The day on which that secret ends, where the directory may not tell (`Application.Read.All`): it is warned of 30, 7 "
            "and 1 days before",
            ENTRA_ADMIN,
            "2027-06-30",
        ),
    ] = None
    sign_in_secret_ends: Annotated[
        date | None, Says("The same for the sign-in app registration's secret", ENTRA_ADMIN, "2027-06-30")
    ] = None
    service_certificate: Annotated[
        Secret | None,
        AfterValidator(files.key_and_certificate),
        Says(
            "Better: the private key and the certificate registered there, as one PEM text",
            ENTRA_ADMIN,
            "a file's path in …_FILE: /etc/remediation/service.pem",
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
    ] = (".manage.microsoft.com",)
    partner_name: Annotated[
        Text | None,
        Says(
            "What Intune's list of compliance partners calls this service, so that the slot of a platform can be told from another "
            "vendor's",
            INTUNE_ADMIN,
            "Contoso Remediation",
        ),
    ] = None
    partner_all_users: Annotated[
        Guid,
        Says(
            "The group to which Microsoft's policies are assigned where no groups are chosen: Intune's own *All users*, or a group "
            "of yours with everybody in it",
            ENTRA_ADMIN,
            "2f1c9a44-6d0e-4b7a-9c35-8e0d1f6b2a71",
        ),
    ] = "acacacac-9df4-4c7d-9d50-4ef0226f57a9"
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
