"""The control port: facts for whoever connects, scenarios, deeds on a phone, faults, lags, clock, ledger, world.

JSON in and out, unknown fields refused. It is for tests and the demo; the product never learns of it. Next door:
`phone` offers the same deeds as pages.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from sandbox.deeds import BadOrder, do
from sandbox.facts import app_facts, facts_of, phone_facts
from sandbox.faults import Fault
from sandbox.id_tokens import ACCESS_TOKEN_FAULTS, ID_TOKEN_FAULTS
from sandbox.partners import add_partner_control
from sandbox.relay import EVERY, switch_on
from sandbox.scenarios import SCENARIOS

if TYPE_CHECKING:
    from sandbox.server import Sandbox

__all__ = ["create_control", "facts_of"]


def create_control(sandbox: Sandbox) -> Flask:
    app = Flask("sandbox.control", static_folder=None)
    _stories(app, sandbox)
    _phones(app, sandbox)
    _faults(app, sandbox)
    _time_and_chance(app, sandbox)
    _events(app, sandbox)
    add_partner_control(app, sandbox, _order)
    _looking(app, sandbox)

    @app.errorhandler(BadOrder)
    def bad_order(error: BadOrder) -> tuple[Response, int]:
        return jsonify(error=str(error)), 400

    @app.errorhandler(HTTPException)
    def elsewhere(error: HTTPException) -> tuple[Response, int]:
        return jsonify(error=error.name), error.code or 500

    @app.before_request
    def from_here_only() -> tuple[Response, int] | None:
        # A page of another site in the same browser can send a form but no JSON without asking first, and one whose
        # name was pointed here afterwards still brings that name along.
        if request.host.partition(":")[0] not in ("127.0.0.1", "localhost"):
            return jsonify(error="Only by the name of this machine."), 403
        if request.method != "GET" and request.data and request.mimetype != "application/json":
            return jsonify(error="JSON only."), 415
        if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            return jsonify(error="Not from another site."), 403
        return None

    return app


def _order(*known: str, needed: tuple[str, ...] = ()) -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise BadOrder("A JSON object is expected.")
    if unknown := set(body) - set(known):
        raise BadOrder(f"Unknown: {', '.join(sorted(unknown))}. Known: {', '.join(known)}.")
    if missing := set(needed) - set(body):
        raise BadOrder(f"Missing: {', '.join(sorted(missing))}.")
    return body


def _stories(app: Flask, sandbox: Sandbox) -> None:
    @app.get("/facts")
    def facts() -> dict[str, Any]:
        return facts_of(sandbox)

    @app.get("/scenarios")
    def scenarios() -> dict[str, Any]:
        return {"scenarios": list(SCENARIOS), "current": sandbox.world.scenario}

    @app.post("/scenario")
    def begin() -> dict[str, Any]:
        name = _order("name", needed=("name",))["name"]
        if name not in SCENARIOS:
            raise BadOrder(f"No such scenario. Known: {', '.join(SCENARIOS)}.")
        sandbox.begin(name)
        return facts_of(sandbox)

    @app.post("/product")
    def product() -> dict[str, Any]:
        """What an administrator entered as the partner's two addresses."""
        order = _order("enrollment_url", "remediation_url")
        with sandbox.world.lock:
            for name, value in order.items():
                setattr(sandbox.world.partner, name, value)
        return order

    @app.patch("/app/<kind>")
    def registration(kind: str) -> dict[str, Any]:
        """Grants and revokes of application permissions, registered certificates, exact addresses."""
        granted = ("permissions", "approved_mdm", "consented")
        order = _order(
            *(*granted, "certificates", "redirect_uris", "logout_uris", "exposes", "token_version"),
            *("requested", "optional_claims", "secret", "secret_expired", "deleted"),
        )
        with sandbox.world.lock:
            if kind not in sandbox.world.apps:
                raise BadOrder("No such app registration.")
            chosen = sandbox.world.apps[kind]
            if order.get("deleted") is True:
                return {"deleted": sandbox.world.apps.pop(kind).client_id}
            if "requested" in order:
                chosen.requested = {resource: set(roles) for resource, roles in order["requested"].items()}
            chosen.optional_claims = tuple(order.get("optional_claims", chosen.optional_claims))
            chosen.secret = order.get("secret", chosen.secret)
            chosen.secret_expired = order.get("secret_expired", chosen.secret_expired) is True
            if "permissions" in order:
                chosen.permissions = {resource: set(roles) for resource, roles in order["permissions"].items()}
            chosen.consented = order.get("consented", chosen.consented)
            chosen.exposes = tuple(order.get("exposes", chosen.exposes))
            chosen.token_version = order.get("token_version", chosen.token_version)
            chosen.approved_mdm = order.get("approved_mdm", chosen.approved_mdm) is True
            chosen.certificates = order.get("certificates", chosen.certificates)
            chosen.redirect_uris = tuple(order.get("redirect_uris", chosen.redirect_uris))
            chosen.logout_uris = tuple(order.get("logout_uris", chosen.logout_uris))
            return app_facts(sandbox, kind)


