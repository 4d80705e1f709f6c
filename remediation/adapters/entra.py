"""The app's own tokens, by MSAL: one `EntraTokens` per tenant and process, one credential per scope.

MSAL caches tokens and finds endpoints; every call of its goes through our `Remote`, so refusals leave it as our five errors and
are held for a while, by a gate for each scope and so for all processes, or here where there is none: MSAL by itself would ask
again at once after a 401 and repeat a 400 for a minute. Whoever repairs a secret waits at most `REFUSED_FOR`, whoever gives consent
again `NO_CONSENT_FOR`; a secret that changes is used with the next token, and tokens got by the one before are not used any more.
Next door: `http` (manners), `graph` and `intune_partner` (which use the tokens). Nobody signs in here; that is Authlib's, in `web`.
"""

import json
import threading
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msal

from ..domain.health import Cause
from ..errors import NAMED_CAUSES, NO_CONSENT, Busy, Garbled, Refused, RemoteError
from .causes import Causes
from .gate import Gate
from .http import Answer, Remote

REFUSED_FOR = 60.0  # as long as MSAL keeps a 400 (measured, MSAL 1.39)
NO_CONSENT_FOR = 900.0  # an administrator took the app away: that is mended in hours, and each process asks as often as another
BUSY_FOR = 5.0  # where no Retry-After came; Microsoft's floor (entra-docs, resilience: client credentials)
PUBLIC = "login.microsoftonline.com"
# entra-docs docs/identity-platform/reference-error-codes.md
CAUSES = Causes(
    {
        "AADSTS7000222": Cause.EXPIRED,
        "AADSTS700024": Cause.EXPIRED,
        "AADSTS7000112": Cause.LOCKED,
        "AADSTS500011": Cause.PERMISSION,
        "AADSTS65001": Cause.PERMISSION,
        "AADSTS90002": Cause.GROUP,
        "AADSTS700016": Cause.GROUP,
    },
    refused=Cause.CREDENTIALS,
)


def vendor_code(body: Any) -> object:
    """`AADSTS7000222` from `error_codes`, else OAuth's `error` (entra-docs v2-oauth2-client-creds-grant-flow.md)."""
    numbers = body.get("error_codes")
    return f"AADSTS{int(numbers[0])}" if isinstance(numbers, list) and numbers else body["error"]


def refused_for(code: str | None) -> float:
    """Seconds until a token that was refused with this code is asked for again."""
    return NO_CONSENT_FOR if NAMED_CAUSES.get(code or "") == NO_CONSENT else REFUSED_FOR


class EntraTokens:
    """`secret` is a client secret, or MSAL's certificate form: `{"private_key": pem, "public_certificate": pem}`; or what gives it
    as it is now. `gate_of` gives the gate of a scope, closed for `refused_for` by a refusal: one scope may be refused while another
    is not."""

    def __init__(
        self,
        remote: Remote,
        *,
        tenant_id: str,
        client_id: str,
        secret: str | Mapping[str, str] | Callable[[], str | Mapping[str, str]],
        clock: Callable[[], float] = time.monotonic,
        gate_of: Callable[[str], Gate] | None = None,
    ) -> None:
        self._remote = remote
        self._tenant_id = remote.guid(tenant_id)
        self._client_id = client_id
        self._secret = secret if callable(secret) else lambda: secret
        self._clock = clock
        self._gate_of = gate_of
        self._lock = threading.Lock()
        self._app: Any = None
        self._built_with: str | Mapping[str, str] | None = None
        self._held: dict[str, tuple[float, RemoteError]] = {}

    def scope(self, scope: str, *, remote: str) -> "ScopeTokens":
        """The credential for one resource. `remote` names whose call fails where there is no token: `directory` or `channel`."""
        return ScopeTokens(self, scope, remote)

    def token(self, scope: str, *, rejected: str | None = None) -> str:
        """The cached token, or a new one; a `rejected` one is dropped first, unless another thread has replaced it already."""
        with self._lock:
            self._drop_what_an_old_secret_got()
            until, error = self._held.get(scope, (0.0, None))
            if error is not None and self._clock() < until:
                raise _again(error, until - self._clock())
            try:
                token = self._acquire(scope)
                if token == rejected:
                    self._app.remove_tokens_for_client()
                    token = self._acquire(scope)
            except (Refused, Busy) as refused:
                if self._gate_of is None:  # gates remember by themselves, for all processes
                    busy = isinstance(refused, Busy)
                    wait = (refused.retry_after or BUSY_FOR) if busy else refused_for(refused.vendor_code)
                    self._held[scope] = (self._clock() + wait, refused)
                raise
            self._held.pop(scope, None)
            return token

    def _drop_what_an_old_secret_got(self) -> None:
        secret = self._secret()
        if self._app is not None and secret != self._built_with:
            self._app = None
            self._held.clear()

    def _acquire(self, scope: str) -> str:
        try:
            if self._app is None:
                self._app = self._build()
            # POST /{tenant}/oauth2/v2.0/token, grant_type=client_credentials
            # entra-docs docs/identity-platform/v2-oauth2-client-creds-grant-flow.md
            result = self._app.acquire_token_for_client([scope])
        except (ValueError, LookupError, TypeError, AttributeError, RuntimeError) as odd:
            # its text may hold the answer; only its kind may be told
            raise Garbled(f"MSAL could not read an answer ({type(odd).__name__})", remote=self._remote.name) from None
        token = result.get("access_token") if isinstance(result, dict) else None
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise Garbled("no token in the answer", remote=self._remote.name)
        return token

    def _build(self) -> Any:
        self._built_with = secret = self._secret()
        return msal.ConfidentialClientApplication(
            self._client_id,
            client_credential=secret if isinstance(secret, str) else dict(secret),
            authority=f"{self._remote.origin}/{self._tenant_id}",
            # an authority that is not Microsoft's public one is not known to Microsoft's list of authorities
            instance_discovery=None if urlsplit(self._remote.origin).hostname == PUBLIC else False,
            http_client=_Client(self._remote, self._gate_of),
        )


