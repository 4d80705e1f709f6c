"""Messages of an MDM connection arrive: the fact that most tests begin from, as a row. How it comes about is tested apart."""

import secrets
from datetime import UTC, datetime

import sqlalchemy as sa

from remediation.domain.device import Platform
from remediation.domain.message_test import LASTS
from remediation.domain.pilot import Down, PilotState, PilotStep
from remediation.ports import Actor, Store
from remediation.services.prove_possession import token_hash
from remediation.store.engine import writing
from remediation.store.tables import message_tests, pilots
from remediation.store.upsert import insert_or_update

LONG_AGO = datetime(2026, 1, 5, 9, tzinfo=UTC)


def asked(store: Store, now: datetime, connection: str = "ws1") -> str:
    """A test message as `remediation doctor possession` leaves it; returns the token in its link."""
    token = secrets.token_urlsafe(32)
    with store.change(Actor("operator", "root"), "message_test.asked", about=("connection", connection), at=now) as change:
        change.ask_for_message_test(connection, token_hash=token_hash(token), asked_by="root", expires_at=now + LASTS)
        change.message_test_sent(token_hash(token))
    return token


def messages_arrive(engine: sa.Engine, tenant_id: str, connection: str = "ws1") -> None:
    times = dict.fromkeys(("asked_at", "expires_at", "sent_at", "seen_at", "proven_at"), LONG_AGO)
    row = {"tenant_id": tenant_id, "connection": connection, "asked_by": "root", "token_hash": f"of-long-ago-{connection}", **times}
    with writing(engine) as opened:
        insert_or_update(opened, message_tests, row)


def never_arrived(engine: sa.Engine) -> None:
    """As in a tenant where nobody has tested anything yet."""
    with writing(engine) as opened:
        opened.execute(sa.delete(message_tests))


def pilots_proved(engine: sa.Engine, tenant_id: str, channel: str = "intune_partner") -> None:
    """A pilot device of each platform proved the channel long ago."""
    times = dict.fromkeys(("step_at", "until", "started_at", "compliant_at", "not_compliant_at", "again_at", "ended_at"), LONG_AGO)
    words = {"channel": channel, "connection": "ws1", "link_id": "of-long-ago", "started_by": "root", "down": Down.PUSH}
    stands = {"step": PilotStep.AGAIN, "state": PilotState.PROVEN}
    rows = [{"tenant_id": tenant_id, "id": one.value, "platform": one, **words, **stands, **times} for one in Platform]
    with writing(engine) as opened:
        opened.execute(sa.insert(pilots), rows)
