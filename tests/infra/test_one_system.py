"""One system, described twice, never differently: what ``ground build`` makes on a lab, against the templates."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest

from groundschool.workshop.build_order import COMPONENTS
from groundschool.workshop.release import make_release
from groundschool.workshop.world import World
from tests.infra import seen
from tests.infra.comparison import Declared, Mismatch, compare
from tests.infra.differences import ALWAYS, AWS_DEFAULTS, ONLY_IN_TEMPLATES, SESSION_1_ONLY
from tests.infra.template import FOUNDATION, SESSION_1, SESSION_2, Stack, read
from tests.lab_under_test import LabUnderTest

pytestmark = pytest.mark.timeout(300)  # the first test's includes two builds, on a machine that may be busy

Resources = dict[str, dict[str, Any]]

BUILT_AS = {
    "security-group": ("InstanceSecurityGroup",),
    "table": ("Table",),
    "role": ("Policy", "Role", "InstanceProfile"),
    "instance": ("Instance",),
    "app": ("ReleaseBucket",),
    "target-group": ("TargetGroup",),
    "load-balancer": ("LoadBalancerSecurityGroup", "LoadBalancer"),
    "listener": ("HttpListener",),
    "launch-template": ("LaunchTemplate",),
    "auto-scaling-group": ("AutoScalingGroup",),
    "scaling-policy": ("ScalingPolicy",),
}
"""Each component of the build order, in the templates' words."""


@dataclass
class Built:
    """What was there when a session was built, and what the templates' references come to there."""

    there: dict[str, seen.Properties]
    made: dict[str, dict[str, Any]]
    parameters: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Built, Built]]:
    """Both sessions, built one after the other by the command line on one lab."""
    with (
        pytest.MonkeyPatch.context() as patch,
        LabUnderTest.started(tmp_path_factory.mktemp("lab") / "ground", speed=60) as lab,
    ):
        for name, value in lab.environment.items():
            patch.setenv(name, value)
        world = World(boto3.Session(), World.from_environment().settings)
        build(lab, "--session", "1")
        first = Built(seen.session_1(world), seen.made(world), chosen(world))
        build(lab)
        yield first, Built(seen.session_2(world), seen.made(world), first.parameters)


def build(lab: LabUnderTest, *words: str) -> None:
    done = lab.ground("build", *words, timeout=140)
    assert done.returncode == 0, done.stdout + done.stderr


def chosen(world: World) -> dict[str, Any]:
    """The parameters without a default, as infra/README.md has a learner give them; for the image, what its name in SSM
    stands for."""
    release = make_release(world.settings.app_distribution)
    image = read(SESSION_2)["Parameters"]["ImageId"]["Default"]
    return {
        "VpcId": world.vpc_id,
        "SubnetIds": list(world.subnet_ids),
        "Release": release.digest,
        "Python": release.python,
        "ImageId": world.ssm.get_parameter(Name=image)["Parameter"]["Value"],
    }


def resources(session: Built, template: dict[str, Any]) -> Resources:
    exports = Stack(read(FOUNDATION), {}, session.made).exports()
    return normal(Stack(template, session.parameters, session.made, exports).resources(), session.made)


def normal(found: Resources, made: Mapping[str, Mapping[str, Any]]) -> Resources:
    """As one would describe what they make: rules are their group's, and user data is a script with settings."""
    kept = {name: each for name, each in found.items() if each["Type"] != "AWS::EC2::SecurityGroupIngress"}
    group_of = {ids["GroupId"]: name for name, ids in made.items() if "GroupId" in ids}
    for rule in [each["Properties"] for name, each in found.items() if name not in kept]:
        kept[group_of[rule.pop("GroupId")]]["Properties"].setdefault("SecurityGroupIngress", []).append(rule)
    if "LaunchTemplate" in kept:
        data = kept["LaunchTemplate"]["Properties"]["LaunchTemplateData"]
        data["UserData"] = seen.user_data(data["UserData"])
    return kept


def first_session(session: Built, template: dict[str, Any]) -> Resources:
    """The foundation and session 1; what the instance's template says, the instance is."""
    foundation = Stack(read(FOUNDATION), {}, session.made).resources()
    found = {**foundation, **resources(session, template)}
    data = found.pop("LaunchTemplate")["Properties"]["LaunchTemplateData"]
    own = found["Instance"]["Properties"]
    del own["LaunchTemplate"]
    found["Instance"]["Properties"] = {**data, **own}
    return found


def mismatches(session: Built, described: Resources, declared: tuple[Declared, ...]) -> list[str]:
    """What differs and is not meant to."""
    return [str(each) for each in differing(session, described) if not any(one.covers(each) for one in declared)]


