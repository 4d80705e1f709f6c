"""T12: token confusion, the whole way: Entra's answer carries a forged ID token, and nobody is signed in. Good ones are."""

from __future__ import annotations

import json
import time
from typing import Any

from joserfc.jwk import RSAKey

from remediation.web.entra_client import KEYS_FORCED_EVERY, KEYS_LAST
from sandbox.keys import SigningKey
from tests.web.conftest import Browser, Web
from tests.web.test_sign_in import Entra, begin, entra, running, sign_in, web  # noqa: F401  # fixtures

PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
SOMEBODY = "11111111-2222-4333-8444-555555555555"
NOW = int(time.time())


def own_key() -> dict[str, Any]:
    return dict(RSAKey.generate_key(2048, private=False).as_dict())


FORGED: dict[str, dict[str, Any]] = {
    **{
        f"alg {alg}": {"header": {"alg": alg}, "sign": sign} for alg, sign in (("none", "none"), ("None", "none"), ("NONE", "none"))
    },
    "alg none, signed": {"header": {"alg": "none"}},
    "no alg": {"header": {"alg": None}},
    "HS256 with the public key": {"header": {"alg": "HS256"}, "sign": "hs256"},
    "HS256 named RS256": {"sign": "hs256"},
    **{f"alg {alg}": {"header": {"alg": alg}} for alg in ("RS384", "RS512", "PS256", "ES256", "EdDSA", "rs256", "dir")},
    "own key in the header": {"header": {"jwk": own_key()}, "sign": "stranger"},
    "own key, kid of Entra's": {"header": {"jwk": own_key(), "kid": "x"}, "sign": "stranger"},
    **{f"{name} in the header": {"header": {name: "https://evil.example/keys"}, "sign": "stranger"} for name in ("jku", "x5u")},
    "x5c in the header": {"header": {"x5c": ["MIIB"]}, "sign": "stranger"},
    "crit in the header": {"header": {"crit": ["exp"]}},
    "b64 unencoded payload": {"header": {"b64": False, "crit": ["b64"]}},
    "kid that is a path": {"header": {"kid": "../../dev/null"}, "sign": "stranger"},
    "kid that is SQL": {"header": {"kid": "' OR 1=1 --"}, "sign": "stranger"},
    "another's key": {"sign": "stranger"},
    "key of another tenant": {"sign": "foreign"},
    "broken signature": {"sign": "broken"},
    "no signature": {"sign": "none"},
    "an access token": {"header": {"typ": "at+jwt"}},
    "an access token by its audience": {"claims": {"aud": "00000003-0000-0000-c000-000000000000", "scp": "User.Read"}},
    "a header of 300 KB": {"header": {"padding": "x" * 300_000}},
    "claims of 300 KB": {"claims": {"padding": "x" * 300_000}},
    **{f"no {name}": {"claims": {name: None}} for name in ("iss", "aud", "tid", "nonce", "exp", "nbf", "iat", "oid", "sub")},
    **{f"{name} twice": {"twice": {name: "x"}} for name in ("iss", "aud", "tid", "nonce", "exp", "oid", "preferred_username")},
    "issuer of v1": {"claims": {"iss": "https://sts.windows.net/{tid}/"}},
    "issuer template": {"claims": {"iss": "https://login.microsoftonline.com/{tenantid}/v2.0"}},
    "issuer of common": {"claims": {"iss": "https://login.microsoftonline.com/common/v2.0"}},
    "another tenant": {"claims": {"tid": SOMEBODY}},
    "personal accounts": {"claims": {"tid": PERSONAL}},
    "tid in a list": {"claims": {"tid": [SOMEBODY]}},
    "two audiences": {"claims": {"aud": [SOMEBODY, "00000003-0000-0000-c000-000000000000"]}},
    "another app": {"claims": {"aud": SOMEBODY}},
    "nonce of another sign-in": {"claims": {"nonce": "n" * 24}},
    "empty nonce": {"claims": {"nonce": ""}},
    "expired": {"claims": {"exp": NOW - 600}},
    "expires as text": {"claims": {"exp": str(NOW + 3600)}},
    "not yet valid": {"claims": {"nbf": NOW + 900}},
    "issued in the future": {"claims": {"iat": NOW + 900}},
    "oid that is a name": {"claims": {"oid": "mia.berger@contoso.example"}},
    "oid that is a list": {"claims": {"oid": ["a"]}},
    "a guest": {"claims": {"acct": 1}},
    "a guest, as text": {"claims": {"acct": "1"}},
}


def is_refused(web: Web, entra: Entra, spec: dict[str, Any], browser: Browser) -> bool:  # noqa: F811
    entra.sandbox.id_token_faults.append(json.dumps(spec))
    answer = browser.get(entra.answers(begin(browser)))
    assert not entra.sandbox.id_token_faults, "it was handed out"
    return answer.status_code == 400 and answer.text.count('id="go-on"') == 1 and not browser.is_signed_in()


def test_T12_of_sixty_forged_tokens_none_signs_anybody_in_and_a_good_one_does(web: Web, entra: Entra) -> None:  # noqa: F811
    assert len(FORGED) >= 60
    accepted = [name for name, spec in FORGED.items() if not is_refused(web, entra, spec, web.browser())]
    assert accepted == []
    assert sign_in(web.browser(), entra) == "/journey"
    entra.sandbox.id_token_faults.append(json.dumps({"claims": {"unheard_of": [1, {"a": None}]}}))
    assert sign_in(web.browser(), entra) == "/journey", "one that was put together the same way, and is as Entra makes them"


def asked_for_keys(entra: Entra) -> int:  # noqa: F811
    return sum("/discovery/v2.0/keys" in entry.path for entry in list(entra.sandbox.ledger.entries))


def test_T12_a_new_key_of_entras_is_taken_at_once_and_forged_ones_cost_one_question_a_minute(web: Web, entra: Entra) -> None:  # noqa: F811
    browser = web.browser()
    assert sign_in(browser, entra) == "/journey"
    before = asked_for_keys(entra)
    for _ in range(3):
        assert sign_in(web.browser(), entra) == "/journey"
    assert asked_for_keys(entra) == before, "kept"
    entra.sandbox.keys.signing = SigningKey()
    assert sign_in(web.browser(), entra) == "/journey", "rotated while running"
    assert asked_for_keys(entra) == before + 1
    forged = {"sign": "stranger"}
    assert all(is_refused(web, entra, forged, web.browser()) for _ in range(20))
    assert asked_for_keys(entra) == before + 1, "a flood of them within the minute"
    web.clock.ahead = KEYS_FORCED_EVERY
    assert all(is_refused(web, entra, forged, web.browser()) for _ in range(5))
    assert asked_for_keys(entra) == before + 2
    assert sign_in(web.browser(), entra) == "/journey"


def test_T12_keys_are_read_again_each_day_so_that_one_that_was_withdrawn_is_not_trusted_for_ever(web: Web, entra: Entra) -> None:  # noqa: F811
    assert sign_in(web.browser(), entra) == "/journey"
    before = asked_for_keys(entra)
    web.clock.ahead = KEYS_LAST
    assert sign_in(web.browser(), entra) == "/journey"
    assert asked_for_keys(entra) == before + 1
