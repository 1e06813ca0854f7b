"""What exists, asked by describe calls, in the words of CloudFormation's properties. Nothing is taken from settings."""

from __future__ import annotations

import base64
import json
import re
import shlex
from typing import Any

from groundschool.workshop import role
from groundschool.workshop.auto_scaling_group import find_scaling_group
from groundschool.workshop.instance import find_instance
from groundschool.workshop.launch_template import default_data, find_template
from groundschool.workshop.listener import balancers_listener
from groundschool.workshop.load_balancer import balancer_group_name, find_load_balancer
from groundschool.workshop.scaling_policy import find_policies
from groundschool.workshop.security_group import find_group, instance_group_name
from groundschool.workshop.table import find_table
from groundschool.workshop.target_group import elbv2_tags, find_target_group
from groundschool.workshop.world import World

Properties = dict[str, Any]
ALL_OUT = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
ASSIGNMENT = re.compile(r"^([A-Z_]+)=(.*)$", re.MULTILINE)


def only(given: Any, *names: str) -> Properties:
    return {name: given[name] for name in names if name in given}


def tags(found: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in found.items()]


def table(world: World) -> Properties:
    found = find_table(world)
    assert found is not None
    expiry = world.dynamodb.describe_time_to_live(TableName=found["TableName"])["TimeToLiveDescription"]
    return {
        **only(found, "TableName", "KeySchema", "AttributeDefinitions", "DeletionProtectionEnabled"),
        "BillingMode": found["BillingModeSummary"]["BillingMode"],
        "TimeToLiveSpecification": {
            "AttributeName": expiry.get("AttributeName"),
            "Enabled": expiry["TimeToLiveStatus"] == "ENABLED",
        },
        "Tags": world.dynamodb.list_tags_of_resource(ResourceArn=found["TableArn"])["Tags"],
    }


def bucket(world: World) -> Properties:
    s3, name = world.s3, world.release_bucket
    rules = unless_absent(lambda: s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"])
    public = unless_absent(lambda: s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"])
    status = s3.get_bucket_versioning(Bucket=name).get("Status")
    return {
        "BucketName": name,
        "Tags": s3.get_bucket_tagging(Bucket=name)["TagSet"],
        **({"VersioningConfiguration": {"Status": status}} if status else {}),
        **({"PublicAccessBlockConfiguration": public} if public else {}),
        **({"BucketEncryption": {"ServerSideEncryptionConfiguration": sse(rules)}} if rules else {}),
    }


def unless_absent(ask: Any) -> Any:
    """S3 answers 404 for what was never set."""
    try:
        return ask()
    except Exception as error:
        if "404" in str(getattr(error, "response", {}).get("ResponseMetadata")):
            return None
        raise


def sse(rules: list[Any]) -> list[Any]:
    """S3's own word for it differs from CloudFormation's."""
    return [{"ServerSideEncryptionByDefault": each["ApplyServerSideEncryptionByDefault"]} for each in rules]


def policy(world: World) -> Properties:
    found = role.find_policy(world)
    assert found is not None
    return {"ManagedPolicyName": found["PolicyName"], "PolicyDocument": role.current_document(world, found)}


def iam_role(world: World) -> Properties:
    found = role.find_role(world)
    assert found is not None
    document = found["AssumeRolePolicyDocument"]
    return {
        **only(found, "RoleName", "Description", "MaxSessionDuration", "Path"),
        "AssumeRolePolicyDocument": json.loads(document) if isinstance(document, str) else document,
        "ManagedPolicyArns": sorted(role.attached(world)),
        "Tags": found["Tags"],
    }


def profile(world: World) -> Properties:
    found = role.find_profile(world)
    assert found is not None
    return {
        **only(found, "InstanceProfileName", "Path", "Tags"),
        "Roles": [each["RoleName"] for each in found["Roles"]],
    }


def security_group(world: World, name: str) -> Properties:
    [found] = world.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [name]}])["SecurityGroups"]
    out = [{key: value for key, value in each.items() if value} for each in found["IpPermissionsEgress"]]
    return {
        "GroupName": found["GroupName"],
        "GroupDescription": found["Description"],
        "VpcId": found["VpcId"],
        "SecurityGroupIngress": [rule for each in found["IpPermissions"] for rule in rules(each)],
        **({} if out == [ALL_OUT] else {"SecurityGroupEgress": out}),
        "Tags": found["Tags"],
    }


