"""What the commands of whoever runs the product need, and no credential of a remote."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from . import rules as rule
from .says import ENTRA_ADMIN, OPERATOR, Group, Guid, Says


class DatabaseSettings(Group):
    """All that `migrate` needs."""

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
SealKey = Annotated[
    SecretStr | None,
    AfterValidator(rule.optional_key),
    Says(
        "Opens the secrets that administrators type into the pages of the set-up; 32 characters or more, by chance, and never the "
        "web's. Without it, they cannot type any",
        OPERATOR,
        'python3 -c "import secrets; print(secrets.token_urlsafe(48))"',
    ),
]
EarlierSealKeys = Annotated[
    tuple[SecretStr, ...],
    NoDecode,
    BeforeValidator(rule.split),
    AfterValidator(rule.strong_keys),
    Says("Earlier ones, which still open what was typed before, with commas between", OPERATOR, "the-key-before-this-one"),
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


class SealSettings(DatabaseSettings):
    """What opens secrets that were typed for the worker. Never on a web host."""

    seal_key: SealKey = None
    seal_key_fallbacks: EarlierSealKeys = ()
