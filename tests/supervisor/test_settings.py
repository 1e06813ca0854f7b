"""The settings of a lab: read from the environment, checked, and refused with the key's name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from groundschool.cloud.settings import LabSettings, lab_settings
from groundschool.errors import UsageError


@pytest.mark.parametrize(
    ("environment", "given", "field", "expected"),
    [
        pytest.param({}, {}, "port", 4561, id="default port"),
        pytest.param({}, {}, "region", "eu-north-1", id="default region"),
        pytest.param({"GROUND_PORT": "5000"}, {}, "port", 5000, id="a number"),
        pytest.param({"GROUND_SPEED": "0.5"}, {}, "speed", 0.5, id="a fraction"),
        pytest.param({"GROUND_HOME": "/x/y"}, {}, "home", Path("/x/y"), id="a path"),
        pytest.param({"GROUND_PORT": ""}, {}, "port", 4561, id="empty is not given"),
        pytest.param({"GROUND_PORT": "5000"}, {"port": 6000}, "port", 6000, id="an option wins"),
        pytest.param({"GROUND_PORT": "5000"}, {"port": None}, "port", 5000, id="an option that is not given"),
        pytest.param({"AWS_REGION": "us-east-1"}, {}, "region", "eu-north-1", id="AWS's own variables are for clients"),
        pytest.param({"GROUND_PORT": "5000"}, {}, "url", "http://127.0.0.1:5000", id="the endpoint"),
        pytest.param({"GROUND_PORT": "5000"}, {}, "dynamodb_url", "http://127.0.0.1:5001", id="the store's endpoint"),
    ],
)
def test_a_setting_is(environment: dict[str, str], given: dict[str, Any], field: str, expected: object) -> None:
    assert getattr(lab_settings(environment, **given), field) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("PORT", "80", id="a port that needs rights"),
        pytest.param("PORT", "65535", id="a port without a next one"),
        pytest.param("PORT", "http", id="a port in words"),
        pytest.param("SPEED", "0", id="standing still"),
        pytest.param("SPEED", "-1", id="backwards"),
        pytest.param("SPEED", "nan", id="no speed at all"),
        pytest.param("SPEED", "1000", id="faster than anything here"),
        pytest.param("VCPU", "-1", id="less than no CPU"),
        pytest.param("VCPU", "nan", id="no number of CPUs"),
        pytest.param("REGION", "stockholm", id="a city is no region"),
        pytest.param("REGION", "eu-north-1a", id="a zone is no region"),
        pytest.param("ACCOUNT_ID", "42", id="a short account"),
        pytest.param("ACCOUNT_ID", "12345678901x", id="an account in letters"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"GROUND_{name} "):
        lab_settings({f"GROUND_{name}": value})


@pytest.mark.parametrize(
    ("port", "block"), [(4561, 0), (4563, 2), (4671, 110), (4681, 0), (4559, 118), (1024, 62), (65000, 78)]
)
def test_the_addresses_follow_the_port_and_stay_in_127(port: int, block: int) -> None:
    assert LabSettings(port=port).address_block == block


def test_sixty_labs_side_by_side_have_addresses_of_their_own() -> None:
    blocks = {LabSettings(port=4561 + 2 * n).address_block for n in range(60)}
    assert len(blocks) == 60
    assert all(block % 2 == 0 and block + 1 <= 255 for block in blocks)
