"""Each adapter over a real socket with the sandbox's faults on: paging, throttling, tokens, slowness; and what the log tells."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture
from werkzeug.wrappers import Request, Response

from remediation.adapters import graph, workspace_one_sign_in
from remediation.adapters.http import Remote, Timeouts
from remediation.adapters.intune_partner import IntunePartnerChannel, vendor_code
from remediation.errors import Busy, Garbled, Refused, RemoteError, Unreachable
from sandbox.faults import Fault
from tests.adapters.certificates import self_signed
from tests.adapters.conftest import Server
from tests.conformance.test_channel import report
from tests.remotes import Remotes


def tokens_asked_for(remotes: Remotes, path: str) -> int:
    return sum(path in entry.path and entry.method == "POST" for entry in remotes.sandbox.ledger.since(0))


def test_the_whole_of_it_over_tls(remotes: Remotes) -> None:
    assert len(remotes.directory.devices_of(remotes.person().oid)) == 3
    [device] = remotes.mdm.devices_of(remotes.person()).devices
    remotes.mdm.refresh(device.key.record_id)
    remotes.mdm.message(device.key.record_id, "Tap here")
    remotes.mdm.note_link(device.key.record_id, remotes.device_id)
    remotes.channel.send(report(remotes))
    remotes.later(10)
    assert remotes.channel.observe(remotes.device_id).compliant is True


@pytest.mark.parametrize("service", ["graph", "workspace_one"])
def test_slow_remotes_are_given_up(remotes: Remotes, service: str) -> None:
    remotes.directory.person(remotes.person().oid)
    remotes.mdm.device(str(remotes.record.id))
    remotes.sandbox.faults.add(Fault(service, "slow", seconds=1.0, times=1))
    with pytest.raises(Unreachable, match="in time"):
        remotes.directory.person(remotes.person().oid) if service == "graph" else remotes.mdm.device(str(remotes.record.id))


def test_a_token_that_ran_out_is_renewed_once(remotes: Remotes) -> None:
    remotes.directory.person(remotes.person().oid)
    remotes.mdm.device(str(remotes.record.id))
    remotes.later(2 * 3600)  # the sandbox's clock alone: MSAL goes by the machine's and offers the old token once more
    remotes.directory.person(remotes.person().oid)
    remotes.mdm.device(str(remotes.record.id))
    assert tokens_asked_for(remotes, "oauth2/v2.0/token") == 2
    assert tokens_asked_for(remotes, "connect/token") == 2


def test_a_token_that_is_refused_for_good_is_asked_for_twice(server: Server, remotes: Remotes) -> None:
    denied = json.dumps({"error": {"code": "InvalidAuthenticationToken"}})
    server.answer = lambda _: Response(denied, 401, content_type="application/json")
    credential = remotes.tokens.scope(remotes.facts["graph_scope"], remote="directory")
    directory = graph.GraphDirectory(server.remote(credential=credential), now=remotes.sandbox.world.now)
    with pytest.raises(Refused) as raised:
        directory.person(remotes.person().oid)
    assert raised.value.vendor_code == "InvalidAuthenticationToken"
    first, second = (request.headers["Authorization"] for request in server.asked)
    assert first != second


def test_workspace_one_is_asked_for_a_new_token_early(remotes: Remotes) -> None:
    remotes.mdm.device(str(remotes.record.id))
    remotes.later(3600 - 301)
    remotes.mdm.device(str(remotes.record.id))
    assert tokens_asked_for(remotes, "connect/token") == 1
    remotes.later(2)
    remotes.mdm.device(str(remotes.record.id))
    assert tokens_asked_for(remotes, "connect/token") == 2


@pytest.mark.parametrize("expires_in", [None, "soon", -5, 0, {"a": 1}, True, "9" * 40])
def test_an_odd_lifetime_is_short(server: Server, remotes: Remotes, expires_in: object) -> None:
    body = json.dumps({"access_token": "abc", "expires_in": expires_in})
    server.answer = lambda _: Response(body, content_type="application/json")
    client = workspace_one_sign_in.OAuthClient(server.remote(), client_id="c", secret="s", now=remotes.sandbox.world.now)
    assert client.headers() == {"Authorization": "Bearer abc"}
    remotes.later(61)
    client.headers()
    assert len(server.asked) == 2


@pytest.mark.parametrize("token", [None, 5, "", "a\r\nX-Evil: 1", "a\u2028"])
def test_an_odd_token_is_garbled(server: Server, remotes: Remotes, token: object) -> None:
    body = json.dumps({"access_token": token, "expires_in": 3600})
    server.answer = lambda _: Response(body, content_type="application/json")
    client = workspace_one_sign_in.OAuthClient(server.remote(), client_id="c", secret="s", now=remotes.sandbox.world.now)
    with pytest.raises(Garbled):
        client.headers()


@pytest.mark.parametrize("times", [1, 100])
def test_pages_are_followed_and_never_without_end(server: Server, remotes: Remotes, times: int) -> None:
    mia = remotes.directory.devices_of(remotes.person().oid)[0]

    def page(request: Request) -> Response:
        number = int(request.args.get("page", 0))
        member = {"id": mia.object_id, "deviceId": mia.device_id, "accountEnabled": True}
        more = {"@odata.nextLink": f"{server.origin}/x?page={number + 1}"} if number < times or times == 100 else {}
        return Response(json.dumps({"value": [member], **more}), content_type="application/json")

    server.answer = page
    directory = graph.GraphDirectory(server.remote(), now=remotes.sandbox.world.now)
    if times == 1:
        assert len(directory.devices_of(remotes.person().oid)) == 2
    else:
        with pytest.raises(Garbled, match="without end"):
            directory.devices_of(remotes.person().oid)


def test_a_next_link_to_another_host_gets_no_token(server: Server, elsewhere: Server, remotes: Remotes) -> None:
    body = json.dumps({"value": [], "@odata.nextLink": f"{elsewhere.origin}/v1.0/more"})
    server.answer = lambda _: Response(body, content_type="application/json")
    credential = remotes.tokens.scope(remotes.facts["graph_scope"], remote="directory")
    directory = graph.GraphDirectory(server.remote(credential=credential), now=remotes.sandbox.world.now)
    with pytest.raises(Garbled, match="another host"):
        directory.devices_of(remotes.person().oid)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"ErrorCode": 4711, "ErrorDetail": "no"}, "4711"),
        ({"ErrorCode": "TenantNotFound"}, "TenantNotFound"),
        ({"HttpStatusCode": 500}, "500"),
        ({"MessageErrors": [{"x": 1}]}, "MessageErrors"),
    ],
)
def test_an_error_inside_a_good_answer(server: Server, remotes: Remotes, body: dict[str, Any], code: str) -> None:
    answers = _partner(server)
    answers["DataUploadMessages"] = body
    channel = _channel(server, remotes)
    with pytest.raises(Refused) as raised:
        channel.send(report(remotes))
    assert raised.value.vendor_code == code


@pytest.mark.parametrize("body", [None, {}, {"ErrorCode": 0}, {"ErrorCode": "202"}, {"ErrorCode": None, "HttpStatusCode": 200}])
def test_a_good_answer_of_any_form(server: Server, remotes: Remotes, body: dict[str, Any] | None) -> None:
    answers = _partner(server)
    answers["DataUploadMessages"] = body
    _channel(server, remotes).send(report(remotes))


def test_a_tenant_without_the_partner_service_is_told_so(server: Server, remotes: Remotes) -> None:
    answers = _partner(server)
    answers["endpoints"] = {"value": []}
    with pytest.raises(Refused) as raised:
        _channel(server, remotes).carried("3f0c5a6e-8c57-4f0a-9b0b-3d2f5a7a9d11")
    assert raised.value.vendor_code == "no_partner_service"


@pytest.mark.parametrize("uri", ["http://127.0.0.1/x", "https://evil.example/x", "https://127.0.0.1.evil.example/x", "/x"])
def test_a_discovered_address_elsewhere_is_refused(server: Server, remotes: Remotes, uri: str) -> None:
    answers = _partner(server)
    answers["endpoints"] = {"value": [{"providerName": "PartnerDeviceDataSyncService", "uri": uri}]}
    with pytest.raises((Refused, Garbled)):
        _channel(server, remotes).send(report(remotes))
    assert all("DataUpload" not in request.path for request in server.asked)


def _partner(server: Server) -> dict[str, Any]:
    """Graph's discovery and the partner service on one server; the last part of a path chooses the answer."""
    answers: dict[str, Any] = {
        "servicePrincipals": {"value": [{"id": "11111111-1111-4111-8111-111111111111"}]},
        "endpoints": {"value": [{"providerName": "partnerDEVICEdatasyncservice", "uri": f"{server.origin}/region/"}]},
    }

    def answer(request: Request) -> Response:
        body = answers[request.path.rpartition("/")[2].partition("(")[0]]
        return Response(json.dumps(body), content_type="application/json") if body is not None else Response(status=202)

    server.answer = answer
    return answers


