from __future__ import annotations

import pytest

from visitor_board.settings import SettingError, Settings


def test_the_defaults_are_those_of_the_workshop() -> None:
    settings = Settings.from_environment({})
    assert (settings.port, settings.table_name, settings.region) == (8080, "workshop_messages", "eu-north-1")
    assert (settings.model, settings.cache_seconds, settings.write_shards) == ("feed", 0.0, 1)


@pytest.mark.parametrize(
    ("environment", "region"),
    [
        ({"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-west-2"}, "us-east-1"),
        ({"AWS_DEFAULT_REGION": "us-west-2"}, "us-west-2"),
        ({"AWS_REGION": ""}, "eu-north-1"),
    ],
)
def test_the_region_is_found_as_boto3_finds_it(environment: dict[str, str], region: str) -> None:
    assert Settings.from_environment(environment).region == region


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", "http"),
        ("PORT", "70000"),
        ("BOARD_MODEL", "sql"),
        ("BOARD_WRITE_SHARDS", "0"),
        ("BOARD_CACHE_SECONDS", "nan"),
    ],
)
def test_a_bad_value_is_refused_by_name(variable: str, value: str) -> None:
    with pytest.raises(SettingError, match=variable):
        Settings.from_environment({variable: value})


def test_every_setting_says_what_it_is_for() -> None:
    assert all(variable.isupper() and text for variable, _, text in Settings.table())
