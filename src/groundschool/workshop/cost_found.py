"""What of the workshop exists, or existed, and since when: by describe calls only, so any world will do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from groundschool.workshop.auto_scaling_group import find_scaling_group
from groundschool.workshop.load_balancer import find_load_balancer
from groundschool.workshop.table import find_table
from groundschool.workshop.world import CLIENT, World

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TableDescriptionTypeDef
    from mypy_boto3_ec2.type_defs import FilterTypeDef, InstanceTypeDef
    from mypy_boto3_elbv2.type_defs import LoadBalancerTypeDef

ENDED = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) GMT\)")
"""In ``StateTransitionReason``: when somebody stopped or terminated the instance. AWS bills until then."""

ACTIVITY = re.compile(r"(Launching a new|Terminating) EC2 instance: (i-[0-9a-f]+)")


@dataclass(frozen=True)
class Disk:
    """A root volume as its image describes it; ``kind`` is AWS's volume type."""

    gb: float
    kind: str


NO_DISK = Disk(0.0, "gp3")


@dataclass(frozen=True)
class InstanceRun:
    """One instance, living or gone; real UTC times. ``ended`` None: it is billed still.

    A stopped instance has ended, its ``disk_ended`` has not.
    """

    instance_id: str
    instance_type: str
    launched: datetime
    ended: datetime | None
    disk: Disk
    disk_ended: datetime | None
    public: bool
    monitored: bool


@dataclass(frozen=True)
class Balancer:
    """``addresses``: public IPv4 addresses, one per zone when it faces the internet (AWS)."""

    name: str
    arn: str
    created: datetime
    addresses: int


@dataclass(frozen=True)
class Table:
    name: str
    created: datetime
    bytes: int
    on_demand: bool
    indexes: tuple[str, ...]


@dataclass(frozen=True)
class Snapshot:
    """Of an image that was baked; ``gb`` is its volume's size, the most that can be billed."""

    snapshot_id: str
    image_id: str
    created: datetime
    gb: float


@dataclass(frozen=True)
class Found:
    """Everything of the workshop that is paid for. ``alarms`` are those of the scaling policy, by name."""

    at: datetime
    instances: tuple[InstanceRun, ...] = ()
    balancers: tuple[Balancer, ...] = ()
    tables: tuple[Table, ...] = ()
    alarms: tuple[tuple[str, datetime], ...] = ()
    snapshots: tuple[Snapshot, ...] = ()

    @property
    def began(self) -> datetime | None:
        """When the first of it was made."""
        times = [*(each.launched for each in self.instances), *(each.created for each in self.balancers)]
        times += [*(each.created for each in self.tables), *(each.created for each in self.snapshots)]
        return min(times, default=None)


def find(world: World) -> Found:
    """Looks at what carries the workshop's tag or name, terminated instances included as long as AWS tells of them.

    Former members of the group that EC2 has forgotten are taken from the scaling activities. Raises botocore's
    ClientError.
    """
    project: FilterTypeDef = {"Name": "tag:Project", "Values": [world.settings.project]}
    described = [
        instance
        for page in world.ec2.get_paginator("describe_instances").paginate(Filters=[project])
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
    ]
    activities = _activities(world)
    disks = _disks(world, {instance["ImageId"] for instance in described})
    runs = [_run(instance, activities, disks) for instance in described]
    balancer, table = find_load_balancer(world), find_table(world)
    return Found(
        at=datetime.now(UTC),
        instances=(*runs, *_forgotten(world, activities, runs)),
        balancers=(_balancer(balancer),) if balancer else (),
        tables=(_table(table),) if table else (),
        alarms=_alarms(world),
        snapshots=tuple(_snapshots(world, project)),
    )


@dataclass(frozen=True)
class _Lifetime:
    launched: datetime | None = None
    ended: datetime | None = None


def _activities(world: World) -> dict[str, _Lifetime]:
    """Instance id -> when the group launched it, and when its termination was complete."""
    if find_scaling_group(world) is None:
        return {}
    pages = world.autoscaling.get_paginator("describe_scaling_activities").paginate(AutoScalingGroupName=world.name)
    found: dict[str, _Lifetime] = {}
    for activity in (activity for page in pages for activity in page["Activities"]):
        match = ACTIVITY.match(activity.get("Description", ""))
        if match is None:
            continue
        known = found.get(match[2], _Lifetime())
        if match[1] == "Terminating":
            found[match[2]] = _Lifetime(known.launched, activity.get("EndTime"))
        else:
            found[match[2]] = _Lifetime(activity["StartTime"], known.ended)
    return found


