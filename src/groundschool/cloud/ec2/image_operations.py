"""EC2's operations that make and remove images, in boto3's shapes; what describes them is moto's."""

from __future__ import annotations

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Params, Result
from groundschool.cloud.ec2.images import Images
from groundschool.cloud.ec2.tag_specification import tags_for


class ImageOperations:
    def __init__(self, images: Images) -> None:
        self._images = images

    def create_image(self, call: Call, params: Params) -> Result:
        """AWS: the instance is rebooted for a consistent copy unless ``NoReboot``."""
        if params.get("DryRun"):
            raise AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
        image_id = self._images.create(
            params["InstanceId"],
            params["Name"],
            params.get("Description") or "",
            tags_for("image", params),
            tags_for("snapshot", params),
            reboot=not params.get("NoReboot"),
        )
        return {"ImageId": image_id}

    def deregister_image(self, call: Call, params: Params) -> Result:
        self._images.deregister(params["ImageId"])
        return {"Return": True}
