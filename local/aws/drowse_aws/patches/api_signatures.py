"""API Gateway: what its front door refuses."""

from __future__ import annotations

import json
from typing import Any

from ..emulator import Record, apigateway, app
from ..registry import patch

_FORBIDDEN = {"message": "Forbidden"}


@patch(
    "api-signatures",
    "A route with IAM authorization lets any Authorization header through, also `x` and bearer tokens.",
    (
        "app._enforce_execute_api",
        "app._execute_api_authorization_type",
        "services.apigateway._iam_caller_identity_v2",
    ),
)
def refuse_unsigned() -> None:
    inner = app._enforce_execute_api

    def enforce(
        api_id: str, stage: str, method: str, path: str, headers: Record, query: Record, *more: Any, **named: Any
    ) -> Any:
        if app._execute_api_authorization_type(api_id, stage, method, path) == "AWS_IAM":
            signed = _is_signed(str(headers.get("authorization", "")))
            if not signed or apigateway._iam_caller_identity_v2(headers, query) is None:
                return 403, {"Content-Type": "application/json"}, json.dumps(_FORBIDDEN).encode()
        return inner(api_id, stage, method, path, headers, query, *more, **named)

    app._enforce_execute_api = enforce


def _is_signed(authorization: str) -> bool:
    """Whether it has the parts of a signature of version 4; whether it is right is checked with DROWSE_AUTH alone."""
    algorithm, _, rest = authorization.partition(" ")
    parts = {part.strip().partition("=")[0] for part in rest.split(",")}
    return algorithm == "AWS4-HMAC-SHA256" and {"Credential", "SignedHeaders", "Signature"} <= parts


@patch(
    "api-events",
    "An event of an HTTP API names its path parameters as null where there are none; a strict reader refuses it.",
    ("services.apigateway._invoke_lambda_proxy",),
)
def name_no_parameters() -> None:
    inner = apigateway._invoke_lambda_proxy

    async def invoke(*request: Any, **named: Any) -> Any:
        *before, parameters = request
        return await inner(*before, parameters or {}, **named)

    apigateway._invoke_lambda_proxy = invoke
