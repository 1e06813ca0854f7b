"""What a balancer of the lab cannot do is refused, and every parameter AWS has is either honoured or refused."""

from __future__ import annotations

from typing import Any

import pytest
from moto.core.utils import get_service_model

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.load_balancing.supported_parameters import (
    BALANCER_ATTRIBUTES,
    GROUP_ATTRIBUTES,
    HONOURED,
    ONLY,
    refuse_actions,
    refuse_attributes,
    refuse_conditions,
    refuse_parameters,
)


@pytest.mark.parametrize("operation", sorted(HONOURED))
def test_every_parameter_of_aws_is_honoured_or_has_its_only_value(operation: str) -> None:
    known = set(get_service_model("elbv2").operation_model(operation).input_shape.members)
    assert HONOURED[operation] | set(ONLY[operation]) == known
    assert not HONOURED[operation] & set(ONLY[operation])


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        pytest.param("CreateLoadBalancer", {"Type": "network"}, id="a network load balancer"),
        pytest.param("CreateLoadBalancer", {"IpAddressType": "dualstack"}, id="IPv6"),
        pytest.param("CreateTargetGroup", {"TargetType": "ip"}, id="targets by address"),
        pytest.param("CreateTargetGroup", {"Protocol": "HTTPS"}, id="TLS to the targets"),
        pytest.param("CreateTargetGroup", {"ProtocolVersion": "GRPC"}, id="gRPC"),
        pytest.param("CreateListener", {"MutualAuthentication": {"Mode": "verify"}}, id="client certificates"),
        pytest.param("CreateRule", {"Transforms": [{"Type": "url-rewrite"}]}, id="rewriting"),
    ],
)
def test_what_would_be_ignored_is_refused(operation: str, params: dict[str, Any]) -> None:
    with pytest.raises(AwsError, match=next(iter(params))) as refused:
        refuse_parameters(operation, params)
    assert refused.value.code == "ValidationError"


def test_defaults_named_explicitly_pass() -> None:
    refuse_parameters("CreateLoadBalancer", {"Type": "application", "IpAddressType": "ipv4", "Scheme": "internal"})
    refuse_parameters("CreateTargetGroup", {"Protocol": "HTTP", "TargetType": "instance", "HealthCheckEnabled": True})
    refuse_parameters("CreateListener", {"MutualAuthentication": {"Mode": "off"}})
    refuse_attributes([{"Key": "routing.http2.enabled", "Value": "true"}], BALANCER_ATTRIBUTES)
    refuse_attributes([{"Key": "idle_timeout.timeout_seconds", "Value": "7"}], BALANCER_ATTRIBUTES)
    refuse_attributes([{"Key": "access_logs.s3.bucket", "Value": ""}], BALANCER_ATTRIBUTES)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("load_balancing.algorithm.type", "weighted_random", id="an algorithm"),
        pytest.param("stickiness.type", "app_cookie", id="the app's own cookie"),
        pytest.param("load_balancing.cross_zone.enabled", "false", id="zones apart"),
    ],
)
def test_target_group_attributes_without_effect_are_refused(key: str, value: str) -> None:
    with pytest.raises(AwsError, match=key):
        refuse_attributes([{"Key": key, "Value": value}], GROUP_ATTRIBUTES)


def test_access_logs_to_s3_are_refused() -> None:
    with pytest.raises(AwsError, match=r"access_logs\.s3\.enabled true: it is always false"):
        refuse_attributes([{"Key": "access_logs.s3.enabled", "Value": "true"}], BALANCER_ATTRIBUTES)


@pytest.mark.parametrize("field", ["http-header", "http-request-method", "query-string", "source-ip"])
def test_a_rule_whose_condition_would_match_everything_is_refused(field: str) -> None:
    with pytest.raises(AwsError, match=field):
        refuse_conditions([{"Field": "path-pattern", "Values": ["/a"]}, {"Field": field, "Values": ["x"]}])


@pytest.mark.parametrize(
    "action",
    [
        pytest.param({"Type": "authenticate-oidc"}, id="authentication"),
        pytest.param(
            {"Type": "forward", "ForwardConfig": {"TargetGroupStickinessConfig": {"Enabled": True}}},
            id="group stickiness",
        ),
    ],
)
def test_actions_the_lab_does_not_have_are_refused(action: dict[str, Any]) -> None:
    with pytest.raises(AwsError):
        refuse_actions([action])
