"""What is true about devices, links, evidence, verdicts and the journey. Standard library only, no clock, no I/O.

Nothing here may import from outside this folder; `tests/test_house.py` holds it. Moments are aware datetimes in UTC and come in
as arguments. Read `device`, `evidence`, `matching`, `compliance`, `push`, `journey`, `steps`.
"""
