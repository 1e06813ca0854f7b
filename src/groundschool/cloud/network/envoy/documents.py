"""A network plan as the files Envoy reads. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import orjson

from groundschool.cloud.network.envoy.clusters import (
    UNLIMITED,
    Document,
    Reserve,
    balancers_in_use,
    clusters,
    endpoints,
    endpoints_path,
)
from groundschool.cloud.network.envoy.listeners import listeners
from groundschool.cloud.network.envoy.routes import route_configuration, routes_path
from groundschool.cloud.network.plan import NetworkPlan

ADMIN_SOCKET = "admin.sock"
BOOTSTRAP = "bootstrap.json"
CLUSTERS = "xds/cds/clusters.json"
LISTENERS = "xds/lds/listeners.json"


def bootstrap() -> bytes:
    """All paths are relative to the data plane's folder, in which Envoy runs: a socket's path may not be long."""

    def source(path: str) -> Document:
        return {"path_config_source": {"path": path}, "resource_api_version": "V3"}

    counted = ("listener_manager.", "cluster_manager.", "server.")
    return orjson.dumps(
        {
            "node": {"id": "groundschool", "cluster": "groundschool"},
            "admin": {"address": {"pipe": {"path": ADMIN_SOCKET, "mode": 0o600}}},
            "dynamic_resources": {"cds_config": source(CLUSTERS), "lds_config": source(LISTENERS)},
            # Nobody reads the other statistics, and each target group has hundreds.
            "stats_config": {"stats_matcher": {"inclusion_list": {"patterns": [{"prefix": name} for name in counted]}}},
            # Nobody but this machine can connect, so that no limit is needed; without one Envoy warns.
            "overload_manager": {
                "resource_monitors": [
                    {
                        "name": "envoy.resource_monitors.global_downstream_max_connections",
                        "typed_config": {
                            "@type": "type.googleapis.com/envoy.extensions.resource_monitors"
                            ".downstream_connections.v3.DownstreamConnectionsConfig",
                            "max_active_downstream_connections": UNLIMITED,
                        },
                    }
                ]
            },
        }
    )


def xds_files(plan: NetworkPlan, speed: float, reserve: Reserve, blocked: Collection[str]) -> dict[str, bytes]:
    """Relative path -> content, in the order in which they are to be written: what is referred to comes first.

    ``blocked``: names of listeners to leave out.
    """
    found = endpoint_files(plan, reserve)
    found[CLUSTERS] = _response(clusters(plan, speed))
    for balancer in plan.load_balancers:
        for listener in balancer.listeners:
            found[routes_path(listener)] = _response([route_configuration(plan, balancer, listener)])
    found[LISTENERS] = _response(document for document in listeners(plan, speed) if document["name"] not in blocked)
    return found


def endpoint_files(plan: NetworkPlan, reserve: Reserve) -> dict[str, bytes]:
    """The part of :func:`xds_files` that follows health and time."""
    in_use = balancers_in_use(plan)
    groups = [group for group in plan.target_groups if group.arn in in_use]
    return {endpoints_path(group): _response([endpoints(group, reserve)]) for group in groups}


def _response(resources: Iterable[Document]) -> bytes:
    return orjson.dumps({"resources": list(resources)})
