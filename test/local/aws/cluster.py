"""A small drowse-like cluster as a template, for tests of the node agent and what surrounds it."""

from __future__ import annotations

import hashlib
import io
import json
import pathlib
import tarfile
from typing import Any

from conftest import ACCOUNT, REGION, Emulator, eventually

PLATFORM = pathlib.Path(__file__).parents[3] / "platform"

DOCUMENTS: dict[str, dict[str, Any]] = {
    "mint-join-token": {
        "Pool": {"type": "String", "allowedPattern": "^[a-z0-9-]+$"},
        "InstanceIds": {"type": "String", "allowedPattern": "^i-[0-9a-f,i-]+$"},
    },
    "drain-nodes": {"PerNodeSeconds": {"type": "String", "default": "120", "allowedPattern": "^[0-9]+$"}},
    "snapshot-etcd": {
        "Reason": {"type": "String", "default": "manual", "allowedValues": ["sleep", "schedule", "manual"]}
    },
    "restore-etcd": {
        "Key": {"type": "String", "allowedPattern": r"^snapshots/[A-Za-z0-9._/-]+/etcd\.db$"},
        "DryRun": {"type": "String", "default": "true", "allowedPattern": "^(true|false)$"},
    },
    "measure-activity": {
        "WindowMinutes": {"type": "String", "allowedPattern": "^[1-9][0-9]{0,2}$"},
        "PodLabels": {"type": "String", "default": "none"},
    },
    "smoke-test": {"Checks": {"type": "String", "default": "all", "allowedPattern": "^(all|gpu)$"}},
    "issue-certificate": {key: {"type": "String"} for key in ("User", "Groups", "Request")},
    "collect-diagnostics": {},
    "uncordon-nodes": {},
    "delete-stale-nodes": {},
    "install-network": {},
    "reconcile-platform": {"Without": {"type": "String", "default": "none", "allowedPattern": "^(none|gpu|workers)$"}},
    "unanswered": {},
}


def tag(key: str, value: str) -> dict[str, str]:
    return {"Key": key, "Value": value}


def group_tags(**tags: str) -> list[dict[str, Any]]:
    return [{"Key": f"drowse:{key}", "Value": value, "PropagateAtLaunch": True} for key, value in tags.items()]


def document(name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    step = {"action": "aws:runShellScript", "name": "run", "inputs": {"runCommand": ["true"]}}
    content = {"schemaVersion": "2.2", "parameters": parameters, "mainSteps": [step]}
    return {"Type": "AWS::SSM::Document", "Properties": {"Name": name, "DocumentType": "Command", "Content": content}}


def template(name: str, seats: int = 1, hook: bool = True) -> dict[str, Any]:
    """Resources of a cluster with ``seats`` seats and a GPU pool; every group empty."""
    resources: dict[str, Any] = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.1.0.0/16"}},
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": f"drowse-{name}-{ACCOUNT}-{REGION}"}},
        "Address": {"Type": "AWS::EC2::EIP", "Properties": {"Tags": [tag("drowse:cluster", name)]}},
        "PoolTemplate": launch_template(f"{name}-pool-gpu", "g4dn.xlarge"),
        "Pool": group(
            f"{name}-pool-gpu", "PoolTemplate", ["Subnet0"], cluster=name, role="pool", pool="gpu", ingress="true"
        ),
    }
    for seat in range(seats):
        zone = f"{REGION}{'abc'[seat]}"
        resources[f"Subnet{seat}"] = {
            "Type": "AWS::EC2::Subnet",
            "Properties": {
                "VpcId": {"Ref": "Vpc"},
                "CidrBlock": f"10.1.{seat}.0/24",
                "AvailabilityZone": zone,
                "MapPublicIpOnLaunch": True,
            },
        }
        resources[f"Volume{seat}"] = {
            "Type": "AWS::EC2::Volume",
            "Properties": {
                "AvailabilityZone": zone,
                "Size": 10,
                "VolumeType": "gp3",
                "Encrypted": True,
                "Tags": [tag("drowse:cluster", name), tag("drowse:seat", str(seat))],
            },
        }
        resources[f"SeatTemplate{seat}"] = launch_template(f"{name}-seat-{seat}", "t3.medium")
        resources[f"Seat{seat}"] = group(
            f"{name}-seat-{seat}",
            f"SeatTemplate{seat}",
            [f"Subnet{seat}"],
            cluster=name,
            role="seat",
            seat=str(seat),
            **{"fixed-ip": f"10.1.{seat}.10"},
        )
    if hook:
        resources["Hook"] = {
            "Type": "AWS::AutoScaling::LifecycleHook",
            "Properties": {
                "AutoScalingGroupName": {"Ref": "Pool"},
                "LifecycleHookName": "launch",
                "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING",
                "HeartbeatTimeout": 1800,
                "DefaultResult": "ABANDON",
                "NotificationMetadata": json.dumps({"role": "pool", "pool": "gpu", "ingress": True}),
            },
        }
    for short, parameters in DOCUMENTS.items():
        resources[f"Document{short.replace('-', '')}"] = document(f"{name}-{short}", parameters)
    return resources


