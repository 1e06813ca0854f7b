"""From single health checks to ``DescribeTargetHealth``. Pure: the caller performs the checks and owns the records.

AWS: Application Load Balancers user guide, health checks for target groups. Envoy's own thresholds differ in one point
that every launch meets: when the *first* check of a new host fails (the app is still starting), Envoy wants the healthy
threshold like for a recovery, AWS wants one passed check until the target has failed often enough to be unhealthy.
Envoy is therefore told to believe every passed check, and this fold says which targets are held back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

from groundschool.cloud.network.data_plane import HealthState, TargetHealth
from groundschool.cloud.network.plan import HealthCheck

REGISTRATION_SECONDS = 5.0
"""Lab seconds for which a new target shows Elb.RegistrationInProgress. AWS publishes no figure: an assumption."""


class TargetKey(NamedTuple):
    """A registration: one instance may be in a group with several ports."""

    target_group_arn: str
    instance_id: str
    port: int


class CheckResult(Enum):
    """How one health check ended."""

    PASSED = "passed"
    WRONG_CODE = "wrong code"
    TIMED_OUT = "timed out"
    NO_CONNECTION = "no connection"


@dataclass(frozen=True)
class TargetRecord:
    """What is remembered of one registered target. ``registered_at`` in lab seconds."""

    registered_at: float
    state: HealthState = HealthState.INITIAL
    passes: int = 0
    """Consecutive passed checks."""
    failures: int = 0
    """Consecutive failed checks."""
    failure: CheckResult | None = None
    """How the last failed check ended; kept through passes, because a recovering target still shows its reason."""
    code: int | None = None
    """The HTTP status of the last failed check, when that was the failure."""

    @property
    def held_back(self) -> bool:
        """True: it gets no requests although its last check may have passed."""
        return self.state is HealthState.UNHEALTHY


def after_check(record: TargetRecord, result: CheckResult, check: HealthCheck, code: int | None = None) -> TargetRecord:
    """The record after one more check; ``code`` is the HTTP status of a WRONG_CODE.

    Initial: one pass makes it healthy, ``unhealthy_threshold`` failures in a row unhealthy. Healthy: the same number of
    failures. Unhealthy: ``healthy_threshold`` passes in a row.
    """
    if result is CheckResult.PASSED:
        passes = record.passes + 1
        needed = check.healthy_threshold if record.state is HealthState.UNHEALTHY else 1
        if passes >= needed:
            return replace(record, state=HealthState.HEALTHY, passes=passes, failures=0, failure=None, code=None)
        return replace(record, passes=passes, failures=0)
    failures = record.failures + 1
    state = HealthState.UNHEALTHY if failures >= check.unhealthy_threshold else record.state
    return replace(record, state=state, passes=0, failures=failures, failure=result, code=code)


def target_health(record: TargetRecord, now: float) -> TargetHealth:
    """What ``DescribeTargetHealth`` says at ``now`` (lab seconds)."""
    if record.state is HealthState.HEALTHY:
        return TargetHealth(HealthState.HEALTHY)
    if record.state is HealthState.UNHEALTHY:
        return TargetHealth(HealthState.UNHEALTHY, *_failure_reason(record))
    if record.failures == 0 and now - record.registered_at < REGISTRATION_SECONDS:
        return TargetHealth(HealthState.INITIAL, "Elb.RegistrationInProgress", "Target registration is in progress")
    return TargetHealth(HealthState.INITIAL, "Elb.InitialHealthChecking", "Initial health checks in progress")


def _failure_reason(record: TargetRecord) -> tuple[str, str]:
    if record.failure is CheckResult.WRONG_CODE:
        codes = f" with these codes: [{record.code}]" if record.code is not None else ""
        return "Target.ResponseCodeMismatch", f"Health checks failed{codes}"
    if record.failure is CheckResult.TIMED_OUT:
        return "Target.Timeout", "Request timed out"
    return "Target.FailedHealthChecks", "Health checks failed"
