"""What is wrong with a person's device, and what kind of person they are: one trouble each, drawn from the stand-in's stories.

`curable` is what the person can put right; all else ends at the helpdesk. `before` is done to the world once the story began,
`manner` how the person goes about it: `reads` what the page says, comes back `later` by the leaflet, goes on in `another` browser,
leaves the message until it is `late`, or presses everything `twice`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.faults import Fault
from sandbox.scenarios import SCENARIOS
from sandbox.server import Sandbox

MANNERS = ("reads", "reads", "reads", "reads", "later", "another", "late", "twice")


@dataclass(frozen=True)
class Trouble:
    name: str
    scenario: str
    curable: bool
    before: Callable[[Sandbox], None] = lambda sandbox: None
    weight: int = 4

    @property
    def platform(self) -> str:
        return SCENARIOS[self.scenario].kind.policy_word.lower()


def _unwell(**health: bool) -> Callable[[Sandbox], None]:
    def spoil(sandbox: Sandbox) -> None:
        with sandbox.world.lock:
            phone = sandbox.world.in_hand
            for name, value in health.items():
                setattr(phone.health, name, value)
            if phone.record_id is not None:
                sandbox.world.check_in(phone.record_id)

    return spoil


def _spoiled(service: str, kind: str, calls: int) -> Callable[[Sandbox], None]:
    """So many calls go wrong; then the remote is well again."""

    def spoil(sandbox: Sandbox) -> None:
        sandbox.faults.add(Fault(service, kind, times=calls))

    return spoil


def _in_no_hurry(sandbox: Sandbox) -> None:
    sandbox.world.lags.registration_lag = 120


_CURABLE = (
    Trouble("just_registered", "blocked_just_registered", True, weight=12),
    Trouble("never_registered", "blocked_unregistered", True, weight=8),
    Trouble("registered_late", "blocked_unregistered", True, _in_no_hurry),
    Trouble("no_passcode", "not_compliant", True, weight=8),
    Trouble("not_encrypted", "blocked_just_registered", True, _unwell(encrypted=False)),
    Trouble("jailbroken", "blocked_just_registered", True, _unwell(jailbroken=True)),
    Trouble("two_rules", "not_compliant", True, _unwell(passcode=False, encrypted=False)),
    Trouble("already_fine", "already_fine", True),
    Trouble("other_mdm", "on_maas360", True),
    Trouble("two_phones", "two_phones", True),
    Trouble("one_in_each_mdm", "two_mdms", True),
    Trouble("registered_last_year", "registered_last_year", True),
    Trouble("registered_again", "reregistered_same_id", True),
    Trouble("two_records", "duplicate_records", True),
    Trouble("not_enrolled", "not_enrolled", True),
    Trouble("work_profile", "android_work_profile", True),
    Trouble("fully_managed", "android_fully_managed", True),
    Trouble("ipad", "ipad", True),
    Trouble("mac", "mac", True),
    Trouble("mdm_down", "blocked_just_registered", True, _spoiled("workspace_one", "down", 8)),
    Trouble("mdm_html", "not_compliant", True, _spoiled("workspace_one", "html", 6)),
    Trouble("graph_busy", "blocked_just_registered", True, _spoiled("graph", "throttle", 5)),
    Trouble("graph_garbled", "blocked_unregistered", True, _spoiled("graph", "garbled", 5)),
    Trouble("upload_failed", "blocked_just_registered", True, _spoiled("intune", "server_error", 4)),
    Trouble("answer_lost", "blocked_just_registered", True, _spoiled("intune", "drop_answer", 2)),
)
_HANDED_OVER = (
    Trouble("no_licence", "no_licence", False),
    Trouble("guest", "guest", False),
    Trouble("not_in_group", "not_in_group", False),
    Trouble("staging_user", "shared_user", False),
    Trouble("two_users", "ambiguous_owner", False),
    Trouble("handed_on", "owned_by_another", False),
    Trouble("switched_off", "disabled_device", False),
    Trouble("compliant_and_blocked", "loop", False),
    Trouble("second_factor_gone", "new_phone_no_second_factor", False),
    Trouble("windows", "windows", False),
)
TROUBLES = (*_CURABLE, *_HANDED_OVER)
BY_NAME = {trouble.name: trouble for trouble in TROUBLES}


def drawn(people: int, chance: random.Random) -> list[tuple[Trouble, str]]:
    """Each trouble at least once where there are enough people, then as it comes."""
    weights = [trouble.weight for trouble in TROUBLES]
    first = list(TROUBLES[:people]) if people >= len(TROUBLES) else []
    rest = chance.choices(TROUBLES, weights, k=people - len(first))
    return [(trouble, "reads" if at < len(first) else chance.choice(MANNERS)) for at, trouble in enumerate([*first, *rest])]
