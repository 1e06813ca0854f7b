"""A passive AWS: moto remembers what is created. What it cannot do (serve HTTP) is played by ``visits``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.ec2.models.amis import Ami, AmiBackend
from moto.iam import models as iam_models
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket

from groundschool import endpoint
from groundschool.cloud.passive import moto_patches
from groundschool.workshop import build_order
from groundschool.workshop.role import SESSION_MANAGER
from groundschool.workshop.settings import WorkshopSettings
from groundschool.workshop.world import World

REGION = "eu-north-1"

SMALL = WorkshopSettings(app_distribution="itsdangerous", poll_shortest=0.001, poll_longest=0.01, build_timeout=1)
"""A release of one small package, and no patience."""


CREATE_IMAGE = AmiBackend.create_image


def create_image(
    backend: AmiBackend, instance_id: str, name: str, description: str, tag_specifications: list[dict[str, Any]]
) -> Ami:
    """moto raises NotImplementedError for the tags of snapshots."""
    of_snapshots = [each for each in tag_specifications if each["ResourceType"] == "snapshot"]
    others = [each for each in tag_specifications if each["ResourceType"] != "snapshot"]
    image = CREATE_IMAGE(backend, instance_id, name, description, others)
    for each in of_snapshots:
        image.ebs_snapshot.add_tags({tag["Key"]: tag["Value"] for tag in each["Tags"]})
    return image


ONE_MANAGED_POLICY = json.dumps(
    {name: text for name, text in json.loads(iam_models.aws_managed_policies_data).items() if name in SESSION_MANAGER}
)
"""Of the thousand that moto knows, the one the role carries."""


@contextmanager
def passive_aws(patch: pytest.MonkeyPatch) -> Iterator[World]:
    """An empty account in moto, and a world that reaches it."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        patch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        patch.setenv(name, "testing")
    patch.setenv("AWS_REGION", REGION)
    patch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # a second per test
    # moto takes a bucket policy with a condition for one that denies everybody everything
    patch.setattr(FakeBucket, "get_permission", lambda *_: PermissionResult.NEUTRAL)
    patch.setattr(AmiBackend, "create_image", create_image)
    patch.setattr(iam_models, "aws_managed_policies_data", ONE_MANAGED_POLICY)  # another second
    # Once for the whole process: whether another test did so before must make no difference.
    moto_patches.apply(lambda arn, name: f"{name}.{REGION}.elb.localhost")
    with mock_aws(config={"iam": {"load_aws_managed_policies": True}}):
        yield World.from_environment(SMALL)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with passive_aws(monkeypatch) as made:
        yield made


@pytest.fixture(autouse=True)
def visits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The URLs that were fetched; every one answers 200."""
    seen: list[str] = []

    def fetch(url: str, **_: object) -> endpoint.Answer:
        seen.append(url)
        return endpoint.Answer(200, {}, b"ok", 0.001)

    monkeypatch.setattr(endpoint, "fetch", fetch)
    return seen


@pytest.fixture
def built(world: World) -> World:
    for component in build_order.COMPONENTS:
        build_order.create(world, component)
    return world


@pytest.fixture(scope="module")
def mended() -> Iterator[World]:
    """One system for many mistakes: each test mends its own before the next one makes another."""
    with pytest.MonkeyPatch.context() as patch, passive_aws(patch) as made:
        patch.setattr(endpoint, "fetch", lambda *_, **__: endpoint.Answer(200, {}, b"ok", 0.001))
        for component in build_order.COMPONENTS:
            build_order.create(made, component)
        yield made


@pytest.fixture
def changes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The operations asked of AWS that are not mere reading."""
    made: list[str] = []
    real = boto3.Session.client

    def client(session: boto3.Session, *args: object, **more: object) -> object:
        made_client = real(session, *args, **more)  # type: ignore[call-overload]

        def note(model: object, **_: object) -> None:
            name = model.name  # type: ignore[attr-defined]
            if not name.startswith(("Describe", "Get", "List", "Head")):
                made.append(name)

        made_client.meta.events.register("before-call", note)
        return made_client

    monkeypatch.setattr(boto3.Session, "client", client)
    return made
