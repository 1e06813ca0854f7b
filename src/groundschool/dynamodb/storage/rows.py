"""The rows of one table or index: sorted by encoded keys, each carrying its item as ready-made JSON and its size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from groundschool.dynamodb.storage.database import Database
from groundschool.dynamodb.tables.item_key import KeyBytes

Row = tuple[bytes, int]
"""The item's JSON and its size in bytes as DynamoDB counts it."""

ROWS_AT_A_TIME = 64


class SortRange(NamedTuple):
    """A run of sort keys; None is no bound."""

    low: bytes | None = None
    high: bytes | None = None
    low_included: bool = True
    high_included: bool = True


EVERYTHING = SortRange()


class Run(NamedTuple):
    """Which rows to read, in which order.

    With a ``partition`` its rows within ``sort``; without one all rows whose encoded partition key is at least
    ``from_partition`` and below ``to_partition``. ``after`` is the position of the row before the first one.
    """

    partition: bytes | None = None
    sort: SortRange = EVERYTHING
    from_partition: bytes | None = None
    to_partition: bytes | None = None
    after: tuple[bytes, ...] | None = None
    forward: bool = True


class Selection(NamedTuple):
    """A run of rows as a statement and its arguments."""

    sql: str
    arguments: tuple[bytes | int, ...]


class Rows:
    """Rows addressed by ``columns``: partition and sort key, and for indexes the key of the table's item as well."""

    columns: tuple[str, ...] = ("pk", "sk")

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._execute = database.execute
        self.name = name
        where = " AND ".join(f"{column}=?" for column in self.columns)
        marks = ",".join("?" * (len(self.columns) + 2))
        self._get = f"SELECT json,size FROM {name} WHERE {where}"  # noqa: S608 - names are made here
        self._put = f"INSERT OR REPLACE INTO {name} VALUES ({marks})"  # noqa: S608
        self._delete = f"DELETE FROM {name} WHERE {where}"  # noqa: S608

    def create(self) -> None:
        declared = ",".join(f"{column} BLOB NOT NULL" for column in self.columns)
        self._execute(
            f"CREATE TABLE {self.name} ({declared},size INTEGER NOT NULL,json BLOB NOT NULL,"
            f"PRIMARY KEY ({','.join(self.columns)})) WITHOUT ROWID"
        )

    def drop(self) -> None:
        self._execute(f"DROP TABLE {self.name}")

    def get(self, key: tuple[bytes, ...]) -> Row | None:
        row: Row | None = self._execute(self._get, key).fetchone()
        return row

    def put(self, key: tuple[bytes, ...], json: bytes, size: int) -> None:
        self._execute(self._put, (*key, size, json))

    def delete(self, key: tuple[bytes, ...]) -> None:
        self._execute(self._delete, key)

    def count(self) -> tuple[int, int]:
        """How many rows, and the sum of their sizes. Reads all of them."""
        counted: tuple[int, int] = self._execute(
            f"SELECT COUNT(*),COALESCE(SUM(size),0) FROM {self.name}"  # noqa: S608
        ).fetchone()
        return counted

    def collection_size(self, partition: bytes) -> int:
        """The sum of the sizes of one partition's rows."""
        (size,) = self._execute(
            f"SELECT COALESCE(SUM(size),0) FROM {self.name} WHERE pk=?",  # noqa: S608
            (partition,),
        ).fetchone()
        return int(size)

    def select(self, run: Run, limit: int | None = None, *, sizes: bool = True) -> Selection:
        """The rows of a run, at most ``limit`` of them; without ``sizes`` their JSON alone."""
        conditions, arguments = self._conditions(run)
        ordered = self.columns if run.partition is None else self.columns[1:]
        direction = "" if run.forward else " DESC"
        sql = f"SELECT {'json,size' if sizes else 'json'} FROM {self.name}"  # noqa: S608
        if conditions:
            sql += f" WHERE {' AND '.join(conditions)}"
        sql += f" ORDER BY {','.join(column + direction for column in ordered)}"
        if limit is not None:
            sql += " LIMIT ?"
            arguments.append(limit)
        return Selection(sql, tuple(arguments))

    def read(self, selection: Selection) -> Iterator[list[Row]]:
        """The selected rows, a few at a time."""
        cursor = self._execute(selection.sql, selection.arguments)
        while rows := cursor.fetchmany(ROWS_AT_A_TIME):
            yield rows
            if len(rows) < ROWS_AT_A_TIME:
                return

    def read_json(self, selection: Selection) -> list[bytes]:
        """The JSON of a selection without sizes, all at once."""
        return [json for (json,) in self._execute(selection.sql, selection.arguments).fetchall()]

    def _conditions(self, run: Run) -> tuple[list[str], list[bytes | int]]:
        conditions: list[str] = []
        arguments: list[bytes | int] = []

        def require(condition: str, *values: bytes) -> None:
            conditions.append(condition)
            arguments.extend(values)

        positions = self.columns
        if run.partition is not None:
            require("pk=?", run.partition)
            positions = self.columns[1:]
            sort = run.sort
            if sort.low is not None:
                require("sk>=?" if sort.low_included else "sk>?", sort.low)
            if sort.high is not None:
                require("sk<=?" if sort.high_included else "sk<?", sort.high)
        if run.from_partition is not None:
            require("pk>=?", run.from_partition)
        if run.to_partition is not None:
            require("pk<?", run.to_partition)
        if run.after is not None:
            operator = ">" if run.forward else "<"
            require(f"({','.join(positions)}){operator}({','.join('?' * len(positions))})", *run.after)
        return conditions, arguments


class IndexRows(Rows):
    """Rows of a secondary index: several items may share an index key, so the table's key tells them apart."""

    columns = ("pk", "sk", "base_pk", "base_sk")


def index_position(index_key: KeyBytes, table_key: KeyBytes) -> tuple[bytes, bytes, bytes, bytes]:
    """The address of an item's entry in an index."""
    return (*index_key, *table_key)
