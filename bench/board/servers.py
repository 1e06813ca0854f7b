"""Which WSGI server? The same app on each, one process with 8 threads, measured in one run.

    python bench/board/servers.py [--port 25020] [--seconds 3]

Needs gunicorn, cheroot and granian beside the board (`pip install gunicorn cheroot granian`) and `wrk`. Columns: start
to first answer, memory of the process tree (USS), CPU-ms per request of /health and of the page, requests/s of the
page, and whether a request in flight survives SIGTERM. With --idle: is a connection alive after 65 s idle?
"""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

HERE = Path(__file__).parent
WAITRESS = """
import still_app, sys
from visitor_board.server import serve
from visitor_board.settings import Settings
serve(still_app.app, Settings(port=int(sys.argv[1])), print)
"""
CHEROOT = """
import still_app, sys, signal
from cheroot.wsgi import Server
server = Server(("127.0.0.1", int(sys.argv[1])), still_app.app, numthreads=8, timeout=120, shutdown_timeout=20)
server.max_request_header_size = 16384
server.max_request_body_size = 65536
def stop(*_): raise KeyboardInterrupt
signal.signal(signal.SIGTERM, stop)
server.safe_start()
"""


def commands(port: int) -> dict[str, list[str]]:
    """How each server is started."""
    python = sys.executable
    gunicorn = [python, "-m", "gunicorn", "-k", "gthread", "-w", "1", "--threads", "8", "--keep-alive", "120"]
    granian = [python, "-m", "granian", "--interface", "wsgi", "--workers", "1", "--blocking-threads", "8"]
    return {
        "waitress": [python, "-c", WAITRESS, str(port)],
        "gunicorn gthread": [*gunicorn, "-b", f"127.0.0.1:{port}", "still_app:app"],
        "cheroot": [python, "-c", CHEROOT, str(port)],
        "granian": [*granian, "--host", "127.0.0.1", "--port", str(port), "--no-ws", "still_app:app"],
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=25020)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--idle", action="store_true", help="also wait for 65 s")
    options = parser.parse_args()
    print("| Server | start s | MB | /health CPU-ms | page CPU-ms | page req/s | SIGTERM |")
    print("|---|---|---|---|---|---|---|")
    idle: list[tuple[str, subprocess.Popen[bytes], http.client.HTTPConnection]] = []
    for offset, name in enumerate(commands(0)):
        port = options.port + offset
        process, start = launch(commands(port)[name], port)
        health = load(process, port, "/health", options.seconds)
        page = load(process, port, "/", options.seconds)
        memory = sum(one.memory_full_info().uss for one in tree(process)) / 1e6
        end = in_flight_survives(process, port)
        print(
            f"| {name} | {start:.2f} | {memory:.0f} | {health[0]:.3f} | {page[0]:.3f} | {page[1]:.0f} | {end} |",
            flush=True,
        )
        second, _ = launch(commands(port)[name], port)
        kept = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        ask(kept, "/health")
        idle.append((name, second, kept))
    time.sleep(65 if options.idle else 0)
    for name, process, kept in idle:
        kept.auto_open = 0
        try:
            alive = ask(kept, "/health") == 200
        except (OSError, http.client.HTTPException):
            alive = False
        print(f"{name} after the pause: {'alive' if alive else 'closed'}")
        kept.close()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def launch(command: list[str], port: int) -> tuple[subprocess.Popen[bytes], float]:
    """Starts a server; returns it and the seconds to its first answer."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=HERE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ)
    )
    while time.perf_counter() - begun < 20:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            ask(connection, "/health")
            connection.close()
            return process, time.perf_counter() - begun
        except (OSError, http.client.HTTPException):
            time.sleep(0.01)
    raise RuntimeError(f"{command} does not answer")


def ask(connection: http.client.HTTPConnection, path: str) -> int:
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    return response.status


def tree(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    parent = psutil.Process(process.pid)
    return [parent, *parent.children(recursive=True)]


def load(process: subprocess.Popen[bytes], port: int, path: str, seconds: int) -> tuple[float, float]:
    """CPU-ms per request and requests/s under 16 keep-alive connections."""
    before = sum(sum(one.cpu_times()[:2]) for one in tree(process))
    command = ["wrk", "-t1", "-c16", f"-d{seconds}", "-H", "Cookie: visited=1", f"http://127.0.0.1:{port}{path}"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    spent = sum(sum(one.cpu_times()[:2]) for one in tree(process)) - before
    requests = int(next(line for line in output.splitlines() if "requests in" in line).split()[0])
    return spent / requests * 1000, requests / seconds


def in_flight_survives(process: subprocess.Popen[bytes], port: int) -> str:
    """SIGTERM while a one-second request is being served: is it answered, and does the process end?"""
    answers: list[object] = []

    def slow() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            answers.append(ask(connection, "/?before=" + "f" * 12 + "7" + "f" * 19))
        except (OSError, http.client.HTTPException) as error:
            answers.append(type(error).__name__)
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    begun = time.perf_counter()
    thread.join()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        return f"{answers[0]}, does not end"
    with socket.socket() as probe:
        refused = probe.connect_ex(("127.0.0.1", port)) != 0
    return f"{answers[0]}, ended after {time.perf_counter() - begun:.1f} s" if refused else "still listening"


if __name__ == "__main__":
    main()
