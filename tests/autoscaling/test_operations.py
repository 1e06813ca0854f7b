"""The API: what it answers, and what it refuses in AWS's words."""

from __future__ import annotations

import pytest
from botocore import xform_name
from botocore.session import get_session

from groundschool.cloud.autoscaling.operations.group_settings import UNSUPPORTED, WITHOUT_MEANING
from groundschool.cloud.aws_error import AwsError

WEB = {"AutoScalingGroupName": "web"}
TEMPLATE = {"LaunchTemplateName": "board"}


def mixed(overrides, **distribution):
    template = {"LaunchTemplateSpecification": TEMPLATE, "Overrides": overrides}
    return {
        "LaunchTemplate": None,
        "MixedInstancesPolicy": {"LaunchTemplate": template, "InstancesDistribution": distribution},
    }


def refused(lab, operation, **params):
    with pytest.raises(AwsError) as error:
        lab.call(operation, **params)
    return error.value.code, error.value.message


def test_every_handler_is_an_operation_of_the_service(lab):
    known = {xform_name(name) for name in get_session().get_service_model("autoscaling").operation_names}
    handlers = {name for name in dir(lab.operations) if not name.startswith("_")}
    plain = {"group_named", "member_named", "members_named", "lab", "now", "service"}
    assert handlers - known == plain
    assert len(handlers & known) >= 50


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"LaunchTemplate": None}, "Valid requests must contain either LaunchTemplate, LaunchConfigurationName"),
        ({"VPCZoneIdentifier": None}, "At least one Availability Zone or VPC Subnet is required."),
        ({"MinSize": 4, "MaxSize": 3}, "Max bound, 3, must be greater than or equal to min bound, 4"),
        ({"DesiredCapacity": 9}, "Desired capacity:9 must be between the specified min size:1 and max size:3"),
        ({"VPCZoneIdentifier": "subnet-z"}, "The subnet ID 'subnet-z' does not exist"),
        ({"LaunchTemplate": {"LaunchTemplateName": "other"}}, "You must use a valid fully-formed launch template."),
        ({"TargetGroupARNs": ["arn:x"]}, "Provided Target Groups may not be valid."),
        ({"DesiredCapacityType": "vcpu"}, "DesiredCapacityType vcpu is not supported by the lab"),
        ({"LaunchConfigurationName": "old"}, "LaunchConfigurationName is not supported by the lab."),
        (mixed([{"WeightedCapacity": "2"}]), "WeightedCapacity must be 1"),
        (
            mixed([{"InstanceRequirements": {"VCpuCount": {"Min": 1}, "MemoryMiB": {"Min": 1}}}]),
            "InstanceRequirements in Overrides is not supported by the lab",
        ),
        (mixed([], OnDemandPercentageAboveBaseCapacity=50), "Spot Instances are not supported by the lab"),
        (mixed([], OnDemandAllocationStrategy="lowest-price"), "by priority: OnDemandAllocationStrategy prioritized"),
        ({"TerminationPolicies": ["AllocationStrategy"]}, "Termination policy AllocationStrategy is not supported"),
        ({"AvailabilityZones": ["eu-north-1b"], "VPCZoneIdentifier": "subnet-a"}, "do not match"),
    ],
)
def test_a_group_that_makes_no_sense_is_refused(lab, params, message):
    given = {"MinSize": 1, "MaxSize": 3, "LaunchTemplate": TEMPLATE, "VPCZoneIdentifier": "subnet-a", **params}
    given = {name: value for name, value in given.items() if value is not None}
    code, text = refused(lab, "CreateAutoScalingGroup", AutoScalingGroupName="web", **given)
    assert code == "ValidationError"
    assert message in text
    assert not lab.service.groups


def test_every_parameter_of_a_group_is_honoured_without_meaning_or_refused():
    honoured = """
        AutoScalingGroupName LaunchTemplate MixedInstancesPolicy MinSize MaxSize DesiredCapacity DefaultCooldown
        AvailabilityZones TargetGroupARNs HealthCheckType HealthCheckGracePeriod VPCZoneIdentifier TerminationPolicies
        NewInstancesProtectedFromScaleIn LifecycleHookSpecificationList Tags DesiredCapacityType DefaultInstanceWarmup
        TrafficSources
    """.split()
    known = get_session().get_service_model("autoscaling").operation_model("CreateAutoScalingGroup").input_shape.members
    assert sorted([*honoured, *UNSUPPORTED, *WITHOUT_MEANING]) == sorted(known)


def test_a_group_exists_once(lab):
    lab.create()
    code, text = refused(
        lab,
        "CreateAutoScalingGroup",
        MinSize=1,
        MaxSize=1,
        LaunchTemplate=TEMPLATE,
        VPCZoneIdentifier="subnet-a",
        **WEB,
    )
    assert code == "AlreadyExists"
    assert text.endswith("A group with the name web already exists")


