"""Says what became of it, from the sandbox's own books: the messages it received, in which order they took effect, and what was
true.

Each message carries when the device had last told its MDM (`LastCheckInTime`), so it shows which state of the device its sender had
seen. Next door: `company` keeps the history of what was true.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bench.stage.company import Company, stamp
from sandbox.things import DataUpload


@dataclass(frozen=True)
class Told:
    """One message as it took effect: of which device, which of its states its sender had seen, and the verdict."""

    device_id: str
    state: int
    compliant: bool
    update_time: datetime


def judge(company: Company) -> dict[str, Any]:
    """Call it once nothing is under way any more.

    * `lost`: Entra shows what is no longer true, and no message ever told the news
    * `wrong`: Entra shows what is not true, whatever was told
    * `stale`: a message took effect after another of the same device whose sender had seen a newer state
    * `unjustified`: *compliant* took effect, though the state that its sender had seen was not
    * `duplicates_sent`: the same message again; expected under `kill -9`
    * `duplicates_effective`: one piece of news took effect twice
    """
    company.books.read()
    newest: dict[str, int] = {}
    news: set[tuple[str, int, bool]] = set()
    stale = unjustified = doubled = 0
    for told in effective(company):
        stale += told.state < newest.get(told.device_id, 0)
        newest[told.device_id] = max(told.state, newest.get(told.device_id, 0))
        unjustified += told.compliant and not company.truth[told.device_id][told.state][1]
        doubled += (told.device_id, told.state, told.compliant) in news
        news.add((told.device_id, told.state, told.compliant))
    wrong = [member.device.device_id for member in company.differing()]
    told_of = {(told.device_id, told.state) for told in received(company)}
    lost = [device_id for device_id in wrong if not any((device_id, state) in told_of for state in _news(company, device_id))]
    sent = company.books.messages
    return {
        "lost": len(lost),
        "stale": stale,
        "wrong": len(wrong),
        "unjustified": unjustified,
        "duplicates_sent": sum(sent.values()) - len(sent),
        "duplicates_effective": doubled,
        "pushes": len(sent),
    }


def _news(company: Company, device_id: str) -> range:
    """The states since the verdict last changed: a message that had seen one of them has told the news."""
    history = company.truth[device_id]
    last = len(history) - 1
    while last > 0 and history[last - 1][1] is history[-1][1]:
        last -= 1
    return range(last, len(history))


def received(company: Company) -> list[Told]:
    """Every message that was accepted, in the order in which they are applied."""
    with company.world.settled() as world:
        uploads = [upload for upload in world.uploads.values() if upload.applied and not upload.ignored]
    return [_told(company, upload) for upload in sorted(uploads, key=lambda upload: upload.applies_at)]


def effective(company: Company) -> Iterator[Told]:
    """Those that changed what Entra shows or when it was told: an older LastUpdateTime is ignored (`sandbox.verdicts`)."""
    last: dict[str, datetime] = {}
    for told in received(company):
        if told.device_id in last and told.update_time <= last[told.device_id]:
            continue
        last[told.device_id] = told.update_time
        yield told


def _told(company: Company, upload: DataUpload) -> Told:
    inventory, compliance = upload.content
    history = company.truth[inventory["DeviceId"]]
    seen = stamp(datetime.fromisoformat(inventory["LastCheckInTime"]))
    states = [state for state, (at, _) in enumerate(history) if at == seen]
    if len(states) != 1:
        raise AssertionError(f"a message speaks of a state that never was: {inventory}")
    compliant = compliance["complianceStatus"] == "compliant" and inventory["DeviceManagementState"] == "managed"
    return Told(inventory["DeviceId"], states[0], compliant, datetime.fromisoformat(inventory["LastUpdateTime"]))