def _channel(server: Server, remotes: Remotes) -> IntunePartnerChannel:
    return IntunePartnerChannel(
        tenant_id=remotes.facts["tenant_id"],
        graph=server.remote(),
        connect=lambda base: _at(server, base),
        directory=remotes.directory,
        now=remotes.sandbox.world.now,
        hosts=["127.0.0.1"],
        sleep=remotes.sleeps.append,
    )


def _at(server: Server, base: str) -> Remote:
    return Remote("channel", base, vendor_code=vendor_code, ca=server.ca, timeouts=Timeouts(2, 0.5, 2))


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    """All that adapters log."""
    before, capture = structlog.get_config(), LogCapture()
    structlog.configure(processors=[capture], wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))
    yield capture.entries
    structlog.configure(**before)


def test_the_log_tells_the_call_and_no_secret(remotes: Remotes, lines: list[Any], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "urllib3")  # at DEBUG it would write whole queries
    test_the_whole_of_it_over_tls(remotes)
    secrets = [remotes.facts[of]["client_secret"] for of in ("service", "workspace_one")]
    secrets += [remotes.tokens.token(remotes.facts[scope]) for scope in ("graph_scope", "intune_scope")]
    for service in ("graph", "intune", "workspace_one", "entra"):
        for kind in ("garbled", "html", "throttle", "down"):
            remotes.sandbox.faults.add(Fault(service, kind))
            fresh = Remotes(remotes.sandbox, over_tls=True, timeouts=Timeouts(2, 0.5, 2))
            with suppress(RemoteError):
                fresh.mdm.devices_of(fresh.person())
            with suppress(RemoteError):
                fresh.channel.send(report(fresh))
            remotes.sandbox.faults.clear()
    told = json.dumps(lines) + caplog.text
    for secret in (*secrets, "Tap here", "mia.berger", "$select"):
        assert secret not in told, secret
    keys = {"remote", "method", "host", "path", "status", "outcome", "vendor_code", "client_request_id", "request_id", "ms"}
    assert all(keys <= set(line) for line in lines)
    assert {line["outcome"] for line in lines} >= {"ok", "busy", "garbled", "unreachable"}


