"""Whom alarms and messages reach and in which words, and where figures are written."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

from . import file_rules as files
from . import rules as rule
from .says import OPERATOR, Group, Says, Secret, Text


class AlarmSettings(Group):
    """The log has each alarm in any case."""

    alarm_webhook: Annotated[
        Secret | None,
        AfterValidator(rule.webhook),
        Says(
            "Where alarms go as JSON, an https address. Secret, since such addresses are. The log has each alarm in any case",
            OPERATOR,
            "https://hooks.contoso.example/services/…",
        ),
    ] = None
    alarm_mail_to: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(rule.split),
        AfterValidator(rule.mail_addresses),
        Says(
            "Who gets alarms by mail, commas between; goes with sender and server",
            OPERATOR,
            "it@contoso.example",
        ),
    ] = ()
    alarm_mail_from: Annotated[
        str | None, AfterValidator(rule.mail_address), Says("The sender of those mails", OPERATOR, "remediation@contoso.example")
    ] = None
    alarm_mail_server: Annotated[
        str | None, AfterValidator(rule.bind), Says("The mail server, host:port", OPERATOR, "smtp.contoso.example:587")
    ] = None
    alarm_mail_security: Annotated[
        Literal["starttls", "tls", "none"],
        Says("`starttls`, `tls` from the first byte (port 465), or `none` for a server on this machine", OPERATOR, "tls"),
    ] = "starttls"
    alarm_mail_user: Annotated[Text | None, Says("Its account, where it wants one", OPERATOR, "remediation")] = None
    alarm_mail_password: Annotated[Secret | None, Says("That account's password", OPERATOR, "a file's path in …_FILE")] = None
    messages_file: Annotated[
        str | None,
        Says(
            "A file with your own words for messages to devices and mails to people (docs/operating.md). Read at the start; see "
            "them first with `remediation messages`",
            OPERATOR,
            "/etc/remediation/messages.toml",
        ),
    ] = None
    worker_metrics: Annotated[
        str | None,
        AfterValidator(rule.listen),
        Says(
            "Where the same figures are told to Prometheus itself: a port of this machine's own, or host:port. Never to be "
            "reachable from outside",
            OPERATOR,
            "9465",
        ),
    ] = None
    metrics_file: Annotated[
        str | None,
        AfterValidator(files.writable_file),
        Says(
            "Write figures for Prometheus here every 30 s, for a textfile collector; of several workers on one host, one is enough",
            OPERATOR,
            "/var/lib/node_exporter/remediation.prom",
        ),
    ] = None
