"""What the MDM's app is called on the device: what the administrator says, else by the MDM that it belongs to: Hub, MaaS360.

Next door: `texts` (which puts it into sentences), `journey_pages` (which says whose device is shown).
"""

from flask import Flask, g, has_request_context

from ..domain.journey import Journey
from .desk import desk
from .set_up import set_up

WORKSPACE_ONES = "Hub"
# IBM's manual of the app, fleetdm.com "Fleet Desktop"
APPS = {"workspace_one": WORKSPACE_ONES, "maas360": "MaaS360", "fleet": "Fleet Desktop"}


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
    if connection in settings.device_apps:
        return settings.device_apps[connection]
    if "device_app" in settings.model_fields_set:
        return settings.device_app
    kinds = set_up().kinds
    found = {kinds.get(connection)} if connection is not None else set(kinds.values())
    return APPS.get(found.pop() or "", settings.device_app) if len(found) == 1 else settings.device_app
