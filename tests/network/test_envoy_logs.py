"""Envoy's log lines, as they were seen, and what they mean."""

from __future__ import annotations

import orjson
import pytest

from groundschool.cloud.network.data_plane import Traffic
from groundschool.cloud.network.envoy.access_log import request_record
from groundschool.cloud.network.envoy.health_events import HealthEvent, health_event
from groundschool.cloud.network.envoy.target_health import CheckResult
from groundschool.cloud.network.envoy.traffic_log import traffic

ADDRESS = {"socket_address": {"protocol": "TCP", "address": "127.0.10.1", "port_value": 22100}}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param({"add_healthy_event": {"first_check": True}}, (CheckResult.PASSED, None), id="the first pass"),
        pytest.param({"successful_health_check_event": {}}, (CheckResult.PASSED, None), id="another pass"),
        pytest.param(
            {"health_check_failure_event": {"failure_type": "ACTIVE", "http_status_code": 500}},
            (CheckResult.WRONG_CODE, 500),
            id="a wrong status",
        ),
        pytest.param(
            {"health_check_failure_event": {"failure_type": "NETWORK", "http_status_code": 0}},
            (CheckResult.NO_CONNECTION, None),
            id="no connection",
        ),
        pytest.param(
            {"health_check_failure_event": {"failure_type": "NETWORK_TIMEOUT", "http_status_code": 0}},
            (CheckResult.TIMED_OUT, None),
            id="a time-out",
        ),
    ],
)
def test_each_check_is_one_event(event, expected):
    line = orjson.dumps({"cluster_name": "arn", "host": ADDRESS, **event})
    assert health_event(line) == HealthEvent("arn", "127.0.10.1", 22100, *expected)


def test_an_ejection_repeats_its_failure():
    assert health_event(orjson.dumps({"cluster_name": "arn", "host": ADDRESS, "eject_unhealthy_event": {}})) is None


SERVED = {
    "started": "1700000000.250000",
    "milliseconds": 500,
    "load_balancer": "lb",
    "target_group": "tg",
    "target": "127.0.10.1:80",
    "instance_id": "i-1",
    "status": 200,
    "details": "via_upstream",
    "target_microseconds": 1500,
    "received": 100,
    "sent": 200,
    "rule_action": None,
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, ("tg", "i-1", 200, True, 0.0015), id="served"),
        pytest.param(
            {
                "status": 503,
                "target": None,
                "instance_id": None,
                "details": "no_healthy_upstream",
                "target_microseconds": None,
            },
            (None, None, 503, False, 0.0),
            id="no target was chosen",
        ),
        pytest.param(
            {"status": 502, "details": "upstream_reset_before_response_started", "target_microseconds": None},
            ("tg", "i-1", 502, False, 0.0),
            id="the target broke off",
        ),
        pytest.param(
            {"status": 0, "details": "downstream_remote_disconnect", "target_microseconds": None},
            ("tg", "i-1", 460, False, 0.0),
            id="the client left before an answer",
        ),
        pytest.param(
            {"details": "downstream_remote_disconnect"},
            ("tg", "i-1", 200, True, 0.0015),
            id="the client left within it",
        ),
        pytest.param({"target_microseconds": -20}, ("tg", "i-1", 200, True, 0.0), id="answered before it was asked"),
    ],
)
def test_a_request_is_recorded_with_who_answered(changes, expected):
    record = request_record(orjson.dumps(SERVED | changes))
    assert (record.target_group, record.instance_id, record.status, record.from_target, record.seconds) == expected
    assert record.finished_at == 1700000000.75


def test_traffic_is_added_up_by_instance():
    lines = [
        b'{"instance_id":"i-1","received":100,"sent":1000}',
        b'{"instance_id":"i-2","received":1,"sent":2}',
        b'{"instance_id":"i-1","received":50,"sent":500}',
    ]
    assert traffic(lines) == {"i-1": Traffic(150, 1500), "i-2": Traffic(1, 2)}
