"""The board beside the older design, in one run on one store: CPU per page view and per post, requests/s, p99, memory.

    python bench/board/speed.py [--sizes 0,100,1000,10000,100000] [--seconds 3] [--port 25100]

CPU is that of the app's process only. On Linux with two cores or more the app has the first core for itself, and store
and load share the others: "req/s per core" is 1000 / CPU-ms on that core. The tail at 70 % of it is measured with
Poisson arrivals in three runs, there and once more with the app free to use every core (`tail.py` says why these
differ). Needs `wrk`.
"""

from __future__ import annotations

import argparse
import http.client
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from steady import Latencies, latencies

from visitor_board import table
from visitor_board.feed import Feed
from visitor_board.scan import ScanBoard
from visitor_board.settings import Settings
from visitor_board.store_client import StoreClient

HERE = Path(__file__).parent
BOARD = [sys.executable, "-m", "visitor_board", "serve"]
REFERENCE = [sys.executable, str(HERE / "reference.py")]
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
PINNED = len(CORES) > 1
OWN, OTHERS = CORES[:1], CORES[1:]
RUNS = 3
IDLE = 900
"""The app takes 1,000."""
POST = """
wrk.method = "POST"
wrk.body = "text=a+message+of+the+usual+length,+about+sixty+characters+long."
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
"""
POST_WITH_TOKEN = (
    POST
    + """
local n = os.time() * 100000
request = function()
  n = n + 1
  return wrk.format("POST", nil, nil, wrk.body .. "&client_token=bench" .. string.format("%020d", n))
end
"""
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="0,100,1000,10000,100000")
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--port", type=int, default=25100)
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    port, seconds = options.port, options.seconds
    os.environ.pop("AWS_ENDPOINT_URL_DYNAMODB", None)  # it would go before the store of this run
    os.environ.update(AWS_ACCESS_KEY_ID="local", AWS_SECRET_ACCESS_KEY="local")
    move_here(OTHERS)
    print(
        f"App alone on core {OWN[0]}; store and load on {OTHERS}.\n"
        if PINNED
        else "Nothing is tied to a core: app, store and load compete.\n"
    )
    with store(port) as endpoint:
        tables = {(model, size): fill(endpoint, model, size) for model in ("feed", "scan") for size in sizes}
        print("| Messages | reference page CPU-ms | req/s per core | board page CPU-ms | req/s per core | ratio |")
        print("|---|---|---|---|---|---|")
        for size in sizes:
            with app(REFERENCE, port + 1, endpoint, tables["scan", size]) as reference:
                old, _ = load(reference, port + 1, "/", seconds)
            with app(BOARD, port + 2, endpoint, tables["feed", size]) as board:
                load(board, port + 2, "/", 1)
                new, _ = load(board, port + 2, "/", seconds)
            print(
                f"| {size:,} | {old:.2f} | {1000 / old:.0f} | {new:.2f} | {1000 / new:.0f} | {old / new:.1f}x |",
                flush=True,
            )
        print("\n| Post | CPU-ms | req/s per core |\n|---|---|---|")
        with app(REFERENCE, port + 1, endpoint, tables["scan", sizes[0]]) as reference:
            report("reference", *load(reference, port + 1, "/", seconds, POST))
        with app(BOARD, port + 2, endpoint, tables["feed", sizes[0]]) as board:
            report("board, no token", *load(board, port + 2, "/", seconds, POST))
            report("board, client token", *load(board, port + 2, "/", seconds, POST_WITH_TOKEN))
        print("\n| Board, 1,000 messages | CPU-ms | req/s per core |\n|---|---|---|")
        kept = tables["feed", 1000 if 1000 in sizes else sizes[-1]]
        with app(BOARD, port + 2, endpoint, kept) as board:
            cost, _ = load(board, port + 2, "/", seconds)
            report("page view", cost, 0)
            report("page view, new visitor", *load(board, port + 2, "/", seconds, cookie=False))
            report("poll, unchanged (304)", *load(board, port + 2, "/api/messages", seconds, etag=True))
            report("/health", *load(board, port + 2, "/health", seconds))
            with idle_connections(port + 2):
                report(f"page view beside {IDLE} idle connections", *load(board, port + 2, "/", seconds))
            own = tails(port + 2, 700 / cost, seconds)
            memory = psutil.Process(board.pid).memory_info().rss / 1e6
        with app(BOARD, port + 2, endpoint, kept, BOARD_CACHE_SECONDS="1") as board:
            load(board, port + 2, "/", 1)
            report("page view, BOARD_CACHE_SECONDS=1", *load(board, port + 2, "/", seconds))
            reads = queries(port + 2)
        print("\nPage at 70 % of a core's capacity, 1000 / CPU-ms of the same set-up:")
        print(f"- app on its own core, {700 / cost:.0f} req/s: {described(own)}")
        if PINNED:
            with app(BOARD, port + 2, endpoint, kept, cores=CORES) as board:
                load(board, port + 2, "/", 1)
                cost, _ = load(board, port + 2, "/", seconds)
                anywhere = tails(port + 2, 700 / cost, seconds)
                print(f"- app free to use cores {CORES}, {700 / cost:.0f} req/s: {described(anywhere)}")
        print(f"Memory {memory:.0f} MB.")
        print(f"With the cache, Query calls in {seconds + 1} s of full load: {reads}.")
        print(f"Start to first answer: {start_seconds(port + 2, endpoint, kept):.2f} s.")


