"""What leads off the site: stores, settings and the MDM's own pages. Each is a plain link that a person taps, never a redirect, and
none carries anything about the person. What an administrator entered was checked against the schemes in `settings.rules`.
"""

from flask import Flask

from ..domain.device import Platform
from . import device_app
from .desk import desk

# Only links that were found documented or in use in public; the registration screens of Authenticator and Hub on phones have none.
AUTHENTICATOR_IOS = "https://apps.apple.com/app/id983156458"
PLAY = "https://play.google.com/store/apps/details?id="
BROKERS = {"authenticator": f"{PLAY}com.azure.authenticator", "company_portal": f"{PLAY}com.microsoft.windowsintune.companyportal"}
# memdocs user-help on enrolling a Mac; Microsoft redirects it to the newest package.
COMPANY_PORTAL_MACOS = "https://go.microsoft.com/fwlink/?linkid=853070"
# Seen beside Hub's `AadRegistrationTool` in a public macOS script.
HUB_MACOS = "wsonehub://conditionalaccess?partner=microsoft"
# https://learn.microsoft.com/windows/apps/develop/launch/launch-settings
WORK_ACCESS = "ms-settings:workplace"


def install(app: Flask) -> None:
    app.jinja_env.globals.update(
        enrollment_link=enrollment_link,
        register_link=register_link,
        return_link=return_link,
        company_portal_for_mac=COMPANY_PORTAL_MACOS,
        broker=lambda: desk().settings.android_broker,
    )


def enrollment_link(platform: str) -> str | None:
    """Where the MDM takes a new device, None where the administrator entered nothing."""
    settings = desk().settings
    known = {
        Platform.IOS: settings.enrollment_link_ios,
        Platform.ANDROID: settings.enrollment_link_android,
        Platform.MACOS: settings.enrollment_link_macos,
        Platform.WINDOWS: settings.enrollment_link_windows,
    }
    return known.get(Platform(platform))


def register_link(platform: str) -> str | None:
    """What the one button of *register* opens on this platform."""
    known: dict[Platform, str | None] = {
        Platform.IOS: AUTHENTICATOR_IOS,
        Platform.ANDROID: BROKERS[desk().settings.android_broker],
        Platform.MACOS: HUB_MACOS if device_app.name() == device_app.WORKSPACE_ONES else None,
        Platform.WINDOWS: WORK_ACCESS,
    }
    return known.get(Platform(platform))


def return_link(platform: str) -> str | None:
    """Back to the app that was blocked: the setting's default is an app of phones, which a computer does not have."""
    link = desk().settings.return_link
    return None if link.startswith("ms-outlook:") and platform in (Platform.MACOS, Platform.WINDOWS) else link
