"""Operations on the processes of a group that can be suspended."""

from __future__ import annotations

from groundschool.cloud.autoscaling.lifecycle import Process
from groundschool.cloud.autoscaling.operations.asking import Asking, invalid
from groundschool.cloud.call import Call, Params, Result


class ProcessOperations(Asking):
    def suspend_processes(self, call: Call, params: Params) -> Result:
        """Without names: all of them."""
        group = self.group_named(params)
        for process in _processes(params):
            group.suspended.setdefault(process, self.now)
        return {}

    def resume_processes(self, call: Call, params: Params) -> Result:
        group = self.group_named(params)
        for process in _processes(params):
            group.suspended.pop(process, None)
        return {}

    def describe_scaling_process_types(self, call: Call, params: Params) -> Result:
        return {"Processes": [{"ProcessName": name} for name in sorted(Process)]}


def _processes(params: Params) -> list[Process]:
    names = params.get("ScalingProcesses") or list(Process)
    for name in names:
        if name not in list(Process):
            raise invalid(f"Scaling process {name} is not valid: use {', '.join(sorted(Process))}.")
    return [Process(name) for name in names]
