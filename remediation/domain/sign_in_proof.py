"""A second sign-in, after the candidate was seen, in which Entra itself may name the device that the browser runs on.

It does so in the `deviceid` claim of an access token for our own API, or in the record of that sign-in in its log, minutes later.
Neither is promised; where both are silent, nothing is proven and nothing refuted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from .device import DeviceLink, DirectoryDevice, LinkState, ManagedDevice, ManagedKey
from .evidence import Evidence, Level
from .identifiers import identifier

# When the record is looked for, after the person came back. Microsoft's quickstart says to wait about five minutes
# (entra-docs quickstart-analyze-sign-in.md); twelve times that is where we stop.
RECORD_LOOKS = tuple(timedelta(minutes=n) for n in (0.5, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 45, 60))


class Record(StrEnum):
    """How the look for Entra's record of a sign-in stands."""

    WAITING = "waiting"
    READ = "read"  # there, whether it names a device or not
    FORBIDDEN = "forbidden"  # this tenant lets us read none: no permission, or no licence for it
    GIVEN_UP = "given_up"  # not there after an hour


@dataclass(frozen=True)
class Pair:
    """What a sign-in is to prove: this directory device and this enrollment, pinned as a link pins them."""

    device_id: str
    object_id: str
    managed: ManagedKey
    generation: str


@dataclass(frozen=True)
class SignIn:
    """One such sign-in, as the web process saw it come back.

    `claimed` and `recorded` are the Azure device ids that claim and record named; `error` is what Entra said instead of signing in.
    `app_id` and `correlation_id` are how its record is found.
    """

    id: str
    pair: Pair
    app_id: str
    correlation_id: str
    began_at: datetime
    returned_at: datetime
    claimed: str | None = None
    error: str | None = None
    record: Record = Record.WAITING
    recorded: str | None = None
    record_looks: int = 0

    @property
    def named(self) -> frozenset[str]:
        return frozenset(name for name in (identifier(self.claimed), identifier(self.recorded)) if name is not None)

    @property
    def record_due(self) -> datetime | None:
        """When to look for the record next. A claim is Entra's word already, and a sign-in that failed leaves no good record."""
        if self.record is not Record.WAITING or self.named or self.error is not None:
            return None
        return self.returned_at + RECORD_LOOKS[min(self.record_looks, len(RECORD_LOOKS) - 1)]

    def looked(self, found: Sequence[str] | None) -> "SignIn":
        """After a look for the record: `found` is None where there is none yet, else the devices that it names.

        A sign-in happens on one device; where several are named, one that is not the expected counts.
        """
        looks = self.record_looks + 1
        if found is None:
            return replace(self, record_looks=looks, record=Record.GIVEN_UP if looks >= len(RECORD_LOOKS) else Record.WAITING)
        names = sorted((name for one in found if (name := identifier(one))), key=lambda name: name == self.pair.device_id)
        return replace(self, record_looks=looks, record=Record.READ, recorded=names[0] if names else None)


def decisive(sign_ins: Sequence[SignIn], pair: Pair, *, since: datetime) -> SignIn | None:
    """The newest that speaks of this pair and began after possession was proven. One that named nothing takes nothing back."""
    of_it = speaking_of(sign_ins, pair, since=since)
    named = [one for one in of_it if one.named]
    return next(reversed(named or of_it), None)


def speaking_of(sign_ins: Sequence[SignIn], pair: Pair, *, since: datetime) -> list[SignIn]:
    return sorted((s for s in sign_ins if s.pair == pair and s.began_at >= since), key=lambda s: s.returned_at)


def names_another(sign_in: SignIn | None) -> bool:
    """Entra named another device than the one that this sign-in was to prove."""
    return sign_in is not None and bool(sign_in.named - {identifier(sign_in.pair.device_id)})


def with_sign_in(evidence: Evidence, sign_in: SignIn | None) -> Evidence:
    """*Possession* becomes *bound* where Entra named the candidate. Nothing below possession ever does, and nothing above sinks."""
    if sign_in is None or not sign_in.named or names_another(sign_in) or evidence.level is not Level.POSSESSION:
        return evidence
    way = "the deviceid claim of a second sign-in" if sign_in.claimed else "the record of a second sign-in"
    return Evidence(Level.BOUND, sign_in.returned_at, f"{evidence.how}; Entra named the same device in {way}")


def pair_of(managed: ManagedDevice, device: DirectoryDevice) -> Pair:
    return Pair(device.device_id, device.object_id, managed.key, managed.generation)


def pair_of_link(link: DeviceLink) -> Pair:
    return Pair(link.device_id, link.object_id, link.managed, link.generation)


def wants_sign_in(link: DeviceLink | None) -> bool:
    """A link that waits for no more than possession, where the tenant asks for more than that."""
    return (
        link is not None
        and link.state is LinkState.PENDING
        and link.evidence.level is Level.POSSESSION
        and link.minimum is not None
        and link.minimum >= Level.BOUND
    )


def refutes(sign_in: SignIn | None, link: DeviceLink) -> bool:
    """A living link ends by a sign-in of its own pair that names another device, unless an earlier one named the right one: people
    sign in on their other devices, too, and that proves nothing against what Entra said before."""
    return names_another(sign_in) and link.evidence.level < Level.BOUND
