"""GetResources, GetTagKeys and GetTagValues over all services of the lab."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from groundschool.cloud.call import Call, Params, Result
from groundschool.cloud.tagging.selection import page_of_names, page_of_resources, page_size, selection
from groundschool.cloud.tagging.tagged_resource import TaggedResource

Source = Callable[[str], Iterable[TaggedResource]]
"""What there is in a region, with the tags it has now, if any."""


class TaggingOperations:
    """What has no tag is left out, also what had one once, which AWS lists with none."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    def get_resources(self, call: Call, params: Params) -> Result:
        wanted, size = selection(params), page_size(params)
        found = (each for each in self._tagged(call.region) if each in wanted)
        shown, token = page_of_resources(found, size, params.get("PaginationToken"))
        return {
            "PaginationToken": token,
            "ResourceTagMappingList": [
                {
                    "ResourceARN": each.arn,
                    "Tags": [{"Key": key, "Value": value} for key, value in each.tags.items()],
                }
                for each in shown
            ],
        }

    def get_tag_keys(self, call: Call, params: Params) -> Result:
        keys = (key for each in self._tagged(call.region) for key in each.tags)
        shown, token = page_of_names(keys, params.get("PaginationToken"))
        return {"PaginationToken": token, "TagKeys": shown}

    def get_tag_values(self, call: Call, params: Params) -> Result:
        key = params["Key"]
        values = (each.tags[key] for each in self._tagged(call.region) if key in each.tags)
        shown, token = page_of_names(values, params.get("PaginationToken"))
        return {"PaginationToken": token, "TagValues": shown}

    def _tagged(self, region: str) -> Iterator[TaggedResource]:
        return (each for source in self._sources for each in source(region) if each.tags)
