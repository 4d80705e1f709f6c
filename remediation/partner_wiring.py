"""What the commands about the compliance partner act on: the worker's own way to Microsoft, within the budget of all.

Next door: `wiring` (the two processes), `mdm_wiring` (the commands about an MDM).
"""

import time
from collections.abc import Callable, Sequence

from requests.adapters import BaseAdapter

from .adapters import compliance_partners, intune_partner_service, intune_partner_tenant
from .domain.channel import ChannelKind
from .domain.partner import HEARTBEAT, CompliancePartner, Told
from .domain.watch import Watch
from .errors import NotReady, RemoteError
from .ports import Actor, Clock, PartnerPolicy
from .services import provision_partner
from .services.patience import Patient
from .services.provision_partner import Done, GroupsMissing, Seen, Wanted
from .set_up_wiring import chosen_groups, partner_wanted
from .settings import WorkerSettings
from .settings.channels import PLATFORMS as ALL
from .store.engine import make_engine
from .store.store import SqlStore
from .store.wakeups import DbosWakeups
from .web.names import shown
from .wire import Wire
from .wiring import build_budgets, now, require_migrated

__all__ = ["PLATFORMS", "Done", "GroupsMissing", "Partner", "Seen", "Wanted", "shown"]

PLATFORMS = tuple(platform.value for platform in intune_partner_tenant.PLATFORMS)


class Partner:
    """One tenant at Intune's partner service. Tests give a `transport` that leads into the sandbox without a socket."""

    def __init__(
        self,
        settings: WorkerSettings,
        *,
        platforms: Sequence[str] = (),
        transport: BaseAdapter | None = None,
        clock: Clock = now,
        sleep: Callable[[float], None] = time.sleep,
        waiting: Callable[[], None] = lambda: None,
    ) -> None:
        require_migrated(settings)
        self._patiently = Patient(sleep, waiting)
        url, self._clock = settings.database_url.get_secret_value(), clock
        self._engine = make_engine(url)
        self._store = SqlStore(self._engine, settings.tenant_id, DbosWakeups(self._engine))
        self._quick = make_engine(url, durable=False)
        budgets = build_budgets(settings, self._quick, clock=clock)
        budgets.ask_refused_again()
        wire = Wire(settings, budgets, transport, clock)
        service = intune_partner_service.PartnerService(
            graph=wire.graph("channel"), connect=wire.partner, now=clock, hosts=settings.partner_hosts
        )
        self._tenant = intune_partner_tenant.IntunePartnerTenant(service, tenant_id=settings.tenant_id, now=clock)
        self._listed = compliance_partners.GraphCompliancePartners(wire.graph("directory"))
        self.tenant_id, self.our_name = settings.tenant_id, settings.partner_name
        self.wanted = partner_wanted(settings, chosen_groups(settings, self._store)(), platforms)
        chosen = {platform: settings.chosen(platform, settings.mdm) for platform in ALL}
        self._ours = frozenset(one for one, by in chosen.items() if by is not None and by.kind is ChannelKind.INTUNE_PARTNER)
        if not self.wanted.enrollment_url.startswith("https://") and not settings.demo:
            raise NotReady("Microsoft takes only addresses that begin with https://: set REMEDIATION_PUBLIC_ORIGIN.")

    def see(self) -> Seen:
        return provision_partner.see(self._tenant, self._listed, self._store, self.wanted, self._patiently)

    def listed(self) -> Sequence[CompliancePartner] | RemoteError:
        """Intune's own list, or why it cannot be read."""
        try:
            return self._patiently(self._listed.partners)
        except RemoteError as error:
            return error

    def heartbeat(self) -> Watch | None:
        return self._store.watch(HEARTBEAT)

    def told(self) -> Told | None:
        return self._store.partner_told()

    def policies(self) -> Sequence[PartnerPolicy]:
        return self._patiently(self._tenant.policies)

    def standing(self) -> int:
        """How many devices Microsoft lets in by our word as compliance partner, or has not shown to be down yet."""
        return provision_partner.still_let_in(self._store, self._ours)

    def leave(self, operator: str, *, why: str) -> None:
        """Begin to take them down, or go on with it; the worker does it."""
        who = Actor("operator", operator)
        provision_partner.leave(self._store, self.wanted, self._ours, actor=who, why=why, clock=self._clock)

    def provision(self, seen: Seen, operator: str, *, why: str) -> Done:
        actor = Actor("operator", operator)
        return provision_partner.provision(
            self._tenant, self._store, seen, self.wanted, self._patiently, actor=actor, why=why, clock=self._clock
        )

    def deprovision(self, operator: str, *, why: str) -> None:
        provision_partner.deprovision(
            *(self._tenant, self._store, self.wanted),
            actor=Actor("operator", operator),
            why=why,
            clock=self._clock,
            patiently=self._patiently,
            left=self.standing(),
        )

    def close(self) -> None:
        self._engine.dispose()
        self._quick.dispose()
