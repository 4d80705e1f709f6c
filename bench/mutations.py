"""Ten thousand spoilt answers for each MDM's adapter: a field dropped, nulled, retyped, renamed, doubled, nested or cut, of a
device that is not compliant for one reason or another. `upgrades_unjustified` counts those that made it compliant, `vanished`
those that made it *not found*, `not_of_the_five` what was raised beside the five errors; `untouched_accepted` says that the answer
of a good device, untouched, was understood all along. `--break unknown_is_good|garbled_is_gone` seeds the fault that a figure
must catch.
"""

from __future__ import annotations

import json
import logging
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog

from remediation.domain.compliance import Lease, MdmWord, Verdict, decide
from remediation.domain.device import ManagedDevice
from remediation.errors import Garbled, NotFound, RemoteError
from sandbox.server import SandboxConfig, create_sandbox
from tests.adapters.test_mutations import BAD, KINDS, spoil
from tests.remotes import SCENARIO, Remotes

if TYPE_CHECKING:
    from bench.__main__ import Options

FAULTS = ("unknown_is_good", "garbled_is_gone")
CHECKED_EVERY = 50


def policies(**responses: str) -> dict[str, Any]:
    """A computer's policies in Fleet by their responses, and its own count of those that fail."""
    listed = [
        {"id": number, "name": name.replace("_", " "), "response": said} for number, (name, said) in enumerate(responses.items())
    ]
    failing = sum(said == "fail" for said in responses.values())
    return {"policies": listed, "issues": {"failing_policies_count": failing, "total_issues_count": failing}}


SAID: dict[str, dict[str, dict[str, Any]]] = {
    "workspace_one": {bad: fields for bad, said in BAD.items() for end, fields in said.items() if "4100" in end},
    "maas360": {
        "out by policy": {"policyComplianceState": "Out of Compliance"},
        "out by rule": {"ruleComplianceState": "OOC"},
        "apps not proven": {"appComplianceState": ""},
        "passcode, a new word": {"passcodeCompliance": "Partly"},
        "jailbroken": {"jailbreakStatus": "Yes"},
        "control removed": {"maas360ManagedStatus": "Control Removed"},
        "removal pending": {"maas360ManagedStatus": "Pending Control Removed"},
        "inactive": {"deviceStatus": "Inactive"},
        "never seen": {"lastReportedInEpochms": 0},
        "long unseen": {"lastReportedInEpochms": 1_577_836_800_000},
    },
    "fleet": {
        "a policy fails": policies(Passcode_required="fail", Not_jailbroken="pass"),
        "tampered with": policies(Passcode_required="pass", Not_jailbroken="fail"),
        "none has run yet": policies(Passcode_required="", Not_jailbroken=""),
        "a new word": policies(Passcode_required="passed", Not_jailbroken="maybe"),
        "no policies": policies(),
        "MDM off": {"mdm": {"enrollment_status": "Off", "name": "Fleet"}},
        "not enrolled yet": {"mdm": {"enrollment_status": "Pending", "name": "Fleet"}},
        "in another MDM": {"mdm": {"enrollment_status": "On (manual)", "name": "Jamf"}},
        "never reported": {"policy_updated_at": "2000-01-01T00:00:00Z"},
        "long silent": {"policy_updated_at": "2020-01-01T00:00:00Z"},
    },
}
INSIDE = {"policies": ("response", "name"), "issues": ("failing_policies_count",), "mdm": ("enrollment_status", "name")}
"""What is bad within such a field: it is spoilt as often as the field itself."""
ANSWERS = {
    "workspace_one": ("/devices/4100", "/compliance", "/devices/search"),
    "maas360": ("/search/customer/30012345", "/mdSecurityCompliance/30012345"),
    "fleet": ("/hosts/4100", "/fleet/hosts", "/device_mapping"),
}


class Wire:
    """Every record that passes says what is bad about it; the answers that end as `target` are then spoilt."""

    def __init__(self, vendor: str) -> None:
        self.vendor = vendor
        self.said: dict[str, Any] = {}
        self.target = ""
        self.mutate: Callable[[Any], bytes] | None = None
        self.spoilt = 0

    def __call__(self, request: Any, status: int, body: bytes) -> bytes:
        path = urlsplit(str(request.url)).path
        if status != 200 or not body or not path.endswith(ANSWERS[self.vendor]):
            return body
        value = json.loads(body)
        for record in self._records(path, value):
            record |= self.said
        if self.mutate is None or not path.endswith(self.target):
            return json.dumps(value).encode()
        self.spoilt += 1
        return self.mutate(value)

    def _records(self, path: str, value: Any) -> list[dict[str, Any]]:
        if self.vendor == "workspace_one":
            return value["Devices"] if path.endswith("search") else [value] if path.endswith("4100") else []
        if self.vendor == "fleet":
            return [value["host"]] if "host" in value else value.get("hosts", [])
        found = value.get("devices", {}).get("device", [])
        return [found] if isinstance(found, dict) else found


