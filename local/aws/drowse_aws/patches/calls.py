"""Recording which calls were made."""

from __future__ import annotations

import datetime
from typing import Any

from .. import calls
from ..emulator import Response, app, iam_actions, iam_evaluator, region, router
from ..registry import patch


@patch(
    "record-calls",
    "There is no cheap record of who called what (GET /_drowse/calls).",
    (
        "app._dispatch_service_request",
        "app._routing_params",
        "app._ct_event_name",
        "core.iam_actions.extract_iam_action",
    ),
)
def record_calls() -> None:
    inner = app._dispatch_service_request

    async def dispatch(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any], request_id: str
    ) -> Response:
        response: Response = await inner(method, path, headers, body, query, request_id)
        parameters = app._routing_params(method, path, headers, body, query)
        service = router.detect_service(method, path, headers, parameters)
        action = iam_actions.extract_iam_action(service, method, path, headers, body, parameters)
        calls.record(
            {
                "at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds"),
                "service": service,
                "action": action or f"{service}:{app._ct_event_name(service, method, path, headers, parameters)}",
                "accessKey": router.extract_access_key_id(headers, query) or "",
                "principal": iam_evaluator.request_caller_arn(headers, query),
                "region": region(),
                "status": response[0],
            }
        )
        return response

    app._dispatch_service_request = dispatch
