"""The worker's half of setting a tenant up: it asks the remotes what an administrator wants to know, and writes the answers down.

A row of `watches`, woken with each wish. A remote that is away is asked again, for a quarter of an hour; whoever refuses, or says
that there is none, has answered. Next door: `scope` (what becomes of counts), `provision_partner`, `doctor_partner`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from ..domain.finding import Finding
from ..domain.partner import CompliancePartner
from ..domain.push import Lane
from ..domain.scope import AtMdm, ChosenGroup, Faced, FoundGroup, gone, look_at
from ..domain.watch import Watch
from ..domain.wishes import GIVES_UP_AFTER, Kind, Wish
from ..errors import Busy, NotFound, Refused, RemoteError, StepRefused, Unreachable
from ..ports import Actor, DirectoryGroups, Grouping, PartnerTenant, Policies, in_lane
from .doctor_partner import slots_of
from .doctor_remotes import policies_about
from .patience import Patient
from .pilot import start
from .provision_partner import GroupsMissing, Wanted, provision, see
from .world import World

MOST_FOUND = 20
AGAIN = timedelta(seconds=5)
Listed = Mapping[str, Sequence[tuple[str, str, int | None]] | None]


@dataclass(frozen=True)
class Asking:
    """What answers are made of, besides the world. `wanted` is what Microsoft should be told by now; `tenant` is None where no
    channel of ours makes us the compliance partner."""

    groups: DirectoryGroups
    policies: Policies
    wanted: Callable[[], Wanted]
    tenant: PartnerTenant | None


def answer_wishes(watch: Watch, world: World, asking: Asking) -> None:
    """One pass over all that wait."""
    watch = watch.begun(world.clock())
    if not world.store.save_watch(watch):
        return
    waits = False
    for wish in world.store.open_wishes():
        waits = not _answer(wish, world, asking) or waits
    world.store.save_watch(replace(watch, next_look_at=world.clock() + AGAIN if waits else None, reason=None, attempts=0))


def _answer(wish: Wish, world: World, asking: Asking) -> bool:
    """False where a remote is to be asked again."""
    try:
        with in_lane(Lane.PERSON):
            answer = ANSWERS[wish.kind](wish, world, asking)
    except (Busy, Unreachable) as error:
        if world.clock() - wish.asked_at < GIVES_UP_AFTER:
            return False
        _failed(wish, world, error)
    except RemoteError as error:
        _failed(wish, world, error)
    else:
        world.store.answer_wish(wish.id, at=world.clock(), answer=answer)
    return True


def _failed(wish: Wish, world: World, error: RemoteError) -> None:
    code = error.vendor_code or str(error.status or "")
    world.store.answer_wish(wish.id, at=world.clock(), answer={}, failed=f"{error.remote}_{error.why}", code=code)


def _search(wish: Wish, world: World, asking: Asking) -> dict[str, Any]:
    """Nobody is counted here: while somebody types, that would be two calls for each group."""
    found = asking.groups.search(str(wish.asked["words"]), limit=MOST_FOUND)
    only_managed = bool(wish.asked["only_managed"])
    listed = listed_by_mdms(world) if only_managed else {}
    faced = [look_at(group, found, listed, only_managed=only_managed) for group in found]
    return {"groups": [plain(one) for one in faced], "away": _away(listed)}


def _count(wish: Wish, world: World, asking: Asking) -> dict[str, Any]:
    chosen = [ChosenGroup(group["id"], group["name"]) for group in wish.asked["groups"]]
    only_managed = bool(wish.asked["only_managed"])
    listed = listed_by_mdms(world) if chosen else {}
    faced = [face(group, asking.groups, listed, only_managed=only_managed) for group in chosen]
    everybody = asking.groups.everybody() if not chosen else None
    links = world.store.living_links_count()
    return {"groups": [plain(one) for one in faced], "everybody": everybody, "links": links, "away": _away(listed)}


def face(chosen: ChosenGroup, groups: DirectoryGroups, listed: Listed, *, only_managed: bool) -> Faced:
    """One group as it is now, with all that whoever chooses it should know."""
    try:
        group = groups.group(chosen.id)
    except NotFound:
        return gone(chosen)
    found = groups.named(group.name) if group.name else ()
    return look_at(group, found, listed, only_managed=only_managed, known_as=chosen.name or None)


def listed_by_mdms(world: World) -> Listed:
    """The groups of each MDM that has any; None where it could not be asked."""
    found: dict[str, Sequence[tuple[str, str, int | None]] | None] = {}
    for connection, manager in world.managers.items():
        if isinstance(manager, Grouping):
            try:
                found[connection] = [(group.name, group.holds, group.members) for group in manager.groups()]
            except RemoteError:
                found[connection] = None
    return found


def _away(listed: Listed) -> list[str]:
    return [connection for connection, groups in listed.items() if groups is None]


def _partner(wish: Wish, world: World, asking: Asking) -> dict[str, Any]:
    """By Intune's own list, and by what Microsoft took from us."""
    found = list(slots_of(world, world.partners, asking.wanted())) if world.partners is not None else []
    rows = [_row(one) for one in _listed(world)]
    return {"findings": [_finding(one) for one in found], "differs": _differs(world, asking, found), "listed": rows}


