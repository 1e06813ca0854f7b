"""The user data script as on AWS: as root, with an empty ``INSTANCE_ROOT``, in a root and a network of its own.

The root has this machine's ``/usr`` (read-only) and nothing else of it. On the PATH are the few tools the script may
rely on, and shims for what only an instance has: ``dnf`` installs Python, ``aws`` answers with the release,
``systemctl`` starts the unit's command as the unit's user, without capabilities or new privileges, on a read-only root,
with credentials in its environment for want of a metadata service.
What that leaves unproven is in docs/design/013-artifact-and-image.md.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from tests.workshop.conftest import passive_aws

from groundschool.workshop import install_script
from groundschool.workshop.release import Release, make_release

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
BASE_PYTHON = getattr(sys, "_base_executable", sys.executable)
PREFIX = str(Path(sys.base_prefix))

TOOLS = ("bash", "cat", "gzip", "id", "mkdir", "mv", "rm", "seq", "sleep", "tar", "useradd")
"""All the script uses besides what is shimmed; every Amazon Linux 2023 image has them."""

SHIMS = {
    "dnf": f"""echo "$*" >>/log/dnf
printf '#!/bin/bash\\nexec {BASE_PYTHON} -s -P "$@"\\n' >/commands/{PYTHON}; chmod 755 /commands/{PYTHON}""",
    "aws": """echo "$*" >>/log/aws
[ ! -e /no-bucket ] || { echo "An error occurred (403) when calling the HeadObject operation: Forbidden" >&2; exit 1; }
cat "/bucket/${6##*/}" """,
    "systemctl": """echo "$*" >>/log/systemctl
unit=/etc/systemd/system/visitor-board.service pid=/run/visitor-board.pid
setting() { sed -n "s/^$1=//p" "$unit"; }
start() {
    protect='mount -o remount,bind,ro / && mount -t tmpfs -o mode=1777 tmpfs /tmp && exec "$@"'
    user=$(setting User)
    role="AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b AWS_ENDPOINT_URL=http://127.0.0.1:9"
    (cd / && exec env -i $role $(setting Environment) unshare --mount bash -c "$protect" start \\
        setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \\
        $(setting ExecStart)) >>/log/journal 2>&1 &
    echo $! >"$pid"
}
case $1 in
    enable) kill -0 "$(cat "$pid" 2>/dev/null)" 2>/dev/null || start ;;
    restart) kill "$(cat "$pid")"; while kill -0 "$(cat "$pid")" 2>/dev/null; do sleep 0.02; done; start ;;
esac""",
    "journalctl": "tail -n 30 /log/journal",
}

CFN_SIGNAL = 'echo "$*" >>/log/cfn-signal'

IN_THE_NAMESPACES = """set -eu
cd "$1"
mount --make-rprivate /
mount --bind . . && cd "$1"
share() {{ mkdir -p ".$1"; mount --bind "$1" ".$1"; mount -o remount,bind,ro ".$1"; }}
for place in /usr {prefix}; do share "$place"; done
for place in /bin /sbin /lib /lib64; do
    if [ -L "$place" ]; then cp -P "$place" .; elif [ -d "$place" ]; then share "$place"; fi
