"""The tags of moto's records, as the tagging API lists them. Fails when moto keeps one of them elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from groundschool.cloud.passive.application import Passive
from groundschool.cloud.passive.image_records import ImageRecords
from groundschool.cloud.passive.network_records import Image
from groundschool.cloud.passive.tagged_records import TaggedRecords

ACCOUNT, REGION, ELSEWHERE = "123456789012", "eu-north-1", "eu-west-1"
TAGS = [{"Key": "Project", "Value": "school"}]
BASE = Image("ami-1", "al2023", "x86_64", "/dev/xvda")


def specification(resource_type: str) -> list[dict[str, Any]]:
    return [{"ResourceType": resource_type, "Tags": TAGS}]


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> Iterator[TaggedRecords]:
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield TaggedRecords(Passive(threading.RLock()), ACCOUNT)


def kinds(records: TaggedRecords, region: str = REGION) -> dict[str, str]:
    """Type -> the one ARN of it."""
    found = records(region)
    assert all(each.tags == {"Project": "school"} for each in found)
    by_kind = {each.resource_type: each.arn for each in found}
    assert len(by_kind) == len(found)
    return by_kind


def test_every_kind_of_record_in_ec2_is_listed(records: TaggedRecords) -> None:
    ec2: Any = boto3.client("ec2", REGION)
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(GroupName="g", Description="g", TagSpecifications=specification("security-group"))
    rule = ec2.authorize_security_group_ingress(
        GroupId=group["GroupId"],
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
        TagSpecifications=specification("security-group-rule"),
    )["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    key = ec2.create_key_pair(KeyName="k", KeyType="ed25519", TagSpecifications=specification("key-pair"))["KeyPairId"]
    template = ec2.create_launch_template(
        LaunchTemplateName="t",
        LaunchTemplateData={"InstanceType": "t3.micro"},
        TagSpecifications=specification("launch-template"),
    )["LaunchTemplate"]["LaunchTemplateId"]
    ec2.create_tags(Resources=[vpc], Tags=TAGS)
    tags = {"Project": "school"}
    image = ImageRecords(Passive(threading.RLock()), ACCOUNT, REGION).create("web", "", "i-1", BASE, tags, tags)
    [snapshot] = [each["SnapshotId"] for each in ec2.describe_snapshots()["Snapshots"] if each.get("Tags")]

    ours = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
    assert kinds(records) == {
        "ec2:image": f"{ours}:image/{image}",
        "ec2:key-pair": f"{ours}:key-pair/{key}",
        "ec2:launch-template": f"{ours}:launch-template/{template}",
        "ec2:security-group": f"{ours}:security-group/{group['GroupId']}",
        "ec2:security-group-rule": f"{ours}:security-group-rule/{rule}",
        "ec2:snapshot": f"{ours}:snapshot/{snapshot}",
        "ec2:vpc": f"{ours}:vpc/{vpc}",
    }
    assert kinds(records, ELSEWHERE) == {}

    ec2.delete_security_group(GroupId=group["GroupId"])
    ec2.delete_launch_template(LaunchTemplateId=template)
    assert kinds(records).keys() == {"ec2:image", "ec2:key-pair", "ec2:snapshot", "ec2:vpc"}


def test_a_balancer_its_listeners_and_their_rules_are_listed(records: TaggedRecords) -> None:
    ec2, elbv2 = boto3.client("ec2", REGION), boto3.client("elbv2", REGION)
    subnets = ec2.describe_subnets()["Subnets"][:2]
    tags: Any = {"Tags": TAGS}
    group = elbv2.create_target_group(Name="t", Protocol="HTTP", Port=80, VpcId=subnets[0]["VpcId"], **tags)
    target = group["TargetGroups"][0]["TargetGroupArn"]
    made = elbv2.create_load_balancer(Name="b", Subnets=[each["SubnetId"] for each in subnets], **tags)
    balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
    forward: Any = [{"Type": "forward", "TargetGroupArn": target}]
    listener = elbv2.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward, **tags
    )["Listeners"][0]["ListenerArn"]
    path: Any = [{"Field": "path-pattern", "Values": ["/x"]}]
    rule = elbv2.create_rule(ListenerArn=listener, Priority=1, Conditions=path, Actions=forward, **tags)

    assert kinds(records) == {
        "elasticloadbalancing:listener": listener,
        "elasticloadbalancing:listener-rule": rule["Rules"][0]["RuleArn"],
        "elasticloadbalancing:loadbalancer": balancer,
        "elasticloadbalancing:targetgroup": target,
    }

    elbv2.delete_load_balancer(LoadBalancerArn=balancer)
    assert kinds(records).keys() == {"elasticloadbalancing:targetgroup"}


def test_a_bucket_is_of_its_own_region_only_and_iam_of_none(records: TaggedRecords) -> None:
    s3, iam = boto3.client("s3", REGION), boto3.client("iam", REGION)
    s3.create_bucket(Bucket="releases", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_tagging(Bucket="releases", Tagging={"TagSet": TAGS})  # type: ignore[typeddict-item]
    iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}", Tags=TAGS)  # type: ignore[arg-type]
    boto3.client("ssm", REGION).put_parameter(Name="/p", Value="1", Type="String", Tags=TAGS)  # type: ignore[arg-type]

    assert kinds(records) == {
        "s3:bucket": "arn:aws:s3:::releases",
        "ssm:parameter": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/p",
    }
    assert kinds(records, ELSEWHERE) == {}
