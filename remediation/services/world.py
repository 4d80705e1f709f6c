"""What the worker's services act on and decide by, put together once by `wiring`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from ..domain.compliance import Lease
from ..domain.device import Platform
from ..domain.evidence import Level
from ..domain.watch import Pace
from ..ports import (
    Actor,
    Clock,
    ComplianceChannel,
    DeviceCertificates,
    DeviceManager,
    Directory,
    PartnerList,
    Relaying,
    SignInLog,
    Store,
)


@dataclass(frozen=True)
class World:
    """`managers` by connection name. `possession_url` makes the address behind a token, `message_text` the words around it.
    `tell_owner_by` are the ways of `tell_owner`. `partner_name` is what Intune's list of partners calls us. `helpdesk_groups`
    are those that limit a role of the helpdesk (domain/reach.py)."""

    store: Store
    directory: Directory
    managers: Mapping[str, DeviceManager]
    channels: Sequence[ComplianceChannel]
    clock: Clock
    minimum: Level
    lease: Lease
    recheck: timedelta
    executor: str
    possession_url: Callable[[str], str]
    message_text: Callable[[str, str], str]
    pace: Pace = field(default_factory=Pace)
    sign_in_log: SignInLog | None = None
    certificates: DeviceCertificates | None = None
    tell_owner_by: Sequence[str] = ("device",)
    partners: PartnerList | None = None
    partner_name: str | None = None
    helpdesk_groups: frozenset[str] = frozenset()

    @property
    def actor(self) -> Actor:
        return Actor("worker", self.executor)

    def channel(self, platform: Platform, connection: str | None = None) -> ComplianceChannel | None:
        """The channel that serves a platform. Where an MDM's maker carries, devices of another connection than its have none."""
        found = next((c for c in self.channels if platform in c.platforms), None)
        if isinstance(found, Relaying) and connection is not None and connection != found.connection:
            return None
        return found
