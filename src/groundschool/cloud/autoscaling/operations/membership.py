"""Operations that move instances in and out: attach, detach, standby."""

from __future__ import annotations

from groundschool.cloud.autoscaling import causes
from groundschool.cloud.autoscaling.activity import Activity, Status
from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.lifecycle import Transition
from groundschool.cloud.autoscaling.member import LaunchedFor, Member
from groundschool.cloud.autoscaling.operations.answers import activity_answer
from groundschool.cloud.autoscaling.operations.asking import Asking, invalid, required
from groundschool.cloud.autoscaling.surroundings import InstanceView
from groundschool.cloud.autoscaling.transitions import details_of
from groundschool.cloud.call import Call, Params, Result
from groundschool.controlloop.instance import Lifecycle


class MembershipOperations(Asking):
    def attach_instances(self, call: Call, params: Params) -> Result:
        """AWS: the desired capacity grows by the number attached; the group's maximum must allow it."""
        group = self.group_named(params)
        views = [self._attachable(group, instance_id) for instance_id in required(params, "InstanceIds")]
        self._grow(group, len(views), "attach")
        for view in views:
            self._attach(group, view)
        return {}

    def _attachable(self, group: Group, instance_id: str) -> InstanceView:
        view = self.lab.fleet.view(instance_id)
        if view is None or view.state != "running":
            raise invalid(f"Invalid Instance ID(s): [{instance_id}] specified. The instance must be running.")
        if self.service.member(instance_id) is not None:
            raise invalid(f"Instance {instance_id} is already part of an AutoScalingGroup.")
        if view.availability_zone not in group.settings.availability_zones:
            raise invalid(
                f"The availability zone of instance {instance_id} is not part of AutoScalingGroup {group.name}."
            )
        return view

    def _attach(self, group: Group, view: InstanceView) -> None:
        before = len(group.counted)
        member = Member(
            view.instance_id,
            view.instance_type,
            view.availability_zone,
            view.image_id,
            None,
            view.launched_at,
            LaunchedFor.ATTACHED,
        )
        group.members[view.instance_id] = member
        words = causes.attached(before, before + 1)
        self._begin(group, member, "Attaching an existing EC2 instance", words, Status.PRE_IN_SERVICE)

    def detach_instances(self, call: Call, params: Params) -> Result:
        group = self.group_named(params)
        members = self.members_named(group, required(params, "InstanceIds"))
        for member in members:
            if member.state not in (Lifecycle.IN_SERVICE, Lifecycle.STANDBY):
                raise invalid(f"The instance {member.instance_id} is not in InService or Standby.")
        serving = [member for member in members if member.counts]
        shrinks = required(params, "ShouldDecrementDesiredCapacity")
        self._shrink(group, len(serving) if shrinks else 0, "detach")
        activities = []
        for member in members:
            words = causes.detached(member.instance_id, self._change(group, shrinks and member.counts, -1))
            member.state = Lifecycle.DETACHING
            activities.append(self._begin(group, member, "Detaching EC2 instance", words, Status.IN_PROGRESS))
        return {"Activities": [activity_answer(self.lab, group, activity) for activity in activities]}

    def enter_standby(self, call: Call, params: Params) -> Result:
        group = self.group_named(params)
        members = self.members_named(group, required(params, "InstanceIds"))
        for member in members:
            if member.state is not Lifecycle.IN_SERVICE:
                raise invalid(f"The instance {member.instance_id} is not in InService.")
        shrinks = required(params, "ShouldDecrementDesiredCapacity")
        self._shrink(group, len(members) if shrinks else 0, "place into standby")
        activities = []
        for member in members:
            words = causes.to_standby(member.instance_id, self._change(group, shrinks, -1))
            member.state = Lifecycle.ENTERING_STANDBY
            activities.append(self._begin(group, member, "Moving EC2 instance to Standby", words, Status.IN_PROGRESS))
        return {"Activities": [activity_answer(self.lab, group, activity) for activity in activities]}

    def exit_standby(self, call: Call, params: Params) -> Result:
        """AWS: back through Pending to InService; launching hooks have been passed long ago."""
        group = self.group_named(params)
        members = self.members_named(group, required(params, "InstanceIds"))
        for member in members:
            if member.state is not Lifecycle.STANDBY:
                raise invalid(f"The instance {member.instance_id} is not in Standby.")
        self._grow(group, len(members), "exit standby for")
        activities = []
        for member in members:
            words = causes.out_of_standby(member.instance_id, (len(group.counted), len(group.counted) + 1))
            member.state, member.ready, member.in_service_at = Lifecycle.PENDING, False, None
            member.launched_by_policy = None
            member.hooks_passed = {
                hook.name for hook in group.hooks.values() if hook.transition is Transition.LAUNCHING
            }
            activities.append(
                self._begin(group, member, "Moving EC2 instance out of Standby", words, Status.PRE_IN_SERVICE)
            )
        return {"Activities": [activity_answer(self.lab, group, activity) for activity in activities]}

    def _begin(self, group: Group, member: Member, what: str, words: str, status: Status) -> Activity:
        if member.activity is not None and member.activity.ended_at is None:
            member.activity.end(Status.SUCCESSFUL, self.now)
        cause = causes.sentence(self.lab.at(self.now), words)
        description = f"{what}: {member.instance_id}"
        member.activity = group.start_activity(description, cause, status, self.now, details_of(member))
        return member.activity

    def _change(self, group: Group, changes: bool, by: int) -> tuple[int, int] | None:
        counted = len(group.counted)
        return (counted, counted + by) if changes else None

    def _shrink(self, group: Group, number: int, verb: str) -> None:
        self._resize(group, group.desired_capacity - number, number, verb)

    def _grow(self, group: Group, number: int, verb: str) -> None:
        self._resize(group, group.desired_capacity + number, number, verb)

    def _resize(self, group: Group, desired: int, number: int, verb: str) -> None:
        settings = group.settings
        if not settings.min_size <= desired <= settings.max_size:
            raise invalid(
                f"AutoScalingGroup {group.name} has min-size={settings.min_size}, max-size={settings.max_size}, and "
                f"desired-size={group.desired_capacity}. To {verb} {number} instance{'s' if number > 1 else ''}, "
                "please update the AutoScalingGroup sizes appropriately."
            )
        group.desired_capacity = desired
