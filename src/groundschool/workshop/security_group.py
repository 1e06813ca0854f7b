"""Component 1: who may reach the instance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from groundschool.workshop.component import Action, Check, Component, absent, right, wrong
from groundschool.workshop.world import World, tag_map

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import IpPermissionOutputTypeDef, IpPermissionTypeDef, SecurityGroupTypeDef

WORLD = "0.0.0.0/0"
WORLD_IPV6 = "::/0"
WHO_NEEDS_SSH = "Who needs this port, when Session Manager opens a shell without any?"
ANYBODY = frozenset((WORLD, WORLD_IPV6))
SSH = 22


@dataclass(frozen=True)
class Group:
    """A security group as EC2 describes it."""

    group_id: str
    name: str
    tags: dict[str, str]
    permissions: Sequence[IpPermissionOutputTypeDef]

    def sources(self, port: int) -> frozenset[str]:
        """The CIDRs, prefix lists and security group ids that may open a TCP connection to ``port``."""
        return frozenset(
            source
            for permission in self.permissions
            if admits(permission, port)
            for source in (
                *(each["CidrIp"] for each in permission.get("IpRanges", [])),
                *(each["CidrIpv6"] for each in permission.get("Ipv6Ranges", [])),
                *(each["PrefixListId"] for each in permission.get("PrefixListIds", [])),
                *(each["GroupId"] for each in permission.get("UserIdGroupPairs", [])),
            )
        )


def admits(permission: IpPermissionOutputTypeDef, port: int) -> bool:
    """Whether the permission covers the TCP port; protocol ``-1`` is every protocol and port."""
    protocol = permission.get("IpProtocol")
    if protocol == "-1":
        return True
    return protocol == "tcp" and permission.get("FromPort", -1) <= port <= permission.get("ToPort", -1)


def instance_group_name(world: World) -> str:
    return f"{world.name}-instance"


def find_group(world: World, name: str) -> Group | None:
    """The group of that name in the default VPC."""
    found = world.ec2.describe_security_groups(
        Filters=[{"Name": "group-name", "Values": [name]}, {"Name": "vpc-id", "Values": [world.vpc_id]}]
    )["SecurityGroups"]
    if not found:
        return None
    return as_group(found[0])


def as_group(found: SecurityGroupTypeDef) -> Group:
    tags, permissions = tag_map(found.get("Tags", [])), found.get("IpPermissions", [])
    return Group(found["GroupId"], found["GroupName"], tags, permissions)


def ssh_doors(world: World, group_ids: Iterable[str]) -> str | None:
    """Who is admitted to SSH by any of the groups: what one group closes, another one on the same machine opens."""
    ids = sorted(group_ids)
    if not ids:
        return None
    found = world.ec2.describe_security_groups(GroupIds=ids)["SecurityGroups"]
    doors = {group.name: group.sources(SSH) for group in map(as_group, found)}
    said = [f"{name} admits SSH (TCP {SSH}) from {', '.join(sorted(who))}" for name, who in doors.items() if who]
    return "; ".join(sorted(said)) or None


def need_group(world: World, name: str) -> Group:
    """The group of that name, which an earlier step has made; waits for EC2 to show it everywhere."""
    return world.wait(f"security group {name}", lambda: find_group(world, name))


def creation(world: World, name: str, description: str) -> Action:
    """Of an empty group in the default VPC."""
    return Action(
        f"Create security group {name}",
        lambda: world.ec2.create_security_group(
            GroupName=name,
            Description=description,
            VpcId=world.vpc_id,
            TagSpecifications=world.tag_specification("security-group", name),
        ),
    )


def admission_of_the_world(world: World, name: str, port: int) -> Action:
    """To the group of that name, which may still be to be made."""
    return Action(
        f"Admit TCP {port} from {WORLD} in {name}",
        lambda: world.ec2.authorize_security_group_ingress(
            GroupId=need_group(world, name).group_id, IpPermissions=[tcp_from_world(port)]
        ),
    )


def delete_group(world: World, group: Group) -> None:
    """Waits while network interfaces still use the group: a deleted load balancer's go some time after it."""

    def gone() -> bool:
        try:
            world.ec2.delete_security_group(GroupId=group.group_id)
        except ClientError as error:
            if error.response["Error"]["Code"] == "DependencyViolation":
                return False
            if error.response["Error"]["Code"] != "InvalidGroup.NotFound":
                raise
        return True

    world.wait(f"security group {group.name} to be unused", gone)


