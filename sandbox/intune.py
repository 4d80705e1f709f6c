"""Intune's partner compliance service: tenant, heartbeat, policies, assignment, device messages and their status.

OData v3 as the public clients of it speak: keys as `(guid'…')`, PascalCase, `api-version` on every call. Strict on
purpose where the real service's validation is unknown. Next door: `intune_messages` checks a device message, `world`
judges and applies it later, `graph` tells where this service lives.
Sources: fleetdm/fleet website/api/controllers/microsoft-proxy and website/scripts/send-entra-heartbeat-requests.js.
"""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from sandbox.bearer import claims_of_caller
from sandbox.intune_messages import BadMessage, a_time, checked_content
from sandbox.slots import ALL_USERS, PLATFORMS
from sandbox.world import DataUpload

if TYPE_CHECKING:
    from sandbox.server import Sandbox

AUDIENCE = "https://api.manage.microsoft.com/"
TENANT_VERSION, DEVICE_VERSION = "1.6", "1.2"
ENDPOINT_NAMES = ("SCEPRequestValidationFEService", "PartnerTenantDataSyncService", "PartnerDeviceDataSyncService")
MOST_GROUPS = 10


class IntuneError(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def region(sandbox: Sandbox) -> str:
    """Endpoints are regional, and each tenant's differ: nobody can know them but by discovery."""
    return f"amsub{sandbox.world.tenant_id[:4]}"


def endpoint_url(sandbox: Sandbox, provider: str) -> str:
    service = provider.removeprefix("Partner").removesuffix("Service")
    return f"{sandbox.api_url}/intune/{service}/{region(sandbox)}"


def create_intune(sandbox: Sandbox) -> Flask:
    app = Flask("sandbox.intune", static_folder=None)
    _speak(app, sandbox)
    _tenant_service(app, sandbox)
    _policies(app, sandbox)
    _device_service(app, sandbox)
    return app


def _speak(app: Flask, sandbox: Sandbox) -> None:
    def refusal(status: int, code: str, text: str) -> tuple[Response, int]:
        return jsonify({"odata.error": {"code": code, "message": {"lang": "en-US", "value": text}}}), status

    @app.errorhandler(IntuneError)
    def refused(error: IntuneError) -> tuple[Response, int]:
        return refusal(error.status, error.code, error.message)

    @app.errorhandler(BadMessage)
    def bad_message(error: BadMessage) -> tuple[Response, int]:
        return refusal(400, "BadRequest", str(error))

    @app.errorhandler(HTTPException)
    def elsewhere(error: HTTPException) -> tuple[Response, int]:
        status = error.code or 500
        return refusal(status, "MethodNotAllowed" if status == 405 else "ResourceNotFound", error.name)

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers["request-id"] = str(uuid.uuid4())
        if client_request_id := request.headers.get("client-request-id"):
            response.headers["client-request-id"] = client_request_id
        return response


def _admit(sandbox: Sandbox, where: str, permission: str, version: str) -> None:
    """Region, token, permission and api-version; the unknown query parameter is refused too."""
    claims = claims_of_caller(sandbox, AUDIENCE)
    if claims is None:
        raise IntuneError(401, "Unauthorized", "The token is missing, expired or for another audience or tenant.")
    if where != region(sandbox) or not sandbox.world.partner.set_up:
        raise IntuneError(404, "ResourceNotFound", "No tenant is served here.")
    if permission not in claims.get("roles", ()):
        raise IntuneError(403, "Forbidden", "Application is not authorized to perform this operation.")
    if request.args.to_dict(flat=False) != {"api-version": [version]}:
        raise IntuneError(400, "BadRequest", f"Exactly one query parameter is expected: api-version={version}.")


def _body(*fields: str) -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise IntuneError(400, "BadRequest", "A JSON object is expected.")
    if set(body) != set(fields):
        raise IntuneError(400, "BadRequest", f"Expected exactly the fields {', '.join(fields)}.")
    return body


def _this_tenant(sandbox: Sandbox, tenant: uuid.UUID) -> None:
    if str(tenant) != sandbox.world.tenant_id:
        raise IntuneError(403, "Forbidden", "The token is for another tenant.")


def _tenant_service(app: Flask, sandbox: Sandbox) -> None:
    world = sandbox.world

    @app.put("/TenantDataSync/<where>/PartnerTenants(guid'<uuid:tenant>')")
    def partner_tenant(where: str, tenant: uuid.UUID) -> dict[str, Any]:
        _admit(sandbox, where, "manage_partner_compliance_policy", TENANT_VERSION)
        _this_tenant(sandbox, tenant)
        body = _body("Provisioned", "PartnerEnrollmentUrl", "PartnerRemediationUrl")
        if body["Provisioned"] not in (1, 2) or isinstance(body["Provisioned"], bool):
            raise IntuneError(400, "BadRequest", "Provisioned is 1 or 2.")
        for name in ("PartnerEnrollmentUrl", "PartnerRemediationUrl"):
            _check_address(name, body[name])
        with world.lock:
            world.partner.provisioned = body["Provisioned"]
            world.partner.enrollment_url = body["PartnerEnrollmentUrl"]
            world.partner.remediation_url = body["PartnerRemediationUrl"]
        return {
            "Key": world.tenant_id,
            "ContextId": world.tenant_id,
            "Provisioned": body["Provisioned"],
            "HttpStatusCode": 200,
            "ErrorDetail": None,
        }

    @app.put("/TenantDataSync/<where>/PartnerTenantHeartbeat(guid'<uuid:tenant>')")
    def heartbeat(where: str, tenant: uuid.UUID) -> Any:
        _admit(sandbox, where, "manage_partner_compliance_policy", TENANT_VERSION)
        _this_tenant(sandbox, tenant)
        at = a_time("Timestamp", _body("Timestamp")["Timestamp"])
        with world.lock:
            if world.partner.provisioned != 1:
                raise IntuneError(403, "Forbidden", "The partner is not provisioned in this tenant.")
            world.partner.last_heartbeat = world.now()
            resync = world.partner.resync_at if world.partner.resync_times > 0 else None
            world.partner.resync_times -= 1 if resync else 0
        if request.headers.get("Prefer") != "return-content":
            return Response(status=204)  # as OData v3 answers a PUT to whoever does not ask for more
        return {
            "Key": world.tenant_id,
            "TenantId": world.tenant_id,
            "ClientType": 1,
            "Timestamp": at.isoformat(),
            "ResyncTimestamp": resync.isoformat() if resync else None,
            "HttpStatusCode": 200,
            "ErrorDetail": None,
            "MessageErrors": [],
        }


def _check_address(name: str, address: Any) -> None:
    parts = urlsplit(address) if isinstance(address, str) else None
    # Microsoft asks for https; plain http is let through for this machine only, where the demo lives.
    if parts is None or not parts.hostname or parts.fragment or parts.username:
        raise IntuneError(400, "BadRequest", f"{name} must be an absolute https address.")
    if parts.scheme != "https" and (parts.scheme, parts.hostname) not in (("http", "localhost"), ("http", "127.0.0.1")):
        raise IntuneError(400, "BadRequest", f"{name} must be an absolute https address.")


def _policies(app: Flask, sandbox: Sandbox) -> None:
    world = sandbox.world

    @app.route("/TenantDataSync/<where>/PartnerCompliancePolicies", methods=["GET", "POST"])
    def policies(where: str) -> Any:
        _admit(sandbox, where, "manage_partner_compliance_policy", TENANT_VERSION)
        with world.lock:
            if request.method == "GET":
                return {"value": list(world.partner.policies.values())}
            body = _body("DisplayName", "Description", "Platform", "PartnerManagedCompliance")
            if body["Platform"] not in PLATFORMS or body["PartnerManagedCompliance"] not in (True, False):
                raise IntuneError(400, "BadRequest", f"Platform must be one of {', '.join(PLATFORMS)}.")
            if any(policy["Platform"] == body["Platform"] for policy in world.partner.policies.values()):
                raise IntuneError(409, "Conflict", "A policy for this platform exists already.")
            policy = {"Id": str(uuid.uuid4()), **body, "PartnerPolicyId": str(uuid.uuid4())}
            world.partner.policies[policy["Id"]] = policy
        address = f"{endpoint_url(sandbox, 'PartnerTenantDataSyncService')}/PartnerCompliancePolicies"
        extra = {"odata.metadata": f"{address}/$metadata", "odata.id": f"{address}(guid'{policy['Id']}')"}
        return jsonify({**extra, "odata.etag": 'W/"1"', **policy}), 201

    @app.post("/TenantDataSync/<where>/PartnerCompliancePolicies(guid'<uuid:policy>')/Assign")
    def assign(where: str, policy: uuid.UUID) -> dict[str, Any]:
        _admit(sandbox, where, "manage_partner_compliance_policy", TENANT_VERSION)
        groups = _body("assignments")["assignments"]
        if not isinstance(groups, list) or not all(isinstance(group, str) for group in groups):
            raise IntuneError(400, "BadRequest", "assignments is a list of group object ids.")
        if not 0 < len(groups) <= MOST_GROUPS or len(set(groups)) < len(groups):
            raise IntuneError(400, "BadRequest", f"assignments names one to {MOST_GROUPS} groups, each once.")
        with world.lock:
            if unknown := [group for group in groups if group != ALL_USERS and group not in world.groups]:
                raise IntuneError(400, "BadRequest", f"There is no group {unknown[0]}.")
            if str(policy) not in world.partner.policies:
                raise IntuneError(404, "ResourceNotFound", "No such policy.")
            world.partner.assignments[str(policy)] = groups
        # The value is JSON inside a string, as the public client of it has to cope with.
        return {"odata.metadata": "$metadata#Edm.String", "value": json.dumps({"assignments": groups})}


def _device_service(app: Flask, sandbox: Sandbox) -> None:
    world = sandbox.world

    @app.put("/DeviceDataSync/<where>/DataUploadMessages(guid'<uuid:message>')")
    def put_message(where: str, message: uuid.UUID) -> dict[str, Any]:
        _admit(sandbox, where, "update_device_attributes", DEVICE_VERSION)
        body = _body("TenantId", "UploadTime", "Content")
        if body["TenantId"] != world.tenant_id:
            raise BadMessage("TenantId is not that of the token.")
        a_time("UploadTime", body["UploadTime"])
        content = checked_content(body["Content"], world.tenant_id)
        with world.settled():
            if world.partner.provisioned != 1:
                raise IntuneError(403, "Forbidden", "The partner is not provisioned in this tenant.")
            if str(message) not in world.uploads:
                world.receive(_upload(sandbox, str(message), content))
        return {"TenantId": world.tenant_id, "MessageId": str(message), "ErrorCode": 0, "ErrorDetail": None}

    @app.get("/DeviceDataSync/<where>/DataUploadMessages(guid'<uuid:message>')")
    def get_message(where: str, message: uuid.UUID) -> dict[str, Any]:
        _admit(sandbox, where, "update_device_attributes", DEVICE_VERSION)
        with world.settled():
            upload = world.uploads.get(str(message))
            if upload is None:
                raise IntuneError(404, "ResourceNotFound", "No such message.")
            return {
                "MessageId": upload.message_id,
                "Status": upload.status,
                "ErrorCode": upload.error_code,
                "ErrorDetail": upload.error_detail,
            }


def _upload(sandbox: Sandbox, message_id: str, content: list[dict[str, Any]]) -> DataUpload:
    """The same id again is the same message: its first content stands and nothing happens twice."""
    now, lags = sandbox.world.now(), sandbox.world.lags
    completes = now + timedelta(seconds=lags.processing_lag)
    upload = DataUpload(message_id, now, completes, completes + timedelta(seconds=lags.compliance_lag), content)
    upload.ignored = sandbox.faults.take("intune", "ignore_writes", request.path) is not None
    if fault := sandbox.faults.take("intune", "fail_upload", request.path):
        upload.error_code, upload.error_detail = fault.error_code, fault.error_detail
    return upload
