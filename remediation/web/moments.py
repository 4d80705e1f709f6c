"""Moments as clock times. The server does not know where a person is, so it writes UTC and says so; the script makes it local."""

from datetime import datetime

from babel.dates import format_datetime
from flask import Flask
from markupsafe import Markup

from .desk import desk


def clock(at: datetime) -> Markup:
    """A clock time, with the day where it is not today's."""
    pattern = "HH:mm" if at.date() == desk().clock().date() else desk().texts.gettext("page.day_and_time")
    words = format_datetime(at, pattern, locale=desk().texts.locale())
    return Markup('<time datetime="{}">{} UTC</time>').format(at.strftime("%Y-%m-%dT%H:%M:%SZ"), words)


def install(app: Flask) -> None:
    app.jinja_env.filters["clock"] = clock
