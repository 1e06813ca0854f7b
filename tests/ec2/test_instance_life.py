"""An instance's states, as boto3's own waiters, filters and pages see them."""

from __future__ import annotations

import re

import pytest
from botocore.exceptions import ClientError

from tests.lab_under_test import LabUnderTest

pytestmark = pytest.mark.lab


def test_an_instance_goes_through_all_states_and_boto3s_waiters_follow(lab: LabUnderTest) -> None:
    [instance_id] = ids = lab.run()
    lab.wait("instance_exists", InstanceIds=ids)
    lab.wait("instance_running", InstanceIds=ids)
    lab.wait("instance_status_ok", InstanceIds=ids)
    lab.wait("system_status_ok", InstanceIds=ids)
    [change] = lab.ec2.stop_instances(InstanceIds=ids)["StoppingInstances"]
    assert (change["PreviousState"]["Name"], change["CurrentState"]["Name"]) == ("running", "stopping")
    lab.wait("instance_stopped", InstanceIds=ids)
    assert lab.instance(instance_id)["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
    [change] = lab.ec2.start_instances(InstanceIds=ids)["StartingInstances"]
    assert (change["PreviousState"]["Name"], change["CurrentState"]["Name"]) == ("stopped", "pending")
    lab.wait("instance_running", InstanceIds=ids)
    lab.ec2.reboot_instances(InstanceIds=ids)
    lab.wait("instance_status_ok", InstanceIds=ids)
    assert lab.instance(instance_id)["State"]["Name"] == "running"
    [change] = lab.ec2.terminate_instances(InstanceIds=ids)["TerminatingInstances"]
    assert change["CurrentState"] == {"Code": 32, "Name": "shutting-down"}
    lab.wait("instance_terminated", InstanceIds=ids)
    reason = lab.instance(instance_id)["StateTransitionReason"]
    assert re.fullmatch(r"User initiated \(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d GMT\)", reason)
    with pytest.raises(ClientError, match="IncorrectInstanceState"):
        lab.ec2.start_instances(InstanceIds=ids)


def test_one_request_launches_several_instances_which_filters_and_pages_find(lab: LabUnderTest) -> None:
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Fleet", "Value": "seven"}]}]
    ids = lab.run(3, TagSpecifications=tags)
    assert len(set(ids)) == 3
    lab.wait("instance_running", InstanceIds=ids)
    wanted = [{"Name": "tag:Fleet", "Values": ["sev*"]}, {"Name": "instance-state-name", "Values": ["running"]}]
    pages = list(lab.ec2.get_paginator("describe_instances").paginate(Filters=wanted, PaginationConfig={"PageSize": 2}))
    assert len(pages) == 2
    found = [each for page in pages for reservation in page["Reservations"] for each in reservation["Instances"]]
    assert sorted(each["InstanceId"] for each in found) == sorted(ids)
    assert len({reservation["ReservationId"] for page in pages for reservation in page["Reservations"]}) == 1
    assert sorted(each["AmiLaunchIndex"] for each in found) == [0, 1, 2]
    [interface] = lab.ec2.describe_network_interfaces(Filters=[{"Name": "attachment.instance-id", "Values": [ids[0]]}])[
        "NetworkInterfaces"
    ]
    assert interface["PrivateIpAddress"] == lab.instance(ids[0])["PrivateIpAddress"]
    lab.ec2.terminate_instances(InstanceIds=ids)
    lab.wait("instance_terminated", InstanceIds=ids)


def test_attributes_are_described_and_termination_protection_holds(lab: LabUnderTest) -> None:
    [instance_id] = ids = lab.run(UserData="#!/bin/true\n", DisableApiTermination=True)
    ask = lab.ec2.describe_instance_attribute
    assert ask(InstanceId=instance_id, Attribute="instanceType")["InstanceType"] == {"Value": "t3.small"}
    assert ask(InstanceId=instance_id, Attribute="userData")["UserData"]["Value"] == "IyEvYmluL3RydWUK"
    assert ask(InstanceId=instance_id, Attribute="disableApiTermination")["DisableApiTermination"] == {"Value": True}
    with pytest.raises(ClientError, match="OperationNotPermitted"):
        lab.ec2.terminate_instances(InstanceIds=ids)
    lab.ec2.modify_instance_attribute(InstanceId=instance_id, DisableApiTermination={"Value": False})
    lab.ec2.terminate_instances(InstanceIds=ids)
    lab.wait("instance_terminated", InstanceIds=ids)


def test_what_the_lab_does_not_have_is_said_with_a_list_of_what_it_has(lab: LabUnderTest) -> None:
    with pytest.raises(ClientError, match=r"does not support ec2:DescribeVolumes.*_ground/operations"):
        lab.ec2.describe_volumes()
