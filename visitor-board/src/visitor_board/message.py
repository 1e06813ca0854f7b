"""A message: its id, which is its place in time, and which texts are taken."""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

MAX_CHARACTERS = 500
MAX_BYTES = 1800
"""In UTF-8. With its key and attributes a message stays below 2 KB: at most 2 write units."""

_ID = re.compile(r"[0-9a-f]{12}7[0-9a-f]{19}")
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class InvalidText(Exception):
    """The text is not taken; the message tells the author why."""


@dataclass(frozen=True)
class Message:
    """One message as shown: ``id`` is a UUIDv7 in hex, ``instance`` the instance that took the post."""

    id: str
    text: str
    instance: str

    @property
    def posted_at(self) -> datetime:
        """UTC, from the id."""
        return datetime.fromtimestamp(int(self.id[:12], 16) / 1000, UTC)


def new_id(unix_seconds: float) -> str:
    """A UUIDv7 (RFC 9562) in hex: 48 bits of milliseconds, then random. It sorts by time, and no two are equal."""
    variant = 0b10 << 62
    return f"{first_id(unix_seconds)}7{secrets.randbits(12):03x}{variant | secrets.randbits(62):016x}"


def first_id(unix_seconds: float) -> str:
    """What every id of that millisecond begins with: a bound for reading."""
    return f"{max(0, int(unix_seconds * 1000)):012x}"


def is_id(text: str) -> bool:
    """Whether the text is a well-formed message id."""
    return _ID.fullmatch(text) is not None


def checked(text: str, *, as_sent: bool = False) -> str:
    """The text as it is stored: trimmed, line ends as ``\\n``. Raises InvalidText.

    ``as_sent`` counts the characters before that: a JSON schema can promise no other limit. A browser's form counts
    line ends as one character and sends two.
    """
    if as_sent and len(text) > MAX_CHARACTERS:
        raise InvalidText(f"The message has {len(text)} characters; the board takes {MAX_CHARACTERS}.")
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise InvalidText("The message contains half a character (a lone surrogate).") from None
    if not any(_visible(character) for character in text):
        raise InvalidText("The message is empty.")
    if len(text) > MAX_CHARACTERS:
        raise InvalidText(f"The message has {len(text)} characters; the board takes {MAX_CHARACTERS}.")
    if size > MAX_BYTES:
        raise InvalidText(f"The message has {size} bytes; the board takes {MAX_BYTES}.")
    for character in text:
        if (unicodedata.category(character) == "Cc" and character not in "\n\t") or character in _BIDI_CONTROLS:
            raise InvalidText(f"The message contains the control character U+{ord(character):04X}.")
    return text


def _visible(character: str) -> bool:
    return not character.isspace() and unicodedata.category(character) not in ("Cc", "Cf", "Mn", "Zs")
