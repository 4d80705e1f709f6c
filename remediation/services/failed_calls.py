"""From an error to what the helpdesk can quote of it. Next door: `look` and `push_compliance`, which note it beside the error."""

from collections.abc import Iterator
from datetime import datetime

from ..domain.calls import FailedCall
from ..errors import RemoteError


def failed_call(error: RemoteError | None, at: datetime) -> Iterator[FailedCall]:
    """Nothing for what was refused before any call was made."""
    if error is not None and error.client_request_id is not None:
        yield FailedCall(error.remote, error.code, at, error.client_request_id, error.request_id)
