"""Component 3: what the instance may do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from groundschool.workshop.component import Action, Check, Component, absent, right, wrong
from groundschool.workshop.release import PREFIX
from groundschool.workshop.world import World, tag_map

if TYPE_CHECKING:
    from mypy_boto3_iam.type_defs import InstanceProfileTypeDef, PolicyTypeDef, RoleTypeDef

SESSION_MANAGER = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"

TABLE_ACTIONS = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem")
"""What the Visitor Board calls (a test compares). ``DescribeTable`` is control plane; ``Scan`` and ``DeleteItem`` are
what a stolen credential would ask for first."""

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}


def policy_document(table_arn: str, release_bucket: str) -> dict[str, Any]:
    """Pure: the least the board needs, on exactly its table and its releases."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Table", "Effect": "Allow", "Action": list(TABLE_ACTIONS), "Resource": table_arn},
            {
                "Sid": "Release",
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": f"arn:aws:s3:::{release_bucket}/{PREFIX}*",
            },
        ],
    }


def policy_arn(world: World) -> str:
    return f"arn:aws:iam::{world.account}:policy/{world.iam_name}"


def wanted_document(world: World) -> dict[str, Any]:
    return policy_document(world.table_arn, world.release_bucket)


def find_policy(world: World) -> PolicyTypeDef | None:
    try:
        return world.iam.get_policy(PolicyArn=policy_arn(world))["Policy"]
    except world.iam.exceptions.NoSuchEntityException:
        return None


def find_role(world: World) -> RoleTypeDef | None:
    try:
        return world.iam.get_role(RoleName=world.iam_name)["Role"]
    except world.iam.exceptions.NoSuchEntityException:
        return None


def find_profile(world: World) -> InstanceProfileTypeDef | None:
    try:
        return world.iam.get_instance_profile(InstanceProfileName=world.iam_name)["InstanceProfile"]
    except world.iam.exceptions.NoSuchEntityException:
        return None


def attached(world: World) -> set[str]:
    """ARNs of the managed policies the role carries."""
    found = world.iam.list_attached_role_policies(RoleName=world.iam_name)["AttachedPolicies"]
    return {policy["PolicyArn"] for policy in found}


def current_document(world: World, policy: PolicyTypeDef) -> dict[str, Any]:
    version = world.iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
    return as_document(version["PolicyVersion"]["Document"])


def as_document(document: Any) -> dict[str, Any]:
    """botocore decodes a policy document to a dict; servers that do not URL-encode it leave it a string."""
    parsed: dict[str, Any] = json.loads(document) if isinstance(document, str) else dict(document)
    return parsed


class Role(Component):
    """A customer managed policy, the role that carries it, and the instance profile that carries the role."""

    number = 3
    session = 1
    name = "role"
    title = "IAM role"
    why = (
        "The instance gets short-lived credentials for one table and one prefix of one bucket, so there is no key "
        "to leak or rotate; the price is that every new call of the app needs a new line in the policy first."
    )

    def plan(self, world: World) -> list[Action]:
        return [*plan_policy(world), *plan_role(world), *plan_profile(world)]

    def inspect(self, world: World) -> Check:
        name = world.iam_name
        if find_role(world) is None:
            return absent(f"no IAM role {name}", "How would the app prove to DynamoDB who it is, without a stored key?")
        profile = find_profile(world)
        if profile is None or not any(role["RoleName"] == name for role in profile.get("Roles", [])):
            return wrong(
                f"the role {name} is in no instance profile of that name",
                "An instance cannot wear a role directly: what carries it?",
            )
        carried, policy = attached(world), find_policy(world)
        if policy is None or policy["Arn"] not in carried:
            return wrong(f"the role {name} does not carry the policy {name}", "What may the app do with its table?")
        if current_document(world, policy) != wanted_document(world):
            return wrong(
                f"the policy {name} is not the board's",
                f"Which actions does the board use, and on which table? Compare: ground build {self.name} --dry-run",
            )
        if SESSION_MANAGER not in carried:
            return wrong(
                f"the role {name} lacks AmazonSSMManagedInstanceCore", "How do you get a shell with no SSH port open?"
            )
        return right(f"{name} may use {len(TABLE_ACTIONS)} actions on {world.settings.table_name}, and Session Manager")

    def removal(self, world: World) -> list[Action]:
        actions = []
        if (profile := find_profile(world)) is not None:
            world.must_own(f"instance profile {world.iam_name}", tag_map(profile.get("Tags", [])))
            actions.append(Action(f"Delete instance profile {world.iam_name}", lambda: delete_profile(world)))
        if (role := find_role(world)) is not None:
            world.must_own(f"IAM role {world.iam_name}", tag_map(role.get("Tags", [])))
            actions.append(Action(f"Delete IAM role {world.iam_name}", lambda: delete_role(world)))
        if (policy := find_policy(world)) is not None:
            world.must_own(f"IAM policy {world.iam_name}", tag_map(policy.get("Tags", [])))
            actions.append(Action(f"Delete IAM policy {world.iam_name}", lambda: delete_policy(world)))
        return actions


