"""Where does the page's slowest percent come from? Candidates side by side, at one rate, in one run.

    python bench/board/tail.py [--rate 500] [--rounds 3] [--seconds 3] [--port 25200]

Each row is a way to run the same page over the same store; rounds are interleaved, so that what else the machine does
meets all of them, and medians are printed. The load is open-loop (`steady.py`) and shares the other cores with the
store. Rows whose server is not installed (`pip install gunicorn granian`) are left out. Needs two cores, Linux, `wrk`.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import sys
from collections import defaultdict
from dataclasses import dataclass, field

from speed import BOARD, CORES, HERE, OTHERS, OWN, PINNED, app, fill, load, move_here, store
from steady import latencies

SWITCH = "import sys; sys.setswitchinterval(0.001); from visitor_board.cli import main; main(['serve'])"


@dataclass(frozen=True)
class Candidate:
    """A way to run the board."""

    name: str
    command: list[str] = field(default_factory=lambda: BOARD)
    cores: list[int] = field(default_factory=lambda: CORES)
    threads: int = 8


def candidates(port: int) -> list[Candidate]:
    """What is compared, as far as it is installed."""
    python = sys.executable
    rows = [
        Candidate("waitress, 8 threads, one core", cores=OWN),
        Candidate("waitress, 8 threads"),
        Candidate("waitress, 4 threads", threads=4),
        Candidate("waitress, 2 threads", threads=2),
        Candidate("waitress, 8 threads, switch interval 1 ms", [python, "-c", SWITCH]),
    ]
    if importlib.util.find_spec("gunicorn"):
        gunicorn = [python, "-m", "gunicorn", "-k", "gthread", "-w", "1", "--threads", "8", "--keep-alive", "120"]
        gunicorn += ["-b", f"127.0.0.1:{port}", "--pythonpath", str(HERE), "wsgi:app"]
        rows += [Candidate("gunicorn gthread", gunicorn), Candidate("gunicorn gthread, one core", gunicorn, OWN)]
    if importlib.util.find_spec("granian"):
        granian = [python, "-m", "granian", "--interface", "wsgi", "--workers", "1", "--blocking-threads", "8"]
        granian += ["--host", "127.0.0.1", "--port", str(port), "--no-ws", "--working-dir", str(HERE), "wsgi:app"]
        rows += [Candidate("granian", granian), Candidate("granian, one core", granian, OWN)]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--port", type=int, default=25200)
    options = parser.parse_args()
    assert PINNED, "This needs Linux and two cores."
    os.environ.pop("AWS_ENDPOINT_URL_DYNAMODB", None)
    os.environ.update(AWS_ACCESS_KEY_ID="local", AWS_SECRET_ACCESS_KEY="local")
    move_here(OTHERS)
    seen: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    with store(options.port) as endpoint:
        name = fill(endpoint, "feed", 100)
        for _ in range(options.rounds):
            for one in candidates(options.port + 1):
                figures = measure(one, options.port + 1, endpoint, name, options.rate, options.seconds)
                seen[one.name].append(figures)
    print(f"| {options.rate:.0f} page views/s | CPU-ms | p50 ms | p99 ms | p99 of each round |\n|---|---|---|---|---|")
    for row, rounds in seen.items():
        cpu, p50, p99 = (statistics.median(column) for column in zip(*rounds, strict=True))
        print(f"| {row} | {cpu:.2f} | {p50:.1f} | {p99:.1f} | {', '.join(f'{one[2]:.1f}' for one in rounds)} |")


def measure(
    one: Candidate, port: int, endpoint: str, name: str, rate: float, seconds: int
) -> tuple[float, float, float]:
    """CPU-ms per page at that rate, p50 and p99 in ms."""
    with app(one.command, port, endpoint, name, cores=one.cores, BOARD_THREADS=str(one.threads)) as process:
        family = [process, *process.children(recursive=True)]
        load(process, port, "/", 1)
        before = sum(sum(part.cpu_times()[:2]) for part in family)
        seen = latencies(port, "/", rate, seconds)
        spent = sum(sum(part.cpu_times()[:2]) for part in family) - before
    return spent / len(seen.answered) * 1000, seen.percentile(50), seen.percentile(99)


if __name__ == "__main__":
    main()