def run(options: Options, say: Callable[[str], None]) -> dict[str, Any]:
    return play(300 if options.quick else 10_000, options.seed, options.broken, say)


def play(mutations: int, seed: int, broken: str | None, say: Callable[[str], None]) -> dict[str, Any]:
    """So many for each adapter."""
    if broken is not None and broken not in FAULTS:
        raise SystemExit(f"--break takes one of: {', '.join(FAULTS)}")
    began, tally = time.monotonic(), Counter[str]()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(_quiet())
        for vendor in SAID:
            _one_adapter(vendor, mutations, random.Random(f"{vendor} {seed}"), folder, broken, tally, say)
    return {
        "mutations": tally["mutations"],
        "adapters": len(SAID),
        "upgrades_unjustified": tally["upgrades"],
        "vanished": tally["vanished"],
        "not_of_the_five": tally["strange"],
        "untouched_accepted": tally["untouched"] == tally["checks"] > 0,
        "untouched_checks": tally["checks"],
        "refused_as_garbled": tally["Garbled"],
        "seconds": round(time.monotonic() - began, 1),
    }


def _one_adapter(
    vendor: str, mutations: int, chance: random.Random, folder: Path, broken: str | None, tally: Counter[str], say: Any
) -> None:
    sandbox = create_sandbox(SandboxConfig(ca_folder=folder / "ca"))
    sandbox.begin(SCENARIO.get(vendor, sandbox.world.scenario))
    Remotes(sandbox).live_in(vendor)
    wire = Wire(vendor)
    remotes = Remotes(sandbox, change=wire)
    ours = remotes.record_id
    number = -1
    while wire.spoilt < mutations:
        number += 1
        if number % CHECKED_EVERY == 0:
            wire.said, wire.mutate = {}, None
            tally["checks"] += 1
            tally["untouched"] += all(_compliant(remotes, d) for d in _asked(remotes, ours, number // CHECKED_EVERY, broken))
            sandbox.ledger.clear()
        bad, wire.target = chance.choice(list(SAID[vendor])), chance.choice(ANSWERS[vendor])
        wire.said = SAID[vendor][bad]
        focused = wire.target in (ANSWERS[vendor][0], "/devices/search", "/fleet/hosts")
        focus = [key for field in wire.said for key in (field, *INSIDE.get(field, ()))] if chance.random() < 0.5 and focused else ()
        kind = chance.choice(KINDS)
        wire.mutate = lambda value, kind=kind, focus=focus: _spoilt(value, chance, kind, focus)
        try:
            found = _asked(remotes, ours, number, broken)
        except NotFound:
            tally["vanished"] += 1
            say(f"vanished: {vendor}, {bad}, {kind} in {wire.target}")
        except RemoteError as error:
            tally[type(error).__name__] += 1
        except Exception as error:
            tally["strange"] += 1
            say(f"{type(error).__name__}: {vendor}, {bad}, {kind} in {wire.target}")
        else:
            if any(_compliant(remotes, device) for device in found):
                tally["upgrades"] += 1
                say(f"upgrade: {vendor}, {bad}, {kind} in {wire.target}")
    tally["mutations"] += wire.spoilt


def _spoilt(value: Any, chance: random.Random, kind: str, focus: Any) -> bytes:
    try:
        return spoil(value, chance, kind, focus)
    except IndexError:  # an empty answer has nothing to spoil
        return b"{"


def _asked(remotes: Remotes, ours: str, number: int, broken: str | None) -> list[ManagedDevice]:
    """By one of the three ways in which a posture is read."""
    mdm = remotes.mdm
    try:
        if number % 3 == 0:
            found = [mdm.device(ours)]
        elif number % 3 == 1:
            found = [row for row in mdm.page(None, since=None).rows if row.key.record_id == ours]
        else:
            found = list(mdm.devices_of(remotes.person()).devices)
    except Garbled as garbled:
        if broken == "garbled_is_gone":
            raise NotFound("seeded", remote="mdm") from garbled
        raise
    return [_believed(device) for device in found] if broken == "unknown_is_good" else found


def _believed(device: ManagedDevice) -> ManagedDevice:
    """The seeded fault: what is not known is taken for good."""
    said = device.posture
    word = MdmWord.COMPLIANT if said.word is MdmWord.UNKNOWN else said.word
    return replace(
        device, posture=replace(said, word=word, enrolled=said.enrolled is not False, compromised=said.compromised is True)
    )


def _compliant(remotes: Remotes, device: ManagedDevice) -> bool:
    return decide(device.posture, remotes.sandbox.world.now(), Lease()).verdict is Verdict.COMPLIANT


@contextmanager
def _quiet() -> Iterator[None]:
    before = structlog.get_config()
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        structlog.configure(**before)
