"""The kinds of device that the pretend hand can hold, and what each system calls them.

Next door: `tenant` hands them out, `phone_scene` draws them, `workspace_one_shapes` and `graph_entities` speak of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_CHROMIUM = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0"
_SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1"


@dataclass(frozen=True)
class DeviceKind:
    """`os` is Graph's `operatingSystem`, `mdm_platform` Workspace ONE's `Platform`, `policy_word` the block page's."""

    key: str
    word: str
    """What the person calls it, and presses in the product."""
    frame: Literal["phone", "tablet", "laptop"]
    os: str
    mdm_platform: str
    policy_word: str
    model: str
    os_version: str
    manufacturer: str | None
    user_agent: str
    registers_in: str = "Authenticator"
    broken: str = "Jailbroken"
    ownership: Literal["C", "E"] = "C"
    work_profile: bool = False

    @property
    def noun(self) -> str:
        return {"phone": "phone", "tablet": "tablet", "laptop": "computer"}[self.frame]


# Words of operatingSystem: entra-docs manage-stale-devices.md (Windows, MacMDM, Android, iOS) and public exports (iPad,
# AndroidForWork); of Platform: demisto/content devices_search_resp.json and mrpaws/awtest mdm/v1 (litesearch).
# Who registers where: entra-docs identity/devices; memdocs Company Portal.
_KINDS = (
    DeviceKind(
        "iphone",
        "iPhone",
        "phone",
        "iOS",
        "Apple",
        "iOS",
        "iPhone 15",
        "18.1",
        None,
        f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {_SAFARI} Mobile/15E148 Safari/604.1",
    ),
    DeviceKind(
        "android_work_profile",
        "Android phone",
        "phone",
        "AndroidForWork",
        "Android",
        "Android",
        "Pixel 8",
        "15",
        "Google",
        f"Mozilla/5.0 (Linux; Android 10; K) {_CHROMIUM} Mobile Safari/537.36",
        broken="Rooted",
        ownership="E",
        work_profile=True,
    ),
    DeviceKind(
        "android_fully_managed",
        "Android phone",
        "phone",
        "Android",
        "Android",
        "Android",
        "Galaxy A55",
        "14",
        "Samsung",
        f"Mozilla/5.0 (Linux; Android 10; K) {_CHROMIUM} Mobile Safari/537.36",
        broken="Rooted",
    ),
    DeviceKind(
        "ipad",
        "iPad",
        "tablet",
        "iPad",
        "Apple",
        "iOS",
        "iPad Air",
        "18.1",
        None,
        # Since iPadOS 13 its browser asks for desktop pages and presents itself as a Mac.
        f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_SAFARI} Safari/605.1.15",
    ),
    DeviceKind(
        "mac",
        "Mac",
        "laptop",
        "MacMDM",
        "AppleOsX",
        "macOS",
        "MacBook Air",
        "15.1",
        "Apple",
        f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_SAFARI} Safari/605.1.15",
        registers_in="Company Portal",
        broken="Tampered with",
    ),
    DeviceKind(
        "windows",
        "Windows laptop",
        "laptop",
        "Windows",
        "WinRT",
        "Windows",
        "Latitude 5450",
        "10.0.26100.2314",
        "Dell Inc.",
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROMIUM} Safari/537.36 Edg/130.0.0.0",
        registers_in="Work account",
        broken="Tampered with",
    ),
    DeviceKind(
        "linux",
        "Linux laptop",
        "laptop",
        "Linux",
        "Linux",
        "Linux",
        "ThinkPad X1",
        "24.04",
        "Lenovo",
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        registers_in="Intune app",
        broken="Tampered with",
    ),
)
KINDS = {kind.key: kind for kind in _KINDS}
IPHONE = KINDS["iphone"]
