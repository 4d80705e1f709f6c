"""What can be done with a pretend device: the control port's actions, and the pages' of the same name.

Next door: `control` and `phone` call these, `policy` decides about Outlook, `world` and `enrollment` keep the outcome.
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.enrollment import enroll
from sandbox.facts import phone_facts
from sandbox.policy import open_outlook
from sandbox.relay import register_in_app
from sandbox.troubles import cure, refusal
from sandbox.world import Phone, World

_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")
ACTIONS = ("open_outlook", "register", "register_in_app", "unregister", "enroll", "check_in", "set", "tap_message", "take", "cure")


class BadOrder(ValueError):
    """The caller asked for something that does not exist; answered 400 with this text."""


def do(world: World, phone: Phone, order: dict[str, Any]) -> dict[str, Any]:
    match order["action"]:
        case "open_outlook":
            return open_outlook(world, phone).as_json()
        case "register" if (why := refusal(world, phone)) is not None:
            raise BadOrder(why)
        case "register":
            return {"device_id": world.register(phone).device_id}
        case "unregister":
            world.unregister(phone)
        case "register_in_app":
            register_in_app(world, phone)
        case "enroll":
            enroll(world, phone)
        case "check_in":
            if phone.record_id is not None:
                world.check_in(phone.record_id)
        case "cure":
            cure(world, phone)
        case "take":
            world.hand = phone.key
        case "set":
            for name in ("passcode", "encrypted", "jailbroken"):
                if name in order:
                    setattr(phone.health, name, order[name] is True)
        case "tap_message":
            return _tapped(phone, order.get("id"))
        case _:
            raise BadOrder(f"Actions: {', '.join(ACTIONS)}.")
    return phone_facts(phone)


def _tapped(phone: Phone, message_id: str | None) -> dict[str, Any]:
    chosen = [m for m in phone.messages if message_id in (None, m.id)]
    if not chosen:
        raise BadOrder("No such message.")
    return {"id": chosen[-1].id, "body": chosen[-1].body, "links": _LINK.findall(chosen[-1].body)}
