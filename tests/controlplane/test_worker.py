"""The worker's queue."""

from controlplane import worker
from controlplane.settings import Settings


def test_a_worker_that_dies_blocks_nobody(settings: Settings) -> None:
    """No task takes a lock of the queue: that of a worker that was killed would never be free."""
    tasks = worker.queue(settings).tasks.values()
    ours = [task for task in tasks if not task.name.startswith("builtin")]

    assert len(ours) >= 8
    assert [task.name for task in ours if task.lock] == []
