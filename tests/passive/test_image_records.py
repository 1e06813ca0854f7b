"""An image that is being taken, as RunInstances sees it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from moto import mock_aws

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.passive.application import Passive
from groundschool.cloud.passive.image_records import ImageRecords
from groundschool.cloud.passive.network_records import Image, NetworkRecords

ACCOUNT, REGION = "123456789012", "eu-north-1"
BASE = Image("ami-1", "al2023", "x86_64", "/dev/xvda")


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ImageRecords, NetworkRecords]]:
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    passive = Passive(threading.RLock())
    with mock_aws():
        yield ImageRecords(passive, ACCOUNT, REGION), NetworkRecords(passive, ACCOUNT, REGION)


@pytest.mark.parametrize("failure", [None, "the disk is full"], ids=["taken", "failed"])
def test_an_image_can_be_launched_only_when_it_was_taken(
    records: tuple[ImageRecords, NetworkRecords], failure: str | None
) -> None:
    images, network = records
    image_id = images.create("web", "", "i-1", BASE, {}, {})
    with pytest.raises(AwsError, match="not available"):
        network.image(image_id)
    images.finish(image_id, failure)
    if failure is None:
        assert network.image(image_id).name == "web"
    else:
        with pytest.raises(AwsError, match="not available"):
            network.image(image_id)
