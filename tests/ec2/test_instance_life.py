"""An instance's states, as boto3's own waiters, filters and pages see them."""

from __future__ import annotations

import re
import socket
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from tests.lab.conftest import wait_for
from tests.lab_under_test import SERVE, LabUnderTest, get

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
    with pytest.raises(ClientError, match=r"does not support ec2:DescribeVpcEndpoints.*_ground/operations"):
        lab.ec2.describe_vpc_endpoints()


def test_what_no_rule_admits_hangs_and_what_a_wide_rule_admits_is_reached_where_something_listens(
    lab: LabUnderTest,
) -> None:
    """Port 9009 is in no rule of its own: it is there because the instance listens on it."""
    group_id = lab.ec2.create_security_group(GroupName="wide", Description="none at first")["GroupId"]
    serve = SERVE.replace("8080", "9009")
    [instance_id] = lab.run(UserData=serve, SecurityGroupIds=[group_id])
    lab.wait_until_booted(instance_id)
    address = lab.instance(instance_id)["PrivateIpAddress"]

    def hangs(port: int) -> bool:
        with socket.socket() as client:
            client.settimeout(0.5)
            try:
                client.connect((address, port))
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return client.recv(1) is None
            except TimeoutError:
                return True
            except OSError:
                return False

    wait_for(lambda: hangs(9009), 10, "the port of the app to hang")
    assert hangs(8080)
    everything = {"GroupId": group_id, "IpProtocol": "-1", "FromPort": -1, "ToPort": -1, "CidrIp": "0.0.0.0/0"}
    lab.ec2.authorize_security_group_ingress(**everything)
    wait_for(lambda: get(f"http://{address}:9009/").body == b"hello\n", 10, "the app")
    used = lab.client("cloudwatch")
    lab.ec2.monitor_instances(InstanceIds=[instance_id])

    def bytes_out() -> float:
        get(f"http://{address}:9009/")
        now = datetime.now(UTC)
        points = used.get_metric_statistics(
            Namespace="AWS/EC2",
            MetricName="NetworkOut",
            Dimensions=[{"Name": "InstanceId", "Value": instance_id}],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(max((point["Sum"] for point in points), default=0.0))

    wait_for(lambda: bytes_out() > 100, 20, "NetworkOut")


def test_an_instance_over_the_memory_of_its_type_loses_the_process_and_says_so(lab: LabUnderTest) -> None:
    [instance_id] = lab.run(InstanceType="t3.nano")
    lab.wait_until_booted(instance_id)
    hungry = "python3 -c 'x = b\"y\" * (600 << 20); import time; time.sleep(60)'"
    assert lab.shell(instance_id, f"{hungry} & wait $!; echo $?").split()[-1] == "137"
    assert "Out of memory: Killed process" in lab.console(instance_id)
    assert lab.shell(instance_id, "echo still here") == "still here\n"
