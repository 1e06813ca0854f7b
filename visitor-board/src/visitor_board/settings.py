"""Every setting, read once from the environment (12-factor)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


class SettingError(Exception):
    """A variable has a value that makes no sense; the message names it and says what is allowed."""


def _setting(variable: str, default: Any, help_text: str, *, least: float = 0, most: float = float("inf")) -> Any:
    metadata = {"variable": variable, "help": help_text, "least": least, "most": most}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """The board's settings. ``python -m visitor_board serve --help`` prints this table."""

    host: str = _setting("HOST", "127.0.0.1", "address to listen on; 0.0.0.0 on an instance")
    port: int = _setting("PORT", 8080, "port to listen on; 0 takes a free one", most=65535)
    table_name: str = _setting("TABLE_NAME", "workshop_messages", "the DynamoDB table")
    region: str = _setting("AWS_REGION", "eu-north-1", "region to sign for (AWS_DEFAULT_REGION is read too)")
    endpoint: str = _setting(
        "DYNAMODB_ENDPOINT_URL",
        "",
        "DynamoDB's address; AWS_ENDPOINT_URL_DYNAMODB and AWS_ENDPOINT_URL go first",
    )
    model: str = _setting("BOARD_MODEL", "feed", "feed (one Query per page) or scan (the older design)")
    write_shards: int = _setting(
        "BOARD_WRITE_SHARDS", 1, "partition keys the feed is spread over; one takes 1,000 writes/s", least=1, most=64
    )
    cache_seconds: float = _setting("BOARD_CACHE_SECONDS", 0.0, "how stale an instance's newest page may be; 0 = never")
    message_days: float = _setting("BOARD_MESSAGE_DAYS", 0.0, "days until a message expires by TTL; 0 = never")
    posts_per_minute: int = _setting(
        "BOARD_POSTS_PER_MINUTE", 0, "posts a client address may send to one instance per minute; 0 = no limit"
    )
    threads: int = _setting("BOARD_THREADS", 8, "requests handled at the same time", least=1, most=256)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Reads the variables; an empty one counts as unset. Raises SettingError."""
        values = {one.name: _read(one, environment) for one in fields(cls)}
        values["region"] = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or cls.region
        settings = cls(**values)
        if settings.model not in ("feed", "scan"):
            raise SettingError(f"BOARD_MODEL is {settings.model!r}; it must be feed or scan.")
        return settings

    @classmethod
    def table(cls) -> list[tuple[str, str, str]]:
        """(variable, default, help) of every setting, for the command line's help and the docs."""
        return [(one.metadata["variable"], str(one.default), one.metadata["help"]) for one in fields(cls)]


def _read(setting: Any, environment: Mapping[str, str]) -> Any:
    variable, kind = setting.metadata["variable"], type(setting.default)
    text = environment.get(variable, "").strip()
    if not text:
        return setting.default
    if kind is str:
        return text
    least, most = setting.metadata["least"], setting.metadata["most"]
    try:
        value = kind(text)
    except ValueError:
        raise SettingError(f"{variable} is {text!r}; it must be a number.") from None
    if not least <= value <= most:
        raise SettingError(f"{variable} is {text}; it must be from {least:g} to {most:g}.")
    return value
