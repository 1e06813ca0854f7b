"""Update expressions compiled and applied.

Every operand sees the item as it was before the update (AWS: UpdateItem, UpdateExpression). The legacy parameter
AttributeUpdates becomes the same :class:`Change` values, so both are applied by one piece of code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from groundschool.dynamodb.api_error import validation
from groundschool.dynamodb.expressions.condition import Names, Values
from groundschool.dynamodb.expressions.document_path import look_up, undefined_value
from groundschool.dynamodb.expressions.syntax import Action, Arithmetic, Call, Document, Operand, Path, Placeholder
from groundschool.dynamodb.expressions.update_parser import parse_update
from groundschool.dynamodb.values import number
from groundschool.dynamodb.values.attribute_value import Item, Value, type_of

_KIND = "UpdateExpression"
_SETS = frozenset({"SS", "NS", "BS"})
_TYPE_NAMES = {"S": "STRING", "N": "NUMBER", "B": "BINARY", "NULL": "NULL", "BOOL": "BOOLEAN", "L": "LIST", "M": "MAP"}
_WRONG_TYPE = "An operand in the update expression has an incorrect data type"
_MISSING = "The provided expression refers to an attribute that does not exist in the item"
_BAD_PATH = "The document path provided in the update expression is invalid for update"


@dataclass(frozen=True, slots=True)
class Change:
    """One resolved step: put ``value`` at the path, or remove what is there (None)."""

    path: Path
    value: Value | None


@dataclass(frozen=True, slots=True)
class CompiledUpdate:
    """An update expression ready to be applied."""

    actions: tuple[Action, ...]
    names: frozenset[str]
    values: frozenset[str]
    paths: tuple[Path, ...]

    def check(self, values: Values) -> None:
        """Raises for undefined values, and for operands of types a section does not take."""
        for name in self.values:
            if name not in values:
                raise undefined_value(_KIND, name)
        for action in self.actions:
            problem = _operand_problem(action, values)
            if problem is not None:
                raise validation(f"Invalid {_KIND}: {problem}")

    def changes(self, item: Item, values: Values) -> list[Change]:
        """What the actions do to ``item``, which is not changed."""
        return [_change(action, item, values) for action in self.actions]


@lru_cache(maxsize=2048)
def compile_update(text: str, names: Names) -> CompiledUpdate:
    """Raises ValidationException in AWS's words."""
    parsed = parse_update(text, dict(names))
    return CompiledUpdate(parsed.actions, parsed.names, parsed.values, tuple(action.path for action in parsed.actions))


def _operand_problem(action: Action, values: Values) -> str | None:
    operand = action.operand
    if isinstance(operand, Arithmetic):
        return _function_problem(operand.operator, (operand.left, operand.right), "N", values)
    if isinstance(operand, Call):
        return _call_problem(operand, values)
    if action.section in ("ADD", "DELETE") and isinstance(operand, Placeholder):
        kind = type_of(values[operand.name])
        if kind not in _SETS and not (action.section == "ADD" and kind == "N"):
            return (
                f"Incorrect operand type for operator or function; operator: {action.section}, "
                f"operand type: {_TYPE_NAMES[kind]}, typeSet: ALLOWED_FOR_{action.section}_OPERAND"
            )
    return None


def _function_problem(name: str, operands: Sequence[Operand], wanted: str, values: Values) -> str | None:
    for operand in operands:
        if isinstance(operand, Placeholder):
            kind = type_of(values[operand.name])
            if kind != wanted:
                return (
                    "Incorrect operand type for operator or function; "
                    f"operator or function: {name}, operand type: {kind}"
                )
        elif isinstance(operand, Call):
            problem = _call_problem(operand, values)
            if problem is not None:
                return problem
    return None


def _call_problem(call: Call, values: Values) -> str | None:
    if call.name == "list_append":
        return _function_problem(call.name, call.arguments, "L", values)
    inner = call.arguments[1]
    return _call_problem(inner, values) if isinstance(inner, Call) else None


def _change(action: Action, item: Item, values: Values) -> Change:
    if action.operand is None:
        return Change(action.path, None)
    if isinstance(action.operand, Arithmetic):
        return Change(action.path, _arithmetic(action.operand, item, values))
    operand = _resolve(action.operand, item, values)
    if action.section == "SET":
        return Change(action.path, operand)
    existing = look_up(item, action.path)
    return Change(action.path, _SECTIONS[action.section](existing, operand))


