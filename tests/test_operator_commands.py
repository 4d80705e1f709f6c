"""The commands of whoever runs the product, on a real database; in this process, since a fresh one each costs seconds."""

import getpass
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from remediation.commands import remediation
from remediation.domain.compliance import Decision, Verdict
from remediation.domain.device import Platform
from remediation.domain.push import Lane
from remediation.services.audit_log import seal
from remediation.services.start_journey import start_journey
from remediation.settings import PREFIX
from remediation.store import DbosWakeups, SqlStore, make_engine, migrate
from remediation.store.seals import SqlSeals
from remediation.store.sessions import SqlSessions
from remediation.store.tables import audit, journeys, pushes, watches
from remediation.terminal import moment
from tests.domain.test_appearance import png
from tests.people import HEALTHY, MANAGED_PHONE, MIA
from tests.store.scenes import BAD, GOOD, Scene

TENANT = "8f5c1d3e-2a47-4c0b-9d6e-1b7f0a9c2e55"
FOREIGN = dict.fromkeys(name for name in os.environ if name.startswith(PREFIX))
AUDIT_KEY, OTHER_KEY = "nK3wXv8pQz5rTm1yJd7bLf2hGc9sEa4u", "Hq6tZr0bMx8cVn2kWj5pLs9dFg3aYe7u"
PLANTED = "\x1b[31mred\x1b]0;owned\x07 iPhone"


