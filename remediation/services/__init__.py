"""One file per thing somebody asks for. No Flask, no HTTP, no SQL: only `domain`, `ports` and `errors`.

For a person: `start_journey`, `prove_possession`, `ask` (what the buttons say). For the worker: `look`, `link_device`,
`push_compliance`.
"""
