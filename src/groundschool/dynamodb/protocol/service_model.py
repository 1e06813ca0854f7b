"""Input shapes, from botocore's service model of DynamoDB: types and constraints, in AWS's words.

Each operation's input shape is compiled to one closure on its first use. AttributeValues are left alone here: they are
checked, made canonical and measured in one walk by :mod:`groundschool.dynamodb.values.attribute_value`.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from groundschool.dynamodb.api_error import ApiError, serialization, validation
from groundschool.dynamodb.values.attribute_value import wire_type_error

Problems = list[str]
Check = Callable[[Any, str, Problems], Any]
"""Takes a JSON value, its place in the input and the problems so far; returns the value as the shape reads it."""

_API_VERSION = "2012-08-10"
_MAX_PROBLEMS = 10
_JAVA_TYPES = {"integer": "Integer", "long": "Long", "double": "Double", "string": "String", "boolean": "Boolean"}
_TRUE, _FALSE = frozenset({"TRUE", "1", "YES"}), frozenset({"FALSE", "0", "NO"})


class ServiceModel:
    """The operations of the API and their input shapes."""

    def __init__(self) -> None:
        model = _load()
        self._shapes: dict[str, Any] = model["shapes"]
        self._inputs = {name: operation["input"]["shape"] for name, operation in model["operations"].items()}
        self._compiled: dict[str, Check] = {}
        self.operations = frozenset(self._inputs)
        """Every operation AWS has, supported here or not."""

    def check_input(self, operation: str, body: Any) -> dict[str, Any]:
        """The input without nulls and unknown members. Raises SerializationException or ValidationException."""
        problems: Problems = []
        checked: dict[str, Any] = self._check(self._inputs[operation])(body, "", problems)
        if problems:
            plural = "s" if len(problems) > 1 else ""
            shown = "; ".join(problems[:_MAX_PROBLEMS])
            raise validation(f"{min(len(problems), _MAX_PROBLEMS)} validation error{plural} detected: {shown}")
        return checked

    def _check(self, name: str) -> Check:
        check = self._compiled.get(name)
        if check is None:
            # A shape may contain itself: until it is compiled, its name is looked up again when called.
            self._compiled[name] = lambda value, place, problems: self._compiled[name](value, place, problems)
            check = self._compiled[name] = self._compile(name, self._shapes[name])
        return check

    def _compile(self, name: str, shape: dict[str, Any]) -> Check:
        if name == "AttributeValue":
            return lambda value, place, problems: value  # noqa: ARG005 - a Check like the others
        match shape["type"]:
            case "structure":
                return self._structure(shape)
            case "list":
                return self._list(shape)
            case "map":
                return self._map(shape)
            case "boolean":
                return _boolean
            case kind:
                return _constrained(_scalar(_JAVA_TYPES.get(kind, "String")), shape)

    def _structure(self, shape: dict[str, Any]) -> Check:
        members = {name: (self._check(member["shape"]), _camel(name)) for name, member in shape["members"].items()}
        required = [(name, _camel(name)) for name in shape.get("required", ())]

        def check(value: Any, place: str, problems: Problems) -> Any:
            if type(value) is not dict:
                raise _not_a_structure(value)
            prefix = f"{place}." if place else ""
            checked = {}
            for name, content in value.items():
                member = members.get(name)
                if member is not None and content is not None:
                    checked[name] = member[0](content, prefix + member[1], problems)
            for name, shown in required:
                if name not in checked:
                    problems.append(_problem(None, prefix + shown, "Member must not be null"))
            return checked

        return check

    def _list(self, shape: dict[str, Any]) -> Check:
        member = self._check(shape["member"]["shape"])

        def check(value: Any, place: str, problems: Problems) -> Any:
            if type(value) is not list:
                raise serialization(
                    "Start of structure or map found where not expected"
                    if isinstance(value, dict)
                    else "Unexpected field type"
                )
            return [
                member(each, f"{place}.{position}.member", problems) if each is not None else each
                for position, each in enumerate(value, 1)
                if each is not None
            ]

        return _constrained(check, shape)

    def _map(self, shape: dict[str, Any]) -> Check:
        key, content = self._check(shape["key"]["shape"]), self._check(shape["value"]["shape"])
        opaque = shape["value"]["shape"] == "AttributeValue"

        def check(value: Any, place: str, problems: Problems) -> Any:
            if type(value) is not dict:
                raise _not_a_structure(value)
            if opaque:
                # Items and keys: the hot path. Their values are checked later, their names have no constraint to fail.
                return {name: each for name, each in value.items() if each is not None}
            return {
                key(name, f"{place}.key", problems): content(each, f"{place}.{name}.member", problems)
                for name, each in value.items()
                if each is not None
            }

        return _constrained(check, shape)


def _load() -> dict[str, Any]:
    """botocore's own file, read without importing botocore: its import alone would triple the time to readiness."""
    spec = find_spec("botocore")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("botocore is not installed")
    path = Path(spec.origin).parent / "data" / "dynamodb" / _API_VERSION / "service-2.json.gz"
    model: dict[str, Any] = _without_documentation(orjson.loads(gzip.decompress(path.read_bytes())))
    return model


