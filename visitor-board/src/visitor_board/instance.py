"""Who serves: the instance id and its availability zone, asked once at start."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass

import urllib3

_TOKEN = "X-aws-ec2-metadata-token"  # noqa: S105 - a header
_DEFAULT_ENDPOINT = "http://169.254.169.254"
_TIMEOUT = urllib3.Timeout(connect=0.3, read=1.0)
"""Seconds. Off EC2 nobody answers at the link-local address, and a start must not wait for that."""
_ATTEMPTS_WHERE_NAMED = 5
"""An endpoint that was named exists: a busy machine may only be slow, and a wrong name on the page lasts for hours."""


@dataclass(frozen=True)
class Instance:
    """The machine this process runs on."""

    id: str
    zone: str
    on_ec2: bool


def identify(environment: Mapping[str, str]) -> Instance:
    """Asks the metadata service (IMDSv2) for instance id and zone; without one, the hostname. Never fails."""
    fallback = Instance(socket.gethostname(), "local", on_ec2=False)
    if environment.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return fallback
    named = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT")
    with urllib3.PoolManager(retries=False, timeout=_TIMEOUT) as http:
        for _ in range(_ATTEMPTS_WHERE_NAMED if named else 1):
            try:
                return _identity(http, (named or _DEFAULT_ENDPOINT).rstrip("/"))
            except (urllib3.exceptions.HTTPError, ValueError):
                continue
    return fallback


def _identity(http: urllib3.PoolManager, base: str) -> Instance:
    token = _ask(http, "PUT", f"{base}/latest/api/token", f"{_TOKEN}-ttl-seconds", "60")
    instance_id, zone = (
        _ask(http, "GET", f"{base}/latest/meta-data/{path}", _TOKEN, token)
        for path in ("instance-id", "placement/availability-zone")
    )
    return Instance(instance_id, zone, on_ec2=True)


def _ask(http: urllib3.PoolManager, method: str, url: str, header: str, value: str) -> str:
    response = http.request(method, url, headers={header: value})
    text = response.data.decode("ascii").strip()
    if response.status != 200 or not text.replace("-", "").isalnum():
        raise ValueError(f"{url} answered {response.status}")
    return text
