"""Component 9: an instance, written down."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from groundschool.workshop.component import Action, Check, Component, absent, right, wrong
from groundschool.workshop.golden_image import boot_image
from groundschool.workshop.golden_image import removal as golden_image_removal
from groundschool.workshop.install_script import install_script
from groundschool.workshop.instance import root_volume
from groundschool.workshop.security_group import WHO_NEEDS_SSH, find_group, instance_group_name, need_group, ssh_doors
from groundschool.workshop.world import World, tag_map

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import (
        LaunchTemplateTypeDef,
        LaunchTemplateVersionTypeDef,
        RequestLaunchTemplateDataTypeDef,
    )


def find_template(world: World) -> LaunchTemplateTypeDef | None:
    found = world.ec2.describe_launch_templates(
        Filters=[{"Name": "launch-template-name", "Values": [world.name]}],
    )["LaunchTemplates"]
    return found[0] if found else None


def version(world: World, which: str) -> LaunchTemplateVersionTypeDef:
    """``which``: ``$Default`` or ``$Latest``."""
    found = world.ec2.describe_launch_template_versions(LaunchTemplateName=world.name, Versions=[which])
    return found["LaunchTemplateVersions"][0]


def default_data(world: World) -> dict[str, Any]:
    """What the default version says."""
    return dict(version(world, "$Default")["LaunchTemplateData"])


def template_data(world: World) -> RequestLaunchTemplateDataTypeDef:
    """Everything an instance of the group is, down to the release it serves."""
    return {
        "ImageId": boot_image(world),
        "InstanceType": world.settings.instance_type,  # type: ignore[typeddict-item]  # the stub lists known types
        "IamInstanceProfile": {"Name": world.iam_name},
        "SecurityGroupIds": [need_group(world, instance_group_name(world)).group_id],
        "MetadataOptions": {"HttpTokens": "required", "HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 1},
        "Monitoring": {"Enabled": True},
        "BlockDeviceMappings": root_volume(world),
        # Auto Scaling hands its tags to instances only; without this their volumes would carry none.
        "TagSpecifications": [{"ResourceType": "volume", "Tags": world.tag_list(world.name)}],
        "UserData": base64.b64encode(install_script(world).encode()).decode(),
    }


def differences(wanted: Any, seen: Any) -> list[str]:
    """Pure: the settings in which a template version is not as wanted; what AWS adds to them does not count."""
    return [name for name, value in wanted.items() if not covers(seen.get(name), value)]


def covers(seen: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(seen, dict) and all(covers(seen.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):  # in an order of AWS's own; groups exactly, tags at least
        return isinstance(seen, list) and (
            all(any(covers(each, value) for each in seen) for value in wanted)
            and (len(seen) == len(wanted) or isinstance(wanted[0], dict))
        )
    return bool(seen == wanted)


class LaunchTemplate(Component):
    """The launch template with the install script as user data, on the golden image of the release where there is one.
    A change becomes a new default version."""

    number = 9
    session = 2
    name = "launch-template"
    title = "launch template"
    why = (
        "Whatever was done by hand is now a version of a text, so the hundredth instance equals the first; user "
        "data installs at every boot, a golden image boots faster but must be baked again for every release. "
        "Detailed monitoring (1 min instead of 5) is paid per instance so that the scaling policy sees load within "
        "a minute."
    )
    depends_on = ("security-group", "role", "app")

    def plan(self, world: World) -> list[Action]:
        name = world.name
        if find_template(world) is None:
            what = f"Create launch template {name} ({world.settings.instance_type}, user data, detailed monitoring)"
            return [Action(what, lambda: create_template(world))]
        if find_group(world, instance_group_name(world)) is None:
            return []  # without the group its id cannot differ; the security group's own plan says what is missing
        changed = differences(template_data(world), default_data(world))
        if not changed:
            return []
        return [Action(f"Add a version to launch template {name}: {', '.join(changed)}", lambda: add_version(world))]

    def inspect(self, world: World) -> Check:
        template = find_template(world)
        if template is None:
            return absent(
                f"no launch template {world.name} in {world.region}",
                "If ten more instances were needed, who would set them up?",
            )
        data = default_data(world)
        if "Name" not in data.get("IamInstanceProfile", {}) and "Arn" not in data.get("IamInstanceProfile", {}):
            return wrong(f"{world.name} has no instance profile", "Where will the app find credentials?")
        if data.get("MetadataOptions", {}).get("HttpTokens") != "required":
            return wrong(f"{world.name} allows IMDSv1", "What could a request forged through the app read there?")
        if doors := ssh_doors(world, data.get("SecurityGroupIds", ())):
            return wrong(f"every instance of {world.name} can be reached: {doors}", WHO_NEEDS_SSH)
        if not data.get("UserData"):
            return wrong(f"{world.name} has no user data", "Who installs the app when nobody is there?")
        if not data.get("Monitoring", {}).get("Enabled"):
            return wrong(
                f"{world.name} has basic monitoring", "How old may the CPU figure be that decides about scaling?"
            )
        return right(
            f"{world.name} version {template['DefaultVersionNumber']}: {data.get('InstanceType')}, IMDSv2, user data"
        )

    def removal(self, world: World) -> list[Action]:
        """The images baked for it too: nothing else boots them, and their snapshots are paid for."""
        template = find_template(world)
        actions = []
        if template is not None:
            world.must_own(f"launch template {world.name}", tag_map(template.get("Tags", [])))
            actions.append(
                Action(
                    f"Delete launch template {world.name}",
                    lambda: world.ec2.delete_launch_template(LaunchTemplateName=world.name),
                )
            )
        return actions + golden_image_removal(world)


def create_template(world: World) -> None:
    world.ec2.create_launch_template(
        LaunchTemplateName=world.name,
        LaunchTemplateData=template_data(world),
        TagSpecifications=world.tag_specification("launch-template", world.name),
    )


def add_version(world: World) -> None:
    """The newest version becomes the default one when it is already as wanted: an interrupted build has left it so."""
    wanted = template_data(world)
    newest = version(world, "$Latest")
    number = newest["VersionNumber"]
    if differences(wanted, newest["LaunchTemplateData"]):
        made = world.ec2.create_launch_template_version(LaunchTemplateName=world.name, LaunchTemplateData=wanted)
        number = made["LaunchTemplateVersion"]["VersionNumber"]
    world.ec2.modify_launch_template(LaunchTemplateName=world.name, DefaultVersion=str(number))
