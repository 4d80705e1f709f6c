"""Directory.standing: account, licence and chosen groups, what may be missing, and how often it is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from structlog.testing import capture_logs
from werkzeug.wrappers import Response

from remediation.adapters.graph import INTUNE_A, GraphDirectory, vendor_code
from remediation.adapters.http import Remote
from remediation.domain.standing import Standing, not_for_you
from remediation.errors import Garbled, NotFound, Refused
from sandbox.faults import Fault
from tests.conformance.conftest import Raises
from tests.conformance.five import FIVE, SPOILT, Spoilt, raised
from tests.remotes import Remotes
from tests.wsgi_adapter import WSGIAdapter

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PROTOCOL = "Directory.standing"
NOBODY = "00000000-0000-4000-8000-00000000dead"


def group(remotes: Remotes, name: str) -> str:
    return str(next(g.id for g in remotes.sandbox.world.groups.values() if g.name == name))


def standing(remotes: Remotes, name: str = "Mia") -> Standing:
    return remotes.directory.standing(remotes.person(name).oid)


def with_groups(remotes: Remotes, *names: str, **more: Any) -> Remotes:
    return Remotes(remotes.sandbox, groups=tuple(group(remotes, name) for name in names), **more)


def without(remotes: Remotes, *permissions: str) -> None:
    for roles in remotes.sandbox.world.apps["service"].permissions.values():
        roles.difference_update(permissions)


def calls(remotes: Remotes, end: str) -> int:
    return sum(entry.path.endswith(end) for entry in remotes.sandbox.ledger.since(0))


def answers(end: str, value: Any) -> Callable[[requests.PreparedRequest, int, bytes], bytes]:
    """The remote says this at the end of that path."""
    return lambda request, _, body: json.dumps(value).encode() if str(request.url).partition("?")[0].endswith(end) else body


def plan(status: str | None, plan_id: str = INTUNE_A) -> dict[str, Any]:
    return {"servicePlanId": plan_id, "servicePlanName": "x", "provisioningStatus": status, "appliesTo": "User"}


def test_a_person_of_this_company(remotes: Remotes) -> None:
    found = standing(remotes)
    assert (found.account_enabled, found.guest, found.licensed, found.in_scope) == (True, False, True, None)
    assert not_for_you(found) is None
    assert calls(remotes, "checkMemberGroups") == 0, "all users: nothing to ask"


@pytest.mark.parametrize("scenario", ["guest", "no_licence", "not_in_group"])
def test_the_stories_of_those_it_is_not_for(remotes: Remotes, scenario: str) -> None:
    remotes.sandbox.begin(scenario)
    assert not_for_you(standing(Remotes(remotes.sandbox))) == scenario


def test_a_disabled_account(remotes: Remotes) -> None:
    remotes.sandbox.world.persons[remotes.person().oid].enabled = False
    assert not_for_you(standing(remotes)) == "account_disabled"


@pytest.mark.parametrize(
    ("statuses", "licensed"),
    [
        (["Success"], True),
        (["Disabled"], False),
        (["Error"], False),
        (["PendingInput"], None),
        (["PendingActivation"], None),
        (["PendingProvisioning"], None),
        (["success"], None),
        (["SomethingNew"], None),
        ([None], None),
        (["Disabled", "Success"], True),
        (["Error", "PendingInput"], None),
        ([], False),
    ],
)
def test_the_words_of_a_plan(remotes: Remotes, statuses: list[str | None], licensed: bool | None) -> None:
    details = [{"servicePlans": [plan(status), plan("Success", NOBODY)]} for status in statuses]
    told = Remotes(remotes.sandbox, change=answers("/licenseDetails", {"value": details}))
    assert standing(told).licensed is licensed


def test_the_tenant_may_count_another_plan(remotes: Remotes) -> None:
    told = Remotes(remotes.sandbox, change=answers("/licenseDetails", {"value": [{"servicePlans": [plan("Success", NOBODY)]}]}))
    directory = GraphDirectory(told.graph, now=remotes.sandbox.world.now, plans=(INTUNE_A, NOBODY))
    assert directory.standing(remotes.person().oid).licensed is True
    assert standing(told).licensed is False


def test_one_of_the_groups_is_enough(remotes: Remotes) -> None:
    assert standing(with_groups(remotes, "Mobile users", "Pilots")).in_scope is True
    assert standing(with_groups(remotes, "Pilots")).in_scope is False
    assert standing(with_groups(remotes, "Pilots"), "Hanna").in_scope is True


def test_a_group_that_was_never_asked_for_is_no_answer(remotes: Remotes) -> None:
    values: list[Any] = [[NOBODY], [None], [3], "x", None, {}]
    for value in values:
        with pytest.raises(Garbled):
            standing(with_groups(remotes, "Pilots", change=answers("/checkMemberGroups", {"value": value})))


def test_more_groups_than_one_call_takes_are_refused(remotes: Remotes) -> None:
    with pytest.raises(ValueError, match="20"):
        GraphDirectory(remotes.graph, now=remotes.sandbox.world.now, groups=[NOBODY] * 21)


class Refusing:
    """Graph, but for one end of a path that it answers with this error."""

    def __init__(self, remotes: Remotes, end: str, status: int, code: str) -> None:
        self.api, self.end, self.status, self.code = remotes.sandbox.api, end, status, code

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ["PATH_INFO"].endswith(self.end):
            return self.api(environ, start_response)
        body = json.dumps({"error": {"code": self.code, "message": "No.", "innerError": {}}})
        return Response(body, self.status, content_type="application/json")(environ, start_response)


def directory_of(remotes: Remotes, end: str, status: int, code: str) -> GraphDirectory:
    transport = WSGIAdapter(Refusing(remotes, end, status, code))
    credential = remotes.tokens.scope(remotes.facts["graph_scope"], remote="directory")
    graph = Remote("directory", remotes.facts["graph_url"], vendor_code=vendor_code, credential=credential, transport=transport)
    return GraphDirectory(graph, now=remotes.sandbox.world.now, groups=(group(remotes, "Mobile users"),))


@pytest.mark.parametrize(
    ("end", "permission", "lost"),
    [
        ("/licenseDetails", "LicenseAssignment.Read.All", "licensed"),
        ("/checkMemberGroups", "GroupMember.Read.All", "in_scope"),
    ],
)
def test_a_missing_permission_loses_its_own_part_and_is_named(remotes: Remotes, end: str, permission: str, lost: str) -> None:
    directory = directory_of(remotes, end, 403, "Authorization_RequestDenied")
    with capture_logs() as lines:
        for oid in (remotes.person().oid, remotes.person("Noah").oid):
            found = directory.standing(oid)
            assert {name for name in ("account_enabled", "guest", "licensed", "in_scope") if getattr(found, name) is None} == {lost}
            assert not_for_you(found) is None
    named = [line["permission"] for line in lines if line["event"] == "directory.permission_missing"]
    assert named == [permission], "once, not at every look"


def test_groups_without_the_permission_in_the_sandbox(remotes: Remotes) -> None:
    without(remotes, "GroupMember.Read.All")
    found = standing(with_groups(remotes, "Pilots"))
    assert (found.licensed, found.in_scope) == (True, None)


def test_without_the_users_themselves_nothing_is_known(remotes: Remotes, raises: Raises) -> None:
    without(remotes, "User.Read.All")
    with raises(Refused) as refused:
        standing(remotes)
    assert refused.value.status == 403


def test_a_group_that_was_deleted_keeps_nobody_out(remotes: Remotes) -> None:
    directory = directory_of(remotes, "/checkMemberGroups", 404, "Request_ResourceNotFound")
    with capture_logs() as lines:
        assert directory.standing(remotes.person().oid).in_scope is None
    assert "directory.group_missing" in {line["event"] for line in lines}


@pytest.mark.parametrize("end", ["/licenseDetails", "/checkMemberGroups"])
def test_another_refusal_is_not_taken_for_a_missing_permission(remotes: Remotes, raises: Raises, end: str) -> None:
    with raises(Refused):
        directory_of(remotes, end, 400, "Request_BadRequest").standing(remotes.person().oid)


def test_the_user_is_read_once_for_both(remotes: Remotes) -> None:
    oid = remotes.person().oid
    remotes.directory.person(oid)
    remotes.directory.standing(oid)
    assert calls(remotes, f"/users/{oid}") == 1
    remotes.sandbox.world.persons[oid].enabled = False
    remotes.directory.person(oid)
    assert remotes.directory.standing(oid).account_enabled is False, "each look reads the account anew"
    remotes.sandbox.world.persons[oid].enabled = True
    remotes.later(11)
    assert remotes.directory.standing(oid).account_enabled is True, "and nobody lives off an old read"


def test_who_is_kept_out_is_asked_for_each_time_and_others_are_not(remotes: Remotes) -> None:
    told = with_groups(remotes, "Mobile users")
    first = standing(told)
    told.later(300)
    assert standing(told).read_at < first.read_at + timedelta(seconds=1), "as old as its oldest part"
    assert (calls(told, "licenseDetails"), calls(told, "checkMemberGroups")) == (1, 1)
    told.later(301)
    assert standing(told).read_at > first.read_at + timedelta(seconds=600)
    assert (calls(told, "licenseDetails"), calls(told, "checkMemberGroups")) == (2, 2)
    mia = told.sandbox.world.persons[told.person().oid]
    plans, mia.licences = mia.licences, []
    told.later(601)
    assert standing(told).licensed is False
    mia.licences = plans
    assert standing(told).licensed is True, "mended at once"


@pytest.mark.parametrize("path", [None, "licenseDetails", "checkMemberGroups"])
@pytest.mark.parametrize("spoilt", SPOILT, ids=str)
def test_a_spoilt_answer(remotes: Remotes, raises: Raises, spoilt: Spoilt, path: str | None) -> None:
    told = with_groups(remotes, "Mobile users")
    told.sandbox.faults.add(Fault("graph", spoilt.kind, path=path, status=spoilt.status, retry_after=spoilt.retry_after))
    with raises(spoilt.becomes) as caught:
        standing(told)
    spoilt.fits(caught.value, "directory")


def test_whom_the_directory_does_not_know(remotes: Remotes, raises: Raises) -> None:
    with raises(NotFound):
        remotes.directory.standing(NOBODY)


def test_none_of_the_five_is_left_out(remotes: Remotes) -> None:
    def without_permission() -> None:
        without(remotes, "User.Read.All")
        standing(Remotes(remotes.sandbox))  # with a new token: roles are in it

    asked = lambda: standing(remotes), lambda: remotes.directory.standing(NOBODY), without_permission
    assert raised(remotes.sandbox, "graph", *asked) == set(FIVE)
