"""What a load balancer's listener must not be; moto, which only remembers, would accept it or fail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Guard, Params
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


def listener_guards(balancers: BalancerRecords) -> dict[tuple[str, str], Guard]:
    def check_forwards(call: Call, params: Params) -> None:
        known = balancers.target_groups()
        for arn in _forwarded_to(params.get("DefaultActions") or params.get("Actions") or ()):
            if arn not in known:
                raise AwsError("TargetGroupNotFound", f"Target groups '{arn}' not found")

    def check_certificate(params: Params) -> None:
        certificates = params.get("Certificates") or ()
        if params.get("Protocol") == "HTTPS" and len(certificates) != 1:
            raise AwsError("ValidationError", "A certificate must be specified for HTTPS listeners")
        for each in certificates:
            if balancers.certificate(each.get("CertificateArn")) is None:
                raise AwsError("CertificateNotFound", f"Certificate '{each.get('CertificateArn')}' not found")

    def create_listener(call: Call, params: Params) -> None:
        if params.get("Protocol") not in ("HTTP", "HTTPS"):
            raise AwsError("ValidationError", f"Protocol '{params.get('Protocol')}' must be one of 'HTTP, HTTPS'")
        balancer = _named(balancers, params.get("LoadBalancerArn"))
        if any(listener.port == params.get("Port") for listener in balancer.listeners):
            raise AwsError("DuplicateListener", "A listener already exists on this port for this load balancer")
        check_forwards(call, params)
        check_certificate(params)

    def modify_listener(call: Call, params: Params) -> None:
        check_forwards(call, params)
        if params.get("Certificates"):
            check_certificate(params)

    def keep_used_certificate(call: Call, params: Params) -> None:
        arn = params.get("CertificateArn")
        if any(listener.certificate_arn == arn for each in balancers.load_balancers() for listener in each.listeners):
            raise AwsError("ResourceInUseException", f"Certificate {arn} is in use.")

    return {
        ("elbv2", "CreateListener"): create_listener,
        ("elbv2", "ModifyListener"): modify_listener,
        ("elbv2", "CreateRule"): check_forwards,
        ("elbv2", "ModifyRule"): check_forwards,
        ("acm", "DeleteCertificate"): keep_used_certificate,
    }


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
