"""Elastic Load Balancing's operations on targets, in boto3's shapes."""

from __future__ import annotations

from typing import Any

from groundschool.cloud.call import Call, Params, Result
from groundschool.cloud.load_balancing.registry import TargetRegistry
from groundschool.cloud.network.data_plane import NOT_REGISTERED, TargetHealth


class TargetOperations:
    def __init__(self, registry: TargetRegistry) -> None:
        self._registry = registry

    def register_targets(self, call: Call, params: Params) -> Result:
        for target in params["Targets"]:
            self._registry.register(params["TargetGroupArn"], target["Id"], target.get("Port"))
        return {}

    def deregister_targets(self, call: Call, params: Params) -> Result:
        for target in params["Targets"]:
            self._registry.deregister(params["TargetGroupArn"], target["Id"], target.get("Port"))
        return {}

    def describe_target_health(self, call: Call, params: Params) -> Result:
        arn = params["TargetGroupArn"]
        group = self._registry.group(arn)
        health_port = "traffic-port" if group.health_check_port is None else str(group.health_check_port)
        asked = params.get("Targets")
        if asked:
            rows = [(target["Id"], target.get("Port") or group.port) for target in asked]
        else:
            rows = [(each.instance_id, each.port) for each in self._registry.registrations(arn)]
        registered = {(each.instance_id, each.port) for each in self._registry.registrations(arn)}
        return {
            "TargetHealthDescriptions": [
                {
                    "Target": {"Id": instance_id, "Port": port},
                    "HealthCheckPort": str(port) if health_port == "traffic-port" else health_port,
                    "TargetHealth": _document(
                        self._registry.health(arn, instance_id, port)
                        if (instance_id, port) in registered
                        else NOT_REGISTERED
                    ),
                }
                for instance_id, port in rows
            ]
        }


def _document(health: TargetHealth) -> dict[str, Any]:
    return {"State": str(health.state), "Reason": health.reason, "Description": health.description}
