"""Measures the Envoy data plane: start, effect of a plan, memory, and, with ``--wrk PATH``, the request rate.

    python bench/network/data_plane.py [--wrk wrk]

The rate is told as a ratio too: through the load balancer and the interface against straight to the target, in one run.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import re
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import uvloop

from groundschool.clock import Clock
from groundschool.cloud.network.envoy import EnvoyDataPlane
from groundschool.cloud.network.plan import (
    Forward,
    HealthCheck,
    Interface,
    Listener,
    LoadBalancer,
    NetworkPlan,
    OpenPort,
    Target,
    TargetGroup,
)

PORT, EDGE = 22400, 22480
GROUP = "arn:aws:elasticloadbalancing:eu-north-1:123456789012:targetgroup/bench/1"
ANSWER = b"HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: text/plain\r\nContent-Length: 500\r\n\r\n" + b"x" * 500


class Answering(asyncio.Protocol):
    """The cheapest possible target: one canned answer per request, so that the rest of the way is what is measured."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(ANSWER * data.count(b"\r\n\r\n"))


def serve_targets(addresses: list[str]) -> None:
    async def serve() -> None:
        for address in addresses:
            await asyncio.get_running_loop().create_server(Answering, address, PORT)
        await asyncio.Event().wait()

    threading.Thread(target=lambda: uvloop.run(serve()), daemon=True).start()


def plan(instances: int, listeners: int = 1) -> NetworkPlan:
    numbers = range(1, instances + 1)
    arn = "arn:aws:elasticloadbalancing:eu-north-1:123456789012"
    return NetworkPlan(
        tuple(
            Interface(f"i-{n}", f"127.0.10.{n}", f"127.1.10.{n}", (OpenPort(PORT, ("127.0.10.200/32",)),))
            for n in numbers
        ),
        (
            LoadBalancer(
                f"{arn}:loadbalancer/app/bench/1",
                "bench",
                "127.0.10.200",
                "bench.localhost",
                {80 + n: ("0.0.0.0/0",) for n in range(listeners)},
                tuple(
                    Listener(f"{arn}:listener/app/bench/1/{n}", 80 + n, EDGE + n, Forward(((GROUP, 1),)))
                    for n in range(listeners)
                ),
            ),
        ),
        (
            TargetGroup(
                GROUP,
                "bench",
                HealthCheck(interval=30),
                tuple(Target(f"i-{n}", f"127.0.10.{n}", PORT) for n in numbers),
            ),
        ),
    )


def until(condition: Callable[[], bool]) -> float:
    begin = time.perf_counter()
    while not condition():
        if time.perf_counter() - begin > 20:
            raise SystemExit("it does not happen")
        time.sleep(0.0005)
    return time.perf_counter() - begin


def served() -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", EDGE, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def milliseconds(values: list[float]) -> str:
    return f"median {statistics.median(values) * 1000:.1f} ms, worst {max(values) * 1000:.1f} ms of {len(values)}"


def rate(wrk: str, url: str) -> tuple[float, str]:
    done = subprocess.run(
        [wrk, "-t1", "-c16", "-d4s", "--latency", url], capture_output=True, text=True, check=True
    ).stdout
    requests = re.search(r"Requests/sec:\s+([\d.]+)", done)
    p50, p99 = re.search(r"50%\s+(\S+)", done), re.search(r"99%\s+(\S+)", done)
    assert requests is not None, done
    assert p50 is not None, done
    assert p99 is not None, done
    assert "Non-2xx" not in done, done
    return float(requests[1]), f"{float(requests[1]):.0f} requests/s, p50 {p50[1]}, p99 {p99[1]}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--wrk")
    arguments = parser.parse_args()
    serve_targets([f"127.1.10.{n}" for n in range(1, 21)])
    with tempfile.TemporaryDirectory(prefix="data-plane-") as folder:
        measure(EnvoyDataPlane(Path(folder), Clock(10)), arguments.wrk)


def measure(plane: EnvoyDataPlane, wrk: str | None) -> None:
    starts = []
    for _ in range(7):
        begin = time.perf_counter()
        plane.start()
        starts.append(time.perf_counter() - begin)
        plane.stop()
    print("start to ready:", milliseconds(starts))

    plane.start()
    envoy = psutil.Process(plane._process.pid)
    print(f"memory, empty: {envoy.memory_info().rss / 1e6:.0f} MB")
    begin = time.perf_counter()
    plane.apply(plan(20))
    print(f"apply() of 20 instances: {(time.perf_counter() - begin) * 1000:.1f} ms")
    print(f"first answer after: {until(served) * 1000:.1f} ms")
    until(lambda: all(plane.health(GROUP, f"i-{n}", PORT).state == "healthy" for n in range(1, 21)))
    print(f"memory, 20 instances: {envoy.memory_info().rss / 1e6:.0f} MB")

    calls, effects, back = [], [], []
    for _ in range(20):
        begin = time.perf_counter()
        plane.apply(plan(20, listeners=2))
        calls.append(time.perf_counter() - begin)
        effects.append(until(lambda: listens(EDGE + 1)))
        plane.apply(plan(20))
        back.append(until(lambda: not listens(EDGE + 1)))
    print("apply() with one change:", milliseconds(calls))
    print("a new listener serves after apply():", milliseconds(effects))
    print("a removed listener is gone after apply():", milliseconds(back))

    out = []
    for _ in range(20):
        plane.apply(plan(1))
        until(lambda: served())
        plane.apply(plan(0))
        out.append(until(lambda: not served()))
        plane.apply(plan(1))
        until(served)
    print("a removed target gets nothing after apply():", milliseconds(out))

    if wrk:
        plane.apply(plan(2))
        until(lambda: all(plane.health(GROUP, f"i-{n}", PORT).state == "healthy" for n in (1, 2)))
        straight, words = rate(wrk, f"http://127.1.10.1:{PORT}/")
        print("straight to a target:", words)
        plane.take_requests()
        before = envoy.cpu_times()
        through, words = rate(wrk, f"http://127.0.0.1:{EDGE}/")
        used = sum(envoy.cpu_times()[:2]) - sum(before[:2])
        print(
            f"through balancer and interface: {words}, {used / (through * 4) * 1e6:.0f} us of Envoy's CPU per request"
        )
        print(f"ratio: {through / straight:.2f}")
        begin = time.perf_counter()
        taken = plane.take_requests()
        print(f"take_requests(): {(time.perf_counter() - begin) / len(taken) * 1e6:.1f} us per request ({len(taken)})")
        print(f"memory after it: {envoy.memory_info().rss / 1e6:.0f} MB")
    plane.stop()


if __name__ == "__main__":
    main()
