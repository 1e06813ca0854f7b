"""Where load may go. Pure."""

from __future__ import annotations

from ipaddress import ip_address

from groundschool.endpoint import Endpoint, locate
from groundschool.errors import LoadError


def destination(url: str) -> Endpoint:
    """The endpoint of ``url`` when it is on this machine.

    Raises LoadError for any other address, whatever it resolves to: load on somebody else's system is an attack,
    and on AWS it costs money.
    """
    endpoint = locate(url)
    if not _is_loopback(endpoint.connect_host):
        raise LoadError(
            f"{url} is not on this machine. Load is sent to the lab only: elsewhere it costs money or is an attack. "
            "Start a lab with: ground up, and build in it with: ground build"
        )
    return endpoint


def base_url(endpoint: Endpoint) -> str:
    host = f"[{endpoint.connect_host}]" if ":" in endpoint.connect_host else endpoint.connect_host
    return f"{endpoint.scheme}://{host}:{endpoint.connect_port}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