def differing(session: Built, described: Resources) -> list[Mismatch]:
    return [
        mismatch
        for name in sorted(described.keys() & session.there.keys())
        for mismatch in compare(
            name,
            described[name]["Properties"],
            session.there[name],
            AWS_DEFAULTS.get(described[name]["Type"], {}),
        )
    ]


@pytest.mark.lab
def test_session_1_by_ground_build_is_what_foundation_and_session_1_describe(sessions: tuple[Built, Built]) -> None:
    described = first_session(sessions[0], read(SESSION_1))

    assert mismatches(sessions[0], described, ALWAYS + SESSION_1_ONLY) == []
    assert described.keys() - sessions[0].there.keys() == ONLY_IN_TEMPLATES & described.keys()
    assert sessions[0].there.keys() <= described.keys()


@pytest.mark.lab
def test_session_2_by_ground_build_is_what_session_2_describes(sessions: tuple[Built, Built]) -> None:
    described = resources(sessions[1], read(SESSION_2))

    assert mismatches(sessions[1], described, ALWAYS) == []
    assert described.keys() == sessions[1].there.keys()


@pytest.mark.lab
def test_every_declared_difference_is_still_one(sessions: tuple[Built, Built]) -> None:
    first, second = sessions
    found = differing(first, first_session(first, read(SESSION_1))) + differing(
        second, resources(second, read(SESSION_2))
    )

    assert [each for each in ALWAYS + SESSION_1_ONLY if not any(each.covers(one) for one in found)] == []


@pytest.mark.lab
@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("AutoScalingGroup", "HealthCheckGracePeriod"), 120),
        (("AutoScalingGroup", "MaxSize"), 11),
        (("TargetGroup", "HealthCheckIntervalSeconds"), 30),
        (("TargetGroup", "TargetGroupAttributes"), []),
        (("ScalingPolicy", "TargetTrackingConfiguration", "TargetValue"), 60),
        (("LaunchTemplate", "LaunchTemplateData", "MetadataOptions", "HttpTokens"), "optional"),
        (("LaunchTemplate", "LaunchTemplateData", "InstanceType"), "t3.small"),
        (("LoadBalancerSecurityGroup", "SecurityGroupIngress"), []),
    ],
    ids=lambda each: each[-1] if isinstance(each, tuple) else "",
)
def test_a_number_changed_in_the_template_only_is_found(
    sessions: tuple[Built, Built], where: tuple[str, ...], value: object
) -> None:
    template = copy.deepcopy(read(SESSION_2))
    place = template["Resources"][where[0]]["Properties"]
    for name in where[1:-1]:
        place = place[name]
    assert place[where[-1]] != value
    place[where[-1]] = value

    assert len(mismatches(sessions[1], resources(sessions[1], template), ALWAYS)) >= 1


@pytest.mark.lab
def test_what_only_ground_build_has_is_found_too(sessions: tuple[Built, Built]) -> None:
    template = copy.deepcopy(read(SESSION_2))
    del template["Resources"]["AutoScalingGroup"]["Properties"]["DefaultInstanceWarmup"]
    del template["Resources"]["LoadBalancerReachesInstances"]

    found = mismatches(sessions[1], resources(sessions[1], template), ALWAYS)

    assert any("AutoScalingGroup DefaultInstanceWarmup: the template says None" in each for each in found)
    assert any("InstanceSecurityGroup SecurityGroupIngress" in each for each in found)


@pytest.mark.lab
def test_a_line_changed_in_the_user_data_only_is_found(sessions: tuple[Built, Built]) -> None:
    second = copy.deepcopy(sessions[1])
    described = resources(second, read(SESSION_2))
    script = described["LaunchTemplate"]["Properties"]["LaunchTemplateData"]["UserData"]
    script["script"] = script["script"].replace("retry 5", "retry 6")

    assert len(mismatches(second, described, ALWAYS)) == 1


def test_every_component_of_the_build_order_has_its_place_in_the_templates() -> None:
    assert BUILT_AS.keys() == {each.name for each in COMPONENTS}
    described = {**read(FOUNDATION)["Resources"], **read(SESSION_1)["Resources"], **read(SESSION_2)["Resources"]}
    named = {name for names in BUILT_AS.values() for name in names}
    conditional = {name for name, each in described.items() if "Condition" in each}
    rules = {name for name, each in described.items() if each["Type"] == "AWS::EC2::SecurityGroupIngress"}

    assert described.keys() - conditional - rules == named | ONLY_IN_TEMPLATES
