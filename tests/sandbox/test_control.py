"""The control port, the faults, the ledger, and Conditional Access as the phone meets it."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from werkzeug.test import Client

from sandbox.faults import ConnectionClosed, Fault
from sandbox.scenarios import SCENARIOS
from sandbox.server import Sandbox, SandboxConfig, create_sandbox
from tests.sandbox.conftest import Hands


def outlook(hands: Hands, phone: str = "mia") -> dict[str, object]:
    shown: dict[str, object] = hands.control("POST", f"phone/{phone}/act", {"action": "open_outlook"})
    return shown


def mias_device(hands: Hands) -> str:
    phones = hands.control("GET", "facts")["phones"]
    return str(next(phone["device_id"] for phone in phones if phone["key"] == "mia"))


# Conditional Access


@pytest.mark.parametrize(
    ("scenario", "opens", "code", "state", "button"),
    [
        ("blocked_just_registered", False, 530003, "Registered", "Continue"),
        ("blocked_unregistered", False, 530003, "Unregistered", "Continue"),
        ("not_compliant", False, 530003, "Registered", "Continue"),
        ("already_fine", True, None, "Compliant", None),
    ],
)
def test_each_scenario_begins_with_its_own_outlook(
    hands: Hands, scenario: str, opens: bool, code: int | None, state: str, button: str | None
) -> None:
    assert hands.control("POST", "scenario", {"name": scenario})["scenario"] == scenario
    shown = outlook(hands)
    assert (shown["opens"], shown["code"], shown["device_state"], shown["button"]) == (opens, code, state, button)
    assert (shown["device_identifier"] == "Not available") is (scenario == "blocked_unregistered")
    assert {"request_id", "correlation_id", "at", "app", "app_id", "device_platform"} <= set(shown)


@pytest.mark.parametrize(
    ("change", "kind", "code"),
    [
        ({"enabled": False}, "disabled", 135011),
        ({"deleted": True}, "deleted", 700003),
        ({"owner_oid": "another"}, "foreign", 501312),
        ({"is_compliant": False}, "not_compliant", 53000),
        ({"is_compliant": None, "is_managed": None}, "unmanaged", 530003),
        ({"is_compliant": None}, "not_compliant", 53000),
    ],
)
def test_any_missing_condition_keeps_outlook_shut(hands: Hands, change: dict[str, object], kind: str, code: int) -> None:
    hands.control("POST", "scenario", {"name": "already_fine"})
    assert outlook(hands)["opens"] is True
    hands.control("PATCH", f"device/{mias_device(hands)}", change)
    shown = outlook(hands)
    assert (shown["opens"], shown["kind"], shown["code"]) == (False, kind, code)
    log = hands.control("GET", "world")["sign_ins"]
    assert [entry["conditionalAccessStatus"] for entry in log] == ["success", "failure"]
    assert log[1]["status"]["errorCode"] == code


def test_check_compliance_leads_to_the_remediation_address(hands: Hands) -> None:
    hands.control("POST", "product", {"remediation_url": "https://help.example/fix"})
    hands.control("PATCH", f"device/{mias_device(hands)}", {"is_managed": True, "is_compliant": False})
    shown = outlook(hands)
    assert (shown["button"], shown["url"]) == ("Check Compliance", "https://help.example/fix")


# scenarios and the phone


def test_a_scenario_begins_anew_and_forgets_faults_and_ledger(hands: Hands) -> None:
    before = hands.facts
    hands.graph("GET", "devices")
    hands.control("POST", "faults", {"service": "graph", "kind": "html"})
    hands.control("POST", "phone/mia/act", {"action": "set", "passcode": False})
    hands.control("POST", "clock", {"advance": 3600})
    after = hands.control("POST", "scenario", {"name": before["scenario"]})
    for stable in ("tenant_id", "service", "sign_in", "persons", "workspace_one"):
        assert after[stable] == before[stable]
    assert hands.control("GET", "faults") == {"faults": []}
    assert hands.control("GET", "ledger") == {"requests": []}
    assert all(phone["health"]["passcode"] for phone in after["phones"])


def test_the_record_knows_only_what_was_last_reported(hands: Hands) -> None:
    def status() -> tuple[str, list[str]]:
        record = hands.control("GET", "world")["records"][0]
        return record["compliance_status"], record["failing"]

    hands.control("POST", "phone/mia/act", {"action": "set", "passcode": False, "jailbroken": True})
    assert status() == ("Compliant", [])
    hands.control("POST", "phone/mia/act", {"action": "check_in"})
    assert status() == ("NonCompliant", ["Passcode required", "Not jailbroken"])


def test_registering_twice_is_one_device(hands: Hands) -> None:
    hands.control("POST", "scenario", {"name": "blocked_unregistered"})
    ids = {hands.control("POST", "phone/mia/act", {"action": "register"})["device_id"] for _ in range(2)}
    assert len(ids) == 1


def test_a_message_can_be_tapped(hands: Hands, sandbox: Sandbox) -> None:
    record = sandbox.world.phones["mia"].record_id
    assert sandbox.world.message(record or 0, "Hub", "Open http://localhost:8000/p/abc. It ends soon.")
    tapped = hands.control("POST", "phone/mia/act", {"action": "tap_message"})
    assert tapped["links"] == ["http://localhost:8000/p/abc"]
    assert not sandbox.world.message(999, "Hub", "to nobody")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("scenario", {"name": "no such"}),
        ("scenario", {"nam": "already_fine"}),
        ("scenario", ["already_fine"]),
        ("faults", {"service": "graph", "kind": "sleepy"}),
        ("faults", {"service": "nothing", "kind": "down"}),
        ("id_token", {"fault": "no such"}),
        ("clock", {"advance": "much"}),
        ("phone/nobody/act", {"action": "register"}),
        ("phone/mia/act", {"action": "dance"}),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(hands: Hands, path: str, body: object) -> None:
    assert hands.control("POST", path, body, status=400)["error"]


def test_another_site_s_page_cannot_steer(hands: Hands) -> None:
    url = f"{hands.facts['pages_url']}/control/faults"
    order = json.dumps({"service": "graph", "kind": "down"})
    plain = hands.browser.post(url, data=order, headers={"Content-Type": "text/plain"}, timeout=10)
    assert plain.status_code == 415
    for header in ({"Sec-Fetch-Site": "cross-site"}, {"Host": "rebound.example"}):
        assert hands.browser.delete(url, headers=header, timeout=10).status_code == 403
    assert hands.control("GET", "scenarios") == {"scenarios": list(SCENARIOS), "current": "blocked_just_registered"}


# faults


def fault(hands: Hands, kind: str, service: str = "graph", **more: object) -> None:
    hands.control("POST", "faults", {"service": service, "kind": kind, **more})


def test_down_is_a_closed_connection_and_clears(hands: Hands) -> None:
    hands.app_token()
    fault(hands, "down")
    with pytest.raises(requests.ConnectionError):
        hands.graph("GET", "devices")
    hands.control("DELETE", "faults")
    assert hands.graph("GET", "devices").status_code == 200


def test_in_process_callers_meet_down_as_an_exception(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("graph", "down"))
    with pytest.raises(ConnectionClosed):
        Client(sandbox.api).get("/graph/v1.0/devices")


def test_a_dropped_answer_was_performed(hands: Hands) -> None:
    laptop = next(d for d in hands.control("GET", "world")["devices"] if d["os"] == "Windows")
    hands.control(
        "PATCH",
        "app/service",
        {"permissions": {"00000003-0000-0000-c000-000000000000": ["Device.ReadWrite.All"]}, "approved_mdm": True},
    )
    fault(hands, "drop_answer", method="PATCH")
    with pytest.raises(requests.ConnectionError):
        hands.graph("PATCH", f"devices/{laptop['object_id']}", {"isCompliant": False})
    hands.control("POST", "clock", {"advance": 5})
    assert hands.graph("GET", f"devices/{laptop['object_id']}").json()["isCompliant"] is False


def test_half_an_answer_a_web_page_and_a_flood(hands: Hands) -> None:
    fault(hands, "garbled", times=1)
    garbled = hands.graph("GET", "devices")
    assert garbled.status_code == 200
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        garbled.json()
    fault(hands, "html", times=1)
    page = hands.graph("GET", "devices")
    assert (page.status_code, page.headers["Content-Type"].split(";")[0]) == (200, "text/html")
    fault(hands, "huge", times=1)
    assert len(hands.graph("GET", "devices").content) > 10_000_000


def test_slow_waits_first(hands: Hands) -> None:
    hands.app_token()
    hands.graph("GET", "devices")
    fault(hands, "slow", seconds=0.3, times=1)
    began = time.monotonic()
    assert hands.graph("GET", "devices").status_code == 200
    assert time.monotonic() - began > 0.3


def test_the_first_call_of_each_fresh_token_can_be_refused(hands: Hands) -> None:
    fault(hands, "first_401")
    first, second = hands.app_token(), hands.app_token()
    assert [hands.graph("GET", "devices", token=token).status_code for token in (first, first, second, first)] == [
        401,
        200,
        401,
        200,
    ]


def test_a_fault_can_be_kept_to_one_path_and_a_number_of_calls(hands: Hands) -> None:
    fault(hands, "server_error", path="/users/", status=500, times=2)
    mia = hands.person("Mia")["oid"]
    assert hands.graph("GET", "devices").status_code == 200
    assert [hands.graph("GET", f"users/{mia}").status_code for _ in range(3)] == [500, 500, 200]


# ledger and transport


def test_the_ledger_has_every_request_in_order_with_its_secrets_masked(hands: Hands) -> None:
    hands.redeem(hands.sign_in())
    hands.graph("GET", "devices?$select=id", **{"client-request-id": "c-1"})
    hands.graph("GET", f"users/{hands.person('Mia')['oid']}")
    entries = hands.control("GET", "ledger")["requests"]
    assert [(e["service"], e["method"], e["status"]) for e in entries] == [
        ("entra", "GET", 200),
        ("entra", "POST", 302),
        ("entra", "POST", 200),
        ("entra", "POST", 200),
        ("graph", "GET", 200),
        ("graph", "GET", 200),
    ]
    assert [e["seq"] for e in entries] == sorted(e["seq"] for e in entries)
    graph = entries[4]
    assert graph["query"] == {"$select": "id"}
    assert (graph["headers"]["Client-Request-Id"], graph["headers"]["Authorization"]) == ("c-1", "Bearer")
    assert (graph["client_id"], graph["tenant"]) == (hands.facts["service"]["client_id"], hands.facts["tenant_id"])
    written = json.dumps(entries)
    for secret in (hands.facts["service"]["client_secret"], hands.facts["sign_in"]["client_secret"], "a-verifier", "gAAAAA"):
        assert secret not in written
    since = hands.control("GET", f"ledger?service=graph&since={graph['seq']}")["requests"]
    assert [e["seq"] for e in since] == [entries[5]["seq"]]


def test_connections_are_kept_and_stopping_hangs_up(tmp_path_factory: pytest.TempPathFactory) -> None:
    other = create_sandbox(SandboxConfig(ca_folder=tmp_path_factory.mktemp("ca")))
    other.start(api_port=0, pages_port=0)
    hands = Hands(other)
    assert hands.graph("GET", "devices").status_code == 200
    assert hands.graph("GET", "devices").headers.get("Connection") != "close"
    other.stop()
    with pytest.raises(requests.ConnectionError):
        hands.graph("GET", "devices")
    hands.close()


def test_the_certificate_is_of_the_sandbox_s_own_authority(hands: Hands) -> None:
    session = requests.Session()
    session.trust_env = False
    with pytest.raises(requests.exceptions.SSLError):
        session.get(hands.facts["discovery_url"], timeout=10)
    session.close()


def test_a_connection_that_never_shakes_hands_stops_nobody(hands: Hands) -> None:
    port = int(hands.facts["api_url"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        assert hands.graph("GET", "devices").status_code == 200


def test_a_body_of_unknown_length_is_refused(hands: Hands) -> None:
    answer = hands.api.post(f"{hands.facts['authority']}/oauth2/v2.0/token", data=iter([b"grant_type=x"]), timeout=10)
    assert answer.status_code == 411


def test_one_code_presented_by_many_at_once_works_once(hands: Hands) -> None:
    code = hands.sign_in()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: hands.redeem(code).status_code, range(8)))
    assert sorted(answers) == [200] + [400] * 7


def test_pages_can_be_made_larger(hands: Hands) -> None:
    assert hands.control("PATCH", "lags", {"page_size": 50.0})["page_size"] == 50
    assert "@odata.nextLink" not in hands.graph("GET", "devices").json()


def test_the_manners_of_events_are_switched_and_tell_what_they_are(hands: Hands) -> None:
    told = hands.control("PATCH", "events", {"spaces": False, "digits": 5})
    assert (told["manners"]["spaces"], told["manners"]["digits"]) == (False, 5)
    hands.control("PATCH", "events", {"digits": "five"}, status=400)
    hands.control("PATCH", "events", {"unheard": 1}, status=400)
    assert hands.control("POST", "events/test", {}) == {"statuses": []}
    hands.control("POST", "scenario", {"name": "not_compliant"})
    assert hands.control("GET", "events")["manners"]["digits"] == 7
