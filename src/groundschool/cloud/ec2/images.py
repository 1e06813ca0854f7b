"""Images made from instances: taken in the background, then available."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.ec2.instance import State
from groundschool.cloud.ec2.instances import Instances
from groundschool.cloud.ec2.machine_room import MachineRoom
from groundschool.cloud.passive.image_records import ImageRecords


class Images:
    """Called under the lab's lock only."""

    def __init__(self, room: MachineRoom, instances: Instances, records: ImageRecords) -> None:
        self._room = room
        self._instances = instances
        self._records = records
        self._being_taken: dict[str, Future[None]] = {}

    def create(
        self,
        instance_id: str,
        name: str,
        description: str,
        tags: Mapping[str, str],
        snapshot_tags: Mapping[str, str],
        *,
        reboot: bool,
    ) -> str:
        """Returns the id of an image that is pending. Raises AwsError as CreateImage does."""
        instance = self._instances.get(instance_id)
        if instance.state not in (State.RUNNING, State.STOPPED):
            raise AwsError(
                "IncorrectInstanceState",
                f"The instance '{instance_id}' is not in a state from which an image can be made: {instance.state}",
            )
        if not 3 <= len(name) <= 128:
            raise AwsError("InvalidAMIName.Malformed", "AMI names must be between 3 and 128 characters long")
        if taken := self._records.named(name):
            raise AwsError("InvalidAMIName.Duplicate", f"AMI name {name} is already in use by AMI {taken}")
        image_id = self._records.create(name, description, instance_id, instance.image, tags, snapshot_tags)
        self._being_taken[image_id] = self._room.take_image(instance.machine, image_id, reboot=reboot)
        return image_id

    def deregister(self, image_id: str) -> None:
        """Instances of the image go on. Raises AwsError InvalidAMIID.NotFound."""
        self._records.deregister(image_id)
        self._room.remove_image(image_id)

    def step(self) -> None:
        """Moves the states on."""
        for image_id, job in list(self._being_taken.items()):
            if job.done():
                error = job.exception()
                self._records.finish(image_id, None if error is None else str(error))
                del self._being_taken[image_id]
