"""The laptop cloud's network, made of one Envoy."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from groundschool.clock import Clock
from groundschool.cloud.network.data_plane import RequestRecord, TargetHealth, Traffic
from groundschool.cloud.network.envoy.access_log import ACCESS_LOG, request_record
from groundschool.cloud.network.envoy.clusters import HEALTH_EVENTS, Reserve
from groundschool.cloud.network.envoy.documents import BOOTSTRAP, bootstrap, endpoint_files, xds_files
from groundschool.cloud.network.envoy.files import GrowingLog, WatchedFiles
from groundschool.cloud.network.envoy.health_book import HealthBook
from groundschool.cloud.network.envoy.health_events import health_event
from groundschool.cloud.network.envoy.listeners import listening_addresses
from groundschool.cloud.network.envoy.ports import obstacle
from groundschool.cloud.network.envoy.process import PROCESS_LOG, EnvoyProcess, envoy_binary
from groundschool.cloud.network.envoy.target_health import TargetKey
from groundschool.cloud.network.envoy.traffic_log import TRAFFIC_LOG, traffic
from groundschool.cloud.network.plan import NetworkPlan
from groundschool.errors import LabError

TICK = 0.02
"""Real seconds between two looks at Envoy's logs."""
ARRIVAL = 0.1
"""Real seconds a new interface gets to listen before it is used as a target; it takes 4 ms on an idle machine."""
REQUEST_LOG_LIMIT = 32 * 1024 * 1024
"""Bytes. Rotated by :meth:`EnvoyDataPlane.take_requests`, which must be called now and then."""
EVENT_LOG_LIMIT = 1024 * 1024
PROCESS_LOG_LIMIT = 1024 * 1024

_log = logging.getLogger(__name__)


