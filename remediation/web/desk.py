"""What every page needs at hand, built once by `build_web` and kept with the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from flask import current_app, g

from ..domain.reach import NOBODY

if TYPE_CHECKING:  # every page imports this module, so it imports none of them
    from collections.abc import Callable

    from ..domain.reach import Reach
    from ..ports import Clock, DeviceCertificates, EventReader, LookUp, Sessions, SignInStates, Store
    from ..settings import WebSettings
    from .appearance import Shop
    from .assets import Assets
    from .incident import Board
    from .set_up import SetUp
    from .texts import Texts


@dataclass(frozen=True)
class Desk:
    """`sign_in` is Authlib's client for our tenant; `hook_keys` are those that MDMs may prove themselves by at this moment.
    `everybody` is the helpdesk's look-up of all there is: pages ask `look_up`, which is that of whoever asks."""

    settings: WebSettings
    store: Store
    everybody: LookUp
    sessions: Sessions
    states: SignInStates
    certificates: DeviceCertificates | None
    events: EventReader
    hook_keys: Callable[[], tuple[str, ...]]
    clock: Clock
    texts: Texts
    assets: Assets
    sign_in: Any
    board: Board
    shop: Shop
    set_up: SetUp

    @property
    def look_up(self) -> LookUp:
        """Of those people whom the caller of this request may see, by their role; the guard found that out. Of nobody elsewhere."""
        reach: Reach = g.get("reach", NOBODY)
        return self.everybody.within(reach)


def desk() -> Desk:
    return cast("Desk", current_app.extensions["desk"])
