"""Auto Scaling: groups that have instances, hooks that gate, failures that say why."""

from __future__ import annotations

import datetime
import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cluster import Cluster, group_tags, launch_template, tags_of
from conftest import REGION, Emulator, eventually
from test_ec2 import make_queue


class Group:
    """A group without drowse's tags: nothing but Auto Scaling."""

    def __init__(self, aws: Emulator, name: str, most: int = 4, **more: Any) -> None:
        self.aws, self.name = aws, name
        self.api, self.ec2 = aws.client("autoscaling"), aws.client("ec2")
        vpc = self.ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            self.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")[
                "Subnet"
            ]["SubnetId"]
            for n, zone in enumerate("ab")
        ]
        data = launch_template(name, "t3.medium")["Properties"]["LaunchTemplateData"]
        self.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
        self.template = {"LaunchTemplateName": name, "Version": "$Latest"}
        given = {"LaunchTemplate": self.template, "Tags": group_tags(test="yes"), **more}
        if "MixedInstancesPolicy" in given:
            del given["LaunchTemplate"]
        self.api.create_auto_scaling_group(
            AutoScalingGroupName=name, MinSize=0, MaxSize=most, VPCZoneIdentifier=",".join(self.subnets), **given
        )

    def show(self) -> dict[str, Any]:
        found: dict[str, Any] = self.api.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])
        one: dict[str, Any] = found["AutoScalingGroups"][0]
        return one

    def members(self, state: str = "InService") -> list[dict[str, Any]]:
        return [one for one in self.show()["Instances"] if one["LifecycleState"] == state]

    def ids(self, state: str = "InService") -> list[str]:
        return [one["InstanceId"] for one in self.members(state)]

    def resize(self, count: int) -> None:
        self.api.set_desired_capacity(AutoScalingGroupName=self.name, DesiredCapacity=count)

    def settle(self, count: int, state: str = "InService") -> list[str]:
        eventually(lambda: len(self.members(state)) == count == len(self.show()["Instances"]))
        return self.ids(state)

    def instance(self, instance_id: str) -> dict[str, Any]:
        found = self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
        one: dict[str, Any] = found
        return one

    def activities(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api.describe_scaling_activities(AutoScalingGroupName=self.name)["Activities"]
        return found


@pytest.mark.covers("autoscaling-instances")
def test_a_group_has_instances(aws: Emulator) -> None:
    one = Group(aws, "real")
    one.resize(2)
    first, second = (one.instance(each) for each in one.settle(2))
    assert {first["Placement"]["AvailabilityZone"], second["Placement"]["AvailabilityZone"]} == {
        f"{REGION}a",
        f"{REGION}b",
    }
    assert tags_of(first) == {
        "launched-by": "real",
        "drowse:test": "yes",
        "aws:autoscaling:groupName": "real",
    }
    one.resize(0)
    one.settle(0)
    assert one.instance(first["InstanceId"])["State"]["Name"] == "terminated"


@pytest.mark.covers("autoscaling-instances", "ec2-instance-states")
def test_an_instance_that_died_is_replaced(aws: Emulator) -> None:
    one = Group(aws, "replaces")
    one.resize(1)
    died = one.settle(1)[0]
    one.ec2.terminate_instances(InstanceIds=[died])
    eventually(lambda: one.ids() not in ([], [died]))
    assert died not in one.ids()


@pytest.mark.covers("autoscaling-create")
def test_create_takes_the_whole_request(aws: Emulator) -> None:
    policy = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {"LaunchTemplateName": "mixed", "Version": "$Latest"},
            "Overrides": [{"InstanceType": "g4dn.xlarge"}, {"InstanceType": "g5.xlarge"}],
        },
        "InstancesDistribution": {"OnDemandBaseCapacity": 1, "OnDemandPercentageAboveBaseCapacity": 0},
    }
    hook = {"LifecycleHookName": "launch", "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"}
    one = Group(aws, "mixed", MixedInstancesPolicy=policy, LifecycleHookSpecificationList=[hook], DesiredCapacity=2)
    ids = one.settle(2, "Pending:Wait")
    instances = [one.instance(each) for each in ids]
    assert [each["InstanceType"] for each in instances] == ["g4dn.xlarge", "g4dn.xlarge"]
    assert [each.get("InstanceLifecycle") for each in instances] == [None, "spot"]
    assert one.show()["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"][1]["InstanceType"] == "g5.xlarge"
    with pytest.raises(ClientError, match="ValidationError"):
        one.api.create_auto_scaling_group(
            AutoScalingGroupName="wrong", MinSize=2, MaxSize=1, LaunchTemplate=one.template, AvailabilityZones=["a"]
        )


