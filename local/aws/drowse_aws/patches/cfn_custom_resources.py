"""Custom resources."""

from __future__ import annotations

import json
from typing import Any

from ..emulator import Record, custom_resource, lambda_svc
from ..registry import patch

#: CloudFormation shows no more of a status reason than this.
_REASON = 400


@patch(
    "cfn-custom-resource-failures",
    "A custom resource whose Lambda throws waits for its ServiceTimeout, an hour by default.",
    (
        "services.lambda_svc._execute_function_with_config_scope",
        "services.cloudformation.custom_resource.deliver_response",
    ),
)
def fail_at_once() -> None:
    inner = lambda_svc._execute_function_with_config_scope

    def execute(function: Record, event: Any) -> Any:
        result = inner(function, event)
        asked = isinstance(event, dict) and event.get("ResponseURL") and event.get("StackId")
        if asked and isinstance(result, dict) and result.get("error"):
            token = event["ResponseURL"].rsplit("/", 1)[-1]
            reason = f"Lambda error: {json.dumps(result.get('body'))[:_REASON]}"
            custom_resource.deliver_response(token, {"Status": "FAILED", "Reason": reason})
        return result

    lambda_svc._execute_function_with_config_scope = execute
