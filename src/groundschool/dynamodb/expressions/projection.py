"""Projection expressions: parsed once per text, applied to items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from groundschool.dynamodb.expressions.condition import Names
from groundschool.dynamodb.expressions.document_path import References, look_up
from groundschool.dynamodb.expressions.lexer import TokenStream
from groundschool.dynamodb.expressions.syntax import Path
from groundschool.dynamodb.values.attribute_value import Item, Value

_KIND = "ProjectionExpression"


@dataclass(frozen=True, slots=True)
class Projection:
    """The paths to keep of each item."""

    paths: tuple[Path, ...]
    names: frozenset[str]

    def apply(self, item: Item) -> Item:
        """What the item has at the paths; skipped list elements leave no gap."""
        return project(self.paths, item)


@lru_cache(maxsize=1024)
def compile_projection(text: str, names: Names) -> Projection:
    """Raises ValidationException in AWS's words."""
    stream = TokenStream(_KIND, text)
    refers = References(stream, dict(names), ("reserved", "undefined", "overlap", "conflict"))
    refers.path()
    while stream.take(","):
        refers.path()
    stream.expect_end()
    refers.check_overlaps(refers.paths)
    refers.raise_first_problem()
    return Projection(tuple(refers.paths), frozenset(refers.names))


def project_names(names: Sequence[str]) -> Projection:
    """The projection of the legacy parameter AttributesToGet."""
    return Projection(tuple((name,) for name in names), frozenset())


def project(paths: Sequence[Path], item: Item) -> Item:
    """A new item with what is found at the paths, in its own structure."""
    if all(len(path) == 1 for path in paths):
        return {path[0]: item[path[0]] for path in paths if path[0] in item}
    tree: dict[str | int, Any] = {}
    for path in paths:
        value = look_up(item, path)
        if value is not None:
            branch = tree
            for step in path[:-1]:
                branch = branch.setdefault(step, {})
            branch[path[-1]] = _Leaf(value)
    return {str(name): _grow(branch) for name, branch in tree.items()}


@dataclass(frozen=True, slots=True)
class _Leaf:
    value: Value


def _grow(branch: _Leaf | Mapping[str | int, Any]) -> Value:
    if isinstance(branch, _Leaf):
        return branch.value
    if all(isinstance(step, int) for step in branch):
        return {"L": [_grow(branch[step]) for step in sorted(branch)]}
    return {"M": {name: _grow(inner) for name, inner in branch.items()}}
