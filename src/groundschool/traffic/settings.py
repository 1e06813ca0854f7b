"""What one run of the load generator shall do: the value its parent hands to the child process."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from groundschool.traffic.load_shape import LoadShape


class Loop(StrEnum):
    """Who decides when the next request starts."""

    OPEN = "open"
    """The schedule: requests arrive whether or not earlier ones were answered, as from millions of strangers."""
    CLOSED = "closed"
    """The users: each sends its next request a think time after its last answer, so a slow system gets less load."""


@dataclass(frozen=True)
class LoadSettings:
    """One run. Times in seconds."""

    base_url: str
    """Scheme, address and port to connect to, without a path."""
    shape: LoadShape
    """Requests per second (open loop) or users (closed loop) over time."""
    loop: Loop = Loop.OPEN
    host_header: str | None = None
    """The name to ask for when it is not the address: ``*.localhost`` names are not resolvable everywhere."""
    post_share: float = 0.1
    """Posts among all requests; the rest are page views. A board is read far more often than written."""
    think_seconds: float = 1.0
    """Closed loop: the mean pause of a user; each pause is drawn between half and one and a half of it."""
    timeout: float = 30.0
    """A request without an answer for so long has failed. Below the load balancer's idle timeout of 60 s."""
    max_connections: int = 250
    """Open loop: requests in flight at once; more wait, and their waiting counts as latency."""
    drain_seconds: float = 10.0
    """When the load ends: how long to wait for the answers still due. What is unanswered then has failed."""
    acknowledged_file: str | None = None
    """Takes the id of every acknowledged post, a line each, so that loss can be checked later."""
    acknowledged_limit: int = 100_000
    """Lines in that file at most (about 4 MB)."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> LoadSettings:
        return cls(**(data | {"shape": shape_from_json(data["shape"]), "loop": Loop(data["loop"])}))


def shape_from_json(data: dict[str, Any]) -> LoadShape:
    return LoadShape(tuple((at, level) for at, level in data["points"]), data["ends"])
