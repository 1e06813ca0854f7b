"""Which resources GetResources selects, and its pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from groundschool.cloud.aws_error import AwsError
from groundschool.cloud.tagging.selection import (
    PageSize,
    page_of_names,
    page_of_resources,
    page_size,
    selection,
)
from groundschool.cloud.tagging.tagged_resource import TaggedResource

EC2 = "arn:aws:ec2:eu-north-1:123456789012"
INSTANCE = TaggedResource(f"{EC2}:instance/i-1", {"Project": "school", "Name": "web"})
VOLUME = TaggedResource(f"{EC2}:volume/vol-1", {"Project": "school"})
TABLE = TaggedResource("arn:aws:dynamodb:eu-north-1:123456789012:table/messages", {"Project": "another", "Name": ""})
BUCKET = TaggedResource("arn:aws:s3:::releases", {"project": "school"})
ALL = (INSTANCE, VOLUME, TABLE, BUCKET)


@pytest.mark.parametrize(
    ("request_", "selected"),
    [
        pytest.param({}, [*ALL], id="no filter: everything"),
        pytest.param({"TagFilters": [{"Key": "Project", "Values": ["school"]}]}, [INSTANCE, VOLUME], id="a value"),
        pytest.param(
            {"TagFilters": [{"Key": "Project", "Values": ["school", "another"]}]},
            [INSTANCE, VOLUME, TABLE],
            id="any of several values",
        ),
        pytest.param({"TagFilters": [{"Key": "Name"}]}, [INSTANCE, TABLE], id="a key alone: any value, also none"),
        pytest.param({"TagFilters": [{"Key": "Name", "Values": [""]}]}, [TABLE], id="the empty value"),
        pytest.param(
            {"TagFilters": [{"Key": "Project", "Values": ["school"]}, {"Key": "Name"}]}, [INSTANCE], id="all filters"
        ),
        pytest.param({"TagFilters": [{"Key": "PROJECT"}]}, [], id="keys are case-sensitive"),
        pytest.param({"ResourceTypeFilters": ["ec2"]}, [INSTANCE, VOLUME], id="a service"),
        pytest.param({"ResourceTypeFilters": ["ec2:volume", "s3"]}, [VOLUME, BUCKET], id="a type or a service"),
        pytest.param({"ResourceTypeFilters": ["s3:bucket"]}, [BUCKET], id="a bucket, whose ARN has no type"),
        pytest.param({"ResourceTypeFilters": ["ec2:vol"]}, [], id="a part of a type is none"),
        pytest.param(
            {"ResourceTypeFilters": ["ec2"], "TagFilters": [{"Key": "Name"}]}, [INSTANCE], id="type and tag together"
        ),
        pytest.param(
            {"ResourceARNList": [TABLE.arn, f"{EC2}:instance/i-9"]}, [TABLE], id="by ARN: unknown is no error"
        ),
    ],
)
def test_get_resources_selects(request_: Mapping[str, Any], selected: list[TaggedResource]) -> None:
    wanted = selection(request_)
    assert [each for each in ALL if each in wanted] == selected


@pytest.mark.parametrize(
    ("arn", "kind"),
    [
        (f"{EC2}:launch-template/lt-1", "ec2:launch-template"),
        (
            "arn:aws:elasticloadbalancing:eu-north-1:1:listener-rule/app/b/1/2/3",
            "elasticloadbalancing:listener-rule",
        ),
        ("arn:aws:cloudwatch:eu-north-1:1:alarm:with/slash", "cloudwatch:alarm"),
        ("arn:aws:ssm:eu-north-1:1:parameter/a/b", "ssm:parameter"),
        ("arn:aws:s3:::bucket", "s3:bucket"),
    ],
)
def test_a_type_is_the_one_in_the_arn(arn: str, kind: str) -> None:
    assert TaggedResource(arn, {}).resource_type == kind


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param({"ResourcesPerPage": 0}, id="no resources per page"),
        pytest.param({"ResourcesPerPage": 101}, id="too many resources per page"),
        pytest.param({"TagsPerPage": 99}, id="too few tags per page"),
        pytest.param({"TagsPerPage": 501}, id="too many tags per page"),
        pytest.param({"ResourceARNList": []}, id="an empty list of ARNs"),
        pytest.param({"ResourceARNList": ["a"] * 101}, id="too many ARNs"),
        pytest.param({"ResourceARNList": ["a"], "TagFilters": [{"Key": "k"}]}, id="ARNs and tags"),
        pytest.param({"ResourceARNList": ["a"], "ResourceTypeFilters": ["ec2"]}, id="ARNs and types"),
        pytest.param({"ResourceARNList": ["a"], "ResourcesPerPage": 5}, id="ARNs and pages"),
        pytest.param({"IncludeComplianceDetails": True}, id="tag policies, which the lab has not"),
    ],
)
def test_get_resources_refuses(request_: dict[str, Any]) -> None:
    with pytest.raises(AwsError) as refused:
        page_size(request_) and selection(request_)
    assert refused.value.code == "InvalidParameterException"


def numbered(count: int, tags: int = 1) -> list[TaggedResource]:
    return [
        TaggedResource(f"{EC2}:instance/i-{number:03}", dict.fromkeys(map(str, range(tags)), ""))
        for number in range(count)
    ]


def pages(resources: list[TaggedResource], size: PageSize) -> list[int]:
    """How many are on each page; all of them are there once, in order."""
    shown, token = page_of_resources(reversed(resources), size, None)
    sizes, seen = [len(shown)], shown
    while token:
        shown, token = page_of_resources(resources, size, token)
        sizes.append(len(shown))
        seen = seen + shown
    assert seen == resources
    return sizes


@pytest.mark.parametrize(
    ("resources", "size", "shown"),
    [
        pytest.param(numbered(0), PageSize(), [0], id="nothing"),
        pytest.param(numbered(50), PageSize(), [50], id="exactly a page"),
        pytest.param(numbered(51), PageSize(), [50, 1], id="one more than a page"),
        pytest.param(numbered(5), PageSize(2), [2, 2, 1], id="asked for two"),
        pytest.param(numbered(22, tags=10), PageSize(50, 100), [10, 10, 2], id="AWS's example of TagsPerPage"),
        pytest.param(numbered(5, tags=45), PageSize(50, 100), [2, 2, 1], id="a resource is never split"),
    ],
)
def test_pages_hold(resources: list[TaggedResource], size: PageSize, shown: list[int]) -> None:
    assert pages(resources, size) == shown


def test_what_goes_between_two_pages_hides_nothing() -> None:
    resources = numbered(4)
    _, token = page_of_resources(resources, PageSize(2), None)
    assert page_of_resources([resources[0], *resources[2:]], PageSize(2), token) == (resources[2:], "")


def test_names_come_once_and_sorted() -> None:
    assert page_of_names(["b", "a", "b"], None) == (["a", "b"], "")


@pytest.mark.parametrize("token", ["zz", "YW55dGhpbmc=", "ä"])
def test_a_foreign_token_is_refused(token: str) -> None:
    with pytest.raises(AwsError, match="not one that this service gave out"):
        page_of_resources(numbered(3), PageSize(), token)