@pytest.mark.covers("autoscaling-update")
def test_sizes_must_agree(aws: Emulator) -> None:
    one = Group(aws, "sizes", most=2)
    with pytest.raises(ClientError, match="above max value 2"):
        one.resize(3)
    one.resize(2)
    one.api.update_auto_scaling_group(AutoScalingGroupName="sizes", MaxSize=1)
    assert (one.show()["DesiredCapacity"], one.show()["MaxSize"]) == (1, 1)
    with pytest.raises(ClientError, match="ValidationError"):
        one.api.update_auto_scaling_group(AutoScalingGroupName="sizes", MinSize=2)
    one.api.update_auto_scaling_group(AutoScalingGroupName="sizes", MinSize=0, MaxSize=0, DesiredCapacity=0)
    one.settle(0)
    with pytest.raises(ClientError, match="not found"):
        one.api.set_desired_capacity(AutoScalingGroupName="missing", DesiredCapacity=0)


@pytest.mark.covers("autoscaling-delete")
def test_a_group_with_instances_is_kept(aws: Emulator) -> None:
    one = Group(aws, "kept")
    one.resize(1)
    instance_id = one.settle(1)[0]
    with pytest.raises(ClientError, match="ResourceInUse"):
        one.api.delete_auto_scaling_group(AutoScalingGroupName="kept")
    one.api.delete_auto_scaling_group(AutoScalingGroupName="kept", ForceDelete=True)
    eventually(lambda: one.instance(instance_id)["State"]["Name"] == "terminated")
    with pytest.raises(ClientError, match="not found"):
        one.api.delete_auto_scaling_group(AutoScalingGroupName="kept")


@pytest.mark.covers("autoscaling-hooks")
def test_a_launch_hook_gates(aws: Emulator) -> None:
    one = Group(aws, "gated")
    queue, arn = make_queue(aws, "gated")
    events = aws.client("events")
    pattern = {"source": ["aws.autoscaling"], "detail": {"AutoScalingGroupName": ["gated"]}}
    events.put_rule(Name="gated", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="gated", Targets=[{"Id": "queue", "Arn": arn}])
    hook = {"AutoScalingGroupName": "gated", "LifecycleHookName": "launch"}
    transition = "autoscaling:EC2_INSTANCE_LAUNCHING"
    one.api.put_lifecycle_hook(**hook, LifecycleTransition=transition, HeartbeatTimeout=60, NotificationMetadata="{}")
    one.resize(1)
    waiting = one.settle(1, "Pending:Wait")[0]
    assert one.instance(waiting)["State"]["Name"] == "running"
    message = eventually(lambda: aws.client("sqs").receive_message(QueueUrl=queue).get("Messages"))[0]
    body = json.loads(message["Body"])
    assert body["detail-type"] == "EC2 Instance-launch Lifecycle Action"
    assert body["detail"]["EC2InstanceId"] == waiting
    assert body["detail"]["NotificationMetadata"] == "{}"
    with pytest.raises(ClientError, match="No active Lifecycle Action"):
        one.api.complete_lifecycle_action(**hook, LifecycleActionToken="0" * 36, LifecycleActionResult="CONTINUE")
    one.api.record_lifecycle_action_heartbeat(**hook, InstanceId=waiting)
    token = body["detail"]["LifecycleActionToken"]
    one.api.complete_lifecycle_action(**hook, LifecycleActionToken=token, LifecycleActionResult="CONTINUE")
    assert one.settle(1) == [waiting]


