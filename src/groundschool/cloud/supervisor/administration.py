"""The lab's own small API, for its owner: status, and letting a shell into an instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.ec2.instance import State
from groundschool.cloud.supervisor.status import status

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
        raise AwsError("NotFound", f"The lab has nothing at {method} /_ground{path}", 404)

    def _shell(self, instance_id: str, document: Any) -> dict[str, Any]:
        """Counts the caller's process against the instance's quota and says how to look like one of its own."""
        instance = self._lab.instances.get(instance_id)
        if instance.state is not State.RUNNING:
            raise AwsError("IncorrectInstanceState", f"{instance_id} is {instance.state}, not running", 409)
        instance.machine.attach(int(document["pid"]))
        return {"environment": instance.machine.shell_environment(), "folder": str(instance.machine.folder)}
