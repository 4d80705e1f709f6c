"""The same promises, asked of every adapter of a protocol. Each suite states which of the five errors it raised."""
