"""T20: every text column of the database holds markup, and no page of any role shows more than text: by the parsed page, and by
what Chromium says. The columns come from the tables' own metadata, so that a new one cannot escape.

A text is made hostile by writing the payload before it, everywhere alike: keys and what points at them stay equal to one another.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import ConsoleMessage
from werkzeug.test import TestResponse
from werkzeug.wrappers import Response

from remediation.domain.device import Person, Platform
from remediation.domain.repairs import Mark
from remediation.ports import Actor
from remediation.services.start_journey import open_case
from remediation.services.waves import WaveAsked, begin_wave
from remediation.store.columns import OutsideText
from remediation.store.tables import device_marks, metadata, partner_slots, remotes, seen_blocked, start_links, throttlings, watches
from sandbox.sockets import Socket
from tests.people import LINK, MIA
from tests.web.conftest import Browser, Web
from tests.web.test_impact_pages import ADAM, NOBODY_BUT, counted

# Markup for each place that a text can stand in: between tags, in an attribute, in a script, an address, a style, a template.
POLYGLOTS = {
    "text": "<zq1 zq2=3><script>zq()</script><img src=x onerror=zq()>",
    "attribute": "\" zq4=5 onfocus=zq() autofocus x='",
    "single": "' zq4=5 onmouseover=zq() x=\"",
    "endings": "--></title></textarea></style></script></noscript></template><zq6>",
    "svg": '<svg/onload=zq()><math><mi//xlink:href="data:x,<script>zq()</script>">',
    "address": "javascript:zq()//",
    "data": "data:text/html,<script>zq()</script>",
    "template": "{{ 7*7 }}{% raw %}${zq}#{zq}%(zq)s",
    "entities": "&lt;zq7&gt;&#60;zq8&#62;&quot; zq9=&quot;",
    "header": "x\r\nSet-Cookie: zq=1\r\n\r\n<zq0>",
    "bidi": "\u202e\u2066<zq1>\u2069\u200f\u2028\u2029\u0085",
    "css": "expression(zq())}*{background:url(//zq.example)}",
}
NOT_TEXT = {
    "tenant_id": "our own, checked to be a GUID, and what every query is bound to",
    "token_hash": "a digest, by which rows are found; never shown",
}
ERRORS = {"mdm_error", "possession_error", "reason", "recorded"}  # written where a remote failed: every row has failed here
WHOLE = {
    "audit_seals",
    "sign_in_states",
    "turns",
    "budgets",
    "lease_extensions",
    "shown_certificates",
    "notices",
    "search_terms",
    "access_requests",  # switched off here; tests/web/test_access.py has it on
    "group_members",
    "api_deeds",
    *("impact_names", "impact_registered", "impact_managed"),
}  # no page shows them
# Words that only our own code writes, and by which it finds its way: not even a remote's error goes in there.
OURS = {
    ("possession_links", "id"),
    ("remotes", "remote"),
    ("throttlings", "remote"),
    ("audit", "actor_kind"),
    ("audit", "about_kind"),
    ("observations", "subject_kind"),
    ("sessions", "roles"),
    *(("impact_counts", column) for column in ("slot", "state", "stage", "cursor")),
    *(("impact_missing", column) for column in ("reason", "platform")),
    *(("start_waves", column) for column in ("slot", "state")),
    ("start_messages", "state"),
    ("partner_slots", "platform"),
    ("partner_slots", "why"),
    ("seen_blocked", "kind"),
    ("seen_blocked", "how"),
}


def hostile_columns() -> Iterator[tuple[sa.Table, sa.Column[Any]]]:
    for table in metadata.sorted_tables:
        for column in table.c:
            if table.name not in WHOLE and column.name not in NOT_TEXT and (table.name, column.name) not in OURS:
                kind = column.type.impl if isinstance(column.type, sa.types.TypeDecorator) else column.type
                if isinstance(kind, sa.JSON) or (isinstance(kind, sa.Text | sa.String) and not isinstance(kind, sa.Enum)):
                    yield table, column


def poisoned(value: Any, payload: str) -> Any:
    if isinstance(value, str):
        return payload + value
    if isinstance(value, list):
        return [poisoned(one, payload) for one in value]
    if isinstance(value, dict):
        return {name: one if name == "at" else poisoned(one, payload) for name, one in value.items()}
    return value


def poison(database: Path, payload: str) -> set[tuple[str, str]]:
    """The columns that hold it now."""
    filled = set()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DROP TRIGGER audit_no_update")
        for table, column in hostile_columns():
            empty_too = isinstance(column.type, OutsideText) or column.name in ERRORS
            filled_too = "1" if empty_too else f"{column.name} IS NOT NULL"
            where = f"FROM {table.name} WHERE {filled_too}"
            for row_id, text in connection.execute(f"SELECT rowid, {column.name} {where}").fetchall():
                if isinstance(column.type, sa.JSON):
                    new = json.dumps(poisoned(json.loads(text), payload))
                else:  # a slash would end an id in an address
                    new = (payload if isinstance(column.type, OutsideText) else payload.replace("/", "|")) + (text or "")
                connection.execute(f"UPDATE {table.name} SET {column.name} = ? WHERE rowid = ?", (new, row_id))  # noqa: S608
                filled.add((table.name, column.name))
        connection.commit()
    return filled


def harmless(answer: TestResponse) -> None:
    assert answer.status_code < 500, answer.text[:500]
    assert not any("zq" in name.lower() or value == "zq=1" for name, value in answer.headers), "no header of theirs"
    for tag in BeautifulSoup(answer.text, "html.parser").find_all(True):
        assert tag.name in KNOWN_TAGS, tag
        assert tag.name != "script" or str(tag.get("src")).startswith("/static/"), tag
        for name, value in tag.attrs.items():
            assert name in KNOWN_ATTRIBUTES, (name, tag)
            if name in ("href", "action", "src", "data-watch"):
                assert WITHIN.fullmatch(str(value)), tag


# Addresses of our own, and those that lead off the site by the table in `web/links.py` or the settings.
WITHIN = re.compile(r"/(?![/\\]).*|/|tel:\+?[0-9]+|#\w+|https://(apps\.apple|play\.google|go\.microsoft)\.com/.*|ms-outlook://")
KNOWN_TAGS = {
    "h4",
    "q",
    "text",
    *(
        "html",
        "head",
        "meta",
        "title",
        "link",
        "script",
        "body",
        "a",
        "header",
        "main",
        "aside",
        "div",
        "p",
        "span",
        "bdi",
        "h1",
        "h2",
    ),
    *(
        "h3",
        "code",
        "button",
        "form",
        "input",
        "label",
        "fieldset",
        "legend",
        "ol",
        "ul",
        "li",
        "dl",
        "dt",
        "dd",
        "details",
        "summary",
    ),
    *(
        "svg",
        "circle",
        "path",
        "rect",
        "time",
        "blockquote",
        "section",
        "nav",
        "strong",
        "table",
        "tr",
        "th",
        "td",
        "thead",
        "tbody",
        "em",
        "select",
        "option",
        "textarea",
    ),
}
KNOWN_ATTRIBUTES = {
    *("data-ahead", "data-again", "data-steps", "minlength", "aria-live", "enctype", "accept"),
    *("font-size", "font-weight", "fill", "text-anchor"),
    *("data-ahead", "data-again", "data-steps", "minlength", "aria-live"),
    *(
        "lang",
        "dir",
        "charset",
        "name",
        "content",
        "rel",
        "href",
        "type",
        "nonce",
        "src",
        "defer",
        "class",
        "id",
        "tabindex",
        "hreflang",
        "role",
    ),
    *(
        "aria-label",
        "aria-current",
        "aria-hidden",
        "aria-labelledby",
        "focusable",
        "hidden",
        "method",
        "action",
        "value",
        "required",
    ),
    *(
        "checked",
        "open",
        "datetime",
        "viewbox",
        "fill",
        "stroke",
        "cx",
        "cy",
        "r",
        "d",
        "x",
        "y",
        "rx",
        "width",
        "height",
        "for",
        "scope",
        "cite",
    ),
    *(
        "data-copy",
        "data-done",
        "data-watch",
        "data-etag",
        "data-title",
        "maxlength",
        "autocomplete",
        "inputmode",
        "aria-describedby",
    ),
    *("autocapitalize", "spellcheck", "enterkeyhint", "size", "placeholder", "colspan", "title", "selected"),
}
HANNA = Person(oid="hanna", name="Hanna Roth", user_name="hanna.roth@contoso.example")
SHOWN = ("fix", "choose", "this_device_two", "this_device_sent", "wait", "help", "sign_in_failed", "help_named_another")


def staged(web: Web, scene: str) -> tuple[Browser, Browser, str]:
    """Mia and Hanna with sessions, and the token of Mia's message, before anything is poisoned."""
    token = web.scene(scene).token
    hanna = web.signed_in(HANNA, browser="the-browser-of-hanna", roles=("Helpdesk.Read", "Helpdesk.Act"))
    hanna.get("/helpdesk?q=mia")  # which leaves an audit row
    failed = json.dumps(
        [{"remote": "channel", "code": "x", "at": web.clock().isoformat(), "client_request_id": "c", "request_id": "r"}]
    )
    with web.engine.begin() as connection:
        failing = {
            "tenant_id": web.settings.tenant_id,
            "name": "mdm:ws1/sweep",
            "failing_since": web.clock(),
            "reason": "mdm_refused",
        }
        connection.execute(sa.insert(watches).values(**failing))
        told = {"failed_at": web.clock(), "failures": 3, "error": "refused", "cause": "locked", "code": "1005", "words": "locked"}
        connection.execute(sa.insert(remotes).values(tenant_id=web.settings.tenant_id, remote="mdm:ws1", **told))
        busy = {"day": web.clock(), "remote": "mdm:ws1", "count": 2, "last_at": web.clock(), "last_code": "1012"}
        connection.execute(sa.insert(throttlings).values(tenant_id=web.settings.tenant_id, **busy))
        slot = {"platform": "ios", "why": "taken", "holder": "Jamf", "state": "enabled", "read_at": web.clock()}
        connection.execute(sa.insert(partner_slots).values(tenant_id=web.settings.tenant_id, **slot))
        blocked = {"kind": "unmarked", "how": "confirmed", "what": "AADSTS53003", "at": web.clock(), "by": "root"}
        connection.execute(sa.insert(seen_blocked).values(tenant_id=web.settings.tenant_id, **blocked))
        connection.execute(sa.text("UPDATE pushes SET failed_calls = :it"), {"it": failed})
    with web.store.change(Actor("helpdesk", "lena"), "staged", about=("incident", "i1"), at=web.clock()) as change:
        ends = web.clock() + timedelta(hours=1)
        change.publish_incident("i1", {"en": "Slow."}, until=ends, by="lena")
        change.set_appearance("a1", "text/en/wait.since", "Since when", by="adam")
        for row_id in (LINK.id, web.store.living_journey(MIA.oid, Platform.IOS, web.clock()) or ""):
            change.take_work(row_id, oid="ida", name="Ida Brandt", until=ends)
    picked = WaveAsked(counted(web).id, "link", "ios", "device", 25, timedelta(hours=1))
    begin_wave(web.store, picked, actor=NOBODY_BUT, now=web.clock())
    with web.engine.begin() as connection:
        connection.execute(sa.text("UPDATE start_waves SET why = 'mdm_busy', ended_by = 'adam'"))
        connection.execute(sa.text("UPDATE journeys SET settled = 'd2', shown = 'fix'"))
        theirs = {"tenant_id": web.settings.tenant_id, "oid": MIA.oid, "at": web.clock(), "reason": "refused", "attempts": 1}
        until = {"platform": Platform.IOS, "expires_at": web.clock() + timedelta(hours=1), "connection": "ws1", "record_id": "1042"}
        connection.execute(sa.insert(start_links).values(**theirs, **until, id="s1", code="K7M2QX23", way="device"))
        wanted = {"mark": Mark.LEFTOVER, "disable_wanted_at": web.clock()}
        connection.execute(sa.insert(device_marks).values(**theirs, **wanted, device_id="d1"))
    return web.signed_in(), hanna, token


