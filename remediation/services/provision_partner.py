"""Set the tenant up at Intune's partner service, or end that: what stands there, what should, what was done.

Safe to repeat, and safe to cut off: what Microsoft took so far is written down, and the next time goes on from what stands there.
Next door: `heartbeat` (afterwards), `doctor_partner` (whether all of it fits together).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from ..domain.device import Platform
from ..domain.partner import HEARTBEAT, RESYNC, Told
from ..errors import NotFound, Refused, RemoteError
from ..ports import Actor, Clock, PartnerList, PartnerPolicy, PartnerTenant, Store
from .patience import Patient


@dataclass(frozen=True)
class Wanted:
    """`groups` are those that were chosen, none for all users; `everybody` is the group that then stands for them."""

    enrollment_url: str
    remediation_url: str
    platforms: tuple[Platform, ...]
    groups: tuple[str, ...]
    everybody: str

    @property
    def addresses(self) -> Mapping[str, str]:
        return {"enrollment_url": self.enrollment_url, "remediation_url": self.remediation_url}

    @property
    def assigned(self) -> frozenset[str]:
        return frozenset(self.groups or (self.everybody,))


@dataclass(frozen=True)
class Seen:
    """`policies` that stand at Microsoft; `names` of the chosen groups, None where they may not be read; `no_group` are those that
    the directory does not have."""

    told: Told | None
    policies: Mapping[Platform, PartnerPolicy]
    names: Mapping[str, str | None]
    no_group: tuple[str, ...]

    def differs(self, wanted: Wanted) -> Iterator[str]:
        """Stable ids of what is to be done, or cannot be, with the platform behind a blank."""
        told = self.told
        if told is None:
            yield "not_told"
        elif not told.provisioned:
            yield "deprovisioned"
        elif told.leaving_at is not None:
            yield "leaving"
        elif (told.enrollment_url, told.remediation_url) != (wanted.enrollment_url, wanted.remediation_url):
            yield "addresses"
        for platform in wanted.platforms:
            policy = self.policies.get(platform)
            if policy is None:
                yield f"no_policy {platform.value}"
            elif not policy.partner_decides:
                yield f"intune_decides {platform.value}"
            if told is None or policy is None or told.policies.get(platform.value) != policy.id:
                yield f"not_assigned {platform.value}"
        if told is not None and frozenset(told.groups) != wanted.assigned:
            yield "groups"


@dataclass
class Done:
    """What Microsoft took. `failed` is what it did not: (step, platform or nothing, error); `odd` what it answered differently."""

    provisioned: bool = False
    made: list[Platform] = field(default_factory=list)
    kept: list[Platform] = field(default_factory=list)
    assigned: list[Platform] = field(default_factory=list)
    failed: list[tuple[str, str, RemoteError]] = field(default_factory=list)
    odd: list[tuple[Platform, tuple[str, ...]]] = field(default_factory=list)


class GroupsMissing(Exception):
    """The directory does not have these groups. Nothing was told to Microsoft."""

    def __init__(self, groups: Sequence[str]) -> None:
        super().__init__(", ".join(groups))
        self.groups = tuple(groups)


def see(tenant: PartnerTenant, listed: PartnerList, store: Store, wanted: Wanted, patiently: Patient) -> Seen:
    """Reads alone."""
    policies: dict[Platform, PartnerPolicy] = {}
    for policy in patiently(tenant.policies):
        policies.setdefault(policy.platform, policy)
    names: dict[str, str | None] = {}
    gone = []
    for group in wanted.groups:
        try:
            names[group] = patiently(partial(listed.group_name, group))
        except NotFound:
            gone.append(group)
        except Refused:  # without GroupMember.Read.All nobody can say; Microsoft's own answer decides then
            names[group] = None
    return Seen(store.partner_told(), policies, names, tuple(gone))


def provision(
    tenant: PartnerTenant,
    store: Store,
    seen: Seen,
    wanted: Wanted,
    patiently: Patient,
    *,
    actor: Actor,
    why: str,
    clock: Clock,
) -> Done:
    """The addresses first, then policy and assignment for each platform; a platform that is refused does not stop the others."""
    if seen.no_group:
        raise GroupsMissing(seen.no_group)
    done, ids = Done(), dict(seen.told.policies) if seen.told is not None else {}
    try:
        patiently(partial(tenant.provision, **wanted.addresses))
        done.provisioned = True
    except RemoteError as error:
        done.failed.append(("provision", "", error))
        return done
    for platform in wanted.platforms:
        try:
            policy = _policy(tenant, platform, seen.policies, done, patiently)
            answered = patiently(partial(tenant.assign, policy.id, wanted.assigned))
        except RemoteError as error:
            done.failed.append(("policy", platform.value, error))
            continue
        ids[platform.value] = policy.id
        done.assigned.append(platform)
        if answered != wanted.assigned:
            done.odd.append((platform, tuple(sorted(answered))))
    groups = () if done.failed or done.odd else tuple(sorted(wanted.assigned))  # then the next look finds them to differ
    told = Told(True, wanted.enrollment_url, wanted.remediation_url, groups, ids, clock(), actor.id)
    stays = wanted.platforms if seen.told is not None and seen.told.leaving_at is not None else ()
    _write_down(store, told, "partner.provisioned", done, actor=actor, why=why, look_at=stays)
    return done


def _policy(
    tenant: PartnerTenant, platform: Platform, known: Mapping[Platform, PartnerPolicy], done: Done, patiently: Patient
) -> PartnerPolicy:
    if platform in known:
        done.kept.append(platform)
        return known[platform]
    made = patiently(partial(tenant.make_policy, platform))
    if made is not None:
        done.made.append(platform)
        return made
    standing = next((policy for policy in patiently(tenant.policies) if policy.platform is platform), None)
    if standing is None:
        raise Refused(
            "a policy stands in the way that is not listed", remote="channel", status=409, vendor_code="policy_in_the_way"
        )
    done.kept.append(platform)
    return standing


def leave(store: Store, wanted: Wanted, platforms: Collection[Platform], *, actor: Actor, why: str, clock: Clock) -> None:
    """From now on what was told of these platforms is taken back: their links are due, with the revocations. Begun before, it goes
    on; `provision` takes it back."""
    before, now = store.partner_told(), clock()
    with store.change(actor, "partner.leaving", about=("partner", store.tenant_id), at=now) as change:
        change.audit(because=why)
        if before is None:  # another deployment set it up; what it was told there nobody here knows
            change.partner_took(Told(True, wanted.enrollment_url, wanted.remediation_url, (), {}, now, actor.id))
        change.partner_leaves((before.leaving_at if before is not None else None) or now)
        change.look_at_partner_links(platforms)


def still_let_in(store: Store, platforms: Collection[Platform]) -> int:
    """Devices of which Entra has not shown yet that they are down."""
    return sum(count for platform, count in store.standing_by_platform().items() if platform in platforms)


def deprovision(
    tenant: PartnerTenant, store: Store, wanted: Wanted, *, actor: Actor, why: str, clock: Clock, patiently: Patient, left: int
) -> None:
    """`left` devices stay let in: whoever calls this has seen to it, or was told. Policies and assignments stay at Microsoft: no
    public source shows a way to take them back."""
    patiently(partial(tenant.deprovision, **wanted.addresses))
    before = store.partner_told()
    ids, groups = (before.policies, before.groups) if before is not None else ({}, ())
    since = before.leaving_at if before is not None and not left else None  # those who were left there nobody can take down now
    told = Told(False, wanted.enrollment_url, wanted.remediation_url, groups, ids, clock(), actor.id, since)
    _write_down(store, told, "partner.deprovisioned", None, actor=actor, why=why, left=left)


def _write_down(
    store: Store,
    told: Told,
    what: str,
    done: Done | None,
    *,
    actor: Actor,
    why: str,
    look_at: Collection[Platform] = (),
    **more: object,
) -> None:
    store.keep_watches((HEARTBEAT, RESYNC), at=told.told_at)
    with store.change(actor, what, about=("partner", store.tenant_id), at=told.told_at) as change:
        change.partner_took(told)
        change.watch_soon(HEARTBEAT)
        if look_at:
            change.look_at_partner_links(look_at)
        detail: dict[str, object] = {"enrollment_url": told.enrollment_url, "remediation_url": told.remediation_url, **more}
        if done is not None:
            detail |= {"groups": list(told.groups), "made": _words(done.made), "kept": _words(done.kept)}
            detail |= {"assigned": _words(done.assigned), "refused": [platform for _, platform, _ in done.failed]}
        change.audit(because=why, **detail)


def _words(platforms: Collection[Platform]) -> list[str]:
    return [platform.value for platform in platforms]
