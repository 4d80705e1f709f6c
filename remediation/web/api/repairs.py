"""The API's repairs of the console: what is offered for a person now, and doing one of them. `services/repair.py` does them.

The version of what was seen is the ETag of the offers, and If-Match gives it back: nobody acts on what they have not seen.
"""

from pydantic import Field

from ...domain.repairs import BECAUSE, Repair, Situation, offers
from ...errors import ChangedMeanwhile, NotOffered
from ...ports import Actor
from ...services import repair as repairs
from ...services.look_up import take_look
from ..bearer import caller
from ..desk import desk
from ..guards import Who
from ..names import shown
from .deeds import Done, Key, once
from .operations import Shape, operation
from .people import through
from .problems import Fault, Refusal
from .shapes import Moment, OfPerson, WhichCase


class OfRepair(OfPerson):
    repair: Repair = Field(description="One of those that are offered.")


class Seen(Key):
    version: str = Field(
        alias="If-Match",
        pattern=r'^"[0-9]{1,18}"$',
        description="`version` of the offers, in quotes: refused where anything was done since.",
    )


class RepairAsked(Shape):
    because: str = Field(pattern=f"^({'|'.join(BECAUSE)})$", description="A reason of a fixed list.")
    target: str = Field(default="", max_length=200, description="The id of one of the offer's targets, where it has some.")
    case: str = Field(default="", max_length=20, description="The case code; without it the newest.")


class TargetShape(Shape):
    id: str
    name: str
    word: str
    at: Moment | None


class OfferShape(Shape):
    repair: Repair
    targets: list[TargetShape]


class Offers(Shape):
    """What can be done now. `version` is for If-Match, in quotes."""

    version: int
    offers: list[OfferShape]


def repairs_of(path: OfPerson, query: WhichCase) -> Offers:
    """Which repairs are offered for a person now, and for which of their things."""
    found = _situation(path.oid, query.case)
    made = [
        OfferShape(
            repair=one.repair,
            targets=[TargetShape(id=to.id, name=shown(to.name), word=to.word, at=to.at) for to in one.targets],
        )
        for one in offers(found, desk().clock())
    ]
    return Offers(version=found.seen, offers=made)


def repair(path: OfRepair, headers: Seen, body: RepairAsked) -> Done:
    """Do one of the repairs that are offered."""

    def act() -> Done:
        found = _situation(path.oid, body.case)
        order = repairs.Order(path.repair, body.target, body.because, int(headers.version.strip('"')))
        try:
            repairs.repair(desk().store, found, order, actor=Actor("helpdesk", caller().oid), now=desk().clock())
        except ChangedMeanwhile:
            raise Refusal("changed") from None
        except NotOffered:
            raise Refusal(
                "not_offered", errors=[Fault(where="path.repair", what="is not offered now, or not for this target")]
            ) from None
        return Done()

    return once(headers.key, path.oid, body, act)


def _situation(oid: str, case_code: str) -> Situation:
    settings, now = desk().settings, desk().clock()
    take_look(desk().store, caller().oid, now, through())
    allowed = repairs.Allowed(mail=settings.start_link_mail, disable=settings.disable_entries)
    found = repairs.situation(desk().look_up, desk().store, oid, case_code=case_code, allowed=allowed)
    if found is None:
        raise Refusal("not_found")
    with desk().store.change(Actor("helpdesk", caller().oid), "look_up.viewed", about=("person", oid), at=now) as change:
        change.audit(case=found.journey.case_code if found.journey is not None else None, app=caller().app)
    return found


OPERATIONS = (
    operation("GET", "/people/{oid}/repairs", repairs_of, role=Who.HELPDESK, refuses=("not_found",)),
    operation(
        *("POST", "/people/{oid}/repairs/{repair}", repair),
        role=Who.HELPDESK_ACTS,
        acts=True,
        refuses=("not_found", "under_way", "changed", "key_used", "not_offered", "stale", "conflict"),
    ),
)