def administrator(web: Web) -> tuple[Browser, str]:
    """Adam with a session, and the id of the count whose numbers he sees."""
    count = web.store.counted_last()
    assert count is not None
    return web.signed_in(ADAM, browser="the-browser-of-adam", roles=("Admin",)), count.id


def addresses(payload: str, token: str, count: str = "") -> dict[str, tuple[str, ...]]:
    """Who gets what, with every id in an address hostile as well."""
    asked = f"count={quote(payload.replace('/', '|') + count, safe='')}&reason=link"
    oid, said = quote(payload.replace("/", "|") + MIA.oid, safe=""), quote(payload)
    return {
        "mia": ("/journey", "/journey/status", "/journey/device", f"/possession/{token or 'none-at-all-is-no-token'}", "/sign-out"),
        "hanna": (
            *(f"/helpdesk/person/{oid}", f"/helpdesk?q={said}", "/helpdesk?q=mia", f"/helpdesk/person/{oid}?case={said}"),
            *(f"/helpdesk/person/{oid}/repair/{which}?case={said}" for which in ("start_link", "end_link", "mark_device", said)),
            *(f"/helpdesk/person/{oid}?kind={said}&page={said}", f"/s/{said}"),
            *("/helpdesk/connections", "/helpdesk/work", f"/helpdesk/work?kind={said}&after={said}"),
            *(f"/helpdesk/figures?connection={said}&from={said}", "/helpdesk/figures"),
        ),
        "adam": (
            *("/onboarding/impact", f"/onboarding/impact/people?{asked}", f"/onboarding/impact/tell?{asked}&platform=ios"),
            *(f"/onboarding/impact/people?{asked}{said}", "/onboarding/second_lock"),
            *("/onboarding/appearance", "/onboarding/appearance/text/en/wait.since"),
        ),
        "nobody": ("/", f"/start/{said}", f"/?lang={said}&platform={said}", "/cannot-sign-in", f"/possession/{said}", f"/{said}"),
    }


