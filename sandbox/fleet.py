"""Fleet as its REST API has it: hosts in pages, by id and by identifier, their policies, their people, refetch, labels.

Paths from fleetdm/fleet `docs/REST API/rest-api.md`. The account is an API-only user with the role Observer: it reads, and may ask
a host to report; everything else is 403. Next door: `fleet_gate` (who may call, errors), `fleet_shapes` (what a host looks like),
`world` (what is true).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, request

from sandbox import fleet_shapes as shapes
from sandbox.fleet_gate import Fault, asked, bad_request, flag, forbidden, guard, no_host, number_of_page
from sandbox.world import ManagedRecord, World

if TYPE_CHECKING:
    from sandbox.faults import Faults
    from sandbox.server import Sandbox

BASE = "/fleet/api/v1/fleet"
FILTERS = ("query", "mdm_enrollment_status", "team_id")
ORDERS: dict[str, Callable[[ManagedRecord], Any]] = {
    "id": lambda record: record.id,
    "hostname": lambda record: (shapes.hostname(record), record.id),
    "last_enrolled_at": lambda record: (record.enrolled_on, record.id),
    "detail_updated_at": lambda record: (record.last_seen, record.id),
}
_ENROLLED = {
    "manual": ("On (manual)",),
    "automatic": ("On (automatic)",),
    "enrolled": ("On (manual)", "On (automatic)", "On (personal)"),
    "pending": ("Pending",),
    "unenrolled": ("Off",),
}
CAPPED = 2


def create_fleet(sandbox: Sandbox) -> Flask:
    """Everything under `/fleet`, which in life is the root of the organisation's own host."""
    app = Flask("sandbox.fleet", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config["MAX_CONTENT_LENGTH"] = 1_000_000
    guard(app, sandbox.world)
    _hosts(app, sandbox.world, sandbox.faults)
    _one(app, sandbox.world, sandbox.faults)
    _other(app)
    return app


def _fault(faults: Faults, kind: str) -> bool:
    return faults.take("fleet", kind, request.path, request.method) is not None


def _found(world: World, query: dict[str, str]) -> list[ManagedRecord]:
    if "team_id" in query:
        raise Fault(402, "Requires Fleet Premium license", "Requires Fleet Premium license")
    now = world.now()
    return [record for record in world.held_by("fleet") if record.listed_at <= now and _fits(world, record, query)]


def _fits(world: World, record: ManagedRecord, query: dict[str, str]) -> bool:
    """`query` finds parts of words; mail addresses only if it looks like one itself."""
    status = query.get("mdm_enrollment_status")
    if status is not None and shapes.host(record, never_run=False)["mdm"]["enrollment_status"] not in _enrolled(status):
        return False
    word = query.get("query", "").strip().lower()
    fields = [shapes.hostname(record), record.serial, record.udid]
    if "@" in word and " " not in word:
        fields += [one["email"] for one in shapes.mapping(world, record)]
    return not word or any(word in field.lower() for field in fields)


def _enrolled(status: str) -> tuple[str, ...]:
    if status not in _ENROLLED:
        raise bad_request("mdm_enrollment_status is not known")
    return _ENROLLED[status]


def _hosts(app: Flask, world: World, faults: Faults) -> None:
    @app.get(f"{BASE}/hosts")
    def hosts() -> Response:
        known = ("page", "per_page", "order_key", "order_direction", "device_mapping", "populate_policies")
        query = asked(*known, *FILTERS)
        page, size = number_of_page(query)
        key, direction = query.get("order_key", "id"), query.get("order_direction", "asc")
        if key not in ORDERS or direction not in ("asc", "desc") or ("order_direction" in query and "order_key" not in query):
            raise bad_request("order_key or order_direction is not known")
        with world.settled():
            hits = [] if _fault(faults, "unlisted") else _found(world, query)
            hits.sort(key=ORDERS[key], reverse=direction == "desc")
            if page > 0 and _fault(faults, "shifted"):
                del hits[(page - 1) * size]  # removed meanwhile: what was at the top of this page was never on any
            size = min(size, CAPPED) if _fault(faults, "capped") else size
            never_run, rows = _fault(faults, "never_run"), []
            for record in hits[page * size : (page + 1) * size]:
                row = shapes.host(record, never_run)
                if flag(query, "populate_policies"):
                    row["policies"] = shapes.policies(record, never_run)
                if flag(query, "device_mapping"):
                    row["device_mapping"] = _listed_mapping(world, record, faults)
                rows.append(row)
            return jsonify({"hosts": rows})

    @app.get(f"{BASE}/hosts/count")
    def count() -> Response:
        query = asked(*FILTERS)
        with world.settled():
            return jsonify({"count": len(_found(world, query))})


def _listed_mapping(world: World, record: ManagedRecord, faults: Faults) -> list[dict[str, str]] | None:
    """The list lacks the identity provider's name of some hosts (fleetdm/fleet#45014); nobody at all is null."""
    found = shapes.mapping(world, record)
    if _fault(faults, "unmapped"):
        found = [one for one in found if one["source"] != "mdm_idp_accounts"]
    return found or None


def _one(app: Flask, world: World, faults: Faults) -> None:
    def of(number: int) -> ManagedRecord:
        record = world.records.get(number)
        if record is None or record.vendor != "fleet":
            raise no_host(str(number))
        return record

    def shown(record: ManagedRecord) -> Response:
        waits = any(number == record.id for _, number in world._check_ins)
        return jsonify({"host": shapes.details(record, _fault(faults, "never_run"), waits)})

    @app.get(f"{BASE}/hosts/<int:number>")
    def host(number: int) -> Response:
        flag(asked("exclude_software"), "exclude_software")
        with world.settled():
            return shown(of(number))

    @app.get(f"{BASE}/hosts/identifier/<identifier>")
    def by_identifier(identifier: str) -> Response:
        """The first one where several share it."""
        flag(asked("exclude_software"), "exclude_software")
        with world.settled():
            for record in sorted(world.held_by("fleet"), key=ORDERS["id"]):
                if identifier.lower() in (record.serial.lower(), record.udid.lower(), shapes.hostname(record)):
                    return shown(record)
            raise no_host(identifier)

    @app.get(f"{BASE}/hosts/<int:number>/device_mapping")
    def mapping(number: int) -> Response:
        asked()
        with world.settled():
            return jsonify({"host_id": number, "device_mapping": shapes.mapping(world, of(number))})

    @app.post(f"{BASE}/hosts/<int:number>/refetch")
    def refetch(number: int) -> Response:
        asked()
        with world.settled():
            world.ask_check_in(of(number).id)
            return jsonify({})


def _other(app: Flask) -> None:
    @app.get(f"{BASE}/labels")
    def labels() -> Response:
        asked("page", "per_page")
        return jsonify({"labels": [{"id": 6, "name": "All Hosts", "label_type": "builtin", "host_count": 0}]})

    def never(**_: Any) -> Response:
        raise forbidden()

    for number, (path, methods) in enumerate(
        [
            ("hosts/<int:number>", ["DELETE", "PATCH"]),
            ("hosts/<int:number>/<any(wipe, lock, unlock):what>", ["POST"]),
            ("hosts/<int:number>/mdm", ["DELETE"]),
            ("hosts/<int:number>/device_mapping", ["PUT"]),
            ("hosts/<int:number>/custom_host_vitals/<int:vital>", ["PUT"]),
            ("hosts/delete", ["POST"]),
            ("commands/run", ["POST"]),
            ("scripts/run", ["POST"]),
        ]
    ):
        app.add_url_rule(f"{BASE}/{path}", f"never_{number}", never, methods=methods)
