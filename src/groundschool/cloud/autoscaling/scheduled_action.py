"""Scheduled actions: when a group changes its size by the calendar. Pure.

The calendar is real time (as every timestamp of the lab): a recurrence of ``0 9 * * *`` means nine o'clock at every
speed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_NAMES = {
    **{name: str(number) for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))},
    **{
        name: str(number)
        for number, name in enumerate(
            ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
        )
    },
}
_HORIZON = timedelta(days=366 * 4 + 1)
"""The longest wait a five-field expression can mean: 29 February."""


@dataclass(frozen=True)
class Recurrence:
    """A Unix cron expression of five fields (minute, hour, day of month, month, day of week)."""

    expression: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @classmethod
    def parse(cls, expression: str) -> Recurrence:
        """Raises ValueError, naming the field that is wrong."""
        fields = expression.lower().split()
        if len(fields) != len(_FIELDS):
            raise ValueError(f"a recurrence has five fields, not {len(fields)}: {expression!r}")
        minutes, hours, days, months, weekdays = (
            _numbers(text, low, high) for text, (low, high) in zip(fields, _FIELDS, strict=True)
        )
        return cls(expression, minutes, hours, days, months, frozenset(day % 7 for day in weekdays))

    def next_after(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """The first minute after ``moment`` (aware) that matches in ``zone``, in UTC; None if there is none."""
        local = moment.astimezone(zone).replace(second=0, microsecond=0, tzinfo=None) + timedelta(minutes=1)
        end = local + _HORIZON
        while local < end:
            if not self._day_matches(local):
                local = local.replace(hour=0, minute=0) + timedelta(days=1)
            elif local.hour not in self.hours:
                local = local.replace(minute=0) + timedelta(hours=1)
            elif local.minute not in self.minutes:
                local += timedelta(minutes=1)
            else:
                return local.replace(tzinfo=zone).astimezone(UTC)
        return None

    def _day_matches(self, local: datetime) -> bool:
        """Cron's rule: with both day fields restricted, either may match."""
        if local.month not in self.months:
            return False
        by_day, by_weekday = local.day in self.days, local.isoweekday() % 7 in self.weekdays
        if len(self.days) < 31 and len(self.weekdays) < 7:
            return by_day or by_weekday
        return by_day and by_weekday


def _numbers(text: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        try:
            start = low if first == "*" else int(_NAMES.get(first, first))
            end = int(_NAMES.get(last, last)) if last else (high if first == "*" or step else start)
            found.update(range(start, end + 1, int(step or 1)))
        except ValueError:
            raise ValueError(f"{part!r} is not a field of a recurrence") from None
        if not low <= start <= end <= high:
            raise ValueError(f"{part!r} is outside {low}-{high}")
    return frozenset(found)


@dataclass(frozen=True)
class ScheduledAction:
    """Sizes to set at a time, once or again and again. Times are real; None sizes stay as they are."""

    name: str
    arn: str
    min_size: int | None
    max_size: int | None
    desired_capacity: int | None
    start_time: datetime | None
    end_time: datetime | None
    recurrence: Recurrence | None
    time_zone: str = "UTC"

    def next_after(self, moment: datetime) -> datetime | None:
        """When it runs next after ``moment``; None: never again."""
        if self.recurrence is None:
            return self.start_time if self.start_time and self.start_time > moment else None
        # A start time in the future is itself a possible run: the minute before it is the last that is too early.
        after = max(moment, self.start_time - timedelta(minutes=1)) if self.start_time else moment
        due = self.recurrence.next_after(after, ZoneInfo(self.time_zone))
        return None if due is None or (self.end_time and due > self.end_time) else due
