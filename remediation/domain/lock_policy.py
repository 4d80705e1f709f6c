"""Is this Conditional Access policy the second lock, and does it hold? The rule of its device filter read, and what fails open.

A filter in *exclude* mode lets those through whom its rule matches. An attribute of a device that is not registered is null, and
null matches every negative operator: entra-docs concept-condition-filters-for-devices.md. Next door: `second_lock`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .device import Platform
from .device_policy import EVERY_APP, AccessPolicy
from .second_lock import SecondLock

NEGATIVE = frozenset({"ne", "notin", "notcontains", "notstartswith", "notendswith"})
LOOSE = frozenset({"startswith", "endswith", "contains", "in"})
CHANGED_BY_PEOPLE = frozenset({"displayname", "model", "manufacturer", "operatingsystem", "operatingsystemversion"})
"""A person names their device; what a device says of itself at its registration nobody checks."""
# graph-docs resources/conditionalaccessplatforms.md
_WORD = {Platform.IOS: "iOS", Platform.ANDROID: "android", Platform.MACOS: "macOS", Platform.WINDOWS: "windows"}
# graph-docs resources/conditionalaccessconditionset.md, clientAppTypes
_CLIENTS = frozenset({"browser", "mobileappsanddesktopclients"})
_TERM = re.compile(r"""\s*device\.(\w+)\s+-(\w+)\s+("[^"]*"|'[^']*'|\[[^\]]*\]|[\w.-]+)\s*""", re.IGNORECASE)
_JOIN = re.compile(r"\s*-(and|or)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Term:
    """`property` and `operator` in small letters; `value` without its quotes."""

    property: str
    operator: str
    value: str


@dataclass(frozen=True)
class Rule:
    terms: tuple[Term, ...]
    any_of: bool
    """Somewhere in it one term is enough."""


def read_rule(text: str) -> Rule | None:
    """None where it is not of a form that we can judge; brackets around terms change nothing of what is asked here."""
    flat = _without_brackets(text)
    terms: list[Term] = []
    joins: set[str] = set()
    at = 0
    while True:
        found = _TERM.match(flat, at)
        if found is None:
            return None
        value = found[3].strip("\"'") if found[3][0] in "\"'" else found[3]
        terms.append(Term(found[1].lower(), found[2].lower(), value))
        at = found.end()
        if at >= len(flat):
            return Rule(tuple(terms), "or" in joins)
        join = _JOIN.match(flat, at)
        if join is None:
            return None
        joins.add(join[1].lower())
        at = join.end()


def _without_brackets(text: str) -> str:
    """Round ones outside of quotes; a value may hold any."""
    return "".join(
        part if part[:1] in ('"', "'") else re.sub("[()]", " ", part) for part in re.split(r"(\"[^\"]*\"|'[^']*')", text)
    )


def about_our_mark(policy: AccessPolicy, lock: SecondLock) -> bool:
    """Whether its filter names our attribute, however it does."""
    return policy.rule is not None and lock.name.lower() in policy.rule.lower()


def faults(policy: AccessPolicy, lock: SecondLock, platforms: Sequence[Platform]) -> tuple[str, ...]:
    """Why this policy does not hold devices back as it must, as stable ids; nothing where it does."""
    found = [*_of_policy(policy, platforms)]
    rule = read_rule(policy.rule or "")
    found += ["unreadable"] if rule is None else _of_rule(rule, lock)
    return tuple(found)


def _of_policy(policy: AccessPolicy, platforms: Sequence[Platform]) -> Sequence[str]:
    found = []
    if not policy.enforced:
        found.append("not_on")
    if "block" not in policy.controls:
        found.append("does_not_block")
    if policy.mode != "exclude":
        found.append("includes")
    included, excluded = ({word.lower() for word in words} for words in (policy.platforms, policy.not_platforms))
    words = {_WORD[platform].lower() for platform in platforms if platform in _WORD}
    if (included and "all" not in included and not words <= included) or excluded & {*words, "all"}:
        found.append("platforms")
    clients = {client.lower() for client in policy.clients}
    if clients and "all" not in clients and not clients >= _CLIENTS:
        found.append("clients")
    if EVERY_APP in policy.included:
        found.append("every_app")
    return found


def _of_rule(rule: Rule, lock: SecondLock) -> Sequence[str]:
    found = []
    operators = {term.operator for term in rule.terms}
    if operators & NEGATIVE:
        found.append("negative")
    if rule.any_of:
        found.append("any_of")
    if operators & LOOSE:
        found.append("loose")
    if operators - NEGATIVE - LOOSE - {"eq"}:
        found.append("operator")
    names = {term.property for term in rule.terms}
    if names & CHANGED_BY_PEOPLE:
        found.append("claimed")
    if Term("iscompliant", "eq", "true") not in {Term(t.property, t.operator, t.value.lower()) for t in rule.terms}:
        found.append("mark_alone")
    if Term(lock.name.lower(), "eq", lock.value) not in rule.terms:
        found.append("other_value")
    return found
