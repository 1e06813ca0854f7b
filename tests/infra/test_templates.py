"""The templates by themselves: their limits, their promises, and that they say what else is said only once."""

from __future__ import annotations

import base64
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader

from groundschool.errors import BuildError
from groundschool.workshop.install_script import USER_DATA_LIMIT
from groundschool.workshop.release_bucket import tls_only
from groundschool.workshop.role import TRUST, policy_document
from groundschool.workshop.settings import WorkshopSettings
from groundschool.workshop.template_user_data import substitution, with_script
from tests.infra.template import BUDGET, FOUNDATION, SESSION_1, SESSION_2, TEMPLATES, Stack, read

BODY_LIMIT = 51_200
"""Bytes of a template given in a request. AWS: CloudFormation user guide, quotas."""

CONSTRAINTS = {"AllowedValues", "AllowedPattern", "MinValue"}
IDS = {name: {"Ref": name, "Arn": f"arn:{name}", "GroupId": f"sg-{name}"} for name in read(SESSION_2)["Resources"]}
MADE = {
    **IDS,
    "LaunchTemplate": {"Ref": "lt-1", "LatestVersionNumber": "1"},
    "Table": {"Ref": "workshop_messages", "Arn": "arn:aws:dynamodb:eu-north-1:1:table/workshop_messages"},
    "ReleaseBucket": {"Ref": "visitor-board-releases-1-eu-north-1"}
    | {"Arn": "arn:aws:s3:::visitor-board-releases-1-eu-north-1"},
    "Policy": {"Ref": "arn:policy"},
    "Role": {"Ref": "role"},
    "InstanceProfile": {"Ref": "profile"},
    "AWS::Region": {"Ref": "eu-north-1"},
    "AWS::AccountId": {"Ref": "1"},
    "AWS::Partition": {"Ref": "aws"},
    "AWS::StackName": {"Ref": "board"},
}
CHOSEN = {"VpcId": "vpc-1", "SubnetIds": ["subnet-1", "subnet-2"], "Release": "0123456789abcdef"}
EXPORTS = Stack(read(FOUNDATION), {}, MADE).exports()


def resources(path: Path, **parameters: Any) -> dict[str, Any]:
    found = Stack(read(path), {**CHOSEN, **parameters}, MADE, EXPORTS).resources()
    return {name: each["Properties"] for name, each in found.items()}


def lint(*paths: Path, regions: tuple[str, ...]) -> str:
    """What cfn-lint says, its informational findings included."""
    command = [str(Path(sys.executable).parent / "cfn-lint"), "--include-checks", "I", "--regions", *regions]
    return subprocess.run([*command, "--", *map(str, paths)], capture_output=True, text=True).stdout


def test_cfn_lint_has_no_finding_in_any_region_a_learner_is_likely_in() -> None:
    assert lint(FOUNDATION, SESSION_1, SESSION_2, regions=("eu-north-1", "eu-central-1", "us-east-1")) == ""
    assert lint(BUDGET, regions=("us-east-1",)) == ""


def test_the_budget_cannot_be_in_eu_north_1_which_is_why_its_readers_are_sent_elsewhere() -> None:
    assert "does not exist in 'eu-north-1'" in lint(BUDGET, regions=("eu-north-1",))
    assert "us-east-1" in read(BUDGET)["Description"]


def test_cfn_lint_would_find_an_action_that_iam_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(FOUNDATION.read_text().replace("dynamodb:Query", "dynamodb:Qery"))

    assert "'qery' is not one of" in lint(tmp_path / "wrong.yaml", regions=("eu-north-1",))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda each: each.stem)
def test_a_template_fits_into_a_request(path: Path) -> None:
    assert len(path.read_bytes()) < BODY_LIMIT


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda each: each.stem)
def test_every_parameter_and_output_is_described_and_every_parameter_is_constrained(path: Path) -> None:
    template = read(path)

    assert template["Description"]
    for name, each in template["Parameters"].items():
        assert each["Description"], name
        assert CONSTRAINTS & each.keys() or "AWS::" in each["Type"], name
        assert "ConstraintDescription" in each or "AllowedPattern" not in each, name
    assert all(each["Description"] for each in template["Outputs"].values())


