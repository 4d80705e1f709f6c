"""One file per thing somebody asks for. No Flask, no HTTP, no SQL: only `domain`, `ports` and `errors`.

For a person: `start_journey`, `ask` (what the buttons say), `prove_possession`, `other_device`. For the helpdesk: `look_up`.
For whoever runs the product: `doctor` with `doctor_remotes` and `doctor_house`, `message_test`.
For the worker: `look`, `link_device` and `replace_link`, `tell_owner`, and `push_compliance` with its rooms `judge`, `carry`,
`one_pass`, `read_both_sides`.
"""