def _resolve(operand: Operand, item: Item, values: Values) -> Value:
    match operand:
        case Placeholder(name):
            return values[name]
        case Document(path):
            value = look_up(item, path)
            if value is None:
                raise validation(_MISSING)
            return value
        case Call("if_not_exists", (Document(path), otherwise)):
            value = look_up(item, path)
            return _resolve(otherwise, item, values) if value is None else value
        case Call(_, arguments):
            first, second = (_resolve(argument, item, values) for argument in arguments)
            if "L" not in first or "L" not in second:
                raise validation(_WRONG_TYPE)
            return {"L": first["L"] + second["L"]}


def _arithmetic(operation: Arithmetic, item: Item, values: Values) -> Value:
    left, right = _resolve(operation.left, item, values), _resolve(operation.right, item, values)
    if "N" not in left or "N" not in right:
        raise validation(_WRONG_TYPE)
    calculate = number.add if operation.operator == "+" else number.subtract
    return {"N": calculate(left["N"], right["N"])}


def added(existing: Value | None, operand: Value) -> Value:
    """ADD: a sum of numbers, or a union of sets; the attribute is created when missing."""
    kind = type_of(operand)
    if existing is None:
        return operand
    if type_of(existing) != kind:
        raise validation(_WRONG_TYPE)
    if kind == "N":
        return {"N": number.add(existing["N"], operand["N"])}
    known = set(existing[kind])
    return {kind: existing[kind] + [member for member in operand[kind] if member not in known]}


def subtracted(existing: Value | None, operand: Value) -> Value | None:
    """DELETE: the set without the members; nothing is left of an empty set."""
    if existing is None:
        return None
    kind = type_of(operand)
    if type_of(existing) != kind:
        raise validation(_WRONG_TYPE)
    gone = set(operand[kind])
    left = [member for member in existing[kind] if member not in gone]
    return {kind: left} if left else None


_SECTIONS: dict[str, Callable[[Value | None, Value], Value | None]] = {"ADD": added, "DELETE": subtracted}


def apply_changes(item: Item, changes: Sequence[Change]) -> Item:
    """A new item with the changes; ``item`` is not changed. Raises when a path leads nowhere."""
    changed: Item = dict(item)
    nested = [change for change in changes if len(change.path) > 1]
    if nested:
        for name in {str(change.path[0]) for change in nested} & changed.keys():
            changed[name] = _copy(changed[name])
    lists: dict[int, _ListEdit] = {}
    for change in changes:
        if len(change.path) > 1:
            _apply_nested(changed, change, lists)
        elif change.value is None:
            changed.pop(str(change.path[0]), None)
        else:
            changed[str(change.path[0])] = change.value
    for edit in lists.values():
        edit.finish()
    return changed


class _ListEdit:
    """Removals and additions of one list, done last so that every index means the list as it was."""

    def __init__(self, members: list[Value]) -> None:
        self.members = members
        self.removed: set[int] = set()
        self.beyond: list[tuple[int, Value]] = []

    def finish(self) -> None:
        kept = [member for index, member in enumerate(self.members) if index not in self.removed]
        self.members[:] = kept + [value for _, value in sorted(self.beyond, key=lambda pair: pair[0])]


def _apply_nested(item: Item, change: Change, lists: dict[int, _ListEdit]) -> None:
    parent = look_up(item, change.path[:-1])
    last = change.path[-1]
    members: Any = None if parent is None else parent.get("L" if isinstance(last, int) else "M")
    if members is None:
        raise validation(_BAD_PATH)
    if not isinstance(last, int):
        if change.value is None:
            members.pop(last, None)
        else:
            members[last] = change.value
        return
    edit = lists.setdefault(id(members), _ListEdit(members))
    if change.value is None:
        edit.removed.add(last)
    elif last < len(members):
        members[last] = change.value
    else:
        edit.beyond.append((last, change.value))


def _copy(value: Value) -> Value:
    if "M" in value:
        return {"M": {name: _copy(member) for name, member in value["M"].items()}}
    if "L" in value:
        return {"L": [_copy(member) for member in value["L"]]}
    return value