@pytest.mark.covers("autoscaling-hooks")
def test_abandoning_replaces(aws: Emulator) -> None:
    one = Group(aws, "abandons")
    hook = {"AutoScalingGroupName": "abandons", "LifecycleHookName": "launch"}
    one.api.put_lifecycle_hook(**hook, LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING", HeartbeatTimeout=60)
    one.resize(1)
    first = one.settle(1, "Pending:Wait")[0]
    one.api.complete_lifecycle_action(**hook, InstanceId=first, LifecycleActionResult="ABANDON")
    assert eventually(lambda: [each for each in one.ids("Pending:Wait") if each != first])
    assert [each["StatusCode"] for each in one.activities() if first in each["Description"]].count("Cancelled") == 1


@pytest.mark.covers("autoscaling-hooks")
def test_a_hook_times_out(aws: Emulator) -> None:
    one = Group(aws, "patient")
    hook = {"AutoScalingGroupName": "patient", "LifecycleHookName": "launch", "DefaultResult": "CONTINUE"}
    one.api.put_lifecycle_hook(**hook, LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING", HeartbeatTimeout=1)
    one.resize(1)
    one.settle(1, "Pending:Wait")
    one.settle(1)


@pytest.mark.covers("autoscaling-hooks")
def test_a_termination_hook_gates(aws: Emulator) -> None:
    one = Group(aws, "farewell")
    hook = {"AutoScalingGroupName": "farewell", "LifecycleHookName": "bye"}
    one.api.put_lifecycle_hook(**hook, LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING", HeartbeatTimeout=60)
    one.resize(1)
    instance_id = one.settle(1)[0]
    one.resize(0)
    one.settle(1, "Terminating:Wait")
    assert one.instance(instance_id)["State"]["Name"] == "running"
    one.api.complete_lifecycle_action(**hook, InstanceId=instance_id, LifecycleActionResult="CONTINUE")
    one.settle(0)


@pytest.mark.covers("autoscaling-hook-checks")
def test_a_hook_needs_its_group(aws: Emulator) -> None:
    with pytest.raises(ClientError, match="not found"):
        aws.client("autoscaling").put_lifecycle_hook(AutoScalingGroupName="missing", LifecycleHookName="launch")


@pytest.mark.covers("autoscaling-members")
def test_single_members(aws: Emulator) -> None:
    one = Group(aws, "members")
    one.resize(3)
    first, second, third = one.settle(3)
    named = {"AutoScalingGroupName": "members"}
    one.api.set_instance_protection(**named, InstanceIds=[first], ProtectedFromScaleIn=True)
    one.resize(1)
    assert one.settle(1) == [first]
    with pytest.raises(ClientError, match="not part of"):
        one.api.set_instance_protection(**named, InstanceIds=[second], ProtectedFromScaleIn=True)
    with pytest.raises(ClientError, match="Instance Id not found"):
        one.api.terminate_instance_in_auto_scaling_group(InstanceId=third, ShouldDecrementDesiredCapacity=True)
    one.api.enter_standby(**named, InstanceIds=[first], ShouldDecrementDesiredCapacity=True)
    one.settle(1, "Standby")
    one.api.exit_standby(**named, InstanceIds=[first])
    assert one.settle(1) == [first]
    one.api.detach_instances(**named, InstanceIds=[first], ShouldDecrementDesiredCapacity=True)
    one.settle(0)
    one.api.attach_instances(**named, InstanceIds=[first])
    assert one.settle(1) == [first]
    ended = one.api.terminate_instance_in_auto_scaling_group(InstanceId=first, ShouldDecrementDesiredCapacity=True)
    assert first in ended["Activity"]["Description"]
    one.settle(0)


@pytest.mark.covers("autoscaling-processes")
def test_a_suspended_process_rests(aws: Emulator) -> None:
    one = Group(aws, "suspends")
    one.api.suspend_processes(AutoScalingGroupName="suspends", ScalingProcesses=["Launch"])
    one.resize(1)
    time.sleep(0.2)
    assert one.show()["Instances"] == []
    assert [each["ProcessName"] for each in one.show()["SuspendedProcesses"]] == ["Launch"]
    one.api.resume_processes(AutoScalingGroupName="suspends", ScalingProcesses=["Launch"])
    one.settle(1)


@pytest.mark.covers("autoscaling-warm-pool")
def test_there_is_no_warm_pool(aws: Emulator) -> None:
    one = Group(aws, "cold")
    assert one.api.describe_warm_pool(AutoScalingGroupName=one.name)["Instances"] == []


@pytest.mark.covers("autoscaling-describe-groups")
def test_groups_are_filtered(aws: Emulator) -> None:
    Group(aws, "found", Tags=group_tags(cluster="found"))
    api = aws.client("autoscaling")
    filters = [{"Name": "tag:drowse:cluster", "Values": ["found"]}]
    found = api.describe_auto_scaling_groups(Filters=filters)["AutoScalingGroups"]
    assert [one["AutoScalingGroupName"] for one in found] == ["found"]
    with pytest.raises(ClientError, match="Invalid filter"):
        api.describe_auto_scaling_groups(Filters=[{"Name": "colour", "Values": ["x"]}])


@pytest.mark.covers("autoscaling-describe-instances")
def test_instances_have_types(aws: Emulator) -> None:
    one = Group(aws, "typed")
    one.resize(1)
    ids = one.settle(1)
    shown = one.api.describe_auto_scaling_instances(InstanceIds=ids)["AutoScalingInstances"][0]
    assert (shown["AutoScalingGroupName"], shown["InstanceType"]) == ("typed", "t3.medium")


@pytest.mark.covers("autoscaling-tag-filters")
def test_tags_are_filtered(aws: Emulator) -> None:
    Group(aws, "tagged")
    Group(aws, "tagged-too")
    filters = [{"Name": "auto-scaling-group", "Values": ["tagged"]}, {"Name": "key", "Values": ["drowse:test"]}]
    found = aws.client("autoscaling").describe_tags(Filters=filters)["Tags"]
    assert [(one["ResourceId"], one["Value"]) for one in found] == [("tagged", "yes")]


@pytest.mark.covers("autoscaling-activities")
def test_missing_capacity_is_named_and_retried(aws: Emulator) -> None:
    one = Group(aws, "scarce")
    aws.control("faults", {"capacity": {"group": "scarce", "error": "InsufficientInstanceCapacity"}})
    one.resize(1)
    failed = eventually(lambda: [each for each in one.activities() if each["StatusCode"] == "Failed"])[0]
    assert "sufficient t3.medium capacity" in failed["StatusMessage"]
    eventually(lambda: len(one.activities()) > 1)
    aws.control("faults", {"clear": True})
    one.settle(1)
    assert one.activities()[0]["StatusCode"] == "Successful"


def test_the_next_type_is_tried(aws: Emulator) -> None:
    policy = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {"LaunchTemplateName": "falls", "Version": "$Latest"},
            "Overrides": [{"InstanceType": "g4dn.xlarge"}, {"InstanceType": "g5.xlarge"}],
        },
        "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 0},
    }
    one = Group(aws, "falls", MixedInstancesPolicy=policy)
    fault = {"group": "falls", "error": "InsufficientInstanceCapacity", "instanceTypes": ["g4dn.xlarge"]}
    aws.control("faults", {"capacity": fault})
    one.resize(1)
    assert one.instance(one.settle(1)[0])["InstanceType"] == "g5.xlarge"
    aws.control("faults", {"capacity": {"group": "falls", "error": "InsufficientInstanceCapacity", "market": "spot"}})
    one.resize(2)
    message = eventually(lambda: [a for a in one.activities() if a["StatusCode"] == "Failed"])[0]["StatusMessage"]
    assert message.startswith("Could not launch Spot Instances. InsufficientInstanceCapacity")


@pytest.mark.covers("autoscaling-update")
def test_on_demand_takes_over_where_spot_has_nothing(aws: Emulator) -> None:
    policy = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {"LaunchTemplateName": "dry", "Version": "$Latest"},
            "Overrides": [{"InstanceType": "g4dn.xlarge"}],
        },
        "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 0, "OnDemandBaseCapacity": 0},
    }
    one = Group(aws, "dry", MixedInstancesPolicy=policy)
    aws.control("faults", {"capacity": {"group": "dry", "error": "InsufficientInstanceCapacity", "market": "spot"}})
    one.resize(1)
    eventually(lambda: [each for each in one.activities() if each["StatusCode"] == "Failed"])
    distribution = {"OnDemandPercentageAboveBaseCapacity": 100, "OnDemandBaseCapacity": 0}
    one.api.update_auto_scaling_group(
        AutoScalingGroupName="dry", MixedInstancesPolicy={"InstancesDistribution": distribution}
    )
    launched = one.instance(one.settle(1)[0])
    assert launched["InstanceType"] == "g4dn.xlarge"
    assert "InstanceLifecycle" not in launched
    shown = one.show()["MixedInstancesPolicy"]
    assert shown["InstancesDistribution"]["OnDemandPercentageAboveBaseCapacity"] == 100
    assert [each["InstanceType"] for each in shown["LaunchTemplate"]["Overrides"]] == ["g4dn.xlarge"]


