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
        # All of them first: a page of what is not filtered yet would leave out what was asked for.
        response: Response = inner({"MaxResults": len(ec2._instances) + 1})
        chosen = [
            {**one, "PlatformName": "Ubuntu", "PlatformVersion": "24.04", "LastPingDateTime": time.time()}
            for one in json.loads(response[2])["InstanceInformationList"]
            if one["InstanceId"] in ec2._instances and all(_fits(one, str(key), values or []) for key, values in wanted)
        ]
        token = data.get("NextToken")
        begin = ssm._decode_next_token(token) if token else 0
        end = begin + int(data.get("MaxResults") or ssm.DEFAULT_PAGE_SIZE)
        more = {"NextToken": ssm._encode_next_token(end)} if end < len(chosen) else {}
        answer: Response = ssm.json_response({"InstanceInformationList": chosen[begin:end], **more})
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