def plan_policy(world: World) -> list[Action]:
    policy, document = find_policy(world), json.dumps(wanted_document(world))
    if policy is None:
        return [
            Action(
                f"Create IAM policy {world.iam_name} for {world.settings.table_name} and the release",
                lambda: world.iam.create_policy(
                    PolicyName=world.iam_name, PolicyDocument=document, Tags=world.tag_list(world.iam_name)
                ),
            )
        ]
    if current_document(world, policy) == wanted_document(world):
        return []
    return [Action(f"Change IAM policy {world.iam_name}", lambda: replace_policy(world, document))]


def replace_policy(world: World, document: str) -> None:
    """A managed policy keeps five versions at most: the old ones go before the new one comes."""
    delete_old_versions(world)
    world.iam.create_policy_version(PolicyArn=policy_arn(world), PolicyDocument=document, SetAsDefault=True)


def plan_role(world: World) -> list[Action]:
    name, role = world.iam_name, find_role(world)
    actions = []
    if role is None:
        actions.append(
            Action(
                f"Create IAM role {name} for EC2",
                lambda: world.iam.create_role(
                    RoleName=name,
                    AssumeRolePolicyDocument=json.dumps(TRUST),
                    Description="Visitor Board: one table, its releases, Session Manager",
                    Tags=world.tag_list(name),
                ),
            )
        )
    carried = attached(world) if role is not None else set()
    return actions + [
        Action(f"Attach {arn.rpartition('/')[2]} to the role {name}", attach(world, arn))
        for arn in (policy_arn(world), SESSION_MANAGER)
        if arn not in carried
    ]


def attach(world: World, arn: str) -> Any:
    return lambda: world.iam.attach_role_policy(RoleName=world.iam_name, PolicyArn=arn)


def plan_profile(world: World) -> list[Action]:
    name, profile = world.iam_name, find_profile(world)
    actions = []
    if profile is None:
        actions.append(
            Action(
                f"Create instance profile {name}",
                lambda: world.iam.create_instance_profile(InstanceProfileName=name, Tags=world.tag_list(name)),
            )
        )
    if profile is None or not profile.get("Roles"):
        actions.append(
            Action(
                f"Put the role {name} into the instance profile",
                lambda: world.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name),
            )
        )
    return actions


def delete_profile(world: World) -> None:
    name, profile = world.iam_name, find_profile(world)
    for role in profile.get("Roles", []) if profile else []:
        world.iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=role["RoleName"])
    world.iam.delete_instance_profile(InstanceProfileName=name)


def delete_role(world: World) -> None:
    for arn in attached(world):
        world.iam.detach_role_policy(RoleName=world.iam_name, PolicyArn=arn)
    world.iam.delete_role(RoleName=world.iam_name)


def delete_old_versions(world: World) -> None:
    for version in world.iam.list_policy_versions(PolicyArn=policy_arn(world))["Versions"]:
        if not version["IsDefaultVersion"]:
            world.iam.delete_policy_version(PolicyArn=policy_arn(world), VersionId=version["VersionId"])


def delete_policy(world: World) -> None:
    delete_old_versions(world)
    world.iam.delete_policy(PolicyArn=policy_arn(world))
