"""DescribeVolumes: an instance of the lab has a folder, and no volumes."""

from __future__ import annotations

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Params, Result


class Volumes:
    def describe_volumes(self, call: Call, params: Params) -> Result:
        for volume_id in params.get("VolumeIds") or ():
            raise AwsError("InvalidVolume.NotFound", f"The volume '{volume_id}' does not exist.")
        return {"Volumes": []}
