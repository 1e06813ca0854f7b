"""What the parsers produce."""

from __future__ import annotations

from dataclasses import dataclass

Path = tuple[str | int, ...]
"""A document path: attribute names and list indexes, the first one a name."""


@dataclass(frozen=True, slots=True)
class Document:
    """An operand that is looked up in the item."""

    path: Path


@dataclass(frozen=True, slots=True)
class Placeholder:
    """An operand from ExpressionAttributeValues, with its colon."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function; ``size`` is an operand, the others of a condition are conditions."""

    name: str
    arguments: tuple[Operand, ...]


Operand = Document | Placeholder | Call


@dataclass(frozen=True, slots=True)
class Comparison:
    """``left operator right`` with one of ``= <> < <= > >=``."""

    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Between:
    """``operand BETWEEN low AND high``, bounds included."""

    operand: Operand
    low: Operand
    high: Operand


@dataclass(frozen=True, slots=True)
class Membership:
    """``operand IN (choices)``."""

    operand: Operand
    choices: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """``NOT condition``."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Combination:
    """Two or more conditions joined by ``AND`` or by ``OR``."""

    operator: str
    parts: tuple[Condition, ...]


Condition = Comparison | Between | Membership | Not | Combination | Call
Node = Condition | Operand


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``left + right`` or ``left - right`` in a SET action."""

    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Action:
    """One action of an update expression; REMOVE has no operand."""

    section: str
    path: Path
    operand: Operand | Arithmetic | None


def show(path: Path) -> str:
    """A path as AWS writes it in errors: ``[map, [1], name]``."""
    return "[" + ", ".join(f"[{step}]" if isinstance(step, int) else step for step in path) + "]"
