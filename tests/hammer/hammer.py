"""Eight clients at once on one lab's API; each remembers what was acknowledged, and the lab is asked afterwards."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.lab_under_test import LabUnderTest

CLIENTS = 8
ONE_TRY = Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=20)
"""A retry would hide a failure, and could make one update two."""

TABLE, BUCKET, PARAMETER, GROUP = "hammer", "hammer", "/hammer", "hammer"
NAMESPACE, METRIC = "Hammer", "Blows"


@dataclass
class Told:
    """What one client was told. ``done`` counts acknowledged updates by kind."""

    done: Counter[str] = field(default_factory=Counter)
    kept: dict[str, set[str]] = field(default_factory=lambda: {"key pair": set(), "object": set(), "action": set()})
    failed: Counter[str] = field(default_factory=Counter)


def prepare(lab: LabUnderTest) -> None:
    lab.client("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    where = {"LocationConstraint": lab.environment["AWS_REGION"]}
    lab.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    lab.ec2.create_launch_template(LaunchTemplateName=GROUP, LaunchTemplateData={"ImageId": "ami-none"})
    lab.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=GROUP,
        LaunchTemplate={"LaunchTemplateName": GROUP},
        AvailabilityZones=[f"{lab.environment['AWS_REGION']}a"],
        MinSize=0,
        MaxSize=0,
    )


def hammer(lab: LabUnderTest, seconds: float) -> list[Told]:
    """What each client was told in so many real seconds."""
    told = [Told() for _ in range(CLIENTS)]
    ends = time.monotonic() + seconds
    clients = [
        threading.Thread(target=_client, args=(_blows(lab, f"c{n}", each), each, ends)) for n, each in enumerate(told)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return told


def _client(blows: list[Callable[[int], None]], told: Told, ends: float) -> None:
    turn = 0
    while time.monotonic() < ends:
        try:
            blows[turn % len(blows)](turn)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            told.failed[f"{error.operation_name} {status} {error.response['Error']['Code']}"] += 1
        except BotoCoreError as error:
            told.failed[type(error).__name__] += 1
        turn += 1


def _blows(lab: LabUnderTest, name: str, told: Told) -> list[Callable[[int], None]]:
    """The writes that all clients aim at the same things, and reads between them."""
    ec2, ssm, s3, store, autoscaling, cloudwatch = (
        lab.client(service, config=ONE_TRY) for service in ("ec2", "ssm", "s3", "dynamodb", "autoscaling", "cloudwatch")
    )

    def counted(kind: str, call: Callable[[], Any]) -> None:
        call()
        told.done[kind] += 1

    def make_key_pair(turn: int) -> None:
        ec2.create_key_pair(KeyName=f"{name}-{turn}")
        told.kept["key pair"].add(f"{name}-{turn}")

    def drop_key_pair(turn: int) -> None:
        if gone := next(iter(told.kept["key pair"]), None):
            ec2.delete_key_pair(KeyName=gone)
            told.kept["key pair"].discard(gone)

    def put_object(turn: int) -> None:
        s3.put_object(Bucket=BUCKET, Key=f"{name}/{turn}", Body=b"x")
        told.kept["object"].add(f"{name}/{turn}")

    def schedule(turn: int) -> None:
        action = f"{name}-{turn % 5}"
        autoscaling.put_scheduled_update_group_action(
            AutoScalingGroupName=GROUP, ScheduledActionName=action, Recurrence="0 0 1 1 *", DesiredCapacity=0
        )
        told.kept["action"].add(action)

    add = {"Key": {"id": {"S": "all"}}, "UpdateExpression": "ADD blows :one"}
    datum = [{"MetricName": METRIC, "Value": 1.0}]
    return [
        lambda _: counted(
            "version", lambda: ssm.put_parameter(Name=PARAMETER, Value=name, Type="String", Overwrite=True)
        ),
        lambda _: counted(
            "count",
            lambda: store.update_item(TableName=TABLE, ExpressionAttributeValues={":one": {"N": "1"}}, **add),
        ),
        lambda _: counted("datum", lambda: cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=datum)),
        make_key_pair,
        put_object,
        schedule,
        lambda _: ec2.describe_instances(),
        lambda _: ec2.describe_security_groups(),
        lambda _: autoscaling.describe_auto_scaling_groups(),
        make_key_pair,
        drop_key_pair,
    ]


def lost(lab: LabUnderTest, told: list[Told]) -> list[str]:
    """A sentence for every kind of update of which the lab knows more or fewer than were acknowledged."""
    done = sum((each.done for each in told), Counter[str]())
    counts = {
        "version": lab.client("ssm").get_parameter(Name=PARAMETER)["Parameter"]["Version"],
        "count": int(lab.client("dynamodb").get_item(TableName=TABLE, Key={"id": {"S": "all"}})["Item"]["blows"]["N"]),
        "datum": _data(lab),
    }
    found = [f"{kind}: {done[kind]} acknowledged, {now} there" for kind, now in counts.items() if now != done[kind]]
    for kind, there in _kept(lab).items():
        acknowledged = {name for each in told for name in each.kept[kind]}
        if there != acknowledged:
            found.append(f"{kind}: {len(acknowledged - there)} lost, {len(there - acknowledged)} too many")
    return found


def _data(lab: LabUnderTest) -> int:
    now = datetime.now(UTC)
    statistics = lab.client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=METRIC,
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["SampleCount"],
    )
    return int(sum(point["SampleCount"] for point in statistics["Datapoints"]))


def _kept(lab: LabUnderTest) -> dict[str, set[str]]:
    pages = lab.client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    actions = lab.client("autoscaling").get_paginator("describe_scheduled_actions").paginate(AutoScalingGroupName=GROUP)
    return {
        "key pair": {each["KeyName"] for each in lab.ec2.describe_key_pairs()["KeyPairs"]},
        "object": {each["Key"] for page in pages for each in page.get("Contents", ())},
        "action": {each["ScheduledActionName"] for page in actions for each in page["ScheduledUpdateGroupActions"]},
    }
