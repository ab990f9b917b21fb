"""Service Quotas, as far as anybody here asks."""

from __future__ import annotations

import json
from typing import Any

from ..emulator import Response, app, responses, router
from ..registry import patch

#: vCPUs of running instances, by quota: those of an account that has asked for some before.
QUOTAS = {
    "L-1216C47A": ("Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 64.0),
    "L-34B43A08": ("All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests", 64.0),
    "L-DB2E81BA": ("Running On-Demand G and VT instances", 32.0),
    "L-3819A6DF": ("All G and VT Spot Instance Requests", 32.0),
}


async def _handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Response:
    action = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
    asked = json.loads(body or b"{}")
    code = str(asked.get("QuotaCode"))
    if action != "GetServiceQuota" or asked.get("ServiceCode") != "ec2" or code not in QUOTAS:
        message = f"{action} of {asked.get('ServiceCode')} {code} is not known here"
        refused: Response = responses.error_response_json("NoSuchResourceException", message, 400)
        return refused
    name, value = QUOTAS[code]
    quota = {"ServiceCode": "ec2", "QuotaCode": code, "QuotaName": name, "Value": value, "Unit": "None"}
    answer: Response = responses.json_response({"Quota": quota})
    return answer


@patch(
    "service-quotas",
    "Service Quotas is missing, and the first call of a missing service takes seconds.",
    (
        "app.SERVICE_HANDLERS",
        "core.router._is_aws_service_name",
        "core.responses.json_response",
        "core.responses.error_response_json",
    ),
)
def answer_quotas() -> None:
    app.SERVICE_HANDLERS["servicequotas"] = _handle
    inner = router._is_aws_service_name
    # The names that ministack knows are those of all of botocore's models, which it reads for that.
    router._is_aws_service_name = lambda name: name == "servicequotas" or bool(inner(name))
