"""A tenant that is being set up from nothing: the sandbox on sockets, the web as `serve` builds it, and the worker's looks.

The worker here is what `remediation work` does while it is set up, without its process: it says with what to seal, and looks.
"""

from __future__ import annotations

import json
import os
import re
from datetime import timedelta
from functools import partial
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import sqlalchemy as sa
from bs4 import BeautifulSoup

from remediation import onboard_wiring, wiring
from remediation.domain.onboarding import Looked
from remediation.look_wiring import looks
from remediation.onboard_console import Console
from remediation.ports import Actor
from remediation.services.look_at_set_up import look_at_all
from remediation.set_up_wiring import answer_now
from remediation.settings import PREFIX, DatabaseSettings, WorkerSettings
from remediation.settings.reading import read, read_so_far
from remediation.store.onboarding import SqlChoices
from remediation.store.tables import audit, set_up_looks
from sandbox.facts import facts_of
from sandbox.server import Sandbox
from tests.engines import make_engine
from tests.web.conftest import ORIGIN, Browser

WEB_KEY, SEAL_KEY, AUDIT_KEY = (
    "vK8rTq2mZx5nWb7hLp4cYd9gFs3jNe6u-Ra",
    "kQ8v1xWm7ZpL2tR9sYb4nHc6dJf3gAe5uTiO",
    "nK3wXv8pQz5rTm1yJd7bLf2hGc9sEa4u",
)
ADMIN, PASSWORD = "adam.kowal@contoso.example", "Adam-Pass-1"


