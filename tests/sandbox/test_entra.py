"""Entra: who gets a code, who gets a token, and every way to be refused."""

from __future__ import annotations

import base64
import datetime
import json
import uuid
from typing import Any

import msal
import pytest
import requests
from authlib.integrations.flask_client import OAuth
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask, session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from sandbox.id_tokens import ID_TOKEN_FAULTS
from tests.sandbox.conftest import Hands, returned


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=="))
    return claims


def refusal(answer: requests.Response, error: str, number: int) -> None:
    body = answer.json()
    assert answer.status_code in (400, 401)
    assert (body["error"], body["error_codes"]) == (error, [number])
    assert {"error_description", "timestamp", "trace_id", "correlation_id"} <= set(body)
    assert body["error_description"].startswith(f"AADSTS{number}: ")


def test_discovery_names_issuer_keys_and_endpoints_of_this_tenant_only(hands: Hands) -> None:
    document = hands.api.get(hands.facts["discovery_url"], timeout=10).json()
    assert document["issuer"] == f"{hands.facts['api_url']}/{hands.facts['tenant_id']}/v2.0"
    assert document["authorization_endpoint"].startswith(hands.facts["pages_url"])
    keys = hands.api.get(document["jwks_uri"], timeout=10).json()["keys"]
    assert document["issuer"] in [key["issuer"] for key in keys]
    assert len({key["issuer"] for key in keys}) == 2
    other = hands.facts["discovery_url"].replace(hands.facts["tenant_id"], "organizations")
    refusal(hands.api.get(other, timeout=10), "invalid_request", 90002)


def test_unknown_paths_and_wrong_methods_are_never_a_200(hands: Hands) -> None:
    token = f"{hands.facts['authority']}/oauth2/v2.0/token"
    assert hands.api.get(token, timeout=10).status_code == 405
    assert hands.api.get(f"{hands.facts['api_url']}/nothing/here", timeout=10).status_code == 404


# app tokens


def msal_app(hands: Hands, credential: Any) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(
        hands.facts["service"]["client_id"],
        client_credential=credential,
        authority=hands.facts["authority"],
        instance_discovery=False,
        http_client=hands.api,
    )


@pytest.mark.parametrize("scope", ["graph_scope", "intune_scope"])
def test_msal_gets_an_app_token_that_shows_its_roles_as_entras_do(hands: Hands, scope: str) -> None:
    answer = msal_app(hands, hands.facts["service"]["client_secret"]).acquire_token_for_client([hands.facts[scope]])
    assert 3500 < answer["expires_in"] < 5401
    assert claims_of(answer["access_token"])["roles"] in hands.facts["service"]["permissions"].values()


def test_what_an_app_token_shows_counts_for_nothing(hands: Hands) -> None:
    head, _, seal = hands.app_token().split(".")
    forged = base64.urlsafe_b64encode(json.dumps({"roles": ["Device.ReadWrite.All"]}).encode()).decode().rstrip("=")
    device = f"{hands.facts['graph_url']}/devices/{uuid.uuid4()}"
    assert hands.call("PATCH", device, {}, token=f"{head}.{forged}.{seal}").status_code == 403
    assert hands.call("GET", f"{hands.facts['graph_url']}/devices", token=f"{head}.{forged}.{seal}").status_code == 200


def certificate() -> tuple[str, str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "remediation service")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now.replace(year=now.year + 1))
    signed = made.sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    sha1 = signed.fingerprint(hashes.SHA1()).hex()  # noqa: S303 - what x5t is made of
    return private, signed.public_bytes(serialization.Encoding.PEM).decode(), sha1


def test_a_registered_certificate_signs_in_and_a_stranger_s_does_not(hands: Hands) -> None:
    private, public, sha1 = certificate()
    modern, older = {"private_key": private, "public_certificate": public}, {"private_key": private, "thumbprint": sha1}
    refused = msal_app(hands, modern).acquire_token_for_client([hands.facts["graph_scope"]])
    assert (refused["error"], refused["error_codes"]) == ("invalid_client", [700027])
    hands.control("PATCH", "app/service", {"certificates": [public]})
    for credential in (modern, older):
        assert "access_token" in msal_app(hands, credential).acquire_token_for_client([hands.facts["graph_scope"]])
    stolen_name = {**modern, "private_key": certificate()[0]}
    refused = msal_app(hands, stolen_name).acquire_token_for_client([hands.facts["graph_scope"]])
    assert refused["error_codes"] == [700027]


