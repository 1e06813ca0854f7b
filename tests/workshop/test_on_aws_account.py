"""Whose AWS it is, said before anything is done; and one line when it is nobody's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError, SSOTokenLoadError
from botocore.stub import Stubber

from groundschool.errors import AccountError, UsageError
from groundschool.workshop.account import identify, refuse_endpoint, refuse_unknown_region
from groundschool.workshop.world import World

ARN = "arn:aws:sts::111122223333:assumed-role/Admin/ada"
VERBS = (["build"], ["build", "--remove"], ["check"], ["watch"], ["load"], ["status"], ["down"])


def test_the_account_is_said_with_alias_region_and_caller(world: World) -> None:
    with Stubber(world.sts) as sts, Stubber(world.iam) as iam:
        sts.add_response("get_caller_identity", {"Account": "111122223333", "Arn": ARN, "UserId": "AIDA"})
        iam.add_response("list_account_aliases", {"AccountAliases": ["learning"], "IsTruncated": False})

        assert str(identify(world)) == f"AWS account 111122223333 (learning), region eu-north-1, as {ARN}"


def test_an_alias_that_may_not_be_seen_is_left_out(world: World) -> None:
    with Stubber(world.sts) as sts, Stubber(world.iam) as iam:
        sts.add_response("get_caller_identity", {"Account": "111122223333", "Arn": ARN, "UserId": "AIDA"})
        iam.add_client_error("list_account_aliases", "AccessDenied")

        assert identify(world).alias is None


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("ExpiredToken", r"Your credentials have expired \(eu-north-1\)"),
        ("InvalidClientTokenId", r"a wrong key, or a region that is not enabled \(eu-north-1\)"),
        ("SignatureDoesNotMatch", "The secret access key is wrong, or this machine's clock is"),
        ("SomethingElse", "STS answers SomethingElse"),
    ],
)
def test_credentials_that_are_refused_are_one_line_with_the_way_to_sign_in(world: World, code: str, said: str) -> None:
    with Stubber(world.sts) as stub:
        stub.add_client_error("get_caller_identity", code)
        with pytest.raises(AccountError, match=rf"{said}.*aws sso login") as raised:
            identify(world)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NoCredentialsError(), "There are no AWS credentials. Sign in"),
        (SSOTokenLoadError(error_msg="expired", start_url="x"), "aws sso login"),
        (
            EndpointConnectionError(endpoint_url="https://sts.eu-north-1.amazonaws.com"),
            "cannot be reached in eu-north-1",
        ),
    ],
    ids=["no credentials", "SSO session over", "no network"],
)
def test_credentials_that_are_not_there_are_one_line(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def fails() -> None:
        raise error

    monkeypatch.setattr(world.sts, "get_caller_identity", fails)

    with pytest.raises(AccountError, match=said):
        identify(world)


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"])
def test_a_shell_that_points_to_a_lab_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=rf"{name} is http://127.0.0.1:4621: this shell points to a lab"):
        refuse_endpoint({name: "http://127.0.0.1:4621"}, {})


@pytest.mark.parametrize("setting", ["endpoint_url", "services"])
def test_a_profile_that_points_elsewhere_is_refused(setting: str) -> None:
    with pytest.raises(UsageError, match=f"profile sets {setting}"):
        refuse_endpoint({}, {setting: "x"})
    refuse_endpoint({"AWS_ENDPOINT_URL": ""}, {"region": "eu-north-1"})


def test_a_region_that_is_none_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match=r"'eu-noth-1' is no AWS region.*Do you mean eu-north-1\?"):
        refuse_unknown_region("eu-noth-1", ["eu-north-1", "us-east-1"])
    refuse_unknown_region("eu-north-1", ["eu-north-1"])


def ground(tmp_path: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """In an environment without any credentials, where no instance metadata is asked for either."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nowhere = {"HOME": str(tmp_path), "GROUND_HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    return subprocess.run(
        [sys.executable, "-m", "groundschool.cli", *words],
        env={**kept, **nowhere, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_credentials_the_command_ends_with_one_line(tmp_path: Path) -> None:
    done = ground(tmp_path, "build", "--on", "aws", "--yes")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("✗ There are no AWS credentials. Sign in")
    assert done.stderr.count("\n") == 1


def test_a_wrong_region_and_an_unknown_profile_are_one_line_before_anybody_is_asked(tmp_path: Path) -> None:
    region = ground(tmp_path, "check", "--on", "aws", AWS_REGION="eu-noth-1")
    profile = ground(tmp_path, "down", "--on", "aws", AWS_PROFILE="nobody")

    assert (region.returncode, profile.returncode) == (2, 1)
    assert "Do you mean eu-north-1?" in region.stderr
    assert profile.stderr == "✗ The config profile (nobody) could not be found. Known profiles: none\n"


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_refuses_to_take_a_lab_for_aws(verb: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from groundschool.cli import main

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4621")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)

    done = CliRunner().invoke(main, [*verb, "--on", "aws"])

    assert done.exit_code == 2
    assert "AWS_ENDPOINT_URL is http://127.0.0.1:4621: this shell points to a lab" in done.output
