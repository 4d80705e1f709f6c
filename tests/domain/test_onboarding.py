"""The checklist: each step by its own facts, in order, with what comes first; and *go* after all of them."""

from datetime import UTC, datetime, timedelta

from remediation.domain.onboarding import DONE, OPEN, Facts, Looked, Outcome, Role, State, Step, checklist, of_look, touched
from remediation.domain.onboarding_steps import AFTER_SCOPE, BEFORE_SCOPE, CHANNELS, LAST, SECRET, SIGN_IN_SECRET, TENANT

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
STEPS = (*BEFORE_SCOPE, *AFTER_SCOPE, *LAST)
APPS = ("REMEDIATION_TENANT_ID", "REMEDIATION_SIGN_IN_CLIENT_ID", "REMEDIATION_SERVICE_CLIENT_ID")
COMPANY = ("REMEDIATION_ORGANISATION", "REMEDIATION_HELPDESK_PHONE", "REMEDIATION_HELPDESK_HOURS")


def good(name: str) -> Looked:
    return Looked(name, wanted_at=NOON, looked_at=NOON, good_at=NOON)


def states(facts: Facts) -> dict[str, State]:
    return {one.step.name: one.state for one in checklist(STEPS, facts)}


def test_an_empty_tenant_begins_with_the_first_step_and_go_waits_for_all() -> None:
    found = checklist(STEPS, Facts())
    assert [one.step.name for one in found if one.state is State.NEXT] == ["company"]
    go = found[-1]
    assert (go.state, set(go.blocked_by)) == (State.BLOCKED, {step.name for step in STEPS} - {"go"})
    assert states(Facts())["consent"] is State.BLOCKED


def test_everything_done_leads_to_go() -> None:
    facts = Facts(
        given=frozenset({*COMPANY, *APPS, SECRET, SIGN_IN_SECRET, "REMEDIATION_MINIMUM_EVIDENCE", *CHANNELS.values()}),
        values=dict.fromkeys(CHANNELS.values(), "none") | {CHANNELS[next(iter(CHANNELS))]: "intune_partner"},
        looked={name: good(name) for name in ("sign_in", "consent", "mdm:ws1")},
        connections={"ws1": "workspace_one"},
    )
    assert states(facts) | {"go": State.DONE} == dict.fromkeys(states(facts), State.DONE)
    assert states(facts)["go"] is State.NEXT


def test_a_step_that_went_wrong_says_why_and_blocks_what_rests_on_it() -> None:
    failed = Looked("consent", NOON, NOON, None, NOON, "no_consent")
    facts = Facts(given=frozenset({*APPS, SECRET, SIGN_IN_SECRET}), looked={"consent": failed})
    consent = next(one for one in checklist(STEPS, facts) if one.step.name == "consent")
    assert (consent.state, consent.why) == (State.WRONG, "no_consent")
    assert "consent" in checklist(STEPS, facts)[-1].blocked_by


def test_a_look_is_waited_for_until_it_was_made_after_the_wish() -> None:
    assert of_look(Looked("x")) == OPEN
    assert of_look(Looked("x", wanted_at=NOON)).state is State.WAITING
    assert of_look(good("x")) == DONE
    assert of_look(Looked("x", NOON + timedelta(seconds=1), NOON, NOON)).state is State.WAITING
    later = NOON + timedelta(minutes=1)
    assert of_look(Looked("x", NOON, later, NOON, later, "away")).state is State.WRONG, "a success before says nothing now"


def test_what_changes_has_its_looks_made_again() -> None:
    assert touched(STEPS, [TENANT]) == ("credentials", "consent")
    assert touched(STEPS, ["REMEDIATION_ORGANISATION"]) == ()


def test_an_optional_step_never_holds_go_up() -> None:
    extra = Step("extra", Role.ENTRA, lambda _: Outcome(State.OPEN), optional=True)
    assert "extra" not in checklist((*STEPS[:-1], extra, STEPS[-1]), Facts())[-1].blocked_by
