"""Faults against a real lab: what they do, that they show, and that clear mends them."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.faults.conftest import GROUP, Fleet
from tests.lab.conftest import wait_for

pytestmark = pytest.mark.lab


def suspend(fleet: Fleet) -> None:
    """So that a test sees the fault, not its replacement."""
    fleet.lab.client("autoscaling").suspend_processes(
        AutoScalingGroupName=GROUP, ScalingProcesses=["ReplaceUnhealthy", "AZRebalance"]
    )


def answers(fleet: Fleet, count: int = 10) -> list[int]:
    return [fleet.get() for _ in range(count)]


def test_a_killed_instance_is_replaced_and_the_fault_ends_with_it(fleet: Fleet) -> None:
    victim = fleet.healthy()[0]
    assert victim in fleet.fault("kill", victim)
    assert ("kill", victim) in fleet.faults()
    wait_for(lambda: victim not in {each["InstanceId"] for each in fleet.members()}, 60, "the replacement")
    fleet.wait_until_sound()
    assert fleet.faults() == []
    activities = fleet.lab.client("autoscaling").describe_scaling_activities(AutoScalingGroupName=GROUP)["Activities"]
    assert any("EC2 health check indicating it has been terminated or stopped" in each["Cause"] for each in activities)


def test_what_was_killed_starts_again_when_it_is_mended(fleet: Fleet) -> None:
    suspend(fleet)
    victim = fleet.healthy()[0]
    fleet.fault("kill", victim)
    fleet.lab.wait("instance_stopped", InstanceIds=[victim])
    assert "Fault kill" in fleet.lab.ground("status").stdout
    assert victim in fleet.fault("clear")
    fleet.lab.wait("instance_running", InstanceIds=[victim])
    wait_for(lambda: victim in fleet.healthy(), 60, "the target to be healthy again")


def test_a_hung_instance_times_out_its_health_checks_and_goes_on_when_mended(fleet: Fleet) -> None:
    suspend(fleet)
    victim = fleet.healthy()[0]
    fleet.fault("hang", victim)
    wait_for(lambda: fleet.targets()[victim]["State"] == "unhealthy", 60, "the hung target to be unhealthy")
    assert fleet.targets()[victim]["Reason"] == "Target.Timeout"
    assert answers(fleet) == [200] * 10
    [row] = fleet.lab.ec2.describe_instance_status(InstanceIds=[victim])["InstanceStatuses"]
    assert (row["InstanceState"]["Name"], row["InstanceStatus"]["Status"]) == ("running", "impaired")
    fleet.fault("clear")
    wait_for(lambda: victim in fleet.healthy(), 60, "the target to be healthy again")


def test_a_hung_instance_can_be_terminated(fleet: Fleet) -> None:
    victim = fleet.healthy()[0]
    fleet.fault("hang", victim)
    fleet.lab.ec2.terminate_instances(InstanceIds=[victim])
    fleet.lab.wait("instance_terminated", InstanceIds=[victim])
    assert fleet.faults() == []


def test_a_slow_instance_lets_its_requests_wait(fleet: Fleet) -> None:
    suspend(fleet)
    victim = fleet.healthy()[0]
    address = fleet.lab.instance(victim)["PrivateIpAddress"]
    from tests.lab_under_test import get

    assert get(f"http://{address}:8080/").seconds < 0.3
    fleet.fault("slow", victim, "400")
    wait_for(lambda: get(f"http://{address}:8080/").seconds > 0.4, 5, "the delay")
    assert get(f"http://{address}:8080/").body == b"hello\n"
    assert victim in fleet.healthy()
    fleet.fault("clear")
    wait_for(lambda: get(f"http://{address}:8080/").seconds < 0.3, 5, "the end of the delay")


def test_failing_health_checks_take_an_instance_out_that_still_serves(fleet: Fleet) -> None:
    suspend(fleet)
    victim = fleet.healthy()[0]
    address = fleet.lab.instance(victim)["PrivateIpAddress"]
    from tests.lab_under_test import get

    fleet.fault("fail-health", victim)
    wait_for(lambda: fleet.targets()[victim]["State"] == "unhealthy", 60, "the target to be unhealthy")
    assert fleet.targets()[victim]["Reason"] == "Target.ResponseCodeMismatch"
    assert "503" in fleet.targets()[victim]["Description"]
    assert get(f"http://{address}:8080/").status == 200
    fleet.fault("clear")
    wait_for(lambda: victim in fleet.healthy(), 60, "the target to be healthy again")


def test_a_zone_without_power_is_left_for_the_other_one(fleet: Fleet) -> None:
    out, other = fleet.zones
    fleet.fault("az-outage", out)
    subnet = next(each for each in fleet.lab.ec2.describe_subnets()["Subnets"] if each["AvailabilityZone"] == out)
    with pytest.raises(ClientError, match="InsufficientInstanceCapacity"):
        fleet.lab.run(SubnetId=subnet["SubnetId"])

    def moved() -> bool:
        members = fleet.members()
        zones = {each["AvailabilityZone"] for each in members if each["InstanceId"] in fleet.healthy()}
        return zones == {other} and len(members) == 2

    wait_for(moved, 90, "both members to be in the other zone")
    assert answers(fleet) == [200] * 10
    assert fleet.faults() == [("az-outage", out)]
    fleet.fault("clear")
    assert fleet.lab.run(SubnetId=subnet["SubnetId"])


def test_a_throttled_store_refuses_items_and_still_describes_its_tables(fleet: Fleet) -> None:
    client = fleet.lab.client("dynamodb")
    client.create_table(
        TableName="throttled",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    client.get_waiter("table_exists").wait(TableName="throttled", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    item = {"id": {"S": "1"}}
    client.put_item(TableName="throttled", Item=item)
    fleet.fault("throttle-dynamodb")
    with pytest.raises(ClientError, match="ThrottlingException"):
        client.put_item(TableName="throttled", Item=item)
    assert client.describe_table(TableName="throttled")["Table"]["TableStatus"] == "ACTIVE"
    fleet.fault("clear")
    assert client.get_item(TableName="throttled", Key=item)["Item"] == item


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("kill", "i-none"), "No running instance is called i-none", id="an unknown instance"),
        pytest.param(("az-outage", "mars-1a"), "There is no availability zone mars-1a", id="an unknown zone"),
        pytest.param(("slow", "i-none", "0"), "0", id="no delay at all"),
    ],
)
def test_what_cannot_be_broken_is_said_so(fleet: Fleet, words: tuple[str, ...], said: str) -> None:
    done = fleet.lab.ground("fault", *words)
    assert done.returncode != 0
    assert said in done.stderr
