"""Where a list goes on: opaque and signed, each for one list of one tenant (and person), so that nobody can make one up.

https://itsdangerous.palletsprojects.com; the purpose is in the salt. One that an earlier key signed is still read.
"""

import hashlib

from itsdangerous import BadSignature, URLSafeSerializer

from ..desk import desk
from .problems import Refusal

LONGEST = 800  # of five places in one list


def seal(purpose: str, place: list[str | int]) -> str:
    told = _serializer(purpose).dumps(place)
    return told if isinstance(told, str) else told.decode()


def unseal(purpose: str, cursor: str) -> list[str | int]:
    try:
        place = _serializer(purpose).loads(cursor)
    except BadSignature:
        raise Refusal("bad_cursor") from None
    return list(place)


def _serializer(purpose: str) -> URLSafeSerializer:
    settings = desk().settings
    keys = [key.get_secret_value() for key in (*settings.secret_key_fallbacks, settings.secret_key)]  # the last one signs
    salt = f"api cursor: {settings.tenant_id}: {purpose}"
    return URLSafeSerializer(keys, salt=salt, signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256})
