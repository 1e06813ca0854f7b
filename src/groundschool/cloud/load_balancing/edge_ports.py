"""Where clients reach a load balancer: a port of 127.0.0.1 that its DNS name carries.

``*.localhost`` names resolve to 127.0.0.1 (RFC 6761), and ports under 1024 need rights a learner does not have. So each
load balancer gets a free port from 8080 on, and its DNSName says so: ``http://$DNSName/`` works everywhere.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from itertools import chain

from groundschool.cloud.aws_error import AwsError

FIRST_EDGE_PORT = 8080
LAST_EDGE_PORT = 8999
PORTS_PER_BLOCK = 7
"""Address blocks are numbered 0 to 118; the default lab has 0, and so begins at 8080."""

SHARED_LISTENER_PORTS = (80, 443)
"""HTTP and HTTPS share the port of the DNS name: the data plane tells TLS from plain text by its first byte."""


class EdgePorts:
    """Called under the lab's lock only."""

    def __init__(self, region: str, address_block: int = 0) -> None:
        self._region = region
        self._first = first_edge_port(address_block)
        self._of_balancer: dict[str, int] = {}
        self._of_listener: dict[str, int] = {}
        self._number = 0

    def dns_name(self, arn: str, name: str) -> str:
        """Gives a new load balancer its port and its name."""
        self._number += 1
        port = self._port(self._of_balancer, arn)
        return f"{name}-{self._number}.{self._region}.elb.localhost:{port}"

    def of_listeners(self, balancer_arn: str, listeners: Sequence[tuple[str, int]]) -> dict[str, int]:
        """Listener ARN -> edge port, for ``(ARN, listener port)`` of one load balancer; stable over calls."""
        main = self._port(self._of_balancer, balancer_arn)
        shared = [arn for arn, port in listeners if port in SHARED_LISTENER_PORTS] or [arn for arn, _ in listeners[:1]]
        found = {}
        for arn, _ in listeners:
            found[arn] = main if arn in shared else self._port(self._of_listener, arn)
        return found

    def keep_only(self, balancers: set[str], listeners: set[str]) -> None:
        """Frees the ports of what was deleted."""
        self._of_balancer = {arn: port for arn, port in self._of_balancer.items() if arn in balancers}
        self._of_listener = {arn: port for arn, port in self._of_listener.items() if arn in listeners}

    def _port(self, known: dict[str, int], arn: str) -> int:
        if arn not in known:
            known[arn] = self._free()
        return known[arn]

    def _free(self) -> int:
        taken = {*self._of_balancer.values(), *self._of_listener.values()}
        for port in chain(range(self._first, LAST_EDGE_PORT + 1), range(FIRST_EDGE_PORT, self._first)):
            if port not in taken and _can_listen(port):
                return port
        raise AwsError("ServiceUnavailable", f"No free port between {FIRST_EDGE_PORT} and {LAST_EDGE_PORT}", 503)


def first_edge_port(address_block: int) -> int:
    """Pure. Two labs that look in the same moment would both find the same port free, so each begins elsewhere."""
    return FIRST_EDGE_PORT + address_block * PORTS_PER_BLOCK


def _can_listen(port: int) -> bool:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
