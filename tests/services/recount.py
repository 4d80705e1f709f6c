"""Figures counted once more, from the audit's rows as they lie: each question is asked of all of them, and nothing here knows how
the product counts. `test_figures` compares."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import sqlalchemy as sa

from remediation.store.tables import audit, device_links, directory_devices, managed_devices, pushes, throttlings
from tests.stories import Story

Row = dict[str, Any]
DAY = timedelta(hours=24)
DOWN = ("link.ended", "drift.repaired", "drift.seen", "mark.repaired")
STEPS = ("arrived", "chosen", "proven", "linked", "compliant", "sent", "accepted", "open")


@dataclass
class News:
    """From one wish of a link's rows until the next."""

    wish: Row
    rows: Sequence[Row]
    was_compliant: bool
    last: bool

    @property
    def compliant(self) -> bool:
        return bool(self.wish["detail"].get("verdict") == "compliant")

    def first(self, why: str, **detail: Any) -> datetime | None:
        return next((row["at"] for row in self.rows if row["why"] == why and detail.items() <= row["detail"].items()), None)

    @property
    def confirmed(self) -> datetime | None:
        return self.first("push.confirmed", **({"shown": True} if self.compliant else {}))

    @property
    def lane(self) -> str:
        if not self.compliant and (self.was_compliant or self.wish["why"] in DOWN):
            return "revocation"
        return "resync" if self.wish["why"] == "push.resync" else "person"