@pytest.mark.covers("cfn-autoscaling-group")
def test_a_redeployment_keeps_the_running_size(aws: Emulator) -> None:
    one = Cluster(aws, "redeployed", hook=False)
    one.resize("pool-gpu", 2)
    eventually(lambda: len(one.running(role="pool")) == 2)
    from cluster import template

    changed = template("redeployed", hook=False)
    changed["Pool"]["Properties"]["MaxSize"] = "5"
    aws.redeploy("redeployed", changed)
    assert (one.group("pool-gpu")["DesiredCapacity"], one.group("pool-gpu")["MaxSize"]) == (2, 5)
    aws.destroy("redeployed")
    assert not one.running(role="pool")


def test_standby_keeps_to_the_sizes(aws: Emulator) -> None:
    one = Group(aws, "standby", most=1)
    one.resize(1)
    instance_id = one.settle(1)[0]
    named = {"AutoScalingGroupName": "standby"}
    one.api.update_auto_scaling_group(**named, MinSize=1)
    with pytest.raises(ClientError, match="To place into standby"):
        one.api.enter_standby(**named, InstanceIds=[instance_id], ShouldDecrementDesiredCapacity=True)
    one.api.update_auto_scaling_group(**named, MinSize=0)
    one.api.enter_standby(**named, InstanceIds=[instance_id], ShouldDecrementDesiredCapacity=True)
    one.api.update_auto_scaling_group(**named, MaxSize=0)
    with pytest.raises(ClientError, match="To place into service"):
        one.api.exit_standby(**named, InstanceIds=[instance_id])


