"""The live view of a group, as a rich renderable. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from groundschool.workshop.observation import Alarm, Observation, Target

HISTORY = 60
"""Looks that the capacity timeline shows."""

BLOCKS = " ▁▂▃▄▅▆▇█"
BAR = 30
ACTIVITIES = 4
ALARM_STYLES = {"OK": "green", "ALARM": "bold red", "INSUFFICIENT_DATA": "yellow"}
TARGET_STYLES = {"healthy": "green", "initial": "yellow", "draining": "yellow", "unhealthy": "bold red"}


@dataclass(frozen=True)
class Scene:
    """The last looks, oldest first, and the share of the requests each instance answered (0 to 1)."""

    looks: tuple[Observation, ...]
    shares: dict[str, float]

    @property
    def now(self) -> Observation:
        return self.looks[-1]

    @property
    def before(self) -> Observation:
        """The look before; at the first one the same, so that nothing has changed."""
        return self.looks[-2] if len(self.looks) > 1 else self.looks[-1]


def view(scene: Scene) -> RenderableType:
    now = scene.now
    parts = [_capacity(scene), _cpu(now), _alarms(now.alarms), _members(scene), _activities(now)]
    title = f"{now.group_name} · {now.at.astimezone():%H:%M:%S}"
    return Panel(Group(*parts), title=title, subtitle="Ctrl-C ends", title_align="left", subtitle_align="left")


def _capacity(scene: Scene) -> Table:
    now, grid = scene.now, _grid()
    desired = [look.desired for look in scene.looks]
    in_service = [len(look.in_service) for look in scene.looks]
    top = max(*desired, *in_service, 1)
    grid.add_row("Desired", Text(f"{now.desired:2d}  {timeline(desired, top)}", style="cyan"))
    grid.add_row("In service", Text(f"{len(now.in_service):2d}  {timeline(in_service, top)}", style="green"))
    grid.add_row("Limits", Text(f"{now.minimum:2d} to {now.maximum}"))
    return grid


def timeline(values: list[int], top: int) -> str:
    """One block per value; the highest block is ``top``."""
    return "".join(BLOCKS[min(len(BLOCKS) - 1, round(value / top * (len(BLOCKS) - 1)))] for value in values)


def _cpu(now: Observation) -> Table:
    grid = _grid()
    target = now.cpu_target
    if now.cpu is None:
        grid.add_row("Group CPU", Text("no data yet", style="yellow"))
        return grid
    per_cent = now.cpu.per_cent
    over = target is not None and per_cent > target
    text = Text(f"{per_cent:3.0f} %  ", style="bold red" if over else "green")
    text.append(bar(per_cent, target))
    if target is not None:
        text.append(f"  target {target:g} %", style="default")
    grid.add_row("Group CPU", text)
    return grid


def bar(per_cent: float, target: float | None) -> str:
    """A bar of 100 %, with a mark at the target."""
    filled = round(min(per_cent, 100) / 100 * BAR)
    cells = ["█" if cell < filled else "·" for cell in range(BAR)]
    if target is not None:
        cells[min(BAR - 1, round(target / 100 * BAR))] = "|"
    return "".join(cells)


def _alarms(alarms: tuple[Alarm, ...]) -> Table:
    grid = _grid()
    text = Text("none yet")
    if alarms:
        text = Text("   ").join(
            Text.assemble(f"{one.short_name} ", (one.state, ALARM_STYLES.get(one.state, ""))) for one in alarms
        )
    grid.add_row("Alarms", text)
    return grid


def _members(scene: Scene) -> Table:
    """The group's instances, and those that serve beside it: the one built by hand in session 1."""
    table = Table("Instance", "Zone", "Lifecycle", "Target health", "Requests", box=None, padding=(0, 2, 0, 0))
    targets = {target.instance_id: target for target in scene.now.targets}
    for member in scene.now.members:
        table.add_row(
            member.instance_id,
            member.availability_zone,
            member.lifecycle_state,
            _health(targets.pop(member.instance_id, None)),
            _share(scene, member.instance_id),
        )
    for instance_id, target in targets.items():
        table.add_row(instance_id, "", "not in the group", _health(target), _share(scene, instance_id))
    return table


def _health(target: Target | None) -> Text:
    if target is None:
        return Text("not registered", style="dim")
    reason = f" ({target.reason})" if target.reason else ""
    return Text(f"{target.state}{reason}", style=TARGET_STYLES.get(target.state, ""))


def _share(scene: Scene, instance_id: str) -> str:
    share = scene.shares.get(instance_id)
    return "" if share is None else f"{share:4.0%} {'█' * round(share * 20)}"


def _activities(now: Observation) -> Table:
    table = Table("", "Last activities", box=None, padding=(0, 2, 0, 0))
    for activity in now.activities[:ACTIVITIES]:
        cause = Text(" ".join(activity.cause.split()), style="dim")
        what = Text.assemble(f"{activity.description}: {activity.status}. ", cause)
        table.add_row(f"{activity.started.astimezone():%H:%M:%S}", what)
    return table


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=12)
    grid.add_column()
    return grid
