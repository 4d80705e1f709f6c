"""How long what was seen may stand, how often is looked, and how many calls that may cost."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from . import rules as rule
from .operator import CheckInDays
from .says import OPERATOR, Calls, Group, Says, Text


class PaceSettings(Group):
    """Leases, schedules, budgets."""

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
    heartbeat_minutes: Annotated[
        int,
        Field(ge=5, le=720),
        Says("How often Microsoft hears that its compliance partner is there, also when nothing changed", OPERATOR, "30"),
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
