"""What the doctor asks, beside what the worker asks anyway. Each call to a remote may raise the five errors of `errors.py`."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from ..domain.credential_ends import AppSecret
from ..domain.device_policy import AccessPolicy
from ..domain.tenant_facts import Registration, Subscription


class Powered(Protocol):
    """The service app's token for one resource."""

    def roles(self) -> frozenset[str] | None:
        """Its application permissions, None where the token does not tell."""


class Policies(Protocol):
    def policies(self) -> Sequence[AccessPolicy]:
        """All Conditional Access policies of the tenant."""


@runtime_checkable
class Reachable(Protocol):
    def reach(self) -> None:
        """Ask for as little as shows that the service is there and takes our token."""


class AppSecrets(Protocol):
    def secrets(self, client_id: str) -> Sequence[AppSecret]:
        """Those of an app registration of this tenant. NotFound where it is another's, Refused where that may not be read."""


class TenantFacts(Protocol):
    """Each may be Refused: both permissions are optional."""

    def subscriptions(self) -> Sequence[Subscription]: ...

    def registration(self) -> Registration: ...


class CertificateFiles(Protocol):
    def ends(self, path: str) -> datetime | None:
        """When the first certificate in this file runs out, None where none can be read."""

    def lists_end(self, path: str) -> datetime | None:
        """When the first revocation list in this file is overdue, None where none can be read."""


class Clocks(Protocol):
    def ahead(self, now: datetime) -> Mapping[str, timedelta]:
        """By host: how far the clock of each remote that answered is ahead of ours."""
