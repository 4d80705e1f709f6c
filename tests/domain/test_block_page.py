"""What is found in what people paste: codes, Microsoft's numbers, the device, in whatever language the words around them are."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.domain.block_page import MEANINGS, MOST, WAYS, Computer, Meaning, read

REQUEST, CORRELATION = "11111111-aaaa-4bbb-8ccc-000000000001", "22222222-aaaa-4bbb-8ccc-000000000002"
APP, DEVICE = "33333333-aaaa-4bbb-8ccc-000000000003", "44444444-aaaa-4bbb-8ccc-000000000004"
# The order and the labels of microsoft.md 2.1; only the labels are translated.
MORE_DETAILS = f"""You can't get there from here
Error Code: 530003
Request Id: {REQUEST}
Correlation Id: {CORRELATION}
Timestamp: 2026-11-27T07:15:30.123Z
App name: Microsoft Outlook
App id: {APP}
IP address: 203.0.113.7
Device identifier: {DEVICE}
Device platform: iOS
Device state: Unregistered
"""
GERMAN = f"""Fehlercode: 53000
Anforderungs-ID: {REQUEST}
Korrelations-ID: {CORRELATION}
Zeitstempel: 2026-11-27T07:15:30Z
App-Name: Outlook
App-ID: {APP}
IP-Adresse: 2001:db8::7:1
Gerätebezeichner: {DEVICE}
Geräteplattform: Android
Gerätestatus: Nicht registriert"""
NO_LABELS = f"エラー: 53003\nA: {REQUEST}\nB: {CORRELATION}\nC: 2026-11-27 07:15:30Z\nD: {APP}\nE: 203.0.113.7\nF: 利用不可"
ERROR = (
    "AADSTS50129: Device is not Workplace joined. Workplace join is required to register the device. "
    f"Trace ID: {REQUEST} Correlation ID: {CORRELATION} Timestamp: 2026-11-27 07:15:30Z"
)
AT = datetime(2026, 11, 27, 7, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "codes", "device_id", "platform"),
    [
        (MORE_DETAILS, ("530003",), DEVICE, "ios"),
        (GERMAN, ("53000",), DEVICE, "android"),
        (NO_LABELS, ("53003",), None, None),
        (ERROR, ("50129",), None, None),
    ],
    ids=["english", "german", "other-signs", "error"],
)
def test_what_microsoft_shows_is_found_in_any_language(
    text: str, codes: tuple[str, ...], device_id: str | None, platform: str | None
) -> None:
    shown = read(text)
    assert (shown.codes, shown.correlation_id, shown.device_id, shown.platform) == (codes, CORRELATION, device_id, platform)
    assert shown.at == AT


@pytest.mark.parametrize("text", ["53003", " 53003. ", "AADSTS53003", "aadsts 53003", "Error code: 53003", "Fehlercode：53003"])
def test_a_code_by_itself(text: str) -> None:
    assert read(text).codes == ("53003",)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("AADSTS9999999 is new", ("9999999",)),
        ("9999999", ("9999999",)),
        ("call +49-53003 or 53003-1, room 10:53003, 53003.5, order 9999999", ()),
        (f"{CORRELATION[:8]}-5300-4bbb-8ccc-000000053003", ()),
        ("AADSTS53003123456789", ()),
        (" ".join(f"AADSTS{code}" for code in range(50000, 50020)), tuple(str(code) for code in range(50000, 50000 + MOST))),
        ("", ()),
        ("\x00\ud800", ()),
    ],
)
def test_a_number_that_may_be_anything_is_no_code_and_an_unknown_code_is_kept(text: str, codes: tuple[str, ...]) -> None:
    assert read(text).codes == codes


JOINED = """
+----------------------------------------------------------------------+
| Device State                                                         |
+----------------------------------------------------------------------+
             AzureAdJoined : YES
          EnterpriseJoined : NO
              DomainJoined : NO
               Device Name : PC-7
+----------------------------------------------------------------------+
| Device Details                                                       |
+----------------------------------------------------------------------+
                  DeviceId : 44444444-aaaa-4bbb-8ccc-000000000004
                Thumbprint : 1234567890ABCDEF
| User State                                                           |
           WorkplaceJoined : NO
| SSO State                                                            |
                AzureAdPrt : NO
"""


def test_dsregcmd_of_a_joined_computer() -> None:
    shown = read(JOINED)
    assert shown.computer == Computer(joined=True, domain=False, registered=False, token=False)
    assert (shown.device_id, shown.platform, shown.computer.state) == (DEVICE, "windows", "no_token")
    assert read(JOINED.replace("AzureAdPrt : NO", "AzureAdPrt : YES")).computer.state == "joined"  # type: ignore[union-attr]


def test_dsregcmd_of_a_registered_one_and_of_one_that_is_neither() -> None:
    registered = f"AzureAdJoined : NO\r\nWorkplaceJoined : YES\r\n  WorkplaceDeviceId : {DEVICE.upper()}\r\n"
    shown = read(registered)
    assert shown.computer is not None
    assert (shown.computer.state, shown.device_id) == ("registered", DEVICE)
    neither = read("AzureAdJoined : NO\n WorkplaceJoined : NO").computer
    assert neither is not None
    assert neither.state == "neither"


@given(st.text(max_size=400))
def test_no_text_makes_it_fail(text: str) -> None:
    shown = read(text)
    assert all(code.isdigit() and code.isascii() for code in shown.codes)


def test_every_meaning_has_its_way() -> None:
    assert set(WAYS) == set(Meaning) == set(MEANINGS.values())


def test_every_code_of_the_reference_is_known() -> None:
    """Kept by hand from microsoft.md 2.4 and ux.md 2.1, without those that a person never sees at the end of a sign-in."""
    known = """
    50005 50097 50099 50127 501271 50129 501291 501293 50131 50155 50156 50158 50168 50187 50199 50203 53000 53001 53002
    53003 53004 53005 53009 53010 53011 530001 530002 530003 530004 530021 530022 530031 530032 530033 530035 530081
    501311 501312 501313 501314 135011 130007 240001 700003 1000503 70043 70044 50105 50076 50074 50079 50072 65001
    65004 90094 90095 90097 700016 90002 50020 50194 7000215 7000222 7000112 530011 1000701 900942 50034
    """
    assert set(known.split()) == set(MEANINGS)


def test_every_meaning_has_its_words() -> None:
    for language in ("en", "de"):
        text = (Path("remediation/web/translations") / f"{language}.po").read_text()
        assert {str(one) for one in Meaning} <= set(re.findall(r'msgid "says\.title\.(\w+)"', text))
