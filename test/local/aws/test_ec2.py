"""EC2: instances, interfaces, addresses, volumes, filters."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from cluster import launch_template, tags_of
from conftest import REGION, Emulator, eventually

IMAGE = "ami-0123456789abcdef0"


@pytest.fixture(scope="module")
def subnet(aws: Emulator) -> str:
    """A subnet that gives public addresses, in zone b, with .16/28 reserved."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24", AvailabilityZone=f"{REGION}b")["Subnet"]["SubnetId"]
    ec2.modify_subnet_attribute(SubnetId=made, MapPublicIpOnLaunch={"Value": True})
    return str(made)


def run(aws: Emulator, subnet: str, count: int = 1, **more: Any) -> list[dict[str, Any]]:
    """Running instances."""
    ec2 = aws.client("ec2")
    asked = {"ImageId": IMAGE, "InstanceType": "t3.medium", "SubnetId": subnet, **more}
    made = ec2.run_instances(MinCount=count, MaxCount=count, **asked)["Instances"]
    return [wait(aws, one["InstanceId"], "running") for one in made]


def get(aws: Emulator, instance_id: str) -> dict[str, Any]:
    found: dict[str, Any] = aws.client("ec2").describe_instances(InstanceIds=[instance_id])["Reservations"][0]
    one: dict[str, Any] = found["Instances"][0]
    return one


def wait(aws: Emulator, instance_id: str, state: str) -> dict[str, Any]:
    def look() -> Any:
        one = get(aws, instance_id)
        return one if one["State"]["Name"] == state else None

    found: dict[str, Any] = eventually(look)
    return found


@pytest.mark.covers("ec2-instance-placement")
def test_instances_follow_their_subnet(aws: Emulator, subnet: str) -> None:
    first, second = run(aws, subnet, 2)
    assert first["PrivateIpAddress"].startswith("10.9.1.")
    assert first["PrivateIpAddress"] != second["PrivateIpAddress"]
    assert first["Placement"]["AvailabilityZone"] == f"{REGION}b"
    assert first["PrivateDnsName"].endswith(f".{REGION}.compute.internal")
    assert first["NetworkInterfaces"][0]["Attachment"]["DeviceIndex"] == 0


@pytest.mark.covers("ec2-instance-placement", "ec2-run-instances")
def test_an_instance_is_pending_first(aws: Emulator, subnet: str) -> None:
    made = aws.client("ec2").run_instances(ImageId=IMAGE, SubnetId=subnet, MinCount=1, MaxCount=1)["Instances"][0]
    assert made["State"]["Name"] == "pending"


@pytest.mark.covers("ec2-run-instances")
def test_run_instances_reads_the_launch_template(aws: Emulator, subnet: str) -> None:
    data = launch_template("runs", "g4dn.xlarge")["Properties"]["LaunchTemplateData"]
    ec2 = aws.client("ec2")
    ec2.create_launch_template(LaunchTemplateName="runs", LaunchTemplateData=data)
    asked = {
        "LaunchTemplate": {"LaunchTemplateName": "runs"},
        "SubnetId": subnet,
        "ClientToken": "only-once",
        "InstanceMarketOptions": {"MarketType": "spot"},
        "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "own", "Value": "1"}]}],
    }
    made = ec2.run_instances(MinCount=1, MaxCount=2, **asked)["Instances"]
    again = ec2.run_instances(MinCount=1, MaxCount=2, **asked)["Instances"]
    assert [one["InstanceId"] for one in made] == [one["InstanceId"] for one in again]
    assert len(made) == 2
    one = get(aws, made[0]["InstanceId"])
    assert (one["InstanceType"], one["InstanceLifecycle"], one["ClientToken"]) == ("g4dn.xlarge", "spot", "only-once")
    assert tags_of(one) == {"launched-by": "runs", "own": "1"} | {}
    volume_id = one["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    volume = ec2.describe_volumes(VolumeIds=[volume_id])["Volumes"][0]
    assert (volume["Size"], volume["Encrypted"], tags_of(volume)) == (30, True, {"launched-by": "runs"})
    interface = ec2.describe_network_interfaces(
        NetworkInterfaceIds=[one["NetworkInterfaces"][0]["NetworkInterfaceId"]]
    )["NetworkInterfaces"][0]
    assert {t["Key"]: t["Value"] for t in interface["TagSet"]} == {"launched-by": "runs"}
    with pytest.raises(ClientError, match="InvalidLaunchTemplateId"):
        ec2.run_instances(MinCount=1, MaxCount=1, LaunchTemplate={"LaunchTemplateName": "none"})


@pytest.mark.covers("ec2-instance-description")
def test_instances_show_their_metadata_options(aws: Emulator, subnet: str) -> None:
    one = run(aws, subnet, MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 1})[0]
    assert one["MetadataOptions"]["HttpTokens"] == "required"
    assert "KeyName" not in one


