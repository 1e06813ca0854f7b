import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from groundschool.cloud.compute.cgroup import ControlGroupTree, find_control_groups, quota_and_period
from groundschool.cloud.compute.cpu_budget import CpuBudget, CpuBudgets, choose_budget
from groundschool.cloud.compute.governor import GovernorBudgets

CORES = 0.3
FOUR_BUSY_LOOPS = f"for i in 1 2 3 4; do {sys.executable} -I -S -c 'while True: pass' & done; wait"


@pytest.fixture(params=["cgroup", "governor"])
def budgets(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CpuBudgets]:
    found: CpuBudgets = GovernorBudgets("asked for") if request.param == "governor" else choose_budget(tmp_path.name)
    if request.param == "cgroup" and isinstance(found, GovernorBudgets):
        pytest.skip(found.reason)
    yield found
    found.close()


@pytest.fixture
def busy(wait_for) -> Iterator[Callable[[CpuBudget], psutil.Popen]]:
    """Four busy loops below a waiting parent, as user data under an init, inside a budget from their start."""
    started: list[psutil.Popen] = []

    def start(budget: CpuBudget) -> psutil.Popen:
        # The parent waits for a line, so that it is attached before it has children.
        parent = psutil.Popen(["sh", "-c", f"read go; {FOUR_BUSY_LOOPS}"], stdin=subprocess.PIPE)
        started.append(parent)
        budget.attach(parent.pid)
        parent.stdin.write(b"\n")
        parent.stdin.close()
        wait_for(lambda: len(parent.children()) == 4, "four loops")
        return parent

    yield start
    for parent in started:
        family = [parent, *parent.children(recursive=True)]
        for member in family:
            member.kill()
        psutil.wait_procs(family, timeout=5)


def cpu_seconds(parent: psutil.Process) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in parent.children())


def test_four_busy_loops_get_the_quota_and_no_more(budgets: CpuBudgets, busy) -> None:
    budget = budgets.make("i-1")
    budget.set_cores(CORES)
    parent = busy(budget)
    time.sleep(0.3)  # the start's burst
    began, before, counted = time.monotonic(), cpu_seconds(parent), budget.used_seconds()
    time.sleep(2.5)
    used, elapsed = cpu_seconds(parent) - before, time.monotonic() - began
    assert used / elapsed == pytest.approx(CORES, rel=0.15)
    assert (budget.used_seconds() - counted) / elapsed == pytest.approx(CORES, rel=0.15)
    assert budget.throttled() > 0.5


def test_after_release_everything_runs_freely_and_nothing_stays_stopped(budgets: CpuBudgets, busy, wait_for) -> None:
    budget = budgets.make("i-1")
    budget.set_cores(0.05)
    parent = busy(budget)
    wait_for(lambda: budget.throttled() > 0, "throttling")
    used = budget.used_seconds()
    budget.release()
    budget.release()
    assert psutil.STATUS_STOPPED not in {process.status() for process in parent.children()}
    assert budget.used_seconds() >= used
    before = cpu_seconds(parent)
    wait_for(lambda: cpu_seconds(parent) - before > 0.3, "free running")


def test_a_budget_counts_what_its_finished_processes_used(budgets: CpuBudgets, wait_for) -> None:
    budget = budgets.make("i-1")
    burn = f"{sys.executable} -I -S -c 'import time\nwhile time.process_time() < 0.2: pass'"
    parent = subprocess.Popen(["sh", "-c", f"read go; {burn}; {burn}; sleep 60"], stdin=subprocess.PIPE)
    budget.attach(parent.pid)
    assert parent.stdin is not None
    parent.stdin.write(b"\n")
    parent.stdin.close()
    wait_for(lambda: budget.used_seconds() >= 0.38, "the use of two finished children")
    for child in psutil.Process(parent.pid).children():
        child.kill()
    parent.kill()
    parent.wait()


def test_a_defect_in_the_governor_leaves_nothing_stopped(busy, monkeypatch: pytest.MonkeyPatch, wait_for) -> None:
    budgets = GovernorBudgets("asked for")
    budget = budgets.make("i-1")
    budget.set_cores(0.02)
    parent = busy(budget)
    wait_for(lambda: psutil.STATUS_STOPPED in {child.status() for child in parent.children()}, "a stop")
    monkeypatch.setattr("threading.excepthook", lambda *_: None)
    monkeypatch.setattr(budget, "tick", lambda _: 1 / 0)
    wait_for(lambda: psutil.STATUS_STOPPED not in {child.status() for child in parent.children()}, "all continued")
    budgets.close()


def test_the_governor_leaves_a_persons_shell_alone() -> None:
    budgets = GovernorBudgets("asked for")
    budget = budgets.make("i-1")
    budget.attach(1, interactive=True)
    assert budget.processes() == []
    budgets.close()


def test_the_reason_is_one_line_that_names_the_kind(tmp_path: Path) -> None:
    budgets = choose_budget(tmp_path.name)
    assert budgets.reason.startswith("CPU quotas by ")
    assert "\n" not in budgets.reason
    budgets.close()


def test_without_permission_the_governor_is_chosen_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = ControlGroupTree(2, tmp_path / "not/there", tmp_path / "not/there")
    monkeypatch.setattr("groundschool.cloud.compute.cpu_budget.find_control_groups", lambda: [nowhere])
    budgets = choose_budget("test")
    assert isinstance(budgets, GovernorBudgets)
    assert f"cgroup v2 {nowhere.cpu}: No such file or directory" in budgets.reason
    budgets.close()


@pytest.mark.parametrize(
    ("cores", "expected"),
    [(1.0, (10_000, 10_000)), (0.2, (2_000, 10_000)), (0.1, (1_000, 10_000)), (0.05, (1_000, 20_000))],
)
def test_small_quotas_get_a_longer_period(cores: float, expected: tuple[int, int]) -> None:
    assert quota_and_period(cores) == expected


def host(folder: Path, mounts: str, membership: str) -> list[ControlGroupTree]:
    (folder / "mounts").write_text(mounts.replace("@", str(folder)))
    (folder / "membership").write_text(membership)
    return list(find_control_groups(folder / "mounts", folder / "membership"))


def test_v1_is_found_in_our_own_group(tmp_path: Path) -> None:
    (tmp_path / "cpu,cpuacct/user.slice").mkdir(parents=True)
    found = host(
        tmp_path,
        "cgroup @/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0\n",
        "3:cpu,cpuacct:/user.slice\n0::/\n",
    )
    place = tmp_path / "cpu,cpuacct/user.slice"
    assert found == [ControlGroupTree(1, place, place)]


def test_v2_offers_our_group_and_its_ancestors_that_have_the_cpu_controller(tmp_path: Path) -> None:
    own = tmp_path / "user.slice/app.scope"
    own.mkdir(parents=True)
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    (tmp_path / "user.slice/cgroup.controllers").write_text("cpu memory pids\n")
    (own / "cgroup.controllers").write_text("memory pids\n")
    found = host(tmp_path, "cgroup2 @ cgroup2 rw,nosuid 0 0\n", "0::/user.slice/app.scope\n")
    assert [tree.cpu for tree in found] == [tmp_path / "user.slice", tmp_path]


def test_a_host_without_control_groups_offers_none(tmp_path: Path) -> None:
    assert list(find_control_groups(tmp_path / "none", tmp_path / "none")) == []
