"""AWS::S3::Bucket in templates."""

from __future__ import annotations

from typing import Any

from ..emulator import Record, provisioners, s3
from ..registry import patch
from ..templates import Created, tag_list


@patch(
    "cfn-bucket-tags",
    "AWS::S3::Bucket drops its tags, and CDK's autoDeleteObjects asks for them when the stack is deleted.",
    ("services.cloudformation.provisioners._RESOURCE_HANDLERS", "services.s3._bucket_tags"),
)
def tag_buckets() -> None:
    handler = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    inner_create, inner_update = handler["create"], handler["update"]

    def create(logical_id: str, props: Record, stack: str) -> Created:
        created: Created = inner_create(logical_id, props, stack)
        _tag(created[0], props)
        return created

    def update(physical_id: str, old: Record, new: Record, stack: str, *more: Any) -> Created:
        updated: Created = inner_update(physical_id, old, new, stack, *more)
        _tag(updated[0], new)
        return updated

    handler.update(create=create, update=update)


def _tag(bucket: str, props: Record) -> None:
    if props.get("Tags"):
        s3._bucket_tags[bucket] = {tag["Key"]: tag["Value"] for tag in tag_list(props)}
