"""Envoy's access log as :class:`~groundschool.cloud.network.data_plane.RequestRecord`. Pure."""

from __future__ import annotations

from typing import Any

import orjson

from groundschool.cloud.network.data_plane import RequestRecord

ACCESS_LOG = "access.json"

RULE_ACTION = "groundschool.rule_action"
"""The namespace of the route metadata that tells a rule's own answer from a balancer's error."""
CLIENT_LEFT = 460
"""AWS: the client closed the connection before the load balancer could answer."""


def access_log_format(load_balancer_arn: str) -> dict[str, str]:
    """One line per request. Envoy's types are kept: numbers are numbers, what is missing is null."""
    return {
        "started": "%START_TIME(%s.%6f)%",
        "milliseconds": "%DURATION%",
        "load_balancer": load_balancer_arn.replace("%", "%%"),
        "target_group": "%UPSTREAM_CLUSTER_RAW%",
        "target": "%UPSTREAM_HOST%",
        "instance_id": "%UPSTREAM_METADATA(target:instance_id)%",
        "status": "%RESPONSE_CODE%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "target_microseconds": "%COMMON_DURATION(US_TX_END:US_RX_BEG:us)%",
        "received": "%DOWNSTREAM_WIRE_BYTES_RECEIVED%",
        "rule_action": f"%METADATA(ROUTE:{RULE_ACTION}:type)%",
        "sent": "%DOWNSTREAM_WIRE_BYTES_SENT%",
        "connection": "%CONNECTION_ID%",
        "target_connection": "%UPSTREAM_CONNECTION_ID%",
    }


def request_record(line: bytes) -> RequestRecord:
    """Parses one line; raises ValueError when it is not one of ours."""
    entry: dict[str, Any] = orjson.loads(line)
    chosen = entry["target"] is not None
    microseconds = entry["target_microseconds"]
    return RequestRecord(
        finished_at=float(entry["started"]) + float(entry["milliseconds"]) / 1000,
        load_balancer=entry["load_balancer"],
        target_group=entry["target_group"] if chosen else None,
        instance_id=entry["instance_id"] if chosen else None,
        status=entry["status"] or CLIENT_LEFT,
        # The second: the target's answer had begun when the client left, or the target broke it off.
        from_target=entry["details"] == "via_upstream" or microseconds is not None,
        # An answer that begins before the request has ended took no time of the target's.
        seconds=max(float(microseconds), 0.0) / 1e6 if microseconds is not None else 0.0,
        received_bytes=entry["received"],
        sent_bytes=entry["sent"],
        rule_action=entry["rule_action"],
        connection=entry.get("connection"),
        target_connection=entry.get("target_connection"),
    )
