"""Ctrl-C after each single change of a build or a teardown: going on pays nothing twice, going back leaves nothing."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from tests.workshop.faults import Fault, census, volumes

from groundschool.cli.build import build
from groundschool.cli.take_down import take_down
from groundschool.cli.world import AWS
from groundschool.errors import Interrupted
from groundschool.workshop.build_order import COMPONENTS
from groundschool.workshop.world import World

ALL = {
    "instances ever": 3,
    "instances": 3,
    "security groups": 2,
    "launch templates": 1,
    "load balancers": 1,
    "target groups": 1,
    "scaling groups": 1,
    "tables": 1,
    "buckets": 1,
    "roles": 1,
    "profiles": 1,
    "policies": 1,
}
"""One by hand and two of the group."""

MOST_ATTEMPTS = 60
"""More than there are changes: a build that does not get further ends the test."""


def built(world: World, console: Console | None = None) -> None:
    build(console or Console(file=io.StringIO()), world, COMPONENTS, on=AWS)


def taken_down(world: World) -> None:
    take_down(Console(file=io.StringIO()), world, COMPONENTS, on=AWS)


def test_a_build_that_is_interrupted_after_every_change_goes_on_and_makes_nothing_twice(world: World) -> None:
    fault, interrupted = Fault(world), []
    for _ in range(MOST_ATTEMPTS):
        # The install script is sent again when nobody saw it end; it skips what is there.
        fault.interrupt_after_change(2 if interrupted[-1:] == ["SendCommand"] else 1)
        try:
            built(world)
        except Interrupted:
            interrupted.append(fault.made[-1])
        else:
            break

    assert len(interrupted) > 20
    assert len(interrupted) < MOST_ATTEMPTS, interrupted
    assert census(world) == ALL


def test_after_an_interruption_at_any_change_a_teardown_leaves_nothing(world: World) -> None:
    fault = Fault(world)
    built(world)
    changes = len(fault.made)
    fault.none()
    taken_down(world)

    for number in range(1, changes + 1):
        fault.interrupt_after_change(number)
        with pytest.raises(Interrupted):
            built(world)
        stopped_at = fault.made[-1]
        fault.none()
        taken_down(world)
        left = census(world)
        left.pop("instances ever", None)
        assert (left, volumes(world)) == ({}, 0), f"after {stopped_at}, change {number}"


def test_a_teardown_that_is_interrupted_after_every_change_goes_on_and_leaves_nothing(world: World) -> None:
    fault, interrupted = Fault(world), []
    built(world)
    for _ in range(MOST_ATTEMPTS):
        fault.interrupt_after_change(1)
        try:
            taken_down(world)
        except Interrupted as error:
            interrupted.append(str(error))
        else:
            break

    assert 10 < len(interrupted) < MOST_ATTEMPTS
    assert set(interrupted) == {"Interrupted half-way. Go on: ground down --on aws"}
    assert census(world) == {"instances ever": 3}


def test_an_interruption_says_what_exists_and_how_to_go_on_or_back(world: World) -> None:
    fault, said = Fault(world), io.StringIO()
    fault.interrupt_after_change(3)

    with pytest.raises(Interrupted, match="Interrupted while the DynamoDB table was being created") as raised:
        built(world, Console(file=said, width=200))

    assert raised.value.exit_code == 130
    assert said.getvalue().splitlines()[-5:] == [
        "✗ DynamoDB table (0.0 s)",
        "What exists now:",
        "    security group visitor-board-instance",
        "    DynamoDB table workshop_messages and its items",
        "Go on: the same command again. Back: ground down --on aws",
    ]
