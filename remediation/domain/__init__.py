"""What is true about devices, links, evidence, verdicts and the journey. Standard library only, no clock, no I/O.

Nothing here may import from outside this folder; `tests/test_house.py` holds it. Read `device`, `evidence`, `matching`, `compliance`,
`push`, `journey`, `steps`. Moments are aware datetimes in UTC and come in as arguments.
"""
