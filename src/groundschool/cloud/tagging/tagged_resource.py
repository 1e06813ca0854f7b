"""Something that carries tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class TaggedResource:
    arn: str
    tags: Mapping[str, str]

    @property
    def service(self) -> str:
        """As in the ARN: ``ec2``, ``elasticloadbalancing``."""
        return self.arn.split(":", 5)[2]

    @property
    def resource_type(self) -> str:
        """As the filters of GetResources name it: ``ec2:instance``. AWS: "the same as that embedded in a resource's
        ARN"; a bucket, whose ARN has no type, is ``s3:bucket``."""
        resource = self.arn.split(":", 5)[5]
        kind = "bucket" if self.service == "s3" else resource.replace("/", ":").partition(":")[0]
        return f"{self.service}:{kind}"
