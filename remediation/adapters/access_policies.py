"""Conditional Access policies, read through Microsoft Graph v1.0, as `ports.Policies`. For the doctor alone.

Permission: Policy.Read.All, which may be missing.
"""

from collections.abc import Sequence

from ..domain.device_policy import AccessPolicy
from . import odata
from .http import Fields, Remote


class GraphPolicies:
    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def policies(self) -> Sequence[AccessPolicy]:
        # graph-docs api-reference/v1.0/api/conditionalaccessroot-list-policies.md
        page = self._remote.call("GET", "identity/conditionalAccess/policies").fields()
        return [_policy(item) for item in odata.items(self._remote, page)]


def _policy(item: Fields) -> AccessPolicy:
    # graph-docs resources/conditionalaccesspolicy.md, conditionalaccessapplications.md, conditionalaccessgrantcontrols.md
    apps = item.within("conditions").within("applications")
    # resources/conditionalaccessusers.md
    users = item.within("conditions").within("users") if item.within("conditions").raw("users") is not None else None
    grant = item.within("grantControls") if item.raw("grantControls") is not None else None
    return AccessPolicy(
        name=item.text("displayName") or "",
        enforced=item.text("state") == "enabled",
        controls=frozenset(grant.texts("builtInControls")) if grant is not None else frozenset(),
        any_of=grant is not None and grant.text("operator") == "OR",
        included=frozenset(apps.texts("includeApplications")),
        excluded=frozenset(apps.texts("excludeApplications")),
        filtered=apps.raw("applicationFilter") is not None,
        left_out=frozenset(group.lower() for group in users.texts("excludeGroups")) if users is not None else frozenset(),
    )
