"""Errors that know who can act and whether trying again helps.

The five that a remote can cause are raised by `adapters/`; `Stale`, `Conflict`, `PossessionRefused`, `MessageTestRefused`,
`ExtensionRefused`, `ErasureRefused`, `ImpactRefused` and `SetUpRefused` by `store/`, `TooOften` by `services/`,
`CertificateRefused` by `adapters/` and `store/`. Anything else is a bug of ours and shows the page for bugs.
"""

from datetime import datetime
from enum import StrEnum
from typing import Self


class WhoActs(StrEnum):
    YOU = "you"
    HELPDESK = "helpdesk"
    ADMIN = "admin"
    TIME = "time"


# Causes that are known by name, by the code with which a remote (or an adapter) tells them.
NO_CONSENT, NOT_SET_UP, NOT_APPROVED = "no_consent", "not_set_up", "not_approved"
NAMED_CAUSES = {
    NO_CONSENT: NO_CONSENT,
    "no_partner_service": NOT_SET_UP,
    # no service principal of the app in this tenant, app unknown there, app disabled, nobody consented:
    # entra-docs reference-error-codes; what a client-credentials grant meets once an administrator took the app away
    "AADSTS7000229": NO_CONSENT,
    "AADSTS700016": NO_CONSENT,
    "AADSTS7000112": NO_CONSENT,
    "AADSTS65001": NO_CONSENT,
}


class RemediationError(Exception):
    """`code` is stable and may be quoted; the message is for the log and names no person, secret, body or full query."""

    code = "error"
    who_acts = WhoActs.HELPDESK
    retryable = False


class RemoteError(RemediationError):
    """A remote did not give what was asked for. `remote` is `directory`, `mdm`, `channel` or `sign_in`.

    `retry_after` is in seconds, None where nobody said. `called` is False where our own gate refused before any call was made: the
    remote was not asked, so that is no failed attempt of whoever wanted to. A remote's support asks for two ids: its own of this
    call, and the one that we sent; None where nothing was called. `cause` is a `domain.health.Cause` where the answer shows one,
    and `words` what the remote said, short of whatever could be a name, an id or a secret.
    """

    code = "remote"
    request_id: str | None = None
    client_request_id: str | None = None
    cause: str | None = None
    words: str = ""
    named: str | None = None
    """A cause that is known by name, where the adapter knows it from more than the vendor's code."""

    def __init__(
        self,
        message: str,
        *,
        remote: str,
        status: int | None = None,
        vendor_code: str | None = None,
        retry_after: float | None = None,
        called: bool = True,
    ) -> None:
        super().__init__(message)
        self.remote = remote
        self.status = status
        self.vendor_code = vendor_code
        self.retry_after = retry_after
        self.called = called

    @property
    def why(self) -> str:
        """The cause where it is known by name, else the code. A row that waits for it says `<remote>_<why>`."""
        return self.named or NAMED_CAUSES.get(self.vendor_code or "", self.code)

    def of_call(self, client_request_id: str | None, request_id: str | None) -> Self:
        self.client_request_id, self.request_id = client_request_id, request_id
        return self


class NotFound(RemoteError):
    """The remote knows no such thing, said by its own error and not by an odd page."""

    code = "not_found"
    who_acts = WhoActs.HELPDESK


class Refused(RemoteError):
    """Ours to fix: credentials, permission, consent, or a request that the remote calls wrong."""

    code = "refused"
    who_acts = WhoActs.ADMIN


class Busy(RemoteError):
    """Throttled or overloaded; `ours` where it is our own limit that keeps us from asking."""

    code = "busy"
    who_acts = WhoActs.TIME
    retryable = True

    def __init__(
        self,
        message: str,
        *,
        remote: str,
        status: int | None = None,
        vendor_code: str | None = None,
        retry_after: float | None = None,
        called: bool = True,
        ours: bool = False,
    ) -> None:
        super().__init__(
            message, remote=remote, status=status, vendor_code=vendor_code, retry_after=retry_after, called=called and not ours
        )
        self.ours = ours


class Unreachable(RemoteError):
    """No answer in time, or the connection broke. Whether the remote acted is not known."""

    code = "unreachable"
    who_acts = WhoActs.TIME
    retryable = True


class Garbled(RemoteError):
    """An answer that is not as specified: HTML with 200, half JSON, a missing field, too large."""

    code = "garbled"
    who_acts = WhoActs.TIME
    retryable = True


