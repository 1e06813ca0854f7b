"""What a listener does with a request: Envoy's route configurations (RDS), one per AWS listener. Pure."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

from groundschool.cloud.network.envoy.access_log import RULE_ACTION
from groundschool.cloud.network.envoy.clusters import Document, path_name, set_header
from groundschool.cloud.network.plan import (
    Action,
    FixedResponse,
    Forward,
    Listener,
    LoadBalancer,
    NetworkPlan,
    Redirect,
    Rule,
    TargetGroup,
)

LUA_FILTER = "envoy.filters.http.lua"
STICKINESS_FILTER = "envoy.filters.http.stateful_session"
STICKINESS_COOKIE = "AWSALB"

_API = "type.googleapis.com/envoy"

# connect-failure and reset-before-request: not one byte of the request has left, so that even a POST may go to another
# target. Everything later is answered with 502: AWS's balancer does not repeat a request the target may have seen.
_RETRY: Document = {
    "retry_on": "connect-failure,reset-before-request",
    "num_retries": 2,
    "retry_host_predicate": [
        {
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {"@type": f"{_API}.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"},
        }
    ],
    "host_selection_retry_max_attempts": "3",
}


def routes_path(listener: Listener) -> str:
    return f"xds/rds/{path_name(listener.arn)}/routes.json"


def route_configuration(plan: NetworkPlan, balancer: LoadBalancer, listener: Listener) -> Document:
    """One listener's rules in priority order, the default action last."""
    groups = {group.arn: group for group in plan.target_groups}
    rules = (*listener.rules, Rule(listener.default_action))
    routes = [
        {"match": match, **_action(rule.action, balancer, listener, groups)}
        for rule in rules
        for match in _matches(rule)
    ]
    return {
        "@type": f"{_API}.config.route.v3.RouteConfiguration",
        "name": listener.arn,
        "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}],
        "request_headers_to_add": [
            set_header("X-Forwarded-Proto", listener.protocol.lower()),
            set_header("X-Forwarded-Port", str(listener.port)),
        ],
        "request_headers_to_remove": ["x-envoy-internal", "x-envoy-external-address"],
    }


def _matches(rule: Rule) -> list[Document]:
    """AWS: the values of one condition are alternatives, the conditions of a rule must all hold."""
    paths: list[Document] = [_path_match(pattern) for pattern in rule.path_patterns] or [{"prefix": "/"}]
    hosts: list[Document] = [{"headers": [_host_match(pattern)]} for pattern in rule.host_patterns] or [{}]
    return [path | host for path, host in product(paths, hosts)]


def _path_match(pattern: str) -> Document:
    if "*" in pattern or "?" in pattern:
        return {"safe_regex": {"regex": _regex(pattern)}}
    return {"path": pattern}


def _host_match(pattern: str) -> Document:
    # AWS: host names are compared without regard to case, and without the port.
    regex = f"(?i){_regex(pattern)}(:[0-9]+)?"
    return {"name": ":authority", "string_match": {"safe_regex": {"regex": regex}}}


def _regex(pattern: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)


def _action(
    action: Action, balancer: LoadBalancer, listener: Listener, groups: dict[str, TargetGroup]
) -> dict[str, Any]:
    if isinstance(action, Forward):
        return _forward(action, groups)
    if isinstance(action, FixedResponse):
        return _fixed(action)
    return _redirect(action, balancer, listener)


def _fixed(action: FixedResponse) -> Document:
    response: Document = {"status": action.status}
    if action.body:
        response["body"] = {"inline_string": action.body}
    return {
        "direct_response": response,
        "response_headers_to_add": [set_header("Content-Type", action.content_type)] if action.body else [],
        "metadata": {"filter_metadata": {RULE_ACTION: {"type": "fixed-response"}}},
    }


def _forward(action: Forward, groups: dict[str, TargetGroup]) -> Document:
    # A request's whole time is not limited, as on AWS: the idle time-out of the connection manager is what ends it.
    route: Document = {"timeout": "0s", "retry_policy": _RETRY}
    weighted = [(arn, weight) for arn, weight in action.target_groups if weight > 0]
    if not weighted:
        return {"direct_response": {"status": 503}}
    if len(weighted) == 1:
        arn = weighted[0][0]
        return {"route": route | {"cluster": arn}, **_stickiness(groups.get(arn))}
    entries = [{"name": arn, "weight": weight, **_stickiness(groups.get(arn))} for arn, weight in weighted]
    return {"route": route | {"weighted_clusters": {"clusters": entries}}}


def _stickiness(group: TargetGroup | None) -> Document:
    if group is None or group.stickiness_seconds is None:
        return {}
    cookie = {"name": STICKINESS_COOKIE, "path": "/", "ttl": f"{group.stickiness_seconds:.0f}s"}
    session = {
        "session_state": {
            "name": "envoy.http.stateful_session.cookie",
            "typed_config": {
                "@type": f"{_API}.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState",
                "cookie": cookie,
            },
        }
    }
    return {
        "typed_per_filter_config": {
            STICKINESS_FILTER: {
                "@type": f"{_API}.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute",
                "stateful_session": session,
            }
        }
    }


def _redirect(action: Redirect, balancer: LoadBalancer, listener: Listener) -> Document:
    """The Lua filter fills in what only the request knows; see ``request.lua``.

    A port is a listener's port on AWS; the Location header must name its edge port, on which the lab serves it.
    """
    edge_ports = {str(other.port): str(other.edge_port) for other in balancer.listeners}
    port = action.port.replace("#{port}", str(listener.port))
    protocol = action.protocol.replace("#{protocol}", listener.protocol).lower()
    query = f"?{action.query}" if action.query else ""
    location = f"{protocol}://{action.host}:{edge_ports.get(port, port)}{action.path}{query}"
    location = location.replace("#{port}", edge_ports.get(port, port)).replace("#{protocol}", protocol)
    return {
        "direct_response": {"status": action.status},
        "metadata": {
            "filter_metadata": {
                LUA_FILTER: {"location": location, "status": str(action.status)},
                RULE_ACTION: {"type": "redirect"},
            }
        },
    }