def tcp_from_world(port: int) -> IpPermissionTypeDef:
    return {
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "IpRanges": [{"CidrIp": WORLD, "Description": "the world"}],
    }


def tcp_from_group(port: int, group_id: str) -> IpPermissionTypeDef:
    return {
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "UserIdGroupPairs": [{"GroupId": group_id, "Description": "the load balancer only"}],
    }


def rules_of(group: Group, port: int, source: str) -> list[IpPermissionTypeDef]:
    """Pure: the group's rules that admit ``source`` (a CIDR or a group id) to the port, exactly as they were found:
    whoever made them may have described them otherwise, or opened more ports at once."""
    found: list[IpPermissionTypeDef] = []
    for permission in group.permissions:
        ranges = [each for each in permission.get("IpRanges", []) if each.get("CidrIp") == source]
        ranges_v6 = [each for each in permission.get("Ipv6Ranges", []) if each.get("CidrIpv6") == source]
        pairs = [each for each in permission.get("UserIdGroupPairs", []) if each.get("GroupId") == source]
        if not admits(permission, port) or not (ranges or ranges_v6 or pairs):
            continue
        rule: IpPermissionTypeDef = {"IpProtocol": permission["IpProtocol"]}
        if "FromPort" in permission:
            rule["FromPort"], rule["ToPort"] = permission["FromPort"], permission["ToPort"]
        if ranges:
            rule["IpRanges"] = ranges
        if ranges_v6:
            rule["Ipv6Ranges"] = ranges_v6
        if pairs:
            rule["UserIdGroupPairs"] = pairs
        found.append(rule)
    return found


class SecurityGroup(Component):
    """The instance's security group. It opens the port to the world only when nobody is admitted yet: in session 2
    the listener closes that door in favour of the load balancer's group, and this component leaves it closed.
    """

    number = 1
    session = 1
    name = "security-group"
    title = "security group"
    why = (
        "Everything is closed until a rule opens it: one port for visitors and none for SSH, because Session "
        "Manager needs no open port; the price is that a missing rule looks like a dead server, as packets are "
        "dropped in silence."
    )

    def plan(self, world: World) -> list[Action]:
        name, port = instance_group_name(world), world.settings.app_port
        group = find_group(world, name)
        actions = []
        if group is None:
            actions.append(creation(world, name, "Visitor Board: who may reach an instance"))
        if group is None or not group.sources(port):
            actions.append(admission_of_the_world(world, name, port))
        return actions

    def inspect(self, world: World) -> Check:
        name, port = instance_group_name(world), world.settings.app_port
        group = find_group(world, name)
        if group is None:
            return absent(
                f"no security group {name} in the default VPC of {world.region}",
                "Who should be able to reach the instance, and on which port?",
            )
        if group.sources(SSH):
            return wrong(f"{name} admits SSH (TCP {SSH}) from {', '.join(sorted(group.sources(SSH)))}", WHO_NEEDS_SSH)
        admitted = group.sources(port)
        if not admitted:
            return wrong(
                f"{name} admits nobody to TCP {port}", "On which port does the app listen, and what does a rule say?"
            )
        return right(f"{name} admits TCP {port} from {', '.join(sorted(admitted))}")

    def removal(self, world: World) -> list[Action]:
        group = find_group(world, instance_group_name(world))
        if group is None:
            return []
        world.must_own(f"security group {group.name}", group.tags)
        return [Action(f"Delete security group {group.name}", lambda: delete_group(world, group))]
