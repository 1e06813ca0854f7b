"""Component 2: where the messages live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundschool.workshop.component import Action, Check, Component, absent, right, wrong
from groundschool.workshop.world import World, tag_map

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TableDescriptionTypeDef

KEYS = {"pk": "HASH", "sk": "RANGE"}


def find_table(world: World) -> TableDescriptionTypeDef | None:
    try:
        return world.dynamodb.describe_table(TableName=world.settings.table_name)["Table"]
    except world.dynamodb.exceptions.ResourceNotFoundException:
        return None


def expires_by(world: World) -> str | None:
    """The table's TTL attribute, None when TTL is off."""
    seen = world.dynamodb.describe_time_to_live(TableName=world.settings.table_name)["TimeToLiveDescription"]
    return seen.get("AttributeName") if seen.get("TimeToLiveStatus") in ("ENABLING", "ENABLED") else None


class Table(Component):
    """The DynamoDB table, paid per request, with expiry."""

    number = 2
    session = 1
    name = "table"
    title = "DynamoDB table"
    why = (
        "State lives outside the instances, so any instance may die and a second one can serve the same board at "
        "once; the price is a network round trip per request, and a key that must be designed for the queries "
        "before the first item."
    )

    def plan(self, world: World) -> list[Action]:
        name, attribute = world.settings.table_name, world.settings.expiry_attribute
        exists = find_table(world) is not None
        actions = []
        if not exists:
            actions.append(
                Action(f"Create DynamoDB table {name} (keys pk and sk, on demand)", lambda: create_table(world))
            )
        if not exists or expires_by(world) != attribute:
            actions.append(
                Action(f"Let items of {name} expire by {attribute}", lambda: enable_expiry(world)),
            )
        return actions

    def wait(self, world: World) -> None:
        wait_active(world)

    def inspect(self, world: World) -> Check:
        name, table = world.settings.table_name, find_table(world)
        if table is None:
            return absent(
                f"no DynamoDB table {name} in {world.region}",
                "Where are the messages when the instance is gone? And in which region did you look?",
            )
        keys = {key["AttributeName"]: key["KeyType"] for key in table.get("KeySchema", [])}
        if keys != KEYS:
            return wrong(
                f"{name} has the keys {', '.join(keys)}",
                "Which key finds the newest page without reading the whole table? Make the table anew with pk, sk.",
            )
        if expires_by(world) != world.settings.expiry_attribute:
            return wrong(f"items of {name} never expire", "Who deletes old messages, and what does each delete cost?")
        mode = table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
        return right(f"{name} is {table['TableStatus']}, keys pk and sk, {mode}")

    def removal(self, world: World) -> list[Action]:
        table = find_table(world)
        if table is None or table["TableStatus"] == "DELETING":
            return []
        tags = world.dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"]).get("Tags", [])
        world.must_own(f"DynamoDB table {world.settings.table_name}", tag_map(tags))
        return [Action(f"Delete DynamoDB table {world.settings.table_name} and its items", lambda: delete_table(world))]


def create_table(world: World) -> None:
    name = world.settings.table_name
    world.dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
        Tags=world.tag_list(name),
    )


def wait_active(world: World) -> None:
    name = world.settings.table_name

    def active() -> bool:
        table = find_table(world)
        return table is not None and table["TableStatus"] == "ACTIVE"

    world.wait(f"DynamoDB table {name} to be ACTIVE", active)


def enable_expiry(world: World) -> None:
    """AWS changes a table's TTL only while the table is ACTIVE."""
    wait_active(world)
    world.dynamodb.update_time_to_live(
        TableName=world.settings.table_name,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": world.settings.expiry_attribute},
    )


def delete_table(world: World) -> None:
    world.dynamodb.delete_table(TableName=world.settings.table_name)
    world.wait(f"DynamoDB table {world.settings.table_name} to be gone", lambda: find_table(world) is None)
