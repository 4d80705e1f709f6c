"""A browser at the sandbox's Entra, without a socket: from the authorize page to the token that an app gets for its own API."""

import hashlib
import re
from urllib.parse import parse_qs, urlsplit

from werkzeug.test import Client, TestResponse

from sandbox.keys import b64url
from sandbox.server import Sandbox

VERIFIER = "a-verifier-that-is-long-enough-to-be-one-0123456789"
CLAIM = '{"access_token":{"deviceid":{"essential":true}}}'


def second_sign_in(sandbox: Sandbox, oid: str, correlation_id: str, *, on_the_phone: bool = True, wants_claim: bool = True) -> str:
    """The access token. `on_the_phone`: the browser is the pretend phone's, and not one that Entra knows nothing of."""
    app, tenant = sandbox.world.apps["sign-in"], sandbox.world.tenant_id
    browser, api = Client(sandbox.pages), Client(sandbox.api)
    if on_the_phone:
        assert browser.get("/").status_code == 200
    asked = {
        "client_id": app.client_id,
        "redirect_uri": app.redirect_uris[0],
        "response_type": "code",
        "response_mode": "query",
        "scope": f"openid profile {app.client_id}/.default",
        "state": "the-state",
        "nonce": "the-nonce",
        "code_challenge": b64url(hashlib.sha256(VERIFIER.encode()).digest()),
        "code_challenge_method": "S256",
        "client-request-id": correlation_id,
        **({"claims": CLAIM} if wants_claim else {}),
    }
    page = browser.get(f"/{tenant}/oauth2/v2.0/authorize", query_string=asked)
    sealed = re.search(r'name="request" value="([^"]+)"', page.text)
    assert sealed, page.text
    back = browser.post(f"/{tenant}/login", data={"request": sealed[1], "account": oid})
    form = {
        "grant_type": "authorization_code",
        "client_id": app.client_id,
        "client_secret": app.secret,
        "code": _code(back),
        "redirect_uri": app.redirect_uris[0],
        "code_verifier": VERIFIER,
    }
    answer = api.post(f"/{tenant}/oauth2/v2.0/token", data=form)
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return str(answer.json["access_token"])


def _code(back: TestResponse) -> str:
    return parse_qs(urlsplit(back.headers["Location"]).query)["code"][0]