class TestEntra:
    def test_one_call_for_many(self, remotes: Remotes) -> None:
        threads = [threading.Thread(target=remotes.directory.person, args=(remotes.person().oid,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert tokens_asked_for(remotes, "oauth2/v2.0/token") == 1

    def test_a_wrong_secret_is_named_and_not_hammered(self, sandbox: Any) -> None:
        remotes = Remotes(sandbox, over_tls=True, secret="wrong")
        for _ in range(3):
            with pytest.raises(Refused) as raised:
                remotes.directory.person(remotes.person().oid)
            assert raised.value.vendor_code == "AADSTS7000215"
            assert raised.value.remote == "directory"
        assert tokens_asked_for(remotes, "oauth2/v2.0/token") == 1
        remotes.moment += 61
        with pytest.raises(Refused):
            remotes.directory.person(remotes.person().oid)
        assert tokens_asked_for(remotes, "oauth2/v2.0/token") == 2

    def test_throttled_it_waits_as_long_as_it_was_told(self, remotes: Remotes) -> None:
        remotes.sandbox.faults.add(Fault("entra", "throttle", times=1, retry_after=20, path="token"))
        for _ in range(3):
            with pytest.raises(Busy) as raised:
                remotes.directory.person(remotes.person().oid)
            assert raised.value.retry_after == 20
        assert tokens_asked_for(remotes, "oauth2/v2.0/token") == 1
        remotes.moment += 20
        remotes.directory.person(remotes.person().oid)

    def test_an_unknown_app_is_refused_by_name(self, sandbox: Any) -> None:
        sandbox.world.apps["service"].client_id = "99999999-9999-4999-8999-999999999999"
        remotes = Remotes(sandbox, over_tls=True)
        sandbox.world.apps["service"].client_id = "88888888-8888-4888-8888-888888888888"
        with pytest.raises(Refused) as raised:
            remotes.directory.person(remotes.person().oid)
        assert raised.value.vendor_code == "AADSTS700016"

    def test_a_certificate_does_as_well_as_a_secret(self, sandbox: Any, tmp_path: Path) -> None:
        key, certificate = self_signed()
        sandbox.world.apps["service"].certificates = (certificate,)
        remotes = Remotes(sandbox, over_tls=True, secret={"private_key": key, "public_certificate": certificate})
        assert remotes.directory.person(remotes.person().oid).name == "Mia Berger"
