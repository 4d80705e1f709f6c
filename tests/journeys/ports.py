"""Free ports, from below those that the system gives to outgoing calls: one of these would be taken before its server is there.

Each process counts up from a place of its own, so that runs side by side are seldom offered the same one at the same time.
"""

import os
import socket

FIRST, COUNT = 12_000, 20_000
_steps = 0


def free_port() -> int:
    global _steps
    while True:
        port = FIRST + (os.getpid() * 613 + _steps) % COUNT
        _steps += 1
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
