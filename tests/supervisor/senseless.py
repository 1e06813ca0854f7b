"""Requests of the right form and without sense: values for every member of an operation's input. Pure, seeded."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape

WORDS = (
    *("", "x", "*", "-1", "0", "é\x07", "a b", "y" * 300, "true", "$Latest", "%", "../..", "[", "resolve:ssm:/none"),
    *("i-0123456789abcdef0", "sg-0123456789abcdef0", "subnet-1", "ami-1", "arn:aws:none", "arn:aws:iam::1:role/r"),
    *("eu-north-1a", "10.0.0.0/33", "2026-01-01T00:00:00Z", "cpu:Average", "1/0", "m1 + m2", "0 25 * * *"),
)
NUMBERS = (-1, 0, 1, 7, 65536, 2**31)
DEPTH = 4
"""Levels of structures that are filled; below, only what must be there."""


def senseless(operation: OperationModel, seed: int) -> dict[str, Any]:
    if operation.input_shape is None:
        return {}
    dice = random.Random(f"{operation.name} {seed}")  # the same again for the same operation and seed
    return _structure(operation.input_shape, dice, 0)


def _structure(shape: StructureShape, dice: random.Random, depth: int) -> dict[str, Any]:
    share = 0.7 if depth < DEPTH else 0.0
    return {
        name: _value(member, dice, depth + 1)
        for name, member in shape.members.items()
        if name in shape.required_members or dice.random() < share
        if name != "DryRun"
    }


def _value(shape: Shape, dice: random.Random, depth: int) -> Any:
    if isinstance(shape, StructureShape):
        return _structure(shape, dice, depth)
    if isinstance(shape, ListShape):
        return [_value(shape.member, dice, depth) for _ in range(dice.choice((0, 1, 1, 2)) if depth <= DEPTH else 0)]
    if isinstance(shape, MapShape):
        return {dice.choice(WORDS[1:]): _value(shape.value, dice, depth) for _ in range(dice.choice((0, 1)))}
    if isinstance(shape, StringShape):
        return dice.choice(shape.enum) if shape.enum and dice.random() < 0.8 else dice.choice(WORDS)
    match shape.type_name:
        case "boolean":
            return dice.random() < 0.5
        case "timestamp":
            return datetime.fromtimestamp(dice.choice((0, 1, 2_000_000_000)), UTC)
        case "blob":
            return dice.choice((b"", b"\x00\xff", b"text"))
        case "float" | "double":
            return dice.choice((-1.5, 0.0, 1e300))
        case _:
            return dice.choice(NUMBERS)
