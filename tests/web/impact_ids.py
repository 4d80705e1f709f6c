"""The ids of texts that the pages of the impact preview put together: their beginnings, and what may follow."""

from remediation.domain.impact import Reason
from remediation.services.waves import WAYS
from remediation.web import impact_pages, impact_shown, preview_pages

REASONS = {reason.value for reason in Reason}
ERRORS = {f"impact_{why}" for why in impact_pages.REFUSALS | {"unclear"}}

MADE_UP: dict[str, set[str]] = {
    "impact.reason.": REASONS,
    "impact.column.": {"platform", *REASONS},
    "impact.tile.": {"people", "through", "touched"},
    "impact.state.": {"counting", "incomplete", "stopped"},
    "impact.state_text.": {"incomplete", "stopped"},
    "impact.now.": {"begin", "judge", *impact_shown.LIST_KINDS},
    "impact.list.": set(impact_shown.LIST_KINDS),
    "impact.why.": set(impact_shown.WHY),
    "impact.way.": set(WAYS),
    "impact.tell_way.": set(WAYS),
    "impact.wave_state.": {"sending", "done", "stopped"},
    "impact.told.": set(impact_shown.TOLD),
    "impact.pause_of.": {str(minutes) for minutes in impact_pages.PAUSES},
    "preview.name.": set(preview_pages.STEPS),
}
