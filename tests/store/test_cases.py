"""A case of somebody who cannot sign in: one code, one row, one audit row, and nothing else known."""

import pytest
import sqlalchemy as sa

from remediation.domain.device import Platform
from remediation.errors import Stale
from remediation.ports import Actor, Store
from remediation.services.start_journey import open_case
from remediation.store import DbosWakeups, SqlStore
from remediation.store.tables import audit, cases
from tests.people import NOON
from tests.store.scenes import BROWSER, Scene


def open_one(store: Store, code: str, browser: str = BROWSER) -> None:
    with store.change(Actor("browser", browser), "case.opened", about=("case", code), at=NOON) as change:
        change.open_case(case_code=code, browser=browser, platform=Platform.ANDROID, entrance="leaflet")


def test_a_case_is_one_row_and_one_audit_row(scene: Scene) -> None:
    before = len(scene.audited())
    code = open_case(scene.store, browser=BROWSER, entrance="leaflet", platform=Platform.ANDROID, now=NOON)
    row = scene.rows(sa.select(cases))[0]
    assert (row.tenant_id, row.case_code, row.browser, row.platform) == ("contoso", code, BROWSER, Platform.ANDROID)
    assert (row.entrance, row.opened_at) == ("leaflet", NOON)
    told = scene.rows(sa.select(audit).order_by(audit.c.id.desc()).limit(1))[0]
    assert len(scene.audited()) == before + 1
    assert (told.actor_kind, told.why, told.about_kind, told.about_id) == ("browser", "case.opened", "case", code)


def test_a_code_stands_for_one_case(scene: Scene) -> None:
    open_one(scene.store, "K7M-2QX")
    before = scene.audited()
    with pytest.raises(Stale, match="taken"):
        open_one(scene.store, "K7M-2QX", browser="chrome")
    assert scene.audited() == before
    assert [row.browser for row in scene.rows(sa.select(cases))] == [BROWSER]


def test_the_same_code_lives_in_two_tenants(scene: Scene, engine: sa.Engine) -> None:
    open_one(scene.store, "K7M-2QX")
    open_one(SqlStore(engine, "fabrikam", DbosWakeups(engine)), "K7M-2QX")
    assert {row.tenant_id for row in scene.rows(sa.select(cases))} == {"contoso", "fabrikam"}
