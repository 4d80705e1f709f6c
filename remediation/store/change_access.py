"""The part of a change that moves temporary access on (`ports.AccessChanges`): each compares what was seen before it sets.

Two of the staff who press at once see one version, of which one gets the row; the other is Stale and looks again. What nobody may
do, whatever this module holds, is a constraint of the table.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ..domain.access import ASKED_LASTS, State
from ..domain.device import Platform
from ..errors import Conflict, Stale
from .open_change import OpenChange
from .tables import access_requests

_UNDECIDED = (State.ASKED, State.FIRST)


class AccessChanges(OpenChange):
    def ask_for_access(self, request_id: str, *, oid: str, case_code: str, platform: Platform, message: str) -> None:
        row = {"id": request_id, "oid": oid, "case_code": case_code, "platform": platform, "message": message}
        begun = {"asked_at": self.at, "state": State.ASKED, "version": 1, "answer": "", "note": "", "attempts": 0}
        self._lapse(oid)
        try:
            self.connection.execute(sa.insert(access_requests).values(tenant_id=self.tenant_id, **row, **begun))
        except IntegrityError as error:
            self.refuse(Conflict("one request of theirs is open"), error)

    def approve_first(self, request_id: str, version: int, *, by: str, hours: int, answer: str, note: str) -> None:
        said = {"hours": hours, "answer": answer, "note": note}
        self._decide(request_id, version, State.ASKED, state=State.FIRST, first_oid=by, first_at=self.at, **said)

    def approve_second(self, request_id: str, version: int, *, by: str, until: datetime, carry: bool) -> None:
        given = {"until": until, "next_try_at": self.at if carry else None}
        other = access_requests.c.first_oid != by
        self._decide(request_id, version, State.FIRST, other, state=State.APPROVED, second_oid=by, second_at=self.at, **given)

    def deny_access(self, request_id: str, version: int, *, by: str, answer: str, note: str) -> None:
        row = access_requests.c
        known = {"answer": answer, "note": note, "ended_at": self.at}
        self._move(request_id, version, row.state.in_(_UNDECIDED), row.oid != by, state=State.DENIED, **known)

    def want_access_ended(self, request_id: str, version: int, *, by: str, carry: bool) -> None:
        """Where nobody carries it, it is over here at once; whoever pressed is shown how to end it in Entra."""
        row, living = access_requests.c, (State.APPROVED, State.GIVEN)
        values: dict[str, Any] = {"end_wanted_at": self.at, "next_try_at": self.at, "attempts": 0}
        if not carry:
            values = {"end_wanted_at": self.at, "state": State.ENDED, "ended_at": self.at}
        self._move(request_id, version, row.state.in_(living), row.end_wanted_at.is_(None), row.oid != by, **values)

    def move_access(
        self,
        request_id: str,
        version: int,
        *,
        state: State | None = None,
        sent: bool = False,
        reason: str | None = None,
        next_try_at: datetime | None = None,
    ) -> None:
        values: dict[str, Any] = {"reason": reason, "next_try_at": next_try_at}
        if state is not None:
            values["state"] = state
            values["given_at" if state is State.GIVEN else "ended_at"] = self.at
        if sent:
            values["sent_at"] = self.at
        self._move(request_id, version, **values)

    def _decide(self, request_id: str, version: int, before: State, *more: sa.ColumnElement[bool], **values: Any) -> None:
        row = access_requests.c
        by = values.get("second_oid") or values["first_oid"]
        self._move(request_id, version, row.state == before, row.oid != by, row.asked_at > self.at - ASKED_LASTS, *more, **values)

    def _lapse(self, oid: str) -> None:
        """Requests of theirs that nobody decided in time make room for another one."""
        row = access_requests.c
        old = self.mine(access_requests, oid=oid), row.state.in_(_UNDECIDED), row.asked_at <= self.at - ASKED_LASTS
        values = {"state": State.LAPSED, "ended_at": self.at, "version": row.version + 1}
        self.connection.execute(sa.update(access_requests).where(*old).values(**values))

    def _move(self, request_id: str, version: int, *conditions: sa.ColumnElement[bool], **values: Any) -> None:
        this = self.mine(access_requests, id=request_id, version=version)
        statement = sa.update(access_requests).where(this, *conditions).values(version=version + 1, **values)
        try:
            self.set_one(statement, "temporary access")
        except IntegrityError as error:
            self.refuse(Stale("temporary access: the database refuses it"), error)
