"""Bytes through the instances' interfaces, from Envoy's log of their connections. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from groundschool.cloud.network.data_plane import Traffic

TRAFFIC_LOG = "traffic.json"

_FORMAT = {"received": "%BYTES_RECEIVED%", "sent": "%BYTES_SENT%"}


def traffic_log(instance_id: str) -> dict[str, object]:
    """An access logger for one interface: one line when a connection (with a fault: a request) has ended."""
    return {
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": TRAFFIC_LOG,
            "log_format": {"json_format": {"instance_id": instance_id, **_FORMAT}},
        },
    }


def traffic(lines: Iterable[bytes]) -> dict[str, Traffic]:
    """Instance id -> what passed."""
    found: dict[str, Traffic] = {}
    for line in lines:
        entry = orjson.loads(line)
        before = found.get(entry["instance_id"], Traffic())
        found[entry["instance_id"]] = Traffic(before.received + entry["received"], before.sent + entry["sent"])
    return found
