"""What is listened to, and from whom it is accepted: Envoy's listeners (LDS). Pure.

A security group becomes one filter chain per allowed CIDR (not one chain with all of them: a change of one CIDR leaves
the connections of the others alone) and a default chain in which everything hangs.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from ipaddress import ip_network
from itertools import groupby
from typing import Any

from groundschool.cloud.network.envoy.access_log import ACCESS_LOG, access_log_format
from groundschool.cloud.network.envoy.balancer_answers import local_replies
from groundschool.cloud.network.envoy.clusters import Document, interface_name, preserve_case, socket_address
from groundschool.cloud.network.envoy.durations import duration, real_timeout
from groundschool.cloud.network.envoy.impaired_interface import impaired_interface
from groundschool.cloud.network.envoy.routes import LUA_FILTER, STICKINESS_FILTER, routes_path
from groundschool.cloud.network.envoy.traffic_log import traffic_log
from groundschool.cloud.network.plan import Interface, Listener, LoadBalancer, NetworkPlan, OpenPort

EDGE_ADDRESS = "127.0.0.1"
HANG = "86400s"
HTTP_MANAGER = "http_connection_manager", "http_connection_manager.v3.HttpConnectionManager"

_API = "type.googleapis.com/envoy"


def listeners(plan: NetworkPlan, speed: float) -> list[Document]:
    """All of LDS."""
    interfaces = [_interface(interface, open_port) for interface in plan.interfaces for open_port in interface.ports]
    return interfaces + [
        _edge(balancer, edge_port, list(sharing), speed)
        for balancer in plan.load_balancers
        for edge_port, sharing in groupby(sorted(balancer.listeners, key=_edge_port), key=_edge_port)
    ]


def listening_addresses(plan: NetworkPlan) -> dict[tuple[str, int], str]:
    """(address, port) -> the name of the listener that needs it."""
    found = {
        (interface.address, open_port.port): interface_name(interface, open_port.port)
        for interface in plan.interfaces
        for open_port in interface.ports
    }
    for balancer in plan.load_balancers:
        for listener in balancer.listeners:
            found[EDGE_ADDRESS, listener.edge_port] = edge_name(listener.edge_port)
    return found


def edge_name(edge_port: int) -> str:
    return f"edge/{edge_port}"


def _edge_port(listener: Listener) -> int:
    return listener.edge_port


def _interface(interface: Interface, open_port: OpenPort) -> Document:
    name = interface_name(interface, open_port.port)
    if interface.delay or interface.fails_health_checks:
        config = impaired_interface(interface, name) | {"access_log": [traffic_log(interface.instance_id)]}
        proxy = _network_filter(*HTTP_MANAGER, config)
    else:
        # An instance has no idle time-out of its own; Envoy's default is an hour.
        config = {
            "stat_prefix": "interface",
            "cluster": name,
            "idle_timeout": "0s",
            "access_log": [traffic_log(interface.instance_id)],
        }
        proxy = _network_filter("tcp_proxy", "tcp_proxy.v3.TcpProxy", config)
    chains = [_chain(cidr, [proxy]) for cidr in _cidrs(open_port.allowed_sources)]
    return _listener(name, interface.address, open_port.port, chains)


def _edge(balancer: LoadBalancer, edge_port: int, sharing: list[Listener], speed: float) -> Document:
    chains = []
    for listener in sharing:
        manager = _connection_manager(balancer, listener, speed)
        tls = {"transport_socket": _tls(listener)} if listener.protocol == "HTTPS" else {}
        match = {"transport_protocol": "tls" if tls else "raw_buffer"} if len(sharing) > 1 else {}
        chains += [
            _chain(cidr, [manager], f"{listener.protocol} ", match) | tls
            for cidr in _cidrs(balancer.allowed_sources.get(listener.port, ()))
        ]
    document = _listener(edge_name(edge_port), EDGE_ADDRESS, edge_port, chains)
    if len(sharing) > 1:
        document["listener_filters"] = [
            {
                "name": "envoy.filters.listener.tls_inspector",
                "typed_config": {"@type": f"{_API}.extensions.filters.listener.tls_inspector.v3.TlsInspector"},
            }
        ]
    return document


def _listener(name: str, address: str, port: int, chains: list[Document]) -> Document:
    return {
        "@type": f"{_API}.config.listener.v3.Listener",
        "name": name,
        "address": socket_address(address, port),
        "filter_chains": chains,
        "default_filter_chain": _hanging_chain(),
        # With it a second Envoy would get half of the connections instead of an error.
        "enable_reuse_port": False,
    }


def _cidrs(allowed_sources: Iterable[str]) -> list[str]:
    """IPv4 only, each once: Envoy refuses two chains with the same match."""
    networks = (ip_network(source, strict=False) for source in allowed_sources)
    return list(dict.fromkeys(str(network) for network in networks if network.version == 4))


def _chain(cidr: str, filters: list[Document], kind: str = "", match: Document | None = None) -> Document:
    address, _, length = cidr.partition("/")
    prefix = {"address_prefix": address, "prefix_len": int(length)}
    return {
        "name": f"{kind}from {cidr}",
        "filter_chain_match": {"source_prefix_ranges": [prefix], **(match or {})},
        "filters": filters,
    }


def _hanging_chain() -> Document:
    """What a security group drops gets no answer. The connection itself is accepted, other than on AWS.

    RBAC acts on the first byte and holds the connection; a client that stays silent waits at the echo filter, which
    only ends the chain and never sees a byte.
    """
    deny = {"stat_prefix": "denied", "rules": {"action": "ALLOW", "policies": {}}, "delay_deny": HANG}
    return {
        "name": "everybody else",
        "filters": [_network_filter("rbac", "rbac.v3.RBAC", deny), _network_filter("echo", "echo.v3.Echo", {})],
    }


def _network_filter(name: str, message: str, config: Document) -> Document:
    return {
        "name": f"envoy.filters.network.{name}",
        "typed_config": {"@type": f"{_API}.extensions.filters.network.{message}", **config},
    }


def _connection_manager(balancer: LoadBalancer, listener: Listener, speed: float) -> Document:
    path = {"path_config_source": {"path": routes_path(listener)}, "resource_api_version": "V3"}
    config: dict[str, Any] = {
        "stat_prefix": "edge",
        "rds": {"route_config_name": listener.arn, "config_source": path},
        "http_filters": _http_filters(),
        # AWS's idle time-out covers both: a target that does not answer (504), and a client's unused connection. Only
        # the first is work; the second is a client's pause for thought, which no clock accelerates.
        "stream_idle_timeout": duration(real_timeout(balancer.idle_timeout, speed)),
        "common_http_protocol_options": {"idle_timeout": duration(balancer.idle_timeout)},
        # request.lua keeps the X-Forwarded-* headers: Envoy replaces a loopback client by another address.
        "use_remote_address": False,
        "generate_request_id": False,
        "preserve_external_request_id": True,
        "server_header_transformation": "PASS_THROUGH",
        "http_protocol_options": {
            "accept_http_10": True,
            "default_host_for_http_10": balancer.dns_name,
            "header_key_format": preserve_case(),
        },
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "local_reply_config": local_replies(),
        "access_log": [
            {
                "name": "envoy.access_loggers.file",
                "typed_config": {
                    "@type": f"{_API}.extensions.access_loggers.file.v3.FileAccessLog",
                    "path": ACCESS_LOG,
                    "log_format": {"json_format": access_log_format(balancer.arn)},
                },
            }
        ],
    }
    return _network_filter(*HTTP_MANAGER, config)


def _http_filters() -> list[Document]:
    filters: dict[str, Document] = {
        LUA_FILTER: {
            "@type": f"{_API}.extensions.filters.http.lua.v3.Lua",
            "default_source_code": {"inline_string": _request_script()},
        },
        STICKINESS_FILTER: {"@type": f"{_API}.extensions.filters.http.stateful_session.v3.StatefulSession"},
        "envoy.filters.http.router": {
            "@type": f"{_API}.extensions.filters.http.router.v3.Router",
            "suppress_envoy_headers": True,
        },
    }
    return [{"name": name, "typed_config": config} for name, config in filters.items()]


@cache
def _request_script() -> str:
    return files(__package__).joinpath("request.lua").read_text(encoding="utf-8")


def _tls(listener: Listener) -> Document:
    certificate = {
        "certificate_chain": {"inline_string": listener.certificate_pem},
        "private_key": {"inline_string": listener.private_key_pem},
    }
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"{_API}.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {"tls_certificates": [certificate], "alpn_protocols": ["h2", "http/1.1"]},
        },
    }
