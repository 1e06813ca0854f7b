"""The workshop's diagrams as values, drawn from the component model. Pure.

A box that stands for components carries their names; a test demands that each component of a session is in
that session's architecture, so that a new component cannot be forgotten in the drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from groundschool.workshop.build_order import BY_NAME, COMPONENTS
from groundschool.workshop.component import Component
from groundschool.workshop.settings import WorkshopSettings


@dataclass(frozen=True)
class Box:
    """``column`` and ``row`` are places in a grid, from 0; a row may be a half."""

    key: str
    label: str
    column: int
    row: float
    components: tuple[str, ...] = ()


@dataclass(frozen=True)
class Arrow:
    source: str
    target: str
    label: str = ""


@dataclass(frozen=True)
class Diagram:
    """``name`` is the file's, without its ending."""

    name: str
    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]

    @property
    def components(self) -> frozenset[str]:
        """Names of the components that are drawn."""
        return frozenset(name for box in self.boxes for name in box.components)


def diagrams(settings: WorkshopSettings | None = None) -> tuple[Diagram, ...]:
    """Build order and architecture of both sessions."""
    chosen = settings or WorkshopSettings()
    return (build_order(1), build_order(2), one_machine(chosen), many_machines(chosen))


def build_order(session: int) -> Diagram:
    """What is built after what: a component stands right of everything it needs."""
    own = [each for each in COMPONENTS if each.session == session]
    needed = {name for each in own for name in each.depends_on} - {each.name for each in own}
    shown = [each for each in COMPONENTS if each in own or each.name in needed]
    columns = {each.name: depth(each, shown) for each in shown}
    boxes, filled = [], dict.fromkeys(range(len(shown)), 0)
    for each in shown:
        column = columns[each.name]
        boxes.append(Box(each.name, label(each), column, filled[column], (each.name,)))
        filled[column] += 1
    arrows = [Arrow(need.name, each.name) for each in shown for need in next_to(each, shown)]
    return Diagram(f"build-order-session-{session}", f"Session {session}: the build order", tuple(boxes), tuple(arrows))


def next_to(component: Component, shown: Sequence[Component]) -> list[Component]:
    """What it needs of what is shown, without what another one of these needs already."""
    needs = [BY_NAME[name] for name in component.depends_on if BY_NAME[name] in shown]
    return [each for each in needs if not any(each in all_needs(other) for other in needs)]


def all_needs(component: Component) -> list[Component]:
    """Everything it stands on, however far below."""
    needs = [BY_NAME[name] for name in component.depends_on]
    return needs + [below for each in needs for below in all_needs(each)]


def depth(component: Component, shown: Sequence[Component]) -> int:
    """The longest way to it from something that needs nothing of what is shown."""
    needs = [BY_NAME[name] for name in component.depends_on if BY_NAME[name] in shown]
    return 1 + max(depth(each, shown) for each in needs) if needs else 0


def label(component: Component) -> str:
    return f"{component.number} {component.title}"


def one_machine(chosen: WorkshopSettings) -> Diagram:
    """Session 1's end: one machine, state outside it."""
    boxes = (
        Box("visitors", "Visitors", 0, 0.5),
        Box("door", f"Security group\nTCP {chosen.app_port} from the world, no SSH", 1, 0.5, ("security-group",)),
        Box("machine", f"EC2 instance\n{chosen.instance_type}, IMDSv2\nVisitor Board", 2, 0.5, ("instance", "app")),
        Box("table", f"DynamoDB table\n{chosen.table_name}", 3, 0, ("table",)),
        Box("role", "IAM role\n4 actions on one table", 3, 1, ("role",)),
    )
    arrows = (
        Arrow("visitors", "door", f"HTTP:{chosen.app_port}"),
        Arrow("door", "machine"),
        Arrow("machine", "table", "reads and writes"),
        Arrow("machine", "role", "short-lived credentials"),
    )
    return Diagram("architecture-session-1", "Session 1: zero to live", boxes, arrows)


def many_machines(chosen: WorkshopSettings) -> Diagram:
    """Session 2's end: one door, as many machines as needed, a loop that decides."""
    sizes = f"{chosen.minimum_size} to {chosen.maximum_size} instances"
    boxes = (
        Box("visitors", "Visitors", 0, 1),
        Box("balancer", f"Load balancer\n{chosen.availability_zones} zones", 1, 1, ("load-balancer", "listener")),
        Box("targets", f"Target group\nGET {chosen.health_path}", 2, 1, ("target-group",)),
        Box("group", f"Auto Scaling group\n{sizes}", 2, 0, ("auto-scaling-group",)),
        Box("template", "Launch template\nimage, user data, role", 1, 0, ("launch-template",)),
        Box("policy", f"Scaling policy\nCPU {chosen.target_cpu:g} %", 3, 0, ("scaling-policy",)),
        Box(
            "machine_a",
            f"Instance in zone a\nadmits only the balancer\nto TCP {chosen.app_port}",
            3,
            1,
            ("security-group", "app"),
        ),
        Box(
            "machine_b",
            f"Instance in zone b\nadmits only the balancer\nto TCP {chosen.app_port}",
            3,
            2,
            ("security-group", "app"),
        ),
        Box("table", f"DynamoDB table\n{chosen.table_name}", 4, 1, ("table",)),
        Box("role", "IAM role\n4 actions on one table", 4, 2, ("role",)),
    )
    arrows = (
        Arrow("visitors", "balancer", f"HTTP:{chosen.listener_port}"),
        Arrow("balancer", "targets"),
        Arrow("targets", "machine_a"),
        Arrow("targets", "machine_b"),
        Arrow("template", "group", "what"),
        Arrow("policy", "group", "how many"),
        Arrow("group", "targets", "registers"),
        Arrow("machine_a", "policy", "CPU per minute"),
        Arrow("machine_a", "table"),
        Arrow("machine_b", "table"),
        Arrow("machine_b", "role", "credentials"),
    )
    return Diagram("architecture-session-2", "Session 2: scaling to millions", boxes, arrows)
