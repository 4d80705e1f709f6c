"""Alarms over real sockets: a mail server with STARTTLS, an https taker that answers as it likes, and the file of figures."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture
from werkzeug.wrappers import Response

from remediation import log
from remediation.adapters import alarm_webhook
from remediation.adapters.alarm_log import AlarmLog
from remediation.adapters.mail import AlarmMail, MailServer
from remediation.adapters.metrics_file import MetricsFile
from remediation.errors import Busy, Refused, RemoteError, Unreachable
from remediation.ports import Alarm, Figures, Revoked
from remediation.services.alarms import not_me_alarm
from sandbox.server import Sandbox
from tests.adapters.conftest import Server
from tests.adapters.mail_server import MailServerForTests
from tests.people import NOON

SUBJECT = "No good answer from the MDM connection ws1 for 12 hours"
ALARM = Alarm("mdm:ws1/x/12", "mdm:ws1", 12, NOON, SUBJECT, "Who can act: über\n\nDo.")
Hosting = Callable[..., MailServerForTests]


@pytest.fixture
def hosting(sandbox: Sandbox) -> Iterator[Hosting]:
    servers: list[MailServerForTests] = []

    def begin(**manners: Any) -> MailServerForTests:
        servers.append(MailServerForTests(sandbox.keys.tls(), **manners))
        return servers[-1]

    yield begin
    for server in servers:
        server.stop()


def mail(sandbox: Sandbox, port: int, *, security: str = "starttls", **more: Any) -> AlarmMail:
    server = MailServer("127.0.0.1", port, security, ca=more.pop("ca", sandbox.keys.ca_pem), timeout=1, **more)
    return AlarmMail(server, sender="remediation@contoso.example", to=["it@contoso.example", "duty@contoso.example"])


def test_a_mail_is_given_over_encrypted(sandbox: Sandbox, hosting: Hosting) -> None:
    server = hosting(account=("app", "pa55-planted"))
    sink = mail(sandbox, server.port, user="app", password="pa55-planted")
    sink.tell(ALARM)
    sink.tell(ALARM)
    first, second = server.mails
    assert server.encrypted == [True, True]
    assert first["Subject"] == f"[Remediation] {ALARM.subject}"
    assert first["To"] == "it@contoso.example, duty@contoso.example"
    assert first.get_payload(decode=True).decode().split() == ALARM.text.split()  # type: ignore[union-attr]
    assert first["Message-ID"] == second["Message-ID"], "told again after a crash, it is the same mail"


def test_nothing_is_said_in_the_open(sandbox: Sandbox, hosting: Hosting) -> None:
    plain = hosting(starttls=False)
    with pytest.raises(Unreachable):
        mail(sandbox, plain.port).tell(ALARM)
    stranger = hosting()
    with pytest.raises(Unreachable):
        mail(sandbox, stranger.port, ca=None).tell(ALARM)
    assert plain.mails == stranger.mails == []
    mail(sandbox, plain.port, security="none").tell(ALARM)
    assert len(plain.mails) == 1


@pytest.mark.parametrize("password", ["wrong", None])
def test_a_refusal_is_one_and_names_no_password(sandbox: Sandbox, hosting: Hosting, password: str | None) -> None:
    server = hosting(account=("app", "right"))
    with pytest.raises(Refused) as raised:
        mail(sandbox, server.port, user="app", password=password).tell(ALARM)
    assert "wrong" not in str(raised.value)
    other = hosting()
    other.refuse_recipients = True
    with pytest.raises(Refused):
        mail(sandbox, other.port).tell(ALARM)


def test_a_mail_server_that_is_not_there_or_says_nothing(sandbox: Sandbox) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        with pytest.raises(Unreachable):
            mail(sandbox, port).tell(ALARM)
        silent.listen()
        with pytest.raises(Unreachable):
            mail(sandbox, port).tell(ALARM)


def webhook(server: Server, query: dict[str, str] | None = None) -> alarm_webhook.AlarmWebhook:
    return alarm_webhook.AlarmWebhook(server.remote(vendor_code=alarm_webhook.no_vendor_code), query or {})


@pytest.mark.parametrize("answer", [("ok", 200, "text/plain"), ("", 204, "text/html"), ('{"ok": true}', 200, "application/json")])
def test_a_taker_may_say_ok_as_it_likes(server: Server, answer: tuple[str, int, str]) -> None:
    server.answer = lambda _: Response(answer[0], answer[1], content_type=answer[2])
    webhook(server, {"sig": "k3y/+="}).tell(ALARM)
    [asked] = server.asked
    body = json.loads(asked.get_data())
    assert (body["id"], body["level_hours"], body["source"], body["at"]) == (ALARM.id, 12, "mdm:ws1", NOON.isoformat())
    assert body["text"].startswith(ALARM.subject)
    assert ALARM.text in body["text"]
    assert asked.args["sig"] == "k3y/+="


REFUSALS = [(500, Unreachable), (404, RemoteError), (403, Refused), (429, Busy), (302, RemoteError)]


@pytest.mark.parametrize(("status", "error"), REFUSALS)
def test_what_a_taker_refuses_is_not_told(server: Server, status: int, error: type[RemoteError]) -> None:
    server.answer = lambda _: Response("no", status, content_type="text/plain", headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(error):
        webhook(server).tell(ALARM)
    assert len(server.asked) == 1


def test_T3_what_a_person_says_is_told_like_an_outage_but_for_its_hours(sandbox: Sandbox, hosting: Hosting, server: Server) -> None:
    alarm = not_me_alarm(Revoked("j1", "ABC-DEF", 1), NOON)
    server.answer = lambda _: Response("ok")
    webhook(server).tell(alarm)
    post = hosting()
    mail(sandbox, post.port).tell(alarm)
    body, entry = json.loads(server.asked[0].get_data()), logged(alarm)
    assert (body["level_hours"], entry["level_hours"], entry["log_level"]) == (None, None, "warning")
    assert "ABC-DEF" in str(post.mails[0]["Subject"])
    for words in (body["text"], entry["text"], post.mails[0].get_payload(decode=True).decode()):  # type: ignore[union-attr]
        assert "Who can act: the helpdesk" in words.replace("\n", " ")


def test_an_address_with_a_key_in_it_stands_in_no_log() -> None:
    base, query = alarm_webhook.address("https://hooks.example/services/T0/pl4nted?sig=pl4nted&v=1")
    assert (base, query) == ("https://hooks.example/services/T0/pl4nted", {"sig": "pl4nted", "v": "1"})
    redact = log.Redactor(["https://hooks.example/services/T0/pl4nted?sig=pl4nted&v=1", "/services/T0/pl4nted"])
    told = redact(logging.getLogger(), "info", {"event": "remote.call", "path": "/services/T0/pl4nted"})
    assert "pl4nted" not in str(told)


def logged(alarm: Alarm) -> Any:
    seen, before = LogCapture(), structlog.get_config()
    structlog.configure(processors=[seen])
    try:
        AlarmLog().tell(alarm)
    finally:
        structlog.configure(**before)
    [entry] = seen.entries
    return entry


def test_the_log_has_it_whole() -> None:
    entry = logged(ALARM)
    assert (entry["log_level"], entry["subject"], entry["text"]) == ("warning", ALARM.subject, ALARM.text)


def test_figures_are_a_whole_file_or_none(tmp_path: Path) -> None:
    figures = Figures(
        links={"compliant": 1204, "unknown": 3},
        stuck={("link", "channel_busy"): 7},
        oldest_revocation=12.5,
        leases_ending={"ws1": 40},
        since_good={"mdm:ws1/poll": 95.0},
        well={"mdm:ws1": False, "entra": True},
        since_good_call={"mdm:ws1": 4000.0},
    )
    file = tmp_path / "remediation.prom"
    for _ in range(2):
        MetricsFile(file).write(figures)
    lines = set(file.read_text().splitlines())
    for line in (
        *('remediation_links{verdict="compliant"} 1204.0', 'remediation_stuck{kind="link",reason="channel_busy"} 7.0'),
        *("remediation_oldest_revocation_seconds 12.5", 'remediation_leases_ending_24h{connection="ws1"} 40.0'),
        'remediation_since_good_answer_seconds{watch="mdm:ws1/poll"} 95.0',
        *('remediation_connection_well{connection="mdm:ws1"} 0.0', 'remediation_connection_well{connection="entra"} 1.0'),
        'remediation_connection_since_good_answer_seconds{connection="mdm:ws1"} 4000.0',
    ):
        assert line in lines
    assert [path.name for path in tmp_path.iterdir()] == ["remediation.prom"]