def _run(instance: InstanceTypeDef, activities: dict[str, _Lifetime], disks: dict[str, Disk]) -> InstanceRun:
    state, instance_id = instance["State"]["Name"], instance["InstanceId"]
    ended = None
    if state not in ("pending", "running"):
        match = ENDED.search(instance.get("StateTransitionReason", ""))
        lifetime = activities.get(instance_id, _Lifetime())
        ended = datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) if match else lifetime.ended
    return InstanceRun(
        instance_id=instance_id,
        instance_type=instance["InstanceType"],
        launched=instance["LaunchTime"],
        ended=ended,
        disk=disks.get(instance["ImageId"], NO_DISK),
        disk_ended=None if state in ("stopping", "stopped") else ended,
        public=bool(instance.get("PublicIpAddress")) or state in ("shutting-down", "terminated"),
        monitored=instance.get("Monitoring", {}).get("State") in ("enabled", "pending"),
    )


def _forgotten(world: World, activities: dict[str, _Lifetime], known: list[InstanceRun]) -> Iterator[InstanceRun]:
    """Members that ended too long ago to be described: what they were, their successors are."""
    like = next((run for run in known if run.monitored), None)
    for instance_id, lifetime in activities.items():
        if lifetime.launched is None or lifetime.ended is None or any(run.instance_id == instance_id for run in known):
            continue
        yield InstanceRun(
            instance_id,
            like.instance_type if like else world.settings.instance_type,
            lifetime.launched,
            lifetime.ended,
            like.disk if like else NO_DISK,
            lifetime.ended,
            public=True,
            monitored=True,
        )


def _disks(world: World, image_ids: set[str]) -> dict[str, Disk]:
    """Image id -> its root volume; an image that was deregistered has none."""
    if not image_ids:
        return {}
    images = world.ec2.describe_images(Filters=[{"Name": "image-id", "Values": sorted(image_ids)}])["Images"]
    return {image["ImageId"]: _disk(dict(image)) for image in images}


def _disk(image: dict[str, Any]) -> Disk:
    volumes = [mapping["Ebs"] for mapping in image.get("BlockDeviceMappings", []) if "Ebs" in mapping]
    if not volumes:
        return NO_DISK
    return Disk(sum(each.get("VolumeSize", 0) for each in volumes), volumes[0].get("VolumeType", "gp3"))


def _balancer(found: LoadBalancerTypeDef) -> Balancer:
    zones = len(found.get("AvailabilityZones", []))
    addresses = zones if found.get("Scheme") == "internet-facing" else 0
    return Balancer(found["LoadBalancerName"], found["LoadBalancerArn"], found["CreatedTime"], addresses)


def _table(found: TableDescriptionTypeDef) -> Table:
    return Table(
        found["TableName"],
        found["CreationDateTime"],
        found.get("TableSizeBytes", 0),
        found.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST",
        tuple(index["IndexName"] for index in found.get("GlobalSecondaryIndexes", [])),
    )


def _alarms(world: World) -> tuple[tuple[str, datetime], ...]:
    """Only those that stand now: CloudWatch tells nothing of deleted ones."""
    cloudwatch = world.session.client("cloudwatch", config=CLIENT)
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"TargetTracking-{world.name}-")
    return tuple(
        (alarm["AlarmName"], alarm["AlarmConfigurationUpdatedTimestamp"])
        for page in pages
        for alarm in page["MetricAlarms"]
    )


def _snapshots(world: World, project: FilterTypeDef) -> Iterator[Snapshot]:
    for image in world.ec2.describe_images(Owners=["self"], Filters=[project])["Images"]:
        created = datetime.fromisoformat(image["CreationDate"])
        for mapping in image.get("BlockDeviceMappings", []):
            volume = mapping.get("Ebs", {})
            if "SnapshotId" in volume:
                yield Snapshot(volume["SnapshotId"], image["ImageId"], created, volume.get("VolumeSize", 0))