class Recount:
    def __init__(self, story: Story) -> None:
        with story.engine.connect() as connection:
            self.rows = [dict(row) for row in connection.execute(sa.select(audit).order_by(audit.c.id)).mappings()]
        self.started = {row["about_id"]: row for row in self.said("journey.started")}
        link, device, record, push = device_links.c, directory_devices.c, managed_devices.c, pushes.c
        of_link = (
            sa.select(
                *(link.id, link.state, link.platform, device.registered_at, record.failing),
                *(push.desired, push.compliant_until.label("until")),
            )
            .join_from(device_links, directory_devices, link.device_id == device.device_id)
            .join(managed_devices, sa.and_(link.connection == record.connection, link.record_id == record.record_id))
            .join(pushes, push.link_id == link.id)
        )
        with story.engine.connect() as connection:
            self.links = {row["id"]: self._known(row) for row in connection.execute(of_link).mappings()}
            self.throttlings = [dict(row) for row in connection.execute(sa.select(throttlings)).mappings()]

    @staticmethod
    def _known(row: Any) -> Row:
        failing = {rule["advice"] or "other" for rule in row["failing"]}
        return {
            **row,
            "state": row["state"].name.lower(),
            "platform": row["platform"].value,
            "failing": failing,
            "desired": row["desired"] and row["desired"].value,
        }

    def said(self, *why: str, about: str | None = None, **detail: Any) -> list[Row]:
        mine = [row for row in self.rows if row["why"] in why and about in (None, row["about_id"])]
        return [row for row in mine if detail.items() <= row["detail"].items()]

    def link_of(self, journey: str) -> str | None:
        """Made by it, else the last that was made of this person before."""
        made = self.said("link.made", journey=journey, state="active")
        if not made:
            oid, at = self.started[journey]["actor_id"], self.started[journey]["at"]
            theirs = [key for key, row in self.started.items() if row["actor_id"] == oid]
            made = [row for row in self.said("link.made", state="active") if row["detail"]["journey"] in theirs and row["at"] < at]
            ended = [row["about_id"] for row in self.said("link.ended") if row["at"] < at]
            made = [row for row in made if row["about_id"] not in ended]
        return made[-1]["about_id"] if made else None

    def opened(self, journey: str) -> datetime | None:
        """The arrival's own moment where it was open by then."""
        link, at = self.link_of(journey), self.started[journey]["at"]
        told = [row for row in self.rows if link is not None and row["about_id"] == link]
        before = [row for row in told if row["at"] <= at and ("verdict" in row["detail"] or row["why"] == "push.confirmed")]
        if before and before[-1]["why"] == "push.confirmed" and before[-1]["detail"]["shown"] is True:
            return at  # type: ignore[no-any-return]
        return min((row["at"] for row in told if row["at"] > at and row["detail"].get("shown") is True), default=None)

    def latencies(self, *, compliant: bool) -> list[float]:
        """From the oldest row that asked for what was confirmed, since the confirmation before."""
        took = []
        for confirmed in self.said("push.confirmed"):
            about = [row for row in self.rows if row["about_id"] == confirmed["about_id"] and row["id"] < confirmed["id"]]
            last = max((row["id"] for row in about if row["why"] == "push.confirmed"), default=0)
            wishes = [row for row in about if row["id"] > last and ("verdict" in row["detail"] or row["why"] == "link.ended")]
            if wishes and (wishes[-1]["detail"].get("verdict") == "compliant") is compliant:
                took.append((confirmed["at"] - wishes[-1]["at"]).total_seconds())
        return took

    def news(self, link: str) -> list[News]:
        told = [row for row in self.rows if row["about_kind"] == "link" and row["about_id"] == link]
        places: list[int] = []
        for place, row in enumerate(told):
            last = told[places[-1]] if places else None
            if (row["why"] == "link.ended" and last is not None) or (
                "verdict" in row["detail"] and not self._again(row, last, told[places[-1] : place] if places else [])
            ):
                places.append(place)
        found: list[News] = []
        for number, place in enumerate(places):
            last_one = number == len(places) - 1
            behind = told[place:] if last_one else told[place : places[number + 1]]
            found.append(News(told[place], behind, bool(found) and found[-1].compliant, last_one))
        return found

    @staticmethod
    def _again(row: Row, last: Row | None, since: Sequence[Row]) -> bool:
        """The same that was told in vain."""
        same = last is not None and last["detail"].get("verdict") == row["detail"]["verdict"]
        return (
            same and row["why"] in ("push.failed", "push.not_applied") and not any(one["why"] == "push.confirmed" for one in since)
        )

    def staff(self) -> dict[tuple[str, str], int]:
        return Counter((row["actor_kind"], row["why"]) for row in self.rows if row["actor_kind"] in ("helpdesk", "operator"))

    def registered(self, journey: str) -> datetime | None:
        link = self.links.get(self.link_of(journey) or "")
        return link["registered_at"] if link is not None else None

    def ours(self, journey: str, opened: datetime) -> Any:
        """What was before Microsoft's share: until we judged, and from *compliant* until the message left."""
        link, proven = self.link_of(journey), [row["at"] for row in self.said("possession.proven", journey=journey)]
        if not proven or not self.said("link.made", journey=journey, state="active"):
            return None
        since = self.started[journey]["at"]
        mine = [row for row in self.rows if row["about_id"] == link and since < row["at"] <= opened]
        judged = [row["at"] for row in mine if "verdict" in row["detail"]]
        news = [one for one in self.news(link or "") if one.compliant and one.wish["at"] <= opened]
        sent = news[-1].first("push.sent") if news else None
        if not judged or sent is None:
            return None
        begun = max(proven[0], self.registered(journey) or proven[0])
        until_judged: timedelta = max(judged[0] - begun, timedelta())
        return until_judged + max(sent - news[-1].wish["at"], timedelta())

    def step(self, journey: str, opened: datetime | None) -> int:
        """How far: the place of the last step of which there is any row."""
        if opened is not None:
            return len(STEPS)
        until, link = self.started[journey]["at"] + DAY, self.link_of(journey)
        compliant = [one for one in self.news(link or "") if one.compliant and one.wish["at"] <= until]
        facts = (
            True,
            bool(self.said("possession.wanted", about=journey) or self.said("possession.wanted", journey=journey)),
            bool(self.said("possession.proven", journey=journey)),
            link is not None,
            bool(compliant),
            any(one.first("push.sent") for one in compliant),
            any(one.first("push.accepted") for one in compliant),
        )
        return max(place for place, fact in enumerate(facts, 1) if fact)

    def agrees(
        self, found: Mapping[str, list[Row]], now: datetime, opened: Mapping[str, datetime | None], helped: Mapping[str, bool]
    ) -> None:
        self._journeys(found, now, opened, helped)
        self._times(found["times"], opened)
        self._funnel(found["funnel"], opened)
        every = [
            (link, one) for link in {row["about_id"] for row in self.rows if row["about_kind"] == "link"} for one in self.news(link)
        ]
        self._pushes(found["pushes"], [one for _, one in every])
        self._waits(found["waits"], every, now)
        failing = Counter(rule for link in self.links.values() if link["state"] == "active" for rule in link["failing"])
        assert {row["cause"]: row["count"] for row in found["causes"] if row["kind"] == "rule_now"} == failing
        evidence = {row["measure"]: row["count"] for row in found["evidence"]}
        assert evidence == {"sent_without_verdict": self.unfounded(), "standing_past_lease": self.lapsed(now)}
        times = Counter[str]()
        for row in self.throttlings:
            if now - row["last_at"] < timedelta(days=27):
                times.update({row["remote"]: row["count"], "all": row["count"]})
        assert {row["remote"]: row["wanted_fewer"] for row in found["throttled"] if row["wanted_fewer"]} == times

    def unfounded(self) -> int:
        count = 0
        for sent in self.said("push.sent", compliant=True):
            before = [row for row in self.rows if row["about_id"] == sent["about_id"] and row["id"] < sent["id"]]
            said = [row for row in before if "verdict" in row["detail"] or row["why"] == "link.ended"]
            count += not said or said[-1]["detail"].get("verdict") != "compliant"
        return count

    def lapsed(self, now: datetime) -> int:
        return sum(
            link["desired"] == "compliant" and link["until"] is not None and link["until"] <= now for link in self.links.values()
        )

    def _journeys(
        self, found: Mapping[str, list[Row]], now: datetime, opened: Mapping[str, datetime | None], helped: Mapping[str, bool]
    ) -> None:
        for row in found["journeys"]:
            kind = row["entrance"], row["platform"]
            mine = [key for key, told in self.started.items() if _is(kind, told["detail"])]
            under_way = [key for key in mine if opened[key] is None and self.started[key]["at"] + DAY > now]
            cases = [told for told in self.said("case.opened") if _is(kind, told["detail"])]
            assert (row["under_way"], row["could_not_sign_in"]) == (len(under_way), len(cases)), kind
        for row in found["trend"]:
            mine = [key for key, told in self.started.items() if told["at"].date().isoformat() == row["day"]]
            through = [key for key in mine if opened[key] is not None]
            assert (row["begun"], row["finished"]) == (len(mine), len(through)), row["day"]
            assert row["unaided"] == sum(not helped[key] for key in through)
            assert row["median_s"] == _spread([took for key in mine if (took := self._waited(key, opened[key])) is not None])[1]

    def _waited(self, key: str, at: datetime | None) -> timedelta | None:
        return at - self.started[key]["at"] if at is not None and at > self.started[key]["at"] else None

    def _times(self, found: list[Row], opened: Mapping[str, datetime | None]) -> None:
        took: dict[str, dict[str, timedelta]] = {"from_arrival": {}, "from_registration": {}, "ours": {}}
        for key, at in opened.items():
            whole = self._waited(key, at)
            if whole is None or at is None:
                continue
            took["from_arrival"][key] = whole
            registered, ours = self.registered(key), self.ours(key, at)
            if registered is not None and self.started[key]["at"] - DAY <= registered <= at:
                took["from_registration"][key] = at - registered
            if ours is not None:
                took["ours"][key] = ours
        for row in found:
            mine = [
                one
                for key, one in took[row["measure"]].items()
                if row["platform"] in ("all", self.started[key]["detail"]["platform"])
            ]
            assert (row["count"], row["median_s"], row["p90_s"]) == _spread(mine), (row["measure"], row["platform"])

    def _funnel(self, found: list[Row], opened: Mapping[str, datetime | None]) -> None:
        for row in found:
            mine = [key for key, told in self.started.items() if row["platform"] in ("all", told["detail"]["platform"])]
            steps = [self.step(key, opened[key]) for key in mine]
            place = STEPS.index(row["step"]) + 1
            reached = sum(step >= place for step in steps)
            left = sum(step == place for step in steps) if place < len(STEPS) else 0
            percent = round(100 * reached / len(mine)) if mine else None
            assert (row["reached"], row["left_here"], row["percent"]) == (reached, left, percent), row

    def _pushes(self, found: list[Row], news: Sequence[News]) -> None:
        for row in found:
            mine = [one for one in news if one.lane == row["lane"]]
            took = [one.confirmed - one.wish["at"] for one in mine if one.confirmed is not None]
            open_ = [one for one in mine if one.confirmed is None]
            told = len(mine), len(took), sum(not one.last for one in open_), sum(one.last for one in open_)
            assert (row["desired"], row["confirmed"], row["overtaken"], row["waiting"]) == told, row
            assert (len(took), row["median_s"], row["p90_s"]) == _spread(took), row

    def _waits(self, found: list[Row], every: Sequence[tuple[str, News]], now: datetime) -> None:
        waits: list[tuple[str, timedelta]] = []
        for link, one in every:
            sent = one.first("push.sent")
            if sent is not None and (one.confirmed is not None or one.last):
                waits.append((self.links[link]["platform"], (one.confirmed or now) - sent))
        for row in found:
            mine = [wait for platform, wait in waits if row["platform"] in ("all", platform)]
            usual, beyond = sum(wait <= timedelta(minutes=5) for wait in mine), sum(wait > timedelta(hours=1) for wait in mine)
            told = len(mine), usual, len(mine) - usual - beyond, beyond
            assert (row["sent"], row["usual"], row["longer"], row["beyond_promise"]) == told, row


def _is(kind: tuple[str, str], detail: Mapping[str, Any]) -> bool:
    return kind[0] in ("all", detail["entrance"]) and kind[1] in ("all", detail["platform"])


def _spread(took: Sequence[timedelta]) -> tuple[int, int | None, int | None]:
    """How many; the median; and the shortest time that nine of ten did not exceed."""
    if not took:
        return 0, None, None
    nine = min(one for one in took if sum(other <= one for other in took) >= 0.9 * len(took))
    return len(took), round(median(one.total_seconds() for one in took)), round(nine.total_seconds())
