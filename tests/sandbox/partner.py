"""A compliance partner at work, as the sandbox's tests play it: discovery, device messages, their status."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import requests

from tests.sandbox.conftest import Hands

T0 = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


class Partner:
    """A compliance partner as public clients of the service act: discovery first, then the two services."""

    def __init__(self, hands: Hands) -> None:
        self.hands = hands
        self.tenant = hands.facts["tenant_id"]
        found = hands.graph("GET", "servicePrincipals/appId=0000000a-0000-0000-c000-000000000000/endpoints").json()
        self.urls = {endpoint["providerName"]: endpoint["uri"] for endpoint in found["value"]}
        self.phone = next(phone for phone in hands.facts["phones"] if phone["key"] == "mia")

    def tenant_call(self, method: str, path: str, body: Any = None, version: str = "1.6", **headers: str) -> requests.Response:
        url = f"{self.urls['PartnerTenantDataSyncService']}/{path}?api-version={version}"
        return self.hands.call(method, url, body, **headers)

    def message_url(self, message_id: str, version: str = "1.2") -> str:
        service = self.urls["PartnerDeviceDataSyncService"]
        return f"{service}/DataUploadMessages(guid'{message_id}')?api-version={version}"

    def entities(self, compliant: bool = True, at: datetime = T0, **changed: Any) -> list[dict[str, Any]]:
        shared = {
            "TenantId": self.tenant,
            "DeviceId": changed.pop("DeviceId", self.phone["device_id"]),
            "UserId": changed.pop("UserId", self.phone["person_oid"]),
            "LastUpdateTime": at.isoformat().replace("+00:00", "Z"),
        }
        inventory = {
            "EntityType": 1,
            **shared,
            "DeviceManagementState": "managed",
            "DeviceName": "Mia’s iPhone",
            "LastCheckInTime": at.isoformat(),
            "Os": "iOS",
            "OsVersion": "18.1",
            "EasIds": [],
            "State": 0,
            **changed,
        }
        return [inventory, {"EntityType": 4, **shared, "complianceStatus": "compliant" if compliant else "notCompliant"}]

    def send(self, entities: Any, message_id: str | None = None, **changed: Any) -> tuple[str, requests.Response]:
        message_id = message_id or str(uuid.uuid4())
        body = {
            "TenantId": self.tenant,
            "UploadTime": T0.isoformat(),
            "Content": entities if isinstance(entities, str) else json.dumps(entities),
            **changed,
        }
        return message_id, self.hands.call("PUT", self.message_url(message_id), body)

    def status(self, message_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.hands.call("GET", self.message_url(message_id)).json()
        return answer

    def is_compliant(self) -> bool | None:
        device = self.hands.graph("GET", f"devices(deviceId='{self.phone['device_id']}')?$select=isCompliant").json()
        return None if device["isCompliant"] is None else bool(device["isCompliant"])

    def wait(self, seconds: float = 10) -> None:
        self.hands.control("POST", "clock", {"advance": seconds})