def rules(permission: Any) -> list[Properties]:
    """EC2 keeps the sources of one port together; CloudFormation writes one rule for each."""
    port = only(permission, "IpProtocol", "FromPort", "ToPort")
    ranges = [{**only(each, "CidrIp", "Description"), **port} for each in permission.get("IpRanges", [])]
    pairs = [
        {"SourceSecurityGroupId": each["GroupId"], **only(each, "Description"), **port}
        for each in permission.get("UserIdGroupPairs", [])
    ]
    return ranges + pairs


def instance(world: World) -> Properties:
    found = find_instance(world)
    assert found is not None
    return {
        **only(found, "ImageId", "InstanceType", "SubnetId"),
        "SecurityGroupIds": [each["GroupId"] for each in found["SecurityGroups"]],
        "IamInstanceProfile": {"Name": found["IamInstanceProfile"]["Arn"].rpartition("/")[2]},
        "MetadataOptions": only(found["MetadataOptions"], "HttpTokens", "HttpEndpoint", "HttpPutResponseHopLimit"),
        "Monitoring": {"Enabled": found["Monitoring"]["State"] == "enabled"},
        "Tags": found["Tags"],
    }


def target_group(world: World) -> Properties:
    found = find_target_group(world)
    assert found is not None
    arn = found["TargetGroupArn"]
    health = [name for name in found if name.startswith("HealthCheck")]
    return {
        "Name": found["TargetGroupName"],
        **only(found, "VpcId", "TargetType", "Protocol", "Port", "ProtocolVersion", "IpAddressType", "Matcher"),
        **only(found, *health, "HealthyThresholdCount", "UnhealthyThresholdCount"),
        "TargetGroupAttributes": world.elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"],
        "Tags": tags(elbv2_tags(world, arn)),
    }


def load_balancer(world: World) -> Properties:
    found = find_load_balancer(world)
    assert found is not None
    arn = found["LoadBalancerArn"]
    return {
        "Name": found["LoadBalancerName"],
        **only(found, "Type", "Scheme", "IpAddressType", "SecurityGroups"),
        "Subnets": [each["SubnetId"] for each in found["AvailabilityZones"]],
        "LoadBalancerAttributes": world.elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"],
        "Tags": tags(elbv2_tags(world, arn)),
    }


def listener(world: World) -> Properties:
    found = balancers_listener(world)
    assert found is not None
    actions = [only(each, "Type", "TargetGroupArn", "RedirectConfig") for each in found["DefaultActions"]]
    return {**only(found, "LoadBalancerArn", "Protocol", "Port"), "DefaultActions": actions}


def launch_template(world: World) -> Properties:
    found = find_template(world)
    assert found is not None
    data = default_data(world)
    own = {"ResourceType": "launch-template", "Tags": found["Tags"]}
    # The lab shows the template's own tags among those it gives to what is launched; AWS does not.
    given = [each for each in data.get("TagSpecifications", []) if each["ResourceType"] != "launch-template"]
    return {
        "LaunchTemplateName": found["LaunchTemplateName"],
        "TagSpecifications": [own],
        "LaunchTemplateData": {
            **data,
            "TagSpecifications": given,
            "UserData": user_data(data["UserData"]),
        },
    }


def user_data(encoded: str) -> Properties:
    """The script's settings by name, and the rest of it as one text: CloudFormation quotes what needs no quotes."""
    script = base64.b64decode(encoded).decode()
    head, _, body = script.partition("\n\nROOT=")
    settings = {name: "".join(shlex.split(value, comments=True)) for name, value in ASSIGNMENT.findall(head)}
    return {**settings, "script": ASSIGNMENT.sub(r"\1", head) + body}


