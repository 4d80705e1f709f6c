"""Every unkindness over the wire: listings that lie, answers that are none, limits, clocks, tokens, an hour of silence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from tests.sandbox.conftest import Hands
from tests.sandbox.test_scenarios import act, begin, claims, devices, mia_in_graph, records, ws1


def fault(hands: Hands, kind: str, service: str, **more: object) -> dict[str, Any]:
    answer: dict[str, Any] = hands.control("POST", "faults", {"service": service, "kind": kind, **more})
    return answer


def me(hands: Hands) -> requests.Response:
    return hands.graph("GET", mia_in_graph(hands))


def test_records_are_missing_from_listings_and_there_by_their_id(hands: Hands) -> None:
    begin(hands, "blocked_just_registered")
    (device,) = devices(hands)
    (record,) = records(hands)
    fault(hands, "unlisted", "graph", path="registeredDevices")
    fault(hands, "unlisted", "workspace_one", times=1)
    assert devices(hands) == []
    assert hands.graph("GET", f"devices/{device['id']}").status_code == 200
    assert hands.graph("GET", "devices").json()["value"] != []
    assert ws1(hands, "mdm/devices/search", user="mia").status_code == 204
    assert ws1(hands, f"mdm/devices/{record['Id']['Value']}").status_code == 200
    assert len(records(hands)) == 1
    hands.control("DELETE", "faults")
    fault(hands, "unlisted", "graph")
    assert hands.graph("GET", "devices").json()["value"] == []


def test_a_registration_is_listed_late(hands: Hands) -> None:
    begin(hands, "blocked_unregistered")
    hands.control("PATCH", "lags", {"registration_lag": 60})
    act(hands, "register")
    assert devices(hands) == []
    hands.control("POST", "clock", {"advance": 61})
    assert len(devices(hands)) == 1


def test_nothing_is_204_without_a_body(hands: Hands) -> None:
    answer = ws1(hands, "mdm/devices/search", user="nobody")
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("service", ["graph", "workspace_one", "intune", "entra"])
@pytest.mark.parametrize("kind", ["garbled", "html", "huge"])
def test_answers_that_are_none(hands: Hands, service: str, kind: str) -> None:
    call = _call(hands, service)
    whole = call()
    fault(hands, kind, service)
    answer = call()
    assert answer.status_code == 200
    if kind == "huge":
        assert len(answer.content) > 10_000_000
        return
    if kind == "garbled":
        assert answer.content == whole.content[: len(answer.content)] or service == "workspace_one"  # its token differs
        assert abs(len(answer.content) - len(whole.content) // 2) <= 2
    else:
        assert answer.headers["Content-Type"] == "text/html"
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def _call(hands: Hands, service: str) -> Any:
    """One harmless call of a service, its token already in hand."""
    mdm, facts = hands.facts["workspace_one"], hands.facts
    if service == "entra":
        return lambda: hands.api.get(facts["discovery_url"], timeout=10)
    if service == "workspace_one":
        form = {"grant_type": "client_credentials", "client_id": mdm["client_id"], "client_secret": mdm["client_secret"]}
        return lambda: hands.api.post(mdm["token_url"], data=form, timeout=10)
    if service == "graph":
        return lambda: me(hands)
    address = hands.graph("GET", "servicePrincipals/appId=0000000a-0000-0000-c000-000000000000/endpoints").json()["value"]
    url = next(found["uri"] for found in address if found["providerName"] == "PartnerTenantDataSyncService")
    return lambda: hands.call("GET", f"{url}/PartnerCompliancePolicies?api-version=1.6")


@pytest.mark.parametrize("service", ["graph", "workspace_one", "intune", "entra"])
@pytest.mark.parametrize("after", [None, 7])
def test_too_many_with_and_without_a_word_when_to_come_again(hands: Hands, service: str, after: int | None) -> None:
    call = _call(hands, service)
    call()
    fault(hands, "throttle", service, times=1, **({} if after is None else {"retry_after": after}))
    answer = call()
    assert (answer.status_code, answer.headers.get("Retry-After")) == (429, None if after is None else "7")
    assert call().status_code == 200


@pytest.mark.parametrize("skew", [-420, 0, 900])
def test_clocks_that_are_wrong_show_in_dates_and_tokens(hands: Hands, skew: int) -> None:
    world = hands.control("POST", "clock", {"skew": skew})
    off = datetime.fromisoformat(world["remote_now"]) - datetime.fromisoformat(world["now"])
    assert abs(off - timedelta(seconds=skew)) < timedelta(seconds=1)
    for answer in (me(hands), hands.api.get(hands.facts["discovery_url"], timeout=10), ws1(hands, "mdm/devices/search")):
        shown = parsedate_to_datetime(answer.headers["Date"])
        assert abs(shown - datetime.now(UTC) - timedelta(seconds=skew)) < timedelta(seconds=5)
    issued = claims(hands.redeem(hands.sign_in()).json()["id_token"])
    assert abs(issued["iat"] - datetime.now(UTC).timestamp() - skew) < 5
    assert issued["iat"] == issued["nbf"] < issued["exp"]
    begin(hands, "blocked_just_registered")
    assert abs(parsedate_to_datetime(me(hands).headers["Date"]) - datetime.now(UTC)) < timedelta(seconds=5)


def test_app_tokens_can_end_in_mid_run(hands: Hands) -> None:
    mdm = hands.facts["workspace_one"]
    form = {"grant_type": "client_credentials", "client_id": mdm["client_id"], "client_secret": mdm["client_secret"]}
    held = hands.api.post(mdm["token_url"], data=form, timeout=10).json()["access_token"]
    headers = {"Authorization": f"Bearer {held}", "Accept": "application/json;version=1"}
    policies = _call(hands, "intune")
    assert (me(hands).status_code, policies().status_code) == (200, 200)
    assert hands.control("POST", "expire_tokens") == {"expired": True}
    refused = hands.api.get(f"{mdm['api_url']}/mdm/devices/search", headers=headers, timeout=10)
    assert (refused.status_code, refused.json()["errorCode"]) == (401, 1005)
    assert (me(hands).status_code, policies().status_code) == (401, 401)
    hands._tokens.clear()
    assert (me(hands).status_code, policies().status_code) == (200, 200)
    assert len(records(hands)) == 1


@pytest.mark.parametrize("service", ["graph", "workspace_one", "intune", "entra"])
def test_a_remote_is_down_for_an_hour_of_the_worlds_clock(hands: Hands, service: str) -> None:
    call = _call(hands, service)
    call()
    ordered = fault(hands, "down", service, for_seconds=3600)
    assert ordered["ends_at"] is not None
    with pytest.raises(requests.ConnectionError):
        call()
    hands.control("POST", "clock", {"advance": 3500})
    with pytest.raises(requests.ConnectionError):
        call()
    assert len(hands.control("GET", "faults")["faults"]) == 1
    hands.control("POST", "clock", {"advance": 101})
    hands._tokens.clear()
    assert call().ok
    assert hands.control("GET", "faults")["faults"] == []


@pytest.mark.parametrize("seconds", [0, -1, "an hour", True, 10**10])
def test_a_fault_lasts_a_number_of_seconds(hands: Hands, seconds: object) -> None:
    hands.control("POST", "faults", {"service": "graph", "kind": "down", "for_seconds": seconds}, status=400)
    hands.control("POST", "faults", {"service": "graph", "kind": "down", "ends_at": "2030-01-01"}, status=400)


def test_the_phones_own_glances_stay_out_of_the_ledger(hands: Hands) -> None:
    pages = hands.sandbox.pages_url
    for path in ("/", "/?glance=1", "/phone/outlook?glance=1", "/phone/outlook", "/phone/hub?x=glance=1"):
        hands.browser.get(pages + path, timeout=5)
    seen = [entry["path"] for entry in hands.control("GET", "ledger?service=phone")["requests"]]
    assert seen == ["/", "/phone/outlook", "/phone/hub"]
