"""`/api/v1`, for the tools that helpdesks have already: what the console shows and does, for programs (docs/api.md).

Read `operations` (how one is declared, checked and answered), `people`, `devices`, `company`, `lists` (the operations), `shapes`
(what goes in and comes out), `problems` (every error, RFC 9457), `deeds` (asking twice does it once), `cursors`, `description`
(OpenAPI, made of the declarations). Who calls is found out by `web/bearer.py` and `web/guards.py`.

What names or describes a person stands in bodies alone, never in an address: addresses are kept in the logs of every proxy and tool
on the way. In an address stand ids, which say nothing without the directory. So a search is a POST, although it changes nothing.
"""

from flask import Blueprint

from . import company, deeds, description, devices, lists, people, repairs
from .operations import add

OPERATIONS = (
    *people.OPERATIONS,
    *devices.OPERATIONS,
    *company.OPERATIONS,
    *lists.OPERATIONS,
    *deeds.OPERATIONS,
    *repairs.OPERATIONS,
)


def blueprint() -> Blueprint:
    pages = Blueprint("api", __name__, url_prefix="/api/v1")
    for operation in OPERATIONS:
        add(pages, operation)
    description.add(pages, OPERATIONS)
    return pages
