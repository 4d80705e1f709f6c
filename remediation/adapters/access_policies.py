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
    # graph-docs resources/conditionalaccesspolicy.md, conditionalaccessapplications.md, conditionalaccessgrantcontrols.md,
    # conditionalaccessdevices.md, conditionalaccessfilter.md, conditionalaccessplatforms.md
    conditions = item.within("conditions")
    apps = conditions.within("applications")
    devices = conditions.within("devices") if conditions.raw("devices") is not None else None
    filter_ = devices.within("deviceFilter") if devices is not None and devices.raw("deviceFilter") is not None else None
    platforms = conditions.within("platforms") if conditions.raw("platforms") is not None else None
    # resources/conditionalaccessusers.md
    users = conditions.within("users") if conditions.raw("users") is not None else None
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
        mode=(filter_.text("mode") or "").lower() if filter_ is not None else None,
        rule=filter_.text("rule") or "" if filter_ is not None else None,
        platforms=_words(platforms, "includePlatforms"),
        not_platforms=_words(platforms, "excludePlatforms"),
        actions=frozenset(apps.texts("includeUserActions")) if apps.raw("includeUserActions") is not None else frozenset(),
        clients=_words(conditions, "clientAppTypes"),
    )


def _words(fields: Fields | None, name: str) -> frozenset[str]:
    return frozenset(fields.texts(name)) if fields is not None and fields.raw(name) is not None else frozenset()
