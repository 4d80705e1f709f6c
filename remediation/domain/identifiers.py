"""Identifiers that name nothing: what makers, systems and MDMs write where they have no number.

They are dropped before any comparison, since two devices that both say *unknown* are not one device.
"""

import re

# Each with where it comes from. Compared without case, blanks and punctuation.
PLACEHOLDERS = frozenset(
    {
        "unknown",  # Android's Build.UNKNOWN, which Build.getSerial gives an app that may not read it
        "null",  # a missing value that somebody's JSON or CSV made a word of
        "none",
        "na",
        "notavailable",  # Entra's block page where the browser proved no device
        "notapplicable",
        "notspecified",  # dmidecode, for an empty SMBIOS field
        "undefined",
        "default",
        "defaultstring",  # SMBIOS fields as board makers leave them
        "tobefilledbyoem",
        "systemserialnumber",
        "serialnumber",
        "chassisserialnumber",
        "invalid",
        "0123456789",  # the examples of the makers' tools, left in
        "123456789",
        "1234567890",
        "0123456789abcdef",  # the serial number that adb shows of boards without one
        "020000000000",  # the MAC address that Android and iOS give instead of the real one
    }
)


def identifier(text: str | None) -> str | None:
    """What can be compared: without case and the blanks around it; None for an identifier that names nothing."""
    plain = (text or "").strip().casefold()
    bare = re.sub(r"[\W_]+", "", plain)
    # One sign again and again: an IMEI or a GUID of zeros (Apple's for a refused advertisingIdentifier), FFFF…, 1111, a lone X.
    if len(set(bare)) <= 1 or bare in PLACEHOLDERS:
        return None
    return plain
