"""From checks to DescribeTargetHealth, in tables."""

from __future__ import annotations

import pytest

from groundschool.cloud.network.data_plane import TargetHealth
from groundschool.cloud.network.envoy.target_health import CheckResult, TargetRecord, after_check, target_health
from groundschool.cloud.network.plan import HealthCheck

CHECK = HealthCheck(healthy_threshold=3, unhealthy_threshold=2)
RESULTS = {
    "+": CheckResult.PASSED,
    "x": CheckResult.WRONG_CODE,
    "t": CheckResult.TIMED_OUT,
    "n": CheckResult.NO_CONNECTION,
}


def after(checks: str) -> TargetRecord:
    record = TargetRecord(registered_at=100)
    for check in checks:
        record = after_check(record, RESULTS[check], CHECK, 503 if check == "x" else None)
    return record


INITIAL = ("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
HEALTHY = ("healthy", None, None)
WRONG = ("unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]")
TIMEOUT = ("unhealthy", "Target.Timeout", "Request timed out")
FAILED = ("unhealthy", "Target.FailedHealthChecks", "Health checks failed")


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        pytest.param("", INITIAL, id="no check yet"),
        pytest.param("+", HEALTHY, id="one pass makes a new target healthy"),
        pytest.param("x", INITIAL, id="one failure does not make it unhealthy"),
        pytest.param("x+", HEALTHY, id="nor does it ask for more passes"),
        pytest.param("xx", WRONG, id="enough failures do"),
        pytest.param("tt", TIMEOUT, id="the reason is the failure's"),
        pytest.param("xn", FAILED, id="the last failure's"),
        pytest.param("+x", HEALTHY, id="one failure of a healthy target is forgiven"),
        pytest.param("+x+x+x", HEALTHY, id="failures must be consecutive"),
        pytest.param("+nn", FAILED, id="healthy to unhealthy"),
        pytest.param("xx++", WRONG, id="a recovery shows its old reason"),
        pytest.param("xx+++", HEALTHY, id="recovered at the healthy threshold"),
        pytest.param("xx++x+++", HEALTHY, id="the count of passes begins again"),
        pytest.param("xx++x++", WRONG, id="after a failure in between"),
        pytest.param("xx+++x", HEALTHY, id="a recovered target is a healthy one"),
    ],
)
def test_checks_decide_the_state(checks, expected):
    assert target_health(after(checks), now=1000) == TargetHealth(*expected)


@pytest.mark.parametrize(
    ("now", "reason"), [(104.9, "Elb.RegistrationInProgress"), (105.1, "Elb.InitialHealthChecking")]
)
def test_registration_takes_a_moment(now, reason):
    assert target_health(after(""), now).reason == reason


@pytest.mark.parametrize(
    ("checks", "held"), [("", False), ("x", False), ("xx", True), ("xx++", True), ("xx+++", False)]
)
def test_a_target_is_held_back_while_it_is_unhealthy(checks, held):
    assert after(checks).held_back is held
