"""Services and errors of Step Functions' SDK integrations."""

from __future__ import annotations

from ..emulator import stepfunctions
from ..registry import patch


@patch(
    "stepfunctions-sdk-services",
    "aws-sdk integrations do not know autoscaling and elasticloadbalancingv2.",
    ("services.stepfunctions._AWS_SDK_SERVICE_MAP", "services.stepfunctions._AWS_SDK_ERROR_PREFIX"),
)
def know_more_services() -> None:
    stepfunctions._AWS_SDK_SERVICE_MAP.setdefault("autoscaling", {"protocol": "query"})
    stepfunctions._AWS_SDK_SERVICE_MAP.setdefault(
        "elasticloadbalancingv2", {"protocol": "query", "service_key": "elasticloadbalancing"}
    )
    stepfunctions._AWS_SDK_ERROR_PREFIX.setdefault("autoscaling", "AutoScaling")
    stepfunctions._AWS_SDK_ERROR_PREFIX.setdefault("elasticloadbalancingv2", "ElasticLoadBalancingV2")