def _phones(app: Flask, sandbox: Sandbox) -> None:
    @app.post("/phone/<key>/act")
    def act(key: str) -> dict[str, Any]:
        order = _order("action", "passcode", "encrypted", "jailbroken", "id", needed=("action",))
        with sandbox.world.settled() as world:
            if key not in world.phones:
                raise BadOrder(f"No such phone. Known: {', '.join(world.phones)}.")
            return do(world, world.phones[key], order)


def _faults(app: Flask, sandbox: Sandbox) -> None:
    @app.post("/faults")
    def add() -> dict[str, Any]:
        order = _order(*(f.name for f in fields(Fault) if f.init), needed=("service", "kind"))
        try:
            fault = Fault(**order)
        except ValueError as error:
            raise BadOrder(str(error)) from error
        sandbox.faults.add(fault)
        return fault.as_json()

    @app.get("/faults")
    def listed() -> dict[str, Any]:
        sandbox.faults.settle()
        return {"faults": [fault.as_json() for fault in sandbox.faults.active]}

    @app.delete("/faults")
    def clear() -> dict[str, Any]:
        sandbox.faults.clear()
        return {"faults": []}


def _time_and_chance(app: Flask, sandbox: Sandbox) -> None:
    @app.post("/id_token")
    def id_token() -> dict[str, Any]:
        """The next sign-in gets an ID token with this fault."""
        fault = _order("fault", needed=("fault",))["fault"]
        if fault not in ID_TOKEN_FAULTS:
            raise BadOrder(f"Known: {', '.join(ID_TOKEN_FAULTS)}.")
        with sandbox.world.lock:
            sandbox.id_token_faults.append(fault)
            return {"next": list(sandbox.id_token_faults)}

    @app.post("/access_token")
    def own_access_token() -> dict[str, Any]:
        """The next access token of an app's own API has this fault."""
        fault = _order("fault", needed=("fault",))["fault"]
        if fault not in ACCESS_TOKEN_FAULTS:
            raise BadOrder(f"Known: {', '.join(ACCESS_TOKEN_FAULTS)}.")
        with sandbox.world.lock:
            sandbox.access_token_faults.append(fault)
            return {"next": list(sandbox.access_token_faults)}

    @app.post("/signs_in_from")
    def signs_in_from() -> dict[str, Any]:
        """What the phone's browser proves at Entra: the device in the `hand`, `nothing`, or another one by its device id."""
        device = _order("device", needed=("device",))["device"]
        with sandbox.world.lock:
            if device not in ("hand", "nothing") and sandbox.world.device_by_device_id(str(device)) is None:
                raise BadOrder("Known: hand, nothing, or the device id of a directory device.")
            sandbox.world.signs_in_from = str(device)
        return {"device": device}

    @app.route("/lags", methods=["GET", "PATCH"])
    def lags() -> dict[str, Any]:
        with sandbox.world.lock:
            known = asdict(sandbox.world.lags)
            if request.method == "PATCH":
                for name, seconds in _order(*known, "page_size").items():
                    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
                        raise BadOrder(f"{name} is a number of seconds.")
                    if name == "page_size":
                        sandbox.world.page_size = max(1, int(seconds))
                    else:
                        setattr(sandbox.world.lags, name, seconds)
            return {**asdict(sandbox.world.lags), "page_size": sandbox.world.page_size}

    @app.post("/clock")
    def clock() -> dict[str, Any]:
        """`advance` moves the world on; `skew` lets the remote clocks show another time than that."""
        order = _order("advance", "skew")
        for name, seconds in order.items():
            if isinstance(seconds, bool) or not isinstance(seconds, int | float):
                raise BadOrder(f"{name} is a number of seconds.")
        with sandbox.world.lock:
            if "skew" in order:
                sandbox.world.skew = timedelta(seconds=order["skew"])
            sandbox.world.advance(order.get("advance", 0))
            return {"now": sandbox.world.now().isoformat(), "remote_now": sandbox.world.remote_now().isoformat()}

    @app.post("/expire_tokens")
    def expire_tokens() -> dict[str, Any]:
        """Every app token issued so far is void, whatever was promised about its life."""
        sandbox.world.end_tokens()
        return {"expired": True}

    @app.post("/relay")
    def relay() -> dict[str, Any]:
        """The maker of this MDM tells Microsoft by itself from now on, every so many seconds."""
        order = _order("vendor", "seconds", needed=("vendor",))
        if order["vendor"] not in EVERY:
            raise BadOrder(f"Known: {', '.join(EVERY)}.")
        switch_on(sandbox.world, order["vendor"], order.get("seconds"))
        return {"relays": sandbox.world.relays}

    @app.post("/resync")
    def resync() -> dict[str, Any]:
        """The next heartbeats, one unless another number is given, are told to send everything again."""
        times = _order("times").get("times", 1)
        with sandbox.world.lock:
            sandbox.world.partner.resync_at, sandbox.world.partner.resync_times = sandbox.world.now(), int(times)
        return {"resync": True}

    @app.patch("/device/<device_id>")
    def device(device_id: str) -> dict[str, Any]:
        """What an Entra administrator does by hand: disable, delete, hand over."""
        order = _order("enabled", "deleted", "owner_oid", "is_compliant", "is_managed")
        with sandbox.world.settled() as world:
            found = world.device_by_device_id(device_id)
            if found is None:
                raise BadOrder("No such device.")
            for name, value in order.items():
                setattr(found, name, value)
            return asdict(found)