def _without_documentation(node: Any) -> Any:
    """Nine tenths of the file, and nothing a server needs in memory."""
    if isinstance(node, list):
        return [_without_documentation(each) for each in node]
    if not isinstance(node, dict):
        return node
    texts = [name for name, inner in node.items() if name == "documentation" and isinstance(inner, str)]
    return {name: _without_documentation(inner) for name, inner in node.items() if name not in texts}


def _camel(name: str) -> str:
    return name[0].lower() + name[1:]


def _not_a_structure(value: Any) -> ApiError:
    return serialization(
        "Unrecognized collection type class java.util.Map" if isinstance(value, list) else "Unexpected field type"
    )


def _scalar(java_type: str) -> Check:
    wanted = str if java_type == "String" else int

    def check(value: Any, _place: str, _problems: Problems) -> Any:
        if type(value) is wanted:
            return value
        if wanted is int and type(value) is float and value == value // 1:
            return int(value)
        raise wire_type_error(value, java_type)

    return check


def _boolean(value: Any, _place: str, _problems: Problems) -> Any:
    if type(value) is bool:
        return value
    word = value.upper() if isinstance(value, str) else ""
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    if isinstance(value, str):
        raise serialization("Unexpected token received from parser")
    raise wire_type_error(value, "Boolean")


def _constrained(check: Check, shape: dict[str, Any]) -> Check:
    constraints = list(_constraints(shape))
    if not constraints:
        return check

    def checked(value: Any, place: str, problems: Problems) -> Any:
        value = check(value, place, problems)
        for holds, message in constraints:
            if not holds(value):
                problems.append(_problem(value, place, message))
        return value

    return checked


def _constraints(shape: dict[str, Any]) -> Iterator[tuple[Callable[[Any], bool], str]]:
    least, most = shape.get("min"), shape.get("max")
    if shape["type"] in ("integer", "long", "double"):
        if least is not None:
            yield (lambda value: value >= least), f"Member must have value greater than or equal to {least}"
        if most is not None:
            yield (lambda value: value <= most), f"Member must have value less than or equal to {most}"
    else:
        if least is not None:
            yield (lambda value: len(value) >= least), f"Member must have length greater than or equal to {least}"
        if most is not None:
            yield (lambda value: len(value) <= most), f"Member must have length less than or equal to {most}"
    if "pattern" in shape:
        pattern = re.compile(shape["pattern"])
        yield (
            (lambda value: pattern.fullmatch(value) is not None),
            f"Member must satisfy regular expression pattern: {shape['pattern']}",
        )
    if "enum" in shape:
        words = frozenset(shape["enum"])
        yield (lambda value: value in words), f"Member must satisfy enum value set: [{', '.join(shape['enum'])}]"


def _problem(value: Any, place: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{_show(value)}'"
    return f"Value {shown} at '{place}' failed to satisfy constraint: {constraint}"


def _show(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_show, value)) + "]"
    return value if isinstance(value, str) else orjson.dumps(value).decode()
