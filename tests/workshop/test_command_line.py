"""``ground build`` and ``ground check``, as a learner types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from click.testing import CliRunner, Result

from groundschool import endpoint
from groundschool.cli import build, check
from groundschool.errors import BuildError, UsageError
from groundschool.workshop.security_group import instance_group_name, need_group, tcp_from_world
from groundschool.workshop.world import World

Ground = Callable[..., Result]


@pytest.fixture
def ground(world: World, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """Runs a verb in a fresh process' stead: a new world each time."""

    def run(verb: str, *arguments: str) -> Result:
        module = {"build": build, "check": check}[verb]
        monkeypatch.setattr(module, "enter", lambda on: World(world.session, replace(world.settings)))
        return CliRunner().invoke(module.command, list(arguments))

    return run


def test_session_1_is_built_with_reasons_and_ends_with_the_url_and_the_next_command(ground: Ground) -> None:
    done = ground("build", "--session", "1")

    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[0] == "• Creating security group ..."
    assert lines[1].startswith("✓ security group (")
    assert lines[2] == "    Create security group visitor-board-instance"
    assert any(line.startswith("  Everything is closed until a rule opens it") for line in lines)
    assert lines[-2].startswith("The Visitor Board: http://")
    assert lines[-2].endswith(":8080/")
    assert lines[-1] == "Next: ground check --session 1, then ground build --session 2"


def test_building_all_ends_at_the_load_balancer_and_a_second_time_finds_everything(ground: Ground) -> None:
    first, second = ground("build"), ground("build")

    assert "The Visitor Board: http://visitor-board" in first.output
    assert "/\nNext: ground load" in first.output
    assert second.exit_code == 0
    assert second.output.count("(was there)") == 11


def test_a_dry_run_says_what_would_be_done_and_does_nothing(ground: Ground, changes: list[str]) -> None:
    done = ground("build", "--dry-run")

    assert done.exit_code == 0, done.output
    assert (
        "10. Auto Scaling group\n    Create Auto Scaling group visitor-board (min 1, desired 2, max 10" in done.output
    )
    assert changes == []


def test_a_dry_run_of_what_is_built_says_so(ground: Ground) -> None:
    ground("build", "table")

    assert ground("build", "table", "--dry-run").output == "Everything is built.\n"


def test_a_component_whose_dependency_is_missing_is_not_begun(ground: Ground, changes: list[str]) -> None:
    done = ground("build", "launch-template")

    assert isinstance(done.exception, BuildError)
    assert "Build it: ground build security-group" in str(done.exception)
    assert changes == []


def test_a_component_that_fails_is_marked_and_the_ones_before_stay(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(url: str, **_: object) -> endpoint.Answer:
        raise TimeoutError(url)

    monkeypatch.setattr(endpoint, "fetch", nobody)

    done = ground("build", "--session", "1")

    assert isinstance(done.exception, BuildError)
    assert "for the board at http://" in str(done.exception)
    said = done.output.splitlines()
    failed = next(number for number, line in enumerate(said) if line.startswith("✗ Visitor Board on the instance ("))
    assert said[failed + 1] == "What exists now:"
    assert said[-1] == "Go on: the same command again. Back: ground build --remove"
    assert "✓ EC2 instance" in done.output


def test_an_unknown_name_is_a_usage_error_before_the_world_is_asked(ground: Ground) -> None:
    assert isinstance(ground("build", "tabel").exception, UsageError)
    assert isinstance(ground("check", "tabel").exception, UsageError)


def test_removing_takes_everything_down_in_reverse_and_proves_it(ground: Ground) -> None:
    ground("build")
    assert "Delete Auto Scaling group visitor-board (instances: 2)" in ground("build", "--remove", "--dry-run").output

    done = ground("build", "--remove")

    assert done.exit_code == 0, done.output
    removed = [line.partition(" (")[0] for line in done.output.splitlines() if line.startswith("✓")]
    assert removed[0] == "✓ removed target-tracking policy"
    assert removed[-1] == "✓ removed security group"
    assert len(removed) == 11
    assert "Nothing tagged Project=ground-school is left in eu-north-1.\n" in done.output
    assert ground("build", "--remove", "--dry-run").output == "Nothing is there to remove.\n"


def test_a_check_of_nothing_fails_with_hints_and_the_command_that_builds_it(ground: Ground) -> None:
    done = ground("check", "--session", "1")

    assert done.exit_code == 1
    assert "✗  2. DynamoDB table: no DynamoDB table workshop_messages in eu-north-1" in done.output
    assert done.output.endswith("  · app\n0 of 5 are right.\nNext: ground build security-group\n")


def test_the_summary_tells_right_from_wrong_from_not_there_yet_over_the_build_order(
    ground: Ground, world: World
) -> None:
    ground("build", "security-group", "table")
    group = need_group(world, instance_group_name(world))
    world.ec2.authorize_security_group_ingress(GroupId=group.group_id, IpPermissions=[tcp_from_world(22)])

    done, as_json = ground("check"), json.loads(ground("check", "--json").output)

    assert done.output.endswith(
        "\n\n"
        "Session 1  ✗ security-group  ✓ table  · role  · instance  · app\n"
        "Session 2  · target-group  · load-balancer  · listener  · launch-template  · auto-scaling-group  "
        "· scaling-policy\n"
        "1 of 11 are right.\n"
        "Next: ground build security-group\n"
    )
    assert [each["state"] for each in as_json["components"][:3]] == ["wrong", "right", "not there"]
    assert (as_json["right"], as_json["next"], as_json["expires_at"]) == (1, "security-group", None)


def test_a_check_of_what_is_built_passes_with_the_takeaway(ground: Ground) -> None:
    ground("build", "table")

    done = ground("check", "table")

    assert done.exit_code == 0
    assert "State lives outside the instances" in done.output
    assert done.output.endswith("1 of 1 are right.\n")


def test_a_check_as_json_is_one_object_with_the_same_exit_code(ground: Ground) -> None:
    ground("build", "table")

    done = ground("check", "table", "security-group", "--json")

    found = json.loads(done.output)
    assert done.exit_code == 1
    assert found["ok"] is False
    assert [(each["name"], each["ok"]) for each in found["components"]] == [("security-group", False), ("table", True)]
    assert found["components"][0]["hint"]
