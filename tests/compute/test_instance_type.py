import pytest

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.compute.instance_type import (
    INSTANCE_TYPES,
    cpu_utilization,
    find_instance_type,
    lab_vcpu,
    quota_cores,
)


def test_the_lab_has_t3_and_t4g_from_nano_to_large() -> None:
    sizes = ("nano", "micro", "small", "medium", "large")
    assert set(INSTANCE_TYPES) == {f"{family}.{size}" for family in ("t3", "t4g") for size in sizes}


def test_an_unknown_type_is_awss_error_and_names_the_known_ones() -> None:
    with pytest.raises(AwsError, match=r"m7i\.large.*t3\.micro") as caught:
        find_instance_type("m7i.large")
    assert caught.value.code == "InvalidParameterValue"


@pytest.mark.parametrize(("host_cores", "expected"), [(1, 0.05), (2, 0.1), (4, 0.2), (8, 0.25), (64, 0.25)])
def test_a_lab_vcpu_is_a_twentieth_of_the_host_within_bounds(host_cores: int, expected: float) -> None:
    assert lab_vcpu(host_cores) == pytest.approx(expected)


def test_the_quota_is_the_types_vcpus() -> None:
    assert quota_cores(find_instance_type("t3.micro"), 0.1) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("used", "interval", "quota", "percent"),
    [
        pytest.param(6, 60, 0.2, 50, id="half the quota"),
        pytest.param(30, 60, 0.2, 100, id="the boot allowance is capped"),
        pytest.param(0, 60, 0.2, 0, id="idle"),
        pytest.param(1, 0, 0.2, 0, id="no interval yet"),
    ],
)
def test_cpu_utilization_is_use_over_quota(used: float, interval: float, quota: float, percent: float) -> None:
    assert cpu_utilization(used, interval, quota) == pytest.approx(percent)
