"""The document of ``ground status``: one state, for people, for ``--json`` and for the console."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from groundschool.cloud.compute.machine import BootState
from groundschool.cloud.ec2.instance import Instance, State
from groundschool.cloud.faults.book import Fault

if TYPE_CHECKING:
    from groundschool.cloud.supervisor.lab import Lab


def status(lab: Lab) -> dict[str, Any]:
    """Called under the lab's lock."""
    return {
        "lab": lab.facts(),
        "instances": [_instance(instance, lab) for instance in lab.instances.select(())],
        "load_balancers": [
            {"name": balancer.name, "url": f"http://{balancer.dns_name}/"}
            for balancer in lab.balancers.load_balancers()
        ],
        "target_groups": [
            {
                "name": group.name,
                "targets": {
                    f"{each.instance_id}:{each.port}": str(lab.registry.health(arn, each.instance_id, each.port).state)
                    for each in lab.registry.registrations(arn)
                },
            }
            for arn, group in lab.balancers.target_groups().items()
        ],
        "auto_scaling_groups": [
            {
                "name": group.name,
                "desired": group.desired_capacity,
                "min": group.settings.min_size,
                "max": group.settings.max_size,
                "instances": {each.instance_id: str(each.state) for each in group.members.values()},
            }
            for group in lab.autoscaling.groups.values()
        ],
        "faults": [fault_document(fault) for fault in lab.fault_book.active()],
        "alarms": {alarm.name: str(alarm.state) for alarm in lab.alarms.all()},
    }


def fault_document(fault: Fault) -> dict[str, Any]:
    """``since`` in lab seconds, ``milliseconds`` None for all but ``slow``."""
    return {
        "kind": str(fault.kind),
        "subject": fault.subject,
        "since": round(fault.since, 1),
        "milliseconds": fault.milliseconds,
    }


def _instance(instance: Instance, lab: Lab) -> dict[str, Any]:
    boot = instance.machine.boot
    failed = boot.state is BootState.READY and boot.exit_code not in (None, 0)
    return {
        "id": instance.instance_id,
        "name": instance.tags.get("Name", ""),
        "state": str(instance.state),
        "type": instance.instance_type,
        "availability_zone": instance.subnet.availability_zone,
        "address": instance.address,
        "cpu_percent": lab.monitor.cpu_percent(instance.instance_id),
        "user_data": f"failed with exit code {boot.exit_code}" if failed else str(boot.state),
        "folder": str(instance.machine.folder) if instance.state is not State.TERMINATED else None,
    }
