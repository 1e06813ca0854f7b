"""What a load balancer's listener must not be; moto, which only remembers, would accept it or fail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Guard, Params
from groundschool.cloud.load_balancing.supported_parameters import (
    BALANCER_ATTRIBUTES,
    GROUP_ATTRIBUTES,
    refuse_actions,
    refuse_attributes,
    refuse_conditions,
    refuse_listener_attributes,
    refuse_parameters,
)
from groundschool.cloud.passive.balancer_records import BalancerRecords, LoadBalancerRecord


def in_two_zones(zone_of: Mapping[str, str], params: Params) -> None:
    """AWS: an Application Load Balancer needs subnets of at least two Availability Zones, one of each.

    ``zone_of`` the known subnets; an unknown one is left to moto, which has the words for it.
    """
    subnets = list(params.get("Subnets") or ()) + [each["SubnetId"] for each in params.get("SubnetMappings") or ()]
    if not all(subnet_id in zone_of for subnet_id in subnets):
        return
    zones = [zone_of[subnet_id] for subnet_id in subnets]
    if len(set(zones)) < len(zones):
        raise AwsError(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    if len(zones) < 2:
        raise AwsError("ValidationError", "At least two subnets in two different Availability Zones must be specified")


class _ListenerGuards:
    """Each raises AwsError for what AWS would refuse; ``balancers`` is what is remembered."""

    def __init__(self, balancers: BalancerRecords) -> None:
        self._balancers = balancers

    def _check_actions(self, params: Params) -> None:
        actions = params.get("DefaultActions") or params.get("Actions") or ()
        refuse_actions(actions)
        known = self._balancers.target_groups()
        for arn in _forwarded_to(actions):
            if arn not in known:
                raise AwsError("TargetGroupNotFound", f"Target groups '{arn}' not found")

    def _check_certificate(self, params: Params) -> None:
        certificates = params.get("Certificates") or ()
        if params.get("Protocol") == "HTTPS" and len(certificates) != 1:
            raise AwsError("ValidationError", "A certificate must be specified for HTTPS listeners")
        for each in certificates:
            if self._balancers.certificate(each.get("CertificateArn")) is None:
                raise AwsError("CertificateNotFound", f"Certificate '{each.get('CertificateArn')}' not found")

    def create_listener(self, call: Call, params: Params) -> None:
        if params.get("Protocol") not in ("HTTP", "HTTPS"):
            raise AwsError("ValidationError", f"Protocol '{params.get('Protocol')}' must be one of 'HTTP, HTTPS'")
        balancer = _named(self._balancers, params.get("LoadBalancerArn"))
        if any(listener.port == params.get("Port") for listener in balancer.listeners):
            raise AwsError("DuplicateListener", "A listener already exists on this port for this load balancer")
        refuse_parameters("CreateListener", params)
        self._check_actions(params)
        self._check_certificate(params)

    def modify_listener(self, call: Call, params: Params) -> None:
        refuse_parameters("CreateListener", params)
        self._check_actions(params)
        if params.get("Certificates"):
            self._check_certificate(params)

    def keep_used_certificate(self, call: Call, params: Params) -> None:
        arn = params.get("CertificateArn")
        if any(
            listener.certificate_arn == arn for each in self._balancers.load_balancers() for listener in each.listeners
        ):
            raise AwsError("ResourceInUseException", f"Certificate {arn} is in use.")

    def keep_used_server_certificate(self, call: Call, params: Params) -> None:
        name = params.get("ServerCertificateName")
        for each in self._balancers.load_balancers():
            for listener in each.listeners:
                arn = listener.certificate_arn or ""
                if ":server-certificate/" in arn and arn.rpartition("/")[2] == name:
                    raise AwsError("DeleteConflict", f"Certificate {arn} is currently in use by {each.arn}.", 409)

    def rule(self, call: Call, params: Params) -> None:
        refuse_parameters("CreateRule", params)
        refuse_conditions(params.get("Conditions") or ())
        self._check_actions(params)

    def keep_protected(self, call: Call, params: Params) -> None:
        arn = params["LoadBalancerArn"]
        for each in self._balancers.load_balancers():
            if each.arn == arn and each.attributes.get("deletion_protection.enabled") == "true":
                raise AwsError(
                    "OperationNotPermitted",
                    f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
                )


def listener_guards(balancers: BalancerRecords) -> dict[tuple[str, str], Guard]:
    of = _ListenerGuards(balancers)
    return {
        ("elbv2", "CreateLoadBalancer"): _parameters("CreateLoadBalancer"),
        ("elbv2", "DeleteLoadBalancer"): of.keep_protected,
        ("elbv2", "ModifyLoadBalancerAttributes"): _attributes(BALANCER_ATTRIBUTES),
        ("elbv2", "CreateTargetGroup"): _parameters("CreateTargetGroup"),
        ("elbv2", "ModifyTargetGroup"): _parameters("CreateTargetGroup"),
        ("elbv2", "ModifyTargetGroupAttributes"): _attributes(GROUP_ATTRIBUTES),
        ("elbv2", "CreateListener"): of.create_listener,
        ("elbv2", "ModifyListener"): of.modify_listener,
        ("elbv2", "ModifyListenerAttributes"): lambda _, params: refuse_listener_attributes(params["Attributes"]),
        ("elbv2", "CreateRule"): of.rule,
        ("elbv2", "ModifyRule"): of.rule,
        ("acm", "DeleteCertificate"): of.keep_used_certificate,
        ("iam", "DeleteServerCertificate"): of.keep_used_server_certificate,
    }


def _parameters(operation: str) -> Guard:
    def guard(_call: Call, params: Params) -> None:
        refuse_parameters(operation, params)

    return guard


def _attributes(known: Mapping[str, str | None]) -> Guard:
    def guard(_call: Call, params: Params) -> None:
        refuse_attributes(params["Attributes"], known)

    return guard


def _named(balancers: BalancerRecords, arn: str | None) -> LoadBalancerRecord:
    for balancer in balancers.load_balancers():
        if balancer.arn == arn:
            return balancer
    raise AwsError("LoadBalancerNotFound", f"Load balancer '{arn}' not found")


def _forwarded_to(actions: Iterable[Mapping[str, Any]]) -> list[str]:
    found = [action["TargetGroupArn"] for action in actions if action.get("TargetGroupArn")]
    for action in actions:
        found += [each["TargetGroupArn"] for each in (action.get("ForwardConfig") or {}).get("TargetGroups") or ()]
    return found
