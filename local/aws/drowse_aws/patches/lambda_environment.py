"""The process that a Lambda runs in."""

from __future__ import annotations

import os
import subprocess
import weakref
from typing import Any

from .. import settings
from ..emulator import lambda_runtime
from ..registry import patch

#: What a function may see of the emulator's own environment, beside AWS_* and _LAMBDA*.
_PASSED = ("PATH", "TMPDIR", "LAMBDA_TASK_ROOT", "NODE_PATH", "NODE_EXTRA_CA_CERTS", "DROWSE_INGRESS")
#: Real seconds to wait for the first log line of an invocation; ministack's 50 ms are paid by every silent handler.
_FIRST_LOG_LINE = 0.01


#: Every process started for a Lambda that may still be alive, pools or not: what must not outlive the emulator.
_started: weakref.WeakSet[subprocess.Popen[str]] = weakref.WeakSet()


def kill_every_process() -> None:
    """End every Lambda process, also one that ministack is just starting or has taken out of its pools."""
    for process in list(_started):
        if process.poll() is None:
            process.kill()
            process.wait(timeout=1)


class _CleanSubprocess:
    """The subprocess module as lambda_runtime sees it: processes start with Lambda's environment, not ours."""

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    def Popen(self, command: list[str], **options: Any) -> subprocess.Popen[str]:  # noqa: N802 (subprocess's name)
        given: dict[str, str] = options.pop("env", None) or {}
        foreign = {name for name, value in os.environ.items() if given.get(name) == value}
        clean = {
            name: value
            for name, value in given.items()
            if name in _PASSED or name.startswith(("AWS_", "_LAMBDA")) or name not in foreign
        }
        # As Lambda sets them: docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
        clean.update(TZ=":UTC", LANG="en_US.UTF-8", AWS_LAMBDA_INITIALIZATION_TYPE="on-demand")
        if settings.current().node_path:
            clean["NODE_PATH"] = os.pathsep.join(filter(None, [clean.get("NODE_PATH"), settings.current().node_path]))
        process = subprocess.Popen(command, env=clean, **options)
        _started.add(process)
        return process


@patch(
    "lambda-environment",
    "Lambdas inherit the emulator's whole environment.",
    ("core.lambda_runtime.subprocess", "core.lambda_runtime.Worker"),
)
def clean_environment() -> None:
    lambda_runtime.subprocess = _CleanSubprocess()


@patch(
    "lambda-node-binary",
    "nodejs Lambdas run on whatever `node` is first on the PATH; DROWSE_NODE chooses it.",
    ("core.lambda_runtime._detect_runtime_binary", "core.lambda_runtime._NODEJS_WORKER_SCRIPT"),
)
def choose_node() -> None:
    inner = lambda_runtime._detect_runtime_binary

    def detect(runtime: str) -> tuple[str, str]:
        if runtime.startswith("nodejs"):
            return settings.current().node, lambda_runtime._NODEJS_WORKER_SCRIPT
        binary, script = inner(runtime)
        return str(binary), str(script)

    lambda_runtime._detect_runtime_binary = detect


@patch(
    "lambda-log-wait",
    "Every invocation that logs nothing waits 50 ms for a log line.",
    ("core.lambda_runtime.Worker",),
)
def wait_less_for_logs() -> None:
    inner = lambda_runtime.Worker._drain_stderr_bounded

    def drain(worker: Any, first_line_wait: float = _FIRST_LOG_LINE, **options: Any) -> str:
        return str(inner(worker, first_line_wait=first_line_wait, **options))

    lambda_runtime.Worker._drain_stderr_bounded = drain
