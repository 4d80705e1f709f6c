"""Browsers inside other apps. Some cannot show the device to Microsoft when it asks, so a page advises to open it in a real one.

Words of the User-Agent are a hint and no more (https://developer.chrome.com/docs/multidevice/user-agent#webview-on-android):
nothing is refused because of them.
"""

import re

from flask import Flask, request

APPS = re.compile(r"FBAN|FBAV|Instagram|LinkedInApp|MicroMessenger|\bLine/|Teams/|TeamsMobile|Outlook-(?:iOS|Android)|GSA/|Slack")
APPLE = re.compile(r"iPhone|iPad|iPod")


def inside_an_app(user_agent: str) -> str | None:
    """`safari` or `browser`: what to open the page in; None where it is open in one already."""
    if APPLE.search(user_agent):
        web_view = "AppleWebKit" in user_agent and "Safari/" not in user_agent
        return "safari" if web_view or APPS.search(user_agent) else None
    return "browser" if "; wv)" in user_agent or APPS.search(user_agent) else None


def install(app: Flask) -> None:
    app.jinja_env.globals["inside_an_app"] = lambda: inside_an_app(request.headers.get("User-Agent", ""))
