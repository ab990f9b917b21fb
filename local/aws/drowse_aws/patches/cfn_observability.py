"""Alarms, trails and saved queries in templates."""

from __future__ import annotations

from typing import Any

from ..emulator import Record, cloudtrail, cloudwatch, provisioners
from ..query import flat, truth
from ..registry import patch
from ..templates import Created, add_type, must, physical_name
from . import logs_queries

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


@patch(
    "cfn-composite-alarm",
    "AWS::CloudWatch::CompositeAlarm is missing.",
    (
        "services.cloudformation.provisioners._RESOURCE_HANDLERS",
        "services.cloudwatch._put_composite_alarm",
        "services.cloudwatch._composite_alarms",
    ),
)
def deploy_composites() -> None:
    add_type("AWS::CloudWatch::CompositeAlarm", _composite, _delete_composite, _change_composite)


def _composite(logical_id: str, props: Record, stack: str) -> Created:
    name = str(props.get("AlarmName") or physical_name(stack, logical_id, most=255))
    must(cloudwatch._put_composite_alarm(flat({**props, "AlarmName": name}), {}, False), logical_id)
    return name, {"Arn": cloudwatch._composite_alarms[name]["AlarmArn"]}


def _change_composite(physical_id: str, old: Record, new: Record, stack: str, *_: Any) -> Created:
    return _composite("", {**new, "AlarmName": physical_id}, stack)


def _delete_composite(physical_id: str, props: Record) -> None:
    cloudwatch._composite_alarms.pop(physical_id, None)


@patch(
    "cfn-trail",
    "AWS::CloudTrail::Trail is missing.",
    (
        "services.cloudformation.provisioners._RESOURCE_HANDLERS",
        "services.cloudtrail._create_trail",
        "services.cloudtrail._trails",
    ),
)
def deploy_trails() -> None:
    add_type("AWS::CloudTrail::Trail", _trail, _delete_trail, _change_trail)


def _trail(logical_id: str, props: Record, stack: str) -> Created:
    name = str(props.get("TrailName") or physical_name(stack, logical_id))
    must(cloudtrail._create_trail({**props, "Name": name}), logical_id)
    return _set_trail(name, props)


def _change_trail(physical_id: str, old: Record, new: Record, stack: str, *_: Any) -> Created:
    return _set_trail(physical_id, new)


def _set_trail(name: str, props: Record) -> Created:
    trail = cloudtrail._trails[name]
    trail["IsLogging"] = truth(props.get("IsLogging", True))
    trail["LogFileValidationEnabled"] = truth(props.get("EnableLogFileValidation", False))
    for key in ("CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn"):
        if props.get(key):
            trail[key] = props[key]
    return name, {"Arn": trail["TrailARN"]}


def _delete_trail(physical_id: str, props: Record) -> None:
    cloudtrail._trails.pop(physical_id, None)


@patch(
    "cfn-query-definition",
    "AWS::Logs::QueryDefinition is missing.",
    ("services.cloudformation.provisioners._RESOURCE_HANDLERS",),
)
def deploy_queries() -> None:
    add_type("AWS::Logs::QueryDefinition", _query, _delete_query, _change_query)


def _query(logical_id: str, props: Record, stack: str) -> Created:
    return _saved_query(props, None)


def _change_query(physical_id: str, old: Record, new: Record, stack: str, *_: Any) -> Created:
    return _saved_query(new, physical_id)


def _saved_query(props: Record, query_id: str | None) -> Created:
    fields = {
        "name": props["Name"],
        "queryString": props["QueryString"],
        "logGroupNames": props.get("LogGroupNames") or [],
    }
    saved = logs_queries.save({**fields, "queryDefinitionId": query_id})
    return saved, {"QueryDefinitionId": saved}


def _delete_query(physical_id: str, props: Record) -> None:
    logs_queries.QUERIES.pop(physical_id, None)
