"""An app's token for its own API, the device that it names, and the sign-in log that tells of it minutes later."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from sandbox.graph_sign_ins import _PER_PAGE
from tests.sandbox.conftest import Hands, returned

CLAIM = '{"access_token":{"deviceid":{"essential":true}}}'
ID = "6a0e4d5b-2b66-4d5b-8b55-9a107f3f0f6b"


def own(hands: Hands) -> str:
    return f"openid profile {hands.facts['sign_in']['client_id']}/.default"


def on_the_phone(hands: Hands) -> None:
    assert hands.browser.get(f"{hands.sandbox.pages_url}/", timeout=10).status_code == 200


def again(hands: Hands, **changed: str | None) -> dict[str, Any]:
    """The claims of the access token."""
    asked: dict[str, Any] = {"scope": own(hands), "claims": CLAIM, "client-request-id": ID, **changed}
    answer = hands.redeem(hands.sign_in(**asked)).json()
    part = answer["access_token"].split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=="))
    return claims


def signs_in_from(hands: Hands, device: str) -> None:
    hands.control("POST", "signs_in_from", {"device": device})


def mias(hands: Hands, name: str = "") -> str:
    devices = hands.control("GET", "world")["devices"]
    phone = hands.sandbox.world.phones["mia"].device_id
    return next(str(d["device_id"]) for d in devices if (d["name"] == name if name else d["device_id"] == phone))


def test_the_token_is_for_the_app_itself_and_names_the_device_of_its_browser(hands: Hands) -> None:
    on_the_phone(hands)
    claims = again(hands)
    client_id = hands.facts["sign_in"]["client_id"]
    assert (claims["aud"], claims["azp"], claims["ver"], claims["oid"]) == (client_id, client_id, "2.0", hands.person("Mia")["oid"])
    assert claims["iss"] == f"{hands.facts['api_url']}/{hands.facts['tenant_id']}/v2.0"
    assert claims["deviceid"] == mias(hands)
    assert "nonce" not in claims


def test_a_browser_that_was_never_on_the_phone_names_nothing(hands: Hands) -> None:
    assert "deviceid" not in again(hands)


def test_the_claim_is_there_only_where_it_was_asked_for(hands: Hands) -> None:
    on_the_phone(hands)
    assert "deviceid" not in again(hands, claims=None)
    assert "deviceid" in again(hands)


def test_an_unregistered_or_disabled_device_is_no_proof(hands: Hands) -> None:
    on_the_phone(hands)
    device = mias(hands)
    hands.control("PATCH", f"device/{device}", {"enabled": False})
    assert "deviceid" not in again(hands)
    hands.control("PATCH", f"device/{device}", {"enabled": True})
    assert again(hands)["deviceid"] == device
    hands.control("POST", "phone/mia/act", {"action": "unregister"})
    assert "deviceid" not in again(hands)


def test_it_can_be_told_to_name_another_device_or_none(hands: Hands) -> None:
    on_the_phone(hands)
    laptop = mias(hands, "CONTOSO-MB-07")
    signs_in_from(hands, laptop)
    assert again(hands)["deviceid"] == laptop
    signs_in_from(hands, "nothing")
    assert "deviceid" not in again(hands)
    hands.control("POST", "signs_in_from", {"device": "made-up"}, status=400)


def test_an_app_that_kept_version_1_gets_a_v1_token(hands: Hands) -> None:
    hands.control("PATCH", "app/sign-in", {"token_version": 1})
    claims = again(hands)
    assert (claims["ver"], claims["aud"]) == ("1.0", f"api://{hands.facts['sign_in']['client_id']}")
    assert claims["iss"].startswith("https://sts.windows.net/")


def fault_of(answer: requests.Response) -> str:
    return returned(answer)["error_description"].partition(":")[0]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"scope": "openid api://{client}/.default"}, "AADSTS90009"),
        ({"scope": "openid api://{client}/sign_in_proof"}, "AADSTS90009"),
        ({"scope": "openid {client}/.default https://graph.microsoft.com/.default"}, "AADSTS65001"),
        ({"scope": "openid {client}/.default User.Read"}, "AADSTS65001"),
        ({"claims": "{"}, "AADSTS9002313"),
        ({"claims": "[]"}, "AADSTS9002313"),
        ({"claims": '{"id_token":{"deviceid":{"essential":true}}}'}, "AADSTS9002313"),
        ({"claims": '{"access_token":{"deviceid":{"essential":true},"more":null}}'}, "AADSTS9002313"),
        ({"client-request-id": "no-guid"}, "AADSTS9002313"),
    ],
)
def test_what_entra_does_not_take_is_refused_in_its_words(hands: Hands, changed: dict[str, str], code: str) -> None:
    client = hands.facts["sign_in"]["client_id"]
    filled = {name: value.replace("{client}", client) for name, value in changed.items()}
    assert fault_of(hands.authorize(**{"scope": own(hands), **filled})) == code
    assert hands.authorize(scope=own(hands)).status_code == 200


def test_an_app_that_exposes_nothing_gets_no_token_of_its_own(hands: Hands) -> None:
    hands.control("PATCH", "app/sign-in", {"exposes": []})
    assert fault_of(hands.authorize(scope=own(hands))) == "AADSTS650057"


# the log


def log(hands: Hands, oid: str = "", since: str = "2020-01-01T00:00:00Z", **query: str) -> requests.Response:
    wanted = {"$filter": f"userId eq '{oid or hands.person('Mia')['oid']}' and createdDateTime ge {since}", **query}
    return hands.call("GET", f"{hands.facts['graph_url']}/auditLogs/signIns?" + "&".join(f"{k}={v}" for k, v in wanted.items()))


def test_the_log_tells_of_a_sign_in_by_its_correlation_id_some_time_late(hands: Hands) -> None:
    on_the_phone(hands)
    again(hands)
    assert log(hands).json()["value"] == []
    hands.control("POST", "clock", {"advance": 21})
    [line] = log(hands).json()["value"]
    assert (line["correlationId"], line["status"]["errorCode"], line["isInteractive"]) == (ID, 0, True)
    assert line["appId"] == hands.facts["sign_in"]["client_id"]
    assert line["deviceDetail"]["deviceId"] == mias(hands)
    assert line["createdDateTime"].endswith("Z")
    assert log(hands, hands.person("Noah")["oid"]).json()["value"] == []


def test_a_device_that_was_not_proven_has_an_empty_id(hands: Hands) -> None:
    again(hands)
    hands.control("POST", "clock", {"advance": 21})
    assert [line["deviceDetail"]["deviceId"] for line in log(hands).json()["value"]] == [""]


def test_it_comes_in_pages_newest_first(hands: Hands) -> None:
    hands.control("PATCH", "lags", {"page_size": 1, "sign_in_lag": 0})
    for _ in range(_PER_PAGE + 2):
        hands.control("POST", "phone/mia/act", {"action": "open_outlook"})
        hands.control("POST", "clock", {"advance": 2})
    first = log(hands).json()
    second = hands.call("GET", first["@odata.nextLink"]).json()
    times = [line["createdDateTime"] for page in (first, second) for line in page["value"]]
    assert [len(page["value"]) for page in (first, second)] == [_PER_PAGE, 2]
    assert times == sorted(times, reverse=True)
    assert urlsplit(first["@odata.nextLink"]).path == urlsplit(hands.facts["graph_url"]).path + "/auditLogs/signIns"


def test_without_the_permission_it_answers_in_the_logs_own_words(hands: Hands) -> None:
    graph = hands.facts["service"]["permissions"]
    fewer = {resource: [role for role in roles if role != "AuditLog.Read.All"] for resource, roles in graph.items()}
    hands.control("PATCH", "app/service", {"permissions": fewer})
    answer = log(hands)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "Authentication_MSGraphPermissionMissing")


@pytest.mark.parametrize("query", ["$filter=correlationId eq 'x'", "$filter=userId eq 'x'", "$orderby=id", "$top=5000"])
def test_what_the_stand_in_does_not_know_is_never_ignored(hands: Hands, query: str) -> None:
    hands.control("POST", "phone/mia/act", {"action": "open_outlook"})
    hands.control("POST", "clock", {"advance": 21})
    answer = hands.call("GET", f"{hands.facts['graph_url']}/auditLogs/signIns?{query}")
    assert answer.status_code == 400
