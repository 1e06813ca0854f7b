"""The capacity instrument: partitions, bursts, tables."""

from __future__ import annotations

from typing import Any

import pytest

from groundschool.dynamodb.throttling import BURST_SECONDS, PEAK_SECONDS, PartitionedCapacity

from .stores import Refused


def exhaust(local: Any, key: str, units: int) -> int:
    """Writes 1 KB items to one partition key until throttled; how many went through."""
    for number in range(units):
        try:
            local("PutItem", TableName="items", Item={"pk": {"S": key}})
        except Refused as refusal:
            if "hroughput" not in str(refusal):
                raise
            return number
    return units


def test_without_the_instrument_nothing_throttles(local: Any) -> None:
    local.table(sort=None, BillingMode="PROVISIONED", ProvisionedThroughput=units(1, 1))
    assert exhaust(local, "hot", 1000) == 1000


def units(read: int, write: int) -> dict[str, int]:
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


def test_a_provisioned_table_bursts_for_300_seconds_and_then_refills(local_with: Any, refused: Any) -> None:
    local = local_with(throttle=True)
    local.table(sort=None, BillingMode="PROVISIONED", ProvisionedThroughput=units(1, 2))
    assert exhaust(local, "hot", 1000) == 2 * BURST_SECONDS
    with refused("ProvisionedThroughputExceededException") as refusal:
        local("PutItem", TableName="items", Item={"pk": {"S": "hot"}})
    assert refusal.value.body["ThrottlingReasons"] == [
        {
            "reason": "TableWriteKeyRangeThroughputExceeded",
            "resource": "arn:aws:dynamodb:eu-north-1:123456789012:table/items",
        }
    ]
    local("GetItem", TableName="items", Key={"pk": {"S": "hot"}})
    local.now += 10
    assert exhaust(local, "hot", 1000) == 20


def test_a_batch_gives_back_what_was_throttled(local_with: Any) -> None:
    local = local_with(throttle=True)
    local.table(sort=None, BillingMode="PROVISIONED", ProvisionedThroughput=units(1, 1))
    assert exhaust(local, "hot", 1000) == BURST_SECONDS
    local.now += 3
    requests = [{"PutRequest": {"Item": {"pk": {"S": str(number)}}}} for number in range(5)]
    answer = local("BatchWriteItem", RequestItems={"items": requests})
    assert answer["UnprocessedItems"] == {"items": requests[3:]}


def test_a_hot_key_throttles_while_the_table_has_capacity(local_with: Any) -> None:
    local = local_with(throttle=True)
    local.table(sort=None)
    capacity = PartitionedCapacity()
    definition = local.store.find("123456789012", "eu-north-1", "items").definition
    assert capacity.partition_count(definition, local.now) == 4
    hot, other = b"\x00\x00\x00\x00hot", b"\xff\x00\x00\x00other"
    capacity.charge(definition, hot, "Write", 1000 * BURST_SECONDS, local.now)
    with pytest.raises(Exception, match="hot key") as refusal:
        capacity.admit(definition, hot, "Write", local.now)
    assert refusal.value.code == "ThrottlingException"
    capacity.admit(definition, other, "Write", local.now)


def test_an_on_demand_table_grows_to_twice_its_peak_after_30_minutes(local: Any) -> None:
    local.table(sort=None)
    definition = local.store.find("123456789012", "eu-north-1", "items").definition
    capacity = PartitionedCapacity()
    assert capacity.table_rate(definition, "Write", 0.0) == 4000
    capacity.charge(definition, b"\0\0\0\0", "Write", 3500, 100.0)
    assert capacity.table_rate(definition, "Write", 100.0 + PEAK_SECONDS - 1) == 4000
    assert capacity.table_rate(definition, "Write", 100.0 + PEAK_SECONDS) == 7000
    assert capacity.partition_count(definition, 100.0 + PEAK_SECONDS) == 7
