"""Lists notice what changed (T5, T8, T9): each story's links are looked at for no other reason, and the sandbox's ledger judges."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from remediation.domain.compliance import Verdict
from remediation.domain.device import LinkState
from remediation.domain.push import Lane
from remediation.domain.watch import DIRECTORY_SWEEP, Watch, poll_of, sweep_of
from remediation.services.reconcile import watch
from tests.stories import Story

Tell = Callable[..., Story]
HOUR = 3600.0
SWEEP, POLL = sweep_of("ws1"), poll_of("ws1")


def watched(tell: Tell, **more: Any) -> Story:
    """Linked and open, and one round of every list, three pages of the MDM's, has been read."""
    story = among_others(tell, page_size=2, **more)
    story.gets_through()
    story.is_watched()
    story.passes(60)
    assert all(row(story, name).done_at for name in (SWEEP, POLL, DIRECTORY_SWEEP))
    return story


def among_others(tell: Tell, **more: Any) -> Story:
    """Mia's record stands between four of other people's."""
    story = tell("blocked_just_registered", **more)
    world, hers, noah = story.sandbox.world, story.remotes.record, story.remotes.person("Noah").oid
    for number in (hers.id - 2, hers.id - 1, hers.id + 1, hers.id + 2):
        world.records[number] = replace(hers, id=number, uuid=world.new_id(), udid=world.new_id(), person_oid=noah)
    return story


def row(story: Story, name: str) -> Watch:
    found = story.store.watch(name)
    assert found is not None
    return found


def directory_device(story: Story) -> Any:
    return next(d for d in story.sandbox.world.devices.values() if d.device_id == story.remotes.phone.device_id)


def downs(story: Story) -> int:
    """Messages that said not compliant or not managed, as the sandbox took them."""
    told = [dict(entity for part in upload.content for entity in part.items()) for upload in story.uploads()]
    return sum((t.get("DeviceManagementState"), t.get("complianceStatus")) != ("managed", "compliant") for t in told)


def looks(story: Story) -> int:
    """Direct reads of the record or the directory device."""
    record = f"/devices/{story.remotes.phone.record_id}"
    ones = [e["path"].lower() for e in story.ledger() if e["method"] == "GET"]
    return sum(path.endswith(record) or "devices(deviceid=" in path for path in ones)


def reads(story: Story, path: str) -> int:
    return sum(path in e["path"].lower() and "mia" not in str(e["query"]) for e in story.ledger())


def test_a_quiet_day_costs_no_look_and_the_lease_is_renewed(tell: Tell) -> None:
    story = watched(tell)
    until, seen = story.push.compliant_until, looks(story)
    story.passes(4 * 24 * HOUR, every=2 * HOUR)
    push = story.push
    assert until is not None
    assert push.compliant_until is not None
    assert push.compliant_until > story.world.clock() + timedelta(hours=69) > until
    assert (looks(story), len(story.uploads()), story.entra_shows) == (seen, 1, True)
    assert push.posture_read_at is not None  # a list is no read of the posture
    assert push.posture_read_at < story.world.clock() - timedelta(days=3)


def test_a_poll_notices_within_its_period(tell: Tell) -> None:
    story = watched(tell)
    story.reports_health(jailbroken=True)
    story.passes(330)
    assert (story.entra_shows, downs(story)) == (False, 1)
    story.reports_health(jailbroken=False)
    story.passes(330)
    assert (story.entra_shows, len(story.uploads())) == (True, 3)


def wiped(story: Story) -> None:
    story.remotes.record.enrollment_status = "Unenrolled"


def enrolled_anew(story: Story) -> None:
    story.remotes.record.enrolled_on += timedelta(hours=1)


def handed_over_in_the_mdm(story: Story) -> None:
    story.remotes.record.person_oid = story.remotes.person("Noah").oid


def deleted_in_the_mdm(story: Story) -> None:
    del story.sandbox.world.records[story.remotes.phone.record_id]


def disabled(story: Story) -> None:
    directory_device(story).enabled = False


def recreated(story: Story) -> None:
    """The same device id under another object, compliant by whatever wrote it."""
    world, old = story.sandbox.world, directory_device(story)
    anew = replace(old, object_id=world.new_id(), is_compliant=True)
    old.deleted = True
    world.devices[anew.object_id] = anew


def handed_over_in_the_directory(story: Story) -> None:
    directory_device(story).owner_oid = story.remotes.person("Noah").oid