def test_a_group_is_described_as_it_was_created(lab):
    lab.create(
        DefaultInstanceWarmup=45,
        HealthCheckType="ELB",
        HealthCheckGracePeriod=120,
        Tags=[{"Key": "Project", "Value": "board", "PropagateAtLaunch": True}],
    )
    [group] = lab.call("DescribeAutoScalingGroups", AutoScalingGroupNames=["web", "other"])["AutoScalingGroups"]
    assert group["AutoScalingGroupARN"].endswith(":autoScalingGroupName/web")
    assert group["LaunchTemplate"] == {
        "LaunchTemplateId": "lt-board",
        "LaunchTemplateName": "board",
        "Version": "$Latest",
    }
    assert (group["DefaultInstanceWarmup"], group["DefaultCooldown"]) == (45, 300)
    assert (group["HealthCheckType"], group["HealthCheckGracePeriod"]) == ("ELB", 120)
    assert group["AvailabilityZones"] == ["eu-north-1a", "eu-north-1b"]
    assert group["Tags"][0]["ResourceId"] == "web"
    assert group["TerminationPolicies"] == ["Default"]


def test_mixed_instances_use_the_first_override(lab):
    policy = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {"LaunchTemplateName": "board", "Version": "1"},
            "Overrides": [{"InstanceType": "t3.small"}, {"InstanceType": "t3.medium"}],
        }
    }
    lab.call(
        "CreateAutoScalingGroup",
        MinSize=1,
        MaxSize=1,
        MixedInstancesPolicy=policy,
        VPCZoneIdentifier="subnet-a",
        **WEB,
    )
    lab.run(1)
    assert lab.instances()[0]["InstanceType"] == "t3.small"


def test_update_moves_the_desired_capacity_into_new_bounds_and_says_so(lab):
    group = lab.in_service()
    lab.call("UpdateAutoScalingGroup", MinSize=4, MaxSize=6, **WEB)
    lab.run(60)
    assert group.desired_capacity == 4
    assert (
        "a user request update of AutoScalingGroup constraints to min: 4, max: 6, desired: 4 changing the desired "
        "capacity from 2 to 4."
    ) in lab.activities("constraints")[0]["Cause"]


@pytest.mark.parametrize(("desired", "words"), [(11, "above max value 10"), (0, "below min value 1")])
def test_a_desired_capacity_out_of_bounds_is_refused(lab, desired, words):
    lab.create()
    _, text = refused(lab, "SetDesiredCapacity", DesiredCapacity=desired, **WEB)
    assert text == f"New SetDesiredCapacity value {desired} is {words} for the AutoScalingGroup."


def test_unknown_groups_and_instances(lab):
    assert refused(lab, "SetDesiredCapacity", DesiredCapacity=1, **WEB) == (
        "ValidationError",
        "AutoScalingGroup name not found - AutoScalingGroup 'web' not found",
    )
    answer = refused(lab, "TerminateInstanceInAutoScalingGroup", InstanceId="i-1", ShouldDecrementDesiredCapacity=True)
    assert answer == ("ValidationError", "Instance Id not found - No managed instance found for instance ID: i-1")
    assert lab.call("DescribeAutoScalingGroups", AutoScalingGroupNames=["web"])["AutoScalingGroups"] == []


def test_a_group_with_instances_is_not_deleted(lab):
    lab.in_service()
    assert refused(lab, "DeleteAutoScalingGroup", **WEB)[0] == "ResourceInUse"
    lab.call("UpdateAutoScalingGroup", MinSize=0, DesiredCapacity=0, **WEB)
    lab.run(5)
    assert refused(lab, "DeleteAutoScalingGroup", **WEB) == (
        "ScalingActivityInProgress",
        "You cannot delete an AutoScalingGroup while there are scaling activities in progress for that group.",
    )


def test_terminating_below_the_minimum_is_refused(lab):
    lab.in_service(DesiredCapacity=1)
    _, text = refused(
        lab,
        "TerminateInstanceInAutoScalingGroup",
        InstanceId=lab.instances()[0]["InstanceId"],
        ShouldDecrementDesiredCapacity=True,
    )
    assert text.startswith("Currently, desiredSize equals minSize (1). Terminating instance without replacement will")


def test_answers_come_in_pages(lab):
    for number in range(5):
        lab.create(name=f"group-{number}", DesiredCapacity=0, MinSize=0)
    names, params = [], {"MaxRecords": 2}
    while True:
        answer = lab.call("DescribeAutoScalingGroups", **params)
        names.append([group["AutoScalingGroupName"] for group in answer["AutoScalingGroups"]])
        if "NextToken" not in answer:
            break
        params["NextToken"] = answer["NextToken"]
    assert names == [["group-0", "group-1"], ["group-2", "group-3"], ["group-4"]]
    assert refused(lab, "DescribeAutoScalingGroups", NextToken="x")[0] == "InvalidNextToken"


