"""The settings of a lab: each with its default, unit and reason. Command line help and docs come from here."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from groundschool.errors import UsageError

BLOCKS = 60
"""How many labs can have addresses of their own on one machine: 127.0/127.1 to 127.118/127.119."""


_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[1-9]")
_ACCOUNT = re.compile(r"[0-9]{12}")


@dataclass(frozen=True)
class LabSettings:
    """Read from the environment (``GROUND_<NAME>``) by :func:`lab_settings`; an option of ``ground up`` wins."""

    home: Path = field(default=Path(".ground"), metadata={"help": "State folder; all that the lab writes is below it."})
    port: int = field(default=4561, metadata={"help": "Port of the AWS endpoint; the DynamoDB store has the next one."})
    speed: float = field(default=10.0, metadata={"help": "AWS seconds in one real second; 1 is AWS's own pace."})
    region: str = field(default="eu-north-1", metadata={"help": "The one AWS region the lab is."})
    account_id: str = field(default="123456789012", metadata={"help": "The AWS account number the lab answers with."})
    vcpu: float = field(
        default=0.0,
        metadata={"help": "One lab vCPU in host cores; 0 derives it from the host (t3.micro has two of them)."},
    )

    def __post_init__(self) -> None:
        if not 1024 <= self.port <= 65000:
            raise UsageError(f"GROUND_PORT must be between 1024 and 65000, not {self.port}")
        if not 0.1 <= self.speed <= 200:
            raise UsageError(f"GROUND_SPEED must be between 0.1 and 200, not {self.speed:g}")
        if not _REGION.fullmatch(self.region):
            raise UsageError(f"GROUND_REGION must be a region of AWS like eu-north-1, not {self.region}")
        if not _ACCOUNT.fullmatch(self.account_id):
            raise UsageError(f"GROUND_ACCOUNT_ID must be twelve digits, not {self.account_id}")
        if not 0 <= self.vcpu <= 8:
            raise UsageError(f"GROUND_VCPU must be between 0 (derive) and 8 host cores, not {self.vcpu:g}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def dynamodb_port(self) -> int:
        return self.port + 1

    @property
    def dynamodb_url(self) -> str:
        return f"http://127.0.0.1:{self.dynamodb_port}"

    @property
    def address_block(self) -> int:
        """Second octet of the lab's interface addresses; follows the port, so that two labs do not collide."""
        return (self.port - 4561) // 2 % BLOCKS * 2


def lab_settings(environment: Mapping[str, str] = os.environ, **given: Any) -> LabSettings:
    """Settings from the environment, over them what is ``given`` and not None. Raises UsageError naming the key."""
    values: dict[str, Any] = {}
    for each in fields(LabSettings):
        text = environment.get(f"GROUND_{each.name.upper()}")
        if text:
            values[each.name] = _parse(each.name, type(each.default), text)
    values |= {name: value for name, value in given.items() if value is not None}
    return LabSettings(**values)


def _parse(name: str, kind: Any, text: str) -> Any:
    try:
        return Path(text) if issubclass(kind, Path) else kind(text)
    except ValueError:
        raise UsageError(f"GROUND_{name.upper()} must be a {kind.__name__}, not {text!r}") from None
