"""Which instance profile an instance has, and changing it while it runs: a forgotten role can be added."""

from __future__ import annotations

import hashlib
from typing import Any

from groundschool.clock import Clock
from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.call import Call, Params, Result
from groundschool.cloud.ec2.instance import Instance, State
from groundschool.cloud.ec2.instances import Instances
from groundschool.cloud.ec2.pages import page
from groundschool.cloud.passive.identity_records import IdentityRecords, InstanceProfile


class ProfileAssociations:
    """AWS: IAM roles for Amazon EC2, "attach an IAM role to an instance"."""

    def __init__(self, instances: Instances, identity: IdentityRecords, clock: Clock) -> None:
        self._instances = instances
        self._identity = identity
        self._clock = clock

    def associate_iam_instance_profile(self, call: Call, params: Params) -> Result:
        instance = self._instances.get(params["InstanceId"])
        if instance.state not in (State.PENDING, State.RUNNING, State.STOPPING, State.STOPPED):
            raise AwsError("IncorrectInstanceState", f"The instance '{instance.instance_id}' is {instance.state}")
        if instance.profile is not None:
            raise AwsError("IncorrectState", f"There is an existing association for instance {instance.instance_id}")
        instance.profile = self._profile(params)
        return {"IamInstanceProfileAssociation": self._document(instance, "associating")}

    def replace_iam_instance_profile_association(self, call: Call, params: Params) -> Result:
        instance = self._associated(params["AssociationId"])
        instance.profile = self._profile(params)
        return {"IamInstanceProfileAssociation": self._document(instance, "associating")}

    def disassociate_iam_instance_profile(self, call: Call, params: Params) -> Result:
        instance = self._associated(params["AssociationId"])
        document = self._document(instance, "disassociating")
        instance.profile = None
        return {"IamInstanceProfileAssociation": document}

    def describe_iam_instance_profile_associations(self, call: Call, params: Params) -> Result:
        found = [instance for instance in self._instances.live() if instance.profile is not None]
        if wanted := params.get("AssociationIds"):
            found = [self._associated(association_id) for association_id in wanted]
        for each in params.get("Filters") or ():
            if each["Name"] == "instance-id":
                found = [instance for instance in found if instance.instance_id in each["Values"]]
            elif each["Name"] == "state":
                found = found if "associated" in each["Values"] else []
            else:
                raise AwsError("InvalidParameterValue", f"The filter '{each['Name']}' is invalid")
        shown, token = page(found, params, lambda instance: instance.instance_id)
        rows = [self._document(instance, "associated") for instance in shown]
        return {"IamInstanceProfileAssociations": rows, "NextToken": token}

    def _profile(self, params: Params) -> InstanceProfile:
        named = params["IamInstanceProfile"]
        return self._identity.instance_profile(named.get("Name"), named.get("Arn"))

    def _associated(self, association_id: str) -> Instance:
        for instance in self._instances.live():
            if (
                instance.profile is not None
                and _association_id(instance.instance_id, instance.profile) == association_id
            ):
                return instance
        raise AwsError("InvalidAssociationID.NotFound", f"An invalid association-id of '{association_id}' was given")

    def _document(self, instance: Instance, state: str) -> dict[str, Any]:
        assert instance.profile is not None
        return {
            "AssociationId": _association_id(instance.instance_id, instance.profile),
            "InstanceId": instance.instance_id,
            "IamInstanceProfile": {"Arn": instance.profile.arn, "Id": instance.profile.profile_id},
            "State": state,
            "Timestamp": self._clock.wall_time(self._clock.now()),
        }


def _association_id(instance_id: str, profile: InstanceProfile) -> str:
    """An instance has one profile, so the pair is the association; another profile is another one, as on AWS."""
    digest = hashlib.sha256(f"{instance_id} {profile.arn}".encode()).hexdigest()
    return f"iip-assoc-0{digest[:16]}"
