"""What instance types are."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..emulator import Response, ec2
from ..query import Parameters, xml
from ..registry import patch


class InstanceType(NamedTuple):
    """Size of a type: memory in GiB; GPUs with name and memory in MiB each."""

    vcpus: int
    memory: float
    gpus: int = 0
    gpu: str = ""
    gpu_memory: int = 0


def _family(name: str, sizes: str, vcpus: int, memory: float) -> dict[str, InstanceType]:
    """Types of a family whose sizes double, from the first named one."""
    return {
        f"{name}.{size}": InstanceType(vcpus * 2**step, memory * 2**step) for step, size in enumerate(sizes.split())
    }


_TO_4X = "large xlarge 2xlarge 4xlarge"
#: The types that drowse's configurations name, and their neighbours. Figures: aws.amazon.com/ec2/instance-types.
TYPES: dict[str, InstanceType] = {
    "t3.nano": InstanceType(2, 0.5),
    "t3.micro": InstanceType(2, 1),
    "t3.small": InstanceType(2, 2),
    "t3.medium": InstanceType(2, 4),
    "t3.large": InstanceType(2, 8),
    "t3.xlarge": InstanceType(4, 16),
    "t3.2xlarge": InstanceType(8, 32),
    "t3a.medium": InstanceType(2, 4),
    "t3a.large": InstanceType(2, 8),
    "t3a.xlarge": InstanceType(4, 16),
    "t4g.medium": InstanceType(2, 4),
    "t4g.large": InstanceType(2, 8),
    **_family("m5", _TO_4X, 2, 8),
    **_family("m5a", _TO_4X, 2, 8),
    **_family("m6i", _TO_4X, 2, 8),
    **_family("m6a", _TO_4X, 2, 8),
    **_family("m7i", _TO_4X, 2, 8),
    **_family("m7a", _TO_4X, 2, 8),
    **_family("m6g", _TO_4X, 2, 8),
    **_family("m7g", _TO_4X, 2, 8),
    **_family("c5", _TO_4X, 2, 4),
    **_family("c5a", _TO_4X, 2, 4),
    **_family("c6i", _TO_4X, 2, 4),
    **_family("c6a", _TO_4X, 2, 4),
    **_family("c7i", _TO_4X, 2, 4),
    **_family("c7a", _TO_4X, 2, 4),
    **_family("r5", _TO_4X, 2, 16),
    **_family("r6i", _TO_4X, 2, 16),
    **_family("r7i", _TO_4X, 2, 16),
    "g4dn.xlarge": InstanceType(4, 16, 1, "T4", 16384),
    "g4dn.2xlarge": InstanceType(8, 32, 1, "T4", 16384),
    "g4dn.4xlarge": InstanceType(16, 64, 1, "T4", 16384),
    "g4dn.8xlarge": InstanceType(32, 128, 1, "T4", 16384),
    "g4dn.12xlarge": InstanceType(48, 192, 4, "T4", 16384),
    "g5.xlarge": InstanceType(4, 16, 1, "A10G", 24576),
    "g5.2xlarge": InstanceType(8, 32, 1, "A10G", 24576),
    "g5.4xlarge": InstanceType(16, 64, 1, "A10G", 24576),
    "g5.12xlarge": InstanceType(48, 192, 4, "A10G", 24576),
    "g6.xlarge": InstanceType(4, 16, 1, "L4", 23034),
    "g6.2xlarge": InstanceType(8, 32, 1, "L4", 23034),
    "g6.4xlarge": InstanceType(16, 64, 1, "L4", 23034),
    "p3.2xlarge": InstanceType(8, 61, 1, "V100", 16384),
}
_ARM = ("t4g", "m6g", "m7g")


@patch(
    "ec2-instance-types",
    "DescribeInstanceTypes answers 8 vCPUs, 4 GiB and no GPU for any name, invented ones too.",
    ("services.ec2._ACTION_MAP", "services.ec2._parse_filters"),
)
def describe_true_types() -> None:
    ec2._ACTION_MAP["DescribeInstanceTypes"] = _describe


def _describe(parameters: Parameters) -> Response:
    asked = ec2._parse_member_list(parameters, "InstanceType")
    wanted = asked or ec2._parse_filters(parameters).get("instance-type")
    unknown = [name for name in asked if name not in TYPES]
    if unknown:
        message = f"The following supplied instance types do not exist: [{', '.join(unknown)}]"
        refused: Response = ec2._error("InvalidInstanceType", message, 400)
        return refused
    described = [
        _described(name, one)
        for name, one in TYPES.items()
        if wanted is None or any(ec2._glob_match(pattern, name) for pattern in wanted)
    ]
    answer: Response = ec2._xml(
        200, "DescribeInstanceTypesResponse", f"<instanceTypeSet>{xml(described, 'item')}</instanceTypeSet>"
    )
    return answer


def _described(name: str, one: InstanceType) -> dict[str, Any]:
    arm = name.split(".", maxsplit=1)[0] in _ARM
    gpu = {
        "count": one.gpus,
        "manufacturer": "NVIDIA",
        "name": one.gpu,
        "memoryInfo": {"sizeInMiB": one.gpu_memory},
    }
    return {
        "instanceType": name,
        "currentGeneration": True,
        "supportedUsageClasses": ["on-demand", "spot"],
        "supportedRootDeviceTypes": ["ebs"],
        "supportedVirtualizationTypes": ["hvm"],
        "bareMetal": False,
        "hypervisor": "nitro",
        "processorInfo": {"supportedArchitectures": ["arm64" if arm else "x86_64"]},
        "vCpuInfo": {
            "defaultVCpus": one.vcpus,
            "defaultCores": one.vcpus if arm else max(1, one.vcpus // 2),
            "defaultThreadsPerCore": 1 if arm else 2,
        },
        "memoryInfo": {"sizeInMiB": int(one.memory * 1024)},
        "instanceStorageSupported": name.startswith(("g4dn", "g5", "g6")),
        "gpuInfo": {"gpus": [gpu], "totalGpuMemoryInMiB": one.gpus * one.gpu_memory} if one.gpus else None,
        "burstablePerformanceSupported": name.startswith("t"),
    }
