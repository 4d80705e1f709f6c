"""What the test run itself needs. `no_skips` is loaded in CI."""
