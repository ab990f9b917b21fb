"""What happens when a Lambda throws."""

from __future__ import annotations

from typing import Any

from ..emulator import lambda_runtime, lambda_svc
from ..registry import patch, replace_once

_WHERE = "the Node.js worker script"


@patch(
    "lambda-error-names",
    "A thrown error reaches the caller as Runtime.HandlerError whatever its name, so no named Retry or Catch matches; "
    "and the warm process is killed at each throw.",
    ("core.lambda_runtime._NODEJS_WORKER_SCRIPT", "services.lambda_svc._execute_function_warm"),
)
def keep_error_names() -> None:
    # The worker reports a thrown error as a result of a special shape, so that ministack keeps its process, and the
    # wrapper below turns that shape back into an error with its own name.
    script = lambda_runtime._NODEJS_WORKER_SCRIPT
    for old, error in (
        ('status: "error", error: String(err.message || err), trace: err.stack || ""', "err"),
        ('status: "error", error: e.message, trace: e.stack', "e"),
    ):
        script = replace_once(script, old, f'status: "ok", result: {{ __drowseError: {_described(error)} }}', _WHERE)
    # A rejection without a value counts as one too.
    rejected = "err => settle(err)"
    script = replace_once(script, rejected, "err => settle(err || new Error(String(err)))", _WHERE)
    # A worker whose emulator is gone must go too, whatever its handler still waits for.
    script = replace_once(
        script, "let lineNum = 0;", 'let lineNum = 0;\nrl.on("close", () => process.exit(0));', _WHERE
    )
    lambda_runtime._NODEJS_WORKER_SCRIPT = script
    inner = lambda_svc._execute_function_warm

    def execute(function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = inner(function, event, request_id)
        body = answer.get("body")
        thrown = body.get("__drowseError") if isinstance(body, dict) else None
        if thrown is None:
            return answer
        return {"body": thrown, "error": True, "log": "\n".join([answer.get("log") or "", *thrown["trace"]])}

    lambda_svc._execute_function_warm = execute


def _described(error: str) -> str:
    """JavaScript for Lambda's own description of a thrown value."""
    return (
        f'{{ errorType: ({error} && {error}.name) || "Error", '
        f"errorMessage: String(({error} && {error}.message) || {error}), "
        f'trace: String(({error} && {error}.stack) || "").split("\\n") }}'
    )