@dataclass(frozen=True)
class ScopeTokens:
    """`http.Credential` for one scope."""

    tokens: EntraTokens
    scope: str
    remote: str

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._token()}"}

    def roles(self) -> frozenset[str] | None:
        """The application permissions in the token, None where it does not tell. Microsoft calls its tokens opaque (entra-docs
        docs/identity-platform/access-tokens.md), so this is for looking at alone: whether a call may be made, its answer says."""
        parts = self._token().split(".")
        try:
            claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
            roles = claims.get("roles", [])
        except (ValueError, LookupError, AttributeError):
            return None
        return frozenset(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else None

    def no_consent(self, any_of: Collection[str]) -> float | None:
        """For `http.Remote`: this token has none of these permissions, and neither has a new one. Nothing but an administrator can
        change that; the new token is kept, so that the next call is made with what was granted meanwhile."""
        with suppress(RemoteError):  # then nobody knows, and the refusal stands for itself
            token = self._token()
            if self._lacks(any_of):
                self._token(rejected=token)
                return NO_CONSENT_FOR if self._lacks(any_of) else None
        return None

    def _lacks(self, any_of: Collection[str]) -> bool:
        roles = self.roles()
        return roles is not None and not roles & set(any_of)

    def renew(self, rejected: Mapping[str, str]) -> bool:
        token = rejected.get("Authorization", "").removeprefix("Bearer ")
        return self._token(rejected=token) != token

    def _token(self, *, rejected: str | None = None) -> str:
        try:
            return self.tokens.token(self.scope, rejected=rejected)
        except RemoteError as error:
            error.remote = self.remote
            raise


def _again(error: RemoteError, seconds: float) -> RemoteError:
    """The same news, told anew without a call."""
    told = type(error)(
        str(error),
        remote=error.remote,
        status=error.status,
        vendor_code=error.vendor_code,
        retry_after=seconds,
        called=False,
    )
    return told.of_call(error.client_request_id, error.request_id)


class _Client:
    """MSAL's `http_client`. MSAL sets no timeout and logs what it cannot read; `Remote` lets no such answer through."""

    def __init__(self, remote: Remote, gate_of: Callable[[str], Gate] | None) -> None:
        self._remote = remote
        self._gate_of = gate_of

    def get(self, url: str, params: Mapping[str, str] | None = None, headers: Any = None, **_: Any) -> "_Response":
        return _Response(self._remote.call("GET", url, query=params, headers=headers))

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any) -> "_Response":
        with self._through_the_gate(data):
            return _Response(self._remote.call("POST", url, query=params, form=data, headers=headers))

    def _through_the_gate(self, form: Any) -> AbstractContextManager[object]:
        scope = form.get("scope") if isinstance(form, Mapping) else None
        if self._gate_of is None or not isinstance(scope, str):
            return nullcontext()
        return self._gate_of(scope).passing(self._remote.name, writes=False)

    def close(self) -> None:
        """Nothing is kept open beyond the session of `Remote`."""


class _Response:
    """An answer in the words that MSAL reads."""

    def __init__(self, answer: Answer) -> None:
        self.status_code = answer.status
        self.text = json.dumps(answer.body)
        self.headers: Mapping[str, str] = {}

    def raise_for_status(self) -> None:
        """Only good answers arrive here."""
