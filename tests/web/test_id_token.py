"""T12, the tokens that need no key to be refused, and those that a right signature does not save. A good one passes beside them."""

import json
import time
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError

from remediation.web.id_token import TokenRefused, demands, look_after_verifying, look_before_verifying, roles_in, whose

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
def test_T12_refused_before_any_key_is_asked(raw: object) -> None:
    with pytest.raises(TokenRefused):
        look_before_verifying(raw)


@pytest.mark.parametrize(
    "changed",
    [{"aud": [CLIENT, "another"]}, {"aud": [CLIENT]}, {"oid": "mia@contoso.example"}, {"oid": 7}, {"acct": 1}, {"acct": "1"}],
)
def test_T12_refused_although_the_signature_is_right(changed: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        look_after_verifying({**CLAIMS, **changed}, client_id=CLIENT)


TENANT, AUTHORITY = "8f5c1d3e-2a47-4c0b-9d6e-1b7f0a9c2e55", "https://login.microsoftonline.com"


def whole() -> dict[str, Any]:
    now = int(time.time())
    times = {"iat": now, "nbf": now, "exp": now + 3600}
    return {**CLAIMS, **times, "iss": f"{AUTHORITY}/{TENANT}/v2.0", "tid": TENANT, "sub": "s", "nonce": "n"}


def validate(claims: dict[str, Any]) -> None:
    demanded = demands(AUTHORITY, TENANT, CLIENT)
    CodeIDToken(claims, HEADER, demanded, {"nonce": "n", "client_id": CLIENT}).validate(leeway=60)


@pytest.mark.parametrize(
    "changed",
    [
        *({name: None} for name in ("iss", "aud", "tid", "oid", "sub", "nonce", "exp", "nbf", "iat")),
        *(
            {"iss": iss}
            for iss in (f"{AUTHORITY}/{TENANT}/v1.0", f"https://sts.windows.net/{TENANT}/", f"{AUTHORITY}/{TENANT}/v2.0/")
        ),
        {"iss": f"{AUTHORITY}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", "tid": "9188040d-6c67-4c5b-b112-36a304b66dad"},
        {"tid": "9188040d-6c67-4c5b-b112-36a304b66dad"},
        {"aud": "00000003-0000-0000-c000-000000000000"},
        {"nonce": "N"},
        {"exp": 1},
        {"exp": "9999999999"},
        {"nbf": 9_999_999_999},
        {"iat": 9_999_999_999},
    ],
)
def test_T12_each_claim_is_demanded_with_its_value(changed: dict[str, Any]) -> None:
    validate(whole())
    claims = {name: value for name, value in {**whole(), **changed}.items() if value is not None}
    with pytest.raises(JoseError):
        validate(claims)


def test_whose_account_it_was_is_known_for_the_words_alone() -> None:
    assert whose(token(claims={"tid": "ours"}), "ours") is None
    assert whose(token(claims={}), "ours") is None
    assert whose(token(claims={"tid": "theirs"}), "ours") == "foreign"
    assert whose(token(claims={"tid": "9188040d-6c67-4c5b-b112-36a304b66dad"}), "ours") == "personal"