def deleted_in_the_directory(story: Story) -> None:
    directory_device(story).deleted = True


ENDS: dict[Callable[[Story], None], tuple[str, int]] = {
    wiped: ("unenrolled", 1),
    enrolled_anew: ("enrolled_anew", 1),
    handed_over_in_the_mdm: ("enrolled_anew", 1),
    deleted_in_the_mdm: ("record_gone", 1),
    disabled: ("directory_device_disabled", 1),
    recreated: ("directory_device_recreated", 1),
    handed_over_in_the_directory: ("owner_changed", 1),
    deleted_in_the_directory: ("directory_device_gone", 0),  # nothing is left there to take down
}


@pytest.mark.parametrize("happens", ENDS, ids=lambda happens: happens.__name__)
def test_T5_what_happens_on_either_side_ends_the_link_within_one_sweep(tell: Tell, happens: Callable[[Story], None]) -> None:
    story = watched(tell)
    [was] = story.links()
    happens(story)
    story.passes(HOUR + 120, every=30)
    story.passes(700, every=60)  # absence wants a second look, ten minutes after the first
    why, told = ENDS[happens]
    link = next(link for link in story.links() if link.id == was.id)
    assert (link.state, link.ended_why) == (LinkState.ENDED, why)
    story.passes(3 * HOUR, every=600)
    if happens is not handed_over_in_the_directory:  # the sandbox's Intune refuses what is told of another's device
        assert downs(story) == told
    if happens is not recreated:  # which the journey, still under way, has linked anew by the same proof
        assert not story.outlook_opens()


def test_a_link_whose_end_was_told_is_told_again_where_entra_shows_it_compliant_anyway(tell: Tell) -> None:
    story = watched(tell)
    wiped(story)
    story.passes(HOUR + 120, every=30)
    assert (story.entra_shows, downs(story)) == (False, 1)
    directory_device(story).is_compliant = True
    story.passes(HOUR + 120, every=30)
    assert (story.entra_shows, downs(story)) == (False, 2)
    assert "drift.repaired" in story.audit()
    story.passes(3 * HOUR, every=600)
    assert downs(story) == 2


@pytest.mark.parametrize("shown", [False, None])
def test_drift_in_the_directory_is_repaired(tell: Tell, shown: bool | None) -> None:
    story = watched(tell)
    directory_device(story).is_compliant = shown
    story.passes(HOUR + 120, every=30)
    assert (story.entra_shows, "drift.repaired" in story.audit()) == (True, True)


def test_a_device_that_nobody_linked_is_not_ours_to_judge(tell: Tell) -> None:
    story = watched(tell)
    for device in story.sandbox.world.devices.values():
        device.is_compliant = True
    story.passes(2 * HOUR, every=60)
    assert len(story.uploads()) == 1


# lists that are not what they should be

LISTS = ("mdm/devices/search", "v1.0/devices")


class Breaks:
    """Spoils one page of every whole list: the `n`th that comes."""

    def __init__(self, how: Callable[[bytes], bytes], n: int) -> None:
        self.how, self.left, self.on = how, n, False

    def __call__(self, request: Any, status: int, body: bytes) -> bytes:
        whole = str(request.url).partition("?")[0].lower().endswith(LISTS) and "user=" not in str(request.url)
        if not (self.on and whole and status == 200):
            return body
        self.left -= 1
        return self.how(body) if self.left == 0 else body


def emptied(body: bytes) -> bytes:
    page = json.loads(body)
    return json.dumps({**page, "Devices": [], "value": []} if "Devices" in page else {**page, "value": []}).encode()


