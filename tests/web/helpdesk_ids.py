"""The ids of texts that the helpdesk's pages put together: their beginnings, and what may follow."""

import inspect
import re

from remediation.appearance_commands import FAULTS
from remediation.domain.access import State
from remediation.domain.compliance import MdmWord, Verdict
from remediation.domain.evidence import Level
from remediation.domain.health import Cause, Condition
from remediation.domain.matching import WHY_NOT
from remediation.domain.repairs import BECAUSE as REPAIRED_BECAUSE
from remediation.domain.repairs import REPAIRS, Mark, Repair
from remediation.domain.sign_in_proof import Record
from remediation.domain.steps import Step
from remediation.domain.work import Kind
from remediation.errors import WhoActs
from remediation.services import stuck
from remediation.services.end_sessions import BECAUSE
from remediation.services.look_up import KINDS
from remediation.web import connection_words, helpdesk_cards, helpdesk_panel, helpdesk_repairs, helpdesk_timeline

SOURCE = "".join(map(inspect.getsource, (helpdesk_panel, helpdesk_cards, connection_words)))
REMOTES = {"entra", "directory", "channel", "mdm"}
COLUMNS = {"managed", "directory", "sent", "shown"}
WORDS = {
    *("go", "held", "yes", "no", "unread", "nothing", "this_person", "another_person", "all_users", "link_active", "link_pending"),
    *(word.value for kind in (MdmWord, Verdict) for word in kind),
    *(f"level_{level.name.lower()}" for level in Level),
    *(f"log_{record.value}" for record in Record),
    *(f"why_{why}" for why in WHY_NOT),
    *(f"because_{one}" for one in BECAUSE + REPAIRED_BECAUSE),
    *(f"slot_{why}" for why in connection_words.SLOTS),
}
SLOTS = {f"{what}_{platform}" for what in ("slot", "holder") for platform in connection_words.SLOT_PLATFORMS}
CHOOSES = {repair.value for repair in REPAIRS} - {"check_again", "close", "reopen"}
TARGETS = {"device", "managed", "registered", "active", "pending"}

ACCESS = {state.value for state in State}

MADE_UP: dict[str, set[str]] = {
    "work.kind.": {kind.value for kind in Kind},
    "work.do.": {"take", "release"},
    "work.whose.": {"mine", "free"},
    "incident.fault.": {"empty", "long", "until"},
    "appearance.fault.": set(FAULTS),
    "appearance.kind.": {"phone", "hours", "accent", "accent_dark", "logo", "text"},
    **{f"access.{part}.": {"asked", "approved", "given", "ending", "denied", "failed", "over"} for part in ("state", "next")},
    "access.desk.state.": ACCESS,
    "access.desk.not.": {"own", "same", "decided", "too_late"},
    "access.desk.approve.": {"asked", "first"},
    "access.desk.": {"answer", "note"},
    "helpdesk.state.": {*(step.value for step in Step), "relay"},
    "helpdesk.stuck.": {*stuck.WHO, *(f"remote_{remote}" for remote in stuck.REMOTES), "failed", "other", "source"},
    "helpdesk.repair.": stuck.KINDS_OF_REPAIR,
    "helpdesk.who.": {who.value for who in WhoActs},
    "helpdesk.column.": COLUMNS,
    "helpdesk.call.": set(stuck.REMOTES),
    "helpdesk.none.": COLUMNS,
    "helpdesk.fact.": {*re.findall(r'\bFact\("(\w+)"', SOURCE), *SLOTS},
    "helpdesk.word.": WORDS,
    "helpdesk.differs.": {"name", "model", "system", *re.findall(r'\bDifference\("(\w+)"\)', SOURCE)},
    "helpdesk.actor.": {*helpdesk_timeline.ACTORS, "seen", "themself"},
    "helpdesk.detail.": helpdesk_timeline.DETAILS,
    "audit.": helpdesk_timeline.EVENTS,
    **{f"repair.{part}.": {repair.value for repair in Repair} for part in ("name", "does", "not", "do", "effect")},
    "repair.which.": CHOOSES,
    "repair.target.": {*TARGETS, "show", "mail"},
    "repair.since.": TARGETS,
    "repair.in_entra.": {"1", "2", "3", "4"},
    "repair.start.": {"shown", "wanted", "sent", "failed"},
    "repair.way.": helpdesk_repairs.WAYS,
    "repair.entry.": {"linked", "disabled", "young", "newest", "old"},
    "repair.mark.": {mark.value for mark in Mark},
    "repair.disabling.": {*helpdesk_repairs.NOT_DISABLED, "wanted", "done"},
    "helpdesk.next.": {*(step.value for step in Step), "relay"},
    "helpdesk.source.": {"directory", "mdm", "channel"},
    "helpdesk.kind.": set(KINDS),
    **{f"connections.{part}.": REMOTES for part in ("name", "who")},
    "connections.then.": {*REMOTES, "nobody"},
    "connections.condition.": {condition.value for condition in Condition},
    **{f"connections.{part}.": {cause.value for cause in Cause} for part in ("cause", "do")},
}
