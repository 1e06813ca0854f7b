"""What is known of every registered target."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from groundschool.cloud.network.data_plane import DRAINING, NOT_IN_USE, NOT_REGISTERED, TargetHealth
from groundschool.cloud.network.envoy.clusters import balancers_in_use
from groundschool.cloud.network.envoy.health_events import HealthEvent
from groundschool.cloud.network.envoy.target_health import TargetKey, TargetRecord, after_check, target_health
from groundschool.cloud.network.plan import HealthCheck, NetworkPlan


class HealthBook:
    """The records of all targets, by plan and events. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plan = NetworkPlan()
        self._checks: dict[TargetKey, HealthCheck] = {}
        self._by_address: dict[tuple[str, str, int], TargetKey] = {}
        self._records: dict[TargetKey, TargetRecord] = {}

    def follow(self, plan: NetworkPlan, now: float) -> None:
        """New registrations begin as ``initial`` at ``now`` (lab seconds); what left the plan is forgotten."""
        in_use = balancers_in_use(plan)
        checked = {
            TargetKey(group.arn, target.instance_id, target.port): (group, target)
            for group in plan.target_groups
            for target in group.targets
            if group.arn in in_use and not target.draining
        }
        with self._lock:
            self._plan = plan
            self._checks = {key: group.health_check for key, (group, _) in checked.items()}
            self._by_address = {
                (group.arn, target.address, target.port): key for key, (group, target) in checked.items()
            }
            self._records = {key: self._records.get(key) or TargetRecord(now) for key in checked}

    def observe(self, events: Iterable[HealthEvent]) -> None:
        """Takes finished checks in; those of targets that have left are ignored."""
        with self._lock:
            for event in events:
                key = self._by_address.get((event.target_group_arn, event.address, event.port))
                if key is not None:
                    record = self._records[key]
                    self._records[key] = after_check(record, event.result, self._checks[key], event.code)

    def held_back(self) -> frozenset[TargetKey]:
        with self._lock:
            return frozenset(key for key, record in self._records.items() if record.held_back)

    def health(self, key: TargetKey, now: float) -> TargetHealth:
        with self._lock:
            plan, record = self._plan, self._records.get(key)
        if record is not None:
            return target_health(record, now)
        for group in plan.target_groups:
            if group.arn == key.target_group_arn:
                for target in group.targets:
                    if (target.instance_id, target.port) == (key.instance_id, key.port):
                        return DRAINING if target.draining else NOT_IN_USE
        return NOT_REGISTERED
