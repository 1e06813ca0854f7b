"""The keys of items, checked against a key schema and turned into the bytes rows are sorted by."""

from __future__ import annotations

from groundschool.dynamodb.api_error import ApiError, invalid_parameters, validation
from groundschool.dynamodb.tables.definition import KeyAttribute, KeySchema, TableDefinition
from groundschool.dynamodb.values import attribute_value, key_encoding
from groundschool.dynamodb.values.attribute_value import Item, type_of

KeyBytes = tuple[bytes, bytes]
"""Encoded partition key (led by its hash) and encoded sort key (empty without one)."""

MAX_HASH_BYTES = 2048
MAX_RANGE_BYTES = 1024
"""AWS: service quotas, "Partition keys and sort keys"."""

MISMATCH = "The provided key element does not match the schema"


def key_of_request(schema: KeySchema, key: Item) -> KeyBytes:
    """The bytes of the Key parameter, whose values were not checked yet."""
    for value in key.values():
        attribute_value.check(value)
    if len(key) != len(schema.names):
        raise validation(MISMATCH)
    return _encode(schema, key)


def key_of_item(schema: KeySchema, item: Item) -> KeyBytes:
    """The bytes of the key of a whole, checked item."""
    for attribute in schema:
        value = item.get(attribute.name)
        if value is None:
            raise invalid_parameters(f"Missing the key {attribute.name} in the item")
        if attribute.type not in value:
            raise invalid_parameters(
                f"Type mismatch for key {attribute.name} expected: {attribute.type} actual: {type_of(value)}"
            )
    return _encode(schema, item)


def stored_key(schema: KeySchema, item: Item) -> KeyBytes:
    """The bytes of the key of a stored item: nothing to check."""
    return (
        key_encoding.partition(item[schema.hash.name], schema.hash.type),
        b"" if schema.range is None else key_encoding.encode(item[schema.range.name], schema.range.type),
    )


def _encode(schema: KeySchema, key: Item) -> KeyBytes:
    partition = _piece(schema.hash, key)
    if len(partition) > MAX_HASH_BYTES:
        raise invalid_parameters("Size of hashkey has exceeded the maximum size limit of2048 bytes")
    sort = b""
    if schema.range is not None:
        sort = _piece(schema.range, key)
        if len(sort) > MAX_RANGE_BYTES:
            raise invalid_parameters("Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
    return key_encoding.partition(key[schema.hash.name], schema.hash.type), sort


def _piece(attribute: KeyAttribute, key: Item) -> bytes:
    value = key.get(attribute.name)
    if value is None or attribute.type not in value:
        raise validation(MISMATCH)
    encoded = key_encoding.encode(value, attribute.type)
    if not encoded:
        raise validation(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            f"empty {_EMPTY[attribute.type]} value. Key: {attribute.name}"
        )
    return encoded


_EMPTY = {"S": "string", "B": "binary"}


def check_index_keys(definition: TableDefinition, item: Item) -> None:
    """The index key attributes an item has must be of the index's types, not empty and not too long."""
    for index in definition.indexes:
        for attribute in index.key:
            value = item.get(attribute.name)
            if value is None:
                continue
            if attribute.type not in value:
                raise invalid_parameters(
                    f"Type mismatch for Index Key {attribute.name} Expected: {attribute.type} "
                    f"Actual: {type_of(value)} IndexName: {index.name}"
                )
            size = len(key_encoding.encode(value, attribute.type))
            if size == 0:
                raise _empty_index_key(index.name, attribute)
            limit = MAX_HASH_BYTES if attribute is index.key.hash else MAX_RANGE_BYTES
            if size > limit:
                kind = "hashkey" if attribute is index.key.hash else "range key"
                raise invalid_parameters(
                    f"Size of {kind} has exceeded the maximum size limit of {limit} bytes. IndexName: {index.name}"
                )


def _empty_index_key(index_name: str, attribute: KeyAttribute) -> ApiError:
    return validation(
        "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
        f"The AttributeValue for a key attribute cannot contain an empty {_EMPTY[attribute.type]} value. "
        f"IndexName: {index_name}, IndexKey: {attribute.name}"
    )
