"""The disks of the instances, which only a world with volumes can show."""

from __future__ import annotations

import pytest

from groundschool.workshop.launch_template import covers, default_data
from groundschool.workshop.world import World, tag_map


def test_the_first_instance_has_one_encrypted_disk_with_the_workshops_tag(built: World) -> None:
    [volume] = built.ec2.describe_volumes(Filters=[{"Name": "tag:Name", "Values": ["visitor-board-by-hand"]}])[
        "Volumes"
    ]

    assert (volume["Encrypted"], volume["VolumeType"], volume["Size"]) == (True, "gp3", 8)
    assert tag_map(volume["Tags"])["Project"] == "ground-school"


def test_the_disks_of_the_group_are_encrypted_and_tagged_by_its_template(built: World) -> None:
    data = default_data(built)

    assert data["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True
    assert any(each["ResourceType"] == "volume" for each in data["TagSpecifications"])


def test_the_load_balancer_drops_header_names_that_http_does_not_allow(built: World) -> None:
    [balancer] = built.elbv2.describe_load_balancers(Names=[built.name])["LoadBalancers"]
    found = built.elbv2.describe_load_balancer_attributes(LoadBalancerArn=balancer["LoadBalancerArn"])["Attributes"]

    assert {"Key": "routing.http.drop_invalid_header_fields.enabled", "Value": "true"} in found


@pytest.mark.parametrize(
    ("seen", "wanted", "same"),
    [
        ([{"a": 1, "b": 2}, {"c": 3}], [{"a": 1}], True),
        ([{"a": 2}], [{"a": 1}], False),
        (["one", "two"], ["one"], False),
        ([], [{"a": 1}], False),
    ],
    ids=["more than was wanted", "another value", "an unwanted name", "nothing"],
)
def test_what_aws_adds_to_a_list_of_settings_is_no_difference(seen: object, wanted: object, same: bool) -> None:
    assert covers(seen, wanted) is same
