"""Run Command (AWS-RunShellScript) and what a learner may ask of Session Manager, in boto3's shapes."""

from __future__ import annotations

import uuid
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from groundschool.clock import Clock
from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Params, Result
from groundschool.cloud.compute.command import CommandResult
from groundschool.cloud.ec2.instance import Instance, State
from groundschool.cloud.ec2.instances import Instances
from groundschool.cloud.identity.policy import ANY_RESOURCE, Verdict, evaluate
from groundschool.cloud.passive.identity_records import IdentityRecords

DOCUMENT = "AWS-RunShellScript"
OUTPUT_LIMIT = 24_000
"""Characters of output that GetCommandInvocation returns (AWS: Systems Manager API reference)."""
EXECUTION_SECONDS = 3600
"""The document's default executionTimeout. Real seconds: a script does real work."""
KEPT_COMMANDS = 200


@dataclass(frozen=True)
class Invocation:
    command_id: str
    instance_id: str
    requested_at: float
    answer: Future[CommandResult]

    @property
    def status(self) -> str:
        if not self.answer.done():
            return "InProgress"
        result = self.answer.result()
        if result.timed_out:
            return "TimedOut"
        return "Success" if result.exit_code == 0 else "Failed"


class CommandOperations:
    """An instance takes commands when it runs and its role lets the agent register, as on AWS."""

    def __init__(self, instances: Instances, identity: IdentityRecords, clock: Clock) -> None:
        self._instances = instances
        self._identity = identity
        self._clock = clock
        self._invocations: dict[tuple[str, str], Invocation] = {}

    def send_command(self, call: Call, params: Params) -> Result:
        if params["DocumentName"] != DOCUMENT:
            raise AwsError("InvalidDocument", f"The lab runs the document {DOCUMENT} only")
        instances = [self._managed(instance_id) for instance_id in params.get("InstanceIds") or ()]
        if not instances:
            raise AwsError("InvalidParameters", "Name the instances with InstanceIds")
        parameters = params.get("Parameters") or {}
        script = "\n".join(parameters.get("commands") or ())
        seconds = float((parameters.get("executionTimeout") or [EXECUTION_SECONDS])[0])
        command_id = str(uuid.uuid4())
        for instance in instances:
            answer = instance.machine.run_command(script, seconds)
            self._remember(Invocation(command_id, instance.instance_id, self._clock.now(), answer))
        return {
            "Command": {
                "CommandId": command_id,
                "DocumentName": DOCUMENT,
                "Comment": params.get("Comment") or "",
                "InstanceIds": [instance.instance_id for instance in instances],
                "RequestedDateTime": self._clock.wall_time(self._clock.now()),
                "Status": "Pending",
                "StatusDetails": "Pending",
                "TargetCount": len(instances),
                "Parameters": parameters,
            }
        }

    def get_command_invocation(self, call: Call, params: Params) -> Result:
        found = self._invocations.get((params["CommandId"], params["InstanceId"]))
        if found is None:
            raise AwsError("InvocationDoesNotExist", "The command ID and instance ID you specified did not match any")
        return _document(found)

    def list_command_invocations(self, call: Call, params: Params) -> Result:
        found = [
            each
            for each in self._invocations.values()
            if params.get("CommandId") in (None, each.command_id)
            and params.get("InstanceId") in (None, each.instance_id)
        ]
        return {
            "CommandInvocations": [
                {
                    "CommandId": each.command_id,
                    "InstanceId": each.instance_id,
                    "DocumentName": DOCUMENT,
                    "RequestedDateTime": self._clock.wall_time(each.requested_at),
                    "Status": each.status,
                    "StatusDetails": each.status,
                }
                for each in found
            ]
        }

    def describe_instance_information(self, call: Call, params: Params) -> Result:
        wanted = {
            value
            for each in params.get("Filters") or ()
            if each.get("Key") == "InstanceIds"
            for value in each.get("Values") or ()
        }
        return {
            "InstanceInformationList": [
                {
                    "InstanceId": instance.instance_id,
                    "PingStatus": "Online",
                    "PlatformType": "Linux",
                    "PlatformName": "Amazon Linux",
                    "PlatformVersion": "2023",
                    "ResourceType": "EC2Instance",
                    "IPAddress": instance.address,
                }
                for instance in self._instances.live()
                if self._registered(instance) and (not wanted or instance.instance_id in wanted)
            ]
        }

    def start_session(self, call: Call, params: Params) -> Result:
        raise AwsError(
            "UnsupportedOperation",
            f"The lab has no Session Manager data channel. Open a shell with: ground shell {params['Target']}",
        )

    def _managed(self, instance_id: str) -> Instance:
        instance = self._instances.find(instance_id)
        if instance is None or not self._registered(instance):
            raise AwsError("InvalidInstanceId", f"Instances [[{instance_id}]] not in a valid state for account")
        return instance

    def _registered(self, instance: Instance) -> bool:
        if instance.state is not State.RUNNING or instance.profile is None or instance.profile.role_name is None:
            return False
        role = self._identity.role(instance.profile.role_name)
        statements = role.statements if role else ()
        return evaluate(statements, "ssm:UpdateInstanceInformation", ANY_RESOURCE) is Verdict.ALLOWED

    def _remember(self, invocation: Invocation) -> None:
        self._invocations[invocation.command_id, invocation.instance_id] = invocation
        while len(self._invocations) > KEPT_COMMANDS:
            del self._invocations[next(iter(self._invocations))]


def _document(invocation: Invocation) -> dict[str, Any]:
    done = invocation.answer.done()
    result = invocation.answer.result() if done else None
    return {
        "CommandId": invocation.command_id,
        "InstanceId": invocation.instance_id,
        "DocumentName": DOCUMENT,
        "PluginName": "aws:runShellScript",
        "ResponseCode": -1 if result is None or result.exit_code is None else result.exit_code,
        "Status": invocation.status,
        "StatusDetails": invocation.status,
        "StandardOutputContent": result.stdout[:OUTPUT_LIMIT] if result else "",
        "StandardErrorContent": result.stderr[:OUTPUT_LIMIT] if result else "",
    }