@pytest.mark.parametrize("name", POLYGLOTS)
def test_T20_no_text_of_any_column_becomes_an_element_an_attribute_or_an_address(web: Web, database: Path, name: str) -> None:
    payload = POLYGLOTS[name]
    scenes = SHOWN if name == "attribute" else (SHOWN[list(POLYGLOTS).index(name) % len(SHOWN)], "fix")
    for scene in dict.fromkeys(scenes):
        copy = Path(shutil.copy(database, database.with_suffix(f".{scene}")))
        here = Web(copy, demo=True)
        mia, hanna, token = staged(here, scene)
        adam, count = administrator(here)
        assert len(poison(copy, payload)) > 25
        who = {"mia": mia, "hanna": hanna, "adam": adam, "nobody": here.browser()}
        answers = {path: who[role].get(path) for role, paths in addresses(payload, token, count).items() for path in paths}
        for answer in answers.values():
            harmless(answer)
        assert "zq" in answers["/journey"].text, "it is shown, as text"
        assert "zq" in next(answer for path, answer in answers.items() if path.startswith("/helpdesk/person")).text
        assert "zq" in next(answer for path, answer in answers.items() if path.startswith("/onboarding/impact/people")).text
        here.engine.dispose()


def test_T20_every_text_column_is_poisoned_by_some_scene(web: Web, database: Path) -> None:
    """Else the test above would say nothing about it. What no scene fills is listed, so that a new column is noticed."""
    filled: set[tuple[str, str]] = set()
    for scene in (
        "fix",
        "choose",
        "this_device_sent",
        "wait",
        "open",
        "help",
        "register_again",
        "help_shared",
        "sign_in_failed",
        "help_named_another",
    ):
        copy = Path(shutil.copy(database, database.with_suffix(f".{scene}")))
        here = Web(copy, demo=True)
        staged(here, scene)
        open_case(here.store, browser="b", entrance="start", platform=Platform.IOS, now=here.clock())
        filled |= poison(copy, "x")
        here.engine.dispose()
    left = {(table.name, column.name) for table, column in hostile_columns()} - filled
    assert left == NEVER_FILLED


