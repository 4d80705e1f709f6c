"""How long what is kept, what seals the audit, and what opens sealed secrets."""

from typing import Annotated

from pydantic import Field

from .operator import AuditKey, EarlierAuditKeys, EarlierSealKeys, SealKey
from .says import OPERATOR, Group, Says


class KeepingSettings(Group):
    """Retention by class."""

    audit_key: AuditKey
    audit_key_fallbacks: EarlierAuditKeys = ()
    seal_key: SealKey = None
    seal_key_fallbacks: EarlierSealKeys = ()
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
