"""A store in this process, spoken to through its endpoint; and real server processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import orjson
from botocore.config import Config

from groundschool.dynamodb.background import Expiry, IndexFilling
from groundschool.dynamodb.identity import PolicyFile
from groundschool.dynamodb.protocol.endpoint import Endpoint, HttpRequest
from groundschool.dynamodb.storage.database import Database
from groundschool.dynamodb.storage.store import Store
from groundschool.dynamodb.throttling import PartitionedCapacity

AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/dynamodb/aws4_request, SignedHeaders=host, Signature=0"
)


class Refused(Exception):
    """An error answer: ``code``, ``message`` and the whole ``body``."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status = status
        self.body = body
        self.code = body["__type"].partition("#")[2]
        self.message = body.get("message") or body.get("Message")
        super().__init__(f"{self.code}: {self.message}")


class Local:
    """One store without a network. ``now`` is its wall clock; every call commits, as the server does."""

    def __init__(self, path: Path | None = None, policy_file: Path | None = None, throttle: bool = False) -> None:
        self.now = 1_800_000_000.0
        self.key = "AKIATEST"
        self.region = "eu-north-1"
        self.database = Database(path)
        self.store = Store(self.database)
        self.endpoint = Endpoint(
            self.store,
            account_id="123456789012",
            wall=lambda: self.now,
            policies=PolicyFile(policy_file) if policy_file else None,
            throttle=PartitionedCapacity() if throttle else None,
        )
        self.expiry = Expiry(self.store)
        self.filling = IndexFilling(self.store)

    def __call__(self, operation: str, **params: Any) -> dict[str, Any]:
        target = operation if "." in operation else f"DynamoDB_20120810.{operation}"
        return self.raw(target, orjson.dumps(params))

    def raw(self, target: str, body: bytes) -> dict[str, Any]:
        authorization = AUTHORIZATION.format(key=self.key, region=self.region).encode()
        request = HttpRequest(
            b"POST", b"/", target, b"application/x-amz-json-1.0", authorization, "localhost", body, True
        )
        answer = self.endpoint.answer(request)
        self.database.commit()
        content = orjson.loads(answer.body) if answer.body else {}
        if answer.status != 200:
            raise Refused(answer.status, content)
        return content

    def table(self, name: str = "items", sort: str | None = "S", **more: Any) -> str:
        """A table with key ``pk`` (S) and, unless None, ``sk`` of type ``sort``."""
        key = [{"AttributeName": "pk", "KeyType": "HASH"}]
        attributes = [{"AttributeName": "pk", "AttributeType": "S"}]
        if sort:
            key.append({"AttributeName": "sk", "KeyType": "RANGE"})
            attributes.append({"AttributeName": "sk", "AttributeType": sort})
        attributes += more.pop("attributes", [])
        settings = {"BillingMode": "PAY_PER_REQUEST", **more}
        self("CreateTable", TableName=name, KeySchema=key, AttributeDefinitions=attributes, **settings)
        return name

    def close(self) -> None:
        self.database.close()


class Process:
    """A server process and where it listens."""

    def __init__(self, *options: str, preexec: Callable[[], None] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "groundschool.dynamodb", "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=preexec,
        )
        assert self.process.stdout is not None
        self.greeting = self.process.stdout.readline().strip()
        self.port = int(self.greeting.rpartition(":")[2]) if self.greeting else 0

    def client(self, **options: Any) -> Any:
        return boto3.client(
            "dynamodb",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="eu-north-1",
            aws_access_key_id="AKIATEST",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=20, **options),
        )

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Exit code and what it wrote to standard error."""
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, number)
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors


def create(client: Any, name: str = "items") -> None:
    """A table with the key ``pk`` (S)."""
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
