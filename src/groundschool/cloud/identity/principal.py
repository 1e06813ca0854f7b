"""Who is behind an access key."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from groundschool.cloud.passive.identity_records import Statement


@dataclass(frozen=True)
class Secret:
    """What the holder of an access key id must know; never shown."""

    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Principal:
    arn: str
    user_id: str
    statements: tuple[Statement, ...] | None
    """None: the lab's own administrator, who may do everything."""
    secret: Secret
    expires_at: float = inf
    """Unix seconds at which temporary credentials end."""
