"""Entra's sign-in log, read through Microsoft Graph v1.0, as `ports.SignInLog`: which device did this very sign-in come from?
And as `ports.SignInRecords`: which policy stopped that one?

Permission: AuditLog.Read.All, which may be missing, and a tenant with Entra ID P1. Next door: `graph` (the directory), whose budget
this does not share: the log takes five calls in ten seconds (graph-docs concepts/throttling-limits.md), and its 429 is its own.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from ..domain.second_lock import SignInRecord
from ..errors import Refused
from . import odata
from .http import Fields, Remote

MOST_PAGES = 10  # of one person's sign-ins within some minutes
TOP = 100  # graph-docs api-reference/v1.0/api/signin-list.md: 1,000 at most
CLOCKS = timedelta(minutes=5)  # by which Entra's clock and ours may differ
_ABSENT = "00000000-0000-0000-0000-000000000000"

log = structlog.get_logger("remediation.sign_in_log")


class GraphSignInLog:
    """`remote` has a gate of its own."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._lacking = False

    def devices(self, correlation_id: str, *, oid: str, app_id: str, since: datetime, until: datetime) -> Sequence[str] | None:
        wanted = self._remote.guid(correlation_id)
        earliest, latest = since - CLOCKS, until + CLOCKS
        found: list[Fields] = []
        for record in self._records(self._remote.guid(oid), earliest):
            at = record.moment("createdDateTime")
            same = (record.text("correlationId") or "").lower() == wanted and (record.text("appId") or "").lower() == app_id.lower()
            theirs = (record.text("userId") or "").lower() == oid.lower()
            if same and theirs and at is not None and earliest <= at <= latest and record.within("status").number("errorCode") == 0:
                found.append(record)
        if not found:
            return None
        # graph-docs resources/devicedetail.md; an empty deviceId where the browser proved none
        named = (self._device(record) for record in found)
        return tuple(sorted({device for device in named if device is not None}))

    def record(self, record_id: str) -> SignInRecord:
        # graph-docs api-reference/v1.0/api/signin-get.md, resources/appliedconditionalaccesspolicy.md. The request id of the block
        # page is the record's id by what administrators report; no stored page says so.
        target = self._remote.path("auditLogs/signIns/{}", self._remote.guid(record_id))
        found = self._remote.call("GET", target).fields()
        told = found.raw("appliedConditionalAccessPolicies")  # needs a permission of its own, and is else left out or empty
        policies = list(found.items("appliedConditionalAccessPolicies")) if told else []
        blocking = [one.text("displayName") or "" for one in policies if one.text("result") == "failure"]
        detail = found.within("deviceDetail") if found.raw("deviceDetail") is not None else None
        return SignInRecord(
            id=found.need_text("id"),
            at=found.moment("createdDateTime") or datetime.min.replace(tzinfo=UTC),
            error_code=found.within("status").need_number("errorCode"),
            device_id=self._device(found),
            compliant=detail is not None and detail.flag("isCompliant") is True,
            blocking=tuple(blocking),
            policies_told=bool(policies),
        )

    def _device(self, record: Fields) -> str | None:
        if record.raw("deviceDetail") is None:
            return None
        detail = record.within("deviceDetail")
        return detail.guid("deviceId") if detail.text("deviceId") not in (None, "", _ABSENT) else None

    def _records(self, oid: str, since: datetime) -> Iterator[Fields]:
        # graph-docs api-reference/v1.0/api/signin-list.md. The correlation id is compared by us: that it can be filtered by, the
        # stored page does not say.
        when = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        query: dict[str, str | int] = {"$filter": f"userId eq '{oid}' and createdDateTime ge {when}", "$top": TOP}
        try:
            page = self._remote.call("GET", "auditLogs/signIns", query=query).fields()
        except Refused as refused:
            if not self._lacking:
                self._lacking = True
                log.warning("sign_in_log.refused", permission="AuditLog.Read.All", vendor_code=refused.vendor_code)
            raise
        self._lacking = False
        yield from odata.items(self._remote, page, most_pages=MOST_PAGES)
