"""``ground build``, ``check``, ``status`` and ``down`` ``--on aws``, as a learner types them, against a passive AWS."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result
from tests.workshop.faults import census

from groundschool.cli import main
from groundschool.cli.what_it_costs import price_lines
from groundschool.errors import UsageError
from groundschool.workshop import build_order
from groundschool.workshop.expiry import expires_at, recorded, reminder, renew
from groundschool.workshop.instance import image_id
from groundschool.workshop.remains import Remainder, identifier, kind_of, remains, tagged
from groundschool.workshop.settings import WorkshopSettings
from groundschool.workshop.world import World

Ground = Callable[..., Result]
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
def ground(world: World, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """The command on AWS, with moto where AWS would be; ``answer`` is typed on a terminal, None means there is none."""

    def run(*words: str, answer: str | None = None) -> Result:
        monkeypatch.setattr(
            World, "from_environment", classmethod(lambda cls, _=None: cls(world.session, world.settings))
        )
        monkeypatch.setattr("groundschool.cli.confirm.is_terminal", lambda: answer is not None)
        return CliRunner().invoke(main, [*words, "--on", "aws"], input=answer)

    return run


def test_account_region_steps_price_and_tags_are_shown_before_the_question(ground: Ground, changes: list[str]) -> None:
    done = ground("build", answer="n\n")

    assert done.exit_code == 1
    said = done.output
    order = [
        "• AWS account 123456789012, region eu-north-1, as arn:aws:sts::123456789012:user/moto",
        " 1. security group\n    Create security group visitor-board-instance",
        "11. target-tracking policy",
        "It costs about $0.0",
        "Under load the group may grow to 10: $0.2",
        "Everything is tagged Project=ground-school and ExpiresAt=",
        "Build this in account 123456789012, eu-north-1? [y/N]: n",
        "Nothing was changed.",
    ]
    assert [said.index(each) for each in order] == sorted(said.index(each) for each in order)
    assert changes == []


def test_without_a_terminal_and_without_yes_nothing_is_built(ground: Ground, changes: list[str]) -> None:
    done = ground("build")

    assert done.exit_code == 2
    assert "there is no terminal to ask on. Read what it says, then add --yes" in done.output
    assert changes == []


def test_a_dry_run_shows_the_price_and_asks_nothing(ground: Ground, changes: list[str]) -> None:
    done = ground("build", "--dry-run")

    assert done.exit_code == 0
    assert "It costs about" in done.output
    assert changes == []


def test_everything_that_is_built_carries_both_tags_and_down_removes_it_all(ground: Ground, world: World) -> None:
    done = ground("build", "--yes", "--ttl", "2")

    assert done.exit_code == 0, done.output
    assert "To be ended in 1 h 59 min (ExpiresAt " in done.output
    assert done.output.endswith("Next: ground load --on aws, and in a second terminal: ground watch --on aws\n")
    found = dict(tagged(world))
    assert len(found) == 10
    assert all("ExpiresAt" in tags for tags in found.values())
    role, table = world.iam.get_role(RoleName=world.iam_name)["Role"], world.settings.table_name
    assert {tag["Key"] for tag in role["Tags"]} == {"Name", "Project", "ExpiresAt"}
    assert {tag["Key"] for tag in world.iam.list_policy_tags(PolicyArn=_policy(world))["Tags"]} > {"ExpiresAt"}

    checked, status = ground("check"), ground("status", "--json")
    assert "Session 1  ✓ security-group  ✓ table" in checked.output
    assert "To be ended in 1 h 59 min" in checked.output
    assert json.loads(status.stdout)["strays"] == []
    assert f"DynamoDB table {table} and its items" in json.loads(status.stdout)["exists"]

    gone = ground("down", "--yes")

    assert gone.exit_code == 0, gone.output
    assert "Nothing tagged Project=ground-school is left in eu-north-1.\nNext: ground build --on aws\n" in gone.output
    assert census(world) == {"instances ever": 3}


def _policy(world: World) -> str:
    return f"arn:aws:iam::{world.account}:policy/{world.iam_name}"


def test_down_lists_what_goes_and_keeps_it_when_the_answer_is_no(ground: Ground, world: World) -> None:
    ground("build", "--yes", "security-group", "table")
    before = census(world)

    done = ground("down", answer="n\n")

    assert done.exit_code == 1
    assert " 2. DynamoDB table\n    Delete DynamoDB table workshop_messages and its items\n" in done.output
    assert "Remove all of this from account 123456789012, eu-north-1? [y/N]: n" in done.output
    assert census(world) == before


def test_down_where_nothing_is_asks_nothing_and_looks_all_the_same(ground: Ground) -> None:
    done = ground("down")

    assert done.exit_code == 0, done.output
    assert "Nothing is there to remove.\nNothing tagged Project=ground-school is left in eu-north-1.\n" in done.output


def test_down_removes_strays_with_our_tag_and_nothing_else(ground: Ground, world: World) -> None:
    ours = _launch(world, "trial", Project="ground-school")
    baked = world.ec2.create_image(
        InstanceId=ours, Name="baked", TagSpecifications=world.tag_specification("image", "baked")
    )["ImageId"]
    theirs = _launch(world, "somebody's", Project="another")

    done = ground("down", "--yes")

    assert done.exit_code == 0, done.output
    assert f"Tagged, though no step made it: ec2:instance {ours} (trial)" in done.output
    assert f"Delete golden image {baked}" in done.output
    states = {
        each["InstanceId"]: each["State"]["Name"]
        for every in world.ec2.describe_instances()["Reservations"]
        for each in every["Instances"]
    }
    assert states == {ours: "terminated", theirs: "running"}
    assert world.ec2.describe_images(Owners=["self"])["Images"] == []


def _launch(world: World, name: str, **tags: str) -> str:
    tag_list = [{"Key": key, "Value": value} for key, value in {"Name": name, **tags}.items()]
    run = world.ec2.run_instances(
        ImageId=image_id(world),
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tag_list}],  # type: ignore[typeddict-item]
    )
    return run["Instances"][0]["InstanceId"]


def test_what_is_not_ours_is_named_left_and_ends_down_with_an_error(ground: Ground, world: World) -> None:
    ground("build", "--yes", "security-group", "table")
    world.elbv2.create_target_group(Name=world.name, Protocol="HTTP", Port=80, VpcId=world.vpc_id)

    done = ground("down", "--yes")

    assert done.exit_code == 1
    assert "✗ There is a target group visitor-board, but without the tag Project=ground-school" in done.output
    assert "Not removed, because it is not tagged as ours: 1" in done.output
    assert census(world) == {"target groups": 1}


def test_what_belongs_to_a_stack_is_left_to_the_stack(ground: Ground, world: World) -> None:
    tags = [*world.tag_list("x"), {"Key": "aws:cloudformation:stack-name", "Value": "school"}]
    remainder = Remainder("arn:aws:ec2:eu-north-1:1:instance/i-1", {each["Key"]: each["Value"] for each in tags}, "")
    assert remainder.says.endswith("of the CloudFormation stack school")
    with pytest.raises(Exception, match="aws cloudformation delete-stack --stack-name school"):
        world.must_own("table", remainder.tags)


def test_the_tagging_api_is_not_believed_about_what_is_gone(ground: Ground, world: World) -> None:
    gone = _launch(world, "trial", Project="ground-school")
    world.ec2.terminate_instances(InstanceIds=[gone])

    assert any(gone in arn for arn, _ in tagged(world)), "moto goes on naming it, as AWS does for hours"
    assert remains(world) == []


def test_a_second_build_keeps_the_time_and_another_ttl_renews_it_everywhere(ground: Ground, world: World) -> None:
    ground("build", "--yes", "--ttl", "2", "security-group", "table")
    first = recorded(world)
    ground("build", "--yes", "security-group", "table")
    assert recorded(world) == first

    ground("build", "--yes", "--ttl", "9", "security-group", "table")

    second = recorded(world)
    assert second is not None
    assert second > str(first)
    assert {tags["ExpiresAt"] for _, tags in tagged(world)} == {second}
    assert renew(world) == 0


def test_ttl_is_for_aws() -> None:
    done = CliRunner().invoke(main, ["build", "--ttl", "3"])
    assert "--ttl is for --on aws" in done.output


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (
            1.5,
            "To be ended in 1 h 30 min (ExpiresAt 2026-11-22T10:30:00Z; nothing ends by itself): ground down --on aws",
        ),
        (-26, "Past its time by 26 h 00 min (ExpiresAt 2026-11-21T07:00:00Z): ground down --on aws"),
    ],
)
def test_the_reminder_tells_how_long(hours: float, said: str) -> None:
    assert reminder(expires_at(NOW, hours), NOW) == said


def test_a_tag_that_is_no_time_is_said_and_no_tag_is_no_reminder() -> None:
    assert "which is no time" in str(reminder("tomorrow", NOW))
    assert reminder(None, NOW) is None


@pytest.mark.parametrize(
    ("names", "region", "said"),
    [
        (["table", "role"], "eu-north-1", "None of it is paid by the hour"),
        (["instance"], "eu-north-1", r"about \$0\.017 an hour, \$12 a month if it is forgotten: 1 t3.micro without"),
        ([], "eu-north-1", r"about \$0\.090 an hour, \$66 a month.*3 t3.micro and a load balancer"),
        ([], "xx-nowhere-1", r"The price is not known here. No price.*xx-nowhere-1"),
    ],
    ids=["free at rest", "one machine", "everything", "no recorded price"],
)
def test_the_price_is_of_what_is_chosen_or_it_says_that_it_is_not_known(
    names: list[str], region: str, said: str
) -> None:
    assert re.search(said, "\n".join(price_lines(build_order.select(names), WorkshopSettings(), region)))


@pytest.mark.parametrize(
    ("arn", "kind", "name"),
    [
        ("arn:aws:ec2:eu-north-1:1:instance/i-1", "ec2:instance", "i-1"),
        ("arn:aws:s3:::bucket", "s3:", "bucket"),
        ("arn:aws:dynamodb:eu-north-1:1:table/t", "dynamodb:table", "t"),
        (
            "arn:aws:autoscaling:eu-north-1:1:autoScalingGroup:uuid:autoScalingGroupName/g",
            "autoscaling:autoScalingGroup",
            "g",
        ),
        ("arn:aws:elasticloadbalancing:eu-north-1:1:loadbalancer/app/n/5", "elasticloadbalancing:loadbalancer", "5"),
    ],
)
def test_an_arn_is_read_as_kind_and_id(arn: str, kind: str, name: str) -> None:
    assert (kind_of(arn), identifier(arn)) == (kind, name)


def test_confirmation_is_a_usage_error_when_there_is_nobody_to_ask() -> None:
    from groundschool.cli.confirm import confirm

    confirm("Sure?", yes=True)
    with pytest.raises(UsageError, match="--yes"):
        confirm("Sure?", yes=False)
