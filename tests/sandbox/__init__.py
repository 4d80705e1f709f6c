"""The stand-in itself under test, over real sockets: what it refuses matters more than what it allows."""
