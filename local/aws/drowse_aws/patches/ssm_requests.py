"""What a SendCommand asks for: parameters that the document allows, and instances that can be reached."""

from __future__ import annotations

import re

from ..emulator import Record, account, ssm
from ..json_api import ApiError
from . import ssm_documents
from .ec2_instances import tags_of

_AT_MOST_IDS = 50


def checked_parameters(name: str, given: Record) -> dict[str, str]:
    """Each parameter's value, defaults included. Raises DocumentError for what the document does not allow."""
    if name in ssm_documents.AWS_OWNED:
        return {key: "\n".join(value) for key, value in given.items()}
    declared = ssm_documents.parameters_of(ssm_documents.get(name))
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise ApiError("InvalidParameters", f"{name} has no parameter {unknown[0]}")
    values: dict[str, str] = {}
    for key, rule in declared.items():
        value = given.get(key, rule.get("default"))
        if value is None:
            raise ApiError("InvalidParameters", f"the parameter {key} is required")
        parts = [str(one) for one in (value if isinstance(value, list) else [value])]
        allowed, pattern = rule.get("allowedValues"), rule.get("allowedPattern")
        for part in parts:
            if (allowed and part not in map(str, allowed)) or (pattern and not re.fullmatch(pattern, part)):
                raise ApiError("InvalidParameters", f"'{part}' is not allowed for {key}")
        values[key] = "\n".join(parts)
    return values


def targets(data: Record) -> list[str]:
    """The instances that are meant. Raises DocumentError."""
    managed = ssm._managed_instance_ids()
    asked = list(data.get("InstanceIds") or [])
    matched: list[str] = []
    for target in data.get("Targets") or []:
        key, values = str(target.get("Key", "")), target.get("Values") or []
        if key.lower() == "instanceids":
            asked.extend(values)
        elif key.startswith("tag:"):
            matched.extend(i for i in managed if tags_of(i).get(key.removeprefix("tag:")) in values)
        else:
            raise ApiError("InvalidTarget", f"the target key {key} is not honoured here")
    if not asked and not data.get("Targets"):
        raise ApiError("ValidationException", "InstanceIds or Targets is required")
    if len(asked) > _AT_MOST_IDS:
        raise ApiError("ValidationException", f"at most {_AT_MOST_IDS} instance IDs are allowed")
    unknown = [one for one in asked if one not in managed]
    if unknown:
        message = f"Instances [[{', '.join(unknown)}]] not in a valid state for account {account()}"
        raise ApiError("InvalidInstanceId", message)
    return list(dict.fromkeys([*asked, *matched]))
