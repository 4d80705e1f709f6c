"""What both processes know."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from ..domain.evidence import Level
from . import clouds
from . import file_rules as files
from . import rules as rule
from .operator import DatabaseSettings, TenantId
from .says import ENTRA_ADMIN, MDM_ADMIN, OPERATOR, Guid, Https, Says, Text


class Settings(DatabaseSettings):
    """Both processes know these."""

    public_origin: Annotated[
        str,
        AfterValidator(rule.origin),
        Says("The address under which people reach the pages; http only on loopback", OPERATOR, "https://return.contoso.example"),
    ]
    tenant_id: TenantId
    cloud: Annotated[
        Literal["global", "gcc_high", "dod", "china"],
        Says(
            "Which of Microsoft's clouds the tenant lives in: `global` (GCC too), `gcc_high`, `dod` or `china` (21Vianet). It "
            "moves every address of Microsoft's together; one that is set beside it and is of another cloud is refused",
            ENTRA_ADMIN,
            "gcc_high",
        ),
    ] = "global"
    entra_authority: Annotated[
        Https, Says("Where Microsoft Entra signs people and apps in", OPERATOR, "https://login.microsoftonline.us")
    ] = "https://login.microsoftonline.com"
    ca_file: Annotated[
        str | None,
        AfterValidator(files.readable_file),
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
        AfterValidator(files.certificates),
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
        AfterValidator(files.revocation_lists),
        Says("PEM file of their revocation lists; one that is overdue refuses everybody", MDM_ADMIN, "/etc/x/mdm-crl.pem"),
    ] = None
    hook_key: Annotated[
        SecretStr | None,
        AfterValidator(rule.optional_key),
        Says(
            "Lets MDMs tell us of changes (webhooks): each connection's password is made of it, which `remediation mdm hooks` "
            "tells the MDM; 32 characters or more, by chance. Without it, changes are found by reading lists alone",
            OPERATOR,
            'python3 -c "import secrets; print(secrets.token_urlsafe(48))"',
        ),
    ] = None
    temporary_access: Annotated[
        Literal["off", "pim", "package", "steps"],
        Says(
            "Whether a person who is stuck may ask for temporary access, which two of the helpdesk approve: `pim` gives it as a "
            "membership with an end (Privileged Identity Management for Groups), `package` by an access package, `steps` shows the "
            "helpdesk how to give it in Entra by hand. docs/helpdesk.md has what it opens and what it never does",
            "the security officer, with docs/helpdesk.md in hand",
            "pim",
        ),
    ] = "off"
    temporary_access_group: Annotated[
        Guid | None,
        Says(
            "The object id of the group that only the policy about compliant devices leaves out; it has no member for good",
            ENTRA_ADMIN,
            "6f0c2a57-3d1b-4e88-9a47-0b5d2c7e9f31",
        ),
    ] = None
    temporary_access_package: Annotated[
        Guid | None,
        Says(
            "With `package`: the id of the access package that holds that group and nothing else",
            ENTRA_ADMIN,
            "a914b616-e04e-476b-aa37-91038f0b165b",
        ),
    ] = None
    temporary_access_policy: Annotated[
        Guid | None,
        Says(
            "With `package`: the id of its policy for direct assignments, which asks for no approval",
            ENTRA_ADMIN,
            "2264bf65-76ba-417b-a27d-54d291f0cbc8",
        ),
    ] = None
    temporary_access_hours: Annotated[
        int, Field(ge=1, le=24), Says("For how long at most it is approved", "the security officer", "4")
    ] = 8
    helpdesk_parts: Annotated[
        dict[str, tuple[str, ...]],
        NoDecode,
        BeforeValidator(rule.split_each),
        AfterValidator(rule.company_parts),
        Says(
            "Parts of the company whose helpdesk sees its own people only: by the end of the app role, the groups (object ids) "
            "whose members they are. `de` belongs to `Helpdesk.Read.de` and `Helpdesk.Act.de` (docs/security.md)",
            ENTRA_ADMIN,
            '{de = ["2f1c9a44-6d0e-4b7a-9c35-8e0d1f6b2a71"]}',
        ),
    ] = Field(default_factory=dict)
    disable_entries: Annotated[
        bool,
        Says(
            "Let the helpdesk have old entries of a person's devices switched off in the directory. The service app then needs "
            "`Device.ReadWrite.All`; without this setting the page shows the way in Entra",
            ENTRA_ADMIN,
            "true",
        ),
    ] = False
    language: Annotated[
        str,
        AfterValidator(rule.language),
        Says("The language of messages, and of pages for a browser that asks for none we have (docs/languages.md)", OPERATOR, "de"),
    ] = "en"
    demo: Annotated[bool, Says("Marks every page as a demonstration", OPERATOR, "true")] = False

    @model_validator(mode="before")
    @classmethod
    def _of_cloud(cls, values: Any) -> Any:
        """Whatever was not set is the cloud's."""
        if not isinstance(values, Mapping):
            return values
        return {
            **{name: value for name, value in clouds.addresses(values.get("cloud")).items() if name in cls.model_fields},
            **values,
        }
