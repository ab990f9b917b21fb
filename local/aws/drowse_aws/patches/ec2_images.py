"""Public images and the parameters that name them."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from ..emulator import ec2, ssm
from ..query import Parameters
from ..registry import patch

_CANONICAL = "099720109477"
_AMAZON = "898082745236"
_ROOT_DEVICE = "/dev/sda1"


class Image(NamedTuple):
    """A public image: the parameters that name it, and what DescribeImages says."""

    parameter: str
    name: str
    description: str
    owner: str
    alias: str | None
    #: Size of its root disk's snapshot, in GiB: a smaller disk is refused.
    disk: int


def _ubuntu(version: str, name: str) -> Image:
    return Image(
        f"/aws/service/canonical/ubuntu/server/{version}/stable/current/amd64/hvm/ebs-gp3/ami-id",
        f"ubuntu/images/hvm-ssd-gp3/ubuntu-{name}-{version}-amd64-server-20261101",
        f"Canonical, Ubuntu, {version}, amd64 {name} image",
        _CANONICAL,
        None,
        8,
    )


def _deep_learning(version: str) -> Image:
    return Image(
        f"/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-{version}/latest/ami-id",
        f"Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu {version}) 20261101",
        f"Supported EC2 instances: G4dn, G5, G6, P3, P4, P5. Ubuntu {version}",
        _AMAZON,
        "amazon",
        50,
    )


#: Node OS and GPU image; and the long-term release before.
IMAGES = (_ubuntu("24.04", "noble"), _ubuntu("22.04", "jammy"), _deep_learning("24.04"), _deep_learning("22.04"))


def image_id(image: Image) -> str:
    """A stable ID for an image."""
    return f"ami-0{hashlib.sha256(image.parameter.encode()).hexdigest()[:16]}"


@patch(
    "public-images",
    "The public parameters of Ubuntu and the Deep Learning images, and those images with their disks, are missing.",
    ("services.ssm._PUBLIC_AMI_PARAMETERS", "services.ec2._STUB_AMIS", "services.ec2._stub_image_view"),
)
def publish_images() -> None:
    for image in IMAGES:
        ssm._PUBLIC_AMI_PARAMETERS[image.parameter] = image_id(image)
        ec2._STUB_AMIS.append(
            (image_id(image), image.name, image.description, "", _ROOT_DEVICE, image.owner, image.alias)
        )
    inner = ec2._stub_image_view
    disks = {image_id(image): image.disk for image in IMAGES}

    def view(ami_id: str, *fields: Any) -> dict[str, Any]:
        seen: dict[str, Any] = inner(ami_id, *fields)
        if ami_id in disks:
            ebs = {"VolumeSize": str(disks[ami_id]), "VolumeType": "gp3"}
            seen["BlockDeviceMappings"] = [{"DeviceName": _ROOT_DEVICE, "Ebs": ebs}]
        return seen

    ec2._stub_image_view = view


@patch(
    "ec2-unknown-images",
    "DescribeImages answers nothing for an unknown image ID; AWS answers InvalidAMIID.NotFound.",
    ("services.ec2._ACTION_MAP", "services.ec2._images", "services.ec2._STUB_AMIS"),
)
def refuse_unknown_images() -> None:
    inner = ec2._ACTION_MAP["DescribeImages"]

    def describe(parameters: Parameters) -> Any:
        known = {str(stub[0]) for stub in ec2._STUB_AMIS} | {key[-1] for key, _ in ec2._images.all_items()}
        unknown = [one for one in ec2._parse_member_list(parameters, "ImageId") if one not in known]
        if unknown:
            return ec2._error("InvalidAMIID.NotFound", f"The image id '[{unknown[0]}]' does not exist", 400)
        return inner(parameters)

    ec2._ACTION_MAP["DescribeImages"] = describe
