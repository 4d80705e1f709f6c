"""Identifiers and names: which of them name nothing, how one is spelled, and when two are one.

What makers, systems and MDMs write where they have no number is dropped before any comparison, since two devices that both say
*unknown* are not one device.
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


def bare(text: str | None) -> str | None:
    """One serial number, UDID or GUID however it is written or typed: also without the blanks, dashes and colons inside."""
    name = identifier(text)
    return None if name is None else re.sub(r"[\s:‐-―-]+", "", name)


def udid_spellings(udid: str | None) -> frozenset[str]:
    """One UDID as records and events write it: with dashes or without, in big letters or small. An iPhone's new form is 8 and 16
    hex digits, a Mac's a GUID (mrpaws/awtest `Device`, zentralopensource/zentral tests/wsone)."""
    name = identifier(udid)
    if name is None or len(name) > 64:
        return frozenset()
    plain = name.replace("-", "")
    forms = {name, plain}
    if len(plain) == 24:
        forms.add(f"{plain[:8]}-{plain[8:]}")
    if len(plain) == 32:
        forms.add(as_guid(plain))
    return frozenset(forms | {form.upper() for form in forms})


def as_guid(plain: str) -> str:
    """32 hex digits with the dashes of a GUID."""
    return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))


def serial_spellings(serial: str | None) -> frozenset[str]:
    """A serial that names nothing, as `unknown`, is nobody's."""
    name = identifier(serial)
    return frozenset() if name is None or len(name) > 64 else frozenset({name, name.upper(), (serial or "").strip()})


def fold(text: str) -> str:
    """Big and small letters are one only where folding can be undone. `str.casefold` makes one of `ß` and `ss`, and of the Kelvin
    sign and `k`: somebody could be given a name that is another person's."""
    return "".join(small if (small := letter.lower()).upper() == letter else letter for letter in text)
