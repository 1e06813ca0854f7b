"""The front door with moto behind it, one living operation, and a real server on a free port: no lab."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from threading import RLock
from typing import Any

import boto3
import pytest
from botocore.config import Config

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Params, Result
from groundschool.cloud.front_door.application import FrontDoor, FrontDoorFacts
from groundschool.cloud.front_door.routes import routes
from groundschool.cloud.front_door.server import FrontDoorServer
from groundschool.cloud.identity.authoriser import Authoriser
from groundschool.cloud.identity.operations import CallerIdentity
from groundschool.cloud.identity.principal import Secret
from groundschool.cloud.identity.role_session import RoleSessions
from groundschool.cloud.passive import moto_patches
from groundschool.cloud.passive.application import Passive
from groundschool.cloud.passive.identity_records import IdentityRecords

ACCOUNT, REGION = "123456789012", "eu-north-1"
ROOT_KEY, ROOT_SECRET = "AKIAROOTROOTROOTROOT", "the-secret-of-the-root-key"
ONE_TRY = Config(retries={"total_max_attempts": 1})


class Console:
    """Stands for what is alive: one operation that answers, one that fails as our own defects would."""

    def get_console_output(self, call: Call, params: Params) -> Result:
        if params["InstanceId"] != "i-1":
            raise AwsError("InvalidInstanceID.NotFound", f"The instance ID '{params['InstanceId']}' does not exist")
        return {"InstanceId": "i-1", "Output": "Ym9vdA=="}

    def reboot_instances(self, call: Call, params: Params) -> Result:
        raise RuntimeError(f"a defect that knows {ROOT_SECRET}")

    def describe_instances(self, call: Call, params: Params) -> Result:
        return {"Reservations": [{"ReservationId": "r-1", "Instances": []}]}


@dataclass
class Door:
    application: FrontDoor
    port: int
    sessions: RoleSessions
    changes: list[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str, key: str = ROOT_KEY, secret: str = ROOT_SECRET, **options: Any) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            **{"region_name": REGION, "config": ONE_TRY, **options},
        )


@pytest.fixture(scope="package")
def door() -> Iterator[Door]:
    moto_patches.apply(lambda arn, name: f"{name}.elb.localhost:8080")
    lock, sessions, changes = RLock(), RoleSessions(), []
    passive = Passive(lock)
    authoriser = Authoriser((ROOT_KEY, Secret(ROOT_SECRET)), ACCOUNT, IdentityRecords(passive, ACCOUNT), sessions)
    port = _free_port()
    facts = FrontDoorFacts(REGION, ACCOUNT, f"http://127.0.0.1:{port}", "http://127.0.0.1:1", ROOT_SECRET)
    living = {"ec2": [Console()], "sts": [CallerIdentity(authoriser)]}
    application = FrontDoor(
        facts,
        routes(living, {}, passive),
        passive,
        authoriser,
        lock,
        lambda: changes.append("changed"),
        lambda method, path, document: {"path": path},
    )
    server = FrontDoorServer(application, port)
    server.start()
    yield Door(application, port, sessions, changes)
    server.stop()


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])
