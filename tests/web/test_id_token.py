"""T12, the tokens that need no key to be refused, and those that a right signature does not save. A good one passes beside them."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from remediation.web.id_token import TokenRefused, look_after_verifying, look_before_verifying, roles_in

HEADER = {"typ": "JWT", "alg": "RS256", "kid": "k1"}
CLIENT = "0d2b4b66-6a0e-4d5b-8b55-7f3f0f6b9a10"
CLAIMS = {"aud": CLIENT, "oid": "6a0e4d5b-2b66-4d5b-8b55-9a107f3f0f6b", "acct": 0}


def part(value: Any) -> str:
    raw = value if isinstance(value, str) else json.dumps(value)
    return urlsafe_b64encode(raw.encode()).rstrip(b"=").decode()


def token(header: Any = HEADER, claims: Any = CLAIMS) -> str:
    return f"{part(header)}.{part(claims)}.c2lnbmF0dXJl"


def test_a_good_token_is_looked_at_and_passes() -> None:
    look_before_verifying(token())
    look_after_verifying(CLAIMS, client_id=CLIENT)
    assert roles_in({"roles": ["Helpdesk.Read", 7]}) == ("Helpdesk.Read",)
    assert roles_in({"roles": "Admin"}) == ()


@pytest.mark.parametrize(
    "raw",
    [
        None,
        7,
        "",
        "a.b",
        "not.a.token",
        token().rsplit(".", 1)[0],
        f"{token()}.{part({})}.x",  # five parts: an encrypted token
        *(token({**HEADER, "alg": alg}) for alg in ("none", "None", "HS256", "RS512", "ES256", "", None, ["RS256"])),
        *(token({**HEADER, name: "x"}) for name in ("jwk", "jku", "x5u", "x5c", "crit")),
        token({**HEADER, "typ": "at+jwt"}),
        token({**HEADER, "padding": "x" * 300_000}),
        token('{"alg": "RS256", "alg": "none"}'),
        token(claims='{"aud": "one", "aud": "two"}'),
        token(claims='{"nested": {"tid": "one", "tid": "two"}}'),
        token([HEADER]),
        token(claims="[]"),
        token(claims="{"),
    ],
)
def test_t12_refused_before_any_key_is_asked(raw: object) -> None:
    with pytest.raises(TokenRefused):
        look_before_verifying(raw)


@pytest.mark.parametrize(
    "changed",
    [{"aud": [CLIENT, "another"]}, {"aud": [CLIENT]}, {"oid": "mia@contoso.example"}, {"oid": 7}, {"acct": 1}, {"acct": "1"}],
)
def test_t12_refused_although_the_signature_is_right(changed: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        look_after_verifying({**CLAIMS, **changed}, client_id=CLIENT)
