"""Which resources GetResources answers with, and in which pages. Pure.

AWS: Resource Groups Tagging API reference, GetResources.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.tagging.tagged_resource import TaggedResource

Row = TypeVar("Row")

RESOURCES_PER_PAGE = 50
"""When the request has no number; AWS names none."""
MOST_RESOURCES_PER_PAGE = 100
FEWEST_TAGS_PER_PAGE, MOST_TAGS_PER_PAGE = 100, 500
MOST_ARNS = 100

_AFTER = b"after "
"""What a token of ours says, so that another one is not taken for a place in the list."""


@dataclass(frozen=True)
class Selection:
    """Tag filters are all to be met, each by any of its values, or by the key alone when it has none."""

    tags: tuple[tuple[str, frozenset[str]], ...] = ()
    types: frozenset[str] = frozenset()
    """Services (``ec2``) and resource types (``ec2:instance``); none: all."""
    arns: frozenset[str] | None = None

    def __contains__(self, resource: TaggedResource) -> bool:
        return (
            (self.arns is None or resource.arn in self.arns)
            and (not self.types or not self.types.isdisjoint((resource.service, resource.resource_type)))
            and all(key in resource.tags and (not any_of or resource.tags[key] in any_of) for key, any_of in self.tags)
        )


@dataclass(frozen=True)
class PageSize:
    resources: int = RESOURCES_PER_PAGE
    tags: int | None = None


def selection(params: Mapping[str, Any]) -> Selection:
    """Of a GetResources request. Raises AwsError InvalidParameterException."""
    if params.get("IncludeComplianceDetails") or params.get("ExcludeCompliantResources"):
        raise invalid("The lab has no tag policies: ask without compliance details")
    arns = params.get("ResourceARNList")
    if arns is not None:
        for name in ("TagFilters", "ResourceTypeFilters", "ResourcesPerPage", "TagsPerPage", "PaginationToken"):
            if params.get(name):
                raise invalid(f"ResourceARNList and {name} cannot be in the same request")
        if not 1 <= len(arns) <= MOST_ARNS:
            raise invalid(f"ResourceARNList takes 1 to {MOST_ARNS} ARNs")
    return Selection(
        tuple((each["Key"], frozenset(each.get("Values") or ())) for each in params.get("TagFilters") or ()),
        frozenset(params.get("ResourceTypeFilters") or ()),
        None if arns is None else frozenset(arns),
    )


def page_size(params: Mapping[str, Any]) -> PageSize:
    """Of a GetResources request. Raises AwsError InvalidParameterException outside AWS's bounds."""
    if params.get("ResourceARNList"):
        return PageSize(MOST_ARNS)
    resources, tags = params.get("ResourcesPerPage"), params.get("TagsPerPage")
    if resources is not None and not 1 <= resources <= MOST_RESOURCES_PER_PAGE:
        raise invalid(f"ResourcesPerPage must be between 1 and {MOST_RESOURCES_PER_PAGE}")
    if tags is not None and not FEWEST_TAGS_PER_PAGE <= tags <= MOST_TAGS_PER_PAGE:
        raise invalid(f"TagsPerPage must be between {FEWEST_TAGS_PER_PAGE} and {MOST_TAGS_PER_PAGE}")
    return PageSize(RESOURCES_PER_PAGE if resources is None else resources, tags)


def page_of_resources(
    resources: Iterable[TaggedResource], size: PageSize, token: str | None
) -> tuple[list[TaggedResource], str]:
    """In the order of their ARNs; a resource and its tags are never split. For the token see :func:`page`."""
    rows = sorted(resources, key=lambda each: each.arn)
    return page(rows, size.resources, token, lambda each: each.arn, size.tags, lambda each: len(each.tags) or 1)


def page_of_names(names: Iterable[str], token: str | None) -> tuple[list[str], str]:
    """Tag keys or values, each once and sorted."""
    return page(sorted(set(names)), MOST_RESOURCES_PER_PAGE, token, lambda each: each)


def page(
    rows: Sequence[Row],
    most: int,
    token: str | None,
    name: Callable[[Row], str],
    most_weight: int | None = None,
    weight: Callable[[Row], int] = lambda _: 1,
) -> tuple[list[Row], str]:
    """The rows after the token's, as many as ``most`` and ``most_weight`` allow, and the next token.

    Sorted by ``name``. The token of the last page is the empty string, as AWS's is, whose reference says null.
    """
    last = _last_name(token)
    rest = [row for row in rows if last is None or name(row) > last]
    shown: list[Row] = []
    weighs = 0
    for row in rest[:most]:
        weighs += weight(row)
        if shown and most_weight is not None and weighs > most_weight:
            break
        shown.append(row)
    return shown, _token(name(shown[-1])) if len(shown) < len(rest) else ""


def _token(last: str) -> str:
    return base64.urlsafe_b64encode(_AFTER + last.encode()).decode()


def _last_name(token: str | None) -> str | None:
    if not token:
        return None
    try:
        decoded = base64.urlsafe_b64decode(token.encode())
        if decoded.startswith(_AFTER):
            return decoded.removeprefix(_AFTER).decode()
    except (binascii.Error, UnicodeError):
        pass
    raise invalid("The PaginationToken is not one that this service gave out")


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)
