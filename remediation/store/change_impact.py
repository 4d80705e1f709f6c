"""The part of a change that is about the impact of a policy: begin and stop a count, send start messages in waves, stop them.

One count and one wave go at a time: the key of `slot` lets a second one not in. Next door: `impact`, `waves` (the worker's half).
"""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ..errors import ImpactRefused
from ..ports.impact import Count, StartMessage
from .impact import sums_of
from .open_change import OpenChange
from .tables import impact_counts, impact_missing, impact_people, start_messages, start_waves

ONE = "one"


class ImpactChanges(OpenChange):
    def count_impact(self, count_id: str, *, asked_by: str) -> None:
        begun = {"state": "counting", "stage": "", "turn": 0, "attempts": 0, "next_at": self.at, "lists": {}, "people": 0}
        nothing_yet = {"touched": 0, "by_platform": {}, "by_reason": {}, "kept": False}
        asked = {"id": count_id, "slot": ONE, "asked_by": asked_by, "asked_at": self.at}
        self._alone(impact_counts, {**asked, **begun, **nothing_yet}, "counting_already")

    def stop_count(self, count_id: str) -> None:
        ended = {"state": "stopped", "slot": None, "next_at": None, "done_at": self.at}
        self._end(impact_counts, count_id, "counting", ended)

    def end_count(self, count: Count, *, state: str) -> dict[str, int]:
        """Sum up what was found where it is `done`. Stale where somebody else has the count by now."""
        sums = sums_of(self.connection, self.tenant_id, count.id) if state == "done" else {}
        lists = {name: asdict(read) for name, read in count.lists.items()}
        ended = {"state": state, "slot": None, "next_at": None, "done_at": self.at, "kept": state == "done"}
        still = self.mine(impact_counts, id=count.id, turn=count.turn, state="counting")
        self.set_one(sa.update(impact_counts).where(still).values(lists=lists, reason=count.reason, **ended, **sums), "end_count")
        if state == "done":
            others = self.mine(impact_counts), impact_counts.c.id != count.id
            self.connection.execute(sa.update(impact_counts).where(*others).values(kept=False))
        return {name: sums[name] for name in ("people", "touched") if name in sums}

    def begin_wave(
        self, wave_id: str, *, count_id: str, reason: str, platform: str, way: str, size: int, pause: timedelta, asked_by: str
    ) -> int:
        """Its people are those behind the number, each once; returns how many can be told in this way."""
        of_count = self.mine(impact_counts, id=count_id), impact_counts.c.state == "done", impact_counts.c.kept
        if self.connection.execute(sa.select(impact_counts.c.id).where(*of_count)).first() is None:
            self.refuse(ImpactRefused("counted_anew"))
        wave: dict[str, Any] = {
            "id": wave_id,
            "slot": ONE,
            "count_id": count_id,
            "reason": reason,
            "platform": platform,
            "way": way,
            "size": size,
            "pause_seconds": int(pause.total_seconds()),
            "people": 0,
            "asked_by": asked_by,
            "asked_at": self.at,
            "state": "sending",
            "number": 1,
            "in_wave": 0,
            "next_at": self.at,
        }
        self._alone(start_waves, wave, "sending_already")
        lack, person = impact_missing.c, impact_people.c
        of_it = self.mine(impact_missing, count_id=count_id, reason=reason, platform=platform)
        same = person.tenant_id == lack.tenant_id, person.count_id == lack.count_id, person.oid == lack.oid
        reached = lack.record_id.is_not(None) if way == "device" else person.mail.is_not(None)
        told = sa.select(
            *(lack.tenant_id, sa.literal(wave_id), lack.oid, lack.connection, lack.record_id),
            *(person.mail if way == "mail" else sa.null(), sa.literal("waiting")),
        )
        columns = ["tenant_id", "wave_id", "oid", "connection", "record_id", "mail", "state"]
        chosen = told.join(impact_people, sa.and_(*same)).where(of_it, reached)
        self.connection.execute(sa.insert(start_messages).from_select(columns, chosen))
        of_wave = sa.select(sa.func.count()).select_from(start_messages).where(self.mine(start_messages, wave_id=wave_id))
        people: int = self.connection.execute(of_wave).scalar_one()
        if not people:
            self.refuse(ImpactRefused("nobody"))
        self.connection.execute(sa.update(start_waves).where(self.mine(start_waves, id=wave_id)).values(people=people))
        return people

    def stop_wave(self, wave_id: str, *, ended_by: str) -> None:
        ended = {"state": "stopped", "slot": None, "next_at": None, "ended_at": self.at, "ended_by": ended_by}
        self._end(start_waves, wave_id, "sending", ended)

    def message_ended(self, message: StartMessage, *, state: str, reason: str | None) -> None:
        mine = self.mine(start_messages, wave_id=message.wave_id, oid=message.oid), start_messages.c.state == "sending"
        ended = {"state": state, "reason": reason, "at": self.at}
        self.set_one(sa.update(start_messages).where(*mine).values(**ended), "message_ended")

    def _alone(self, table: sa.Table, values: dict[str, Any], why: str) -> None:
        try:
            with self.connection.begin_nested():
                self.connection.execute(sa.insert(table).values(tenant_id=self.tenant_id, **values))
        except IntegrityError as error:
            self.refuse(ImpactRefused(why), error)

    def _end(self, table: sa.Table, row_id: str, state: str, ended: dict[str, Any]) -> None:
        going = self.mine(table, id=row_id), table.c.state == state
        if self.connection.execute(sa.update(table).where(*going).values(**ended)).rowcount != 1:
            self.refuse(ImpactRefused("over"))
