"""The API's operations about devices: by the Azure device id, by the MDM's record, by a serial number."""

from ...domain.device import ManagedKey
from ...services import find_device
from ..bearer import caller
from ..desk import desk
from ..guards import Who
from .operations import operation
from .people import through
from .problems import Refusal
from .shapes import DevicesFound, DeviceState, OfDevice, OfRecord, SerialAsked, device_state


def device(path: OfDevice) -> DeviceState:
    """The registration state of a device, by its Azure device id."""
    who = {"oid": caller().oid, "now": desk().clock(), "through": through()}
    found = find_device.by_device_id(desk().look_up, desk().store, path.device_id, **who)  # type: ignore[arg-type]
    if found is None:
        raise Refusal("not_found")
    return device_state(found)


def record(path: OfRecord) -> DeviceState:
    """The registration state of a device, by the MDM's record."""
    who = {"oid": caller().oid, "now": desk().clock(), "through": through()}
    key = ManagedKey(path.connection, path.record_id)
    found = find_device.by_record(desk().look_up, desk().store, key, **who)  # type: ignore[arg-type]
    if found is None:
        raise Refusal("not_found")
    return device_state(found)


def devices_with_serial(body: SerialAsked) -> DevicesFound:
    """Devices with this serial number: several where MDMs, or two records of one, have it."""
    who = {"oid": caller().oid, "now": desk().clock(), "through": through()}
    found = find_device.by_serial(desk().look_up, desk().store, body.serial, **who)  # type: ignore[arg-type]
    return DevicesFound(devices=[device_state(one) for one in found])


OPERATIONS = (
    operation("GET", "/devices/{device_id}", device, role=Who.HELPDESK, tagged=True, refuses=("not_found",)),
    operation("GET", "/mdm/{connection}/records/{record_id}", record, role=Who.HELPDESK, tagged=True, refuses=("not_found",)),
    operation("POST", "/devices/search", devices_with_serial, role=Who.HELPDESK),
)
