"""On PostgreSQL, which takes no NUL in a text, not even to look for it."""

from collections.abc import Iterator

import pytest

from tests.store.conftest import Lend, postgresql, postgresql_copy
from tests.web.conftest import Web
from tests.web.role_matrix import MATRIX
from tests.web.test_routes import came_as

__all__ = ["postgresql", "postgresql_copy"]  # fixtures

pytestmark = pytest.mark.slow


@pytest.fixture
def on_postgresql(postgresql: Lend) -> Iterator[Web]:
    with postgresql() as address:
        web = Web(address)
        yield web
        web.engine.dispose()


def test_a_nul_in_an_address_is_no_fault_of_ours_and_finds_nothing(on_postgresql: Web) -> None:
    web = on_postgresql
    web.scene("this_device_sent")
    for role in ("mia", "ida", "lena", "adam"):
        browser = came_as(web, role)
        form = {"csrf_token": browser.csrf()}
        for method, rule in sorted(MATRIX):
            path = rule.replace("<path:", "<").replace("<", "%00<")
            answer = browser.open(
                f"{path}?q=%00&code=%00&case=%00", method=method, data={**form, "q": "\0"} if method == "POST" else None
            )
            assert answer.status_code != 500, (method, rule, role)
    assert came_as(web, "ida").get("/helpdesk/work").status_code == 200
