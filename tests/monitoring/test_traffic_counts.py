"""Connections of a load balancer and consumed capacity of tables, minute by minute."""

from __future__ import annotations

from typing import Any

import pytest

from groundschool.cloud.monitoring.connections import ConnectionCount, Connections, connection_metrics
from groundschool.cloud.monitoring.consumed_capacity import ConsumedCapacity
from groundschool.cloud.network.data_plane import RequestRecord

BALANCER = "arn:aws:elasticloadbalancing:eu-north-1:123456789012:loadbalancer/app/web/0123456789abcdef"
TABLE = "arn:aws:dynamodb:eu-north-1:123456789012:table/items"


def request(client: int, target: int | None) -> RequestRecord:
    return RequestRecord(0.0, BALANCER, "tg", "i-a", 200, True, 0.1, 1, 1, connection=client, target_connection=target)


def test_a_connection_is_new_once_and_active_in_every_minute_in_which_it_carries_requests() -> None:
    connections = Connections()
    assert connections.count([request(1, 7), request(1, 7), request(2, None)], 0) == {BALANCER: ConnectionCount(3, 3)}
    assert connections.count([request(1, 7), request(3, 7)], 60) == {BALANCER: ConnectionCount(3, 1)}
    assert connections.count([], 120) == {}


def test_connections_that_were_idle_for_an_hour_are_forgotten() -> None:
    connections = Connections()
    connections.count([request(1, None)], 0)
    connections.count([request(2, None)], 3660)
    assert connections.count([request(1, None), request(2, None)], 3720) == {BALANCER: ConnectionCount(2, 1)}


def test_connections_are_published_by_load_balancer_as_aws_names_them() -> None:
    data = connection_metrics({BALANCER: ConnectionCount(active=3, new=1)}, 60)
    assert {(one.key.name, dict(one.key.dimensions)["LoadBalancer"], one.values) for one in data} == {
        ("ActiveConnectionCount", "app/web/0123456789abcdef", (3.0,)),
        ("NewConnectionCount", "app/web/0123456789abcdef", (1.0,)),
    }


def counted(units: float, requests: int, index: str | None = None) -> list[dict[str, Any]]:
    return [{"TableArn": TABLE, "IndexName": index, "Kind": "Write", "Units": units, "Requests": requests}]


@pytest.mark.parametrize(
    ("looks", "published"),
    [
        pytest.param([counted(6, 2)], [(3.0, 2.0)], id="the first minute"),
        pytest.param([counted(6, 2), counted(7, 3)], [(3.0, 2.0), (1.0, 1.0)], id="only what was added"),
        pytest.param([counted(6, 2), counted(6, 2)], [(3.0, 2.0)], id="nothing in an idle minute"),
        pytest.param([counted(6, 2), counted(4, 1)], [(3.0, 2.0), (4.0, 1.0)], id="a store that began anew"),
    ],
)
def test_consumed_capacity_is_what_was_added_since_the_last_look(
    looks: list[list[dict[str, Any]]], published: list[tuple[float, float]]
) -> None:
    capacity = ConsumedCapacity()
    data = [one for minute, look in enumerate(looks) for one in capacity.metrics(look, minute * 60.0)]
    assert [(one.values[0], (one.counts or (0.0,))[0]) for one in data] == published
    assert {one.key.name for one in data} == {"ConsumedWriteCapacityUnits"}


def test_a_global_index_has_its_own_dimensions() -> None:
    [one] = ConsumedCapacity().metrics(counted(1, 1, "by"), 0)
    assert dict(one.key.dimensions) == {"TableName": "items", "GlobalSecondaryIndexName": "by"}
