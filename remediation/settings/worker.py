"""What the worker knows: it looks, links and pushes, and alone holds the credentials of the directory and the MDM."""

from .alarms import AlarmSettings
from .both import Settings
from .channels import ChannelSettings
from .keeping import KeepingSettings
from .mdm import MdmSettings
from .microsoft import MicrosoftSettings
from .pace import PaceSettings


# Pydantic orders fields from the last parent to the first.
class WorkerSettings(KeepingSettings, AlarmSettings, PaceSettings, MdmSettings, ChannelSettings, MicrosoftSettings, Settings):
    """The process that looks, links and pushes. It alone holds the credentials of the directory and the MDM."""
