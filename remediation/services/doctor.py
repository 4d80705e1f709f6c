"""Is everything there that the product needs? One check after the other, each by the call or the row that it speaks of.

What cannot be known is *unknown*, with the reason. Next door: `doctor_asks` (how a remote is asked), `doctor_remotes`,
`doctor_tenant`, `doctor_partner`, `doctor_lock` (what Microsoft and the MDMs are asked), `doctor_headroom` (how many calls are
left), `doctor_house` (files, database, worker), `message_test` (the one check that needs somebody with a device);
`web/doctor_words` (what is said of each).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..domain.credential_ends import Ends
from ..domain.evidence import Level
from ..domain.finding import Finding, State
from ..domain.message_test import MessageTest
from ..ports import CertificateFiles, Clocks, Connections, Messaging, Policies, Powered, StuckRows, TemporaryAccess, TenantFacts
from .provision_partner import Wanted
from .world import World


@dataclass(frozen=True)
class Doctor:
    """`tokens` by resource (`graph`, `intune`); `files` by what they are for; `sign_in_app` is the client id of the app with which
    people sign in, None where nobody told. `wanted`: what Microsoft should have been told by now."""

    world: World
    tokens: Mapping[str, Powered]
    policies: Policies
    clocks: Clocks
    certificates: CertificateFiles
    stuck: StuckRows
    files: Mapping[str, str]
    tenant: TenantFacts
    connections: Connections
    sign_in_app: str | None = None
    wanted: Callable[[], Wanted] | None = None
    intune_plans: Sequence[str] = ()
    syncs_groups: bool = False
    """An MDM whose console takes over changed groups by hand (Workspace ONE: Sync Azure Services)."""
    ends: Callable[[], Sequence[Ends]] | None = None
    """When the credentials of both apps end."""
    bypass: tuple[str, TemporaryAccess | None] | None = None
    """The group of temporary access, and what gives it where the worker does; None where it is off."""

    @property
    def partner(self) -> Wanted | None:
        return self.wanted() if self.wanted is not None else None

    @property
    def groups(self) -> bool:
        partner = self.partner
        return bool(self.world.helpdesk_groups) or (partner is not None and bool(partner.groups))

    @property
    def tests(self) -> Mapping[str, MessageTest | None]:
        """By connection: the newest test of its messages."""
        return {name: self.world.store.message_test(name) for name in self.world.managers}

    @property
    def silent(self) -> frozenset[str]:
        """Connections to MDMs that have no message to a device."""
        return frozenset(name for name, manager in self.world.managers.items() if not isinstance(manager, Messaging))


Check = Callable[[Doctor, Sequence[Finding]], Iterator[Finding]]
"""Given what was found so far, since without a token there is nothing to ask Graph for."""


def examine(doctor: Doctor, checks: Sequence[Check]) -> Iterator[Finding]:
    found: list[Finding] = []
    for check in checks:
        for finding in check(doctor, tuple(found)):
            found.append(finding)
            yield finding
        if found[-1:] and found[-1].check == "database" and found[-1].state is State.BAD:
            return  # without it no call is counted, and so none is made


def evidence(doctor: Doctor, found: Sequence[Finding]) -> Iterator[Finding]:
    """Can the minimum that was chosen be reached at all?"""
    minimum, unproven = doctor.world.minimum, [name for name, test in doctor.tests.items() if not test or not test.proven_at]
    silent = [name for name in unproven if name in doctor.silent]
    detail = {"minimum": minimum.name.lower(), "connections": ", ".join(unproven)}
    if unproven and minimum is Level.FRESH:
        yield Finding("evidence", State.GOOD, "by_fresh", detail=detail)
    elif unproven:
        if silent:
            yield Finding("evidence", State.BAD, "no_messages", detail={**detail, "connections": ", ".join(silent)})
        if rest := [name for name in unproven if name not in silent]:
            yield Finding("evidence", State.BAD, "unproven", detail={**detail, "connections": ", ".join(rest)})
    elif minimum >= Level.CERTIFICATE and doctor.world.certificates is None:
        yield Finding("evidence", State.BAD, "no_certificates", detail=detail)
    elif minimum >= Level.BOUND:
        log_enough = minimum is Level.BOUND and any(one.check == "sign_in_log" and one.why == "readable" for one in found)
        yield Finding(
            "evidence", State.GOOD if log_enough else State.UNKNOWN, "by_log" if log_enough else "by_claim", detail=detail
        )
    else:
        yield Finding("evidence", State.GOOD, "reachable", detail=detail)
