"""How the doctor asks a remote: what came of a question is a value, or the finding that says why there is none.

Next door: `doctor` (the checks in their order), `doctor_remotes`, `doctor_tenant`, `doctor_lock`, `doctor_partner` (what is asked).
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from ..domain.finding import Finding, State
from ..errors import Busy, NotFound, Refused, RemoteError

T = TypeVar("T")


def read(check: str, ask: Callable[[], T], found: Sequence[Finding] = ()) -> T | Finding:
    """Not asked without a token; a refusal is *not known*, since it is about a right to look and not about what is looked at."""
    no_token = without_token(check, found)
    if no_token is not None:
        return no_token
    try:
        return ask()
    except Refused as refused:
        return Finding(check, State.UNKNOWN, "not_readable", detail={"code": refused.vendor_code or "403"})
    except RemoteError as error:
        return of_error(check, error)


def answers(check: str, ask: Callable[[], object], about: str = "") -> Finding:
    """Of a question that has to be allowed: a refusal is what is wrong."""
    try:
        ask()
    except NotFound:
        pass
    except RemoteError as error:
        return of_error(check, error, about)
    return Finding(check, State.GOOD, "answers", about)


def without_token(check: str, found: Sequence[Finding], about: str = "", *, resource: str = "graph") -> Finding | None:
    lacks = any(one.check == "token" and one.about == resource and one.state is not State.GOOD for one in found)
    return Finding(check, State.UNKNOWN, "no_token", about) if lacks else None


def of_error(check: str, error: RemoteError, about: str = "") -> Finding:
    """A remote that wants to be left alone has not been asked; one that does not answer serves nobody."""
    state = State.UNKNOWN if isinstance(error, Busy) else State.BAD
    return Finding(check, state, error.why, about, {"code": error.vendor_code or str(error.status or "-"), "said": str(error)})
