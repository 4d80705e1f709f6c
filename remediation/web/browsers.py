"""Which browser this is, on which system, and whether it can show the device to Microsoft there.

Hints and no more: the User-Agent, and where a browser sends them the low-entropy client hints (WICG ua-client-hints: Chromium sends
`Sec-CH-UA` and `Sec-CH-UA-Platform` unasked, over TLS). Nothing is refused because of them, and a person can always say otherwise.
A private window cannot be told: browsers hide it on purpose, so it is asked. Next door: `embedded`, `entrances`.
"""

import re
from collections.abc import Mapping

from flask import Flask, request
from werkzeug.datastructures import Headers

from ..domain.device import Platform
from .embedded import inside_an_app

# The first that fits: all of Chromium's say Chrome and Safari too, and those of iOS say Safari.
FAMILIES = (
    ("edge", r"\bEdg(?:|A|iOS)/"),
    ("samsung", r"SamsungBrowser/"),
    ("opera", r"\bOP(?:R|T|X)/"),
    ("duckduckgo", r"DuckDuckGo/|\bDdg/"),
    ("firefox", r"Firefox/|FxiOS/"),
    ("chrome", r"Chrome/|CriOS/"),
    ("safari", r"Version/[\d.]+.* Safari/"),
)
BRANDS = (("edge", "Microsoft Edge"), ("opera", "Opera"), ("samsung", "Samsung Internet"), ("chrome", "Google Chrome"))
# entra-docs concept-conditional-access-conditions.md, "Supported browsers": iOS Edge and Safari, Android Edge and Chrome, macOS
# Edge, Chrome, Firefox and Safari, Windows Edge, Chrome and Firefox. Some only with a setting or an extension, Edge is named first.
PROVES: Mapping[Platform, frozenset[str]] = {
    Platform.IOS: frozenset({"edge", "safari"}),
    Platform.ANDROID: frozenset({"edge", "chrome"}),
    Platform.MACOS: frozenset({"edge", "chrome", "firefox", "safari"}),
    Platform.WINDOWS: frozenset({"edge", "chrome", "firefox"}),
}
PLATFORMS = {"iOS": Platform.IOS, "Android": Platform.ANDROID, "macOS": Platform.MACOS, "Windows": Platform.WINDOWS}
# In this order: Android's browsers say Linux too. An iPad presents itself as a Mac, so a person can always correct the guess.
MARKS = (
    ("iPhone", Platform.IOS),
    ("iPad", Platform.IOS),
    ("Android", Platform.ANDROID),
    ("Windows NT", Platform.WINDOWS),
    ("Macintosh", Platform.MACOS),
)
COMPUTERS = (Platform.MACOS, Platform.WINDOWS)
LINUX = re.compile(r"Linux|X11|CrOS")


def install(app: Flask) -> None:
    app.jinja_env.globals.update(
        cannot_prove=lambda platform: cannot_prove(request.headers, Platform(platform)),
        at_a_computer=lambda platform: at_a_computer(request.headers, Platform(platform)),
        on_linux=lambda: on_linux(request.headers),
    )


def family_of(headers: Headers) -> str:
    """`in_app` inside another app, `other` for what we do not know."""
    user_agent, brands = headers.get("User-Agent", ""), headers.get("Sec-CH-UA", "")
    if inside_an_app(user_agent):
        return "in_app"
    hinted = next((family for family, brand in BRANDS if f'"{brand}"' in brands), None)
    return hinted or next((family for family, mark in FAMILIES if re.search(mark, user_agent)), "other")


def platform_of(headers: Headers) -> Platform:
    hinted = PLATFORMS.get(headers.get("Sec-CH-UA-Platform", "").strip('"'))
    user_agent = headers.get("User-Agent", "")
    return hinted or next((platform for mark, platform in MARKS if mark in user_agent), Platform.UNKNOWN)


def on_linux(headers: Headers) -> bool:
    """A computer with Linux: by its hint, or by a User-Agent that names it and is not Android's."""
    hinted = headers.get("Sec-CH-UA-Platform", "").strip('"')
    if hinted:
        return hinted in ("Linux", "Chrome OS", "Chromium OS")
    return platform_of(headers) is Platform.UNKNOWN and LINUX.search(headers.get("User-Agent", "")) is not None


def cannot_prove(headers: Headers, platform: Platform) -> bool:
    """It is open on this very platform, in a browser that we know cannot show the device to Microsoft there. What we do not know
    is not called unable."""
    family = family_of(headers)
    return platform_of(headers) is platform and family not in ("other", "in_app") and family not in PROVES.get(platform, {family})


def at_a_computer(headers: Headers, platform: Platform) -> bool:
    """The page is about a phone and open on a computer. An iPad calls itself a Mac, so a Mac's word says nothing of Apple's."""
    here = platform_of(headers)
    if platform is Platform.IOS and here is Platform.MACOS:
        return bool(headers.get("Sec-CH-UA-Platform"))  # Chromium's hint: no browser of an iPad sends it
    return platform in (Platform.IOS, Platform.ANDROID) and (here in COMPUTERS or on_linux(headers))
