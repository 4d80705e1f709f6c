"""What the worker's services act on and decide by, put together once by `wiring`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from ..domain.compliance import Lease
from ..domain.device import DeviceLink, Platform
from ..domain.evidence import Level
from ..domain.watch import Pace, Watch
from ..ports import (
    Actor,
    Clock,
    ComplianceChannel,
    DeviceCertificates,
    DeviceManager,
    Directory,
    DirectoryWriting,
    Marking,
    PartnerList,
    Relaying,
    Roster,
    SignInLog,
    Store,
)


@dataclass(frozen=True)
class World:
    """`managers` by connection name. `possession_url` makes the address behind a token, `message_text` the words around it.
    `tell_owner_by` are the ways of `tell_owner`. `partner_name` is what Intune's list of partners calls us. `answer_wishes` asks
    what an administrator wants to know while the tenant is set up. `lock` writes the marks of the second lock, where the tenant
    has one. Without `directory_writing` the tenant permits none. `helpdesk_groups` limit a role (domain/reach.py). `first` are the
    people for whom alone anything is done before *go*; empty afterwards."""

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
    answer_wishes: Callable[[Watch, "World"], None] | None = None
    roster: Roster | None = None
    lock: Marking | None = None
    directory_writing: DirectoryWriting | None = None
    first: frozenset[str] = frozenset()

    def lets_in(self, oid: str) -> bool:
        return not self.first or oid in self.first

    @property
    def actor(self) -> Actor:
        return Actor("worker", self.executor)

    def channel(self, platform: Platform, connection: str | None = None) -> ComplianceChannel | None:
        """The channel that serves a platform. Where an MDM's maker carries, devices of another connection than its have none."""
        found = next((c for c in self.channels if platform in c.platforms), None)
        if isinstance(found, Relaying) and connection is not None and connection != found.connection:
            return None
        return found

    def lock_on(self, link: DeviceLink) -> Marking | None:
        """The second lock, where it is on for this link's device: prepared, and an MDM's maker carries."""
        return self.lock if self.governed(link) and self.lock_prepared() else None

    def governed(self, link: DeviceLink) -> bool:
        return self.locks(link.platform, link.managed.connection)

    def locks(self, platform: Platform, connection: str | None) -> bool:
        """Whether devices like this are the second lock's, once it is prepared."""
        ours = self.lock is not None and platform in self.lock.platforms
        return ours and isinstance(self.channel(platform, connection), Relaying)

    def lock_prepared(self) -> bool:
        held = self.store.second_lock() if self.lock is not None else None
        return held is not None and held.prepared_at is not None