done
for device in null urandom; do touch "dev/$device"; mount --bind "/dev/$device" "dev/$device"; done
mount -t proc proc proc
exec chroot . /bin/bash /driver
"""

DRIVER = """
{python} -c 'import fcntl, socket, struct
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh14x", b"lo", 0x41))'  # SIOCSIFFLAGS: up and running
boot() {{ # boot NAME: the script as cloud-init runs it; what it says, and how it ends
    env -i PATH=/commands:/tools /user-data/$1 >/results/$1 2>&1
    echo "exit code $?" >>/results/$1
}}
ask() {{ {python} -c 'import sys, urllib.request
print(urllib.request.urlopen("http://127.0.0.1:8080" + sys.argv[1], timeout=10).read().decode())' "$1"; }}
boot first
ask /health >/results/health
cat /proc/$(cat /run/visitor-board.pid)/status >/results/process
cat /proc/$(cat /run/visitor-board.pid)/mountinfo >/results/mounts
cp /etc/systemd/system/visitor-board.service /results/unit
cat /run/visitor-board.pid >/results/pids
touch /results/mark; boot second
find /etc /opt /commands -newer /results/mark -type f ! -name visitor-board.service >/results/changed
cmp /etc/systemd/system/visitor-board.service /results/unit && cat /run/visitor-board.pid >>/results/pids
boot stack
boot broken
touch /no-bucket; boot forbidden
"""


def scripts() -> tuple[Release, Release, dict[str, str]]:
    """The user data of each boot, as the workshop fills it in."""
    release, broken = make_release("visitor-board"), make_release("itsdangerous")
    with pytest.MonkeyPatch.context() as patch, passive_aws(patch) as world:
        first = install_script.render(world, release)
        other = install_script.render(world, broken)
        third = install_script.render(world, replace(release, python="python3.99"))

    def of_a_stack(text: str) -> str:
        return text.replace("STACK=''", "STACK='board'").replace("RESOURCE=''", "RESOURCE='Group'")

    def impatient(text: str) -> str:
        return of_a_stack(text).replace("sleep 2", "sleep 0.01").replace("seq 1 300", "seq 1 3")

    return (
        release,
        broken,
        {
            "first": first,
            "second": first,
            "stack": of_a_stack(first),
            "broken": impatient(other),
            "forbidden": impatient(third),
        },
    )


def executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def furnish(root: Path) -> None:
    release, broken, boots = scripts()
    root.chmod(0o755)
    for name in ("etc", "opt", "run", "proc", "dev", "log", "results", "tools", "tmp", "root"):
        (root / name).mkdir(mode=0o755)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    (root / "etc/group").write_text("root:x:0:\n")
    (root / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\n")
    for name in ("login.defs", "ld.so.cache"):
        shutil.copy(f"/etc/{name}", root / "etc" / name)
    for name in TOOLS:
        (root / "tools" / name).symlink_to(str(shutil.which(name)))
    for name, text in SHIMS.items():
        executable(root / "commands" / name, f"#!/bin/bash\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n{text}\n")
    executable(root / "opt/aws/bin/cfn-signal", f"#!/bin/bash\n{CFN_SIGNAL}\n")
    for name, text in boots.items():
        executable(root / "user-data" / name, text)
    (root / "bucket").mkdir()
    for each in (release, broken):
        (root / "bucket" / f"{each.digest}.tar.gz").write_bytes(each.archive())
    executable(root / "driver", DRIVER.format(python=BASE_PYTHON))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root after all boots of the driver. Its processes end with the namespaces."""
    if os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("a root of its own needs Linux and root")
    own = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child"]
    if (refused := subprocess.run([*own, "true"], capture_output=True, text=True)).returncode:
        pytest.skip(f"namespaces are not allowed here: {refused.stderr.strip()}")
    root = tmp_path_factory.mktemp("root")
    furnish(root)
    inside = IN_THE_NAMESPACES.format(prefix=PREFIX if PREFIX != "/usr" else "")
    done = subprocess.run([*own, "bash", "-c", inside, "-", str(root)], capture_output=True, text=True, timeout=90)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return root


def result(machine: Path, name: str) -> str:
    return (machine / "results" / name).read_text()


def log(machine: Path, name: str) -> list[str]:
    return (machine / "log" / name).read_text().splitlines()


def status(machine: Path) -> Mapping[str, str]:
    return dict(line.split(":\t", 1) for line in result(machine, "process").splitlines() if ":\t" in line)


def test_a_first_boot_installs_python_and_release_and_serves(machine: Path) -> None:
    assert result(machine, "first").endswith("visitor-board: serving on port 8080\nexit code 0\n")
    assert log(machine, "dnf")[0] == f"install -y {PYTHON}"
    assert json.loads(result(machine, "health"))["status"] == "ok"
    assert (machine / "commands" / PYTHON).exists()


def test_the_app_runs_as_a_user_without_a_shell_privileges_or_a_place_to_write(machine: Path) -> None:
    [user] = [line.split(":") for line in (machine / "etc/passwd").read_text().splitlines() if "visitor-board" in line]
    assert user[6] == "/sbin/nologin"
    seen = status(machine)
    assert seen["Uid"].split() == [user[2]] * 4 != ["0"] * 4
    assert (int(seen["CapEff"], 16), int(seen["CapBnd"], 16), seen["NoNewPrivs"]) == (0, 0, "1")
    mounts = {line.split()[4]: line.split()[5] for line in result(machine, "mounts").splitlines()}
    assert (mounts["/"].split(",")[0], mounts["/tmp"].split(",")[0]) == ("ro", "rw")
    code = next((machine / "opt/visitor-board").glob("*/visitor_board/web.py"))
    assert (code.stat().st_uid, code.stat().st_mode & 0o777) == (0, 0o644)


def test_a_second_run_changes_nothing(machine: Path) -> None:
    assert "is already here\n" in result(machine, "second")
    assert result(machine, "second").endswith("exit code 0\n")
    assert result(machine, "changed") == ""
    assert len(set(result(machine, "pids").split())) == 1, "the same process serves"
    assert len(result(machine, "pids").split()) == 2, "and the unit is the same text"


def test_a_stack_is_told_of_success_and_a_machine_without_one_tells_nobody(machine: Path) -> None:
    assert log(machine, "cfn-signal")[0] == "--exit-code 0 --stack board --resource Group --region eu-north-1"
    assert len(log(machine, "cfn-signal")) == 3, "of five boots, the three of a stack"


def test_an_app_that_does_not_start_fails_the_script_with_its_last_words_and_tells_the_stack(machine: Path) -> None:
    said = result(machine, "broken")
    assert "the app does not answer on port 8080" in said
    assert "No module named visitor_board" in said
    assert said.endswith("exit code 1\n")
    assert log(machine, "cfn-signal")[1].startswith("--exit-code 1 ")


def test_what_fails_on_the_way_is_named_with_its_line_and_tells_the_stack(machine: Path) -> None:
    said = result(machine, "forbidden")
    assert "Forbidden" in said
    assert "visitor-board: line " in said
    assert not said.endswith("exit code 0\n")
    assert log(machine, "cfn-signal")[2].startswith("--exit-code 1 ")


def test_systemd_accepts_the_unit_and_finds_it_well_protected(machine: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze here")
    unit = tmp_path / "visitor-board.service"
    unit.write_text(result(machine, "unit").replace(f"/commands/{PYTHON}", sys.executable))

    verified = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    exposed = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit)], capture_output=True, text=True
    )

    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    assert exposed.returncode == 0, exposed.stdout.splitlines()[-1]