def _listed(world: World) -> Sequence[CompliancePartner]:
    """All rows, to be shown: how a vendor's row is named there is not public (docs/unproven.md)."""
    try:
        return world.partners.partners() if world.partners is not None else ()
    except Refused:
        return ()


def _row(one: CompliancePartner) -> dict[str, Any]:
    heard = one.heartbeat_at.isoformat() if one.heartbeat_at is not None else None
    return {"name": one.name, "state": one.state, "heard": heard, "platforms": sorted(p.value for p in one.platforms)}


def _differs(world: World, asking: Asking, found: Iterable[Finding]) -> list[str]:
    """What is still to be told; not asked where nobody may be told anything."""
    if asking.tenant is None or world.partners is None or any(one.why == "taken" for one in found):
        return []
    try:
        return list(see(asking.tenant, world.partners, world.store, asking.wanted(), Patient(_no_sleep)).differs(asking.wanted()))
    except Refused as refused:
        return [f"refused {refused.vendor_code or refused.status or ''}".strip()]


def _provision(wish: Wish, world: World, asking: Asking) -> dict[str, Any]:
    """Safe to repeat: each time it goes on from what stands there."""
    if asking.tenant is None or world.partners is None:
        return {"done": False, "refused": [], "why": "no_partner_channel"}
    wanted, patiently = asking.wanted(), Patient(_no_sleep)
    seen = see(asking.tenant, world.partners, world.store, wanted, patiently)
    try:
        done = provision(
            *(asking.tenant, world.store, seen, wanted, patiently),
            actor=Actor("admin", wish.asked_by),
            why="set_up",
            clock=world.clock,
        )
    except GroupsMissing as missing:
        return {"done": False, "refused": [], "why": "no_group", "groups": list(missing.groups)}
    for _, _, error in done.failed:
        if isinstance(error, Busy | Unreachable):
            raise error  # what Microsoft took so far is written down; the next pass goes on from there
    refused = [
        {
            "step": step,
            "platform": platform,
            "why": f"{error.remote}_{error.why}",
            "code": error.vendor_code or str(error.status or ""),
        }
        for step, platform, error in done.failed
    ]
    odd = [platform.value for platform, _ in done.odd]
    return {"done": not refused and not odd, "refused": refused, "odd": odd, "assigned": [p.value for p in done.assigned]}


def _policy(wish: Wish, world: World, asking: Asking) -> dict[str, Any]:
    """The web alone knows with which app people sign in, so the wish says it."""
    app = str(wish.asked["app"]).lower()
    return {"findings": [_finding(one) for one in policies_about(asking.policies, app)]}


def _pilot(wish: Wish, world: World, asking: Asking) -> dict[str, Any]:
    """The worker alone knows which channel serves the device's platform."""
    actor, by_mdm = Actor("admin", wish.asked_by), bool(wish.asked["by_mdm"])
    try:
        pilot = start(world, str(wish.asked["link"]), by_mdm=by_mdm, actor=actor)
    except StepRefused as refused:
        return {"why": refused.why, "about": refused.about}
    return {"pilot": pilot.id}


def _account(wish: Wish, world: World, asking: Asking) -> dict[str, Any]:
    """Who is to go first. People are named by what they sign in with; what is kept is the object id."""
    try:
        oid, name = asking.groups.account(str(wish.asked["name"]))
    except NotFound:
        return {"why": "no_account"}
    return {"oid": oid, "name": name}


def _finding(one: Finding) -> dict[str, Any]:
    return {"check": one.check, "state": one.state.value, "why": one.why, "about": one.about, "detail": dict(one.detail)}


def plain(faced: Faced) -> dict[str, Any]:
    group: FoundGroup = faced.group
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "people": group.people,
        "nested": group.nested,
        "notes": list(faced.notes),
        "stops": list(faced.stops),
        "at": [_at(one) for one in faced.at],
    }


def _at(one: AtMdm) -> dict[str, Any]:
    return {"connection": one.connection, "same": one.same, "members": one.members, "holds": one.holds}


def _no_sleep(seconds: float) -> None:
    """A worker waits for nobody: what our own limit keeps back is asked for again with the next pass."""
    raise Busy("our own limit", remote="channel", retry_after=seconds, ours=True)


ANSWERS: Mapping[Kind, Callable[[Wish, World, Asking], dict[str, Any]]] = {
    Kind.GROUPS: _search,
    Kind.COUNT: _count,
    Kind.PARTNER: _partner,
    Kind.PROVISION: _provision,
    Kind.POLICY: _policy,
    Kind.PILOT: _pilot,
    Kind.ACCOUNT: _account,
}