class FromZero:
    """`database` is the address of a migrated one. Nothing but addresses and keys is in the environment."""

    def __init__(self, sandbox: Sandbox, database: str, patch: pytest.MonkeyPatch) -> None:
        self.sandbox, self.patch = sandbox, patch
        sandbox.begin("blocked_just_registered")
        self.facts = facts_of(sandbox)
        for name in [name for name in os.environ if name.startswith(PREFIX)]:
            patch.delenv(name)
        self.environment(
            DATABASE_URL=database,
            PUBLIC_ORIGIN=ORIGIN,
            SECRET_KEY=WEB_KEY,
            SEAL_KEY=SEAL_KEY,
            AUDIT_KEY=AUDIT_KEY,
            ENTRA_AUTHORITY=sandbox.api_url,
            GRAPH_URL=f"{sandbox.api_url}/graph",
            PARTNER_HOSTS="127.0.0.1",
            PRIVATE_HOSTS="localhost",
            CA_FILE=str(sandbox.keys.ca_pem),
            ENTRA_CALLS="5000/10",  # pressed more quickly than by a hand
        )
        self.engine = make_engine(database)
        self.choices = SqlChoices(self.engine)
        self.service = sandbox.world.apps["service"]
        self.service.permissions, self.service.consented = {}, False
        self.worker_starts()
        self.renewing = onboard_wiring.Renewing(partial(onboard_wiring.build_web, self.engine), self.choices.seq, every=0)
        self.browser = self.new_browser()

    def environment(self, **names: str) -> None:
        for name, value in names.items():
            self.patch.setenv(PREFIX + name, value)

    def new_browser(self) -> Browser:
        """Each asks the app as it is by then, as a server does."""
        app = self.renewing.app
        app.wsgi_app = self.renewing  # type: ignore[method-assign]
        return Browser(app, use_cookies=True)

    # the worker

    def worker_settings(self) -> tuple[WorkerSettings, set[str]]:
        taken = onboard_wiring.taken_for(WorkerSettings)
        found, missing = read_so_far(WorkerSettings, taken.typed)
        return found, {fault.name for fault in missing}

    def worker_starts(self) -> None:
        taken = onboard_wiring.taken_for(WorkerSettings)
        found, missing = read_so_far(WorkerSettings, taken.typed)
        onboard_wiring.tell(found, self.engine, missing)

    def worker_looks(self) -> None:
        """With what was typed by now, as it would after it began anew; a lag of Microsoft's is over."""
        found, missing = self.worker_settings()
        what = looks(found, missing, onboard_wiring.keys_of("worker"), sign_in_app=onboard_wiring.sign_in_app(found, self.engine))
        store, actor = onboard_wiring.store_of(found, self.engine), Actor("worker", "w")
        look_at_all(self.choices, what, store, actor=actor, now=wiring.now)
        late = [one for one in self.choices.wanted() if one.wanted_at is not None]
        for one in late:
            for at in (set_up_looks.c.wanted_at, set_up_looks.c.looked_at, set_up_looks.c.good_at):
                self.lies_back(at, timedelta(minutes=2), set_up_looks.c.name == one.name)
        if late:
            look_at_all(self.choices, what, store, actor=actor, now=wiring.now)

    def worker_answers(self) -> None:
        """What was asked on a page and only the worker can find out."""
        answer_now(onboard_wiring.world_of_set_up(self.worker_settings()[0], self.engine, self.engine))

    def looked(self, name: str) -> Looked:
        return self.choices.looks()[name]

    def lies_back(self, column: sa.Column[Any], by: timedelta, *where: sa.ColumnElement[bool]) -> None:
        """As if so much time had passed since. In Python: the two databases have no word in common for it."""
        with self.engine.begin() as connection:
            for at in connection.execute(sa.select(column).distinct().where(column.is_not(None), *where)).scalars().all():
                connection.execute(sa.update(column.table).where(column == at, *where).values({column.name: at - by}))

    # the administrator

    def link(self) -> str:
        """Its path, as the command prints it."""
        console = Console(read(DatabaseSettings), operator="root")
        try:
            return console.link(ORIGIN).removeprefix(ORIGIN)
        finally:
            console.close()

    def comes_by_the_link(self) -> str:
        path = self.link()
        answer = self.browser.press(path, path)
        assert answer.status_code == 303, answer.text
        return path

    def types(self, step: str, **fields: str) -> None:
        answer = self.sends(step, **fields)
        assert answer == 303, self.said

    def sends(self, step: str, **fields: str) -> int:
        form = {**self.browser.form(f"/onboarding/{step}", f"/onboarding/{step}"), **{PREFIX + k: v for k, v in fields.items()}}
        answer = self.browser.post(f"/onboarding/{step}", data=form)
        self.said = self.words_of(answer.text)
        return answer.status_code

    def says(self, step: str = "") -> str:
        return self.words_of(self.browser.get(f"/onboarding/{step}".rstrip("/")).text)

    @staticmethod
    def words_of(html: str) -> str:
        return " ".join(BeautifulSoup(html, "html.parser").get_text(" ").split())

    def types_company_and_apps(self, **other: str) -> None:
        self.types("company", ORGANISATION="Contoso", HELPDESK_PHONE="+49 30 5550 100", HELPDESK_HOURS="Mon-Fri 7:00-19:00")
        ids = {
            "TENANT_ID": self.facts["tenant_id"],
            "SIGN_IN_CLIENT_ID": self.facts["sign_in"]["client_id"],
            "SERVICE_CLIENT_ID": self.facts["service"]["client_id"],
        }
        self.types("tenant", **{**ids, **other})
        secrets = {"SIGN_IN_CLIENT_SECRET": self.facts["sign_in"]["client_secret"]}
        self.types("credential", **secrets, SERVICE_CLIENT_SECRET=self.service.secret)

    def at_microsoft(self, path: str) -> str:
        """Where a link of ours leads."""
        answer = self.browser.get(path)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["Location"])

    def consents(self, *, declines: bool = False, upn: str = ADMIN, password: str = PASSWORD) -> str:
        """The path with which Microsoft sends the browser back."""
        return self.answers_consent(self.at_microsoft("/onboarding/consent/begin"), declines=declines, upn=upn, password=password)

    def answers_consent(self, address: str, *, declines: bool = False, upn: str = ADMIN, password: str = PASSWORD) -> str:
        with requests.Session() as session:
            session.trust_env = False
            page = session.get(address, timeout=10)
            assert page.status_code == 200, page.text
            sealed = re.search(r'name="request" value="([^"]+)"', page.text)
            assert sealed, page.text
            said = {"cancel": "1"} if declines else {"upn": upn, "password": password}
            tenant = self.sandbox.world.tenant_id
            back = session.post(
                f"{self.sandbox.pages_url}/{tenant}/adminconsent",
                data={"request": unescape(sealed[1]), **said},
                allow_redirects=False,
                timeout=10,
            )
        assert back.status_code == 302, back.text
        parts = urlsplit(back.headers["Location"])
        return f"{parts.path}?{parts.query}"

    def signs_in(self, name: str = "Adam", path: str = "/sign-in?to=helpdesk&page=onboarding") -> str:
        """Through Entra's own pages; returns where the person is afterwards."""
        address = self.at_microsoft(path)
        with requests.Session() as session:
            session.trust_env = False
            page = BeautifulSoup(session.get(address, timeout=10).text, "html.parser")
            sealed, form = page.find("input", {"name": "request"}), page.find("form")
            assert sealed is not None
            assert form is not None
            oid = next(p["oid"] for p in self.facts["persons"] if p["name"].startswith(name))
            fields = {"request": str(sealed["value"]), "account": oid}
            back = session.post(f"{self.sandbox.pages_url}{form['action']}", data=fields, allow_redirects=False, timeout=10)
        parts = urlsplit(back.headers["Location"])
        answer = self.browser.get(f"{parts.path}?{parts.query}")
        assert answer.status_code == 303, answer.text
        return str(answer.headers["Location"])

    def audit(self, why: str) -> list[str]:
        with self.engine.connect() as connection:
            found = connection.execute(sa.select(audit.c.detail).where(audit.c.why == why).order_by(audit.c.id))
            return [json.dumps(detail) for detail in found.scalars()]