@pytest.mark.parametrize(
    ("changed", "error", "number"),
    [
        ({"client_secret": "wrong"}, "invalid_client", 7000215),
        ({"client_secret": ""}, "invalid_client", 7000218),
        ({"client_id": "4be1c3a2-0000-4000-8000-000000000000"}, "unauthorized_client", 700016),
        ({"scope": "https://graph.microsoft.com/.default https://api.manage.microsoft.com//.default"}, "invalid_scope", 28000),
        ({"scope": "https://graph.microsoft.com/User.Read"}, "invalid_scope", 1002012),
        ({"scope": "https://api.manage.microsoft.com/.default"}, "invalid_resource", 500011),
        ({"grant_type": "password"}, "unsupported_grant_type", 70003),
        ({"colour": "blue"}, "invalid_request", 9000410),
    ],
)
def test_a_token_request_with_one_thing_wrong_is_refused(hands: Hands, changed: dict[str, str], error: str, number: int) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": hands.facts["service"]["client_id"],
        "client_secret": hands.facts["service"]["client_secret"],
        "scope": hands.facts["graph_scope"],
    }
    refusal(hands.token_request(**{**form, **changed}), error, number)


# signing people in


def test_authlib_signs_a_person_in(hands: Hands) -> None:
    product = Flask("relying party")
    product.secret_key = "of this test only"
    facts = hands.facts["sign_in"]
    entra = OAuth(product).register(
        "entra",
        client_id=facts["client_id"],
        client_secret=facts["client_secret"],
        server_metadata_url=hands.facts["discovery_url"],
        client_kwargs={
            "scope": "openid profile",
            "code_challenge_method": "S256",
            "verify": str(hands.sandbox.keys.ca_pem),
            "trust_env": False,
        },
    )
    product.add_url_rule("/login", "login", lambda: entra.authorize_redirect(facts["redirect_uris"][0]))

    def callback() -> str:
        session["person"] = dict(entra.authorize_access_token()["userinfo"])
        return "in"

    product.add_url_rule("/signed-in", "callback", callback)
    with product.test_client() as client:
        page = hands.browser.get(client.get("/login").headers["Location"], timeout=10)
        answer = hands.submit(page, account=hands.person("Hanna")["oid"])
        assert client.get(answer.headers["Location"]).text == "in"
        claims = session["person"]
    assert claims["preferred_username"] == "hanna.roth@contoso.example"
    assert (claims["oid"], claims["tid"], claims["ver"]) == (hands.person("Hanna")["oid"], hands.facts["tenant_id"], "2.0")
    assert claims["roles"] == ["Helpdesk.Read", "Helpdesk.Act", "Helpdesk.Lead"]
    assert claims["sub"] != claims["oid"]


def test_state_and_nonce_come_back_as_they_were_sent(hands: Hands) -> None:
    answer = hands.submit(hands.authorize(state="s p&=", nonce="n-1"), account=hands.person("Mia")["oid"])
    brought = returned(answer)
    assert brought["state"] == "s p&="
    token = hands.redeem(brought["code"]).json()
    assert claims_of(token["id_token"])["nonce"] == "n-1"
    assert "refresh_token" not in token
    assert "roles" not in claims_of(token["id_token"])


def test_the_second_sign_in_of_a_browser_is_one_tap_and_prompt_login_is_not(hands: Hands) -> None:
    assert "Signed in on this phone" not in hands.authorize().text
    hands.sign_in("Mia")
    assert "Continue as Mia Berger" in hands.authorize().text
    assert "Continue as" not in hands.authorize(prompt="login").text
    assert "code" in returned(hands.authorize(prompt="none"))
    fresh = Hands(hands.sandbox)
    assert returned(fresh.authorize(prompt="none"))["error"] == "login_required"
    fresh.close()


def test_typed_passwords_are_checked(hands: Hands) -> None:
    mia, sam = hands.person("Mia"), hands.person("Sam")
    page = hands.authorize()
    assert "AADSTS50126" in hands.submit(page, upn=mia["upn"], password="guess").text
    assert "AADSTS50020" in hands.submit(page, upn=sam["upn"], password=sam["password"]).text
    assert "AADSTS50020" in hands.submit(page, account=sam["oid"]).text
    assert "code" in returned(hands.submit(page, upn=mia["upn"].upper(), password=mia["password"]))
    assert returned(hands.submit(page, cancel="1"))["error"] == "access_denied"


