"""What every page needs at hand, built once by `build_web` and kept with the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from flask import current_app

if TYPE_CHECKING:  # every page imports this module, so it imports none of them
    from collections.abc import Callable

    from ..ports import Clock, DeviceCertificates, EventReader, LookUp, Sessions, SignInStates, Store
    from ..settings import WebSettings
    from .assets import Assets
    from .set_up import SetUp
    from .texts import Texts


@dataclass(frozen=True)
class Desk:
    """`sign_in` is Authlib's client for our tenant; `hook_keys` are those that MDMs may prove themselves by at this moment."""

    settings: WebSettings
    store: Store
    look_up: LookUp
    sessions: Sessions
    states: SignInStates
    certificates: DeviceCertificates | None
    events: EventReader
    hook_keys: Callable[[], tuple[str, ...]]
    clock: Clock
    texts: Texts
    assets: Assets
    sign_in: Any
    set_up: SetUp


def desk() -> Desk:
    return cast("Desk", current_app.extensions["desk"])
