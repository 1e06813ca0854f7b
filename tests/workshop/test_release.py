"""The release: complete, small, and the same bytes each time."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tarfile
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

import pytest

from groundschool.errors import BuildError
from groundschool.workshop import role
from groundschool.workshop.release import Release, closure, is_shipped, make_release


@pytest.mark.parametrize(
    ("name", "shipped"),
    [
        ("flask/app.py", True),
        ("visitor_board/static/board.css", True),
        ("orjson/orjson.cpython-311-x86_64-linux-gnu.so", True),
        ("botocore/data/dynamodb/2012-08-10/service-2.json.gz", True),
        ("botocore/data/partitions.json", True),
        ("botocore/data/ec2/2016-11-15/service-2.json.gz", False),
        ("boto3/data/ec2/2016-11-15/resources-1.json", False),
        ("flask-3.1.3.dist-info/METADATA", True),
        ("flask-3.1.3.dist-info/licenses/LICENSE.txt", True),
        ("visitor_board-0.1.0.dist-info/direct_url.json", False),
        ("visitor_board-0.1.0.dist-info/RECORD", False),
        ("flask/__pycache__/app.cpython-311.pyc", False),
        ("markupsafe/_speedups.pyi", False),
        ("../../../bin/flask", False),
    ],
)
def test_what_is_needed_to_run_is_shipped_and_nothing_else(name: str, shipped: bool) -> None:
    assert is_shipped(PurePosixPath(name)) is shipped


def test_the_closure_has_the_app_and_all_it_requires_but_not_its_test_tools() -> None:
    names = {each.name.lower() for each in closure("visitor-board")}

    assert {"visitor-board", "flask", "werkzeug", "botocore", "urllib3"} <= names
    assert not {"pytest", "hypothesis", "schemathesis", "boto3", "moto"} & names


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BuildError, match=r"needs the package no-such-thing"):
        closure("no-such-thing")


def test_the_archive_is_the_same_bytes_each_time_and_names_no_place_of_this_machine() -> None:
    release = make_release("itsdangerous")

    first, second = release.archive(), release.archive()

    assert first == second
    with tarfile.open(fileobj=io.BytesIO(first)) as archive:
        entries = archive.getmembers()
        bytecode = [archive.extractfile(each) for each in entries if each.name.endswith(".pyc")]
        assert bytecode
        assert all(each is not None and str(Path.home()).encode() not in each.read() for each in bytecode)
    assert [each.name for each in entries] == sorted((each.name for each in entries), key=PurePosixPath)
    assert {(each.mtime, each.uid, each.gid, each.uname) for each in entries} == {(0, 0, 0, "")}


def test_the_digest_changes_with_any_byte_any_name_and_the_python() -> None:
    releases = [
        Release((("a.py", b"1"),), "python3.11"),
        Release((("a.py", b"2"),), "python3.11"),
        Release((("b.py", b"1"),), "python3.11"),
        Release((("a.py", b"1"),), "python3.12"),
    ]

    assert len({each.digest for each in releases}) == 4
    assert releases[0].key == f"releases/{releases[0].digest}.tar.gz"


def test_the_unpacked_release_runs_alone(tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(make_release("visitor-board").archive())) as archive:
        archive.extractall(tmp_path, filter="data")
    program = (
        "import botocore.session, visitor_board.web, visitor_board.server\n"
        "url = botocore.session.Session().create_client('dynamodb', region_name='eu-north-1').meta.endpoint_url\n"
        "print(url, visitor_board.__file__)"
    )

    # fmt: off
    done = subprocess.run(
        [sys._base_executable, "-S", "-s", "-P", "-B", "-c", program],  # type: ignore[attr-defined]
        cwd="/", env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, timeout=60,
    )
    # fmt: on

    assert done.stdout.split() == [
        "https://dynamodb.eu-north-1.amazonaws.com",
        f"{tmp_path}/visitor_board/__init__.py",
    ], done.stderr


def test_the_role_allows_exactly_what_the_board_calls() -> None:
    spec = find_spec("visitor_board.feed")
    assert spec is not None
    assert spec.origin is not None
    called = re.findall(r"\.call\(\s*\"(\w+)\"", Path(spec.origin).read_text())

    assert {f"dynamodb:{each}" for each in called} == set(role.TABLE_ACTIONS)


def test_the_policy_names_one_table_and_the_releases_only() -> None:
    document = role.policy_document("arn:aws:dynamodb:eu-north-1:1:table/workshop_messages", "bucket")

    assert {each["Resource"] for each in document["Statement"]} == {
        "arn:aws:dynamodb:eu-north-1:1:table/workshop_messages",
        "arn:aws:s3:::bucket/releases/*",
    }
