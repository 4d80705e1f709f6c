"""What can be set, and by whom: one frozen class for each process, made of groups. `reading` reads and explains.

`docs/settings.md` lists every field; a test keeps it complete. Both processes know `both`; `web` and `worker` are what one alone
knows (design: two processes, two powers), `operator` what the commands need.
"""

from .both import Settings
from .operator import AuditSettings, DatabaseSettings, OperatorSettings, SealSettings
from .says import PREFIX, Says
from .web import WebKeySettings, WebSettings
from .worker import WorkerSettings

__all__ = [
    "PREFIX",
    "AuditSettings",
    "DatabaseSettings",
    "OperatorSettings",
    "Says",
    "SealSettings",
    "Settings",
    "WebKeySettings",
    "WebSettings",
    "WorkerSettings",
]
