"""One running sandbox for the session, begun anew for each test; hands for its three doors: API, browser, control."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from bs4 import BeautifulSoup

from sandbox.keys import b64url
from sandbox.server import Sandbox, SandboxConfig, create_sandbox

VERIFIER = "a-verifier-that-is-long-enough-to-be-one-0123456789"


class Hands:
    """Speaks to a running sandbox as an app (TLS, bearer tokens), as a browser, and as a test (control)."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.api = requests.Session()
        self.api.trust_env = False
        self.api.verify = str(sandbox.keys.ca_pem)
        self.browser = requests.Session()
        self.browser.trust_env = False
        self.facts: dict[str, Any] = self.control("GET", "facts")
        self._tokens: dict[str, str] = {}

    def close(self) -> None:
        self.api.close()
        self.browser.close()

    def control(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = self.browser.request(method, f"{self.sandbox.pages_url}/control/{path}", json=body, timeout=10)
        assert answer.status_code == status, answer.text
        return answer.json()

    def person(self, name: str) -> dict[str, Any]:
        return next(person for person in self.facts["persons"] if person["name"].startswith(name))

    # as an app

    def token_request(self, **form: str) -> requests.Response:
        return self.api.post(f"{self.facts['authority']}/oauth2/v2.0/token", data=form, timeout=10)

    def app_token(self, resource: str = "graph", app: str = "service") -> str:
        answer = self.token_request(
            grant_type="client_credentials",
            client_id=self.facts[app]["client_id"],
            client_secret=self.facts[app]["client_secret"],
            scope=self.facts[f"{resource}_scope"],
        )
        return str(answer.json()["access_token"])

    def call(self, method: str, url: str, body: Any = None, token: str | None = None, **headers: str) -> requests.Response:
        resource = "intune" if "/intune/" in url else "graph"
        if token is None:
            token = self._tokens.get(resource) or self.app_token(resource)
            self._tokens[resource] = token
        return self.api.request(method, url, json=body, headers={"Authorization": f"Bearer {token}", **headers}, timeout=10)

    def graph(self, method: str, path: str, body: Any = None, **kw: Any) -> requests.Response:
        return self.call(method, f"{self.facts['graph_url']}/{path}", body, **kw)

    # as a browser

    def authorize_parameters(self, **changed: str | None) -> dict[str, str]:
        asked: dict[str, str | None] = {
            "client_id": self.facts["sign_in"]["client_id"],
            "redirect_uri": self.facts["sign_in"]["redirect_uris"][0],
            "response_type": "code",
            "response_mode": "query",
            "scope": "openid profile",
            "state": "the-state",
            "nonce": "the-nonce",
            "code_challenge": b64url(hashlib.sha256(VERIFIER.encode()).digest()),
            "code_challenge_method": "S256",
            **changed,
        }
        return {name: value for name, value in asked.items() if value is not None}

    def authorize(self, **changed: str | None) -> requests.Response:
        url = f"{self.sandbox.pages_url}/{self.facts['tenant_id']}/oauth2/v2.0/authorize"
        return self.browser.get(url, params=self.authorize_parameters(**changed), allow_redirects=False, timeout=10)

    def submit(self, page: requests.Response, **fields: str) -> requests.Response:
        """Fill the form on this page by hand: its hidden request, and these fields."""
        soup = BeautifulSoup(page.text, "html.parser")
        sealed = soup.find("input", {"name": "request"})
        action = soup.find("form")
        assert sealed is not None, page.text
        assert action is not None, page.text
        url = f"{self.sandbox.pages_url}{action['action']}"
        return self.browser.post(url, data={"request": str(sealed["value"]), **fields}, allow_redirects=False, timeout=10)

    def sign_in(self, name: str = "Mia", **changed: str | None) -> str:
        """The code that the app gets back."""
        answer = self.submit(self.authorize(**changed), account=self.person(name)["oid"])
        return returned(answer)["code"]

    def redeem(self, code: str, app: str = "sign_in", **changed: str) -> requests.Response:
        form = {
            "grant_type": "authorization_code",
            "client_id": self.facts[app]["client_id"],
            "client_secret": self.facts[app]["client_secret"],
            "code": code,
            "redirect_uri": self.facts["sign_in"]["redirect_uris"][0],
            "code_verifier": VERIFIER,
        }
        return self.token_request(**{**form, **changed})


def returned(answer: requests.Response) -> dict[str, str]:
    """What a redirect brings back to the app."""
    assert answer.status_code == 302, answer.text
    query = urlsplit(answer.headers["Location"]).query
    return {name: values[0] for name, values in parse_qs(query).items()}


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = create_sandbox(SandboxConfig(ca_folder=tmp_path_factory.mktemp("ca")))
    sandbox.start(api_port=0, pages_port=0)
    yield sandbox
    sandbox.stop()


def afresh(running: Sandbox, story: str) -> Sandbox:
    running.world.stands_at = None  # a test before may have stopped the clock, and a new story does not start it
    running.begin(story)
    return running


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    return afresh(running, "blocked_just_registered")


@pytest.fixture
def hands(sandbox: Sandbox) -> Iterator[Hands]:
    hands = Hands(sandbox)
    yield hands
    hands.close()
