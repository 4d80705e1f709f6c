"""The stage of the demo, with secrets of the bench's own choice in all places, each like nothing else in memory.

Next door: `needles` searches for them, `troubled` is the story that is played.
"""

import json
import secrets
import string
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.stage.needles import Search
from remediation.settings import WebSettings, WorkerSettings
from sandbox.workspace_one_gate import tenant_code
from tests.journeys.stage import Stage


def by_chance() -> str:
    """With characters that look different in an address, in HTML and in base64."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(40)) + "~+/&"


class _Both(WebSettings, WorkerSettings):
    """One file of settings for both processes."""


class Planted(Stage):
    """The stage, with secrets of its own choice in all places."""

    typed = True

    def __init__(self, url: str, folder: Path, search: Search, broken: str | None) -> None:
        super().__init__(url, folder, "blocked_just_registered")
        self._search, self._one_environment = search, broken == "one_environment"
        world = self.sandbox.world
        world.apps["service"].secret = self._plant("service client secret")
        world.apps["sign-in"].secret = self._plant("sign-in client secret")
        world.mdm.client_secret = self._plant("MDM client secret")
        hook = secrets.token_urlsafe(32)
        search.add("alarm webhook", hook)
        self._more = {
            "SECRET_KEY": self._plant("web secret key"),
            "SECRET_KEY_FALLBACKS": self._plant("earlier web secret key"),
            "ALARM_WEBHOOK": f"{self.sandbox.api_url}/hooks/{hook}",
            "METRICS_FILE": str(folder / "metrics.prom"),
        }
        heard = _Overheard(search, world.apps["service"].client_id)
        self.sandbox._microsoft = heard.around(self.sandbox._microsoft)  # type: ignore[assignment]
        self.sandbox._workspace_one = heard.around(self.sandbox._workspace_one)

    def _plant(self, name: str) -> str:
        secret = by_chance()
        self._search.add(name, secret)
        return secret

    def start(self, command: str, settings: type[WebSettings] | type[WorkerSettings]) -> None:
        self.settings |= {f"REMEDIATION_{name}": value for name, value in self._more.items()}
        super().start(command, _Both if self._one_environment and command == "serve" else settings)

    def another_worker(self) -> None:
        """One that signs in with a password, where the first had an OAuth client."""
        self.children["work"].terminate()
        self.children["work"].wait(30)
        world = self.sandbox.world
        world.mdm.client_secret = self._plant("MDM password")
        self._search.add("MDM tenant code", code := tenant_code(world))
        for name in ("TOKEN_URL", "CLIENT_ID", "CLIENT_SECRET"):
            self.settings.pop(f"REMEDIATION_MDM_WS1_{name}")
        login = {"USER": world.mdm.client_id, "PASSWORD": world.mdm.client_secret, "TENANT_CODE": code}
        self._more |= {f"MDM_WS1_{name}": value for name, value in login.items()}
        self.start("work", WorkerSettings)


class _Overheard:
    """Access tokens as the stand-in hands them out."""

    def __init__(self, search: Search, service: str) -> None:
        self._search, self._service = search, service

    def around(self, app: Any) -> Callable[[Any, Any], Iterable[bytes]]:
        def heard(environ: Any, start_response: Any) -> Iterable[bytes]:
            path = environ.get("PATH_INFO", "")
            body = app(environ, start_response)
            if not path.endswith("/token"):
                return body  # type: ignore[no-any-return]
            whole = b"".join(body)
            with suppress(ValueError):
                if token := json.loads(whole).get("access_token"):
                    workers = path.startswith("/ws1auth") or environ.get("sandbox.client_id") == self._service
                    self._search.add("access token" if workers else "person's access token", token)
            return [whole]

        return heard