def test_session_2_takes_the_parameters_of_session_1_because_it_updates_its_stack() -> None:
    first, second = read(SESSION_1)["Parameters"], read(SESSION_2)["Parameters"]

    assert first.keys() <= second.keys()
    for name, each in first.items():
        without_words = {key: value for key, value in each.items() if key != "Description"}
        assert without_words == {key: value for key, value in second[name].items() if key != "Description"}, name


def test_what_both_sessions_have_is_the_same_resource_so_that_the_update_keeps_it() -> None:
    first, second = resources(SESSION_1), resources(SESSION_2)

    assert first["InstanceSecurityGroup"] == second["InstanceSecurityGroup"]
    assert first["LaunchTemplate"]["LaunchTemplateName"] == second["LaunchTemplate"]["LaunchTemplateName"]
    assert first.keys() & second.keys() == {"InstanceSecurityGroup", "LaunchTemplate"}


def test_defaults_are_the_settings_of_ground_build() -> None:
    chosen = WorkshopSettings()
    default = {name: each.get("Default") for name, each in read(SESSION_2)["Parameters"].items()}

    assert default["Name"] == chosen.name
    assert default["ImageId"] == chosen.image_parameter
    assert default["InstanceType"] == chosen.instance_type
    assert default["AppPort"] == chosen.app_port
    assert default["TargetCpu"] == chosen.target_cpu
    assert (default["MinimumSize"], default["MaximumSize"]) == (chosen.minimum_size, chosen.maximum_size)
    assert default["DesiredCapacity"] == chosen.desired_capacity
    assert read(FOUNDATION)["Parameters"]["TableName"]["Default"] == chosen.table_name


@pytest.mark.parametrize("path", [SESSION_1, SESSION_2], ids=lambda each: each.stem)
def test_the_user_data_is_install_sh_as_make_infra_writes_it(path: Path) -> None:
    script = files("groundschool.workshop").joinpath("install.sh").read_text()

    assert with_script(path.read_text(), script) == path.read_text(), "install.sh has changed: make infra"


@pytest.mark.parametrize("path", [SESSION_1, SESSION_2], ids=lambda each: each.stem)
def test_the_user_data_is_valid_small_enough_and_signals_the_resource_that_waits(path: Path) -> None:
    encoded = resources(path)["LaunchTemplate"]["LaunchTemplateData"]["UserData"]
    script = base64.b64decode(encoded).decode()
    [waiting] = [name for name, each in read(path)["Resources"].items() if "CreationPolicy" in each]

    assert script.startswith("#!/bin/bash\n")
    assert len(script.encode()) < USER_DATA_LIMIT
    assert subprocess.run(["bash", "-n"], input=script, text=True).returncode == 0
    assert "STACK='board'       # of CloudFormation" in script
    assert f"RESOURCE={waiting} #" in script
    assert "RELEASE_URL='s3://visitor-board-releases-1-eu-north-1/releases/0123456789abcdef.tar.gz'\n" in script


def test_a_placeholder_that_no_template_knows_is_refused() -> None:
    with pytest.raises(BuildError, match=r"placeholder @COLOUR@"):
        substitution("echo @COLOUR@\n", "Instance")


def test_what_is_the_shells_own_is_left_to_the_shell() -> None:
    assert substitution('echo "${HOST:-x}" $HOST @PORT@\n', "Instance") == "echo \"${!HOST:-x}\" $HOST '${AppPort}'\n"


def test_the_role_may_do_what_the_role_of_ground_build_may() -> None:
    found = resources(FOUNDATION)
    table, bucket = found["Table"]["TableName"], found["ReleaseBucket"]["BucketName"]

    wanted = policy_document(f"arn:aws:dynamodb:eu-north-1:1:table/{table}", bucket)
    assert found["Policy"]["PolicyDocument"] == wanted
    assert found["Role"]["AssumeRolePolicyDocument"] == TRUST
    assert found["ReleaseBucketPolicy"]["PolicyDocument"] == tls_only(bucket)


def test_every_action_of_the_role_is_an_operation_of_its_service() -> None:
    statements = resources(FOUNDATION)["Policy"]["PolicyDocument"]["Statement"]
    given = [each["Action"] for each in statements]
    actions = [action for each in given for action in (each if isinstance(each, list) else [each])]

    for service, operation in (action.split(":") for action in actions):
        assert operation in Loader().load_service_model(service, "service-2")["operations"], f"{service}:{operation}"


