"""Filters, pages, addresses and the shapes of answers: what describes instances, without any."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.ec2.addresses import FIRST_HOST, LAST_HOST, Addresses
from groundschool.cloud.ec2.describe import instance_document, reservations, status_document
from groundschool.cloud.ec2.filters import matches, matching
from groundschool.cloud.ec2.instance import State, StateReason
from groundschool.cloud.ec2.pages import page
from groundschool.cloud.passive.identity_records import InstanceProfile
from groundschool.cloud.passive.network_records import SecurityGroup
from tests.ec2.made import Hardware, instance, subnet

ACCOUNT = "123456789012"
GROUPS = {"sg-1": SecurityGroup("sg-1", "web", "vpc-1", ())}
LAUNCHED = datetime(2026, 1, 1, tzinfo=UTC)
PROFILE = InstanceProfile("arn:profile/app", "app", "AIPA1", "app")

WEB = instance(
    "i-web",
    tags={"Name": "web 1", "Team": "a"},
    key_name="ada",
    client_token="token-1",
    profile=PROFILE,
    security_group_ids=("sg-1", "sg-2"),
)
OTHER = instance(
    "i-other",
    State.STOPPED,
    subnet=subnet("eu-north-1b", public=False, subnet_id="subnet-2"),
    address="127.0.11.4",
    instance_type="t4g.small",
    tags={"Name": "db"},
    reservation_id="r-2",
)
GONE = instance("i-gone", State.TERMINATED, tags={"Name": "web 0"}, reservation_id="r-3")
ALL = [WEB, OTHER, GONE]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        pytest.param({}, ["i-web", "i-other", "i-gone"], id="no filter"),
        pytest.param({"instance-id": ["i-other"]}, ["i-other"], id="id"),
        pytest.param({"instance-state-name": ["running", "stopped"]}, ["i-web", "i-other"], id="any of its values"),
        pytest.param({"instance-state-name": ["running"], "tag:Team": ["b"]}, [], id="all of the filters"),
        pytest.param({"instance-state-code": ["48"]}, ["i-gone"], id="state code"),
        pytest.param({"instance-type": ["t4g.*"]}, ["i-other"], id="a wildcard"),
        pytest.param({"tag:Name": ["web ?"]}, ["i-web", "i-gone"], id="one character"),
        pytest.param({"tag:Name": ["web"]}, [], id="a beginning is not the whole"),
        pytest.param({"tag:name": ["web 1"]}, [], id="tag keys have a case"),
        pytest.param({"tag:Name": ["WEB 1"]}, [], id="values have a case"),
        pytest.param({"tag-key": ["Team"]}, ["i-web"], id="tag key"),
        pytest.param({"tag:None": ["*"]}, [], id="a missing tag is not an empty one"),
        pytest.param({"availability-zone": ["eu-north-1b"]}, ["i-other"], id="zone"),
        pytest.param({"key-name": ["ada"]}, ["i-web"], id="key"),
        pytest.param({"client-token": ["token-1"]}, ["i-web"], id="client token"),
        pytest.param({"reservation-id": ["r-2"]}, ["i-other"], id="reservation"),
        pytest.param({"image-id": ["ami-1"]}, ["i-web", "i-other", "i-gone"], id="image"),
        pytest.param({"iam-instance-profile.arn": ["*"]}, ["i-web"], id="profile"),
        pytest.param({"instance.group-id": ["sg-2"]}, ["i-web"], id="one of its groups"),
        pytest.param({"vpc-id": ["vpc-1"]}, ["i-web", "i-other"], id="a terminated one has no VPC"),
        pytest.param({"subnet-id": ["subnet-1"]}, ["i-web"], id="nor a subnet"),
        pytest.param({"private-ip-address": ["127.0.10.4"]}, ["i-web"], id="nor an address"),
        pytest.param({"network-interface.group-id": ["sg-1"]}, ["i-web", "i-other"], id="nor an interface"),
        pytest.param({"ip-address": ["127.*"]}, ["i-web"], id="public address"),
        pytest.param({"instance-id": []}, [], id="no value matches nothing"),
    ],
)
def test_filters_find(filters: dict[str, list[str]], found: list[str]) -> None:
    given = [{"Name": name, "Values": values} for name, values in filters.items()]
    assert [each.instance_id for each in matching(ALL, given)] == found


def test_a_filter_ec2_does_not_have_is_refused() -> None:
    with pytest.raises(AwsError) as refused:
        matching(ALL, [{"Name": "instance-colour", "Values": ["red"]}])
    assert refused.value.code == "InvalidParameterValue"
    assert "instance-colour" in refused.value.message


@pytest.mark.parametrize(
    ("pattern", "value", "like"),
    [
        ("*", "", True),
        ("?", "", False),
        ("a*c", "abbc", True),
        ("a.c", "abc", False),
        ("[ab]", "a", False),
        ("[ab]", "[ab]", True),
        (r"\*amazon\?\\", "*amazon?\\", True),
        (r"\*amazon", "the amazon", False),
        ("a*", "a\nb", True),
    ],
    ids=str,
)
def test_a_pattern_has_two_wildcards_and_a_way_to_mean_them(pattern: str, value: str, like: bool) -> None:
    assert matches([value], [pattern]) is like


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_pages_tell_every_row_once_and_in_order(size: int) -> None:
    rows, seen, token = [f"i-{n}" for n in range(7)], [], None
    while True:
        shown, token = page(rows, {"MaxResults": size, "NextToken": token}, str)
        seen += shown
        if token is None:
            break
    assert seen == rows


def test_there_is_no_page_after_the_last_even_when_it_is_full() -> None:
    assert page(["a", "b"], {"MaxResults": 2}, str) == (["a", "b"], None)
    assert page([], {}, str) == ([], None)


def test_what_is_launched_between_two_pages_is_told_and_nothing_twice() -> None:
    _, token = page(["a", "b", "c"], {"MaxResults": 2}, str)
    assert page(["a", "b", "c", "d"], {"NextToken": token}, str) == (["c", "d"], None)


@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        "!!!",
        "\x00",
        "é",
        base64.urlsafe_b64encode(b"i-1").decode(),
        base64.urlsafe_b64encode(b"\xff").decode(),
    ],
)
def test_a_token_that_is_none_of_ours_is_refused(token: str) -> None:
    with pytest.raises(AwsError) as refused:
        page(["i-1"], {"NextToken": token}, str)
    assert refused.value.code == "InvalidNextToken"


@pytest.mark.parametrize("size", [0, -1])
def test_a_page_without_rows_is_refused(size: int) -> None:
    with pytest.raises(AwsError) as refused:
        page(["i-1"], {"MaxResults": size}, str)
    assert refused.value.code == "InvalidParameterValue"


class TestAddresses:
    @pytest.mark.parametrize(
        ("block", "zone", "pair"),
        [
            (0, "eu-north-1a", ("127.0.10.4", "127.1.10.4")),
            (0, "eu-north-1c", ("127.0.12.4", "127.1.12.4")),
            (118, "us-east-1b", ("127.118.11.4", "127.119.11.4")),
        ],
    )
    def test_follow_the_lab_and_the_zone(self, block: int, zone: str, pair: tuple[str, str]) -> None:
        assert Addresses(block).take_for_instance(zone) == pair

    def test_of_balancers_are_no_instances(self) -> None:
        addresses = Addresses(0)
        assert addresses.take_for_load_balancer() == "127.0.2.4"
        assert addresses.take_for_instance("eu-north-1a")[0] == "127.0.10.4"

    def test_go_round_before_one_is_used_again(self) -> None:
        addresses = Addresses(0)
        first, _ = addresses.take_for_instance("eu-north-1a")
        addresses.give_back(first)
        assert addresses.take_for_instance("eu-north-1a")[0] != first

    def test_are_all_given_out_once_and_then_refused(self) -> None:
        addresses, count = Addresses(0), LAST_HOST - FIRST_HOST + 1
        taken = [addresses.take_for_instance("eu-north-1a")[0] for _ in range(count)]
        assert len(set(taken)) == count
        with pytest.raises(AwsError) as refused:
            addresses.take_for_instance("eu-north-1a")
        assert refused.value.code == "InsufficientFreeAddressesInSubnet"
        addresses.give_back(taken[7])
        assert addresses.take_for_instance("eu-north-1a")[0] == taken[7]


def document(**given: Any) -> dict[str, Any]:
    return instance_document(instance(**given), lambda _: LAUNCHED, GROUPS, ACCOUNT)


@pytest.mark.parametrize(
    ("given", "field", "expected"),
    [
        pytest.param({}, "State", {"Code": 16, "Name": "running"}, id="state"),
        pytest.param({}, "PrivateDnsName", "ip-127-0-10-4.eu-north-1.compute.internal", id="private name"),
        pytest.param({"subnet": subnet("us-east-1a")}, "PrivateDnsName", "ip-127-0-10-4.ec2.internal", id="us-east-1"),
        pytest.param({}, "PublicIpAddress", "127.0.10.4", id="public address"),
        pytest.param({"subnet": subnet(public=False)}, "PublicIpAddress", None, id="in a private subnet"),
        pytest.param({"state": State.STOPPED}, "PublicIpAddress", None, id="stopped: given back"),
        pytest.param({"state": State.STOPPED}, "PublicDnsName", "", id="stopped: no public name"),
        pytest.param({"state": State.STOPPED}, "PrivateIpAddress", "127.0.10.4", id="stopped: private address kept"),
        pytest.param({}, "SecurityGroups", [{"GroupId": "sg-1", "GroupName": "web"}], id="groups with names"),
        pytest.param({"state": State.TERMINATED}, "SecurityGroups", [], id="terminated: no groups"),
        pytest.param({"state": State.TERMINATED}, "PrivateDnsName", "", id="terminated: no name"),
        pytest.param({"detailed_monitoring": True}, "Monitoring", {"State": "enabled"}, id="monitoring"),
        pytest.param({"profile": PROFILE}, "IamInstanceProfile", {"Arn": PROFILE.arn, "Id": "AIPA1"}, id="profile"),
        pytest.param(
            *({"tags": {"b": "2", "a": "1"}}, "Tags", [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]),
            id="tags",
        ),
        pytest.param(
            {"state_reason": StateReason("Server.InternalError", "why")},
            *("StateReason", {"Code": "Server.InternalError", "Message": "why"}),
            id="why it is gone",
        ),
    ],
)
def test_an_instance_shows(given: dict[str, Any], field: str, expected: object) -> None:
    assert document(**given)[field] == expected


@pytest.mark.parametrize("field", ["VpcId", "SubnetId", "PrivateIpAddress", "PublicIpAddress", "NetworkInterfaces"])
def test_a_terminated_instance_has_no_network(field: str) -> None:
    assert field in document()
    assert field not in document(state=State.TERMINATED)


def test_instances_launched_together_are_one_reservation_in_launch_order() -> None:
    launched = [instance("i-1"), instance("i-2"), instance("i-3", reservation_id="r-2")]
    found = reservations(launched, {each.instance_id: {"InstanceId": each.instance_id} for each in launched}, ACCOUNT)
    ids = {each["ReservationId"]: [row["InstanceId"] for row in each["Instances"]] for each in found}
    assert ids == {"r-1": ["i-1", "i-2"], "r-2": ["i-3"]}


@pytest.mark.parametrize(
    ("state", "machine", "status"),
    [
        pytest.param(State.RUNNING, Hardware(), "ok", id="runs"),
        pytest.param(State.RUNNING, Hardware(hung=True), "impaired", id="hangs"),
        pytest.param(State.RUNNING, Hardware(on=False), "impaired", id="its processes are gone"),
        pytest.param(State.PENDING, Hardware(on=False), "not-applicable", id="not there yet"),
        pytest.param(State.STOPPED, Hardware(on=False), "not-applicable", id="stopped"),
    ],
)
def test_status_checks_pass_while_the_machine_works(state: State, machine: Hardware, status: str) -> None:
    row = status_document(instance(state=state, machine=machine))
    assert (row["InstanceStatus"]["Status"], row["SystemStatus"]["Status"]) == (status, status)
