"""Mirrors the package. `people.py` names who the stories are about; `conformance/` and `journeys/` go across it."""