def test_groups_are_found_by_tag(lab):
    lab.create(name="a", Tags=[{"Key": "stage", "Value": "prod"}])
    lab.create(name="b", Tags=[{"Key": "stage", "Value": "test"}])
    filters = [{"Name": "tag:stage", "Values": ["test"]}]
    found = lab.call("DescribeAutoScalingGroups", Filters=filters)["AutoScalingGroups"]
    assert [group["AutoScalingGroupName"] for group in found] == ["b"]


def test_tags_are_put_described_and_deleted(lab):
    lab.create()
    tag = {"ResourceId": "web", "ResourceType": "auto-scaling-group", "Key": "stage", "Value": "prod"}
    lab.call("CreateOrUpdateTags", Tags=[{**tag, "PropagateAtLaunch": False}])
    found = lab.call("DescribeTags", Filters=[{"Name": "key", "Values": ["stage"]}])["Tags"]
    assert found == [{**tag, "PropagateAtLaunch": False}]
    lab.call("DeleteTags", Tags=[{"ResourceId": "web", "ResourceType": "auto-scaling-group", "Key": "stage"}])
    assert lab.call("DescribeTags")["Tags"] == []


def test_group_metrics_are_published_only_when_enabled(lab):
    lab.in_service()
    assert lab.service.group_metrics() == {}
    metrics = ["GroupDesiredCapacity", "GroupInServiceInstances", "GroupPendingInstances"]
    lab.call("EnableMetricsCollection", Granularity="1Minute", Metrics=metrics, **WEB)
    lab.call("SetDesiredCapacity", DesiredCapacity=3, **WEB)
    lab.run(1)
    assert lab.service.group_metrics() == {
        "web": {"GroupDesiredCapacity": 3, "GroupInServiceInstances": 2, "GroupPendingInstances": 1}
    }
    lab.call("DisableMetricsCollection", **WEB)
    assert lab.service.group_metrics() == {}


def test_suspended_processes_are_shown_with_their_time(lab):
    lab.in_service()
    lab.call("SuspendProcesses", ScalingProcesses=["Launch"], **WEB)
    [group] = lab.call("DescribeAutoScalingGroups")["AutoScalingGroups"]
    reason = f"User suspended at {lab.at(60)}"
    assert group["SuspendedProcesses"] == [{"ProcessName": "Launch", "SuspensionReason": reason}]
    assert refused(lab, "SuspendProcesses", ScalingProcesses=["Sleep"], **WEB)[0] == "ValidationError"


def test_instances_are_described_across_groups(lab):
    lab.in_service()
    first, *_ = lab.call("DescribeAutoScalingInstances")["AutoScalingInstances"]
    assert (first["AutoScalingGroupName"], first["HealthStatus"]) == ("web", "HEALTHY")
    asked = lab.call("DescribeAutoScalingInstances", InstanceIds=[first["InstanceId"], "i-unknown"])
    assert len(asked["AutoScalingInstances"]) == 1


def test_activities_of_deleted_groups_are_kept(lab):
    lab.in_service()
    lab.call("DeleteAutoScalingGroup", ForceDelete=True, **WEB)
    lab.run(10)
    assert len(lab.activities()) == 4
    assert refused(lab, "DescribeScalingActivities", **WEB)[0] == "ValidationError"


@pytest.mark.parametrize(
    ("operation", "field"),
    [
        ("DescribeAccountLimits", "MaxNumberOfAutoScalingGroups"),
        ("DescribeAdjustmentTypes", "AdjustmentTypes"),
        ("DescribeTerminationPolicyTypes", "TerminationPolicyTypes"),
        ("DescribeScalingProcessTypes", "Processes"),
        ("DescribeMetricCollectionTypes", "Metrics"),
        ("DescribeLifecycleHookTypes", "LifecycleHookTypes"),
    ],
)
def test_what_the_service_knows_can_be_asked(lab, operation, field):
    assert lab.call(operation)[field]


def test_a_hook_is_put_changed_and_described(lab):
    lab.create()
    name = {"LifecycleHookName": "boot", **WEB}
    lab.call("PutLifecycleHook", LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING", HeartbeatTimeout=60, **name)
    lab.call("PutLifecycleHook", DefaultResult="CONTINUE", **name)
    [hook] = lab.call("DescribeLifecycleHooks", **WEB)["LifecycleHooks"]
    assert (hook["HeartbeatTimeout"], hook["GlobalTimeout"], hook["DefaultResult"]) == (60, 6000, "CONTINUE")
    assert refused(lab, "PutLifecycleHook", HeartbeatTimeout=5, **name)[0] == "ValidationError"


def test_a_missing_parameter_is_a_validation_error_even_if_the_client_did_not_check(lab):
    with pytest.raises(AwsError, match="Value null at 'autoScalingGroupName'"):
        lab.operations.create_auto_scaling_group(None, {})
