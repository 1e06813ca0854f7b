"""What the faults in force mean for an instance, without a lab."""

from __future__ import annotations

import pytest

from groundschool.cloud.faults.book import Fault, FaultBook, FaultKind, Impairment
from groundschool.cloud.network.envoy.listeners import listeners
from groundschool.cloud.network.plan import Interface, NetworkPlan, OpenPort


def book(*faults: Fault) -> FaultBook:
    made = FaultBook()
    for fault in faults:
        made.add(fault)
    return made


@pytest.mark.parametrize(
    ("fault", "impairment"),
    [
        pytest.param(Fault(FaultKind.HANG, "i-1", 0), Impairment(hung=True), id="hang"),
        pytest.param(Fault(FaultKind.SLOW, "i-1", 0, 250), Impairment(delay=0.25), id="slow"),
        pytest.param(Fault(FaultKind.FAIL_HEALTH, "i-1", 0), Impairment(fails_health_checks=True), id="fail-health"),
        pytest.param(Fault(FaultKind.AZ_OUTAGE, "a", 0), Impairment(hung=True, cut_off=True), id="its zone is out"),
        pytest.param(Fault(FaultKind.AZ_OUTAGE, "b", 0), Impairment(), id="another zone is out"),
        pytest.param(Fault(FaultKind.HANG, "i-2", 0), Impairment(), id="another instance hangs"),
        pytest.param(Fault(FaultKind.KILL, "i-1", 0), Impairment(), id="killed: it is off, not impaired"),
    ],
)
def test_an_instance_suffers_what_is_meant_for_it(fault: Fault, impairment: Impairment) -> None:
    assert book(fault).impairment("i-1", "a") == impairment


def test_faults_of_several_kinds_add_up_and_the_later_of_one_kind_counts() -> None:
    faults = book(
        Fault(FaultKind.SLOW, "i-1", 0, 100), Fault(FaultKind.SLOW, "i-1", 5, 900), Fault(FaultKind.HANG, "i-1", 9)
    )
    assert faults.impairment("i-1", "a") == Impairment(hung=True, delay=0.9)
    assert [fault.since for fault in faults.active()] == [5, 9]


@pytest.mark.parametrize(
    ("faults", "proxy"),
    [
        pytest.param({}, "envoy.filters.network.tcp_proxy", id="a sound interface only passes bytes"),
        pytest.param({"delay": 0.2}, "envoy.filters.network.http_connection_manager", id="slow"),
        pytest.param({"fails_health_checks": True}, "envoy.filters.network.http_connection_manager", id="fail-health"),
    ],
)
def test_an_interface_looks_into_requests_only_for_a_fault(faults: dict, proxy: str) -> None:
    interface = Interface("i-1", "127.0.1.1", "127.1.1.1", (OpenPort(80, ("0.0.0.0/0",)),), **faults)
    [listener] = listeners(NetworkPlan((interface,)), 10)
    [chain] = listener["filter_chains"]
    assert [each["name"] for each in chain["filters"]] == [proxy]
