"""A table's definition: key schema, indexes, billing, and everything else that DescribeTable tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from groundschool.dynamodb.values.attribute_value import Item

_NO_VALUE: Mapping[str, Any] = {}


@dataclass(frozen=True)
class KeyAttribute:
    """A key attribute and its type: ``S``, ``N`` or ``B``."""

    name: str
    type: str


@dataclass(frozen=True)
class KeySchema:
    """The partition key, and the sort key if there is one."""

    hash: KeyAttribute
    range: KeyAttribute | None = None

    def __iter__(self) -> Iterator[KeyAttribute]:
        yield self.hash
        if self.range is not None:
            yield self.range

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(attribute.name for attribute in self)


@dataclass(frozen=True)
class Throughput:
    """Provisioned capacity units per second; both zero when on demand."""

    read: int = 0
    write: int = 0


@dataclass(frozen=True)
class SecondaryIndex:
    """A local or global secondary index. ``storage_id`` names its rows; it is unique in the store."""

    name: str
    is_global: bool
    key: KeySchema
    projection_type: str
    non_key_attributes: tuple[str, ...]
    storage_id: int
    throughput: Throughput = Throughput()
    backfilling: bool = False
    """True while existing items are still being copied into a new index."""

    def covers_everything(self) -> bool:
        return self.projection_type == "ALL"

    def projected_names(self, table_key: KeySchema) -> frozenset[str]:
        """The attributes an entry carries; meaningless when everything is projected."""
        return frozenset((*self.key.names, *table_key.names, *self.non_key_attributes))

    def holds(self, item: Item) -> bool:
        """An item without all of the index's key attributes, of the right types, is not in it."""
        return all(item.get(attribute.name, _NO_VALUE).get(attribute.type) for attribute in self.key)


@dataclass(frozen=True)
class TableDefinition:
    """Everything about a table but its items. Times in Unix seconds."""

    account_id: str
    region: str
    name: str
    table_id: str
    storage_id: int
    created_at: float
    key: KeySchema
    attribute_definitions: tuple[KeyAttribute, ...]
    indexes: tuple[SecondaryIndex, ...] = ()
    on_demand: bool = False
    on_demand_since: float | None = None
    throughput: Throughput = Throughput()
    on_demand_limits: Mapping[str, int] | None = None
    table_class: str | None = None
    deletion_protection: bool = False
    ttl_attribute: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return table_arn(self.region, self.account_id, self.name)

    def index(self, name: str) -> SecondaryIndex | None:
        return next((index for index in self.indexes if index.name == name), None)

    def index_arn(self, index: SecondaryIndex) -> str:
        return f"{self.arn}/index/{index.name}"

    @property
    def has_local_indexes(self) -> bool:
        return any(not index.is_global for index in self.indexes)

    def with_index(self, changed: SecondaryIndex) -> TableDefinition:
        """The definition with the index of this name replaced, or added."""
        others = tuple(changed if index.name == changed.name else index for index in self.indexes)
        return replace(self, indexes=others if self.index(changed.name) else (*self.indexes, changed))


def table_arn(region: str, account_id: str, name: str) -> str:
    return f"arn:aws:dynamodb:{region}:{account_id}:table/{name}"


def to_json(definition: TableDefinition) -> dict[str, Any]:
    """For storage; :func:`from_json` is the inverse."""
    return asdict(definition)


def from_json(stored: Mapping[str, Any]) -> TableDefinition:
    values = dict(stored)
    values["key"] = _key_schema(stored["key"])
    values["attribute_definitions"] = _attributes(stored["attribute_definitions"])
    values["throughput"] = Throughput(**stored["throughput"])
    values["indexes"] = tuple(_index(index) for index in stored["indexes"])
    return TableDefinition(**values)


def _index(stored: Mapping[str, Any]) -> SecondaryIndex:
    values = dict(stored)
    values["key"] = _key_schema(stored["key"])
    values["non_key_attributes"] = tuple(stored["non_key_attributes"])
    values["throughput"] = Throughput(**stored["throughput"])
    return SecondaryIndex(**values)


def _key_schema(stored: Mapping[str, Any]) -> KeySchema:
    sort = stored["range"]
    return KeySchema(KeyAttribute(**stored["hash"]), None if sort is None else KeyAttribute(**sort))


def _attributes(stored: Iterable[Mapping[str, str]]) -> tuple[KeyAttribute, ...]:
    return tuple(KeyAttribute(**attribute) for attribute in stored)