NEVER_FILLED = {
    *(
        ("alarms", column) for column in ("id", "reason", "sink", "source", "subject", "text")
    ),  # told by mail and webhook, on no page
    ("observations", "old"),  # of the same kind as `new`, and shown beside it
    ("watches", "cursor"),  # what a remote gave us to hand back to it
    ("dependents", "connection"),  # names of the settings; `device_links` has the same, hostile
    *(
        ("partner_told", column) for column in ("enrollment_url", "remediation_url", "groups", "policies", "told_by")
    ),  # addresses of ours and ids, on no page
    # words of ours and ids; groups and names of partners stand in JSON: test_onboarding_scope.py has them hostile
    ("scopes", "chosen_by"),
    ("scopes", "groups"),
    ("scopes", "draft"),
    *(("set_up_wishes", column) for column in ("id", "asked", "asked_by", "answer", "failed", "code")),
    *(("arrival_tests", column) for column in ("id", "tested", "opened_by", "entrance", "way", "platform", "referrer")),
    *(("pilots", column) for column in ("id", "channel", "connection", "link_id", "started_by", "why")),
    ("second_lock", "value"),  # our own, by chance
    # of a set-up, before anybody's data is there: a key's fingerprint, words of ours, and which operator; on no page
    # (`test_from_zero` and `test_onboarding_scope` have what is typed and answered)
    *(
        (table.name, column.name)
        for table, column in hostile_columns()
        if table.name in ("choices", "set_up_looks", "set_up_links")
    ),
}


