"""The DynamoDB store's own switch and its meter, asked with the lab's root key."""

from __future__ import annotations

import json
from typing import Any

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from groundschool.dynamodb.faults import TARGET as FAULT_TARGET
from groundschool.dynamodb.meter import TARGET as METER_TARGET
from groundschool.errors import LabError

ITEM_OPERATIONS = (
    "GetItem PutItem UpdateItem DeleteItem Query Scan BatchGetItem BatchWriteItem TransactGetItems TransactWriteItems"
).split()
"""What a table's capacity is spent on; DescribeTable and the like go on, as on AWS."""


class StoreSwitch:
    def __init__(self, url: str, region: str, credentials: Credentials) -> None:
        self._url = url
        self._region = region
        self._credentials = credentials

    def throttle(self, on: bool) -> None:
        """Every read and write of items is answered with ThrottlingException, or none. Raises LabError."""
        faults = [{"operation": name, "throttle_fraction": 1.0} for name in ITEM_OPERATIONS] if on else []
        self.ask(FAULT_TARGET, {"Faults": faults}, "the fault")

    def consumed(self) -> list[dict[str, Any]]:
        """What :meth:`~groundschool.dynamodb.meter.CapacityMeter.report` tells. Raises LabError."""
        answer: dict[str, Any] = json.loads(self.ask(METER_TARGET, {}, "to tell its consumed capacity"))
        return list(answer["Consumed"])

    def ask(self, target: str, document: dict[str, Any], what: str) -> bytes:
        """The answer to one operation. Raises LabError that says ``what`` was not done."""
        body = json.dumps(document)
        headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0"}
        signed = AWSRequest("POST", f"{self._url}/", headers=headers, data=body)
        SigV4Auth(self._credentials, "dynamodb", self._region).add_auth(signed)
        try:
            answer = urllib3.request(
                "POST", f"{self._url}/", body=body, headers=dict(signed.headers.items()), timeout=5, retries=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise LabError(f"The DynamoDB store at {self._url} does not answer: {error}. Try again.") from None
        if answer.status != 200:
            raise LabError(f"The DynamoDB store refused {what}: {answer.data.decode(errors='replace')}")
        return answer.data