def report(name: str, cost: float, _: float) -> None:
    print(f"| {name} | {cost:.2f} | {1000 / cost:.0f} |", flush=True)


def tails(port: int, rate: float, seconds: float) -> list[Latencies]:
    """Several runs: on a machine with other work one of them is easily spoiled, and the reader shall see it."""
    return [latencies(port, "/", rate, seconds, seed=run) for run in range(RUNS)]


def described(runs: list[Latencies]) -> str:
    """The median of the runs' percentiles, and each run's p99."""
    p50, p99, late = (
        statistics.median(values)
        for values in (
            [run.percentile(50) for run in runs],
            [run.percentile(99) for run in runs],
            [run.late(99) for run in runs],
        )
    )
    each = ", ".join(f"{run.percentile(99):.1f}" for run in runs)
    return f"p50 {p50:.1f} ms, p99 {p99:.1f} ms (runs: {each}); requests sent late, p99: {late:.1f} ms"


def move_here(cores: list[int]) -> None:
    """Runs this process, and what it starts from now on, on these cores."""
    if PINNED:
        os.sched_setaffinity(0, cores)


@contextmanager
def store(port: int) -> Iterator[str]:
    """The embedded store, in memory."""
    command = [sys.executable, "-m", "groundschool.dynamodb", "--memory", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            time.sleep(1.0)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def fill(endpoint: str, model: str, size: int) -> str:
    """A table with that many messages; returns its name."""
    settings = Settings(endpoint=endpoint, table_name=f"speed_{model}_{size}", model=model)
    client = StoreClient(settings.region, endpoint)
    table.create(client, settings)
    for _ in table.seed(client, settings, size):
        pass
    (ScanBoard if model == "scan" else Feed)(client, settings, "i-1").post("the newest", None)
    client.close()
    return settings.table_name


@contextmanager
def app(
    command: list[str], port: int, endpoint: str, name: str, *, cores: list[int] = OWN, **more: str
) -> Iterator[psutil.Process]:
    """A running app on those cores."""
    environment = {
        **os.environ,
        "PORT": str(port),
        "TABLE_NAME": name,
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
        "AWS_REGION": "eu-north-1",
        "AWS_DEFAULT_REGION": "eu-north-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        **more,
    }
    move_here(cores)
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        move_here(OTHERS)
        try:
            while not answers(port):
                assert process.poll() is None, f"{command} ended"
                time.sleep(0.01)
            yield psutil.Process(process.pid)
        finally:
            process.terminate()


@contextmanager
def idle_connections(port: int) -> Iterator[None]:
    with ExitStack() as opened:
        for _ in range(IDLE):
            opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
        yield


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def start_seconds(port: int, endpoint: str, name: str) -> float:
    begun = time.perf_counter()
    with app(BOARD, port, endpoint, name):
        return time.perf_counter() - begun


def load(
    process: psutil.Process,
    port: int,
    path: str,
    seconds: int,
    script: str = "",
    *,
    cookie: bool = True,
    etag: bool = False,
) -> tuple[float, float]:
    """CPU-ms per request and requests/s under 4 keep-alive connections."""
    command = ["wrk", "-t1", "-c4", f"-d{seconds}", "--timeout", "10", f"http://127.0.0.1:{port}{path}"]
    if cookie:
        command += ["-H", "Cookie: visited=1"]
    if etag:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        command += ["-H", f"If-None-Match: {response.headers['ETag']}"]
        connection.close()
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        if script:
            file.write(script)
            file.flush()
            command += ["-s", file.name]
        before = sum(process.cpu_times()[:2])
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        spent = sum(process.cpu_times()[:2]) - before
    assert "Non-2xx" not in output, output
    requests = int(next(line for line in output.splitlines() if "requests in" in line).split()[0])
    return spent / requests * 1000, requests / seconds


def queries(port: int) -> int:
    """How many Query calls the app has made."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    prefix = 'board_store_seconds_count{operation="Query"'
    return sum(int(line.rpartition(" ")[2]) for line in lines if line.startswith(prefix))


if __name__ == "__main__":
    main()
