"""The inventory: no route without a declared guard, none without a row in the role matrix, and each cell as it says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Blueprint

from remediation.domain.device import Person
from remediation.web import guards
from tests.people import MIA
from tests.proven import asked
from tests.web.conftest import Browser, Web
from tests.web.role_matrix import MATRIX, ROLES
from tests.web.scenes import NOAH

HANNA = Person(oid="hanna", name="Hanna Roth", user_name="hanna.roth@contoso.example")
ADAM = Person(oid="adam", name="Adam Kowal", user_name="adam.kowal@contoso.example")
IDA = Person(oid="ida", name="Ida Brandt", user_name="ida.brandt@contoso.example")
STAFF = {"hanna": ("Helpdesk.Read",), "adam": ("Admin",), "ida": ("Helpdesk.Read", "Helpdesk.Act")}
AS = {"adam": "noah", "ida": "hanna"}


def routes(web: Web) -> Iterator[tuple[str, str]]:
    for rule in web.app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            yield method, rule.rule


def test_T27_every_route_has_a_row_and_every_row_a_route_and_every_cell_a_status(web: Web) -> None:
    assert set(routes(web)) == set(MATRIX)
    assert all(set(row) - {"adam", "ida"} == set(ROLES) for row in MATRIX.values())


def test_a_route_that_declares_nobody_fails_at_start(web: Web) -> None:
    naked = Blueprint("naked", __name__)
    naked.get("/naked")(lambda: "")
    web.app.register_blueprint(naked)
    with pytest.raises(RuntimeError, match="/naked"):
        guards.demand_one_for_every_route(web.app)


def came_as(web: Web, role: str) -> Browser:
    person = {"mia": MIA, "noah": NOAH, "hanna": HANNA, "adam": ADAM, "ida": IDA}.get(role)
    if person is None:
        return web.browser()
    if role == "mia":
        return web.signed_in(person)
    return web.signed_in(person, browser=f"the-browser-of-{role}", roles=STAFF.get(role, ()))


@pytest.mark.parametrize(("method", "rule"), sorted(MATRIX))
def test_T27_each_role_gets_what_the_matrix_says(web: Web, method: str, rule: str) -> None:
    scene = web.scene("this_device_sent")
    path = (
        rule.replace("<token>", scene.token)
        .replace("<name>", web.style_name())
        .replace("<oid>", MIA.oid)
        .replace("<key>", "sign_in_down")
        .replace("<which>", "close")
        .replace("<test>", asked(web.store, web.clock()))
    )
    for role in (*AS, *ROLES[::-1]):  # mia after those who must not use her link up, nobody last
        browser = came_as(web, role)
        form = {"csrf_token": browser.csrf()} if method == "POST" else None
        answer = browser.open(path, method=method, data=form)
        row = MATRIX[method, rule]
        assert answer.status_code == row.get(role, row[AS.get(role, role)]), (role, answer.text)


def test_the_page_of_components_is_for_the_demo_alone(web: Web, database: Path) -> None:
    product = Web(database)
    assert product.browser().get("/style").status_code == 404
    assert web.browser().get("/style").status_code == 200
    product.engine.dispose()