def scaling_group(world: World) -> Properties:
    found = find_scaling_group(world)
    assert found is not None
    return {
        **only(found, "AutoScalingGroupName", "MinSize", "DesiredCapacity", "MaxSize", "TargetGroupARNs"),
        **only(found, "HealthCheckType", "HealthCheckGracePeriod", "DefaultInstanceWarmup", "TerminationPolicies"),
        **only(found, "NewInstancesProtectedFromScaleIn", "LoadBalancerNames"),
        "Cooldown": found["DefaultCooldown"],
        "LaunchTemplate": only(found["LaunchTemplate"], "LaunchTemplateId", "Version"),
        "VPCZoneIdentifier": found["VPCZoneIdentifier"].split(","),
        "MetricsCollection": found["EnabledMetrics"],
        "Tags": [only(each, "Key", "Value", "PropagateAtLaunch") for each in found["Tags"]],
    }


def scaling_policy(world: World) -> Properties:
    [found] = find_policies(world)
    names = ("AutoScalingGroupName", "PolicyName", "PolicyType", "EstimatedInstanceWarmup")
    return only(found, *names, "TargetTrackingConfiguration")


def session_1(world: World) -> dict[str, Properties]:
    """By the logical ids of foundation and session 1."""
    return {
        "InstanceSecurityGroup": security_group(world, instance_group_name(world)),
        "Table": table(world),
        "Policy": policy(world),
        "Role": iam_role(world),
        "InstanceProfile": profile(world),
        "ReleaseBucket": bucket(world),
        "Instance": instance(world),
    }


def session_2(world: World) -> dict[str, Properties]:
    """By the logical ids of session 2."""
    return {
        "InstanceSecurityGroup": security_group(world, instance_group_name(world)),
        "LoadBalancerSecurityGroup": security_group(world, balancer_group_name(world)),
        "TargetGroup": target_group(world),
        "LoadBalancer": load_balancer(world),
        "HttpListener": listener(world),
        "LaunchTemplate": launch_template(world),
        "AutoScalingGroup": scaling_group(world),
        "ScalingPolicy": scaling_policy(world),
    }


def made(world: World) -> dict[str, dict[str, Any]]:
    """What ``Ref`` and ``GetAtt`` come to, of everything that is there now."""
    names = {
        "InstanceSecurityGroup": instance_group_name(world),
        "LoadBalancerSecurityGroup": balancer_group_name(world),
    }
    groups = {name: found for name in names if (found := find_group(world, names[name])) is not None}
    table_now, template, balancer = find_table(world), find_template(world), find_load_balancer(world)
    targets, policy_now = find_target_group(world), role.find_policy(world)
    assert table_now is not None
    assert policy_now is not None
    return {
        **{name: {"Ref": each.group_id, "GroupId": each.group_id} for name, each in groups.items()},
        "AWS::Region": {"Ref": world.region},
        "AWS::AccountId": {"Ref": world.account},
        "AWS::Partition": {"Ref": "aws"},
        "AWS::StackName": {"Ref": "visitor-board"},
        "Table": {"Ref": table_now["TableName"], "Arn": table_now["TableArn"]},
        "ReleaseBucket": {"Ref": world.release_bucket, "Arn": f"arn:aws:s3:::{world.release_bucket}"},
        "Policy": {"Ref": policy_now["Arn"]},
        "Role": {"Ref": world.iam_name},
        "InstanceProfile": {"Ref": world.iam_name},
        "AutoScalingGroup": {"Ref": world.name},
        "LaunchTemplate": {
            "Ref": template["LaunchTemplateId"] if template else "lt-of-the-stack",
            "LatestVersionNumber": str(template["LatestVersionNumber"]) if template else "1",
        },
        **({"LoadBalancer": {"Ref": balancer["LoadBalancerArn"]}} if balancer else {}),
        **({"TargetGroup": {"Ref": targets["TargetGroupArn"]}} if targets else {}),
    }
