"""Turns an access key into a principal, and a principal and an action into yes or an AWS error."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call
from groundschool.cloud.identity.policy import ANY_RESOURCE, Verdict, evaluate
from groundschool.cloud.identity.principal import Principal, Secret
from groundschool.cloud.identity.role_session import RoleSession, RoleSessions
from groundschool.cloud.passive.identity_records import AccessKeyOwner, IdentityRecords

JSON_SERVICES = ("dynamodb", "ssm", "resourcegroupstaggingapi")
"""Their errors are called alike."""
UNKNOWN_KEY = {
    "ec2": ("AuthFailure", "AWS was not able to validate the provided access credentials", 401),
    "s3": ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403),
    **dict.fromkeys(
        JSON_SERVICES,
        ("UnrecognizedClientException", "The security token included in the request is invalid.", 400),
    ),
}
UNKNOWN_TOKEN = ("InvalidClientTokenId", "The security token included in the request is invalid.", 403)
EXPIRED_CODE = {"ec2": "RequestExpired", **dict.fromkeys(JSON_SERVICES, "ExpiredTokenException")}
DENIED_CODE = {"ec2": "UnauthorizedOperation", **dict.fromkeys(JSON_SERVICES, "AccessDeniedException")}
IAM_PREFIX = {"elbv2": "elasticloadbalancing", "cloudwatch": "cloudwatch", "resourcegroupstaggingapi": "tag"}
"""Where the service prefix of IAM actions differs from botocore's service name."""


class Authoriser:
    """Called under the lab's lock."""

    def __init__(
        self, root_key: tuple[str, Secret], account_id: str, records: IdentityRecords, sessions: RoleSessions
    ) -> None:
        self._root_access_key_id, self._root_secret = root_key
        self._account_id = account_id
        self._records = records
        self._sessions = sessions

    def principal(self, access_key_id: str | None) -> Principal | None:
        if access_key_id is None:
            return None
        if access_key_id == self._root_access_key_id:
            arn = f"arn:aws:iam::{self._account_id}:user/ground"
            return Principal(arn, "AIDAGROUNDSCHOOL0LAB", None, self._root_secret)
        session = self._sessions.of_access_key(access_key_id)
        if session is not None:
            return self._of_session(session)
        owner = self._records.owner(access_key_id)
        return None if owner is None else _of_owner(owner)

    def authenticate(self, call: Call, now: float) -> Principal:
        """Who the access key says it is; its signature is not looked at. ``now`` in Unix seconds.

        Raises AwsError in the service's own words for a key that is unknown, inactive or expired.
        """
        principal = self.principal(call.access_key_id)
        if principal is None:
            raise AwsError(*UNKNOWN_KEY.get(call.service, UNKNOWN_TOKEN))
        if now >= principal.expires_at:
            message = "The security token included in the request is expired"
            raise AwsError(
                EXPIRED_CODE.get(call.service, "ExpiredToken"), message, 400 if call.service == "s3" else 403
            )
        return principal

    def check(self, principal: Principal, call: Call, resource: str) -> None:
        """Raises AwsError in the service's own words for a missing permission."""
        action = f"{IAM_PREFIX.get(call.service, call.service)}:{call.operation}"
        if principal.statements is None or action == "sts:GetCallerIdentity":
            return
        verdict = evaluate(principal.statements, action, resource)
        if verdict is not Verdict.ALLOWED:
            message = denial(principal.arn, action, resource, verdict)
            raise AwsError(DENIED_CODE.get(call.service, "AccessDenied"), message, 403)

    def policy_document(self) -> dict[str, Any]:
        """What the DynamoDB store needs to decide on its own: see groundschool.dynamodb."""
        keys = {}
        principals = {session.access_key_id: self._of_session(session) for session in self._sessions.live()}
        principals |= {owner.access_key_id: _of_owner(owner) for owner in self._records.owners()}
        for access_key_id, principal in principals.items():
            keys[access_key_id] = {"principal_arn": principal.arn, "statements": principal.statements}
        return {"account_id": self._account_id, "keys": keys, "root_keys": [self._root_access_key_id]}

    def _of_session(self, session: RoleSession) -> Principal:
        role = self._records.role(session.role_name)
        return Principal(
            f"arn:aws:sts::{self._account_id}:assumed-role/{session.role_name}/{session.instance_id}",
            f"{role.role_id if role else 'AROAUNKNOWN'}:{session.instance_id}",
            role.statements if role else (),
            Secret(session.secret_access_key, session.token),
            session.expires_at,
        )


def _of_owner(owner: AccessKeyOwner) -> Principal:
    secret = Secret(owner.secret_access_key, owner.session_token)
    return Principal(owner.arn, owner.unique_id, owner.statements, secret, owner.expires_at)


def denial(principal_arn: str, action: str, resource: str, verdict: Verdict) -> str:
    """AWS's sentence for a missing permission (AWS: IAM user guide, troubleshoot access denied error messages)."""
    on = "" if resource == ANY_RESOURCE else f" on resource: {resource}"
    reason = (
        "with an explicit deny in an identity-based policy"
        if verdict is Verdict.EXPLICIT_DENY
        else f"because no identity-based policy allows the {action} action"
    )
    return f"User: {principal_arn} is not authorized to perform: {action}{on} {reason}"


class PolicyFile:
    """The authoriser's knowledge as a file that the DynamoDB store reads; written only when it changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written = ""

    def write(self, document: dict[str, Any]) -> None:
        text = json.dumps(document, sort_keys=True)
        if text == self._written:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".new")
        temporary.touch(mode=0o600)
        temporary.write_text(text)
        os.replace(temporary, self.path)  # noqa: PTH105 - the atomic rename is the point
        self._written = text
