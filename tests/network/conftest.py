"""A network under test: a real Envoy, and targets that are small HTTP servers on the instances' inner addresses."""

from __future__ import annotations

import http.client
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from groundschool.clock import Clock
from groundschool.cloud.network.data_plane import TargetHealth
from groundschool.cloud.network.envoy import EnvoyDataPlane
from groundschool.cloud.network.plan import (
    Action,
    Forward,
    HealthCheck,
    Interface,
    Listener,
    LoadBalancer,
    NetworkPlan,
    OpenPort,
    Rule,
    Target,
    TargetGroup,
)

PORT = 22100
EDGE = 22080
BALANCER_ADDRESS = "127.0.10.200"
ARN = "arn:aws:elasticloadbalancing:eu-north-1:123456789012"
EVERYBODY = ("0.0.0.0/0",)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    """Read without regard to case; ``keys()`` as they were sent."""
    body: str


@dataclass(frozen=True)
class Seen:
    """A request as a target saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ThreadingHTTPServer

    def setup(self) -> None:
        self.timeout = self.server.target.keep_alive  # type: ignore[attr-defined]
        super().setup()

    def _answer(self) -> None:
        target: HttpTarget = self.server.target  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        seen = Seen(self.command, self.path, dict(self.headers.items()), body)
        target.seen.append(seen)
        target.answer(seen, self)

    do_GET = do_POST = _answer  # noqa: N815

    def send(self, status: int, body: str = "", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def finish(self) -> None:
        super().finish()
        if getattr(self, "path", "/health") != "/health":
            self.server.target.closed.append("target" if self.timed_out else "balancer")  # type: ignore[attr-defined]

    timed_out = False

    def log_error(self, *args: Any) -> None:
        """http.server's only word for a keep-alive that ran out."""
        self.timed_out = True

    def log_message(self, *args: Any) -> None:
        pass


class HttpTarget:
    """The app on instance ``i-<number>``: says its name; ``health`` is the status of ``/health``."""

    def __init__(self, number: int, port: int = PORT) -> None:
        self.name = f"i-{number}"
        self.health = 200
        self.seen: list[Seen] = []
        self.keep_alive = 60.0
        """Seconds after which it closes an unused connection."""
        self.closed: list[str] = []
        """Who closed each finished connection: the target or the balancer."""
        self.answers: dict[str, Callable[[Any], None]] = {}
        self._server = ThreadingHTTPServer((f"127.1.10.{number}", port), _Handler)
        self._server.target = self  # type: ignore[attr-defined]
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def answer(self, seen: Seen, handler: _Handler) -> None:
        if seen.path == "/health":
            handler.send(self.health)
        elif seen.path in self.answers:
            self.answers[seen.path](handler)
        else:
            handler.send(200, self.name)

    def requests(self) -> list[Seen]:
        return [seen for seen in self.seen if seen.path != "/health"]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@dataclass
class Network:
    """Builds plans in few words, applies them, and asks through the load balancer."""

    plane: EnvoyDataPlane
    targets: list[HttpTarget] = field(default_factory=list)
    plan: NetworkPlan = field(default_factory=NetworkPlan)

    group_arn = f"{ARN}:targetgroup/web/1"
    edge = EDGE

    def target(self, number: int, port: int = PORT) -> HttpTarget:
        target = HttpTarget(number, port)
        self.targets.append(target)
        return target

    def registered(self, number: int, draining: bool = False) -> Target:
        return Target(f"i-{number}", f"127.0.10.{number}", PORT, draining)

    def interface(self, number: int, sources: tuple[str, ...] = (f"{BALANCER_ADDRESS}/32",)) -> Interface:
        return Interface(f"i-{number}", f"127.0.10.{number}", f"127.1.10.{number}", (OpenPort(PORT, sources),))

    def group(self, *numbers: int, name: str = "1", **settings: Any) -> TargetGroup:
        check = HealthCheck("/health", interval=5, timeout=2, healthy_threshold=3, unhealthy_threshold=2)
        targets = tuple(self.registered(number) for number in numbers)
        settings = {"health_check": check, "targets": targets} | settings
        return TargetGroup(arn=f"{ARN}:targetgroup/web/{name}", name=f"web{name}", **settings)

    def forward(self) -> Forward:
        return Forward(((self.group_arn, 1),))

    def listener(self, action: Action | None = None, rules: tuple[Rule, ...] = (), **settings: Any) -> Listener:
        settings = {"port": 80, "edge_port": EDGE} | settings
        arn = f"{ARN}:listener/app/lb/1/{settings['port']}"
        return Listener(arn=arn, default_action=action or self.forward(), rules=rules, **settings)

    def balancer(self, *listeners: Listener, **settings: Any) -> LoadBalancer:
        listeners = listeners or (self.listener(),)
        settings = {"allowed_sources": {listener.port: EVERYBODY for listener in listeners}} | settings
        arn = f"{ARN}:loadbalancer/app/lb/1"
        return LoadBalancer(arn, "lb", BALANCER_ADDRESS, "lb-1.elb.localhost", listeners=listeners, **settings)

    def apply(
        self,
        *groups: TargetGroup,
        balancer: LoadBalancer | None = None,
        interfaces: tuple[Interface, ...] | None = None,
    ) -> None:
        """Every target of ``groups`` gets its interface, unless ``interfaces`` are given."""
        if interfaces is None:
            numbers = {int(target.instance_id[2:]) for group in groups for target in group.targets}
            interfaces = tuple(self.interface(number) for number in sorted(numbers))
        self.plan = NetworkPlan(interfaces, (balancer or self.balancer(),), groups)
        self.plane.apply(self.plan)

    def change(self, **changes: Any) -> None:
        self.plan = replace(self.plan, **changes)
        self.plane.apply(self.plan)

    def health(self, number: int) -> TargetHealth:
        return self.plane.health(self.group_arn, f"i-{number}", PORT)

    def wait_healthy(self, *numbers: int) -> None:
        for number in numbers:
            wait_for(lambda number=number: self.health(number) == TargetHealth("healthy"), f"i-{number} is healthy")

    def ask(self, path: str = "/", method: str = "GET", body: str | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", EDGE, timeout=10)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode())
        finally:
            connection.close()

    def ask_tls(self, path: str = "/") -> Answer:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", EDGE, timeout=10, context=context)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode())
        finally:
            connection.close()

    def wait_serving(self, status: int = 200) -> None:
        def serving() -> bool:
            try:
                return self.ask().status == status
            except OSError:
                return False

        wait_for(serving, f"the balancer answers {status}")


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.005)


@pytest.fixture(name="wait_for")
def _wait_for() -> Callable[..., None]:
    return wait_for


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    """At speed 50: a health check every 0.1 s."""
    network = Network(EnvoyDataPlane(tmp_path / "network", Clock(50)))
    network.plane.start()
    yield network
    network.plane.stop()
    for target in network.targets:
        target.close()
    assert network.plane.take_problems() == []