def _events(app: Flask, sandbox: Sandbox) -> None:
    @app.route("/events", methods=["GET", "PATCH"])
    def manners() -> dict[str, Any]:
        """How the pretend MDM sends its events, to whom, and what came of each."""
        events = sandbox.events
        with sandbox.world.lock:
            targets = [target.shown() for target in events.targets.values()]
            if request.method == "PATCH":
                for name, value in _order(*asdict(events.manners)).items():
                    if type(value) is not type(getattr(events.manners, name)):
                        raise BadOrder(f"{name} is of another type.")
                    setattr(events.manners, name, value)
            return {"manners": asdict(events.manners), "targets": targets, "sent": list(events.sent)}

    @app.post("/events/test")
    def test() -> dict[str, Any]:
        """*Test Connection* of the console, for each target."""
        _order()
        return {"statuses": [sandbox.events.test(target) for target in list(sandbox.events.targets.values())]}


def _looking(app: Flask, sandbox: Sandbox) -> None:
    @app.get("/ledger")
    def ledger() -> dict[str, Any]:
        since = request.args.get("since", "0")
        if not since.isdigit():
            raise BadOrder("since is a sequence number.")
        found = sandbox.ledger.since(int(since), request.args.get("service"))
        return {"requests": [entry.as_json() for entry in found]}

    @app.get("/world")
    def everything() -> dict[str, Any]:
        with sandbox.world.settled() as world:
            records = []
            for record in world.records.values():
                attributes = {f"{group}/{name}": v for (group, name), v in record.custom_attributes.items()}
                plain = {**asdict(record), "custom_attributes": attributes, "failing": [p.name for p in record.failing]}
                records.append({**plain, "compliance_status": record.compliance_status})
            return {
                "now": world.now().isoformat(),
                "scenario": world.scenario,
                "devices": [{**asdict(d), "visible": world.visible(d)} for d in world.devices.values()],
                "records": records,
                "phones": [phone_facts(phone) for phone in world.phones.values()],
                "uploads": [asdict(upload) for upload in world.uploads.values()],
                "partner": asdict(world.partner),
                "sign_ins": list(world.sign_ins),
            }
