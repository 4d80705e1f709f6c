"""What `remediation doctor` is made of: the worker's own parts, with its settings and its budgets, and what only the doctor asks.

Next door: `wiring` (the two processes), `doctor_words` (what a finding means).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from requests.adapters import BaseAdapter

from . import credential_wiring
from .adapters.access_policies import GraphPolicies
from .adapters.certificate_files import PemFiles
from .adapters.tenant_facts import GraphTenantFacts
from .domain.credential_ends import Ends
from .domain.device import ManagedDevice
from .domain.finding import Finding, State
from .domain.message_test import MessageTest
from .errors import RemoteError
from .ports import Actor, Clock
from .services import (
    doctor,
    doctor_headroom,
    doctor_house,
    doctor_lock,
    doctor_partner,
    doctor_remotes,
    doctor_tenant,
    message_test,
    pilot,
)
from .set_up_wiring import chosen_groups, partner_wanted
from .settings import WorkerSettings
from .settings.mdm import WorkspaceOneConnection
from .store.engine import make_engine
from .store.remotes import SqlConnections
from .store.store import SqlStore
from .store.stuck import SqlStuckRows
from .store.wakeups import DbosWakeups
from .web.names import shown
from .wire import Wire
from .wiring import build_budgets, build_messages, now, temporary_access, world_of

CHECKS: Sequence[doctor.Check] = (
    doctor_house.database,
    doctor_house.files,
    doctor_remotes.tokens,
    doctor_remotes.credentials,
    doctor_remotes.directory,
    doctor_tenant.licences,
    doctor_tenant.registration,
    doctor_remotes.channels,
    doctor_remotes.partner,
    doctor_partner.slots,
    doctor_partner.addresses,
    doctor_partner.heartbeat,
    doctor_remotes.mdm,
    doctor_remotes.messages,
    doctor_remotes.sign_in_log,
    doctor.evidence,
    doctor_remotes.policy,
    doctor_tenant.deadlock,
    doctor_remotes.temporary_access,
    pilot.proven,
    doctor_lock.lock,
    doctor_tenant.by_hand,
    doctor_remotes.clocks,
    doctor_headroom.headroom,
    doctor_house.writers,
    doctor_house.worker,
    doctor_house.queue,
)


class Examination:
    """On one database and tenant. Tests give a `transport` that leads into the sandbox without a socket, and its `clock`."""

    def __init__(
        self, settings: WorkerSettings, *, sign_in_app: str | None = None, transport: BaseAdapter | None = None, clock: Clock = now
    ) -> None:
        url, tenant = settings.database_url.get_secret_value(), settings.tenant_id
        self._engine = make_engine(url)
        store = SqlStore(self._engine, tenant, DbosWakeups(self._engine))
        self._quick = make_engine(url, durable=False)
        self._budgets = build_budgets(settings, self._quick, clock=clock)
        wire = Wire(settings, self._budgets, transport, clock)
        messages, origin = build_messages(settings), settings.public_origin
        self._text: Callable[[str], str] = lambda token: messages.text("test", url=f"{origin}/message-test/{token}")
        self._world, self._tokens = world_of(settings, store, wire, clock), wire.tokens()
        groups = chosen_groups(settings, store)
        self._doctor = doctor.Doctor(
            world=self._world,
            tokens=self._tokens,
            policies=GraphPolicies(wire.graph("directory")),
            clocks=wire,
            certificates=PemFiles(),
            stuck=SqlStuckRows(self._engine, tenant),
            files=_files(settings),
            sign_in_app=sign_in_app.lower() if sign_in_app else None,
            tenant=GraphTenantFacts(wire.graph("directory")),
            connections=SqlConnections(self._engine, tenant),
            intune_plans=settings.intune_plans,
            syncs_groups=any(isinstance(one, WorkspaceOneConnection) for one in settings.mdm.values()),
            ends=credential_wiring.ends(settings, wire, clock, sign_in_app=sign_in_app),
            wanted=lambda: partner_wanted(settings, groups()),
            bypass=(settings.temporary_access_group, temporary_access(settings, wire))
            if settings.temporary_access_group is not None and settings.temporary_access != "off"
            else None,
        )

    def __enter__(self) -> "Examination":
        return self

    def __exit__(self, *_: object) -> None:
        """Lets the connections to the database go: a worker examines again and again."""
        self._engine.dispose()
        self._quick.dispose()

    def findings(self) -> Iterator[Finding]:
        yield Finding("settings", State.GOOD, "read")
        for finding in doctor.examine(self._doctor, CHECKS):
            yield finding
            if finding.check == "database" and finding.state is State.GOOD:
                self._budgets.ask_refused_again()

    def findings_of(self, *checks: doctor.Check) -> Iterator[Finding]:
        """Of these alone; what was refused a moment ago is asked again, since somebody may have repaired it."""
        self._budgets.ask_refused_again()
        yield from doctor.examine(self._doctor, checks)

    def ends(self) -> Sequence[Ends]:
        """When the credentials of both apps end; raises the errors of the directory."""
        return self._doctor.ends() if self._doctor.ends is not None else ()

    def roles(self) -> Mapping[str, Sequence[str]]:
        """The permissions in the token of each resource that gave one."""
        found: dict[str, Sequence[str]] = {}
        for resource, token in self._tokens.items():
            with suppress(RemoteError):
                roles = token.roles()
                if roles is not None:
                    found[resource] = sorted(roles)
        return found

    @property
    def connections(self) -> Sequence[str]:
        return tuple(self._world.managers)

    def device(self, connection: str, record_id: str) -> ManagedDevice:
        return message_test.device_for_test(self._world.managers[connection], record_id)

    def send_test(self, device: ManagedDevice, *, operator: str, why: str) -> datetime:
        """Until when its link can be tapped."""
        store, manager = self._world.store, self._world.managers[device.key.connection]
        actor = Actor("operator", operator)
        message_test.send_test(store, manager, device, text=self._text, actor=actor, why=why, clock=self._world.clock)
        return self.test(device.key.connection).expires_at

    def test(self, connection: str) -> MessageTest:
        test = self._world.store.message_test(connection)
        if test is None:
            raise LookupError(connection)
        return test


def described(device: ManagedDevice) -> str:
    """For whoever is about to send it a message. Names came from a remote: nothing in them may steer a terminal."""
    parts = (device.name, device.model, device.platform.value, device.owner_user_name)
    return ", ".join(shown(part) for part in parts if part)


def _files(settings: WorkerSettings) -> Mapping[str, str]:
    given = {
        "service_certificate": settings.file_of("service_certificate"),
        "certificate_authorities": settings.certificate_ca_file,
        "revocation_lists": settings.certificate_crl_file,
        "trusted_authorities": settings.ca_file,
    }
    return {what: str(path) for what, path in given.items() if path}
