"""Two descriptions of one system, side by side: property by property, in both directions. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

IDENTITY = ("Key", "AttributeName", "Sid", "ResourceType", "DeviceName", "Description")
"""What tells the elements of a list apart, where their order means nothing."""


@dataclass(frozen=True)
class Mismatch:
    """One property that the two say differently; None where one of them says nothing."""

    resource: str
    path: str
    in_template: str | None
    in_lab: str | None

    def __str__(self) -> str:
        return f"{self.resource} {self.path}: the template says {self.in_template}, ground build made {self.in_lab}"


@dataclass(frozen=True)
class Declared:
    """A difference that is meant: exactly these two values, and why. ``path`` covers what lies below it too; ``...`` as
    a value is any, for what has a name or an id that nobody chose."""

    resource: str
    path: str
    in_template: str | None
    in_lab: str | None
    why: str

    def covers(self, found: Mismatch) -> bool:
        below = found.path == self.path or found.path.startswith((f"{self.path}.", f"{self.path}["))
        values = ((self.in_template, found.in_template), (self.in_lab, found.in_lab))
        return self.resource == found.resource and below and all(fits(*each) for each in values)


def fits(declared: str | None, seen: str | None) -> bool:
    return seen is not None if declared == "..." else declared == seen


def flat(value: Any, path: str = "") -> dict[str, str]:
    """Path -> scalar. Lists are sets: their elements are named by what identifies them, or else by their order."""
    if isinstance(value, dict):
        parts = {f"{path}.{key}".lstrip("."): each for key, each in value.items()}
    elif isinstance(value, list):
        parts = {f"{path}[{name}]": each for name, each in named(value)}
    else:
        return {path: plain(value)}
    return {name: scalar for at, each in parts.items() for name, scalar in flat(each, at).items()}


def named(values: list[Any]) -> Iterable[tuple[str, Any]]:
    for number, each in enumerate(sorted(values, key=lambda one: json.dumps(one, sort_keys=True, default=str))):
        key = next((key for key in IDENTITY if isinstance(each, dict) and key in each), None)
        if key is None:
            yield str(number), each
        else:
            yield str(each[key]), {name: value for name, value in each.items() if name != key}


def plain(value: Any) -> str:
    """A scalar as CloudFormation compares it: ``true`` is ``"true"`` and 50.0 is 50."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def compare(
    resource: str, in_template: Mapping[str, Any], in_lab: Mapping[str, Any], defaults: Mapping[str, str]
) -> list[Mismatch]:
    """Every property in which they differ. ``defaults`` are AWS's: what the template need not say."""
    template, lab = {**defaults, **flat(dict(in_template))}, flat(dict(in_lab))
    silent = defaults.keys() - lab.keys()
    paths = sorted((template.keys() | lab.keys()) - silent)
    return [
        Mismatch(resource, path, template.get(path), lab.get(path))
        for path in paths
        if template.get(path) != lab.get(path)
    ]