def launch_template(name: str, instance_type: str) -> dict[str, Any]:
    data = {
        "ImageId": "ami-0123456789abcdef0",
        "InstanceType": instance_type,
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        "BlockDeviceMappings": [
            {"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 30, "VolumeType": "gp3", "Encrypted": True}}
        ],
        "TagSpecifications": [
            {"ResourceType": kind, "Tags": [tag("launched-by", name)]}
            for kind in ("instance", "volume", "network-interface")
        ],
    }
    properties = {"LaunchTemplateName": name, "LaunchTemplateData": data}
    return {"Type": "AWS::EC2::LaunchTemplate", "Properties": properties}


def group(name: str, template_id: str, subnets: list[str], **tags: str) -> dict[str, Any]:
    version = {"Fn::GetAtt": [template_id, "LatestVersionNumber"]}
    return {
        "Type": "AWS::AutoScaling::AutoScalingGroup",
        "Properties": {
            "AutoScalingGroupName": name,
            "MinSize": "0",
            "MaxSize": "3",
            "VPCZoneIdentifier": [{"Ref": subnet} for subnet in subnets],
            "LaunchTemplate": {"LaunchTemplateId": {"Ref": template_id}, "Version": version},
            "Tags": group_tags(**tags),
        },
    }


class Cluster:
    """Handles on a deployed cluster."""

    def __init__(self, aws: Emulator, name: str, seats: int = 1, hook: bool = True) -> None:
        self.aws = aws
        self.name = name
        self._laid: set[pathlib.Path] = set()
        aws.deploy(name, template(name, seats, hook))

    def put_tree(self, overlay: str = "default", below: str = "", edited: dict[str, bytes] | None = None) -> None:
        """Deploy the real tree, or only one of its folders; ``edited`` are other contents of its files."""
        body = io.BytesIO()
        with tarfile.open(fileobj=body, mode="w:gz") as archive:
            self._laid |= set((PLATFORM / below).rglob("*.yaml"))
            for file in sorted(self._laid):
                name = str(file.relative_to(PLATFORM))
                content = (edited or {}).get(name, file.read_bytes())
                entry = tarfile.TarInfo(f"platform/{name}")
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        tree = hashlib.sha256(body.getvalue()).hexdigest()
        bucket = f"drowse-{self.name}-{ACCOUNT}-{REGION}"
        self.aws.client("s3").put_object(Bucket=bucket, Key=f"platform/{tree}.tar.gz", Body=body.getvalue())
        root = {"kind": "Kustomization", "spec": {"path": f"./platform/clusters/{overlay}"}}
        value = json.dumps({"tree": tree, "cluster": {"kind": "List", "items": [root]}})
        self.aws.client("ssm").put_parameter(
            Name=f"/drowse/{self.name}/platform", Value=value, Type="String", Overwrite=True
        )

    def asked(self) -> list[str]:
        """Repositories and registries that Flux of this cluster has asked so far."""
        found: list[str] = self.aws.control("plugin")["asked"][self.name]
        return found

    def resize(self, group_name: str, count: int) -> None:
        self.aws.client("autoscaling").set_desired_capacity(
            AutoScalingGroupName=f"{self.name}-{group_name}", DesiredCapacity=count
        )

    def group(self, group_name: str) -> dict[str, Any]:
        names = [f"{self.name}-{group_name}"]
        answer = self.aws.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=names)
        found: dict[str, Any] = answer["AutoScalingGroups"][0]
        return found

    def instances(self, **tags: str) -> list[dict[str, Any]]:
        filters = [{"Name": f"tag:drowse:{key}", "Values": [value]} for key, value in tags.items()]
        filters.append({"Name": "tag:drowse:cluster", "Values": [self.name]})
        answer = self.aws.client("ec2").describe_instances(Filters=filters)
        return [one for reservation in answer["Reservations"] for one in reservation["Instances"]]

    def phases(self, **tags: str) -> list[str]:
        return [tags_of(one).get("drowse:phase", "") for one in self.running(**tags)]

    def running(self, **tags: str) -> list[dict[str, Any]]:
        return [one for one in self.instances(**tags) if one["State"]["Name"] == "running"]

    def wait_phase(self, phase: str, count: int = 1, **tags: str) -> list[dict[str, Any]]:
        eventually(lambda: self.phases(**tags).count(phase) >= count)
        return [one for one in self.running(**tags) if tags_of(one).get("drowse:phase") == phase]

    def volume(self, seat: int = 0) -> dict[str, Any]:
        filters = [
            {"Name": "tag:drowse:cluster", "Values": [self.name]},
            {"Name": "tag:drowse:seat", "Values": [str(seat)]},
        ]
        volumes: list[dict[str, Any]] = self.aws.client("ec2").describe_volumes(Filters=filters)["Volumes"]
        return volumes[0]

    def run(self, short: str, instance_id: str | None = None, **parameters: str) -> dict[str, Any]:
        """Run a document on the (first) seat; the finished invocation."""
        ssm = self.aws.client("ssm")
        target = instance_id or self.wait_phase("ready", role="seat")[0]["InstanceId"]
        values = {key: [value] for key, value in parameters.items()}
        sent = ssm.send_command(InstanceIds=[target], DocumentName=f"{self.name}-{short}", Parameters=values)
        command_id = sent["Command"]["CommandId"]

        def over() -> Any:
            one = ssm.get_command_invocation(CommandId=command_id, InstanceId=target)
            return one if one["Status"] not in ("Pending", "InProgress") else None

        finished: dict[str, Any] = eventually(over)
        return finished

    def result(self, short: str, **parameters: str) -> dict[str, Any]:
        """Run a document that must succeed; its result line."""
        finished = self.run(short, **parameters)
        assert finished["Status"] == "Success", finished
        line: dict[str, Any] = json.loads(finished["StandardOutputContent"].splitlines()[-1])
        return line

    def awake(self, nodes: int = 1) -> None:
        """Seats and pool nodes up and ready."""
        self.resize("seat-0", 1)
        self.wait_phase("ready", role="seat")
        # As far as it is looked at before anything of it is installed.
        self.put_tree(below="clusters")
        self.result("install-network")
        self.resize("pool-gpu", nodes)
        if nodes:
            self.wait_phase("waiting-for-token", nodes, role="pool")
            self.mint("gpu")
            self.wait_phase("ready", nodes, role="pool")

    def mint(self, pool: str) -> dict[str, Any]:
        """Mint a join token for each instance that a pool has by now."""
        ids = [one["InstanceId"] for one in self.running(role="pool")]
        return self.result("mint-join-token", Pool=pool, InstanceIds=",".join(ids))


def tags_of(resource: dict[str, Any]) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in resource.get("Tags", [])}
