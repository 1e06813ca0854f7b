"""EC2's operations on instances, in boto3's shapes."""

from __future__ import annotations

import base64
from typing import Any

from groundschool.clock import Clock
from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Params, Result
from groundschool.cloud.ec2.describe import instance_document, reservations, status_document
from groundschool.cloud.ec2.filters import matching
from groundschool.cloud.ec2.instance import Instance, State
from groundschool.cloud.ec2.instances import Instances, launch_template_of
from groundschool.cloud.ec2.launch import changed_metadata, launch_plan
from groundschool.cloud.ec2.pages import page
from groundschool.cloud.passive.network_records import NetworkRecords


class InstanceOperations:
    """RunInstances to TerminateInstances, and what describes them."""

    def __init__(self, instances: Instances, network: NetworkRecords, clock: Clock) -> None:
        self._instances = instances
        self._network = network
        self._clock = clock

    def run_instances(self, call: Call, params: Params) -> Result:
        template, version = launch_template_of(params, self._network)
        launched = self._instances.launch(launch_plan(params, template), version)
        [reservation] = reservations(launched, self._documents(launched, call), call.account_id)
        return reservation

    def describe_instances(self, call: Call, params: Params) -> Result:
        found = self._found(params)
        shown, token = page(found, params, lambda instance: instance.instance_id)
        documents = self._documents(shown, call)
        return {"Reservations": reservations(shown, documents, call.account_id), "NextToken": token}

    def describe_instance_status(self, call: Call, params: Params) -> Result:
        found = self._found(params)
        if not params.get("IncludeAllInstances"):
            found = [instance for instance in found if instance.state is State.RUNNING]
        shown, token = page(found, params, lambda instance: instance.instance_id)
        return {"InstanceStatuses": [status_document(instance) for instance in shown], "NextToken": token}

    def start_instances(self, call: Call, params: Params) -> Result:
        return {"StartingInstances": self._change(params, self._instances.start)}

    def stop_instances(self, call: Call, params: Params) -> Result:
        for instance in self._named(params):
            if instance.disable_api_stop:
                raise AwsError(
                    "OperationNotPermitted",
                    f"The instance '{instance.instance_id}' may not be stopped. "
                    "Modify its 'disableApiStop' instance attribute and try again.",
                )
        return {"StoppingInstances": self._change(params, self._instances.stop)}

    def reboot_instances(self, call: Call, params: Params) -> Result:
        for instance in self._named(params):
            self._instances.reboot(instance)
        return {}

    def terminate_instances(self, call: Call, params: Params) -> Result:
        named = self._named(params)
        for instance in named:
            if instance.disable_api_termination:
                raise AwsError(
                    "OperationNotPermitted",
                    f"The instance '{instance.instance_id}' may not be terminated. "
                    "Modify its 'disableApiTermination' instance attribute and try again.",
                )
        return {"TerminatingInstances": self._change(params, self._instances.terminate)}

    def get_console_output(self, call: Call, params: Params) -> Result:
        """The boot log, current at every call (on AWS: ``Latest``)."""
        instance = self._instances.get(params["InstanceId"])
        text = instance.machine.console_output()[-65536:]
        return {
            "InstanceId": instance.instance_id,
            "Output": base64.b64encode(text.encode()).decode(),
            "Timestamp": self._clock.wall_time(self._clock.now()),
        }

    def modify_instance_metadata_options(self, call: Call, params: Params) -> Result:
        instance = self._instances.get(params["InstanceId"])
        instance.metadata = changed_metadata(instance.metadata, params)
        return {
            "InstanceId": instance.instance_id,
            "InstanceMetadataOptions": {
                "State": "applied",
                "HttpTokens": instance.metadata.http_tokens,
                "HttpEndpoint": instance.metadata.http_endpoint,
                "HttpPutResponseHopLimit": instance.metadata.hop_limit,
            },
        }

    def monitor_instances(self, call: Call, params: Params) -> Result:
        return self._monitoring(params, detailed=True)

    def unmonitor_instances(self, call: Call, params: Params) -> Result:
        return self._monitoring(params, detailed=False)

    def _monitoring(self, params: Params, *, detailed: bool) -> Result:
        named = self._named(params)
        for instance in named:
            instance.detailed_monitoring = detailed
        state = "enabled" if detailed else "disabled"
        return {
            "InstanceMonitorings": [
                {"InstanceId": instance.instance_id, "Monitoring": {"State": state}} for instance in named
            ]
        }

    def _named(self, params: Params) -> list[Instance]:
        instance_ids = params.get("InstanceIds") or []
        if not instance_ids:
            raise AwsError("MissingParameter", "The request must contain the parameter InstanceIds")
        return self._instances.select(instance_ids)

    def _found(self, params: Params) -> list[Instance]:
        instance_ids = params.get("InstanceIds") or []
        if instance_ids and params.get("MaxResults"):
            raise AwsError(
                "InvalidParameterCombination",
                "The parameter instancesSet cannot be used with the parameter maxResults",
            )
        return matching(self._instances.select(instance_ids), params.get("Filters") or [])

    def _change(self, params: Params, deed: Any) -> list[dict[str, Any]]:
        changes = []
        for instance in self._named(params):
            before = instance.state_document()
            deed(instance)
            changes.append(
                {
                    "InstanceId": instance.instance_id,
                    "PreviousState": before,
                    "CurrentState": instance.state_document(),
                }
            )
        return changes

    def _documents(self, instances: list[Instance], call: Call) -> dict[str, dict[str, Any]]:
        groups = self._network.security_groups()
        return {
            instance.instance_id: instance_document(instance, self._clock.wall_time, groups, call.account_id)
            for instance in instances
        }
