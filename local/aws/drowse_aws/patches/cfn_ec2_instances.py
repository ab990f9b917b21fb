"""Instances and network interfaces in templates."""

from __future__ import annotations

from .. import durations, lifecycle
from ..emulator import Record, ec2
from ..registry import patch
from ..templates import Created, ResourceError, add_type, made, tag_list, wait_until
from .ec2_instances import Launch, launch, template_data

_NEEDS = ("services.cloudformation.provisioners._RESOURCE_HANDLERS",)


@patch("cfn-instance", "AWS::EC2::Instance is missing.", (*_NEEDS, "services.ec2._instances"))
def deploy_instances() -> None:
    add_type("AWS::EC2::Instance", _instance, _terminate)


def _instance(logical_id: str, props: Record, stack: str) -> Created:
    data = {**template_data(props.get("LaunchTemplate") or {}), **props}
    if isinstance(data.get("IamInstanceProfile"), str):
        data["IamInstanceProfile"] = {"Name": data["IamInstanceProfile"]}
    subnet_id = str(props.get("SubnetId") or ec2._DEFAULT_SUBNET_ID)
    one = launch(Launch(data, subnet_id, private_ip=str(props.get("PrivateIpAddress") or ""), tags=tag_list(props)))[0]
    wait_until(lambda: lifecycle.state(one) == "running", durations.INSTANCE_PENDING, "starting")
    return str(one["InstanceId"]), {
        "InstanceId": one["InstanceId"],
        "PrivateIp": one["PrivateIpAddress"],
        "PublicIp": one["PublicIpAddress"],
        "PrivateDnsName": one["PrivateDnsName"],
        "AvailabilityZone": one["Placement"]["AvailabilityZone"],
        "VpcId": one["VpcId"],
    }


def _terminate(physical_id: str, props: Record) -> None:
    one = ec2._instances.get(physical_id)
    if one is not None:
        lifecycle.terminate(one)
        wait_until(lambda: lifecycle.state(one) == "terminated", durations.INSTANCE_SHUTTING_DOWN, "terminating")


@patch("cfn-network-interface", "AWS::EC2::NetworkInterface is missing.", (*_NEEDS, "services.ec2._network_interfaces"))
def deploy_interfaces() -> None:
    add_type("AWS::EC2::NetworkInterface", _interface, _delete_interface)


def _interface(logical_id: str, props: Record, stack: str) -> Created:
    from .ec2_instances import free_address

    if props.get("SubnetId") not in ec2._subnets:
        raise ResourceError(f"the subnet {props.get('SubnetId')} does not exist")
    answer = ec2._create_network_interface({"SubnetId": [str(props["SubnetId"])]})
    interface_id = made(answer, "networkInterfaceId", logical_id)
    one = ec2._network_interfaces[interface_id]
    one["PrivateIpAddress"] = props.get("PrivateIpAddress") or free_address(one["SubnetId"])
    one["Description"] = props.get("Description") or ""
    if props.get("GroupSet"):
        names = {key: group["GroupName"] for key, group in ec2._security_groups.items()}
        one["Groups"] = [{"GroupId": key, "GroupName": names.get(key, key)} for key in props["GroupSet"]]
    ec2._tags[interface_id] = tag_list(props)
    attributes = {"Id": interface_id, "PrimaryPrivateIpAddress": one["PrivateIpAddress"]}
    return interface_id, attributes


def _delete_interface(physical_id: str, props: Record) -> None:
    ec2._network_interfaces.pop(physical_id, None)
