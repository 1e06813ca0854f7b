"""What Terraform's AWS provider calls for the workshop's resources: to make, to read back, to wait for.

The sequences follow the provider's resource files (internal/service/{ec2,elbv2,autoscaling,iam,cloudwatch,dynamodb}).
What it reads back must be what it wrote, or every plan would show a change.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.conftest import wait_for
from tests.lab_under_test import IMAGE, SOON, LabUnderTest

pytestmark = pytest.mark.lab

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ],
    }
)
TAGS = [{"Key": "Name", "Value": "board"}]
EVERYWHERE = {"IpProtocol": "-1", "FromPort": 0, "ToPort": 0}
NOT_THERE = "0123456789abcdef0"


def tagged(kind: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": TAGS}]


def attributes(answer: dict[str, Any]) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in answer["Attributes"]}


def refusal(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**params)
    return str(error.value.response["Error"]["Code"])


@pytest.fixture(scope="module")
def network(lab: LabUnderTest) -> tuple[str, list[str]]:
    """The data sources: the default VPC and two subnets."""
    only_default = [{"Name": "is-default", "Values": ["true"]}]
    vpc = lab.ec2.describe_vpcs(Filters=only_default)["Vpcs"][0]["VpcId"]
    for name in ("enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics"):
        lab.ec2.describe_vpc_attribute(VpcId=vpc, Attribute=name)
    of_vpc = {"Name": "vpc-id", "Values": [vpc]}
    main = {"Name": "association.main", "Values": ["true"]}
    assert lab.ec2.describe_route_tables(Filters=[main, of_vpc])["RouteTables"]
    assert lab.ec2.describe_network_acls(Filters=[{"Name": "default", "Values": ["true"]}, of_vpc])["NetworkAcls"]
    subnets = lab.ec2.describe_subnets(Filters=[of_vpc])["Subnets"]
    return vpc, [subnet["SubnetId"] for subnet in subnets][:2]


@pytest.fixture(scope="module")
def group_id(lab: LabUnderTest, network: tuple[str, list[str]]) -> str:
    vpc, _ = network
    made = lab.ec2.create_security_group(
        GroupName="terraform", Description="Managed by Terraform", VpcId=vpc, TagSpecifications=tagged("security-group")
    )
    return str(made["GroupId"])


def test_security_group(lab: LabUnderTest, group_id: str) -> None:
    ec2, mine = lab.ec2, {"GroupId": group_id}
    ec2.revoke_security_group_egress(**mine, IpPermissions=[{**EVERYWHERE, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    ec2.revoke_security_group_egress(**mine, IpPermissions=[{**EVERYWHERE, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}])
    web = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "w"}]}
    pair = {"GroupId": group_id, "Description": "from its own members"}
    own = {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "UserIdGroupPairs": [pair]}
    ec2.authorize_security_group_ingress(**mine, IpPermissions=[web, own])
    [described] = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
    assert described["IpPermissions"][0]["IpRanges"] == web["IpRanges"]
    assert described["IpPermissions"][1]["UserIdGroupPairs"][0]["Description"] == "from its own members"
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group_id]}])
    assert {rule["Description"] for rule in rules["SecurityGroupRules"]} == {"w", "from its own members"}
    assert refusal(ec2.authorize_security_group_ingress, **mine, IpPermissions=[own]) == "InvalidPermission.Duplicate"
    assert refusal(ec2.describe_security_groups, GroupIds=[f"sg-{NOT_THERE}"]) == "InvalidGroup.NotFound"


@pytest.mark.parametrize("how", ["as described", "without description", "by rule id"])
def test_a_described_rule_can_be_revoked(lab: LabUnderTest, group_id: str, how: str) -> None:
    ec2, mine = lab.ec2, {"GroupId": group_id}
    pair = {"GroupId": group_id, "Description": how}
    rule = {"IpProtocol": "tcp", "FromPort": 9000, "ToPort": 9000, "UserIdGroupPairs": [pair]}
    made = ec2.authorize_security_group_ingress(**mine, IpPermissions=[rule])["SecurityGroupRules"]
    [group] = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
    described = [each for each in group["IpPermissions"] if each["FromPort"] == 9000]
    if how == "by rule id":
        ec2.revoke_security_group_ingress(**mine, SecurityGroupRuleIds=[made[0]["SecurityGroupRuleId"]])
    elif how == "as described":
        words = ("ec2", "revoke-security-group-ingress", "--group-id", group_id, "--ip-permissions")
        done = lab.ground.aws(*words, json.dumps(described))
        assert done.returncode == 0, done.stderr
    else:
        ec2.revoke_security_group_ingress(**mine, IpPermissions=[{**rule, "UserIdGroupPairs": [{"GroupId": group_id}]}])
    [group] = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
    assert not [each for each in group["IpPermissions"] if each["FromPort"] == 9000]
    assert refusal(ec2.revoke_security_group_ingress, **mine, IpPermissions=[rule]) == "InvalidPermission.NotFound"


@pytest.fixture(scope="module")
def profile(lab: LabUnderTest) -> str:
    iam, role = lab.client("iam"), {"RoleName": "terraform"}
    iam.create_role(**role, Path="/", AssumeRolePolicyDocument=TRUST, Tags=TAGS)
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]}
    iam.put_role_policy(**role, PolicyName="table", PolicyDocument=json.dumps(policy))
    managed = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    iam.attach_role_policy(**role, PolicyArn=managed)
    assert iam.get_role(**role)["Role"]["Tags"] == TAGS
    assert iam.get_role_policy(**role, PolicyName="table")["PolicyDocument"] == policy
    assert iam.list_role_policies(**role)["PolicyNames"] == ["table"]
    assert iam.list_attached_role_policies(**role)["AttachedPolicies"][0]["PolicyArn"] == managed
    assert refusal(iam.get_role, RoleName="nobody") == "NoSuchEntity"
    name = {"InstanceProfileName": "terraform"}
    iam.create_instance_profile(**name)
    iam.get_waiter("instance_profile_exists").wait(**name, WaiterConfig=SOON)
    iam.add_role_to_instance_profile(**name, **role)
    assert iam.get_instance_profile(**name)["InstanceProfile"]["Roles"][0]["RoleName"] == "terraform"
    assert iam.list_instance_profiles_for_role(**role)["InstanceProfiles"]
    return "terraform"


@pytest.fixture(scope="module")
def template(lab: LabUnderTest, group_id: str, profile: str) -> str:
    data = {
        "ImageId": IMAGE,
        "InstanceType": "t3.micro",
        "IamInstanceProfile": {"Name": profile},
        "VpcSecurityGroupIds": [group_id],
        "UserData": "IyEvYmluL2Jhc2gK",
        "TagSpecifications": tagged("instance"),
    }
    data["SecurityGroupIds"] = data.pop("VpcSecurityGroupIds")
    made = lab.ec2.create_launch_template(
        LaunchTemplateName="terraform", LaunchTemplateData=data, TagSpecifications=tagged("launch-template")
    )["LaunchTemplate"]
    template_id = str(made["LaunchTemplateId"])
    assert made["Tags"] == TAGS
    [version] = lab.ec2.describe_launch_template_versions(LaunchTemplateId=template_id, Versions=["1"])[
        "LaunchTemplateVersions"
    ]
    assert version["LaunchTemplateData"] == data
    return template_id


def test_a_new_version_builds_on_its_source(lab: LabUnderTest, template: str) -> None:
    named = {"LaunchTemplateId": template}
    first = lab.ec2.describe_launch_template_versions(**named, Versions=["$Default"])["LaunchTemplateVersions"][0]
    change = {"InstanceType": "t3.small"}
    second = lab.ec2.create_launch_template_version(**named, SourceVersion="1", LaunchTemplateData=change)
    assert second["LaunchTemplateVersion"]["LaunchTemplateData"] == {**first["LaunchTemplateData"], **change}
    third = lab.ec2.create_launch_template_version(
        **named, SourceVersion="$Latest", VersionDescription="key", LaunchTemplateData={"KeyName": "k"}
    )["LaunchTemplateVersion"]
    assert third["LaunchTemplateData"] == {**first["LaunchTemplateData"], **change, "KeyName": "k"}
    assert (third["VersionNumber"], third["VersionDescription"], third["DefaultVersion"]) == (3, "key", False)
    alone = lab.ec2.create_launch_template_version(**named, LaunchTemplateData=change)["LaunchTemplateVersion"]
    assert alone["LaunchTemplateData"] == change
    lab.ec2.modify_launch_template(**named, DefaultVersion="2")
    [described] = lab.ec2.describe_launch_templates(LaunchTemplateIds=[template])["LaunchTemplates"]
    assert (described["DefaultVersionNumber"], described["LatestVersionNumber"]) == (2, 4)
    assert (
        refusal(lab.ec2.create_launch_template_version, **named, SourceVersion="9", LaunchTemplateData=change)
        == "InvalidLaunchTemplateId.VersionNotFound"
    )
    unknown = [f"lt-{NOT_THERE}"]
    assert refusal(lab.ec2.describe_launch_templates, LaunchTemplateIds=unknown) == "InvalidLaunchTemplateId.NotFound"


def test_balancer_group_and_policy(
    lab: LabUnderTest, network: tuple[str, list[str]], group_id: str, template: str
) -> None:
    elbv2, autoscaling, (vpc, subnets) = lab.client("elbv2"), lab.client("autoscaling"), network
    [made] = elbv2.create_load_balancer(Name="terraform", Subnets=subnets, SecurityGroups=[group_id], Tags=TAGS)[
        "LoadBalancers"
    ]
    balancer = made["LoadBalancerArn"]
    for waiter in ("load_balancer_exists", "load_balancer_available"):
        elbv2.get_waiter(waiter).wait(LoadBalancerArns=[balancer], WaiterConfig=SOON)
    wanted = {"idle_timeout.timeout_seconds": "61", "routing.http2.enabled": "true", "access_logs.s3.enabled": "false"}
    set_them = [{"Key": key, "Value": value} for key, value in wanted.items()]
    elbv2.modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=set_them)
    found = attributes(elbv2.describe_load_balancer_attributes(LoadBalancerArn=balancer))
    assert {key: found[key] for key in wanted} == wanted
    assert found["load_balancing.cross_zone.enabled"] == "true"
    [group] = elbv2.create_target_group(
        Name="terraform", Protocol="HTTP", ProtocolVersion="HTTP1", Port=8080, VpcId=vpc, TargetType="instance"
    )["TargetGroups"]
    target_group = group["TargetGroupArn"]
    delay = [{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}]
    elbv2.modify_target_group_attributes(TargetGroupArn=target_group, Attributes=delay)
    assert attributes(elbv2.describe_target_group_attributes(TargetGroupArn=target_group))[delay[0]["Key"]] == "30"
    forward = [{"Type": "forward", "TargetGroupArn": target_group, "Order": 1}]
    [listener] = elbv2.create_listener(LoadBalancerArn=balancer, Port=80, Protocol="HTTP", DefaultActions=forward)[
        "Listeners"
    ]
    elbv2.describe_listener_attributes(ListenerArn=listener["ListenerArn"])
    described = elbv2.describe_tags(ResourceArns=[balancer, target_group, listener["ListenerArn"]])
    assert described["TagDescriptions"][0]["Tags"] == TAGS

    mine = {"AutoScalingGroupName": "terraform"}
    autoscaling.create_auto_scaling_group(
        **mine,
        LaunchTemplate={"LaunchTemplateId": template, "Version": "$Latest"},
        MinSize=0,
        MaxSize=2,
        VPCZoneIdentifier=",".join(subnets),
        TargetGroupARNs=[target_group],
    )
    [described] = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=["terraform"])["AutoScalingGroups"]
    assert described["TargetGroupARNs"] == [target_group]
    assert autoscaling.describe_warm_pool(**mine)["Instances"] == []
    autoscaling.put_scaling_policy(
        **mine,
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "TargetValue": 50.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
        },
    )
    assert autoscaling.describe_policies(**mine, PolicyNames=["cpu"])["ScalingPolicies"][0]["Enabled"] is True
    assert autoscaling.describe_lifecycle_hooks(**mine)["LifecycleHooks"] == []
    assert autoscaling.describe_notification_configurations(AutoScalingGroupNames=["terraform"])
    autoscaling.delete_auto_scaling_group(**mine, ForceDelete=True)
    names = {"AutoScalingGroupNames": ["terraform"]}
    wait_for(lambda: not autoscaling.describe_auto_scaling_groups(**names)["AutoScalingGroups"], 10, "no group")
    elbv2.delete_load_balancer(LoadBalancerArn=balancer)
    elbv2.get_waiter("load_balancers_deleted").wait(LoadBalancerArns=[balancer], WaiterConfig=SOON)
    of_balancer = [{"Name": "description", "Values": ["ELB app/terraform/*"]}]
    assert lab.ec2.describe_network_interfaces(Filters=of_balancer)["NetworkInterfaces"] == []


def test_instance(lab: LabUnderTest, network: tuple[str, list[str]], group_id: str, profile: str) -> None:
    interface = {"DeviceIndex": 0, "SubnetId": network[1][0], "Groups": [group_id], "AssociatePublicIpAddress": False}
    [instance_id] = lab.run(
        NetworkInterfaces=[interface],
        InstanceType="t3.micro",
        IamInstanceProfile={"Name": profile},
        InstanceInitiatedShutdownBehavior="terminate",
        DisableApiStop=True,
        CreditSpecification={"CpuCredits": "standard"},
        TagSpecifications=[*tagged("instance"), *tagged("volume")],
    )
    lab.wait("instance_running", InstanceIds=[instance_id])
    found = lab.instance(instance_id)
    assert "PublicIpAddress" not in found
    [attached] = found["NetworkInterfaces"]
    assert attached["Attachment"]["DeviceIndex"] == 0

    def attribute(name: str) -> Any:
        answer = lab.ec2.describe_instance_attribute(InstanceId=instance_id, Attribute=name)
        return answer[name[0].upper() + name[1:]].get("Value")

    assert attribute("disableApiStop") is True
    assert attribute("disableApiTermination") is False
    assert attribute("instanceInitiatedShutdownBehavior") == "terminate"
    assert attribute("userData") is None
    mine = {"InstanceIds": [instance_id]}
    [cpu] = lab.ec2.describe_instance_credit_specifications(**mine)["InstanceCreditSpecifications"]
    assert cpu["CpuCredits"] == "standard"
    of_instance = [{"Name": "attachment.instance-id", "Values": [instance_id]}]
    assert lab.ec2.describe_volumes(Filters=of_instance)["Volumes"] == []
    tags = lab.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [instance_id]}])["Tags"]
    assert [(tag["Key"], tag["Value"]) for tag in tags] == [("Name", "board")]
    assert refusal(lab.ec2.stop_instances, **mine) == "OperationNotPermitted"
    resize = {"InstanceId": instance_id, "InstanceType": {"Value": "t3.small"}}
    assert refusal(lab.ec2.modify_instance_attribute, **resize) == "IncorrectInstanceState"
    lab.ec2.modify_instance_attribute(InstanceId=instance_id, DisableApiStop={"Value": False})
    lab.ec2.stop_instances(**mine)
    lab.wait("instance_stopped", **mine)
    lab.ec2.modify_instance_attribute(**resize)
    lab.ec2.modify_instance_attribute(InstanceId=instance_id, UserData={"Value": b"#!/bin/sh\n"})
    assert attribute("userData") == "IyEvYmluL3NoCg=="
    default = lab.ec2.describe_security_groups(GroupNames=["default"])["SecurityGroups"][0]["GroupId"]
    lab.ec2.modify_network_interface_attribute(NetworkInterfaceId=attached["NetworkInterfaceId"], Groups=[default])
    lab.ec2.start_instances(**mine)
    lab.wait("instance_running", **mine)
    found = lab.instance(instance_id)
    assert (found["InstanceType"], found["SecurityGroups"][0]["GroupId"]) == ("t3.small", default)
    lab.ground("fault", "kill", instance_id)
    lab.wait("instance_terminated", **mine)
    assert refusal(lab.ec2.describe_instances, InstanceIds=[f"i-{NOT_THERE}"]) == "InvalidInstanceID.NotFound"


def test_the_other_waiters_of_ec2_end_at_once(lab: LabUnderTest, network: tuple[str, list[str]], group_id: str) -> None:
    vpc, subnets = network
    lab.ec2.create_key_pair(KeyName="terraform")
    image = lab.ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    waits = {
        "vpc_exists": {"VpcIds": [vpc]},
        "vpc_available": {"VpcIds": [vpc]},
        "subnet_available": {"SubnetIds": subnets},
        "security_group_exists": {"GroupIds": [group_id]},
        "key_pair_exists": {"KeyNames": ["terraform"]},
        "image_exists": {"ImageIds": [image]},
    }
    for waiter, asked in waits.items():
        lab.ec2.get_waiter(waiter).wait(**asked, WaiterConfig={"Delay": 1, "MaxAttempts": 1})


def test_a_dry_run_does_nothing(lab: LabUnderTest) -> None:
    assert refusal(lab.run, DryRun=True) == "DryRunOperation"


def test_alarm_and_table(lab: LabUnderTest) -> None:
    cloudwatch, dynamodb = lab.client("cloudwatch"), lab.client("dynamodb")
    cloudwatch.put_metric_alarm(
        AlarmName="terraform",
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        MetricName="CPUUtilization",
        Namespace="AWS/EC2",
        Period=60,
        Statistic="Average",
        Threshold=50,
        Tags=TAGS,
    )
    [alarm] = cloudwatch.describe_alarms(AlarmNames=["terraform"])["MetricAlarms"]
    arn = alarm["AlarmArn"]
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == TAGS
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "Team", "Value": "a"}])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["Name"])
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "Team", "Value": "a"}]
    key = {"AttributeName": "pk"}
    made = dynamodb.create_table(
        TableName="terraform",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{**key, "AttributeType": "S"}],
        KeySchema=[{**key, "KeyType": "HASH"}],
        Tags=TAGS,
    )["TableDescription"]
    dynamodb.get_waiter("table_exists").wait(TableName="terraform", WaiterConfig=SOON)
    assert dynamodb.list_tags_of_resource(ResourceArn=made["TableArn"])["Tags"] == TAGS
    status = dynamodb.describe_time_to_live(TableName="terraform")["TimeToLiveDescription"]["TimeToLiveStatus"]
    assert status == "DISABLED"