def test_T20_the_judge_notices_what_gets_through(web: Web) -> None:
    """The control: without escaping the same page fails."""
    for text in (POLYGLOTS["text"], '<a href="javascript:zq()">', "<p onclick=zq()>", '<p style="x">', "<a href=//zq.example>"):
        answer = Response(f"<html><body>{text}</body></html>")
        with pytest.raises(AssertionError):
            harmless(TestResponse([answer.data], "200", answer.headers, web.browser().get("/").request))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name if name in ("text", "attribute", "endings") else pytest.param(name, marks=pytest.mark.long) for name in POLYGLOTS]
)
def test_T20_chromium_runs_nothing_of_it_and_has_nothing_to_refuse(web: Web, database: Path, browser: Chromium, name: str) -> None:
    mia, hanna, token = staged(web, SHOWN[list(POLYGLOTS).index(name) % len(SHOWN)])
    adam, count = administrator(web)
    poison(database, POLYGLOTS[name])
    socket = Socket(web.app, 0)
    try:
        for role, client in (("mia", mia), ("hanna", hanna), ("adam", adam), ("nobody", web.browser())):
            said, hit = crawl(browser, client, socket.port, addresses(POLYGLOTS[name], token, count)[role])
            assert (said, hit) == ([], []), role
    finally:
        socket.stop()


FOUND = """document.documentElement.dataset.hit || [...document.querySelectorAll('*')].some(
  e => /^(zq|img$)/.test(e.localName) || [...e.attributes].some(a => /^(on|zq|style$|autofocus)/.test(a.name))
)"""


def crawl(chromium: Chromium, client: Browser, port: int, paths: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """What the console said about the policy, and the pages on which a payload ran or made an element."""
    cookie = client.get_cookie("remediation")
    context = chromium.new_context()
    if cookie is not None:
        context.add_cookies([{"name": "remediation", "value": cookie.value, "domain": "localhost", "path": "/"}])
    context.add_init_script("window.zq = () => { document.documentElement.dataset.hit = 'yes' }")
    page = context.new_page()
    said: list[str] = []
    hit: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "Refused" in message.text:
            said.append(message.text)

    page.on("console", hear)
    for path in paths:
        page.goto(f"http://localhost:{port}{path}")
        if page.evaluate(FOUND):
            hit.append(path)
    context.close()
    return said, hit


@pytest.mark.slow
def test_T19_chromium_shows_no_page_of_ours_in_a_frame(web: Web, browser: Chromium) -> None:
    """And shows the same page by itself: the control."""
    app, around = Socket(web.app, 0), Socket(framing, 0)
    context = browser.new_context()
    try:
        page = context.new_page()
        for path in ("/", "/cannot-sign-in", "/nowhere", "/sign-out"):
            refused: list[str] = []
            page.on("console", partial(heard, refused))
            page.goto(f"http://127.0.0.1:{around.port}/?http://localhost:{app.port}{path}")
            inner = page.frames[1]
            assert "Contoso" not in inner.content(), path
            assert any("frame-ancestors" in text or "X-Frame-Options" in text for text in refused), path
            page.goto(f"http://localhost:{app.port}{path}")
            assert "Contoso" in page.content()
    finally:
        context.close()
        app.stop()
        around.stop()


def heard(words: list[str], message: ConsoleMessage) -> None:
    words.append(message.text)


def framing(environ: Any, start_response: Any) -> Any:
    address = environ["QUERY_STRING"]
    return Response(f'<iframe src="{address}"></iframe>', content_type="text/html")(environ, start_response)
