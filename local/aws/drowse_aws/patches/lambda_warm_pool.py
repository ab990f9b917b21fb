"""How many Lambda processes stay warm."""

from __future__ import annotations

import threading
from typing import Any

from .. import settings
from ..emulator import lambda_runtime, lambda_svc
from ..registry import patch


@patch(
    "lambda-warm-pool",
    "Every function keeps its first process for ever, at some 65 MB each.",
    (
        "services.lambda_svc.acquire_worker",
        "core.lambda_runtime.kill_workers",
        "core.lambda_runtime._workers",
        "core.lambda_runtime._lock",
    ),
)
def keep_few_warm() -> None:
    inner = lambda_svc.acquire_worker

    def acquire(*arguments: Any, **options: Any) -> Any:
        leased = inner(*arguments, **options)
        surplus = _take_surplus()
        if surplus:
            # In the background: ending a process takes a moment that the caller need not wait for.
            threading.Thread(target=lambda_runtime.kill_workers, args=(surplus,), daemon=True).start()
        return leased

    lambda_svc.acquire_worker = acquire


def _take_surplus() -> list[Any]:
    """Take the processes that were used longest ago out of the pools, beyond the most that stay warm."""
    with lambda_runtime._lock:
        pools = lambda_runtime._workers
        idle = [(worker.last_used, key, worker) for key, workers in pools.items() for worker in workers]
        oldest_first = sorted((entry for entry in idle if not entry[2].in_use), key=lambda entry: entry[0])
        surplus = oldest_first[: max(0, len(idle) - settings.current().warm_lambdas)]
        for _, key, worker in surplus:
            pools[key].remove(worker)
            if not pools[key]:
                del pools[key]
        return [worker for _, _, worker in surplus]
