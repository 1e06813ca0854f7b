"""All tables of all accounts and regions in one database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import orjson

from groundschool.dynamodb.api_error import table_not_found
from groundschool.dynamodb.storage.database import Database
from groundschool.dynamodb.storage.stored_table import StoredTable
from groundschool.dynamodb.tables.definition import SecondaryIndex, TableDefinition, from_json, to_json

TableKey = tuple[str, str, str]
"""Account, region, name."""

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS tables (account_id TEXT, region TEXT, name TEXT, definition BLOB NOT NULL,"
    " PRIMARY KEY (account_id, region, name)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS storage_ids (last INTEGER NOT NULL)",
    "INSERT INTO storage_ids SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM storage_ids)",
    "CREATE TABLE IF NOT EXISTS transaction_tokens (account_id TEXT, region TEXT, token TEXT, used_at REAL NOT NULL,"
    " fingerprint BLOB NOT NULL, PRIMARY KEY (account_id, region, token)) WITHOUT ROWID",
)
TOKEN_SECONDS = 600.0
"""AWS: TransactWriteItems, ClientRequestToken: a token is valid for 10 minutes."""


class Store:
    """Finds, creates and drops tables. Every method that writes opens the database's write group."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._tables: dict[TableKey, StoredTable] = {}
        for statement in _SCHEMA:
            database.execute(statement)
        self._load()
        database.on_rollback(self._load)

    def _load(self) -> None:
        rows = self.database.execute("SELECT definition FROM tables")
        definitions = [from_json(orjson.loads(stored)) for (stored,) in rows]
        self._tables = {_key(each): StoredTable(self.database, each) for each in definitions}

    def table(self, account_id: str, region: str, name: str) -> StoredTable:
        """Raises ResourceNotFoundException in the words of the data plane."""
        found = self._tables.get((account_id, region, name))
        if found is None:
            raise table_not_found()
        return found

    def find(self, account_id: str, region: str, name: str) -> StoredTable | None:
        return self._tables.get((account_id, region, name))

    def tables(self) -> Iterator[StoredTable]:
        yield from list(self._tables.values())

    def names(self, account_id: str, region: str) -> list[str]:
        """Sorted, as ListTables gives them."""
        return sorted(name for account, place, name in self._tables if (account, place) == (account_id, region))

    def new_storage_id(self) -> int:
        """A number no table or index of this store ever had."""
        self.database.begin()
        (number,) = self.database.execute("UPDATE storage_ids SET last=last+1 RETURNING last").fetchone()
        return int(number)

    def create(self, definition: TableDefinition) -> StoredTable:
        self.save(definition)
        table = StoredTable(self.database, definition)
        for rows in (table.rows, *table.index_rows.values()):
            rows.create()
        self._tables[_key(definition)] = table
        return table

    def save(self, definition: TableDefinition) -> None:
        """Stores a new or changed definition; rows of added or removed indexes are the caller's."""
        self.database.begin()
        self.database.execute(
            "INSERT OR REPLACE INTO tables VALUES (?,?,?,?)", (*_key(definition), orjson.dumps(to_json(definition)))
        )
        table = self._tables.get(_key(definition))
        if table is not None:
            table.redefine(definition)

    def add_index(self, table: StoredTable, index: SecondaryIndex) -> None:
        """Makes the empty rows of a new index and stores the definition with it."""
        self.save(table.definition.with_index(index))
        table.index_rows[index.name].create()

    def drop_index(self, table: StoredTable, name: str) -> None:
        self.database.begin()
        table.index_rows[name].drop()
        kept = tuple(index for index in table.definition.indexes if index.name != name)
        self.save(replace(table.definition, indexes=kept))

    def drop(self, table: StoredTable) -> None:
        self.database.begin()
        for rows in (table.rows, *table.index_rows.values()):
            rows.drop()
        self.database.execute("DELETE FROM tables WHERE account_id=? AND region=? AND name=?", _key(table.definition))
        del self._tables[_key(table.definition)]

    def used_token(self, account_id: str, region: str, token: str, now: float) -> bytes | None:
        """The fingerprint of the request that used this transaction token within its validity."""
        row = self.database.execute(
            "SELECT fingerprint FROM transaction_tokens WHERE account_id=? AND region=? AND token=? AND used_at>?",
            (account_id, region, token, now - TOKEN_SECONDS),
        ).fetchone()
        return None if row is None else row[0]

    def remember_token(self, account_id: str, region: str, token: str, fingerprint: bytes, now: float) -> None:
        self.database.execute(
            "INSERT OR REPLACE INTO transaction_tokens VALUES (?,?,?,?,?)",
            (account_id, region, token, now, fingerprint),
        )

    def forget_old_tokens(self, now: float) -> None:
        self.database.begin()
        self.database.execute("DELETE FROM transaction_tokens WHERE used_at<=?", (now - TOKEN_SECONDS,))


def _key(definition: TableDefinition) -> TableKey:
    return definition.account_id, definition.region, definition.name
