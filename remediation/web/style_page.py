"""The demo's page of components, each with its states, for whoever works on the look. Nobody sees it outside a demo."""

from datetime import timedelta

from flask import Blueprint, abort, render_template

from ..domain.steps import CHAIN, ChainLink, ChainState
from .cards import DeviceCard, RuleCard
from .desk import desk
from .guards import anyone

pages = Blueprint("style", __name__)


@pages.get("/style")
@anyone
def style() -> str:
    if not desk().settings.demo:
        abort(404)
    now = desk().clock()
    states = (ChainState.DONE,) * 3 + (ChainState.BROKEN,) + (ChainState.TO_COME,) * 3
    broken = tuple(
        ChainLink(name, state, now if state is ChainState.DONE else None) for name, state in zip(CHAIN, states, strict=True)
    )
    moving = tuple(
        ChainLink(link.name, ChainState.CURRENT if link.state is ChainState.BROKEN else link.state, link.at) for link in broken
    )
    cards = (
        DeviceCard("a", "Mia's iPhone", "iPhone 15", now, picked=True),
        DeviceCard("b", "A phone with a name of forty letters, all in", "iPhone SE (3rd generation)", now - timedelta(days=3)),
    )
    rules = (RuleCard("Passcode required", "", "passcode"), RuleCard("Contoso rule 12", "The radio must be off", None))
    return render_template("style.html", broken=broken, moving=moving, cards=cards, rules=rules, now=now)
