"""The remotes, one file each: `entra` (the app's own tokens), `graph`, `intune_partner`, `workspace_one`.

They know each other only through `http`, which holds the manners that every call has. `wiring` puts them together.
"""
