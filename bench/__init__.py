"""Benchmarks: speed and scale, measured; never in a timed test.

`python -m bench NAME [--quick] [--db sqlite|postgresql] [--seed N]` shows progress and ends with one line of JSON. What they found
stands in `docs/figures.md`, each with its command.
"""
