"""The records of the images made in the lab, kept in moto so that DescribeImages knows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.backends import get_backend
from moto.core.exceptions import ServiceException

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.passive.application import Passive
from groundschool.cloud.passive.network_records import Image


class ImageRecords:
    """Writes moto's EC2 backend of one region."""

    def __init__(self, passive: Passive, account_id: str, region: str) -> None:
        self._passive = passive
        self._account_id = account_id
        self._region = region

    @property
    def _ec2(self) -> Any:
        return get_backend("ec2")[self._account_id][self._region]

    def create(
        self,
        name: str,
        description: str,
        instance_id: str,
        like: Image,
        tags: Mapping[str, str],
        snapshot_tags: Mapping[str, str],
    ) -> str:
        """A pending image of an instance that was itself started from the image ``like``. Returns its id."""
        with self._passive.lock:
            image = self._ec2.register_image(name, description)
            image.state = "pending"
            image.instance_id = instance_id
            image.architecture = like.architecture
            image.root_device_name, image.root_device_type = like.root_device_name, "ebs"
            image.virtualization_type, image.hypervisor = "hvm", "xen"
            image.image_location = f"{self._account_id}/{name}"
            image.add_tags(dict(tags))
            image.ebs_snapshot.add_tags(dict(snapshot_tags))
            return str(image.id)

    def named(self, name: str) -> str | None:
        """The id of this account's image of that name."""
        with self._passive.lock:
            found = (
                image.id
                for image in self._ec2.amis.values()
                if image.name == name and image.owner_id == self._account_id
            )
            return next(found, None)

    def finish(self, image_id: str, failure: str | None) -> None:
        """Makes it available, or failed with a reason; nothing when it was deregistered meanwhile."""
        with self._passive.lock:
            image = self._ec2.amis.get(image_id)
            if image is None:
                return
            image.state = "available" if failure is None else "failed"
            if failure is not None:
                image.state_reason = {"Code": "Client.InternalError", "Message": f"Client.InternalError: {failure}"}

    def deregister(self, image_id: str) -> None:
        """Raises AwsError InvalidAMIID.NotFound or InvalidAMIID.Unavailable."""
        with self._passive.lock:
            try:
                self._ec2.deregister_image(image_id)
            except ServiceException as error:
                raise AwsError(error.code, error.message) from error
