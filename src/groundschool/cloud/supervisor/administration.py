"""The lab's own small API, for its owner: status, faults, and letting a shell into an instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.ec2.instance import State
from groundschool.cloud.faults.book import Fault, FaultKind
from groundschool.cloud.supervisor.status import fault_document, status

if TYPE_CHECKING:
    from groundschool.cloud.supervisor.lab import Lab


class Administration:
    """Called under the lab's lock."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def answer(self, method: str, path: str, document: Any) -> dict[str, Any]:
        """Raises AwsError with status 404 for what is not there, 409 for what cannot be done now."""
        match method, path.strip("/").split("/"):
            case "GET", ["status"]:
                return status(self._lab)
            case "POST", ["shell", instance_id]:
                return self._shell(instance_id, document)
            case "POST", ["faults", kind]:
                return fault_document(self._inject(kind, document or {}))
            case "DELETE", ["faults"]:
                return {"ended": [fault_document(fault) for fault in self._lab.faults.clear()]}
        raise AwsError("NotFound", f"The lab has nothing at {method} /_ground{path}", 404)

    def _inject(self, kind: str, document: dict[str, Any]) -> Fault:
        """``document``: ``subject`` (instance id or zone) and, for ``slow``, ``milliseconds``."""
        if kind not in list(FaultKind):
            raise AwsError("NotFound", f"There is no fault {kind}. There are: {', '.join(FaultKind)}", 404)
        return self._lab.faults.inject(
            FaultKind(kind), str(document.get("subject") or ""), document.get("milliseconds")
        )

    def _shell(self, instance_id: str, document: Any) -> dict[str, Any]:
        """Counts the caller's process against the instance's quota and says how to look like one of its own."""
        instance = self._lab.instances.get(instance_id)
        if instance.state is not State.RUNNING:
            raise AwsError("IncorrectInstanceState", f"{instance_id} is {instance.state}, not running", 409)
        instance.machine.attach(int(document["pid"]))
        return {"environment": instance.machine.shell_environment(), "folder": str(instance.machine.folder)}
