"""What the MDM's app is called on the device: Hub, MaaS360, or whatever the administrator says, by the connection it belongs to.

Next door: `texts` (which puts it into sentences), `journey_pages` (which says whose device is shown).
"""

from flask import Flask, g, has_request_context

from ..domain.journey import Journey
from .desk import desk

WORKSPACE_ONES = "Hub"


def install(app: Flask) -> None:
    app.extensions["desk"].texts.app = name


def shows(journey: Journey) -> None:
    """From here on this page is about that journey's device; where none is in hand, about the one MDM that knows any."""
    connections = {device.key.connection for device in journey.managed}
    if journey.in_hand is not None:
        connections = {journey.in_hand.key.connection}
    g.device_app_of = next(iter(connections)) if len(connections) == 1 else None


def name() -> str:
    settings = desk().settings
    connection = g.get("device_app_of") if has_request_context() else None
    return settings.device_apps.get(connection, settings.device_app) if connection is not None else settings.device_app
