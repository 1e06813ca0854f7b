"""Tags that a request gives to what it makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def tags_for(resource_type: str, given: Mapping[str, Any]) -> dict[str, str]:
    """Those of ``TagSpecifications`` for resources of this type (``instance``, ``image``, ...). Pure."""
    return {
        tag["Key"]: tag.get("Value") or ""
        for specification in given.get("TagSpecifications") or ()
        if specification.get("ResourceType") == resource_type
        for tag in specification.get("Tags") or ()
    }
