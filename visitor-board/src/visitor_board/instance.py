"""Who serves: the instance id and its availability zone, asked once at start."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass

import urllib3

_TOKEN = "X-aws-ec2-metadata-token"  # noqa: S105 - a header
_TIMEOUT = urllib3.Timeout(connect=0.3, read=1.0)
"""Seconds. Off EC2 nobody answers at the link-local address, and a start must not wait for that."""


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
    base = (environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or "http://169.254.169.254").rstrip("/")
    with urllib3.PoolManager(retries=False, timeout=_TIMEOUT) as http:
        try:
            token = _ask(http, "PUT", f"{base}/latest/api/token", f"{_TOKEN}-ttl-seconds", "60")
            data = [
                _ask(http, "GET", f"{base}/latest/meta-data/{path}", _TOKEN, token)
                for path in ("instance-id", "placement/availability-zone")
            ]
        except (urllib3.exceptions.HTTPError, ValueError):
            return fallback
    return Instance(data[0], data[1], on_ec2=True)


def _ask(http: urllib3.PoolManager, method: str, url: str, header: str, value: str) -> str:
    response = http.request(method, url, headers={header: value})
    text = response.data.decode("ascii").strip()
    if response.status != 200 or not text.replace("-", "").isalnum():
        raise ValueError(f"{url} answered {response.status}")
    return text
