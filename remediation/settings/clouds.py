"""Microsoft's clouds: each has addresses of its own for everything, and no tenant lives in two.

Sources: entra-docs identity-platform/authentication-national-cloud.md and graph-docs concepts/deployments.md (login, Graph),
Intune's us-government and china-endpoints pages and microsoft/Intune-Resource-Access (Intune). What none of them has is left out,
and must be set by whoever knows it: docs/unproven.md.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

GLOBAL, GCC_HIGH, DOD, CHINA = "global", "gcc_high", "dod", "china"
CLOUDS = (GLOBAL, GCC_HIGH, DOD, CHINA)
NAMES = {GLOBAL: "the global cloud", GCC_HIGH: "GCC High", DOD: "DoD", CHINA: "China (21Vianet)"}
_GOVERNMENT = {
    "entra_authority": "https://login.microsoftonline.us",
    "intune_scope": "https://api.manage.microsoft.us//.default",
    "partner_hosts": (".manage.microsoft.us",),
    "portal": "https://entra.microsoft.us",
}
OF_CLOUD: Mapping[str, Mapping[str, Any]] = {
    GLOBAL: {
        "entra_authority": "https://login.microsoftonline.com",
        "graph_url": "https://graph.microsoft.com",
        "graph_scope": "https://graph.microsoft.com/.default",
        "intune_scope": "https://api.manage.microsoft.com//.default",
        "partner_hosts": (".manage.microsoft.com",),
        "portal": "https://entra.microsoft.com",
    },
    GCC_HIGH: {
        **_GOVERNMENT,
        "graph_url": "https://graph.microsoft.us",
        "graph_scope": "https://graph.microsoft.us/.default",
    },
    DOD: {
        **_GOVERNMENT,
        "graph_url": "https://dod-graph.microsoft.us",
        "graph_scope": "https://dod-graph.microsoft.us/.default",
    },
    CHINA: {
        "entra_authority": "https://login.partner.microsoftonline.cn",
        "graph_url": "https://microsoftgraph.chinacloudapi.cn",
        "graph_scope": "https://microsoftgraph.chinacloudapi.cn/.default",
        "partner_hosts": (".manage.microsoftonline.cn",),
        "portal": "https://portal.azure.cn",
    },
}
# Ends of host names that say which cloud an address is of; several where they share it.
_ENDS: Mapping[str, frozenset[str]] = {
    "dod-graph.microsoft.us": frozenset({DOD}),
    "graph.microsoft.us": frozenset({GCC_HIGH}),
    ".microsoftonline.us": frozenset({GCC_HIGH, DOD}),
    ".microsoft.us": frozenset({GCC_HIGH, DOD}),
    ".office365.us": frozenset({GCC_HIGH, DOD}),
    ".chinacloudapi.cn": frozenset({CHINA}),
    ".microsoftonline.cn": frozenset({CHINA}),
    ".azure.cn": frozenset({CHINA}),
    ".microsoftonline.com": frozenset({GLOBAL}),
    ".microsoft.com": frozenset({GLOBAL}),
    ".office.com": frozenset({GLOBAL}),
    ".windows.net": frozenset({GLOBAL}),
}
_MIXED = (
    "is an address of {theirs}, and REMEDIATION_CLOUD is `{cloud}`. Set REMEDIATION_CLOUD to {right}, which moves every address "
    "together, and leave this one out."
)
_NOT_PUBLIC = (
    "is not set, and what Intune's partner service is called in {cloud} is not public. Set it if Microsoft told you, or choose "
    "another channel (REMEDIATION_CHANNEL_IOS, …_ANDROID, …_MACOS)."
)
ADDRESSES = ("entra_authority", "graph_url", "graph_scope", "intune_scope", "partner_hosts", "return_link")
LINKS = tuple(f"enrollment_link_{platform}" for platform in ("ios", "android", "macos", "windows"))
"""An MDM's own links are of no cloud; one that leads to Microsoft is."""


def addresses(cloud: object) -> Mapping[str, Any]:
    """Of settings alone; nothing for a word that is none of ours, which its own rule tells."""
    return {name: value for name, value in OF_CLOUD.get(str(cloud or GLOBAL).strip().lower(), {}).items() if name != "portal"}


def portal(cloud: str) -> str:
    """Where administrators work."""
    return str(OF_CLOUD[cloud]["portal"])


def clouds_of(host: str) -> frozenset[str]:
    """To which clouds a host may belong; none where it is no host of Microsoft's that we know."""
    host = host.lower()
    for end, clouds in _ENDS.items():
        if host == end.lstrip(".") or host.endswith(end if end.startswith(".") else f".{end}"):
            return clouds
    return frozenset()


def mixed(values: Mapping[str, Any], fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The field and what is wrong with it, for each address that was set and is of another cloud than the tenant's. Hosts that are
    nobody's we know (the sandbox, a proxy) go with every cloud."""
    cloud = str(values.get("cloud") or GLOBAL).strip().lower()
    if cloud not in CLOUDS:
        return
    for field in (*ADDRESSES, *LINKS):
        if field not in fields or values.get(field) in (None, ""):
            continue
        for host in _hosts(values[field]):
            known = clouds_of(host)
            if known and cloud not in known:
                right = " or ".join(f"`{one}`" for one in CLOUDS if one in known)
                yield field, _MIXED.format(theirs=_named(known), cloud=cloud, right=right)
                break


def incomplete(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What no public source tells of a cloud, where a channel needs it."""
    cloud = str(values.get("cloud") or GLOBAL).strip().lower()
    if cloud not in OF_CLOUD or "intune_scope" in OF_CLOUD[cloud] or values.get("intune_scope"):
        return
    words = [str(values.get(f"channel_{platform}", "intune_partner")).strip().lower() for platform in ("ios", "android", "macos")]
    if "intune_partner" in words:
        yield "intune_scope", _NOT_PUBLIC.format(cloud=NAMES[cloud])


def _named(clouds: frozenset[str]) -> str:
    return " or ".join(NAMES[one] for one in CLOUDS if one in clouds)


def _hosts(value: Any) -> Iterator[str]:
    for one in value.split(",") if isinstance(value, str) else value:
        text = str(one).strip()
        yield (urlsplit(text).hostname or "") if "://" in text else text.partition(":")[0]
