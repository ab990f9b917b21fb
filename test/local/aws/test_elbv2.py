"""The network load balancer before the API server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cluster import Cluster
from conftest import REGION, Emulator, eventually


class Door:
    """A target group with the seat's address, and how to make its load balancer."""

    def __init__(self, aws: Emulator, cluster: Cluster) -> None:
        self.elb = aws.client("elbv2")
        seat = cluster.group("seat-0")
        subnet = aws.client("ec2").describe_subnets(SubnetIds=[seat["VPCZoneIdentifier"]])["Subnets"][0]
        self.vpc = subnet["VpcId"]
        self.settings = {
            "Name": f"{cluster.name}-api",
            "Type": "network",
            "Scheme": "internet-facing",
            "Subnets": [subnet["SubnetId"]],
        }
        self.group = self.elb.create_target_group(
            Name=f"{cluster.name}-api", Protocol="TCP", Port=6443, VpcId=self.vpc, TargetType="ip"
        )["TargetGroups"][0]["TargetGroupArn"]
        self.elb.register_targets(TargetGroupArn=self.group, Targets=[{"Id": "10.1.0.10", "Port": 6443}])

    def create(self) -> dict[str, Any]:
        made: dict[str, Any] = self.elb.create_load_balancer(**self.settings)["LoadBalancers"][0]
        return made

    def listen(self, arn: str) -> dict[str, Any]:
        action = {"Type": "forward", "TargetGroupArn": self.group}
        made: dict[str, Any] = self.elb.create_listener(
            LoadBalancerArn=arn, Protocol="TCP", Port=6443, DefaultActions=[action]
        )["Listeners"][0]
        return made

    def state(self) -> str:
        found = self.elb.describe_load_balancers(Names=[self.settings["Name"]])["LoadBalancers"][0]
        return str(found["State"]["Code"])

    def health(self) -> str:
        answer = self.elb.describe_target_health(TargetGroupArn=self.group)["TargetHealthDescriptions"]
        return str(answer[0]["TargetHealth"]["State"])


@pytest.fixture(scope="module")
def cluster(aws: Emulator) -> Cluster:
    return Cluster(aws, "door", hook=False)


@pytest.fixture(scope="module")
def door(aws: Emulator, cluster: Cluster) -> Door:
    return Door(aws, cluster)


@pytest.fixture
def balancer(door: Door) -> Iterator[dict[str, Any]]:
    made = door.create()
    yield made
    door.elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])


@pytest.mark.covers("elbv2-network-load-balancers")
def test_it_is_made_once_and_slowly(door: Door, balancer: dict[str, Any]) -> None:
    assert balancer["State"]["Code"] == "provisioning"
    assert ":loadbalancer/net/door-api/" in balancer["LoadBalancerArn"]
    assert f".elb.{REGION}.amazonaws.com" in balancer["DNSName"]
    assert balancer["VpcId"] == door.vpc
    assert door.create()["LoadBalancerArn"] == balancer["LoadBalancerArn"]
    with pytest.raises(ClientError, match="DuplicateLoadBalancerName"):
        door.elb.create_load_balancer(**{**door.settings, "Scheme": "internal"})
    eventually(lambda: door.state() == "active")


def test_a_fault_refuses_it_in_the_words_that_it_names(aws: Emulator, door: Door) -> None:
    aws.control("faults", {"balancer": {"error": "OperationNotPermitted", "message": "no load balancers for you"}})
    try:
        with pytest.raises(ClientError, match=r"OperationNotPermitted.*no load balancers for you"):
            door.create()
    finally:
        aws.control("faults", {"clear": True})


@pytest.mark.covers("elbv2-missing-load-balancers")
def test_missing_ones_are_errors(door: Door, balancer: dict[str, Any]) -> None:
    names = [balancer["LoadBalancerName"], "missing"]
    with pytest.raises(ClientError, match="LoadBalancerNotFound"):
        door.elb.describe_load_balancers(Names=names)
    with pytest.raises(ClientError, match="LoadBalancerNotFound"):
        door.elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"] + "0")


@pytest.mark.covers("elbv2-listeners")
def test_one_listener_a_port(door: Door, balancer: dict[str, Any]) -> None:
    listener = door.listen(balancer["LoadBalancerArn"])
    assert ":listener/net/door-api/" in listener["ListenerArn"]
    found = door.elb.describe_listeners(ListenerArns=[listener["ListenerArn"]])["Listeners"]
    assert found[0]["Port"] == 6443
    with pytest.raises(ClientError, match="DuplicateListener"):
        door.listen(balancer["LoadBalancerArn"])


@pytest.mark.covers("elbv2-delete-load-balancer", "elbv2-delete-target-group")
def test_deleting_frees_the_target_group(door: Door, balancer: dict[str, Any]) -> None:
    listener = door.listen(balancer["LoadBalancerArn"])
    with pytest.raises(ClientError, match="ResourceInUse"):
        door.elb.delete_target_group(TargetGroupArn=door.group)
    door.elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    with pytest.raises(ClientError, match="ListenerNotFound"):
        door.elb.describe_listeners(ListenerArns=[listener["ListenerArn"]])
    assert not door.elb.describe_target_groups(TargetGroupArns=[door.group])["TargetGroups"][0]["LoadBalancerArns"]


@pytest.mark.covers("elbv2-target-health")
def test_a_target_is_healthy_when_its_seat_is_ready(cluster: Cluster, door: Door, balancer: dict[str, Any]) -> None:
    assert door.health() == "unused"
    door.listen(balancer["LoadBalancerArn"])
    eventually(lambda: door.health() == "unhealthy")
    cluster.resize("seat-0", 1)
    eventually(lambda: door.health() == "healthy")
    cluster.resize("seat-0", 0)
    eventually(lambda: door.health() == "unhealthy")