class Ground:
    """A migrated database with Mia and her linked phone, and the settings that lead to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder}/kept.sqlite"
        migrate(self.url)
        self.settings = {PREFIX + "DATABASE_URL": self.url, PREFIX + "TENANT_ID": TENANT, PREFIX + "AUDIT_KEY": AUDIT_KEY}
        self.engine = make_engine(self.url, durable=False)
        self.store = SqlStore(self.engine, TENANT, DbosWakeups(self.engine))
        self.scene = Scene(self.engine, self.store)
        self.now = datetime.now(UTC)

    def sealed(self, key: str = AUDIT_KEY) -> None:
        seal(SqlSeals(self.engine, TENANT), key, lambda: datetime.now(UTC))

    def linked(self) -> Scene:
        self.scene.arrive()
        self.scene.link()
        return self.scene

    def put(self, statement: sa.Executable) -> None:
        with self.engine.begin() as connection:
            connection.execute(statement)

    def fails(self, name: str = "mdm:ws1/poll", *, hours: float = 2, **more: Any) -> None:
        since = self.now - timedelta(hours=hours)
        values = {"failing_since": since, "good_at": since, "reason": "mdm_refused", **more}
        self.put(sa.insert(watches).values(tenant_id=TENANT, name=name, **values))

    def says(self, *command: str, status: int = 0) -> str:
        told = CliRunner().invoke(remediation, command, env={**FOREIGN, **self.settings}, catch_exceptions=False)
        assert told.exit_code == status, told.output
        return told.output

    def audited(self, why: str) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(sa.select(audit).where(audit.c.why == why)).all())


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    made = Ground(tmp_path)
    yield made
    made.engine.dispose()


def test_nothing_is_stuck(ground: Ground) -> None:
    assert ground.says("stuck") == "Everything rests.\n"


def test_what_is_stuck_is_told_with_who_can_act_and_a_repair_that_works(ground: Ground) -> None:
    scene = ground.linked()
    scene.desire(GOOD)
    ground.put(sa.text("UPDATE managed_devices SET name = :name").bindparams(name=PLANTED))
    soon = ground.now + timedelta(minutes=9)
    push = scene.push()
    ground.store.note_push("l1", wake=push.wake, seq=push.desired_seq, next_at=soon, attempts=4, reason="channel_refused")
    ground.fails()
    told = ground.says("stuck", status=1)
    for words in (
        *("2 rows do not rest", "link l1", "mia.berger@contoso.example", "[refused]", "tried 4 times", "next try in "),
        *("An administrator can act.", "checks the credential", "remediation stuck retry l1", "watch mdm:ws1/poll"),
    ):
        assert words in told
    assert "\x1b" not in told
    assert "\x07" not in told
    assert "2 more" in ground.says("stuck", "--limit", "0", status=1)
    wake = scene.push().wake
    assert "looked at now" in ground.says("stuck", "retry", "l1", "--why", "consent was given again")
    assert scene.push().wake == wake + 1
    [row] = ground.audited("stuck.retried")
    assert (row.actor_kind, row.actor_id, row.about_id) == ("operator", getpass.getuser(), "l1")
    assert row.detail == {"because": "consent was given again"}
    assert "no link, journey or watch l2" in ground.says("stuck", "retry", "l2", status=2)


def test_the_commands_want_a_database_and_a_tenant(ground: Ground, tmp_path: Path) -> None:
    del ground.settings[PREFIX + "TENANT_ID"]
    assert "REMEDIATION_TENANT_ID is not set" in ground.says("stuck", status=2)
    ground.settings[PREFIX + "TENANT_ID"] = TENANT
    ground.settings[PREFIX + "DATABASE_URL"] = f"sqlite:///{tmp_path}/none.sqlite"
    assert "remediation migrate" in ground.says("stuck", status=2)
    assert not (tmp_path / "none.sqlite").exists()


def test_an_open_revocation_keeps_its_lane(ground: Ground) -> None:
    scene = ground.linked()
    scene.desire(BAD, lane=Lane.REVOKE)
    ground.says("stuck", "retry", "l1")
    assert scene.push().lane is Lane.REVOKE


def test_leases_are_counted_and_extended_once(ground: Ground) -> None:
    assert ground.says("leases") == "No device is linked yet.\n"
    scene = ground.linked()
    read_at = ground.now - timedelta(hours=70)
    scene.see_managed(replace(MANAGED_PHONE, posture=replace(HEALTHY, last_seen=read_at, read_at=read_at)), at=ground.now)
    push = scene.desire(Decision(Verdict.COMPLIANT, (), ground.now + timedelta(hours=2)), read_at=read_at)
    with scene.change("confirmed") as change:
        change.confirmed("l1", seq=push.desired_seq, by="changed")
    ground.fails(hours=3)
    told = ground.says("leases")
    assert ["ws1", "1", "0", "1", "1", "1"] in [line.split() for line in told.splitlines()]
    assert "(3 h" in told
    assert "mdm_refused" in told
    assert "remediation leases extend ws1 --why" in told
    assert "Missing option '--why'" in ground.says("leases", "extend", "ws1", status=2)
    until = read_at + timedelta(days=7)
    assert f"1 device stands as compliant for longer now, the latest until {moment(until)}" in ground.says(
        "leases", "extend", "ws1", "--why", "power cut"
    )
    assert scene.push().compliant_until == until
    assert "1 lease extended at" in ground.says("leases")
    assert "once" in ground.says("leases", "extend", "ws1", "--why", "again", status=2)
    [row] = ground.audited("leases.extended")
    assert (row.actor_kind, row.actor_id, row.detail["because"]) == ("operator", getpass.getuser(), "power cut")
    assert "No MDM connection ws9" in ground.says("leases", "extend", "ws9", "--why", "x", status=2)


def test_a_worker_that_left_nothing_behind(ground: Ground) -> None:
    assert ground.says("work", "takeover", "worker-7") == "worker-7 left nothing behind.\n"
    assert ground.audited("work.taken_over") == []


def test_what_a_vanished_worker_left_is_handed_on_and_audited(ground: Ground) -> None:
    ground.linked()
    ground.put(sa.text("UPDATE workflow_status SET status = 'PENDING', executor_id = 'worker-7'"))
    assert ground.says("work", "takeover", "worker-7", "--why", "its host burned") == "1 wake-up of worker-7 handed on.\n"
    [row] = ground.audited("work.taken_over")
    assert (row.about_id, row.detail) == ("worker-7", {"because": "its host burned", "count": 1})
    with ground.engine.connect() as connection:
        found = connection.execute(sa.text("SELECT status, queue_name FROM workflow_status")).all()
    assert [tuple(row) for row in found] == [("ENQUEUED", "push")]


def test_the_audit_is_verified_and_says_what_the_newest_seal_is(ground: Ground, tmp_path: Path) -> None:
    ground.linked()
    assert "2 rows wait for the seal" in ground.says("audit", "verify")
    ground.sealed()
    told = ground.says("audit", "verify")
    assert "2 rows checked, each as it was sealed." in told
    head = SqlSeals(ground.engine, TENANT).head()
    assert head is not None
    assert f"Newest seal: row 2, {head.sealed_at.isoformat(timespec='seconds')}, {head.digest}" in told
    anchor = {"event": "audit.anchor", "tenant": TENANT, "seq": 2, "digest": head.digest, "sealed_at": "2026"}
    file = tmp_path / "shipped.log"
    lines = ["nothing", "{not json audit.anchor", f"host app: {json.dumps({**anchor, 'tenant': 'another', 'seq': 9})}"]
    file.write_text("\n".join(lines))
    assert "holds no `audit.anchor` line of this tenant" in ground.says("audit", "verify", "--anchor", str(file), status=2)
    file.write_text("\n".join([*lines, f"2026-11-26 host app: {json.dumps(anchor)}"]))
    assert "1 anchor met." in ground.says("audit", "verify", "--anchor", str(file))
    file.write_text(json.dumps({**anchor, "seq": 7}))
    told = ground.says("audit", "verify", "--anchor", str(file), status=1)
    assert "Row 3: cut at its new end. The anchor of 2026 knows row 7" in told
    assert "Who can act: the security officer." in told


def test_T28_the_command_names_the_first_bad_row_and_who_can_act(ground: Ground) -> None:
    ground.linked()
    ground.sealed()
    ground.put(sa.text("DROP TRIGGER audit_no_update"))
    ground.put(sa.text("UPDATE audit SET actor_id = 'somebody else' WHERE id = 1"))
    told = ground.says("audit", "verify", status=1)
    assert "Row 1 (id 1): changed." in told
    assert "Who can act: the security officer." in told


def test_T26_the_check_knows_earlier_keys_and_refuses_weak_ones(ground: Ground) -> None:
    ground.linked()
    ground.sealed(OTHER_KEY)
    assert "neither REMEDIATION_AUDIT_KEY nor among" in ground.says("audit", "verify", status=1)
    ground.settings[PREFIX + "AUDIT_KEY_FALLBACKS"] = OTHER_KEY
    assert "each as it was sealed" in ground.says("audit", "verify")
    for weak in ("short", "changeme" * 8, "a" * 40):
        ground.settings[PREFIX + "AUDIT_KEY"] = weak
        assert "REMEDIATION_AUDIT_KEY" in ground.says("audit", "verify", status=2)
    del ground.settings[PREFIX + "AUDIT_KEY"]
    assert "REMEDIATION_AUDIT_KEY is not set" in ground.says("audit", "verify", status=2)


def test_a_person_is_exported_to_a_new_file_that_nobody_else_reads(ground: Ground, tmp_path: Path) -> None:
    ground.linked()
    told = json.loads(ground.says("export", "mia"))
    assert (told["people"][0]["name"], len(told["device_links"])) == ("Mia Berger", 1)
    file = tmp_path / "mia.json"
    assert "rows written to" in ground.says("export", "mia", "--to", str(file), "--why", "her letter of May")
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text())["audit"][-1]["detail"] == {"because": "her letter of May"}
    assert "Name a file that does not exist yet." in ground.says("export", "mia", "--to", str(file), status=2)
    assert "Nothing is held of nobody." in ground.says("export", "nobody", status=2)
    assert {row.actor_id for row in ground.audited("person.exported")} == {getpass.getuser()}


def test_a_person_is_erased_once_microsoft_has_taken_the_end(ground: Ground) -> None:
    scene = ground.linked()
    assert "Nothing is held of nobody." in ground.says("erase", "nobody", status=2)
    asked = CliRunner().invoke(remediation, ["erase", "mia"], input="n\n", env={**FOREIGN, **ground.settings})
    assert asked.exit_code == 1
    assert "1 linked device of theirs will be taken down at Microsoft." in asked.output
    assert ground.audited("link.ended") == []
    told = ground.says("erase", "mia", "--yes", "--wait", "0", status=2)
    assert "Nothing is erased yet: 1 device of theirs" in told
    assert "See that a worker runs" in told
    [row] = ground.audited("link.ended")
    assert (row.actor_kind, row.detail) == ("operator", {"because": "erased"})
    push = scene.push()
    with scene.change("push.confirmed") as change:
        change.confirmed("l1", seq=push.desired_seq, by="changed")
    ground.store.note_push("l1", wake=push.wake, seq=push.desired_seq, next_at=None, attempts=0, reason=None)
    assert "Erased: pushes 1, device_links 1" in ground.says("erase", "mia", "--yes", "--why", "her letter of May")
    [row] = ground.audited("person.erased")
    assert (row.actor_id, row.about_id, row.detail["because"]) == (getpass.getuser(), "mia", "her letter of May")
    ground.sealed()
    assert "each as it was sealed" in ground.says("audit", "verify")
    assert "Nothing is held of mia." in ground.says("erase", "mia", status=2)


def test_figures_are_told_as_tables_and_as_json(ground: Ground) -> None:
    ground.linked()
    start_journey(ground.store, MIA, browser="b" * 32, entrance="enrollment", platform=Platform.IOS, now=datetime.now(UTC))
    told = [line.split() for line in ground.says("figures").splitlines()]
    assert ["enrollment", "ios", "1", "0", "0", "0", "1", "0"] in told
    assert ["from_arrival", "all", "0", "-", "-"] in told
    found = json.loads(ground.says("figures", "--json", "--platform", "ios"))
    assert (found["platform"], found["tables"]["journeys"][-1]["begun"]) == ("ios", 1)
    assert json.loads(ground.says("figures", "--json", "--to", "2026-01-31"))["from"] == "2026-01-04"
    for wrong, words in (
        (("--from", "monday"), "A day is written as"),
        (("--from", "2020-01-01"), "At most 400 days"),
        (("--connection", "ws9"), "No MDM connection"),
        (("--from", "2026-02-02", "--to", "2026-02-01"), "comes after"),
    ):
        assert words in ground.says("figures", *wrong, status=2)


def test_compliant_without_fresh_evidence_ends_the_command_with_1(ground: Ground) -> None:
    ground.linked().desire(Decision(Verdict.COMPLIANT, (), ground.now + timedelta(hours=2)), read_at=ground.now)
    assert "standing_past_lease" in ground.says("figures")
    ground.put(sa.update(pushes).values(compliant_until=ground.now - timedelta(hours=1)))
    told = [line.split() for line in ground.says("figures", status=1).splitlines()]
    assert ["standing_past_lease", "1"] in told


def test_T17_a_person_is_signed_out_everywhere_and_nobody_else(ground: Ground) -> None:
    sessions = SqlSessions(ground.engine, TENANT)
    who = {"mia": "safari", "noah": "edge"}
    tokens = {oid: sessions.begin(oid=oid, name=oid, roles=(), browser=browser, at=ground.now) for oid, browser in who.items()}
    assert "Missing option '--why'" in ground.says("sign-out", "mia", status=2)
    assert ground.says("sign-out", "mia", "--why", "her laptop was stolen") == "Signed out in 1 browser.\n"
    assert [sessions.find(token, at=ground.now) is None for token in tokens.values()] == [True, False]
    assert ground.says("sign-out", "mia", "--why", "again") == "mia was signed in nowhere.\n"
    row, _ = ground.audited("sessions.ended")
    assert (row.actor_id, row.about_id, row.detail) == (getpass.getuser(), "mia", {"because": "her laptop was stolen", "ended": 1})


def test_T27_repairs_at_the_command_line_are_those_of_the_pages(ground: Ground) -> None:
    link = ground.linked().journey().link
    assert link is not None
    listed = ground.says("repair", "mia")
    assert all(name in listed for name in ("check_again", "end_link", f"--target {link.id}", "reopen"))
    assert "disable_device" not in listed
    assert "--why is missing" in ground.says("repair", "mia", "end_link", "--target", link.id, status=2)
    assert "end_link is not offered" in ground.says("repair", "mia", "end_link", "--target", "l9", "--why", "lost", status=2)
    assert "There is no person nobody" in ground.says("repair", "nobody", status=2)
    assert ground.audited("repair.end_link") == []
    assert "Link ended by staff" in ground.says("repair", "mia", "end_link", "--target", link.id, "--why", "lost")
    [row] = ground.audited("repair.end_link")
    assert (row.actor_kind, row.actor_id, row.about_id) == ("operator", getpass.getuser(), link.id)
    assert row.detail["because"] == "lost"


def test_the_work_list_says_what_needs_people_and_where_it_goes_on(ground: Ground) -> None:
    assert ground.says("work-list") == "Nothing waits for people.\n"
    scene = ground.linked()
    scene.desire(GOOD)
    ground.put(sa.text("UPDATE managed_devices SET name = :name").bindparams(name=PLANTED))
    push = scene.push()
    ground.store.note_push("l1", wake=push.wake, seq=push.desired_seq, next_at=None, attempts=4, reason="no_channel")
    with scene.change() as change:
        change.need_help("j1", "conflict")
    ground.put(sa.update(journeys).values(expires_at=ground.now + timedelta(hours=23)))
    told = ground.says("work-list", "--limit", "1")
    assert ("stuck" in told, "late)" in told, "[no_channel]" in told, "An administrator can act." in told) == (True,) * 4
    assert "\x1b" not in told
    place = told.rsplit("'", 2)[1]
    rest = ground.says("work-list", "--after", place)
    assert ("help" in rest, "stuck" in rest, "More:" in rest) == (True, False, False)
    assert "no such place" in ground.says("work-list", "--after", "x", status=2)
    assert "[conflict]" in ground.says("work-list", "--kind", "help")


def test_a_sentence_for_everybody_is_said_shown_and_ended(ground: Ground) -> None:
    assert ground.says("incident") == "Nothing is told.\n"
    assert "one language at least" in ground.says("incident", "say", status=2)
    assert "5 minutes to 24 hours" in ground.says("incident", "say", "--en", "Slow.", "--minutes", "2000", status=2)
    assert "On every page" in ground.says("incident", "say", "--en", f"Slow. {PLANTED}", "--de", "Langsam.")
    told = ground.says("incident")
    assert ("en: Slow." in told, "de: Langsam." in told, "\x1b" in told) == (True, True, False)
    assert "taken away" in ground.says("incident", "end")
    assert ground.says("incident", "end") == "Nothing is told.\n"
    [made], [ended] = ground.audited("incident.published"), ground.audited("incident.ended")
    assert (made.actor_kind, made.actor_id, made.about_id) == ("operator", getpass.getuser(), ended.about_id)
    assert "Slow" not in str(made.detail)


CHANGES_NOTHING = {"stuck", "leases", "connections", "check-settings", "audit verify", "audit", "serve", "work", "migrate"}
CHANGES_NOTHING |= {"work-list", "incident", "appearance", "appearance history"}
CHANGES_NOTHING |= {"doctor", "bar", "messages", "figures", "mdm", "mdm groups", "mdm lookup-values", "partner", "partner show"}
CHANGES_NOTHING |= {"scope", "scope show", "scope search", "pilot", "pilot show"}
CHANGES_NOTHING |= {"impact", "onboard status", "onboard apps"}
CHANGES_NOTHING |= {"lock", "lock rule", "lock show"}
"""`serve` and `work` are the processes; `migrate` makes tables, and its --to is audited where it arrives (test_moving.py)."""
AUDITED = {"stuck retry", "leases extend", "work takeover", "export", "erase", "sign-out", "doctor possession", "mdm hooks"}
AUDITED |= {"incident say", "incident end", "appearance set", "appearance ours", "appearance back"}
AUDITED |= {"mdm find", "partner provision", "partner deprovision", "scope set", "pilot start", "pilot stop"}
AUDITED |= {"pilot first", "pilot without"}
AUDITED |= {"impact count", "impact stop", "impact tell", "impact waves", "lock prepare", "lock blocked", "lock give-up", "repair"}
AUDITED |= {"onboard", "onboard set", "onboard test", "onboard go"}
"""Each has a test above that reads its row; others in test_doctor_commands.py, test_mdm_commands.py, test_partner_commands.py,
test_set_up_commands.py, test_onboard_commands.py, test_impact_commands.py, test_lock_commands.py and services/test_pilot.py."""


def test_lesson_TOB_PYPI26_14_every_command_that_changes_something_is_audited() -> None:
    """PyPI's audit found deeds of its administrators that left no trace."""

    def tree(group: click.Group, above: str = "") -> set[str]:
        found = set()
        for name, command in group.commands.items():
            found.add(above + name)
            if isinstance(command, click.Group):
                found |= tree(command, f"{above}{name} ")
        return found

    assert tree(remediation) == CHANGES_NOTHING | AUDITED


