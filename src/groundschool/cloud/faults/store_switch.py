"""Tells the DynamoDB store to throttle: its own switch, signed with the lab's root key."""

from __future__ import annotations

import json

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from groundschool.dynamodb.faults import TARGET
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
        body = json.dumps({"Faults": faults})
        headers = {"X-Amz-Target": TARGET, "Content-Type": "application/x-amz-json-1.0"}
        signed = AWSRequest("POST", f"{self._url}/", headers=headers, data=body)
        SigV4Auth(self._credentials, "dynamodb", self._region).add_auth(signed)
        try:
            answer = urllib3.request(
                "POST", f"{self._url}/", body=body, headers=dict(signed.headers.items()), timeout=5, retries=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise LabError(f"The DynamoDB store at {self._url} does not answer: {error}. Try again.") from None
        if answer.status != 200:
            raise LabError(f"The DynamoDB store refused the fault: {answer.data.decode(errors='replace')}")
