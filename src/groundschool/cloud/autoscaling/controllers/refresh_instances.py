"""Replace every instance of a group, a few at a time, never below the minimum healthy percentage."""

from __future__ import annotations

from math import inf

from groundschool.cloud.autoscaling import causes
from groundschool.cloud.autoscaling.controllers.launch import launch, zones_with_capacity
from groundschool.cloud.autoscaling.controllers.pace import SOON
from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.instance_refresh import InstanceRefresh, RefreshStatus
from groundschool.cloud.autoscaling.lifecycle import Process
from groundschool.cloud.autoscaling.member import LaunchedFor, Member
from groundschool.cloud.autoscaling.surroundings import Surroundings
from groundschool.cloud.autoscaling.transitions import begin_termination
from groundschool.cloud.network.data_plane import HealthState
from groundschool.controlloop.instance import Lifecycle
from groundschool.controlloop.placement import zone_to_launch_in
from groundschool.controlloop.warm_up import is_warming


def refresh_instances(lab: Surroundings, group: Group, now: float) -> float:
    """One pass over the refresh that is going on. AWS: instance refresh, how it works."""
    refresh = group.refresh
    if refresh is None or group.suspends(Process.INSTANCE_REFRESH):
        return inf
    if refresh.status is RefreshStatus.PENDING:
        _begin(lab, group, refresh)
    replaceable = _observe(lab, group, refresh, now)
    if refresh.status is RefreshStatus.CANCELLING:
        if not _in_transit(group):
            refresh.end(RefreshStatus.CANCELLED, now, "Cancelled due to user request.")
    elif not refresh.instances_to_update:
        refresh.end(RefreshStatus.SUCCESSFUL, now)
    else:
        _replace_some(lab, group, refresh, replaceable, now)
        _launch_ahead(lab, group, refresh, now)
    return now + SOON if refresh.active else inf


def _begin(lab: Surroundings, group: Group, refresh: InstanceRefresh) -> None:
    wanted = lab.fleet.template(group.settings.template_specification) if refresh.preferences.skip_matching else None
    old = group.where(lambda member: member.counts or member.state is Lifecycle.STANDBY)
    refresh.waiting_for = {member.instance_id for member in old if wanted is None or member.template != wanted}
    refresh.total = len(refresh.waiting_for)
    refresh.status = RefreshStatus.IN_PROGRESS


def _observe(lab: Surroundings, group: Group, refresh: InstanceRefresh, now: float) -> list[Member]:
    """Bring the refresh up to date with the members; the result may be replaced now."""
    preferences = refresh.preferences
    present = {member.instance_id: member for member in group.members.values() if not member.terminating}
    refresh.waiting_for &= present.keys()
    waiting = [present[instance_id] for instance_id in sorted(refresh.waiting_for)]
    if preferences.scale_in_protected_instances == "Ignore":
        refresh.waiting_for -= {member.instance_id for member in waiting if member.protected}
    if preferences.standby_instances == "Ignore":
        refresh.waiting_for -= {member.instance_id for member in waiting if not member.counts}
    new = group.where(lambda member: member.launched_for is LaunchedFor.REFRESH and member.counts)
    refresh.replacing = group.refresh_launches_owed + sum(not _healthy(lab, group, refresh, each, now) for each in new)
    refresh.surge = max(0, min(refresh.surge, len(group.counted) - group.desired_capacity))
    return [member for member in waiting if _may_go(member, refresh)]


def _may_go(member: Member, refresh: InstanceRefresh) -> bool:
    if member.instance_id not in refresh.waiting_for:
        return False
    if member.state is Lifecycle.STANDBY:
        return refresh.preferences.standby_instances == "Terminate"
    return member.counts and (not member.protected or refresh.preferences.scale_in_protected_instances == "Refresh")


def _healthy(lab: Surroundings, group: Group, refresh: InstanceRefresh, member: Member, now: float) -> bool:
    """In service, not refused by a load balancer, and warm if it was launched since the refresh began."""
    if member.unhealthy or member.state is not Lifecycle.IN_SERVICE:
        return False
    if member.launched_at >= refresh.started_at and is_warming(member.seen(), _warm_up(group, refresh), now):
        return False
    states = {lab.targets.health(arn, member.instance_id).state for arn in member.registered}
    return not group.settings.elb_health_checked or not states & {HealthState.INITIAL, HealthState.UNHEALTHY}


def _warm_up(group: Group, refresh: InstanceRefresh) -> float:
    """AWS: the refresh's own, else the group's default instance warm-up, else its health check grace period."""
    settings = group.settings
    for seconds in (refresh.preferences.instance_warmup, settings.default_instance_warmup):
        if seconds is not None and seconds >= 0:
            return seconds
    return settings.health_check_grace_period


def _replace_some(
    lab: Surroundings, group: Group, refresh: InstanceRefresh, replaceable: list[Member], now: float
) -> None:
    """Standby instances are outside the healthy count; of the others, the unhealthy cost nothing."""
    desired = group.desired_capacity
    healthy = sum(_healthy(lab, group, refresh, member, now) for member in group.counted)
    spare = healthy - (desired - refresh.preferences.may_be_unhealthy(desired, surge=refresh.surge))
    for member in replaceable:
        costs = member.counts and _healthy(lab, group, refresh, member, now)
        if costs and spare <= 0:
            continue
        spare -= costs
        _replace(lab, group, refresh, member, now)


def _replace(lab: Surroundings, group: Group, refresh: InstanceRefresh, member: Member, now: float) -> None:
    at = lab.at(now)
    words = (causes.REFRESH_TERMINATION, causes.selected(member.instance_id))
    counted = member.counts
    begin_termination(group, member, causes.paragraph(causes.sentence(at, each) for each in words), now)
    refresh.waiting_for.discard(member.instance_id)
    if refresh.surge:
        refresh.surge -= 1
    elif counted:
        group.refresh_launches_owed += 1
        refresh.replacing += 1


def _launch_ahead(lab: Surroundings, group: Group, refresh: InstanceRefresh, now: float) -> None:
    """With a maximum healthy percentage above 100, successors come before their predecessors go."""
    room = min(refresh.preferences.may_exceed(group.desired_capacity), len(refresh.waiting_for))
    if len(group.counted) < group.desired_capacity or now < group.backoff.until:
        return
    while refresh.surge < room:
        cause = causes.sentence(lab.at(now), causes.REFRESH_LAUNCH)
        zone = zone_to_launch_in(zones_with_capacity(group, now), group.seen())
        if not launch(lab, group, zone, LaunchedFor.REFRESH, cause, now):
            return
        refresh.surge += 1
        refresh.replacing += 1


def _in_transit(group: Group) -> bool:
    return bool(group.where(lambda member: member.launching or member.terminating))
