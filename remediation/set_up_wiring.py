"""What answers an administrator who sets the tenant up, and what Microsoft should be told of us by now.

Next door: `wiring` (the worker, of which this is a part), `partner_wiring` and `scope_wiring` (the commands).
"""

from collections.abc import Callable, Sequence
from functools import partial

from .adapters import intune_partner
from .adapters.access_policies import GraphPolicies
from .adapters.directory_groups import GraphGroups
from .domain.device import Platform
from .domain.watch import Watch
from .domain.wishes import WISHES
from .ports import ComplianceChannel, Store
from .services.answer_wishes import Asking, answer_wishes
from .services.provision_partner import Wanted
from .services.scope import standing
from .services.world import World
from .settings import WorkerSettings
from .wire import Wire


def chosen_groups(settings: WorkerSettings, store: Store) -> Callable[[], Sequence[str]]:
    """The scope as it stands whenever it is asked for."""
    return lambda: standing(store, settings.groups).ids


def answers(
    settings: WorkerSettings, wire: Wire, channels: Sequence[ComplianceChannel], store: Store
) -> Callable[[Watch, World], None]:
    return partial(answer_wishes, asking=asking(settings, wire, channels, store))


def asking(settings: WorkerSettings, wire: Wire, channels: Sequence[ComplianceChannel], store: Store) -> Asking:
    partner = next((channel for channel in channels if isinstance(channel, intune_partner.IntunePartnerChannel)), None)
    return Asking(
        groups=GraphGroups(wire.graph("directory")),
        policies=GraphPolicies(wire.graph("directory")),
        wanted=lambda: partner_wanted(settings, chosen_groups(settings, store)()),
        tenant=partner.tenant if partner is not None else None,
    )


def partner_wanted(settings: WorkerSettings, groups: Sequence[str], platforms: Sequence[str] = ()) -> Wanted:
    """What Microsoft should be told of us as the tenant's compliance partner."""
    return Wanted(
        enrollment_url=f"{settings.public_origin}/enrollment",
        remediation_url=f"{settings.public_origin}/remediation",
        platforms=tuple(Platform(word) for word in platforms) or tuple(sorted(intune_partner.OS)),
        groups=tuple(groups),
        everybody=settings.partner_all_users,
    )


def answer_now(world: World) -> None:
    """While nothing is set up yet there is no engine that would take the wake-up of a wish."""
    watch = world.store.watch(WISHES)
    if watch is not None and world.answer_wishes is not None and world.store.open_wishes(1):
        world.answer_wishes(watch, world)
