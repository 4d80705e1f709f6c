"""For whom the tenant's set-up is: what stands, what is being chosen, and the choice itself.

One truth: REMEDIATION_GROUPS where it is set, and then nothing here may change it; else the row of `scopes`, which counts from the
next check of a person on. The web reads and writes rows; whoever asks the directory is the worker (`answer_wishes`) or a command.
Next door: `provision_partner` (telling Microsoft), `domain/scope.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from ..domain.partner import MOST_GROUPS
from ..domain.scope import Change as ScopeChange
from ..domain.scope import ChosenGroup, Scope, compare
from ..domain.wishes import SAID, Kind, Wish
from ..errors import StepRefused
from ..ports import Actor, Store

ABOUT = "scope"


def standing(store: Store, by_setting: Sequence[str]) -> Scope:
    if by_setting:
        return Scope(tuple(ChosenGroup(group, "") for group in by_setting), by_setting=True)
    return store.scope()


def search(store: Store, words: str, *, only_managed: bool, actor: Actor, now: datetime) -> str:
    """A wish; returns its id."""
    return wish(store, Kind.GROUPS, {"words": words[:100], "only_managed": only_managed}, actor=actor, now=now)


def wish(store: Store, kind: Kind, asked: Mapping[str, Any], *, actor: Actor, now: datetime) -> str:
    made = Wish(str(uuid4()), kind, asked, actor.id, now, done_at=now if kind in SAID else None)
    why = f"set_up.{kind.value}" if kind in SAID else f"set_up.{kind.value}_asked"
    with store.change(actor, why, about=("set_up", made.id), at=now) as change:
        change.make_wish(made)
    return made.id


def add(store: Store, wish_id: str, place: int, *, by_setting: Sequence[str], actor: Actor, now: datetime) -> None:
    """The group at this place of what a search found: nothing that the browser says is an id."""
    _may_choose(by_setting)
    found = store.wish(wish_id)
    groups = found.answer.get("groups", []) if found is not None and found.kind is Kind.GROUPS else []
    if not 0 <= place < len(groups):
        raise StepRefused("gone")
    if groups[place]["stops"]:
        raise StepRefused(groups[place]["stops"][0], groups[place]["name"])
    chosen = ChosenGroup(groups[place]["id"], groups[place]["name"])
    draft = being_chosen(store)
    if chosen.id not in {group.id for group in draft}:
        draft = (*draft, chosen)
    if len(draft) > MOST_GROUPS:
        raise StepRefused("too_many", chosen.name)
    _keep_draft(store, draft, actor=actor, now=now)


def remove(store: Store, group_id: str, *, by_setting: Sequence[str], actor: Actor, now: datetime) -> None:
    _may_choose(by_setting)
    _keep_draft(store, tuple(group for group in being_chosen(store) if group.id != group_id), actor=actor, now=now)


def forget_draft(store: Store, *, actor: Actor, now: datetime) -> None:
    _keep_draft(store, None, actor=actor, now=now)


def ask_for_count(
    store: Store, *, everybody: bool, only_managed: bool, by_setting: Sequence[str], actor: Actor, now: datetime
) -> str:
    """Before anything is chosen the worker looks at each group and counts; returns the wish's id."""
    _may_choose(by_setting)
    groups = () if everybody else being_chosen(store)
    if not everybody and not groups:
        raise StepRefused("nothing_chosen")
    asked = {"groups": _plain(groups), "only_managed": only_managed, "seq": store.scope().seq}
    return wish(store, Kind.COUNT, asked, actor=actor, now=now)


def what_changes(store: Store, counted: Wish) -> ScopeChange:
    """From what stands to what was counted."""
    answer, asked = counted.answer, counted.asked
    people = {group["id"]: group["people"] for group in answer.get("groups", [])}
    after = [group["id"] for group in asked["groups"]]
    return compare(store.scope().ids, after, people, answer.get("everybody"))


def in_names(store: Store, counted: Wish) -> tuple[str, str]:
    """What stands and what was counted, as names; empty is all users."""
    before, after = store.scope().groups, counted.asked["groups"]
    return ", ".join(one.name or one.id for one in before), ", ".join(one["name"] or one["id"] for one in after)


def refusal(counted: Wish) -> str | None:
    """Why what was counted cannot be chosen."""
    if counted.kind is not Kind.COUNT or counted.done_at is None or counted.failed is not None:
        return "not_counted"
    stops = [stop for group in counted.answer.get("groups", []) for stop in group["stops"]]
    return stops[0] if stops else None


def choose(store: Store, wish_id: str, *, by_setting: Sequence[str], actor: Actor, now: datetime) -> Scope:
    """What was counted becomes the scope, unless another choice came in between (Stale). The audit holds both."""
    _may_choose(by_setting)
    counted = store.wish(wish_id)
    why = "not_counted" if counted is None else refusal(counted)
    if counted is None or why is not None:
        raise StepRefused(why or "not_counted")
    before, changes = store.scope(), what_changes(store, counted)
    groups = tuple(ChosenGroup(group["id"], group["name"]) for group in counted.asked["groups"])
    with store.change(actor, "scope.chosen", about=(ABOUT, store.tenant_id), at=now) as change:
        change.audit(old=list(before.ids), new=[group.id for group in groups], widens=changes.widens, people_at_most=changes.most)
        change.choose_scope(groups, seq=int(counted.asked["seq"]), by=actor.id)
    return store.scope()


def _may_choose(by_setting: Sequence[str]) -> None:
    if by_setting:
        raise StepRefused("by_setting")


def being_chosen(store: Store) -> tuple[ChosenGroup, ...]:
    """What is being chosen; where nobody has begun, what stands."""
    draft = store.draft()
    return store.scope().groups if draft is None else draft


def _keep_draft(store: Store, groups: Sequence[ChosenGroup] | None, *, actor: Actor, now: datetime) -> None:
    with store.change(actor, "scope.drafted", about=(ABOUT, store.tenant_id), at=now) as change:
        change.audit(groups=None if groups is None else [group.id for group in groups])
        change.draft_scope(groups)


def _plain(groups: Sequence[ChosenGroup]) -> list[dict[str, str]]:
    return [{"id": group.id, "name": group.name} for group in groups]
