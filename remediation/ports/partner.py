"""The compliance partner in a tenant: setting it up, how Intune lists it, and what is held of it. Next door: `remotes`.

Every call to a remote may raise the five errors of `errors.py`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from ..domain.device import Platform
from ..domain.partner import CompliancePartner, KnownSlot, Told
from ..domain.watch import Watch


@dataclass(frozen=True)
class Beat:
    """The answer to a heartbeat. `resync` is set where Microsoft wants to be told everything again, since then."""

    resync: datetime | None


@runtime_checkable
class Beating(Protocol):
    """A channel that Microsoft wants to hear from, also when nothing changed."""

    def beat(self) -> Beat: ...


@dataclass(frozen=True)
class PartnerPolicy:
    """`partner_decides`: the partner's verdict counts, and no rules of Intune's own."""

    id: str
    platform: Platform
    name: str
    partner_decides: bool


class PartnerTenant(Protocol):
    def provision(self, *, enrollment_url: str, remediation_url: str) -> None:
        """Safe to repeat: what is told last stands."""

    def deprovision(self, *, enrollment_url: str, remediation_url: str) -> None: ...

    def policies(self) -> Sequence[PartnerPolicy]:
        """Those that stand there, of the platforms that we know."""

    def make_policy(self, platform: Platform) -> PartnerPolicy | None:
        """None where one stands there already."""

    def assign(self, policy_id: str, groups: Collection[str]) -> frozenset[str]:
        """Returns to whom it is assigned now, by what Microsoft answers."""


class PartnerList(Protocol):
    """Intune's own list of compliance partners, which not every tenant lets us read (Refused)."""

    def partners(self) -> Sequence[CompliancePartner]: ...

    def group_name(self, group_id: str) -> str:
        """NotFound where the directory has no such group."""


class PartnerRows(Protocol):
    """What is held of it. Part of `Store`."""

    def partner_told(self) -> Told | None: ...

    def note_beat(self, watch: Watch, *, resync: datetime | None, at: datetime, slots: Sequence[KnownSlot] | None = None) -> bool:
        """Save the heartbeat's row and, where everything is to be told again, begin that with it; False, and nothing done, where
        the row is somebody else's by now. `slots` take the place of what was known; None where nobody could read them."""

    def standing_by_platform(self) -> Mapping[Platform, int]:
        """Devices of active links that Microsoft was told are compliant, and those whose news Entra has not shown yet."""

    def links_to_tell_again(self, after: str, *, told_before: datetime, limit: int) -> Sequence[str]:
        """Active links behind this id whose newest news was sent before then, by id."""

    def tell_again(self, watch: Watch, link_ids: Sequence[str], *, at: datetime) -> bool:
        """Save the row of telling everything again, and mark these links, as one: each is due, with the sweeps. False, and nothing
        done, where the row is somebody else's by now."""

    def waiting_to_be_told_again(self, now: datetime, *, limit: int) -> int:
        """How many marked links are due and were not taken up yet; counts no further than `limit`."""
