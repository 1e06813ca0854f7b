"""CloudFormation's templates as Python reads them, and what their intrinsic functions come to."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cfnlint.decode.cfn_yaml import load

INFRA = Path(__file__).parents[2] / "infra"
SESSION_1, SESSION_2 = INFRA / "session-1-single-node.yaml", INFRA / "session-2-scalable-tier.yaml"
FOUNDATION, BUDGET = INFRA / "foundation.yaml", INFRA / "budget.yaml"
TEMPLATES = (FOUNDATION, SESSION_1, SESSION_2, BUDGET)

NO_VALUE = object()
NAMED = re.compile(r"\$\{(!?)([^}]+)\}")


def read(path: Path) -> dict[str, Any]:
    """The template with ``!Ref`` and the like in their long form."""
    return load(str(path))


@dataclass
class Stack:
    """A template with its parameters given. ``made`` is what AWS made of a resource: its ``Ref`` and its attributes, by
    logical id; ``imports`` the exports of other stacks."""

    template: Mapping[str, Any]
    parameters: Mapping[str, Any]
    made: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    imports: Mapping[str, Any] = field(default_factory=dict)

    def resources(self) -> dict[str, dict[str, Any]]:
        """Logical id -> type and properties, of the resources whose condition holds."""
        return {
            name: {"Type": each["Type"], "Properties": self.resolve(each.get("Properties", {}))}
            for name, each in self.template["Resources"].items()
            if "Condition" not in each or self.holds(each["Condition"])
        }

    def exports(self) -> dict[str, Any]:
        """Export name -> value."""
        outputs = self.template["Outputs"].values()
        return {self.resolve(each["Export"]["Name"]): self.resolve(each["Value"]) for each in outputs}

    def holds(self, condition: str) -> bool:
        return bool(self.resolve(self.template["Conditions"][condition]))

    def parameter(self, name: str) -> Any:
        if name in self.parameters:
            return self.parameters[name]
        return self.template["Parameters"][name]["Default"]

    def resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [one for each in value if (one := self.resolve(each)) is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(name, argument)] = value.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self.intrinsic(name, argument)
        resolved = {key: self.resolve(each) for key, each in value.items()}
        return {key: each for key, each in resolved.items() if each is not NO_VALUE}

    def intrinsic(self, name: str, argument: Any) -> Any:
        match name, argument:
            case "Ref", "AWS::NoValue":
                return NO_VALUE
            case "Ref", str():
                return self.referred(argument)
            case "Fn::GetAtt", [resource, attribute]:
                return self.made[resource][attribute]
            case "Fn::Sub", str():
                return self.substituted(argument, {})
            case "Fn::Sub", [text, variables]:
                return self.substituted(text, self.resolve(variables))
            case "Fn::If", [condition, yes, no]:
                return self.resolve(yes if self.holds(condition) else no)
            case "Fn::Equals", [one, other]:
                return str(self.resolve(one)) == str(self.resolve(other))
            case "Fn::Not", [condition]:
                return not self.resolve(condition)
            case "Fn::Select", [index, values]:
                return self.resolve(values)[int(index)]
            case "Fn::Base64", _:
                return base64.b64encode(str(self.resolve(argument)).encode()).decode()
            case "Fn::ImportValue", _:
                return self.imports[self.resolve(argument)]
        raise AssertionError(f"{name} of {argument!r} is not known here")

    def referred(self, name: str) -> Any:
        return self.made[name]["Ref"] if name in self.made else self.parameter(name)

    def substituted(self, text: str, variables: Mapping[str, Any]) -> str:
        def value(found: re.Match[str]) -> str:
            literal, name = found.groups()
            if literal:
                return f"${{{name}}}"
            if name in variables:
                return str(variables[name])
            resource, _, attribute = name.partition(".")
            return str(self.made[resource][attribute] if attribute else self.referred(name))

        return NAMED.sub(value, text)
