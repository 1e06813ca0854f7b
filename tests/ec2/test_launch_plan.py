"""What RunInstances asks for, over what its launch template says."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.ec2.fleet import placed
from groundschool.cloud.ec2.instance import MetadataOptions
from groundschool.cloud.ec2.launch import USER_DATA_LIMIT, LaunchPlan, changed_metadata, launch_plan

SCRIPT = b"#!/bin/bash\necho hello\n"


def encoded(data: bytes = SCRIPT) -> str:
    return base64.b64encode(data).decode()


def plan(template: dict[str, Any] | None = None, **params: Any) -> LaunchPlan:
    return launch_plan({"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1, **params}, template or {})


def tags(**given: str) -> dict[str, Any]:
    return {"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in given.items()]}


@pytest.mark.parametrize(
    ("params", "field", "expected"),
    [
        pytest.param({}, "image_id", "ami-1", id="image"),
        pytest.param({}, "instance_type", "t3.micro", id="the default type"),
        pytest.param({"InstanceType": "t4g.small"}, "instance_type", "t4g.small", id="type"),
        pytest.param({}, "user_data", None, id="no user data"),
        pytest.param({"UserData": encoded()}, "user_data", SCRIPT, id="user data"),
        pytest.param({"UserData": base64.encodebytes(SCRIPT * 9).decode()}, "user_data", SCRIPT * 9, id="in lines"),
        pytest.param({"SubnetId": "subnet-1"}, "subnet_id", "subnet-1", id="subnet"),
        pytest.param({"NetworkInterfaces": [{"SubnetId": "subnet-1"}]}, "subnet_id", "subnet-1", id="its interface's"),
        pytest.param({"SecurityGroupIds": ["sg-1", "sg-2"]}, "security_group_ids", ("sg-1", "sg-2"), id="groups"),
        pytest.param(
            {"NetworkInterfaces": [{"Groups": ["sg-1"]}]}, "security_group_ids", ("sg-1",), id="an interface's"
        ),
        pytest.param({"SecurityGroups": ["web"]}, "security_group_names", ("web",), id="groups by name"),
        pytest.param({"IamInstanceProfile": {"Name": "app"}}, "profile_name", "app", id="profile by name"),
        pytest.param({"IamInstanceProfile": {"Arn": "arn:p"}}, "profile_arn", "arn:p", id="profile by ARN"),
        pytest.param({"Placement": {"AvailabilityZone": "eu-north-1b"}}, "availability_zone", "eu-north-1b", id="zone"),
        pytest.param({}, "metadata", MetadataOptions("required", "enabled", 2), id="IMDSv2 only, as AL2023 images"),
        pytest.param(
            {"MetadataOptions": {"HttpTokens": "optional"}}, "metadata", MetadataOptions("optional"), id="IMDSv1 too"
        ),
        pytest.param({"Monitoring": {"Enabled": True}}, "detailed_monitoring", True, id="detailed monitoring"),
        pytest.param({"Monitoring": {"Enabled": "true"}}, "detailed_monitoring", True, id="as moto keeps templates"),
        pytest.param({"Monitoring": {"Enabled": "false"}}, "detailed_monitoring", False, id="false in words"),
        pytest.param({}, "detailed_monitoring", False, id="basic monitoring by default"),
        pytest.param({"DisableApiTermination": True}, "disable_api_termination", True, id="termination protection"),
        pytest.param({"MinCount": 2, "MaxCount": 5}, "count", 5, id="as many as there is room for"),
        pytest.param({"TagSpecifications": [tags(Name="web")]}, "tags", {"Name": "web"}, id="tags"),
        pytest.param(
            {"TagSpecifications": [tags(Name="web") | {"ResourceType": "volume"}]}, "tags", {}, id="tags of volumes"
        ),
    ],
)
def test_a_request_asks_for(params: dict[str, Any], field: str, expected: object) -> None:
    assert getattr(plan(**params), field) == expected


@pytest.mark.parametrize(
    ("template", "params", "field", "expected"),
    [
        pytest.param({"InstanceType": "t3.small"}, {}, "instance_type", "t3.small", id="the template counts"),
        pytest.param(
            {"InstanceType": "t3.small"}, {"InstanceType": "t3.nano"}, "instance_type", "t3.nano", id="the request wins"
        ),
        pytest.param(
            {"InstanceType": "t3.small"}, {"InstanceType": None}, "instance_type", "t3.small", id="null is nothing"
        ),
        pytest.param({"ImageId": "ami-2"}, {"ImageId": None}, "image_id", "ami-2", id="the template's image"),
        pytest.param(
            *({"TagSpecifications": [tags(Name="web", Team="a")]}, {"TagSpecifications": [tags(Name="db")]}),
            *("tags", {"Name": "db", "Team": "a"}),
            id="tags of both, the request's win",
        ),
        pytest.param({"UserData": encoded(b"a")}, {"UserData": encoded(b"b")}, "user_data", b"b", id="user data"),
    ],
)
def test_over_a_template(template: dict[str, Any], params: dict[str, Any], field: str, expected: object) -> None:
    assert getattr(plan(template, **params), field) == expected


@pytest.mark.parametrize(
    ("params", "code"),
    [
        pytest.param({"ImageId": None}, "MissingParameter", id="no image"),
        pytest.param({"ImageId": ""}, "MissingParameter", id="an empty image"),
        pytest.param({"InstanceType": "m5.large"}, "InvalidParameterValue", id="a type the lab has not"),
        pytest.param({"MinCount": 0}, "InvalidParameterValue", id="at least none"),
        pytest.param({"MinCount": 2, "MaxCount": 1}, "InvalidParameterValue", id="at most less than at least"),
        pytest.param({"MinCount": -1, "MaxCount": -1}, "InvalidParameterValue", id="fewer than none"),
        pytest.param({"UserData": "#!/bin/bash\necho"}, "InvalidUserData.Malformed", id="a script that is not encoded"),
        pytest.param({"UserData": "a"}, "InvalidUserData.Malformed", id="not base64 at all"),
        pytest.param({"UserData": encoded(b"x" * (USER_DATA_LIMIT + 1))}, "InvalidParameterValue", id="over 16 KB"),
        pytest.param({"NetworkInterfaces": [{}, {}]}, "InvalidParameterCombination", id="two interfaces"),
        pytest.param(
            {"NetworkInterfaces": [{"DeviceIndex": 0}], "SubnetId": "subnet-1"},
            "InvalidParameterCombination",
            id="a subnet beside an interface",
        ),
        pytest.param(
            {"NetworkInterfaces": [{"DeviceIndex": 0}], "SecurityGroupIds": ["sg-1"]},
            "InvalidParameterCombination",
            id="groups beside an interface",
        ),
        pytest.param(
            {"MetadataOptions": {"HttpTokens": "require"}}, "InvalidParameterValue", id="a typo in HttpTokens"
        ),
    ],
)
def test_what_aws_refuses_is_refused(params: dict[str, Any], code: str) -> None:
    with pytest.raises(AwsError) as refused:
        plan(**params)
    assert refused.value.code == code


def test_user_data_of_exactly_16_kb_is_fine() -> None:
    data = b"x" * USER_DATA_LIMIT
    assert plan(UserData=encoded(data)).user_data == data


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({}, MetadataOptions("required", "enabled", 1), id="nothing"),
        pytest.param({"HttpTokens": "optional"}, MetadataOptions("optional", "enabled", 1), id="tokens"),
        pytest.param({"HttpEndpoint": "disabled"}, MetadataOptions("required", "disabled", 1), id="off"),
        pytest.param({"HttpPutResponseHopLimit": 64}, MetadataOptions("required", "enabled", 64), id="hops"),
    ],
)
def test_a_change_of_metadata_options_keeps_the_rest(options: dict[str, Any], expected: MetadataOptions) -> None:
    assert changed_metadata(MetadataOptions(hop_limit=1), options) == expected


@pytest.mark.parametrize(
    "options",
    [
        {"HttpTokens": "Required"},
        {"HttpEndpoint": "off"},
        {"HttpPutResponseHopLimit": 0},
        {"HttpPutResponseHopLimit": 65},
    ],
    ids=str,
)
def test_metadata_options_aws_does_not_have_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(AwsError) as refused:
        changed_metadata(MetadataOptions(), options)
    assert refused.value.code == "InvalidParameterValue"


@pytest.mark.parametrize(
    ("template", "groups"),
    [
        pytest.param({"SecurityGroupIds": ["sg-1"]}, ("sg-1",), id="a template with groups"),
        pytest.param(
            {"NetworkInterfaces": [{"DeviceIndex": 0, "AssociatePublicIpAddress": True, "Groups": ["sg-1"]}]},
            ("sg-1",),
            id="a template with an interface",
        ),
        pytest.param(
            {"NetworkInterfaces": [{"SubnetId": "subnet-of-the-template", "Groups": ["sg-1"]}]},
            ("sg-1",),
            id="a template with another subnet",
        ),
    ],
)
def test_a_group_launches_in_the_subnet_it_chose(template: dict[str, Any], groups: tuple[str, ...]) -> None:
    made = plan(template, **placed(template, "subnet-chosen"))
    assert (made.subnet_id, made.security_group_ids) == ("subnet-chosen", groups)
