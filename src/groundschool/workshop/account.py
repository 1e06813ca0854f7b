"""Whose AWS it is: the account, the caller and the region, before anything is asked of them."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ProfileNotFound,
)
from botocore.session import get_session

from groundschool.errors import AccountError, UsageError
from groundschool.workshop.world import World

SIGN_IN = "Sign in (aws sso login, aws configure sso) or set AWS_PROFILE, then: ground doctor --aws"

REFUSED = {
    "ExpiredToken": "Your credentials have expired",
    "ExpiredTokenException": "Your credentials have expired",
    "InvalidClientTokenId": "AWS does not know these credentials there: a wrong key, or a region that is not enabled",
    "UnrecognizedClientException": "AWS does not know these credentials there: a wrong key, or a region not enabled",
    "SignatureDoesNotMatch": "The secret access key is wrong, or this machine's clock is",
    "AccessDenied": "These credentials are refused",
}
"""By STS's error code."""


@dataclass(frozen=True)
class Account:
    """``caller`` is the ARN that acts; ``alias`` is None when the account has none or the caller may not see it."""

    account_id: str
    alias: str | None
    caller: str
    region: str

    def __str__(self) -> str:
        named = f" ({self.alias})" if self.alias else ""
        return f"AWS account {self.account_id}{named}, region {self.region}, as {self.caller}"


def identify(world: World) -> Account:
    """Asks STS once, and IAM for the alias. AccountError in one line when nobody answers these credentials."""
    try:
        answer = world.sts.get_caller_identity()
    except ClientError as error:
        code = error.response["Error"].get("Code", "?")
        raise AccountError(f"{REFUSED.get(code, f'STS answers {code}')} ({world.region}). {SIGN_IN}") from error
    except EndpointConnectionError as error:
        raise AccountError(f"AWS cannot be reached in {world.region}. Is there a network?") from error
    except NoCredentialsError as error:
        raise AccountError(f"There are no AWS credentials. {SIGN_IN}") from error
    except BotoCoreError as error:  # an SSO session that has ended, half a key, a helper program that fails
        raise AccountError(f"{str(error).rstrip('.')}. {SIGN_IN}") from error
    return Account(answer["Account"], alias(world), answer["Arn"], world.region)


def alias(world: World) -> str | None:
    try:
        found = world.iam.list_account_aliases()["AccountAliases"]
    except (ClientError, BotoCoreError):
        return None
    return found[0] if found else None


def refuse_endpoint(environment: Mapping[str, str], profile: Mapping[str, object]) -> None:
    """Pure. UsageError when boto3 is told to reach something else than AWS, by a variable or by the profile's
    ``endpoint_url`` or ``services``: a build meant for AWS must not end in a lab, nor the other way round."""
    for name, value in sorted(environment.items()):
        if name.startswith("AWS_ENDPOINT_URL") and value:
            raise UsageError(
                f"{name} is {value}: this shell points to a lab or a stand-in, and not to AWS. "
                f"Open a new shell, or unset the AWS_ variables of ground env"
            )
    for name in ("endpoint_url", "services"):
        if name in profile:
            raise UsageError(
                f"The AWS profile sets {name}, so it does not point to AWS alone. Choose another one by AWS_PROFILE"
            )


def refuse_unknown_region(region: str, known: Iterable[str]) -> None:
    """Pure. UsageError with the nearest name: a request to a region that is none ends in a name that does not exist."""
    names = sorted(known)
    if region in names:
        return
    near = difflib.get_close_matches(region, names, n=1)
    meant = f" Do you mean {near[0]}?" if near else ""
    raise UsageError(f"{region!r} is no AWS region with EC2 that boto3 knows.{meant} Set AWS_REGION")


def aws_world() -> World:
    """The world of the user's own credentials, by boto3's chain (variables, profile, SSO, ...); region by
    ``AWS_REGION``, then the profile, then the workshop's. UsageError or AccountError in one line."""
    try:
        refuse_endpoint(os.environ, get_session().get_scoped_config())
        world = World.from_environment()
    except ProfileNotFound as error:
        raise AccountError(f"{error}. Known profiles: {', '.join(profiles()) or 'none'}") from error
    refuse_unknown_region(world.region, regions(world.session))
    return world


def regions(session: boto3.Session) -> set[str]:
    """Of every partition, with those that must be enabled first."""
    return {
        name
        for partition in session.get_available_partitions()
        for name in session.get_available_regions("ec2", partition_name=partition)
    }


def profiles() -> list[str]:
    return list(get_session().full_config.get("profiles", {}))
