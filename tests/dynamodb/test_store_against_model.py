"""The store and an independent model of DynamoDB's semantics do the same steps; after each they must agree.

The model is a dict of Python values. It shares nothing with the store: no encodings, no expressions, no SQLite.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from .stores import Local, Refused

to_wire, from_wire = TypeSerializer().serialize, TypeDeserializer().deserialize

partitions = st.sampled_from(["a", "b", "\u00fc"])
sorts = st.sampled_from([Decimal(text) for text in ("-10", "-1.5", "0", "2", "2.25", "10", "100000000000000000000")])
groups = st.sampled_from(["red", "green", None])
numbers = st.integers(-5, 5).map(Decimal)
values = st.one_of(numbers, st.text(max_size=3), st.booleans(), st.none(), st.lists(numbers, max_size=3))
Key = tuple[str, Decimal]


def wire(item: dict[str, Any]) -> dict[str, Any]:
    return {name: to_wire(value) for name, value in item.items()}


def plain(item: dict[str, Any]) -> dict[str, Any]:
    return {name: from_wire(value) for name, value in item.items()}


class StoreAndModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.store = Local()
        self.model: dict[Key, dict[str, Any]] = {}
        self.indexes: set[str] = set()

    @initialize()
    def create(self) -> None:
        self.store.table(sort="N", attributes=[{"AttributeName": "g", "AttributeType": "S"}], **self._index("first"))
        self.indexes = {"first"}

    def _index(self, name: str) -> dict[str, Any]:
        return {"GlobalSecondaryIndexes": [self._index_definition(name)]}

    def _index_definition(self, name: str) -> dict[str, Any]:
        return {
            "IndexName": name,
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["v"]},
        }

    @rule(pk=partitions, sk=sorts, group=groups, value=values, new_only=st.booleans())
    def put(self, pk: str, sk: Decimal, group: str | None, value: Any, new_only: bool) -> None:
        item = {"pk": pk, "sk": sk, "v": value, **({"g": group} if group else {})}
        condition = {"ConditionExpression": "attribute_not_exists(pk)"} if new_only else {}
        refused = self._refused("PutItem", Item=wire(item), **condition)
        assert refused == (new_only and (pk, sk) in self.model)
        if not refused:
            self.model[pk, sk] = item

    @rule(pk=partitions, sk=sorts, wanted=values)
    def delete_if_equal(self, pk: str, sk: Decimal, wanted: Any) -> None:
        refused = self._refused(
            "DeleteItem",
            Key=wire({"pk": pk, "sk": sk}),
            ConditionExpression="v = :v",
            ExpressionAttributeValues={":v": to_wire(wanted)},
        )
        old = self.model.get((pk, sk))
        same = old is not None and "v" in old and type(old["v"]) is type(wanted) and old["v"] == wanted
        assert refused == (not same)
        if same:
            del self.model[pk, sk]

    @rule(pk=partitions, sk=sorts)
    def delete(self, pk: str, sk: Decimal) -> None:
        answer = self.store("DeleteItem", TableName="items", Key=wire({"pk": pk, "sk": sk}), ReturnValues="ALL_OLD")
        assert plain(answer.get("Attributes", {})) == self.model.pop((pk, sk), {})

    @rule(pk=partitions, sk=sorts, step=numbers)
    def count(self, pk: str, sk: Decimal, step: Decimal) -> None:
        answer = self.store(
            "UpdateItem",
            TableName="items",
            Key=wire({"pk": pk, "sk": sk}),
            UpdateExpression="SET c = if_not_exists(c, :zero) + :step REMOVE v",
            ExpressionAttributeValues={":zero": {"N": "0"}, ":step": to_wire(step)},
            ReturnValues="ALL_NEW",
        )
        item = self.model.setdefault((pk, sk), {"pk": pk, "sk": sk})
        item.pop("v", None)
        item["c"] = item.get("c", 0) + step
        assert plain(answer["Attributes"]) == item

    @rule(pk=partitions, sk=sorts, group=groups)
    def move_between_groups(self, pk: str, sk: Decimal, group: str | None) -> None:
        update = (
            {"UpdateExpression": "SET g = :g", "ExpressionAttributeValues": {":g": {"S": group}}}
            if group
            else {"UpdateExpression": "REMOVE g"}
        )
        self.store("UpdateItem", TableName="items", Key=wire({"pk": pk, "sk": sk}), **update)
        item = self.model.setdefault((pk, sk), {"pk": pk, "sk": sk})
        item.pop("g", None)
        if group:
            item["g"] = group

    @rule(keys=st.lists(st.tuples(partitions, sorts), min_size=2, max_size=3, unique=True), value=values)
    def transact(self, keys: list[Key], value: Any) -> None:
        """The first item must exist; all others are put: all or nothing."""
        check, *puts = keys
        members: list[dict[str, Any]] = [
            {
                "ConditionCheck": {
                    "TableName": "items",
                    "Key": wire({"pk": check[0], "sk": check[1]}),
                    "ConditionExpression": "attribute_exists(pk)",
                }
            }
        ]
        items = [{"pk": pk, "sk": sk, "v": value} for pk, sk in puts]
        members += [{"Put": {"TableName": "items", "Item": wire(item)}} for item in items]
        refused = self._refused("TransactWriteItems", table=False, TransactItems=members)
        assert refused == (check not in self.model)
        if not refused:
            self.model.update({(item["pk"], item["sk"]): item for item in items})

    @precondition(lambda self: "second" not in self.indexes)
    @rule()
    def add_index(self) -> None:
        self.store(
            "UpdateTable", TableName="items", GlobalSecondaryIndexUpdates=[{"Create": self._index_definition("second")}]
        )
        self.indexes.add("second")
        self._fill()

    @precondition(lambda self: "second" in self.indexes)
    @rule()
    def remove_index(self) -> None:
        self.store("UpdateTable", TableName="items", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "second"}}])
        self.indexes.remove("second")

    def _fill(self) -> None:
        self.store.filling.step()
        self.store.database.commit()

    def _refused(self, operation: str, table: bool = True, **params: Any) -> bool:
        try:
            self.store(operation, **({"TableName": "items"} if table else {}), **params)
        except Refused as refusal:
            if refusal.code not in ("ConditionalCheckFailedException", "TransactionCanceledException"):
                raise
            return True
        return False

    @invariant()
    def queries_agree(self) -> None:
        for pk in ("a", "b", "\u00fc"):
            expected = [self.model[key] for key in sorted(key for key in self.model if key[0] == pk)]
            assert self._query("pk", pk) == expected

    @invariant()
    def indexes_agree(self) -> None:
        for index in self.indexes:
            for group in ("red", "green"):
                found = self._query("g", group, IndexName=index)
                members = [item for item in self.model.values() if item.get("g") == group]
                names = {"pk", "sk", "g", "v"}
                expected = [{name: value for name, value in item.items() if name in names} for item in members]
                assert [item["sk"] for item in found] == sorted(item["sk"] for item in members)
                assert sorted(map(_comparable, found)) == sorted(map(_comparable, expected))

    @invariant()
    def counts_agree(self) -> None:
        described = self.store("DescribeTable", TableName="items")["Table"]
        assert described["ItemCount"] == len(self.model)
        for index in described["GlobalSecondaryIndexes"]:
            assert index["ItemCount"] == sum("g" in item for item in self.model.values())

    def _query(self, name: str, value: str, **more: Any) -> list[dict[str, Any]]:
        answer = self.store(
            "Query",
            TableName="items",
            KeyConditionExpression="#k = :k",
            ExpressionAttributeNames={"#k": name},
            ExpressionAttributeValues={":k": {"S": value}},
            **more,
        )
        return [plain(item) for item in answer["Items"]]

    def teardown(self) -> None:
        self.store.close()


def _comparable(item: dict[str, Any]) -> str:
    return repr(sorted(item.items()))


StoreAndModel.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestStoreAndModel = StoreAndModel.TestCase