def test_what_stands_in_place_of_ours_is_put_there_listed_and_taken_back(ground: Ground) -> None:
    assert ground.says("appearance") == "All is ours.\n"
    assert "below 4.5 to 1" in ground.says("appearance", "set", "accent", "#ffd400", status=2)
    assert "no such thing" in ground.says("appearance", "set", "text/en/nothing", "x", status=2)
    picture = ground.folder / "logo.png"
    picture.write_bytes(b"<svg/>")
    assert "no plain PNG" in ground.says("appearance", "set", "logo", str(picture), status=2)
    picture.write_bytes(png())
    assert "On every page" in ground.says("appearance", "set", "logo", str(picture))
    assert "On every page" in ground.says("appearance", "set", "text/en/welcome.title", f"Hello {PLANTED}")
    told = ground.says("appearance")
    assert (told, "\x1b" in told) == ("logo: a picture\ntext/en/welcome.title: Hello [31mred ]0;owned iPhone\n", False)
    assert "Ours stands there" in ground.says("appearance", "ours", "text/en/welcome.title")
    history = ground.says("appearance", "history", "text/en/welcome.title")
    assert ("ours" in history, "Hello" in history) == (True, True)
    version = history.splitlines()[2].split()[-1]
    assert "On every page" in ground.says("appearance", "back", version)
    assert "Hello" in ground.says("appearance")
    with ground.engine.connect() as connection:
        whys = connection.execute(sa.select(audit.c.actor_kind).where(audit.c.why == "appearance.changed")).scalars().all()
    assert list(whys) == ["operator"] * 4
