"""What AWS refuses and moto, which only remembers, would allow: deleting what something alive uses, naming what is not
there, one zone only."""

from __future__ import annotations

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Guard, Params
from groundschool.cloud.ec2.instances import Instances
from groundschool.cloud.load_balancing.guards import in_two_zones, listener_guards
from groundschool.cloud.passive.balancer_records import BalancerRecords
from groundschool.cloud.passive.launch_template_records import LaunchTemplateRecords
from groundschool.cloud.passive.network_records import NetworkRecords


def guards(
    instances: Instances, balancers: BalancerRecords, network: NetworkRecords, templates: LaunchTemplateRecords
) -> dict[tuple[str, str], Guard]:
    def need_two_zones(call: Call, params: Params) -> None:
        if params.get("Type", "application") == "application":
            in_two_zones({each.subnet_id: each.availability_zone for each in network.subnets()}, params)

    def keep_used_security_group(call: Call, params: Params) -> None:
        group_id = params.get("GroupId")
        by_instance = any(group_id in instance.security_group_ids for instance in instances.live())
        by_balancer = any(group_id in balancer.security_group_ids for balancer in balancers.load_balancers())
        if by_instance or by_balancer:
            raise AwsError("DependencyViolation", f"resource {group_id} has a dependent object")

    def keep_used_subnet(call: Call, params: Params) -> None:
        subnet_id = params["SubnetId"]
        if any(instance.subnet.subnet_id == subnet_id for instance in instances.live()):
            raise AwsError("DependencyViolation", f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")

    def know_launch_templates(call: Call, params: Params) -> None:
        for template_id in params.get("LaunchTemplateIds") or ():
            templates.find(template_id, None, "$Default")

    return {
        **listener_guards(balancers),
        ("elbv2", "CreateLoadBalancer"): need_two_zones,
        ("elbv2", "SetSubnets"): need_two_zones,
        ("ec2", "DeleteSecurityGroup"): keep_used_security_group,
        ("ec2", "DescribeLaunchTemplates"): know_launch_templates,
        ("ec2", "DeleteSubnet"): keep_used_subnet,
    }