class Stale(RemediationError):
    """A compare-and-set found newer news; the transaction left no trace."""

    code = "stale"
    who_acts = WhoActs.TIME
    retryable = True


class Conflict(RemediationError):
    """A directory device or a managed device already has an active link; the database refused a second one."""

    code = "conflict"
    who_acts = WhoActs.HELPDESK


class ChangedMeanwhile(RemediationError):
    """Something was done for this person since the page was made on which somebody confirms. Nothing was changed."""

    code = "changed_meanwhile"
    who_acts = WhoActs.HELPDESK
    retryable = True


class NotOffered(RemediationError):
    """A repair that the facts do not call for, or a device that is not among those it is offered for. Nothing was changed."""

    code = "not_offered"
    who_acts = WhoActs.HELPDESK


class MessageTestRefused(RemediationError):
    """A test of a connection's messages cannot be made, or its link not be used. `why`: `no_messages` or `not_enrolled`; `unknown`,
    `used` or `too_late`."""

    code = "message_test_refused"
    who_acts = WhoActs.ADMIN

    def __init__(self, why: str) -> None:
        super().__init__(f"message test refused: {why}")
        self.why = why


class StepRefused(RemediationError):
    """A step of setting the tenant up cannot be done. `why`: of a scope `by_setting`, `too_many`, `gone`, `no_people`,
    `not_managed`, `not_counted` or `nothing_chosen`; of a pilot `no_channel`, `no_link`, `runs` or `not_running`; of an arrival
    `no_such_way`."""

    code = "step_refused"
    who_acts = WhoActs.ADMIN

    def __init__(self, why: str, about: str = "") -> None:
        super().__init__(f"step refused: {why}")
        self.why, self.about = why, about


class PossessionRefused(RemediationError):
    """A possession link cannot be used. `why`: `unknown`, `other_person`, `other_journey`, `used`, `too_late` or `revoked`."""

    code = "possession_refused"
    who_acts = WhoActs.YOU

    def __init__(self, why: str) -> None:
        super().__init__(f"possession link refused: {why}")
        self.why = why


class TooOften(RemediationError):
    """Asked for more often than one person, or one MDM, needs it; `again_at` is when it may be again. Nothing was changed."""

    code = "too_often"
    who_acts = WhoActs.TIME
    retryable = True

    def __init__(self, again_at: datetime) -> None:
        super().__init__("asked for too often")
        self.again_at = again_at


class ExtensionRefused(RemediationError):
    """Leases are not extended. `why`: `unknown` (no such connection is watched), `not_failing`, `extended_already` or `nothing`."""

    code = "extension_refused"
    who_acts = WhoActs.ADMIN

    def __init__(self, why: str) -> None:
        super().__init__(f"extension refused: {why}")
        self.why = why


class CertificateRefused(RemediationError):
    """A device's certificate, or the address under which it is shown, counts for nothing. `why`: of the certificate `unreadable`,
    `not_yet_valid`, `expired`, `untrusted`, `wrong_purpose`, `no_revocation_list`, `revocation_list_outdated`, `revoked`,
    `names_nothing`, `names_several`; of the address `unknown`, `used`, `too_late`, `other_journey`."""

    code = "certificate_refused"
    who_acts = WhoActs.HELPDESK

    def __init__(self, why: str) -> None:
        super().__init__(f"certificate refused: {why}")
        self.why = why


class ErasureRefused(RemediationError):
    """Nothing of a person is erased while a link of theirs lives, or its end is on its way to Microsoft."""

    code = "erasure_refused"
    who_acts = WhoActs.TIME
    retryable = True


class SetUpRefused(RemediationError):
    """Something of the set-up is not done. `why`: `link` (a set-up link that was used, is too old or was never made), `changed`
    (somebody else changed the settings meanwhile)."""

    code = "set_up_refused"
    who_acts = WhoActs.ADMIN

    def __init__(self, why: str) -> None:
        super().__init__(f"set-up refused: {why}")
        self.why = why


class ImpactRefused(RemediationError):
    """A count or a wave of start messages does not begin, or not end. `why`: `counting_already`, `sending_already`, `counted_anew`
    (the numbers that were seen are not the newest), `nobody`, `over`, or the part of the wish that is wrong: `reason`, `way`,
    `size`, `pause`."""

    code = "impact_refused"
    who_acts = WhoActs.ADMIN

    def __init__(self, why: str) -> None:
        super().__init__(f"impact refused: {why}")
        self.why = why


class NotReady(Exception):
    """The product cannot start here; the text says what to do."""
