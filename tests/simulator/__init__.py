"""The deterministic simulator: one seed is one small tenant, its workers stepped one at a time, crashed and frozen anywhere.

Read `run` first. By hand: `python -m tests.simulator --seeds 1000 --from 1`; a failing seed is told with its trace.
"""
