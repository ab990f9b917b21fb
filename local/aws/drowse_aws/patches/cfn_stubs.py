"""Types that are names only."""

from __future__ import annotations

from typing import Any

from ..emulator import Record, account, provisioners, region
from ..registry import patch
from ..stubs import STUBS
from ..templates import Created, add_type, physical_name


@patch(
    "cfn-stubs",
    "A template with a type that ministack does not know is refused as a whole; these types are names only.",
    ("services.cloudformation.provisioners._RESOURCE_HANDLERS",),
)
def deploy_stubs() -> None:
    for name in list(STUBS):
        if name in provisioners._RESOURCE_HANDLERS:
            raise ValueError(f"{name} is listed as a stub, but there is a real one")
        add_type(name, _creating(name), lambda physical_id, props: None, _updating(name))


def _creating(kind: str) -> Any:
    def create(logical_id: str, props: Record, stack: str) -> Created:
        name = physical_name(stack, logical_id)
        return name, _attributes(kind, name)

    return create


def _updating(kind: str) -> Any:
    def update(physical_id: str, old: Record, new: Record, stack: str, *_: Any) -> Created:
        return physical_id, _attributes(kind, physical_id)

    return update


def _attributes(kind: str, name: str) -> Record:
    arn = f"arn:aws:stub:{region()}:{account()}:{kind.rsplit('::', 1)[-1]}/{name}"
    return {"Arn": arn, "Id": name}
