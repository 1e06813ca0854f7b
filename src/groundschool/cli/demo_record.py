"""What the demo saw: told as it happens, kept for the summary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from rich.table import Table

from groundschool.cli.cost_view import amount
from groundschool.traffic.tally import LoadReport, Snapshot
from groundschool.workshop.cost import VCPUS, Bill, Usage
from groundschool.workshop.cost_design import READS_PER_PAGE, WRITES_PER_POST
from groundschool.workshop.observation import Observation
from groundschool.workshop.observation_changes import changes, status_line

STATUS_EVERY = 120.0
"""Lab seconds between two status lines: one per two datapoints of the CPU metric."""


@dataclass(frozen=True)
class Moment:
    """One look. ``at`` in real seconds since the demo started; ``rate`` in requests per second."""

    at: float
    seen: Observation
    rate: float
    failures: int

    @property
    def alarms(self) -> str:
        return ", ".join(alarm.short_name for alarm in self.seen.alarms if alarm.state == "ALARM") or "-"

    @property
    def row_key(self) -> tuple[object, ...]:
        """Rows of the timeline differ in this."""
        return (round(self.rate), self.seen.desired, len(self.seen.in_service), self.alarms)


class Record:
    """Takes a look at a time. ``now`` is real seconds since the demo started, ``say`` prints a line."""

    def __init__(self, speed: float, now: Callable[[], float], say: Callable[[str], None]) -> None:
        self._speed, self._now, self._say = speed, now, say
        self._moments: list[Moment] = []
        self._status_at = 0.0

    def tell(self, text: str) -> None:
        """A line with the time since the start and the lab's time."""
        now = self._now()
        lab = int(now * self._speed)
        self._say(f"{now:5.0f} s  {lab // 60:3d}:{lab % 60:02d} lab  {text}")

    def look(self, seen: Observation, snapshot: Snapshot | None, rate: float) -> None:
        """Tells what changed since the last look, and once per lab minute how it stands."""
        now = self._now()
        if self._moments:
            for event in changes(self._moments[-1].seen, seen):
                self.tell(event.says)
        failures = 0 if snapshot is None else snapshot.total_failures
        self._moments.append(Moment(now, seen, rate, failures))
        if (now - self._status_at) * self._speed >= STATUS_EVERY:
            self._status_at = now
            self.tell(f"{rate:.0f} requests/s, {failures} failed · {status_line(seen)}")

    @property
    def most_in_service(self) -> int:
        return max((len(moment.seen.in_service) for moment in self._moments), default=0)

    def usage(self, report: LoadReport, instance_type: str) -> Usage:
        """The run in AWS time: the same group, and the same request rate, for as long as the lab's clock says."""
        instance_seconds = vcpu_seconds = 0.0
        for earlier, later in pairwise(self._moments):
            span = (later.at - earlier.at) * self._speed * len(earlier.seen.members)
            cpu = earlier.seen.cpu.per_cent if earlier.seen.cpu else 0.0
            instance_seconds += span
            vcpu_seconds += span * VCPUS * cpu / 100
        posts = report.acknowledged_posts
        return Usage(
            seconds=(self._moments[-1].at - self._moments[0].at) * self._speed,
            instance_seconds=instance_seconds,
            instance_type=instance_type,
            vcpu_seconds=vcpu_seconds,
            new_connections=report.connections,
            processed_bytes=round(report.received_bytes * self._speed),
            read_units=(report.requests - posts) * READS_PER_PAGE * self._speed,
            write_units=posts * WRITES_PER_POST * self._speed,
            monitored_instance_seconds=instance_seconds,
            alarms=2,
        )

    def timeline(self) -> Table:
        """A row for each moment at which load, capacity or alarms changed."""
        table = Table("Time", "Lab time", "Requests/s", "CPU", "In ALARM", "Desired", "In service", "Failed", box=None)
        for earlier, moment in pairwise([None, *self._moments]):
            assert moment is not None
            if earlier is not None and earlier.row_key == moment.row_key:
                continue
            lab = int(moment.at * self._speed)
            cpu = "-" if moment.seen.cpu is None else f"{moment.seen.cpu.per_cent:.0f} %"
            table.add_row(
                f"{moment.at:.0f} s",
                f"{lab // 60}:{lab % 60:02d}",
                f"{moment.rate:.0f}",
                cpu,
                moment.alarms,
                str(moment.seen.desired),
                f"{len(moment.seen.in_service)} {'█' * len(moment.seen.in_service)}",
                str(moment.failures),
            )
        return table


def bill_table(bill: Bill) -> Table:
    """The lines of a bill that cost something."""
    table = Table(f"AWS {bill.region}", "Quantity", "Unit", "USD", box=None)
    for line in bill.lines:
        if line.quantity:
            table.add_row(line.what, f"{line.quantity:.4g}", line.unit, amount(line))
    table.add_row("Total", "", "", f"{bill.total:.4f}")
    return table
