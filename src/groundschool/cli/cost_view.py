"""Bills as tables for people and as JSON for programs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from groundschool.workshop.cost import Bill, BillLine
from groundschool.workshop.cost_design import Outlook

WIDTH = 110
"""Columns that the tables need. A file or a pipe gets them; a narrower terminal wraps the cells."""


def wide_console() -> Console:
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = max(console.width, WIDTH)
    return console


def bill_table(bill: Bill, title: str) -> Table:
    """A line for everything that is there, also for what was not used; ``Of`` counts the resources behind it."""
    table = Table(
        Column(title, no_wrap=True), "Of", "Quantity", Column("Price", no_wrap=True), "USD", "Source", box=None
    )
    for line in bill.lines:
        table.add_row(line.what, f"{len(line.of)}", quantity(line), price(line), amount(line), source(line))
    table.add_row("Total USD", "", "", "", f"{bill.total:.4f}", "")
    return table


def outlook_table(outlook: Outlook, title: str) -> Table:
    """The same lines for an hour, for the sessions and for a month."""
    table = Table(
        Column(title, no_wrap=True), Column("Price", no_wrap=True), "An hour", "Sessions", "A month", "Source", box=None
    )
    hours = {line.what: line for line in outlook.hour.lines}
    months = {line.what: line for line in outlook.month.lines}
    for line in outlook.sessions.lines:
        hour, month = hours.get(line.what), months.get(line.what)
        per_hour, per_month = (amount(hour) if hour else "-"), (amount(month, 2) if month else "-")
        table.add_row(line.what, price(line), per_hour, amount(line), per_month, source(line))
    totals = (f"{outlook.hour.total:.4f}", f"{outlook.sessions.total:.4f}", f"{outlook.month.total:.2f}")
    table.add_row("Total USD", "", *totals, "")
    return table


def notes(*bills: Bill) -> list[str]:
    """What lines have to say, each once; and whose price stands in for this region's."""
    said = []
    for line in (line for bill in bills for line in bill.lines):
        _, _, region = line.source.partition(", ")
        if region:
            said.append(f"{line.what}: at the price of {region}; that of {bills[0].region} is not known here")
        if line.note:
            said.append(f"{line.what}: {line.note}")
    return list(dict.fromkeys(said))


def quantity(line: BillLine) -> str:
    return "not measured" if line.quantity is None else f"{line.quantity:.4g}"


def price(line: BillLine) -> str:
    return "-" if line.price is None else f"{line.price:.5g}/{line.unit}"


def amount(line: BillLine, digits: int = 4) -> str:
    if line.amount is not None:
        return f"{line.amount:.{digits}f}"
    return "not measured" if line.quantity is None else "not priced"


def source(line: BillLine) -> str:
    return f"{line.source.partition(',')[0]} {line.recorded}"


def as_object(bill: Bill) -> dict[str, Any]:
    """For ``--json``; an amount that is not known is null, and its line's note says why."""
    lines = [{**asdict(line), "recorded": line.recorded.isoformat()} for line in bill.lines]
    return {"aws_seconds": bill.seconds, "total": bill.total, "lines": lines}


def outlook_object(outlook: Outlook) -> dict[str, Any]:
    return {
        "per_hour": as_object(outlook.hour),
        "sessions": as_object(outlook.sessions),
        "per_month": as_object(outlook.month),
    }


def prices_object(bill: Bill) -> dict[str, Any]:
    recorded: date = bill.recorded
    return {"region": bill.region, "recorded": recorded.isoformat(), "origin": bill.origin}
