"""For whom this is: all users, or up to ten groups of the directory; and what a change of that means for people.

Pure; next door: `standing` (whether one person is in scope), `services/scope.py` (who asks the directory).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from .partner import MOST_GROUPS


@dataclass(frozen=True)
class ChosenGroup:
    """As the directory named it when it was chosen; the id is what counts."""

    id: str
    name: str


@dataclass(frozen=True)
class Scope:
    """What stands. `by_setting`: REMEDIATION_GROUPS says it, and nothing else may. `seq` counts the choices made here, 0 before the
    first; without one it is all users."""

    groups: tuple[ChosenGroup, ...] = ()
    seq: int = 0
    chosen_at: datetime | None = None
    chosen_by: str | None = None
    by_setting: bool = False

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(group.id for group in self.groups)

    @property
    def chosen(self) -> bool:
        return self.by_setting or self.seq > 0


@dataclass(frozen=True)
class FoundGroup:
    """A group as the directory shows it. `people` are those in it and in groups within it; `nested` how many such groups there are;
    both None where nobody counted. `dynamic`: a rule of Entra's decides who is in it. `security` is False for one that is for mail
    alone."""

    id: str
    name: str
    description: str = ""
    security: bool | None = None
    dynamic: bool = False
    people: int | None = None
    nested: int | None = None


@dataclass(frozen=True)
class AtMdm:
    """A group of this name at one MDM. `same` is how many of them bear it; `members` is of the only one."""

    connection: str
    same: int
    members: int | None = None
    holds: str = ""


@dataclass(frozen=True)
class Faced:
    """What somebody who chooses should know of one group: stable ids, in the order in which they matter."""

    group: FoundGroup
    at: tuple[AtMdm, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def stops(self) -> tuple[str, ...]:
        return tuple(note for note in self.notes if note in STOPS)


STOPS = frozenset({"gone", "no_people", "not_managed"})
"""With one of these it cannot be chosen."""


def look_at(
    group: FoundGroup,
    found: Sequence[FoundGroup],
    listed: Mapping[str, Sequence[tuple[str, str, int | None]] | None],
    *,
    only_managed: bool,
    known_as: str | None = None,
) -> Faced:
    """`found` are all that bear its name, `listed` the groups of each MDM (name, what it holds, members), None for one that could
    not be asked. `known_as` is its name when it was chosen before. A group that no MDM has is refused only where each that was
    asked said so: an MDM that is away keeps nobody from choosing."""
    at = tuple(_at(group.name, listed))
    unasked = [name for name, groups in listed.items() if groups is None]
    notes = []
    if group.people == 0:
        notes.append("no_people")
    if only_managed and listed and not at:
        notes.append("mdm_away" if unasked else "not_managed")
    elif only_managed and unasked:
        notes.append("mdm_away")
    if known_as is not None and known_as != group.name:
        notes.append("renamed")
    if sum(one.name.casefold() == group.name.casefold() for one in found) > 1:
        notes.append("same_name")
    if any(one.same > 1 for one in at):
        notes.append("same_name_at_mdm")
    if group.security is False:
        notes.append("mail_only")
    if group.dynamic:
        notes.append("dynamic")
    if group.nested:
        notes.append("nested")
    return Faced(group, at, tuple(notes))


def gone(chosen: ChosenGroup) -> Faced:
    return Faced(FoundGroup(chosen.id, chosen.name), notes=("gone",))


def _at(name: str, listed: Mapping[str, Sequence[tuple[str, str, int | None]] | None]) -> Iterator[AtMdm]:
    for connection, groups in listed.items():
        same = [one for one in groups or () if one[0].strip().casefold() == name.strip().casefold()]
        if same:
            alone = same[0] if len(same) == 1 else None
            yield AtMdm(connection, len(same), alone[2] if alone else None, alone[1] if alone else "")


@dataclass(frozen=True)
class Change:
    """From one scope to another. `most` is the most people whom it can bring in, None where nobody could count: groups overlap, and
    whoever is in two is counted twice."""

    widens: bool
    narrows: bool
    most: int | None


def compare(before: Collection[str], after: Collection[str], people: Mapping[str, int | None], everybody: int | None) -> Change:
    """Empty is all users. `people` by group id."""
    before, after = frozenset(before), frozenset(after)
    if before == after:
        return Change(widens=False, narrows=False, most=0)
    if not after:
        return Change(widens=True, narrows=False, most=everybody)
    added = [people.get(group) for group in after - before] if before else []
    most = None if any(count is None for count in added) else sum(count or 0 for count in added)
    return Change(widens=bool(added), narrows=not before or bool(before - after), most=most)


def refusal(groups: Sequence[Faced]) -> str | None:
    """Why these cannot be the scope, as a stable id."""
    if len(groups) > MOST_GROUPS:
        return "too_many"
    return next((note for faced in groups for note in faced.stops), None)
