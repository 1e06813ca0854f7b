"""The controllers of a group, in the order of a pass. Each: guards, observe, decide, act, say when to look again.

All are level-based: they compare what is with what shall be, so that running one twice changes nothing. They share
nothing but the group's record and its surroundings, and run under the lab's one lock.

    run_scheduled_actions     sizes by the calendar
    expire_lifecycle_actions  hooks nobody completed
    check_health              mark the unhealthy: EC2 at once, load balancer after the grace period
    replace_unhealthy         take them out, throttled
    refresh_instances         replace everything, a few at a time
    balance_zones             move capacity between zones, launching first
    terminate_surplus         down to the desired capacity, by the termination policies
    launch_missing            up to the desired capacity, in the zone with the fewest
    register_targets          the target groups know who serves, and nobody else
    start_instances           Pending -> hooks -> registered -> InService
    finish_warm_ups           the activity of a policy's launch ends when the instance is warm
    end_instances             Terminating -> drained -> hooks -> terminated; to standby; detached
    renew_alarms              target tracking's alarms follow the desired capacity
"""

from __future__ import annotations

from collections.abc import Callable

from groundschool.cloud.autoscaling.controllers.balance_zones import balance_zones
from groundschool.cloud.autoscaling.controllers.check_health import check_health
from groundschool.cloud.autoscaling.controllers.end_instances import end_instances
from groundschool.cloud.autoscaling.controllers.expire_lifecycle_actions import expire_lifecycle_actions
from groundschool.cloud.autoscaling.controllers.finish_warm_ups import finish_warm_ups
from groundschool.cloud.autoscaling.controllers.launch_missing import launch_missing
from groundschool.cloud.autoscaling.controllers.refresh_instances import refresh_instances
from groundschool.cloud.autoscaling.controllers.register_targets import register_targets
from groundschool.cloud.autoscaling.controllers.renew_alarms import renew_alarms
from groundschool.cloud.autoscaling.controllers.replace_unhealthy import replace_unhealthy
from groundschool.cloud.autoscaling.controllers.run_scheduled_actions import run_scheduled_actions
from groundschool.cloud.autoscaling.controllers.start_instances import start_instances
from groundschool.cloud.autoscaling.controllers.terminate_surplus import terminate_surplus
from groundschool.cloud.autoscaling.group import Group
from groundschool.cloud.autoscaling.surroundings import Surroundings

Controller = Callable[[Surroundings, Group, float], float]
"""(surroundings, group, now) -> the lab second at which to look again at the latest (``inf``: not because of me)."""

CONTROLLERS: tuple[Controller, ...] = (
    run_scheduled_actions,
    expire_lifecycle_actions,
    check_health,
    replace_unhealthy,
    refresh_instances,
    balance_zones,
    terminate_surplus,
    launch_missing,
    register_targets,
    start_instances,
    finish_warm_ups,
    end_instances,
    renew_alarms,
)
