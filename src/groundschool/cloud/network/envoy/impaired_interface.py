"""An interface with a fault: requests wait, or health checks fail. Pure.

Without one an interface passes bytes on and knows nothing of HTTP. With one it must tell requests apart, so it becomes
an HTTP proxy that changes nothing else of what it passes.
"""

from __future__ import annotations

from groundschool.cloud.network.envoy.clusters import Document, preserve_case
from groundschool.cloud.network.envoy.durations import duration
from groundschool.cloud.network.plan import Interface

HEALTH_CHECKER = "ELB-HealthChecker/"

_API = "type.googleapis.com/envoy.extensions.filters.http"


def impaired_interface(interface: Interface, cluster: str) -> Document:
    """The configuration of an HTTP connection manager that passes everything to ``cluster``, but for the fault."""
    return {
        "stat_prefix": "interface",
        "route_config": {
            "name": cluster,
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": _routes(interface, cluster)}],
        },
        "http_filters": _filters(interface),
        # An instance has no time-outs of its own.
        "stream_idle_timeout": "0s",
        "common_http_protocol_options": {"idle_timeout": "0s"},
        "use_remote_address": False,
        "generate_request_id": False,
        "preserve_external_request_id": True,
        "server_header_transformation": "PASS_THROUGH",
        "http_protocol_options": {"accept_http_10": True, "header_key_format": preserve_case()},
        "upgrade_configs": [{"upgrade_type": "websocket"}],
    }


def _routes(interface: Interface, cluster: str) -> list[Document]:
    checks: Document = {
        "match": {
            "prefix": "/",
            "headers": [{"name": "user-agent", "string_match": {"prefix": HEALTH_CHECKER}}],
        },
        "direct_response": {"status": 503, "body": {"inline_string": "This instance fails its health checks."}},
    }
    everything: Document = {"match": {"prefix": "/"}, "route": {"cluster": cluster, "timeout": "0s"}}
    return [checks, everything] if interface.fails_health_checks else [everything]


def _filters(interface: Interface) -> list[Document]:
    slow: Document = {
        "@type": f"{_API}.fault.v3.HTTPFault",
        "delay": {"fixed_delay": duration(interface.delay), "percentage": {"numerator": 100}},
    }
    router: Document = {"@type": f"{_API}.router.v3.Router", "suppress_envoy_headers": True}
    filters = {"envoy.filters.http.fault": slow} if interface.delay else {}
    filters["envoy.filters.http.router"] = router
    return [{"name": name, "typed_config": config} for name, config in filters.items()]
