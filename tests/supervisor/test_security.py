"""What other users of the machine, and pages in a browser, can do with a lab: nothing."""

from __future__ import annotations

import http.client
import json
import socket
import stat
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import psutil
import pytest

from groundschool.cloud.process_record import read_record
from tests.lab_under_test import SERVE, LabUnderTest


def everything_of(lab: LabUnderTest) -> Iterator[psutil.Process]:
    record = read_record(lab.ground.home / "supervisor.json")
    assert record is not None
    supervisor = psutil.Process(record.pid)
    yield supervisor
    yield from supervisor.children(recursive=True)


@pytest.fixture(scope="module")
def serving(lab: LabUnderTest) -> LabUnderTest:
    """With an instance that serves and a load balancer: every kind of socket the lab opens."""
    [instance_id] = lab.run(UserData=SERVE, SecurityGroupIds=[lab.open_group(8080)])
    subnets = [each["SubnetId"] for each in lab.ec2.describe_subnets()["Subnets"]][:2]
    elbv2 = lab.client("elbv2")
    [balancer] = elbv2.create_load_balancer(Name="web", Subnets=subnets)["LoadBalancers"]
    answer = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]
    elbv2.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=answer)
    lab.wait("instance_running", InstanceIds=[instance_id])
    lab.wait_until_booted(instance_id)
    return lab


def test_nothing_listens_outside_loopback(serving: LabUnderTest) -> None:
    listening = {
        (process.name(), connection.laddr.ip, connection.laddr.port)
        for process in everything_of(serving)
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN or connection.type == socket.SOCK_DGRAM
    }
    ports = {port for _, _, port in listening}
    assert ports >= {serving.ground.port, serving.ground.port + 1, 1338, 8080}, listening
    assert [each for each in listening if not ip_address(each[1]).is_loopback] == []


def test_the_folders_with_sockets_keys_and_data_are_their_owners_alone(serving: LabUnderTest) -> None:
    home = serving.ground.home
    assert stat.S_IMODE(home.stat().st_mode) == 0o755  # as it was found: it is not the lab's to change
    shut = {"envoy", "instances", "images", "base-image", "dynamodb", "lab.json"}
    open_to_others = {name for name in shut if stat.S_IMODE((home / name).stat().st_mode) & 0o077}
    assert open_to_others == set()


def test_every_socket_in_the_folder_is_beyond_others(serving: LabUnderTest) -> None:
    home = serving.ground.home
    sockets = [path for path in home.rglob("*") if path.is_socket()]
    assert {path.name for path in sockets} >= {"admin.sock"}
    assert [path for path in sockets if not shut_off(path, home)] == []


def shut_off(path: Path, home: Path) -> bool:
    """Whether the way to it is barred: a folder between it and the state folder is for its owner only."""
    return any(
        stat.S_IMODE(each.stat().st_mode) & 0o077 == 0 for each in path.parents if each != home and home in each.parents
    )


def test_no_other_file_of_the_state_folder_knows_a_secret(serving: LabUnderTest) -> None:
    home = serving.ground.home
    secret = json.loads((home / "lab.json").read_text())["secret_access_key"]
    telling = [path.name for path in home.iterdir() if path.is_file() and secret in path.read_text(errors="replace")]
    assert telling == ["lab.json"]


def test_no_command_line_of_the_lab_tells_a_secret(serving: LabUnderTest) -> None:
    secret = json.loads((serving.ground.home / "lab.json").read_text())["secret_access_key"]
    assert [process.pid for process in everything_of(serving) if secret in " ".join(process.cmdline())] == []


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example"])
@pytest.mark.parametrize("door", ["the AWS endpoint", "an instance's metadata"])
def test_a_page_that_rebinds_its_name_to_loopback_is_refused(serving: LabUnderTest, door: str, host: str) -> None:
    address, port = ("127.0.0.1", serving.ground.port) if door == "the AWS endpoint" else metadata_of(serving)
    connection = http.client.HTTPConnection(address, port, timeout=5)
    headers = {"Host": f"{host}:{port}", "X-aws-ec2-metadata-token-ttl-seconds": "60"}
    connection.request("PUT", "/latest/api/token", headers=headers)
    answer = connection.getresponse()
    assert answer.status == 403
    answer.read()
    connection.close()


def metadata_of(lab: LabUnderTest) -> tuple[str, int]:
    return next(
        (connection.laddr.ip, connection.laddr.port)
        for process in everything_of(lab)
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == 1338
    )


def test_the_store_answers_nobody_without_a_key_of_the_lab(serving: LabUnderTest) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", serving.ground.port + 1, timeout=5)
    scope = "AKIANOBODYNOBODYNOBO/20260101/eu-north-1/dynamodb/aws4_request"
    headers = {
        "X-Amz-Target": "DynamoDB_20120810.ListTables",
        "Content-Type": "application/x-amz-json-1.0",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
    }
    connection.request("POST", "/", body="{}", headers=headers)
    answer = connection.getresponse()
    assert (answer.status, b"UnrecognizedClientException" in answer.read()) == (400, True)
    connection.close()
