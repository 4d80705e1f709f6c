"""What another bar would do to the devices there are: a dry run over the MDMs' own lists, which writes nothing anywhere."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..domain.bar import Bar, Facts, held_to, judged
from ..domain.compliance import MdmWord
from ..domain.device import ManagedDevice
from ..errors import RemoteError
from ..ports import DeviceManager, Listing


@dataclass
class Effect:
    """Of one connection. `lowered` devices are compliant by the bar of today and would not be; `lifted` the other way round. By
    rule: how many fail it, and of how many it cannot be said. `error` where the list did not come to its end."""

    connection: str
    devices: int = 0
    compliant: int = 0
    lowered: int = 0
    lifted: int = 0
    failing: Counter[str] = field(default_factory=Counter)
    unclear: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0
    error: str | None = None


class Trial:
    """Stands where an adapter holds its records to the bar, and counts what `other` would do instead of `today`."""

    def __init__(self, today: Bar, other: Bar) -> None:
        self._today, self._other = today, other
        self.effect = Effect("")

    def __call__(self, device: ManagedDevice, facts: Facts) -> ManagedDevice:
        if device.posture.enrolled is not True:
            return device
        effect = self.effect
        effect.devices += 1
        now, then = (held_to(bar, device, facts).posture.word is MdmWord.COMPLIANT for bar in (self._today, self._other))
        effect.compliant += now
        effect.lowered += now and not then
        effect.lifted += then and not now
        failing, unclear = judged(self._other, device, facts)
        effect.failing.update(list(failing))
        effect.unclear.update(unclear)
        return device


def try_bar(managers: Mapping[str, DeviceManager], trial: Trial, *, progress: Callable[[Effect], None]) -> list[Effect]:
    """Every connection's whole list through the trial, which the managers were made with."""
    effects = []
    for name, manager in managers.items():
        effect = trial.effect = Effect(name)
        effects.append(effect)
        if not isinstance(manager, Listing):
            effect.error = "no_list"
            continue
        cursor: str | None = None
        try:
            while True:
                page = manager.page(cursor, since=None)
                effect.unreadable += len(page.unreadable)
                progress(effect)
                if page.cursor is None:
                    break
                cursor = page.cursor
        except RemoteError as error:
            effect.error = error.code
    return effects
