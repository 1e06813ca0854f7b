"""What a balancer of the lab cannot do is refused where it is asked for, never ignored. Pure.

For each operation: the parameters that are honoured, and the only value each other one may have. For attributes: the
value that AWS gives them by default is the one that may be set. AWS: Elastic Load Balancing API reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from groundschool.cloud.aws_error import AwsError

HONOURED: Mapping[str, frozenset[str]] = {
    "CreateLoadBalancer": frozenset("Name Subnets SubnetMappings SecurityGroups Scheme Tags".split()),
    "CreateTargetGroup": frozenset(
        """
        Name Port VpcId HealthCheckPort HealthCheckPath HealthCheckIntervalSeconds HealthCheckTimeoutSeconds
        HealthyThresholdCount UnhealthyThresholdCount Matcher Tags
        """.split()
    ),
    "CreateListener": frozenset("LoadBalancerArn Protocol Port SslPolicy Certificates DefaultActions Tags".split()),
    "CreateRule": frozenset("ListenerArn Conditions Priority Actions Tags".split()),
}
ONLY: Mapping[str, Mapping[str, Any]] = {
    "CreateLoadBalancer": {
        "Type": "application",
        "IpAddressType": "ipv4",
        "CustomerOwnedIpv4Pool": None,
        "EnablePrefixForIpv6SourceNat": "off",
        "IpamPools": None,
    },
    "CreateTargetGroup": {
        "Protocol": "HTTP",
        "ProtocolVersion": "HTTP1",
        "TargetType": "instance",
        "IpAddressType": "ipv4",
        "HealthCheckProtocol": "HTTP",
        "HealthCheckEnabled": True,
        "TargetControlPort": None,
    },
    "CreateListener": {"AlpnPolicy": None, "MutualAuthentication": {"Mode": "off"}},
    "CreateRule": {"Transforms": None},
}

BALANCER_ATTRIBUTES: Mapping[str, str | None] = {
    "idle_timeout.timeout_seconds": None,
    "deletion_protection.enabled": None,
    # Remembered only: Envoy refuses the whole request whose header names HTTP does not allow.
    "routing.http.drop_invalid_header_fields.enabled": None,
    "access_logs.s3.enabled": "false",
    "connection_logs.s3.enabled": "false",
    "health_check_logs.s3.enabled": "false",
    "client_keep_alive.seconds": "3600",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
    "ipv6.deny_all_igw_traffic": "false",
}
"""None: honoured. A value: AWS's default, and the only one here. What is not listed belongs to one that is."""

GROUP_ATTRIBUTES: Mapping[str, str | None] = {
    "deregistration_delay.timeout_seconds": None,
    "slow_start.duration_seconds": None,
    "stickiness.enabled": None,
    "stickiness.lb_cookie.duration_seconds": None,
    "stickiness.type": "lb_cookie",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
    "waf.fail_open.enabled": "false",
}
LISTENER_ATTRIBUTES: Mapping[str, str | None] = {"routing.http.response.server.enabled": "true"}
"""All others set or replace a header, and are empty here."""
ALGORITHMS = ("round_robin", "least_outstanding_requests")
CONDITIONS = {"path-pattern": "PathPatternConfig", "host-header": "HostHeaderConfig"}
ACTIONS = ("forward", "fixed-response", "redirect")


def refuse_parameters(operation: str, params: Mapping[str, Any]) -> None:
    """Raises AwsError ValidationError for a parameter that would be ignored."""
    for name, only in ONLY[operation].items():
        given = params.get(name)
        if given is not None and not _same(given, only):
            raise _refused(f"{name} {given}", f"use {only}" if only is not None else "leave it out")


def refuse_attributes(attributes: Iterable[Mapping[str, str]], known: Mapping[str, str | None]) -> None:
    for each in attributes:
        key, value = each["Key"], each.get("Value", "")
        if key == "load_balancing.algorithm.type" and value not in ALGORITHMS:
            raise _refused(f"{key} {value}", f"use {' or '.join(ALGORITHMS)}")
        only = known.get(key)
        if only is not None and value.lower() != only:
            raise _refused(f"{key} {value}", f"it is always {only}")


def refuse_listener_attributes(attributes: Iterable[Mapping[str, str]]) -> None:
    for each in attributes:
        refuse_attributes([each], {each["Key"]: LISTENER_ATTRIBUTES.get(each["Key"], "")})


def refuse_conditions(conditions: Iterable[Mapping[str, Any]]) -> None:
    """A rule whose condition had no effect would take every request."""
    for condition in conditions:
        field = condition.get("Field")
        if field not in CONDITIONS:
            raise _refused(f"the rule condition {field}", f"use {' or '.join(CONDITIONS)}")
        if condition.get("RegexValues") or (condition.get(CONDITIONS[field]) or {}).get("RegexValues"):
            raise _refused(f"RegexValues in {field}", "use Values with * and ?")


def refuse_actions(actions: Iterable[Mapping[str, Any]]) -> None:
    for action in actions:
        if action.get("Type") not in ACTIONS:
            raise _refused(f"the action {action.get('Type')}", f"use {', '.join(ACTIONS)}")
        stickiness = (action.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {}
        if str(stickiness.get("Enabled", False)).lower() == "true":
            raise _refused("stickiness between target groups", "use stickiness of the target group")


def _same(given: Any, only: Any) -> bool:
    if isinstance(only, bool):
        return str(given).lower() == str(only).lower()
    return bool(given == only) or (only is None and not given)


def _refused(what: str, instead: str) -> AwsError:
    return AwsError("ValidationError", f"The lab's load balancers do not have {what}: {instead}.")
