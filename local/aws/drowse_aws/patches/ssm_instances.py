"""Managed instances."""

from __future__ import annotations

import json
import time

from ..emulator import Record, Response, ec2, ssm
from ..registry import patch
from .ec2_instances import tags_of


@patch(
    "ssm-instance-information",
    "DescribeInstanceInformation ignores filters and calls every instance Amazon Linux.",
    ("services.ssm._describe_instance_information", "services.ssm._managed_instance_ids"),
)
def describe_managed() -> None:
    inner = ssm._describe_instance_information

    def describe(data: Record) -> Response:
        wanted = [
            (one.get("Key") or one.get("key"), one.get("Values") or one.get("valueSet")) for one in _filters(data)
        ]
        for key, _ in wanted:
            if key not in ("InstanceIds", "PingStatus") and not str(key).startswith("tag:"):
                refused: Response = ssm.error_response_json("InvalidFilterKey", f"{key} is not honoured here", 400)
                return refused
        response: Response = inner({key: data[key] for key in ("MaxResults", "NextToken") if key in data})
        body = json.loads(response[2])
        body["InstanceInformationList"] = [
            {**one, "PlatformName": "Ubuntu", "PlatformVersion": "24.04", "LastPingDateTime": time.time()}
            for one in body["InstanceInformationList"]
            if one["InstanceId"] in ec2._instances and all(_fits(one, str(key), values or []) for key, values in wanted)
        ]
        answer: Response = ssm.json_response(body)
        return answer

    ssm._describe_instance_information = describe


def _filters(data: Record) -> list[Record]:
    return [*(data.get("Filters") or []), *(data.get("InstanceInformationFilterList") or [])]


def _fits(one: Record, key: str, values: list[str]) -> bool:
    if key == "InstanceIds":
        return one["InstanceId"] in values
    if key == "PingStatus":
        return one["PingStatus"] in values
    return tags_of(one["InstanceId"]).get(key.removeprefix("tag:")) in values