class EnvoyDataPlane:
    """A :class:`~groundschool.cloud.network.data_plane.DataPlane`; the constructor starts nothing.

    Everything lies in ``folder``: Envoy's configuration, logs, admin socket and process record. ``binary`` finds Envoy.
    """

    def __init__(self, folder: Path, clock: Clock, binary: Callable[[], Path] = envoy_binary) -> None:
        self._folder = folder.absolute()
        self._clock = clock
        self._process = EnvoyProcess(self._folder, binary)
        self._book = HealthBook()
        self._lock = threading.Lock()
        """Guards the plan and the files that follow from it."""
        self._plan = NetworkPlan()
        self._files = WatchedFiles(self._folder)
        self._listening: frozenset[str] = frozenset()
        self._arriving: dict[str, float] = {}
        """New interfaces' addresses -> when they surely listen, by ``time.monotonic``."""
        self._reserve = Reserve()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._requests_lock = threading.Lock()
        self._left: list[RequestRecord] = []
        """Requests of an Envoy that has ended, not taken yet."""
        self._requests = self._growing(ACCESS_LOG, REQUEST_LOG_LIMIT)
        self._traffic = self._growing(TRAFFIC_LOG, REQUEST_LOG_LIMIT)
        self._events = self._growing(HEALTH_EVENTS, EVENT_LOG_LIMIT)
        self._words = self._growing(PROCESS_LOG, PROCESS_LOG_LIMIT)
        self._problems: list[str] = []

    def start(self) -> None:
        """Returns when Envoy serves an empty plan; raises LabError with one clear line when it cannot.

        May be called again after :meth:`alive` said False: targets keep what is known of their health.
        """
        if self.alive():
            return
        self.stop()
        self._process.hold_folder()
        try:
            self._prepare_folder()
            self._follow_on_own_thread()
            self._process.wait_ready()
        except BaseException:
            self.stop()
            raise

    def apply(self, plan: NetworkPlan) -> None:
        """Writes what has changed and returns; Envoy follows within milliseconds.

        Raises LabError when a new listener's port is taken, or its address missing, naming the first. All else of the
        plan is in effect then, and the next call tries again.
        """
        with self._lock:
            blocked = self._obstacles(plan)
            self._plan = plan
            self._book.follow(plan, self._clock.now())
            listening = {
                name: address for (address, _), name in listening_addresses(plan).items() if name not in blocked
            }
            arrived_at = time.monotonic() + ARRIVAL
            self._arriving |= {
                address: arrived_at for name, address in listening.items() if name not in self._listening
            }
            self._listening = frozenset(listening)
            self._reserve = self._reserve_now()
            self._files.write(xds_files(plan, self._clock.speed, self._reserve, blocked))
        for message in blocked.values():
            raise LabError(message)

    def health(self, target_group_arn: str, instance_id: str, port: int) -> TargetHealth:
        """``TargetHealth`` with AWS's reason and description."""
        return self._book.health(TargetKey(target_group_arn, instance_id, port), self._clock.now())

    def take_requests(self) -> list[RequestRecord]:
        """The requests finished since the last call; one appears about 20 ms after its end."""
        with self._requests_lock:
            left, self._left = self._left, []
            return left + [request_record(line) for line in self._requests.new_lines()]

    def take_traffic(self) -> dict[str, Traffic]:
        """By instance. A balancer's connections live for 1.5 s, so its traffic appears about as late."""
        with self._requests_lock:
            return traffic(self._traffic.new_lines())

    def take_problems(self) -> list[str]:
        """What Envoy has complained of since the last call, in its own words: a refused configuration above all."""
        with self._lock:
            problems, self._problems = self._problems, []
        return problems

    def alive(self) -> bool:
        return self._process.alive()

    def stop(self) -> None:
        """Ends Envoy and forgets its files; safe to call twice. What was in flight is cut off."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._process.stop()
        self._left = self.take_requests()
        for log in (self._requests, self._traffic, self._events, self._words):
            log.close()

    def _growing(self, name: str, limit: int) -> GrowingLog:
        return GrowingLog(self._folder / name, limit, self._process.reopen_logs)

    def _prepare_folder(self) -> None:
        shutil.rmtree(self._folder / "xds", ignore_errors=True)
        for log in (self._requests, self._traffic, self._events, self._words):
            log.remove()
        with self._lock:
            self._files = WatchedFiles(self._folder)
            self._listening = frozenset()
            self._plan = NetworkPlan()
            self._arriving, self._reserve = {}, Reserve()
            self._files.write({BOOTSTRAP: bootstrap(), **xds_files(self._plan, self._clock.speed, self._reserve, ())})

    def _follow_on_own_thread(self) -> None:
        """One thread spawns Envoy, so that the kernel ends Envoy only with it, and then reads what Envoy writes."""
        self._stopping.clear()
        spawned = threading.Event()
        failures: list[BaseException] = []

        def run() -> None:
            try:
                self._process.spawn()
            except BaseException as error:
                failures.append(error)
                return
            finally:
                spawned.set()
            while not self._stopping.wait(TICK):
                try:
                    self._look()
                except Exception:
                    _log.exception("The health checks' log could not be followed")
            # Here, because the end of this thread would kill Envoy before it has written its logs.
            self._process.stop()

        self._thread = threading.Thread(target=run, name="envoy", daemon=True)
        self._thread.start()
        spawned.wait()
        if failures:
            raise failures[0]

    def _look(self) -> None:
        events = [event for line in self._events.new_lines() if (event := health_event(line))]
        if events:
            self._book.observe(events)
        with self._lock:
            reserve = self._reserve_now()
            if reserve != self._reserve:
                self._reserve = reserve
                self._files.write(endpoint_files(self._plan, reserve))
        words = [line.decode(errors="replace") for line in self._words.new_lines()]
        if words:
            with self._lock:
                self._problems = [*self._problems, *words][-100:]
            for line in words:
                _log.warning("Envoy: %s", line)

    def _reserve_now(self) -> Reserve:
        now = time.monotonic()
        self._arriving = {address: then for address, then in self._arriving.items() if then > now}
        return Reserve(self._book.held_back(), frozenset(self._arriving))

    def _obstacles(self, plan: NetworkPlan) -> dict[str, str]:
        """Listener name -> why it cannot be; only listeners that are new are looked at."""
        found = {}
        for (address, port), name in listening_addresses(plan).items():
            if name not in self._listening and (message := obstacle(address, port, self._process.pid)):
                found[name] = message
        return found