def test_a_spot_interruption_is_announced(aws: Emulator) -> None:
    one = Group(aws, "spotty")
    queue, arn = make_queue(aws, "spotty")
    events = aws.client("events")
    events.put_rule(Name="spotty", EventPattern='{"detail-type":["EC2 Spot Instance Interruption Warning"]}')
    events.put_targets(Rule="spotty", Targets=[{"Id": "queue", "Arn": arn}])
    one.resize(1)
    instance_id = one.settle(1)[0]
    assert aws.control("faults", {"interrupt": {"group": "spotty"}})["faults"] == []
    message = eventually(lambda: aws.client("sqs").receive_message(QueueUrl=queue).get("Messages"))[0]
    assert json.loads(message["Body"])["detail"] == {"instance-id": instance_id, "instance-action": "terminate"}
    eventually(lambda: one.instance(instance_id)["State"]["Name"] == "terminated")
    assert one.instance(instance_id)["StateReason"]["Code"] == "Server.SpotInstanceTermination"


def test_an_instance_hangs_since_long_ago(aws: Emulator) -> None:
    one = Group(aws, "hanging")
    one.resize(1)
    instance_id = one.settle(1)[0]
    fault = {"hang": {"group": "hanging", "phase": "joining", "minutes": 9}}
    assert aws.control("faults", fault)["faults"] == []
    instance = one.instance(instance_id)
    age = datetime.datetime.now(datetime.timezone.utc) - instance["LaunchTime"]
    assert datetime.timedelta(minutes=9) <= age < datetime.timedelta(minutes=10)
    assert {"Key": "drowse:phase", "Value": "joining"} in instance["Tags"]


@pytest.mark.covers("autoscaling-refresh")
def test_a_refresh_replaces_every_instance(aws: Emulator) -> None:
    one = Group(aws, "refreshed")
    one.resize(2)
    before = one.settle(2)
    named = {"AutoScalingGroupName": "refreshed"}
    one.api.start_instance_refresh(**named)
    with pytest.raises(ClientError, match="InstanceRefreshInProgress"):
        one.api.start_instance_refresh(**named)

    def over() -> Any:
        refresh = one.api.describe_instance_refreshes(**named)["InstanceRefreshes"][0]
        return refresh if refresh["Status"] == "Successful" else None

    assert eventually(over)["PercentageComplete"] == 100
    assert not set(before) & set(one.settle(2))
    with pytest.raises(ClientError, match="ActiveInstanceRefreshNotFound"):
        one.api.cancel_instance_refresh(**named)
