"""The build order: the workshop's table of contents, and how it is built and taken down."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from groundschool.errors import BuildError, NotOwned, UsageError
from groundschool.workshop.app import App
from groundschool.workshop.auto_scaling_group import AutoScalingGroup
from groundschool.workshop.component import Action, Check, Component
from groundschool.workshop.instance import Instance, find_instances
from groundschool.workshop.launch_template import LaunchTemplate
from groundschool.workshop.listener import Listener
from groundschool.workshop.load_balancer import LoadBalancer
from groundschool.workshop.remains import clearance, machine_clearance, remains, strays
from groundschool.workshop.role import Role
from groundschool.workshop.scaling_policy import ScalingPolicy
from groundschool.workshop.security_group import SecurityGroup
from groundschool.workshop.table import Table
from groundschool.workshop.target_group import TargetGroup
from groundschool.workshop.world import World

T = TypeVar("T")

COMPONENTS: tuple[Component, ...] = (
    SecurityGroup(),
    Table(),
    Role(),
    Instance(),
    App(),
    TargetGroup(),
    LoadBalancer(),
    Listener(),
    LaunchTemplate(),
    AutoScalingGroup(),
    ScalingPolicy(),
)
"""In the order of the workshop: session 1 is the first five, session 2 the other six."""

BY_NAME = {component.name: component for component in COMPONENTS}

NEXT_STEP = {
    "ExpiredToken": "Your credentials have expired: get new ones and run the same command again",
    "ExpiredTokenException": "Your credentials have expired: get new ones and run the same command again",
    "AccessDenied": "Use credentials that may do this",
    "AccessDeniedException": "Use credentials that may do this",
    "UnauthorizedOperation": "Use credentials that may do this",
    "InsufficientInstanceCapacity": "AWS has no such instance free in these zones: run it again in some minutes",
    "DependencyViolation": "Something still uses it: see what is there with ground check",
    "Throttling": "AWS asks for patience: run the same command again, it goes on where it stopped",
    "RequestLimitExceeded": "AWS asks for patience: run the same command again, it goes on where it stopped",
}
"""What to do about AWS's error codes; everything is idempotent, so the default is to run it again."""

AGAIN = "Run the same command again, it goes on where it stopped"


def select(names: Iterable[str] = (), session: int | None = None) -> tuple[Component, ...]:
    """Components by name, or of one session, or all; always in build order. UsageError for a name that is none."""
    asked = set(names)
    if unknown := sorted(asked - BY_NAME.keys()):
        raise UsageError(f"There is no component {unknown[0]!r}. There are: {', '.join(BY_NAME)}")
    return tuple(
        component
        for component in COMPONENTS
        if (not asked or component.name in asked) and session in (None, component.session)
    )


def need_dependencies(world: World, component: Component, chosen: Iterable[Component]) -> None:
    """BuildError when something the component stands on is neither built nor going to be."""
    going_to_be = {each.name for each in chosen}
    for name in component.depends_on:
        missing = [] if name in going_to_be else plan(world, BY_NAME[name])
        if missing:
            raise BuildError(
                f"The {component.title} needs the {BY_NAME[name].title} first ({missing[0].says} is still to be done). "
                f"Build it: ground build {name}"
            )


def need_no_dependants(world: World, component: Component, chosen: Iterable[Component]) -> None:
    """BuildError when something that stands on the component exists and is not going to be removed with it."""
    going = {each.name for each in chosen}
    for dependant in COMPONENTS:
        if component.name in dependant.depends_on and dependant.name not in going and removal(world, dependant):
            raise BuildError(
                f"The {component.title} is still needed by the {dependant.title}. "
                f"Remove both: ground build --remove {component.name} {dependant.name}"
            )


def plan(world: World, component: Component) -> list[Action]:
    return explained("planned", component, lambda: component.plan(world))


def create(world: World, component: Component) -> list[Action]:
    return explained("created", component, lambda: component.create(world))


def check(world: World, component: Component) -> Check:
    return explained("checked", component, lambda: component.check(world))


def removal(world: World, component: Component) -> list[Action]:
    return explained("removed", component, lambda: component.removal(world))


def remove(world: World, component: Component) -> list[Action]:
    return explained("removed", component, lambda: component.remove(world))


def leftovers(world: World) -> list[str]:
    """What of the workshop still exists, asked from AWS: of every component, and any instance with its tag."""
    found = [action.says.removeprefix("Delete ") for each in COMPONENTS for action in owned(world, each)]
    instances = {each["InstanceId"] for each in find_instances(world, "Project", world.settings.project)}
    return found + [f"EC2 instance {each}" for each in sorted(instances) if not any(each in said for said in found)]


def tagged_remains(world: World) -> list[str]:
    """What the Resource Groups Tagging API lists with our tag, and is really there."""
    return asked(lambda: [each.says for each in remains(world)])


def tagged_strays(world: World) -> list[str]:
    """Those of them that no component has made."""
    return asked(lambda: [each.says for each in strays(world)])


def tagged_clearance(world: World) -> list[Action]:
    """The removal of it, each action explained like a component's."""
    return explained_actions(asked(lambda: clearance(world)))


def stray_machine_clearance(world: World) -> list[Action]:
    """The removal of the strays that are machines, or make machines."""
    return explained_actions(asked(lambda: machine_clearance(world)))


def explained_actions(actions: Iterable[Action]) -> list[Action]:
    return [Action(each.says, lambda run=each.run: asked(run)) for each in actions]  # type: ignore[misc]


def owned(world: World, component: Component) -> list[Action]:
    """The removal of what is ours; nothing when what is there is somebody else's."""
    try:
        return removal(world, component)
    except NotOwned:
        return []


def explained(verb: str, component: Component, work: Callable[[], T]) -> T:
    """Does the work; what boto3 raises becomes a BuildError that names the component and what to do next."""
    return asked(work, f"The {component.title} could not be {verb}")


def asked(work: Callable[[], T], what: str = "AWS refused") -> T:
    """Does the work; what boto3 raises becomes a BuildError: ``what``, the operation, AWS's words, what to do next."""
    try:
        return work()
    except ClientError as error:
        code, message = error.response["Error"].get("Code", "?"), error.response["Error"].get("Message", "")
        raise BuildError(
            f"{what}: {error.operation_name} answers {code}: {message.rstrip('.')}. {NEXT_STEP.get(code, AGAIN)}"
        ) from error
    except BotoCoreError as error:
        raise BuildError(
            f"{what}: {str(error).rstrip('.')}. Is the lab up (ground up), or are AWS credentials set?"
        ) from error
