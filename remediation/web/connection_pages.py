"""How Microsoft and each MDM answer, for staff. It only reads rows, holds nobody's data, and no remote is called for it."""

from flask import Blueprint, render_template

from ..services.connections import connections as how_they_are
from .connection_words import in_words
from .desk import desk
from .guards import staff
from .names import shown
from .sessions import here

pages = Blueprint("connections", __name__)


@pages.get("/helpdesk/connections")
@staff
def connections() -> str:
    now = desk().clock()
    found = [in_words(health, now) for health in how_they_are(desk().look_up, now)]
    return render_template("helpdesk/connections.html", connections=found, staff=shown(here().name))
