"""Secrets that are typed can be opened by one process alone, and under the name they were typed for."""

from remediation.adapters.sealing import open_sealed, public_half, seal

KEY, OTHER = "kQ8v1xWm7ZpL2tR9sYb4nHc6dJf3gAe5uTiOqP0w", "nK3wXv8pQz5rTm1yJd7bLf2hGc9sEa4u"
NAME, SECRET = "REMEDIATION_SERVICE_CLIENT_SECRET", "planted-4471"


def test_T26_sealed_secrets_open_with_their_key_and_under_their_name_alone() -> None:
    sealed = seal(NAME, SECRET, public_half(KEY))
    assert SECRET not in sealed
    assert open_sealed(NAME, sealed, [KEY]) == SECRET
    assert open_sealed(NAME, sealed, [OTHER, KEY]) == SECRET, "an earlier key still opens it"
    assert open_sealed(NAME, sealed, [OTHER]) is None
    assert open_sealed("REMEDIATION_MDM_WS1_PASSWORD", sealed, [KEY]) is None
    assert open_sealed(NAME, sealed[:-4] + "AAAA", [KEY]) is None
    assert open_sealed(NAME, "h1.!", [KEY]) is None


def test_each_sealing_differs_and_the_public_half_tells_nothing() -> None:
    half = public_half(KEY)
    assert seal(NAME, SECRET, half) != seal(NAME, SECRET, half)
    assert KEY not in half
    assert half == public_half(KEY)
