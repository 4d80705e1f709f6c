"""The part of a change that is about test messages: one row for each MDM connection. Next door: `change_journeys`."""

from datetime import datetime

import sqlalchemy as sa

from ..errors import MessageTestRefused
from .open_change import OpenChange
from .tables import message_tests
from .upsert import insert_or_update


class MessageTestChanges(OpenChange):
    def ask_for_message_test(self, connection: str, *, token_hash: str, asked_by: str, expires_at: datetime) -> None:
        newest = {"token_hash": token_hash, "asked_by": asked_by, "asked_at": self.at, "expires_at": expires_at}
        values = {"tenant_id": self.tenant_id, "connection": connection, **newest, "sent_at": None, "seen_at": None}
        insert_or_update(self.connection, message_tests, values)

    def message_test_sent(self, token_hash: str) -> None:
        self.set_one(sa.update(message_tests).where(self._of(token_hash)).values(sent_at=self.at), "message_test_sent")

    def message_seen(self, token_hash: str) -> str:
        """The refusals are in the UPDATE's own conditions, so that of many taps at once one counts."""
        test = message_tests.c
        connection = self.connection.execute(
            sa.update(message_tests)
            .where(self._of(token_hash), test.seen_at.is_(None), test.expires_at > self.at)
            .values(seen_at=self.at, proven_at=self.at)
            .returning(test.connection)
        ).scalar_one_or_none()
        if connection is None:
            seen_at = self.connection.execute(sa.select(test.seen_at).where(self._of(token_hash))).one_or_none()
            self.refuse(MessageTestRefused("unknown" if seen_at is None else "used" if seen_at[0] else "too_late"))
        return str(connection)

    def _of(self, token_hash: str) -> sa.ColumnElement[bool]:
        return self.mine(message_tests, token_hash=token_hash)