def test_nobody_is_admitted_to_the_instances_of_session_2_but_the_load_balancer() -> None:
    found = read(SESSION_2)["Resources"]
    rules = [each["Properties"] for each in found.values() if each["Type"] == "AWS::EC2::SecurityGroupIngress"]
    instances = [each for each in rules if each["GroupId"] == {"Fn::GetAtt": ["InstanceSecurityGroup", "GroupId"]}]

    assert "SecurityGroupIngress" not in found["InstanceSecurityGroup"]["Properties"]
    assert [each["SourceSecurityGroupId"] for each in instances] == [
        {"Fn::GetAtt": ["LoadBalancerSecurityGroup", "GroupId"]}
    ]
    assert all("CidrIp" not in each for each in instances)


def test_without_a_certificate_the_only_door_is_http() -> None:
    found = resources(SESSION_2)

    assert [each["Type"] for each in found["HttpListener"]["DefaultActions"]] == ["forward"]
    assert found.keys() & {"HttpsListener", "WorldReachesLoadBalancerEncrypted"} == set()


def test_with_a_certificate_visitors_are_sent_to_https_with_a_modern_policy() -> None:
    found = resources(SESSION_2, CertificateArn="arn:aws:acm:eu-north-1:123456789012:certificate/a-b")

    [redirect] = found["HttpListener"]["DefaultActions"]
    assert redirect["RedirectConfig"] == {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    assert found["HttpsListener"]["SslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-2-Res-")
    assert found["HttpsListener"]["DefaultActions"] == [{"Type": "forward", "TargetGroupArn": "TargetGroup"}]
    assert found["WorldReachesLoadBalancerEncrypted"]["FromPort"] == 443


def test_an_access_log_is_written_only_when_asked_for_and_forgotten_in_time() -> None:
    without, found = resources(SESSION_2), resources(SESSION_2, AccessLogDays=14)
    keys = [[each["Key"] for each in these["LoadBalancer"]["LoadBalancerAttributes"]] for these in (without, found)]

    assert "AccessLogBucket" not in without
    assert not any("access_logs" in key for key in keys[0])
    assert {"access_logs.s3.enabled", "access_logs.s3.bucket"} <= set(keys[1])
    assert found["AccessLogBucket"]["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == 14


def test_a_deployment_waits_for_each_new_instance_and_keeps_the_desired_ones_serving() -> None:
    group = read(SESSION_2)["Resources"]["AutoScalingGroup"]
    rolling = group["UpdatePolicy"]["AutoScalingRollingUpdate"]

    assert rolling["MinInstancesInService"] == group["Properties"]["DesiredCapacity"]
    assert rolling["WaitOnResourceSignals"] is True
    assert rolling["PauseTime"] == group["CreationPolicy"]["ResourceSignal"]["Timeout"] == "PT15M"
    assert {"Launch", "Terminate", "AddToLoadBalancer"}.isdisjoint(rolling["SuspendProcesses"])


def test_the_table_outlives_a_stack_when_told_so_and_a_replacement_always() -> None:
    table = read(FOUNDATION)["Resources"]["Table"]

    assert table["DeletionPolicy"] == {"Ref": "TableDeletionPolicy"}
    assert table["UpdateReplacePolicy"] == "Retain"
    assert read(FOUNDATION)["Transform"] == "AWS::LanguageExtensions"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda each: each.stem)
def test_every_exception_from_the_scanner_has_its_reason(path: Path) -> None:
    for name, each in read(path)["Resources"].items():
        for exception in each.get("Metadata", {}).get("checkov", {}).get("skip", []):
            assert len(exception["comment"]) > 30, name


def test_the_budget_tells_before_the_month_is_over_and_when_most_of_it_is_spent() -> None:
    [budget] = resources(BUDGET, Email="me@example.org").values()

    told = {each["Notification"]["NotificationType"] for each in budget["NotificationsWithSubscribers"]}
    assert told == {"ACTUAL", "FORECASTED"}
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 10, "Unit": "USD"}
