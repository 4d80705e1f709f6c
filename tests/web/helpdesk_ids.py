"""The ids of texts that the helpdesk's pages put together: their beginnings, and what may follow."""

import inspect
import re

from remediation.domain.access import State
from remediation.domain.compliance import MdmWord, Verdict
from remediation.domain.evidence import Level
from remediation.domain.health import Cause, Condition
from remediation.domain.matching import WHY_NOT
from remediation.domain.sign_in_proof import Record
from remediation.domain.steps import Step
from remediation.domain.work import Kind
from remediation.errors import WhoActs
from remediation.services import stuck
from remediation.services.end_sessions import BECAUSE
from remediation.web import connection_words, helpdesk_cards, helpdesk_panel, helpdesk_timeline

SOURCE = "".join(map(inspect.getsource, (helpdesk_panel, helpdesk_cards, connection_words)))
REMOTES = {"entra", "directory", "channel", "mdm"}
COLUMNS = {"managed", "directory", "sent", "shown"}
WORDS = {
    *("go", "held", "yes", "no", "unread", "nothing", "this_person", "another_person", "all_users", "link_active", "link_pending"),
    *(word.value for kind in (MdmWord, Verdict) for word in kind),
    *(f"level_{level.name.lower()}" for level in Level),
    *(f"log_{record.value}" for record in Record),
    *(f"why_{why}" for why in WHY_NOT),
    *(f"because_{one}" for one in BECAUSE),
}

ACCESS = {state.value for state in State}

MADE_UP: dict[str, set[str]] = {
    "work.kind.": {kind.value for kind in Kind},
    "work.do.": {"take", "release"},
    "work.whose.": {"mine", "free"},
    "incident.fault.": {"empty", "long", "until"},
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
    "helpdesk.fact.": set(re.findall(r'\bFact\("(\w+)"', SOURCE)),
    "helpdesk.word.": WORDS,
    "helpdesk.differs.": {"name", "model", "system", *re.findall(r'\bDifference\("(\w+)"\)', SOURCE)},
    "helpdesk.actor.": {*helpdesk_timeline.ACTORS, "seen", "themself"},
    "helpdesk.detail.": helpdesk_timeline.DETAILS,
    "audit.": helpdesk_timeline.EVENTS,
    **{f"connections.{part}.": REMOTES for part in ("name", "who")},
    "connections.then.": {*REMOTES, "nobody"},
    "connections.condition.": {condition.value for condition in Condition},
    **{f"connections.{part}.": {cause.value for cause in Cause} for part in ("cause", "do")},
}
