"""The web process: shows what is known, writes wishes, and calls no remote but the sign-in. Flask and Authlib live here only.

Read `entrances` (how people arrive), `sign_in` and `id_token`, `sign_in_again` and `access_token`, `cannot_sign_in`,
`journey_pages` (the one dispatcher) with `panel` and `cards` (what its page shows), `links` (what leads off the site),
`possession_pages`, `message_test_pages`, `certificate_pages`, `helpdesk_pages`, `repair_pages`, `work_pages`, `incident_pages`,
`access_pages` with `access_shown`, `connection_pages`, `figures_pages`, `figure_list_pages`,
`webhooks` (what an MDM sends), `api` (the same for
programs, with `bearer` and `api_token`), `onboarding_pages` with `onboarding_frame`, `set_up` and `set_up_pages` (a tenant from
zero), `appearance_pages`; then what stands around every page: `incident`, `appearance`, `metering`, `second_host`, `guards`,
`headers`, `forgery`, `sessions`, `error_pages`, `texts`, `languages`, `embedded`, `assets`.
"""

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from werkzeug.routing import BaseConverter

from ..ports import Clock, DeviceCertificates, EventReader, LookUp, Meter, Sessions, SignInStates, Store
from ..settings import WebSettings
from . import (
    access_pages,
    api,
    appearance,
    appearance_pages,
    arrivals,
    assets,
    browsers,
    cannot_sign_in,
    certificate_pages,
    connection_pages,
    device_app,
    embedded,
    entra_client,
    entrances,
    error_pages,
    figure_list_pages,
    figures_pages,
    forgery,
    guards,
    hand_over,
    headers,
    health,
    helpdesk_pages,
    impact_pages,
    incident,
    incident_pages,
    journey_pages,
    languages,
    links,
    message_test_pages,
    metering,
    microsoft_says_pages,
    moments,
    onboarding_pages,
    possession_pages,
    preview_pages,
    repair_pages,
    second_host,
    set_up_pages,
    sign_in,
    sign_in_again,
    sign_out,
    style_page,
    webhooks,
    what_happens_pages,
    work_pages,
)
from .desk import Desk
from .names import shown
from .set_up import SetUp
from .set_up import install as let_only_the_set_up_in
from .texts import Texts

HERE = Path(__file__).resolve().parent
# In the source tree templates and static files stand at the root; the wheel carries them inside this package.
HOUSE = HERE if (HERE / "templates").is_dir() else HERE.parents[1]
FORM_LIMIT = 16 * 1024  # the largest of ours sends half a kilobyte
MOST_PARTS = 20
FORM_LASTS = 8 * 3600


class SignedCookies(SecureCookieSessionInterface):
    """Flask signs with HMAC-SHA1 unless told otherwise."""

    digest_method = staticmethod(hashlib.sha256)


def build_web(
    settings: WebSettings,
    store: Store,
    sessions: Sessions,
    sign_in_states: SignInStates,
    look_up: LookUp,
    certificates: DeviceCertificates | None = None,
    *,
    set_up: SetUp,
    events: EventReader,
    clock: Clock,
    meter: Meter | None = None,
) -> Flask:
    """The WSGI app, complete: every route guarded, or it refuses to start."""
    app = Flask("remediation.web", template_folder=str(HOUSE / "templates"), static_folder=None)
    app.config.update(_config(settings))
    app.session_interface = SignedCookies()
    app.url_map.strict_slashes = False
    app.url_map.converters["default"] = Word
    app.url_map.merge_slashes = False  # it answers with an address made of the Host header, and keeps a POST a POST
    texts = Texts(default=settings.language)
    app.extensions["desk"] = Desk(
        settings=settings,
        store=store,
        everybody=look_up,
        sessions=sessions,
        states=sign_in_states,
        certificates=certificates,
        events=events,
        hook_keys=settings.live_keys("hook_key", "hook_key_fallbacks"),
        clock=clock,
        texts=texts,
        assets=assets.Assets(HOUSE / "static"),
        sign_in=entra_client.client(app, settings),
        board=incident.Board(look_up.incidents),
        shop=appearance.Shop(look_up.appearance, texts.for_people),
        set_up=set_up,
    )
    app.jinja_env.globals.update(_around_every_page(settings), asset=app.extensions["desk"].assets.address)
    app.jinja_env.filters["shown"] = shown
    texts.install(app)
    if meter is not None:
        metering.install(app, meter)
    arrivals.install(app)
    let_only_the_set_up_in(app)
    around = (moments, links, hand_over, device_app, languages, embedded, browsers, headers, forgery, second_host, guards)
    for part in (*around, error_pages, incident, appearance):
        part.install(app)
    for pages in (
        entrances,
        sign_in,
        sign_in_again,
        cannot_sign_in,
        sign_out,
        journey_pages,
        microsoft_says_pages,
        what_happens_pages,
        possession_pages,
        message_test_pages,
        certificate_pages,
        helpdesk_pages,
        work_pages,
        incident_pages,
        access_pages,
        repair_pages,
        figure_list_pages,
        figures_pages,
        connection_pages,
        onboarding_pages,
        set_up_pages,
        impact_pages,
        preview_pages,
        appearance_pages,
        assets,
        health,
        webhooks,
        style_page,
    ):
        app.register_blueprint(pages.pages)
    app.register_blueprint(api.blueprint())
    forgery.let_machines_in(app)
    guards.demand_one_for_every_route(app)
    return app


class Word(BaseConverter):
    """A part of an address. PostgreSQL takes no NUL in a text, not even to look for it, and no id of ours has one."""

    regex = r"[^/\x00]+"


def _around_every_page(settings: WebSettings) -> dict[str, Any]:
    return {
        "organisation": settings.organisation,
        "demo": settings.demo,
    }


def _config(settings: WebSettings) -> dict[str, Any]:
    origin = urlsplit(settings.public_origin)
    secure = origin.scheme == "https"
    key, earlier = settings.secret_key.get_secret_value(), [key.get_secret_value() for key in settings.secret_key_fallbacks]
    return {
        "SECRET_KEY": key,
        "SECRET_KEY_FALLBACKS": earlier,
        "WTF_CSRF_SECRET_KEY": [*earlier, key],  # left to itself it knows no fallbacks, and refuses every form that was open
        "TRUSTED_HOSTS": [origin.hostname, *second_host.hosts(settings)],
        "MAX_CONTENT_LENGTH": FORM_LIMIT,
        "MAX_FORM_MEMORY_SIZE": FORM_LIMIT,
        "MAX_FORM_PARTS": MOST_PARTS,
        # `__Host-` needs Secure, which http on loopback cannot have.
        "SESSION_COOKIE_NAME": "__Host-remediation" if secure else "remediation",
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",  # not Strict: the way back from Entra is a navigation from another site
        "WTF_CSRF_TIME_LIMIT": FORM_LASTS,
        "WTF_CSRF_SSL_STRICT": False,  # it wants a Referer, and we send none; `forgery` checks Origin and Sec-Fetch-Site instead
        "PATIENCE": 0.8,  # seconds a page waits for a look that is under way
    }
