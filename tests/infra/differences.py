"""Where the templates and ``ground build`` differ on purpose. Whatever else differs fails a test; what is declared here
and no longer differs fails one too."""

from __future__ import annotations

from tests.infra.comparison import Declared

ONLY_IN_TEMPLATES = {"ReleaseBucketPolicy"}
"""The lab's S3 is plain HTTP: a bucket that demands TLS would shut it out, so ``ground build`` asks for it on AWS only.
What else no lab has (access log, HTTPS listener) is behind a condition; the budget is a template of its own."""

AWS_DEFAULTS: dict[str, dict[str, str]] = {
    "AWS::DynamoDB::Table": {"DeletionProtectionEnabled": "false"},
    "AWS::IAM::Role": {"Path": "/", "MaxSessionDuration": "3600"},
    "AWS::IAM::InstanceProfile": {"Path": "/"},
    "AWS::EC2::Instance": {"Monitoring.Enabled": "false"},
    "AWS::AutoScaling::AutoScalingGroup": {
        "Cooldown": "300",
        "NewInstancesProtectedFromScaleIn": "false",
        "TerminationPolicies[0]": "Default",
    },
    "AWS::ElasticLoadBalancingV2::LoadBalancer": {
        "LoadBalancerAttributes[access_logs.s3.bucket].Value": "",
        "LoadBalancerAttributes[access_logs.s3.prefix].Value": "",
        "LoadBalancerAttributes[deletion_protection.enabled].Value": "false",
        "LoadBalancerAttributes[load_balancing.cross_zone.enabled].Value": "true",
    },
    "AWS::ElasticLoadBalancingV2::TargetGroup": {
        "HealthCheckEnabled": "true",
        "HealthCheckPort": "traffic-port",
        "IpAddressType": "ipv4",
        "ProtocolVersion": "HTTP1",
        "TargetGroupAttributes[load_balancing.algorithm.type].Value": "round_robin",
        "TargetGroupAttributes[load_balancing.cross_zone.enabled].Value": "use_load_balancer_configuration",
        "TargetGroupAttributes[slow_start.duration_seconds].Value": "0",
        "TargetGroupAttributes[stickiness.enabled].Value": "false",
        "TargetGroupAttributes[stickiness.type].Value": "lb_cookie",
    },
}
"""What describe calls tell though nobody chose it, by CloudFormation type: a template need not say it."""

NO_BACKUPS = "the lab keeps no backups and says so (UpdateContinuousBackups is refused), so ground build asks for none"
BUCKET = "ground build's bucket is gone within the day, with its releases: nothing in it grows old"
BY_HAND = "ground build installs the app by Session Manager, to show the step; CloudFormation has no steps by hand"
NO_DISKS = "an instance of the lab is a folder: it has no volumes to describe, or to tag"

SIGNAL = "CloudFormation waits to be told that the board answers; ground build looks for itself"

ALWAYS = (
    Declared("LaunchTemplate", "LaunchTemplateData.UserData.STACK", "visitor-board", "", SIGNAL),
    Declared("LaunchTemplate", "LaunchTemplateData.UserData.RESOURCE", "AutoScalingGroup", "", SIGNAL),
    Declared("Table", "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", "true", None, NO_BACKUPS),
    Declared("ReleaseBucket", "LifecycleConfiguration", "...", None, BUCKET),
    Declared(
        "ReleaseBucket",
        "OwnershipControls.Rules[0].ObjectOwnership",
        "BucketOwnerEnforced",
        None,
        "AWS's default since April 2023, said aloud in the template for reviewers; not asked in the lab",
    ),
    Declared(
        "InstanceProfile", "Tags", None, "...", "CloudFormation has no tags for instance profiles; the role has them"
    ),
    Declared(
        "AutoScalingGroup",
        "LaunchTemplate.Version",
        "1",
        "$Default",
        "a number, so that a new version is a change of the group, which CloudFormation rolls through it; ground build "
        "makes the new version the default and leaves the running instances",
    ),
    Declared(
        "ScalingPolicy", "PolicyName", None, "visitor-board-cpu", "CloudFormation names scaling policies by itself"
    ),
    Declared(
        "TargetGroup",
        "TargetGroupAttributes[waf.fail_open.enabled]",
        None,
        "false",
        "the lab's record; on AWS it is the load balancer's attribute",
    ),
)

SESSION_1_ONLY = (
    Declared("Instance", "UserData", "...", None, BY_HAND),
    Declared("Instance", "Tags[Release].Value", None, "...", BY_HAND),
    Declared("Instance", "BlockDeviceMappings", "...", None, NO_DISKS),
    Declared("Instance", "TagSpecifications", "...", None, NO_DISKS),
)
