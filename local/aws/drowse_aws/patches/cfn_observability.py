"""Alarms in templates."""

from __future__ import annotations

from typing import Any

from ..emulator import Record, provisioners
from ..registry import patch
from ..templates import Created

_PLAIN_STATISTICS = ("Sum", "Average", "Minimum", "Maximum", "SampleCount")


@patch(
    "cfn-alarm-metric-math",
    "An alarm on a metric expression is refused, and the whole stack with it; it watches its first plain metric here.",
    (
        "services.cloudformation.provisioners._RESOURCE_HANDLERS",
        "services.cloudformation.provisioners._cw_metric_alarm_put",
    ),
)
def deploy_expressions() -> None:
    handler = provisioners._RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"]
    inner_create, inner_update = handler["create"], handler["update"]

    def create(logical_id: str, props: Record, stack: str) -> Created:
        created: Created = inner_create(logical_id, _plain(props), stack)
        return created

    def update(physical_id: str, old: Record, new: Record, stack: str, *more: Any) -> Created:
        updated: Created = inner_update(physical_id, _plain(old), _plain(new), stack, *more)
        return updated

    handler.update(create=create, update=update)


def _plain(props: Record) -> Record:
    metrics = props.get("Metrics")
    if not metrics:
        return props
    nothing = {"Metric": {"Namespace": "Drowse", "MetricName": "Expression"}}
    first = next((one["MetricStat"] for one in metrics if one.get("MetricStat")), nothing)
    statistic = first.get("Stat")
    return {
        **{key: value for key, value in props.items() if key != "Metrics"},
        "Namespace": first["Metric"]["Namespace"],
        "MetricName": first["Metric"]["MetricName"],
        "Dimensions": first["Metric"].get("Dimensions") or [],
        "Period": first.get("Period", 60),
        "Statistic": statistic if statistic in _PLAIN_STATISTICS else "Average",
    }