HOWS: dict[str, Callable[[bytes], bytes]] = {
    "html": lambda body: b"<!doctype html><title>Maintenance</title>",
    "half": lambda body: body[: len(body) // 2],
    "nothing": lambda body: b"",
    "no rows": emptied,
    "another page": lambda body: body.replace(b'"Page":', b'"Page":7'),
}


@pytest.mark.parametrize("how", HOWS)
def test_a_page_that_does_not_come_ends_nothing_and_the_list_is_read_again(tell: Tell, how: str) -> None:
    """Three rounds, in each of which some page is spoilt."""
    breaks = Breaks(HOWS[how], 0)
    story = watched(tell, change=breaks)
    rng, before = random.Random(20261126), looks(story)
    for _ in range(3):
        breaks.on, breaks.left = True, rng.randrange(1, 4)
        story.passes(HOUR, every=60)
        breaks.on = False
        story.passes(600, every=60)
    assert (story.link_states(), len(story.uploads()), story.entra_shows) == ([LinkState.ACTIVE], 1, True)
    assert story.push.says_compliant
    assert all(row(story, name).failing_since is None for name in (SWEEP, DIRECTORY_SWEEP))
    if how != "no rows":  # a page of the directory may well be empty: then a look at either side finds it alive
        assert looks(story) == before


@pytest.mark.parametrize(("service", "kind"), [("workspace_one", "shifted"), ("graph", "shifted"), ("workspace_one", "unlisted")])
def test_a_record_that_a_whole_list_leaves_out_is_looked_at_and_lives(tell: Tell, service: str, kind: str) -> None:
    """Moved between two pages while they were read; or the list is empty, which says nothing."""
    story = watched(tell)
    path, before = "/devices" if service == "graph" else "devices/search", looks(story)
    for _ in range(2):
        story.fault(service, kind, path=path)
        story.passes(HOUR + 60, every=60)
        story.sandbox.faults.clear()
    assert (story.link_states(), len(story.uploads()), story.entra_shows) == ([LinkState.ACTIVE], 1, True)
    if kind == "unlisted":
        assert looks(story) == before


@pytest.mark.parametrize(
    ("service", "kind"), [("workspace_one", "html"), ("graph", "garbled"), ("graph", "down"), ("workspace_one", "throttle")]
)
def test_T8_lists_that_never_come_change_nothing_and_say_since_when(tell: Tell, service: str, kind: str) -> None:
    story = watched(tell)
    name = SWEEP if service == "workspace_one" else DIRECTORY_SWEEP
    begun = story.world.clock()
    story.fault(service, kind)
    story.passes(2 * HOUR, every=300)
    bad = row(story, name)
    assert bad.failing_since is not None
    assert begun < bad.failing_since < begun + timedelta(minutes=61)
    assert (bad.done_at or begun) <= begun
    assert (bad.reason or "").startswith("mdm_" if service == "workspace_one" else "directory_")
    assert (story.link_states(), len(story.uploads()), story.entra_shows) == ([LinkState.ACTIVE], 1, True)
    story.sandbox.faults.clear()
    story.passes(600, every=30)
    assert (row(story, name).failing_since, row(story, name).reason) == (None, None)


@pytest.mark.parametrize("word", ["PendingComplianceCheck", "SomethingNew", ""])
def test_T8_a_list_never_grants(tell: Tell, word: str) -> None:
    """The list praises a record which, read by itself, nobody vouches for; and the other way round it is looked at."""
    praising = {"on": False}

    def praise(request: Any, status: int, body: bytes) -> bytes:
        if praising["on"] and "/devices/search" in str(request.url) and status == 200 and body:
            page = json.loads(body)
            rows = [{**r, "ComplianceStatus": "Compliant", "CompromisedStatus": False} for r in page["Devices"]]
            return json.dumps({**page, "Devices": rows}).encode()
        return body

    story = watched(tell, change=praise)
    story.reports_health(jailbroken=True)
    story.passes(330)
    assert downs(story) == 1
    praising["on"] = True
    story.remotes.record.compliance_override = word
    story.passes(2 * HOUR, every=60)
    assert (story.entra_shows, downs(story), len(story.uploads())) == (False, 1, 2)


def test_T9_a_frozen_list_renews_no_longer_than_the_devices_last_check_in(tell: Tell) -> None:
    story = watched(tell)
    story.passes(13 * 24 * HOUR, every=12 * HOUR)
    assert story.entra_shows is True
    story.passes(30 * HOUR, every=2 * HOUR)
    assert (story.entra_shows, story.push.reasons) == (False, ("not_seen_lately",))


def test_T9_without_the_directorys_list_the_mdms_list_alone_renews_nothing(tell: Tell) -> None:
    story = watched(tell)
    story.fault("graph", "html", path="v1.0/devices")
    story.passes(70 * HOUR, every=2 * HOUR)
    assert story.entra_shows is True
    story.passes(4 * HOUR, every=600)
    assert story.entra_shows is False


# polls


@pytest.mark.parametrize("skew", [-10, 10])
def test_a_clock_that_is_wrong_by_ten_minutes_at_the_mdm_costs_a_sweep_at_most(tell: Tell, skew: int) -> None:
    story = watched(tell)
    story.reports_health(jailbroken=True)
    story.remotes.record.last_seen += timedelta(minutes=skew)
    story.passes(HOUR + 120, every=30)
    assert (story.entra_shows, downs(story)) == (False, 1)


def test_a_record_that_is_listed_late_is_still_polled(tell: Tell) -> None:
    """The device reported before the poll, the list shows it after: the checkpoint is held back behind the round's beginning."""
    story = watched(tell)
    story.reports_health(jailbroken=True)
    story.remotes.record.listed_at = story.world.clock() + timedelta(minutes=9)
    story.passes(8 * 60, every=30)
    assert story.entra_shows is True
    story.passes(4 * 60, every=30)
    assert story.entra_shows is False


def test_the_checkpoint_moves_only_when_all_pages_came(tell: Tell) -> None:
    story = watched(tell)
    before = row(story, POLL).checkpoint
    story.fault("workspace_one", "server_error", path="devices/search")
    story.passes(HOUR / 2, every=60)
    assert (row(story, POLL).checkpoint, row(story, POLL).attempts > 2) == (before, True)
    story.sandbox.faults.clear()
    story.passes(360, every=60)
    after = row(story, POLL).checkpoint
    assert before is not None
    assert after is not None
    assert story.world.clock() - timedelta(minutes=12) < after < story.world.clock() - timedelta(minutes=5)


def test_a_worker_that_was_down_for_a_day_sweeps_and_polls_no_further_back_than_a_sweep(tell: Tell) -> None:
    story = watched(tell)
    story.reports_health(jailbroken=True)
    story.sandbox.world.advance(24 * HOUR)
    begun = story.world.clock()
    story.passes(60)
    assert (story.entra_shows, downs(story)) == (False, 1)
    [asked] = [e["query"]["seensince"] for e in story.ledger() if e["at"] >= begun.isoformat() and "seensince" in e["query"]]
    assert asked >= f"{begun - timedelta(hours=1):%Y-%m-%dT%H:%M:%S}"


# manners of a pass


def test_one_wake_up_reads_a_few_pages_and_goes_on_at_its_cursor(tell: Tell) -> None:
    story = among_others(tell, page_size=1)
    story.is_watched(pages=1)
    records = len(story.sandbox.world.records)
    assert records > 1
    for n in range(1, records):
        watch(SWEEP, world=story.world)
        assert row(story, SWEEP).cursor == f"{n}.{n}"
        assert row(story, SWEEP).done_at is None
    watch(SWEEP, world=story.world)
    assert (row(story, SWEEP).cursor, row(story, SWEEP).done_at is None) == (None, False)
    assert reads(story, "devices/search") == records


def test_an_outage_in_the_middle_goes_on_at_the_same_page(tell: Tell) -> None:
    story = among_others(tell, page_size=1)
    story.is_watched(pages=1)
    watch(SWEEP, world=story.world)
    place = row(story, SWEEP)
    story.fault("workspace_one", "throttle", retry_after=900)
    watch(SWEEP, world=story.world)
    parked = row(story, SWEEP)
    assert (parked.cursor, parked.began_at, parked.reason) == (place.cursor, place.began_at, "mdm_busy")
    assert parked.next_look_at is not None
    assert parked.next_look_at >= story.world.clock() + timedelta(seconds=890)


def test_a_late_worker_changes_nothing(tell: Tell) -> None:
    """It sleeps with a bad page in its hand; meanwhile the watch was woken again."""
    asleep: list[Callable[[], object]] = []

    def meanwhile(request: Any, status: int, body: bytes) -> bytes:
        if asleep and "/devices/search" in str(request.url) and "seensince" not in str(request.url):
            asleep.pop()()
        return body

    story = watched(tell, change=meanwhile)
    wiped(story)
    asleep.append(lambda: story.store.wake_due(story.world.clock() + timedelta(hours=2)))
    before = story.push
    watch(SWEEP, world=story.world)
    assert not asleep
    after = row(story, SWEEP)
    assert (after.wake, after.good_at is not None and after.good_at < story.world.clock()) == (1, True)
    assert after.cursor is None
    marked = story.push
    assert (marked.next_look_at, marked.lane) != (before.next_look_at, Lane.REVOKE)
    assert marked.desired is Verdict.COMPLIANT


def test_a_watch_whose_connection_is_gone_rests(tell: Tell) -> None:
    story = watched(tell)
    story.with_world(managers={})
    story.passes(HOUR + 60, every=300)
    assert (row(story, SWEEP).next_look_at, row(story, SWEEP).reason) == (None, "no_such_source")
    assert story.link_states() == [LinkState.ACTIVE]
