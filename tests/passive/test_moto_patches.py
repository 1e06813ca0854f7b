"""Each patch of moto does what the lab needs, and what it patches is still there: a new moto must fail here first."""

from __future__ import annotations

import gc
import inspect
import warnings
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core import common_models, errors, serialize
from moto.elbv2.models import ELBv2Backend, FakeTargetGroup

from groundschool.cloud.passive import moto_patches
from groundschool.cloud.passive.moto_patches import FasterXml

REGION = "eu-north-1"


@pytest.fixture
def elbv2(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    moto_patches.apply(lambda arn, name: f"{name}.elb.localhost:8080")
    with mock_aws():
        yield boto3.client("elbv2", region_name=REGION)


def test_a_load_balancer_is_named_by_the_lab(elbv2: Any) -> None:
    subnets = boto3.client("ec2", region_name=REGION).describe_subnets()["Subnets"][:2]
    [made] = elbv2.create_load_balancer(Name="one", Subnets=[s["SubnetId"] for s in subnets])["LoadBalancers"]
    assert made["DNSName"] == "one.elb.localhost:8080"


def test_a_version_of_an_object_goes_without_a_warning(elbv2: Any) -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="one")
    s3.put_bucket_versioning(Bucket="one", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="one", Key="key", Body=b"x" * 100)["VersionId"]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        s3.delete_object(Bucket="one", Key="key", VersionId=version)
        gc.collect()
    assert [each for each in told if each.category is ResourceWarning] == []


def test_an_http_target_group_has_the_health_checks_of_aws(elbv2: Any) -> None:
    vpc = boto3.client("ec2", region_name=REGION).describe_vpcs()["Vpcs"][0]["VpcId"]
    [made] = elbv2.create_target_group(Name="one", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"]
    assert (made["HealthCheckPath"], made["HealthCheckTimeoutSeconds"]) == ("/", 5)
    [other] = elbv2.create_target_group(
        Name="two", Protocol="HTTP", Port=80, VpcId=vpc, HealthCheckTimeoutSeconds=9, HealthCheckPath="/up"
    )["TargetGroups"]
    assert (other["HealthCheckPath"], other["HealthCheckTimeoutSeconds"]) == ("/up", 9)


def test_an_image_has_the_root_volume_of_amazon_linux_2023(elbv2: Any) -> None:
    ec2 = boto3.client("ec2", region_name=REGION)
    made = ec2.register_image(Name="one")["ImageId"]
    [mapping] = ec2.describe_images(ImageIds=[made])["Images"][0]["BlockDeviceMappings"]
    assert mapping["Ebs"]["SnapshotId"].startswith("snap-")
    assert (mapping["Ebs"]["VolumeSize"], mapping["Ebs"]["VolumeType"]) == (8, "gp3")


def test_moto_keeps_no_list_of_dead_objects(elbv2: Any) -> None:
    class Thing(common_models.BaseModel):
        pass

    kept = [instance for cls in (Thing, common_models.BaseModel) for instance in getattr(cls, "instances", [])]
    Thing()
    assert [instance for instance in getattr(Thing, "instances", []) if isinstance(instance, Thing)] == []
    assert kept == []


def test_an_error_that_a_service_model_does_not_list_causes_no_warning(elbv2: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        errors.warn("Exception(WireError) with code X does not match an error shape")
    assert "warn(" in inspect.getsource(errors.get_error_model)


def test_motos_writers_use_the_faster_xml(elbv2: Any) -> None:
    assert serialize.xmltodict is FasterXml
    assert inspect.getsource(serialize).count("xmltodict.unparse(") == 5


@pytest.mark.parametrize(
    ("patched", "name"),
    [(ELBv2Backend, "create_load_balancer"), (common_models.BaseModel, "__new__"), (FakeTargetGroup, "__init__")],
)
def test_what_was_patched_is_in_use(elbv2: Any, patched: type, name: str) -> None:
    assert patched.__dict__[name].__module__ == "groundschool.cloud.passive.moto_patches"