@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"client_id": "4be1c3a2-0000-4000-8000-000000000000"}, 700016),
        ({"redirect_uri": "https://evil.example/signed-in"}, 50011),
        ({"redirect_uri": "http://localhost:8000/signed-in/"}, 50011),
        ({"redirect_uri": "http://localhost:8000/signed-in?next=x"}, 50011),
        ({"redirect_uri": None}, 50011),
    ],
)
def test_an_unknown_client_or_address_never_gets_a_redirect(hands: Hands, changed: dict[str, str | None], number: int) -> None:
    answer = hands.authorize(**changed)
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert f"AADSTS{number}" in answer.text


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"nonce": None}, "invalid_request"),
        ({"state": None}, "invalid_request"),
        ({"scope": "profile"}, "invalid_request"),
        ({"scope": "openid profile User.Read"}, "consent_required"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"colour": "blue"}, "invalid_request"),
    ],
)
def test_every_other_fault_goes_back_to_the_app(hands: Hands, changed: dict[str, str | None], error: str) -> None:
    brought = returned(hands.authorize(**changed))
    assert brought["error"] == error
    assert brought["error_description"].startswith("AADSTS")
    assert "code" not in brought


def test_a_code_works_once(hands: Hands) -> None:
    code = hands.sign_in()
    assert hands.redeem(code).status_code == 200
    refusal(hands.redeem(code), "invalid_grant", 54005)


@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"code_verifier": "another-verifier-that-is-long-enough-0123456789"}, 501481),
        ({"redirect_uri": "http://localhost:8000/elsewhere"}, 500112),
        ({"scope": "openid profile https://graph.microsoft.com/User.Read"}, 70011),
    ],
)
def test_a_code_is_bound_and_a_failed_attempt_burns_it(hands: Hands, changed: dict[str, str], number: int) -> None:
    code = hands.sign_in()
    answer = hands.redeem(code, **changed)
    assert answer.json()["error_codes"] == [number]
    refusal(hands.redeem(code), "invalid_grant", 54005)


def test_a_code_of_another_client_an_old_one_and_an_invented_one_are_worth_nothing(hands: Hands) -> None:
    refusal(hands.redeem(hands.sign_in(), app="service"), "invalid_grant", 70000)
    refusal(hands.redeem("invented"), "invalid_grant", 9002313)
    code = hands.sign_in()
    hands.control("POST", "clock", {"advance": 601})
    refusal(hands.redeem(code), "invalid_grant", 70008)


def test_the_verifier_may_not_be_left_out(hands: Hands) -> None:
    refusal(hands.redeem(hands.sign_in(), code_verifier=""), "invalid_request", 900144)


def test_logout_returns_only_to_registered_addresses_and_forgets_the_browser(hands: Hands) -> None:
    url = f"{hands.facts['pages_url']}/{hands.facts['tenant_id']}/oauth2/v2.0/logout"
    hands.sign_in()
    home = hands.facts["sign_in"]["logout_uris"][0]
    away = hands.browser.get(url, params={"post_logout_redirect_uri": "https://evil.example/"}, allow_redirects=False, timeout=10)
    assert (away.status_code, "You are signed out" in away.text) == (200, True)
    back = hands.browser.get(url, params={"post_logout_redirect_uri": home}, allow_redirects=False, timeout=10)
    assert back.headers["Location"] == home
    assert returned(hands.authorize(prompt="none"))["error"] == "login_required"


def sound(hands: Hands, id_token: str) -> bool:
    """A relying party that checks everything, key issuer included."""
    facts = hands.facts
    issuer = f"{facts['api_url']}/{facts['tenant_id']}/v2.0"
    published = hands.api.get(f"{facts['authority']}/discovery/v2.0/keys", timeout=10).json()["keys"]
    keys = KeySet.import_key_set({"keys": [key for key in published if key["issuer"] == issuer]})
    now = datetime.datetime.now(datetime.UTC).timestamp()
    try:
        claims = jwt.decode(id_token, keys, algorithms=["RS256"]).claims
    except (JoseError, ValueError):
        return False
    wanted = {
        "iss": issuer,
        "aud": facts["sign_in"]["client_id"],
        "tid": facts["tenant_id"],
        "nonce": "the-nonce",
        "oid": hands.person("Mia")["oid"],
    }
    if any(claims.get(name) != value for name, value in wanted.items()) or not {"sub", "exp", "iat"} <= set(claims):
        return False
    return bool(claims.get("nbf", 0) - 60 <= now <= claims["exp"] + 60)


def test_a_good_id_token_convinces_a_strict_reader(hands: Hands) -> None:
    assert sound(hands, hands.redeem(hands.sign_in()).json()["id_token"])


@pytest.mark.parametrize("fault", ID_TOKEN_FAULTS)
def test_a_spoiled_id_token_does_not_and_the_next_one_is_good_again(hands: Hands, fault: str) -> None:
    hands.control("POST", "id_token", {"fault": fault})
    assert not sound(hands, hands.redeem(hands.sign_in()).json()["id_token"])
    assert sound(hands, hands.redeem(hands.sign_in()).json()["id_token"])
