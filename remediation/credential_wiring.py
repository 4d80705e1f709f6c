"""How the worker finds out when the credentials of both apps end. Next door: `doctor_wiring`, `onboard_wiring`."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time

from .adapters import certificate_files
from .adapters.app_secrets import GraphAppSecrets
from .domain.credential_ends import App, Ends
from .ports import Clock
from .services.credential_ends import Known, find
from .settings import WorkerSettings
from .settings.file_rules import key_with_certificate
from .wire import Wire


def ends(settings: WorkerSettings, wire: Wire, clock: Clock, *, sign_in_app: str | None = None) -> Callable[[], Sequence[Ends]]:
    """`sign_in_app` is the web's setting; without it what was typed has to do for that app."""
    known, directory = known_here(settings, sign_in_app), GraphAppSecrets(wire.graph("directory"))
    return lambda: find(known, directory, clock())


def known_here(settings: WorkerSettings, sign_in_app: str | None) -> Known:
    def certificate() -> datetime | None:
        if settings.service_certificate is None:
            return None
        return certificate_files.ends_of(settings.live("service_certificate", key_with_certificate)())

    def hint() -> str:
        return "" if settings.service_client_secret is None else settings.live("service_client_secret")()[:3]

    days = {App.SERVICE: settings.service_secret_ends, App.SIGN_IN: settings.sign_in_secret_ends}
    typed = {app: datetime.combine(day, time(), UTC) for app, day in days.items() if day is not None}
    apps = {App.SERVICE: settings.service_client_id, **({App.SIGN_IN: sign_in_app.lower()} if sign_in_app else {})}
    return Known(apps, certificate, hint, typed)
