"""What the fork server imports once: all that a process of the product, or a bench's worker, imports at its start."""

import bench.stage.worker
import remediation.commands

__all__ = ["bench", "remediation"]
