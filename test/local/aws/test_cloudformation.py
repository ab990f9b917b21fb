"""Templates: the types that drowse deploys."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cluster import tag, template
from conftest import ACCOUNT, REGION, Emulator
from functions import ROLE, function


def outputs(**values: Any) -> dict[str, Any]:
    return {"Outputs": {name: {"Value": value} for name, value in values.items()}}


def get(name: str, attribute: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, attribute]}


@pytest.mark.covers("cfn-elastic-ip", "cfn-volume")
def test_retained_resources_outlive_their_stack_and_come_back(aws: Emulator) -> None:
    ec2, cloudformation = aws.client("ec2"), aws.client("cloudformation")
    resources: dict[str, Any] = {
        "Address": {
            "Type": "AWS::EC2::EIP",
            "DeletionPolicy": "Retain",
            "Properties": {"Domain": "vpc", "Tags": [tag("drowse:cluster", "kept")]},
        },
        "Volume": {
            "Type": "AWS::EC2::Volume",
            "DeletionPolicy": "Retain",
            "Properties": {"AvailabilityZone": f"{REGION}a", "Size": 20, "Encrypted": True, "VolumeType": "gp3"},
        },
    }
    made = aws.deploy(
        "kept", resources, **outputs(Ip={"Ref": "Address"}, Id=get("Address", "AllocationId"), V=ref("Volume"))
    )
    described = ec2.describe_addresses(AllocationIds=[made["Id"]])["Addresses"][0]
    assert (described["PublicIp"], described["Tags"]) == (made["Ip"], [tag("drowse:cluster", "kept")])
    volume = ec2.describe_volumes(VolumeIds=[made["V"]])["Volumes"][0]
    assert (volume["Size"], volume["Encrypted"], volume["VolumeType"]) == (20, True, "gp3")
    resources["Volume"]["Properties"]["Size"] = 30
    aws.redeploy("kept", resources)
    assert ec2.describe_volumes(VolumeIds=[made["V"]])["Volumes"][0]["Size"] == 30
    aws.destroy("kept")
    assert ec2.describe_addresses(PublicIps=[made["Ip"]])["Addresses"]
    imports = [
        {
            "ResourceType": "AWS::EC2::EIP",
            "LogicalResourceId": "Address",
            "ResourceIdentifier": {"PublicIp": made["Ip"], "AllocationId": made["Id"]},
        },
        {
            "ResourceType": "AWS::EC2::Volume",
            "LogicalResourceId": "Volume",
            "ResourceIdentifier": {"VolumeId": made["V"]},
        },
    ]
    change = cloudformation.create_change_set(
        StackName="adopted",
        ChangeSetName="adopt",
        ChangeSetType="IMPORT",
        ResourcesToImport=imports,
        TemplateBody=json.dumps({"Resources": resources}),
    )
    cloudformation.execute_change_set(ChangeSetName=change["Id"])
    aws.settled("adopted", "IMPORT_COMPLETE")
    adopted = cloudformation.describe_stack_resources(StackName="adopted")["StackResources"]
    assert {one["PhysicalResourceId"] for one in adopted} == {made["Ip"], made["V"]}


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


@pytest.mark.covers("cfn-volume")
def test_a_volume_is_snapshotted_before_it_goes(aws: Emulator) -> None:
    ec2 = aws.client("ec2")
    properties = {"AvailabilityZone": f"{REGION}a", "Size": 5, "Tags": [tag("drowse:seat", "7")]}
    resource = {"Type": "AWS::EC2::Volume", "DeletionPolicy": "Snapshot", "Properties": properties}
    volume = aws.deploy("snapped", {"Volume": resource}, **outputs(V=ref("Volume")))["V"]
    aws.destroy("snapped")
    filters = [{"Name": "volume-id", "Values": [volume]}]
    snapshots = ec2.describe_snapshots(Filters=filters, OwnerIds=["self"])["Snapshots"]
    assert [one["Tags"] for one in snapshots] == [[tag("drowse:seat", "7")]]
    with pytest.raises(ClientError, match=r"InvalidVolume\.NotFound"):
        ec2.describe_volumes(VolumeIds=[volume])


@pytest.mark.covers("cfn-instance", "cfn-network-interface", "cfn-elastic-ip", "cfn-volume", "cfn-subnet-reservation")
def test_instances_and_what_hangs_on_them(aws: Emulator) -> None:
    resources = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.30.0.0/16"}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": ref("Vpc"), "CidrBlock": "10.30.0.0/24", "AvailabilityZone": f"{REGION}a"},
        },
        "Reservation": {
            "Type": "AWS::EC2::SubnetCidrReservation",
            "Properties": {"SubnetId": ref("Subnet"), "Cidr": "10.30.0.0/28", "ReservationType": "explicit"},
        },
        "Instance": {
            "Type": "AWS::EC2::Instance",
            "DependsOn": "Reservation",
            "Properties": {"ImageId": "ami-1", "InstanceType": "t3.small", "SubnetId": ref("Subnet")},
        },
        "Interface": {
            "Type": "AWS::EC2::NetworkInterface",
            "Properties": {"SubnetId": ref("Subnet"), "PrivateIpAddress": "10.30.0.10"},
        },
        "Volume": {"Type": "AWS::EC2::Volume", "Properties": {"AvailabilityZone": f"{REGION}a", "Size": 1}},
        "Attachment": {
            "Type": "AWS::EC2::VolumeAttachment",
            "Properties": {"VolumeId": ref("Volume"), "InstanceId": ref("Instance"), "Device": "/dev/sdf"},
        },
        "Address": {"Type": "AWS::EC2::EIP", "Properties": {}},
        "Association": {
            "Type": "AWS::EC2::EIPAssociation",
            "Properties": {"AllocationId": get("Address", "AllocationId"), "InstanceId": ref("Instance")},
        },
    }
    values = outputs(I=ref("Instance"), Ip=get("Instance", "PrivateIp"), Eni=ref("Interface"), E=ref("Address"))
    made = aws.deploy("hangs", resources, **values)
    ec2 = aws.client("ec2")
    one = ec2.describe_instances(InstanceIds=[made["I"]])["Reservations"][0]["Instances"][0]
    assert (one["State"]["Name"], one["PublicIpAddress"], made["Ip"]) == ("running", made["E"], "10.30.0.16")
    interface = ec2.describe_network_interfaces(NetworkInterfaceIds=[made["Eni"]])["NetworkInterfaces"][0]
    assert interface["PrivateIpAddress"] == "10.30.0.10"
    aws.destroy("hangs")
    with pytest.raises(ClientError, match=r"InvalidAddress\.NotFound"):
        ec2.describe_addresses(PublicIps=[made["E"]])


@pytest.mark.covers("cfn-security-group-rules", "cfn-nat-gateway", "cfn-target-group-targets")
def test_the_network(aws: Emulator) -> None:
    rule = {"IpProtocol": "tcp", "FromPort": 6443, "ToPort": 6443}
    resources: dict[str, Any] = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.31.0.0/16"}},
        "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": ref("Vpc"), "CidrBlock": "10.31.0.0/24"}},
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"GroupDescription": "one", "VpcId": ref("Vpc")},
        },
        "In": {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {"GroupId": get("Group", "GroupId"), "CidrIp": "192.0.2.0/24", **rule},
        },
        "Within": {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {
                "GroupId": get("Group", "GroupId"),
                "SourceSecurityGroupId": get("Group", "GroupId"),
                "IpProtocol": "udp",
                "FromPort": 4789,
                "ToPort": 4789,
            },
        },
        "Out": {
            "Type": "AWS::EC2::SecurityGroupEgress",
            "Properties": {"GroupId": get("Group", "GroupId"), "CidrIp": "198.51.100.0/24", **rule},
        },
        "Endpoint": {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {
                "VpcId": ref("Vpc"),
                "ServiceName": f"com.amazonaws.{REGION}.s3",
                "VpcEndpointType": "Gateway",
            },
        },
        "Nat": {"Type": "AWS::EC2::NatGateway", "Properties": {"SubnetId": ref("Subnet")}},
        "Targets": {
            "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
            "Properties": {
                "Name": "network-targets",
                "Protocol": "TCP",
                "Port": 6443,
                "VpcId": ref("Vpc"),
                "TargetType": "ip",
                "Targets": [{"Id": "10.31.0.10", "Port": 6443}],
            },
        },
    }
    made = aws.deploy("network", resources, **outputs(G=get("Group", "GroupId"), T=ref("Targets"), N=ref("Nat")))
    group = aws.client("ec2").describe_security_groups(GroupIds=[made["G"]])["SecurityGroups"][0]
    sources = [p["IpRanges"] or p["UserIdGroupPairs"] for p in group["IpPermissions"]]
    assert {"CidrIp": "192.0.2.0/24"}.items() <= sources[0][0].items()
    assert sources[1][0]["GroupId"] == made["G"]
    assert any(p["IpRanges"][0]["CidrIp"] == "198.51.100.0/24" for p in group["IpPermissionsEgress"] if p["IpRanges"])
    health = aws.client("elbv2").describe_target_health(TargetGroupArn=made["T"])["TargetHealthDescriptions"]
    assert [one["Target"] for one in health] == [{"Id": "10.31.0.10", "Port": 6443}]
    assert made["N"].startswith("nat-")
    del resources["In"]
    resources["Targets"]["Properties"]["Targets"] = [{"Id": "10.31.0.11", "Port": 6443}]
    aws.redeploy("network", resources)
    group = aws.client("ec2").describe_security_groups(GroupIds=[made["G"]])["SecurityGroups"][0]
    assert [p["FromPort"] for p in group["IpPermissions"]] == [4789]
    health = aws.client("elbv2").describe_target_health(TargetGroupArn=made["T"])["TargetHealthDescriptions"]
    assert [one["Target"]["Id"] for one in health] == ["10.31.0.11"]
    aws.destroy("network")


@pytest.mark.covers("cfn-ssm-document")
def test_documents_are_deployed_and_versioned(aws: Emulator) -> None:
    resources = {"Document": template("versions")["Documentdrainnodes"]}
    aws.deploy("document", resources)
    ssm = aws.client("ssm")
    assert ssm.describe_document(Name="versions-drain-nodes")["Document"]["DocumentVersion"] == "1"
    resources["Document"]["Properties"]["Content"]["description"] = "changed"
    aws.redeploy("document", resources)
    assert ssm.describe_document(Name="versions-drain-nodes")["Document"]["DocumentVersion"] == "2"
    aws.destroy("document")
    with pytest.raises(ClientError, match="InvalidDocument"):
        ssm.describe_document(Name="versions-drain-nodes")


@pytest.mark.covers("public-images")
def test_images_are_parameters(aws: Emulator) -> None:
    name = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"
    parameters = {"Image": {"Type": "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>", "Default": name}}
    resources = {"Topic": {"Type": "AWS::SNS::Topic"}}
    made = aws.deploy("image", resources, Parameters=parameters, **outputs(Image=ref("Image")))
    assert made["Image"].startswith("ami-")


@pytest.mark.covers("cfn-alarm-metric-math")
def test_alarms_on_expressions_deploy(aws: Emulator) -> None:
    metric = {"Metric": {"Namespace": "AWS/States", "MetricName": "ExecutionsFailed"}, "Period": 300, "Stat": "Sum"}
    properties = {
        "AlarmName": "expression",
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Threshold": 0,
        "Metrics": [{"Id": "e", "Expression": "m1*2"}, {"Id": "m1", "MetricStat": metric, "ReturnData": False}],
    }
    aws.deploy("alarm", {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}})
    alarm = aws.client("cloudwatch").describe_alarms(AlarmNames=["expression"])["MetricAlarms"][0]
    assert (alarm["MetricName"], alarm["Period"]) == ("ExecutionsFailed", 300)


@pytest.mark.covers("cfn-bucket-tags")
def test_buckets_keep_their_tags(aws: Emulator) -> None:
    properties = {"BucketName": "tagged-bucket", "Tags": [tag("aws-cdk:auto-delete-objects", "true")]}
    aws.deploy("bucket", {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties}})
    assert aws.client("s3").get_bucket_tagging(Bucket="tagged-bucket")["TagSet"] == properties["Tags"]


@pytest.mark.covers("cfn-bucket-deployment")
def test_bucket_deployments_put_and_prune_files(aws: Emulator) -> None:
    s3 = aws.client("s3")
    for name in ("assets", "destination"):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    for key, files in (("one.zip", {"a.json": "{}", "b.txt": "<<marker>>"}), ("two.zip", {"a.json": "[]"})):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as bundle:
            for name, content in files.items():
                bundle.writestr(name, content)
        s3.put_object(Bucket="assets", Key=key, Body=archive.getvalue())

    def deployment(key: str) -> dict[str, Any]:
        properties = {
            "ServiceToken": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:none",
            "SourceBucketNames": ["assets"],
            "SourceObjectKeys": [key],
            "SourceMarkers": [{"<<marker>>": "value"}],
            "DestinationBucketName": "destination",
            "DestinationBucketKeyPrefix": "platform",
        }
        return {"Files": {"Type": "Custom::CDKBucketDeployment", "Properties": properties}}

    aws.deploy("files", deployment("one.zip"))
    assert s3.get_object(Bucket="destination", Key="platform/b.txt")["Body"].read() == b"value"
    assert s3.head_object(Bucket="destination", Key="platform/a.json")["ContentType"] == "application/json"
    aws.redeploy("files", deployment("two.zip"))
    listed = s3.list_objects_v2(Bucket="destination")["Contents"]
    assert [one["Key"] for one in listed] == ["platform/a.json"]
    aws.destroy("files")


@pytest.mark.covers("cfn-custom-resource-failures")
def test_a_custom_resource_that_throws_fails_at_once(aws: Emulator) -> None:
    arn = function(aws, "custom", "exports.handler = async () => { throw new Error('no luck'); };")
    resource = {"Type": "Custom::Thing", "Properties": {"ServiceToken": arn}}
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="custom", TemplateBody=json.dumps({"Resources": {"Thing": resource}}))
    aws.settled("custom", "ROLLBACK_COMPLETE")
    events = cloudformation.describe_stack_events(StackName="custom")["StackEvents"]
    assert any("no luck" in event.get("ResourceStatusReason", "") for event in events)


@pytest.mark.covers("cfn-stack-waits")
def test_an_answer_about_a_stack_waits_for_its_end(aws: Emulator) -> None:
    late = "await new Promise((resolve) => setTimeout(resolve, 1000)); throw new Error('late');"
    arn = function(aws, "late", f"exports.handler = async () => {{ {late} }};")
    resource = {"Type": "Custom::Thing", "Properties": {"ServiceToken": arn}}
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="late", TemplateBody=json.dumps({"Resources": {"Thing": resource}}))
    listed = {one["StackName"]: one["StackStatus"] for one in cloudformation.describe_stacks()["Stacks"]}
    assert listed["late"] == "CREATE_IN_PROGRESS", "a list is no wait"
    assert cloudformation.describe_stacks(StackName="late")["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE"


@pytest.mark.covers("cfn-stubs")
def test_stubs_deploy_and_are_listed(aws: Emulator) -> None:
    stubs = aws.control("plugin")["stubs"]
    assert all(one["reason"] for one in stubs)
    resources = {f"Stub{n}": {"Type": one["type"], "Properties": {}} for n, one in enumerate(stubs)}
    aws.deploy("stubs", resources, **outputs(Arn=get("Stub0", "Arn")))
    aws.destroy("stubs")


def test_what_is_native_stays_so(aws: Emulator) -> None:
    """Types that drowse deploys and that need no patch; here so that a new version of ministack cannot lose them."""
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17"}}}
    definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    resources: dict[str, Any] = {
        "Role": role,
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 30}},
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "TimeToLiveSpecification": {"AttributeName": "expiresAt", "Enabled": True},
            },
        },
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {"RoleArn": get("Role", "Arn"), "DefinitionString": definition},
        },
        "Schedules": {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": "native"}},
        "Schedule": {
            "Type": "AWS::Scheduler::Schedule",
            "Properties": {
                "GroupName": ref("Schedules"),
                "ScheduleExpression": "cron(0 22 ? * MON-FRI *)",
                "ScheduleExpressionTimezone": "Europe/Berlin",
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {"Arn": ref("Machine"), "RoleArn": get("Role", "Arn"), "Input": "{}"},
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {"source": ["aws.autoscaling"]},
                "Targets": [{"Id": "machine", "Arn": ref("Machine"), "RoleArn": get("Role", "Arn")}],
            },
        },
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "native", "ProtocolType": "HTTP"}},
        "Route": {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {"ApiId": ref("Api"), "RouteKey": "POST /wake", "AuthorizationType": "AWS_IAM"},
        },
        "Stage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {"ApiId": ref("Api"), "StageName": "$default", "AutoDeploy": True},
        },
        "Dashboard": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": '{"widgets":[]}'}},
    }
    aws.deploy("native", resources, **outputs(Api=ref("Api"), Machine=ref("Machine")))
    schedule = aws.client("scheduler").list_schedules(GroupName="native")["Schedules"]
    assert len(schedule) == 1
    assert ROLE
    aws.destroy("native")


@pytest.mark.covers("cfn-composite-alarm", "cfn-trail", "cfn-query-definition", "logs-queries")
def test_what_watches(aws: Emulator) -> None:
    alarm = {"AlarmName": "child", "Namespace": "N", "MetricName": "M", "Threshold": 0, "EvaluationPeriods": 1}
    resources: dict[str, Any] = {
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {**alarm, "ComparisonOperator": "GreaterThanThreshold", "Period": 60, "Statistic": "Sum"},
        },
        "Composite": {
            "Type": "AWS::CloudWatch::CompositeAlarm",
            "DependsOn": "Alarm",
            "Properties": {"AlarmName": "composite", "AlarmRule": "ALARM(child)"},
        },
        "Trail": {
            "Type": "AWS::CloudTrail::Trail",
            "Properties": {
                "TrailName": "audit",
                "S3BucketName": "b",
                "IsLogging": True,
                "EnableLogFileValidation": True,
            },
        },
        "Query": {
            "Type": "AWS::Logs::QueryDefinition",
            "Properties": {"Name": "drowse/denied", "QueryString": "fields @message", "LogGroupNames": ["audit"]},
        },
    }
    aws.deploy("watches", resources)
    found = aws.client("cloudwatch").describe_alarms(AlarmNames=["composite"], AlarmTypes=["CompositeAlarm"])
    assert [one["AlarmRule"] for one in found["CompositeAlarms"]] == ["ALARM(child)"]
    trail = aws.client("cloudtrail").get_trail(Name="audit")["Trail"]
    assert trail["LogFileValidationEnabled"] is True
    logs = aws.client("logs")
    prefix = {"queryDefinitionNamePrefix": "drowse/"}
    assert logs.describe_query_definitions(**prefix)["queryDefinitions"][0]["queryString"] == "fields @message"
    resources["Query"]["Properties"]["QueryString"] = "fields @timestamp"
    aws.redeploy("watches", resources)
    query = logs.describe_query_definitions(**prefix)["queryDefinitions"][0]
    assert query["queryString"] == "fields @timestamp"
    logs.delete_query_definition(queryDefinitionId=query["queryDefinitionId"])
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        logs.put_query_definition(queryDefinitionId=query["queryDefinitionId"], name="n", queryString="q")
    aws.destroy("watches")
