"""IAM enforced (DROWSE_AUTH=true): a Lambda may what its role says, and the record of calls names it."""

from __future__ import annotations

import json
import pathlib
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from conftest import REGION, Emulator, environment, ready, start
from functions import bundle

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}
#: Signs with node's own crypto, as the SDK would: ministack's worker carries no SDK.
CALL = """
const crypto = require('crypto');
const sha = (d) => crypto.createHash('sha256').update(d).digest('hex');
const hmac = (k, d) => crypto.createHmac('sha256', k).update(d).digest();
exports.handler = async ({service, action, version, parameters}) => {
  const variables = ['ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'SESSION_TOKEN', 'REGION'];
  const [id, secret, session, region] = variables.map((name) => process.env[`AWS_${name}`]);
  const url = new URL(process.env.AWS_ENDPOINT_URL);
  const body = new URLSearchParams({Action: action, Version: version, ...parameters}).toString();
  const date = new Date().toISOString().replace(/[-:]|\\.\\d{3}/g, '');
  const headers = {'content-type': 'application/x-www-form-urlencoded', host: url.host, 'x-amz-date': date};
  if (session) headers['x-amz-security-token'] = session;
  const names = Object.keys(headers).sort();
  const scope = `${date.slice(0, 8)}/${region}/${service}/aws4_request`;
  const lines = names.map((n) => `${n}:${headers[n]}`);
  const canonical = ['POST', '/', '', ...lines, '', names.join(';'), sha(body)].join('\\n');
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha(canonical)].join('\\n');
  const key = [date.slice(0, 8), region, service, 'aws4_request'].reduce(hmac, 'AWS4' + secret);
  const signature = crypto.createHmac('sha256', key).update(toSign).digest('hex');
  const signed = `SignedHeaders=${names.join(';')}, Signature=${signature}`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${id}/${scope}, ${signed}`;
  const answer = await fetch(url, {method: 'POST', headers: {...headers, authorization}, body});
  return {status: answer.status, body: await answer.text()};
};
"""


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator that enforces IAM, with a Lambda that may list instances and groups, and change its own cluster."""
    folder: pathlib.Path = tmp_path_factory.mktemp("strict")
    process = start(environment(folder, DROWSE_AUTH="true"), stderr=subprocess.DEVNULL)
    aws = Emulator(ready(process)["port"])
    iam = aws.client("iam")
    role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    read = ["ec2:DescribeInstances", "autoscaling:DescribeAutoScalingGroups"]
    change = ["ec2:AttachVolume", "ec2:CreateTags", "ec2:DisassociateAddress", "autoscaling:UpdateAutoScalingGroup"]
    mine = {"StringEquals": {"aws:ResourceTag/drowse:cluster": "mine"}}
    statements = [
        {"Effect": "Allow", "Action": read, "Resource": "*"},
        {"Effect": "Allow", "Action": change, "Resource": "*", "Condition": mine},
        {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": "elasticloadbalancing:CreateLoadBalancer",
            "Resource": "arn:aws:elasticloadbalancing:*:*:loadbalancer/net/mine-api/*",
            "Condition": {"StringEquals": {"aws:RequestTag/drowse:cluster": "mine"}},
        },
    ]
    policy = {"Version": "2012-10-17", "Statement": statements}
    iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=json.dumps(policy))
    aws.client("lambda").create_function(
        FunctionName="reader", Runtime="nodejs24.x", Handler="index.handler", Role=role, Code={"ZipFile": bundle(CALL)}
    )
    yield aws
    process.terminate()
    process.wait(timeout=60)


VERSIONS = {"ec2": "2016-11-15", "autoscaling": "2011-01-01", "elasticloadbalancing": "2015-12-01", "sns": "2010-03-31"}


def call(aws: Emulator, service: str, action: str, **parameters: str) -> dict[str, Any]:
    asked = {"service": service, "action": action, "version": VERSIONS[service], "parameters": parameters}
    payload = json.dumps(asked)
    answer = json.loads(aws.client("lambda").invoke(FunctionName="reader", Payload=payload)["Payload"].read())
    assert "status" in answer, answer
    found: dict[str, Any] = answer
    return found


@pytest.mark.covers("record-calls")
def test_a_role_is_held_to_its_policy(strict: Emulator) -> None:
    strict.control("calls", method="DELETE")
    assert call(strict, "ec2", "DescribeInstances")["status"] == 200
    assert call(strict, "autoscaling", "DescribeAutoScalingGroups")["status"] == 200
    denied = call(strict, "ec2", "AssignPrivateIpAddresses")
    assert denied["status"] == 403
    assert "UnauthorizedOperation" in denied["body"]
    mine = [one for one in strict.control("calls")["calls"] if ":assumed-role/reader/" in one["principal"]]
    assert [(one["action"], one["status"]) for one in mine] == [
        ("ec2:DescribeInstances", 200),
        ("autoscaling:DescribeAutoScalingGroups", 200),
        ("ec2:AssignPrivateIpAddresses", 403),
    ]


@pytest.mark.covers("iam-secure-transport")
def test_calls_count_as_encrypted(strict: Emulator) -> None:
    sns = strict.client("sns")
    topic = sns.create_topic(Name="tls-only")["TopicArn"]
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": topic, "Condition": plain}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    assert call(strict, "sns", "Publish", TopicArn=topic, Message="x")["status"] == 200
    never = policy.replace('"false"', '"true"')
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=never)
    assert call(strict, "sns", "Publish", TopicArn=topic, Message="x")["status"] == 403


def volume(aws: Emulator, cluster: str) -> str:
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "drowse:cluster", "Value": cluster}]}]
    made = aws.client("ec2").create_volume(AvailabilityZone=f"{REGION}a", Size=1, TagSpecifications=tags)
    return str(made["VolumeId"])


@pytest.mark.covers("iam-resource-tags", "iam-call-resources")
def test_another_cluster_is_out_of_reach(strict: Emulator) -> None:
    ec2, api = strict.client("ec2"), strict.client("autoscaling")
    ec2.create_launch_template(LaunchTemplateName="any", LaunchTemplateData={"InstanceType": "t3.medium"})
    for name in ("mine", "other"):
        api.create_auto_scaling_group(
            AutoScalingGroupName=name,
            MinSize=0,
            MaxSize=1,
            AvailabilityZones=[f"{REGION}a"],
            LaunchTemplate={"LaunchTemplateName": "any"},
            Tags=[{"Key": "drowse:cluster", "Value": name, "PropagateAtLaunch": True}],
        )
    update = {"action": "UpdateAutoScalingGroup", "MaxSize": "2"}
    assert call(strict, "autoscaling", AutoScalingGroupName="mine", **update)["status"] == 200
    assert call(strict, "autoscaling", AutoScalingGroupName="other", **update)["status"] == 403
    mine, other = volume(strict, "mine"), volume(strict, "other")
    tag = {"action": "CreateTags", "Tag.1.Key": "drowse:phase", "Tag.1.Value": "booting"}
    assert call(strict, "ec2", **tag, **{"ResourceId.1": mine})["status"] == 200
    assert call(strict, "ec2", **tag, **{"ResourceId.1": mine, "ResourceId.2": other})["status"] == 403
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "drowse:cluster", "Value": "other"}]}]
    made = ec2.run_instances(ImageId="ami-1", MinCount=1, MaxCount=1, TagSpecifications=tags)["Instances"][0]
    attach = {"action": "AttachVolume", "VolumeId": mine, "InstanceId": made["InstanceId"], "Device": "/dev/sdf"}
    assert call(strict, "ec2", **attach)["status"] == 403, "the volume is mine, the instance is not"


@pytest.mark.covers("iam-call-resources")
@pytest.mark.parametrize(
    ("address_of", "holder_of", "status"), [("mine", "mine", 200), ("other", "mine", 403), ("mine", "other", 403)]
)
def test_an_address_is_taken_away_by_its_association(
    strict: Emulator, address_of: str, holder_of: str, status: int
) -> None:
    ec2 = strict.client("ec2")

    def tagged(kind: str, cluster: str) -> list[Any]:
        return [{"ResourceType": kind, "Tags": [{"Key": "drowse:cluster", "Value": cluster}]}]

    holder = ec2.run_instances(
        ImageId="ami-1", MinCount=1, MaxCount=1, TagSpecifications=tagged("instance", holder_of)
    )["Instances"][0]["InstanceId"]
    ec2.get_waiter("instance_running").wait(InstanceIds=[holder], WaiterConfig={"Delay": 0})
    address = ec2.allocate_address(Domain="vpc", TagSpecifications=tagged("elastic-ip", address_of))["AllocationId"]
    association = ec2.associate_address(AllocationId=address, InstanceId=holder)["AssociationId"]
    answer = call(strict, "ec2", "DisassociateAddress", AssociationId=association)
    assert answer["status"] == status, answer["body"]


@pytest.mark.covers("iam-request-tags", "iam-call-resources")
@pytest.mark.parametrize(
    ("name", "cluster", "status"), [("mine-api", "mine", 200), ("mine-api", "other", 403), ("other-api", "mine", 403)]
)
def test_a_load_balancer_needs_name_and_tag(strict: Emulator, name: str, cluster: str, status: int) -> None:
    tags = {"Tags.member.1.Key": "drowse:cluster", "Tags.member.1.Value": cluster}
    asked = {"Name": name, "Type": "network", **tags}
    answer = call(strict, "elasticloadbalancing", "CreateLoadBalancer", **asked)
    assert answer["status"] == status, answer["body"]


@pytest.mark.covers("iam-call-resources")
def test_parameters_are_read_by_path_and_by_name(strict: Emulator) -> None:
    iam, ssm = strict.client("iam"), strict.client("ssm")
    for cluster in ("mine", "other"):
        ssm.put_parameter(Name=f"/drowse/{cluster}/join/gpu", Value="x", Type="SecureString")
    arn = f"arn:aws:ssm:{REGION}:*:parameter/drowse/mine/join"
    allowed = {
        "Effect": "Allow",
        "Action": ["ssm:GetParametersByPath", "ssm:DeleteParameters"],
        "Resource": [arn, f"{arn}/*"],
    }
    iam.create_user(UserName="operator")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="operator", PolicyName="join", PolicyDocument=policy)
    key = iam.create_access_key(UserName="operator")["AccessKey"]
    mine = Emulator(int(strict.endpoint.rsplit(":", 1)[1]), key["AccessKeyId"], key["SecretAccessKey"]).client("ssm")
    found = mine.get_parameters_by_path(Path="/drowse/mine/join")["Parameters"]
    assert [one["Name"] for one in found] == ["/drowse/mine/join/gpu"]
    with pytest.raises(ClientError, match="AccessDenied"):
        mine.get_parameters_by_path(Path="/drowse/other/join")
    with pytest.raises(ClientError, match="AccessDenied"):
        mine.delete_parameters(Names=["/drowse/mine/join/gpu", "/drowse/other/join/gpu"])
    assert mine.delete_parameters(Names=["/drowse/mine/join/gpu"])["DeletedParameters"] == ["/drowse/mine/join/gpu"]


@pytest.mark.covers("iam-item-conditions")
def test_a_role_writes_its_own_attributes_and_items(strict: Emulator) -> None:
    strict.client("dynamodb").create_table(
        TableName="record",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    mine = {"dynamodb:LeadingKeys": ["cluster"], "dynamodb:Attributes": ["id", "progress", "sizes"]}
    none = {"dynamodb:ReturnValues": "NONE"}
    own = {"ForAllValues:StringEquals": mine, "StringEqualsIfExists": none}
    items = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["command#*#drain"]}}
    statements = [
        {"Effect": "Allow", "Action": "dynamodb:UpdateItem", "Resource": "*", "Condition": own},
        {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*", "Condition": items},
    ]
    iam = strict.client("iam")
    iam.create_user(UserName="step")
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName="step", PolicyName="own", PolicyDocument=policy)
    key = iam.create_access_key(UserName="step")["AccessKey"]
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    session = botocore.session.Session()
    step = session.create_client("dynamodb", region_name=REGION, endpoint_url=strict.endpoint, **keys)

    def allowed(call: Callable[..., Any], **more: Any) -> bool:
        try:
            call(TableName="record", **more)
        except step.exceptions.ClientError as error:
            if error.response["Error"]["Code"] == "AccessDeniedException":
                return False
            raise
        return True

    def update(name: str, item: str = "cluster", **more: Any) -> bool:
        names = {"#name": name, "#inner": "x"}
        values: dict[str, Any] = {":value": {"M": {}}}
        return allowed(
            step.update_item,
            Key={"id": {"S": item}},
            UpdateExpression="SET #name = :value",
            ConditionExpression="attribute_not_exists(#name.#inner)",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
            **more,
        )

    assert update("progress")
    assert not update("lease")
    assert not update("progress", item="other")
    assert not update("progress", ReturnValues="ALL_OLD")
    assert allowed(step.put_item, Item={"id": {"S": "command#x#drain"}, "any": {"S": "y"}})
    assert not allowed(step.put_item, Item={"id": {"S": "command#x#restore"}})
    assert not allowed(step.put_item, Item={"id": {"S": "cluster"}})