@pytest.mark.covers("ec2-instance-states")
def test_states_take_their_time_and_let_go(aws: Emulator, subnet: str) -> None:
    ec2 = aws.client("ec2")
    one = run(aws, subnet)[0]["InstanceId"]
    assert ec2.stop_instances(InstanceIds=[one])["StoppingInstances"][0]["CurrentState"]["Name"] == "stopping"
    assert "PublicIpAddress" not in wait(aws, one, "stopped")
    ec2.start_instances(InstanceIds=[one])
    assert wait(aws, one, "running")["PublicIpAddress"]
    root = get(aws, one)["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    changed = ec2.terminate_instances(InstanceIds=[one])["TerminatingInstances"][0]
    assert changed["CurrentState"]["Name"] == "shutting-down"
    with pytest.raises(ClientError, match="IncorrectInstanceState"):
        ec2.start_instances(InstanceIds=[one])
    assert wait(aws, one, "terminated")["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
    with pytest.raises(ClientError, match=r"InvalidVolume\.NotFound"):
        ec2.describe_volumes(VolumeIds=[root])


@pytest.mark.covers("ec2-instance-states")
def test_a_reboot_keeps_the_state_and_knows_its_instances(aws: Emulator, subnet: str) -> None:
    ec2 = aws.client("ec2")
    one = run(aws, subnet)[0]["InstanceId"]
    wait(aws, one, "running")
    ec2.reboot_instances(InstanceIds=[one])
    assert get(aws, one)["State"]["Name"] == "running"
    with pytest.raises(ClientError, match="InvalidInstanceID"):
        ec2.reboot_instances(InstanceIds=["i-0123456789abcdef0"])


@pytest.mark.covers("ec2-instance-states")
def test_state_changes_are_events(aws: Emulator, subnet: str) -> None:
    queue, arn = make_queue(aws, "states")
    rule = aws.client("events")
    rule.put_rule(Name="states", EventPattern='{"source":["aws.ec2"],"detail":{"state":["stopped"]}}')
    rule.put_targets(Rule="states", Targets=[{"Id": "queue", "Arn": arn}])
    one = run(aws, subnet)[0]["InstanceId"]
    aws.client("ec2").stop_instances(InstanceIds=[one])
    message = eventually(lambda: aws.client("sqs").receive_message(QueueUrl=queue).get("Messages"))[0]
    assert one in message["Body"]


def make_queue(aws: Emulator, name: str) -> tuple[str, str]:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return url, attributes["QueueArn"]


@pytest.mark.covers("ec2-secondary-addresses")
def test_secondary_addresses(aws: Emulator, subnet: str) -> None:
    ec2 = aws.client("ec2")
    first, second = (one["NetworkInterfaces"][0]["NetworkInterfaceId"] for one in run(aws, subnet, 2))
    ec2.assign_private_ip_addresses(NetworkInterfaceId=first, PrivateIpAddresses=["10.9.1.77"])
    assert "10.9.1.77" in addresses(aws, first)
    with pytest.raises(ClientError, match="already assigned"):
        ec2.assign_private_ip_addresses(NetworkInterfaceId=second, PrivateIpAddresses=["10.9.1.77"])
    moved = {"PrivateIpAddresses": ["10.9.1.77"], "AllowReassignment": True}
    ec2.assign_private_ip_addresses(NetworkInterfaceId=second, **moved)
    assert "10.9.1.77" not in addresses(aws, first)
    ec2.unassign_private_ip_addresses(NetworkInterfaceId=second, PrivateIpAddresses=["10.9.1.77"])
    assert len(addresses(aws, second)) == 1
    with pytest.raises(ClientError, match="range"):
        ec2.assign_private_ip_addresses(NetworkInterfaceId=second, PrivateIpAddresses=["10.8.1.1"])


def addresses(aws: Emulator, interface_id: str) -> list[str]:
    answer = aws.client("ec2").describe_network_interfaces(NetworkInterfaceIds=[interface_id])
    return [one["PrivateIpAddress"] for one in answer["NetworkInterfaces"][0]["PrivateIpAddresses"]]


@pytest.mark.covers("ec2-interface-filters")
def test_interface_filters(aws: Emulator, subnet: str) -> None:
    ec2 = aws.client("ec2")
    one = run(aws, subnet)[0]
    found = ec2.describe_network_interfaces(
        Filters=[{"Name": "addresses.private-ip-address", "Values": [one["PrivateIpAddress"]]}]
    )["NetworkInterfaces"]
    assert [each["Attachment"]["InstanceId"] for each in found] == [one["InstanceId"]]
    with pytest.raises(ClientError, match=r"InvalidNetworkInterfaceID\.NotFound"):
        ec2.describe_network_interfaces(NetworkInterfaceIds=["eni-00000000000000000"])


@pytest.mark.covers("ec2-address-association")
def test_an_elastic_ip_is_the_public_address(aws: Emulator, subnet: str) -> None:
    ec2 = aws.client("ec2")
    elastic = ec2.allocate_address(Domain="vpc")
    made = ec2.run_instances(ImageId=IMAGE, SubnetId=subnet, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    asked = {"AllocationId": elastic["AllocationId"], "InstanceId": made}
    refused = ""
    try:
        ec2.associate_address(**asked)
    except ClientError as error:
        refused = error.response["Error"]["Code"]
    # On a busy machine it has left `pending` before the call.
    assert refused.startswith("InvalidInstanceID") or get(aws, made)["State"]["Name"] == "running"
    wait(aws, made, "running")
    association = ec2.associate_address(**asked)["AssociationId"]
    assert get(aws, made)["PublicIpAddress"] == elastic["PublicIp"]
    assert ec2.associate_address(**asked)["AssociationId"] == association
    with pytest.raises(ClientError, match=r"InvalidIPAddress\.InUse"):
        ec2.release_address(AllocationId=elastic["AllocationId"])
    other = run(aws, subnet)[0]["InstanceId"]
    with pytest.raises(ClientError, match=r"Resource\.AlreadyAssociated"):
        ec2.associate_address(AllocationId=elastic["AllocationId"], InstanceId=other, AllowReassociation=False)
    ec2.associate_address(AllocationId=elastic["AllocationId"], InstanceId=other)
    assert get(aws, made)["PublicIpAddress"] != elastic["PublicIp"]
    with pytest.raises(ClientError, match=r"InvalidAssociationID\.NotFound"):
        ec2.disassociate_address(AssociationId=association)


@pytest.mark.covers("ec2-address-description")
def test_addresses_are_filtered(aws: Emulator) -> None:
    ec2 = aws.client("ec2")
    tags = [{"ResourceType": "elastic-ip", "Tags": [{"Key": "drowse:cluster", "Value": "filtered"}]}]
    mine = ec2.allocate_address(Domain="vpc", TagSpecifications=tags)["PublicIp"]
    ec2.allocate_address(Domain="vpc")
    filters = [{"Name": "tag:drowse:cluster", "Values": ["filtered"]}]
    assert [one["PublicIp"] for one in ec2.describe_addresses(Filters=filters)["Addresses"]] == [mine]
    with pytest.raises(ClientError, match=r"InvalidAddress\.NotFound"):
        ec2.describe_addresses(PublicIps=["192.0.2.1"])


@pytest.mark.covers("ec2-volume-attachment")
def test_a_volume_is_attached_once_and_in_its_zone(aws: Emulator, subnet: str) -> None:
    ec2 = aws.client("ec2")
    here = ec2.create_volume(AvailabilityZone=f"{REGION}b", Size=1)["VolumeId"]
    elsewhere = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1)["VolumeId"]
    first, second = (one["InstanceId"] for one in run(aws, subnet, 2))
    with pytest.raises(ClientError, match=r"InvalidVolume\.ZoneMismatch"):
        ec2.attach_volume(VolumeId=elsewhere, InstanceId=first, Device="/dev/sdf")
    ec2.attach_volume(VolumeId=here, InstanceId=first, Device="/dev/sdf")
    with pytest.raises(ClientError, match="VolumeInUse"):
        ec2.attach_volume(VolumeId=here, InstanceId=second, Device="/dev/sdf")
    ec2.detach_volume(VolumeId=here)
    with pytest.raises(ClientError, match="IncorrectState"):
        ec2.detach_volume(VolumeId=here)


@pytest.mark.covers("ec2-unknown-filters")
@pytest.mark.parametrize(
    "call", ["describe_instances", "describe_volumes", "describe_addresses", "describe_subnets", "describe_key_pairs"]
)
def test_an_unknown_filter_is_an_error(aws: Emulator, call: str) -> None:
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        getattr(aws.client("ec2"), call)(Filters=[{"Name": "no-such-filter", "Values": ["x"]}])


@pytest.mark.covers("ec2-instance-filters")
def test_instance_filters_are_honoured(aws: Emulator, subnet: str) -> None:
    one, other = run(aws, subnet, 2)
    for name, value in (
        ("private-ip-address", one["PrivateIpAddress"]),
        ("instance-id", one["InstanceId"]),
        ("ip-address", one["PublicIpAddress"]),
        ("private-dns-name", one["PrivateDnsName"]),
    ):
        answer = aws.client("ec2").describe_instances(Filters=[{"Name": name, "Values": [value]}])
        found = [each["InstanceId"] for r in answer["Reservations"] for each in r["Instances"]]
        assert found == [one["InstanceId"]], name
    assert other["InstanceId"] != one["InstanceId"]


@pytest.mark.covers("ec2-instance-status-filters")
def test_instance_status_filters(aws: Emulator, subnet: str) -> None:
    ec2 = aws.client("ec2")
    one = run(aws, subnet)[0]["InstanceId"]
    stopped = [{"Name": "instance-state-name", "Values": ["stopped"]}]
    assert not ec2.describe_instance_status(InstanceIds=[one], Filters=stopped)["InstanceStatuses"]
    with pytest.raises(ClientError, match=r"InvalidInstanceID\.NotFound"):
        ec2.describe_instance_status(InstanceIds=["i-00000000000000000"])


@pytest.mark.covers("ec2-instance-types")
def test_types_are_true(aws: Emulator) -> None:
    ec2 = aws.client("ec2")
    one = ec2.describe_instance_types(InstanceTypes=["g4dn.xlarge"])["InstanceTypes"][0]
    assert (one["VCpuInfo"]["DefaultVCpus"], one["MemoryInfo"]["SizeInMiB"]) == (4, 16384)
    assert one["GpuInfo"]["Gpus"][0] == {
        "Name": "T4",
        "Manufacturer": "NVIDIA",
        "Count": 1,
        "MemoryInfo": {"SizeInMiB": 16384},
    }
    medium = ec2.describe_instance_types(InstanceTypes=["t3.medium"])["InstanceTypes"][0]
    assert medium["MemoryInfo"]["SizeInMiB"] == 4096
    assert "GpuInfo" not in medium
    with pytest.raises(ClientError, match="InvalidInstanceType"):
        ec2.describe_instance_types(InstanceTypes=["t9.huge"])


@pytest.mark.covers("ec2-type-offerings")
def test_types_are_offered(aws: Emulator) -> None:
    filters = [{"Name": "instance-type", "Values": ["g4dn.xlarge"]}]
    answer = aws.client("ec2").describe_instance_type_offerings(LocationType="availability-zone", Filters=filters)
    assert [one["Location"] for one in answer["InstanceTypeOfferings"]] == [f"{REGION}{zone}" for zone in "abc"]


@pytest.mark.covers("ec2-modify-instances")
def test_instances_can_be_modified(aws: Emulator, subnet: str) -> None:
    ec2 = aws.client("ec2")
    one = run(aws, subnet)[0]["InstanceId"]
    ec2.modify_instance_attribute(InstanceId=one, SourceDestCheck={"Value": False})
    ec2.modify_instance_metadata_options(InstanceId=one, HttpTokens="required", HttpPutResponseHopLimit=1)
    changed = get(aws, one)
    assert changed["SourceDestCheck"] is False
    assert changed["MetadataOptions"]["HttpTokens"] == "required"


@pytest.mark.covers("ec2-subnet-reservations")
def test_a_reserved_address_is_not_given_out(aws: Emulator) -> None:
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.10.0.0/16")["Vpc"]["VpcId"]
    tiny = ec2.create_subnet(VpcId=vpc, CidrBlock="10.10.0.0/28")["Subnet"]["SubnetId"]
    asked = {"SubnetId": tiny, "Cidr": "10.10.0.4/30", "ReservationType": "explicit"}
    made = ec2.create_subnet_cidr_reservation(**asked)["SubnetCidrReservation"]
    with pytest.raises(ClientError, match="Conflict"):
        ec2.create_subnet_cidr_reservation(**asked)
    found = ec2.get_subnet_cidr_reservations(SubnetId=tiny)["SubnetIpv4CidrReservations"]
    assert [one["Cidr"] for one in found] == ["10.10.0.4/30"]
    assert run(aws, tiny)[0]["PrivateIpAddress"] == "10.10.0.8"
    ec2.delete_subnet_cidr_reservation(SubnetCidrReservationId=made["SubnetCidrReservationId"])
    assert run(aws, tiny)[0]["PrivateIpAddress"] == "10.10.0.4"


@pytest.mark.covers("public-images")
def test_public_images_are_known(aws: Emulator) -> None:
    for name, size in (
        ("/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id", 8),
        ("/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id", 50),
    ):
        image = aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
        described = aws.client("ec2").describe_images(ImageIds=[image])["Images"][0]
        assert described["RootDeviceName"] == "/dev/sda1"
        disks = {one["DeviceName"]: one["Ebs"]["VolumeSize"] for one in described["BlockDeviceMappings"]}
        assert disks == {"/dev/sda1": size}


@pytest.mark.covers("ec2-unknown-images")
def test_an_unknown_image_is_an_error(aws: Emulator) -> None:
    with pytest.raises(ClientError, match=r"InvalidAMIID\.NotFound"):
        aws.client("ec2").describe_images(ImageIds=["ami-00000000000000001"])


@pytest.mark.covers("ec2-missing-launch-templates")
def test_missing_launch_templates_are_errors(aws: Emulator) -> None:
    ec2 = aws.client("ec2")
    data = launch_template("there", "t3.medium")["Properties"]["LaunchTemplateData"]
    ec2.create_launch_template(LaunchTemplateName="there", LaunchTemplateData=data)
    with pytest.raises(ClientError, match=r"InvalidLaunchTemplateName\.NotFoundException"):
        ec2.describe_launch_templates(LaunchTemplateNames=["there", "missing"])
    with pytest.raises(ClientError, match=r"InvalidLaunchTemplateId\.VersionNotFound"):
        ec2.describe_launch_template_versions(LaunchTemplateName="there", Versions=["9"])
    assert ec2.describe_launch_template_versions(LaunchTemplateName="there", Versions=["$Latest"])


@pytest.mark.covers("ec2-dry-run")
def test_a_dry_run_does_nothing(aws: Emulator, subnet: str) -> None:
    with pytest.raises(ClientError, match="DryRunOperation"):
        run(aws, subnet, DryRun=True, ClientToken="dry")
    filters = [{"Name": "client-token", "Values": ["dry"]}]
    assert aws.client("ec2").describe_instances(Filters=filters)["Reservations"] == []
