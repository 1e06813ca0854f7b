"""What a launch asks for is honoured, has no meaning in the lab, or is refused; and AWS has no other parameter."""

from __future__ import annotations

from typing import Any

import pytest
from moto.core.utils import get_service_model

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.ec2.supported_parameters import (
    HONOURED,
    REFUSED,
    WITHOUT_MEANING,
    refuse_what_would_be_ignored,
)

EC2 = get_service_model("ec2")
OF_AWS = {*EC2.operation_model("RunInstances").input_shape.members, *EC2.shape_for("RequestLaunchTemplateData").members}


def test_every_parameter_of_aws_is_in_exactly_one_list() -> None:
    assert HONOURED | WITHOUT_MEANING | REFUSED == OF_AWS
    assert len(HONOURED) + len(WITHOUT_MEANING) + len(REFUSED) == len(OF_AWS)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        pytest.param({"InstanceMarketOptions": {"MarketType": "spot"}}, "InstanceMarketOptions", id="spot"),
        pytest.param({"InstanceRequirements": {"VCpuCount": {"Min": 2}}}, "InstanceRequirements", id="by attributes"),
        pytest.param({"HibernationOptions": {"Configured": True}}, "HibernationOptions", id="hibernation"),
        pytest.param({"PrivateIpAddress": "10.0.0.4"}, "PrivateIpAddress", id="an address of one's own"),
        pytest.param({"Placement": {"Tenancy": "dedicated"}}, r"Placement\.Tenancy", id="dedicated hardware"),
        pytest.param({"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1"}]}, "NetworkInterfaceId", id="an interface"),
        pytest.param({"NetworkInterfaces": [{"InterfaceType": "efa"}]}, "InterfaceType efa", id="a fabric adapter"),
    ],
)
def test_what_would_be_ignored_is_refused_by_name(given: dict[str, Any], named: str) -> None:
    with pytest.raises(AwsError, match=named) as refused:
        refuse_what_would_be_ignored(given)
    assert refused.value.code == "Unsupported"


def test_what_terraform_and_cloudformation_send_by_default_passes() -> None:
    refuse_what_would_be_ignored(
        {
            "HibernationOptions": {"Configured": False},
            "EnclaveOptions": {"Enabled": False},
            "CreditSpecification": {"CpuCredits": "unlimited"},
            "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8}}],
            "Placement": {"AvailabilityZone": "eu-north-1a", "Tenancy": "default", "GroupName": ""},
            "NetworkInterfaces": [{"DeviceIndex": 0, "AssociatePublicIpAddress": True, "Groups": ["sg-1"]}],
        }
    )
