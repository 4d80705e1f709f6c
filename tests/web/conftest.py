"""The web app on the real store (SQLite), with a clock that tests turn, and browsers that are strangers to one another."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from pydantic import SecretStr
from werkzeug.test import TestResponse

from remediation.adapters import workspace_one_events
from remediation.domain.device import Person
from remediation.domain.evidence import Level
from remediation.settings import WebSettings
from remediation.store import migrations
from remediation.store.look_up import SqlLookUp
from remediation.store.sessions import SqlSessions, SqlSignInStates
from remediation.store.store import SqlStore
from remediation.store.wakeups import DbosWakeups
from remediation.web import build_web
from tests.engines import make_engine
from tests.people import MIA
from tests.proven import messages_arrive
from tests.set_ups import set_up
from tests.web.scenes import BROWSER, Scene, stage

TENANT = "8f5c1d3e-2a47-4c0b-9d6e-1b7f0a9c2e55"
ORIGIN = "http://localhost:8000"
SETTINGS: dict[str, Any] = {
    "public_origin": ORIGIN,
    "tenant_id": TENANT,
    "organisation": "Contoso",
    "minimum_evidence": "possession",
    "secret_key": SecretStr("vK8rTq2mZx5nWb7hLp4cYd9gFs3jNe6u-Ra"),
    "hook_key": SecretStr("dR5wYk9tBq2zXv7nGm4hJs8cLf3pAe6u-Ht"),
    "entra_authority": "https://127.0.0.1:9",  # nobody listens there
    "sign_in_client_id": "0d2b4b66-6a0e-4d5b-8b55-7f3f0f6b9a10",
    "sign_in_client_secret": SecretStr("mZx5nWb7hLp4"),
    "helpdesk_phone": "+49 30 5550 100",
    "helpdesk_hours": "Mon-Fri 7:00-19:00",
}


class Compiled(BytecodeCache):
    """Templates once for a process, not once for each app: a quarter of the time that these tests take."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()


class Clock:
    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Browser(FlaskClient):
    """A browser of our own origin; `press` fills the forms of the page it saw last."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        kwargs.setdefault("base_url", ORIGIN)
        return super().open(*args, **kwargs)

    def form(self, path: str, action: str) -> dict[str, str]:
        """The fields of the form on that page which goes there."""
        page = BeautifulSoup(self.get(path).text, "html.parser")
        form = page.find("form", action=action)
        assert form is not None, page
        return {str(field["name"]): str(field.get("value") or "") for field in form.find_all("input", attrs={"name": True})}

    def press(self, path: str, action: str, **headers: str) -> TestResponse:
        return self.post(action, data=self.form(path, action), headers=headers)

    def csrf(self) -> str:
        """A right token for any form of this session."""
        return self.form("/sign-out", "/sign-out")["csrf_token"]

    def is_signed_in(self) -> bool:
        return self.get("/journey").status_code != 401


class Web:
    """The app, its database, and ways to put a signed-in person in front of it."""

    def __init__(self, database: Path | str, **settings: Any) -> None:
        """`database` is an address, or the file of a SQLite; `set_up` what differs of the set-up, and the rest are
        settings."""
        about_set_up = settings.pop("set_up", {})
        url = database if isinstance(database, str) else f"sqlite:///{database}"
        self.clock = Clock()
        self.settings = WebSettings.model_validate({**SETTINGS, **settings})
        self.engine = make_engine(url)
        tenant = self.settings.tenant_id
        fresh = self.settings.minimum_evidence is Level.FRESH
        self.store = SqlStore(self.engine, tenant, DbosWakeups(self.engine), fresh=fresh)
        messages_arrive(self.engine, tenant)
        self.sessions = SqlSessions(self.engine, tenant)
        states = SqlSignInStates(self.engine, tenant)
        self.app: Flask = build_web(
            self.settings,
            self.store,
            self.sessions,
            states,
            SqlLookUp(self.engine, tenant),
            set_up=set_up(self.engine, tenant, **about_set_up),
            events=workspace_one_events.hint_of,
            clock=self.clock,
        )
        self.app.jinja_env.bytecode_cache = COMPILED
        self.app.config["PATIENCE"] = 0
        self.app.test_client_class = Browser

    def browser(self) -> Browser:
        client = self.app.test_client()
        assert isinstance(client, Browser)
        return client

    def signed_in(self, person: Person = MIA, browser: str = BROWSER, roles: Sequence[str] = ()) -> Browser:
        """A browser with a living session, as sign-in leaves it; the sign-in itself is tested in test_sign_in."""
        client = self.browser()
        token = self.sessions.begin(oid=person.oid, name=person.name, roles=roles, browser=browser, at=self.clock())
        with client.session_transaction(base_url=self.settings.public_origin) as cookie:
            cookie.update(t=token, b=browser)
        return client

    def style_name(self) -> str:
        desk = self.app.extensions["desk"]
        return str(desk.assets.address("style.css")).rsplit("/", 1)[1]

    def scene(self, name: str, **who: Any) -> Scene:
        return stage(name, self.begun(**who))

    def begun(self, **who: Any) -> Scene:
        return Scene(self.store, self.clock, **who)

    def rows(self) -> dict[str, int]:
        """How many rows each table holds, and how often the journeys were woken: what a refused request must not change."""
        with self.engine.connect() as connection:
            tables = sa.inspect(connection).get_table_names()
            counted = {name: connection.execute(sa.text(f'SELECT count(*) FROM "{name}"')).scalar_one() for name in tables}  # noqa: S608
        return {name: count for name, count in counted.items() if name not in ("sign_in_states", "turns")}


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("database") / "migrated.sqlite"
    migrations.migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def database(migrated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(migrated, tmp_path / f"{secrets.token_hex(4)}.sqlite"))


@pytest.fixture
def web(database: Path) -> Iterator[Web]:
    web = Web(database, demo=True)
    yield web
    web.engine.dispose()
