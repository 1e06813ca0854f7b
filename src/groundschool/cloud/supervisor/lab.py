"""The lab: every part made, connected, kept going and taken down."""

from __future__ import annotations

import logging
import secrets
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, RLock
from typing import Any

from botocore.credentials import Credentials

from groundschool.clock import Clock
from groundschool.cloud.autoscaling.service import AutoScaling
from groundschool.cloud.autoscaling.surroundings import Surroundings
from groundschool.cloud.compute.base_image import build_base_image
from groundschool.cloud.compute.cpu_budget import choose_budget
from groundschool.cloud.compute.instance_type import lab_vcpu
from groundschool.cloud.compute.machine import MachineHost
from groundschool.cloud.compute.spawner import Spawner
from groundschool.cloud.ec2.addresses import Addresses
from groundschool.cloud.ec2.fleet import AutoScalingFleet
from groundschool.cloud.ec2.guards import guards
from groundschool.cloud.ec2.images import Images
from groundschool.cloud.ec2.instance import State
from groundschool.cloud.ec2.instances import Instances
from groundschool.cloud.ec2.machine_room import MachineRoom
from groundschool.cloud.faults.book import FaultBook
from groundschool.cloud.faults.faults import Faults
from groundschool.cloud.faults.store_switch import StoreSwitch
from groundschool.cloud.front_door.application import FrontDoor, FrontDoorFacts
from groundschool.cloud.front_door.routes import routes
from groundschool.cloud.front_door.server import FrontDoorServer
from groundschool.cloud.identity.authoriser import Authoriser, PolicyFile
from groundschool.cloud.identity.principal import Secret
from groundschool.cloud.identity.role_session import RoleSessions, access_key_id
from groundschool.cloud.load_balancing.edge_ports import EdgePorts
from groundschool.cloud.load_balancing.registry import TargetRegistry
from groundschool.cloud.metadata.service import MetadataService
from groundschool.cloud.monitoring.alarms import AlarmBook
from groundschool.cloud.monitoring.metric_store import MetricStore
from groundschool.cloud.monitoring.operations import CloudWatch
from groundschool.cloud.network.envoy.data_plane import EnvoyDataPlane
from groundschool.cloud.network.envoy.ports import obstacle
from groundschool.cloud.passive import moto_patches
from groundschool.cloud.passive.application import Passive
from groundschool.cloud.passive.balancer_records import BalancerRecords
from groundschool.cloud.passive.identity_records import IdentityRecords
from groundschool.cloud.passive.image_records import ImageRecords
from groundschool.cloud.passive.launch_template_records import LaunchTemplateRecords
from groundschool.cloud.passive.network_records import NetworkRecords
from groundschool.cloud.settings import LabSettings
from groundschool.cloud.supervisor.administration import Administration
from groundschool.cloud.supervisor.identity_view import IdentityView
from groundschool.cloud.supervisor.lab_record import FOLDERS, LabRecord
from groundschool.cloud.supervisor.monitor import Monitor
from groundschool.cloud.supervisor.network_view import NetworkView
from groundschool.cloud.supervisor.services import living_services
from groundschool.cloud.supervisor.store_process import store_process
from groundschool.errors import LabError

log = logging.getLogger(__name__)

TICK = 0.1
"""Real seconds between two passes of the control loop when nothing wakes it sooner."""


class Lab:
    """One laptop cloud. ``start``, then ``run`` until ``ask_to_stop``, then ``stop``, all on one thread.

    The thread must live as long as the lab: the DynamoDB store and Envoy end with the thread that started them.
    """

    def __init__(self, settings: LabSettings) -> None:
        self.settings = settings
        self.home = settings.home.absolute()
        self.clock = Clock(settings.speed)
        self.lock = RLock()
        self._woken = Event()
        self._stopping = Event()
        self._secret = secrets.token_urlsafe(30)
        self._root_key = access_key_id("AKIA")
        self._started_at = datetime.now(UTC)
        self.troubles: dict[str, str] = {}
        """What failed in the last pass of the control loop, by part."""

        self.spawner = Spawner()
        self.budgets = choose_budget(str(settings.port))
        self.vcpu = settings.vcpu or lab_vcpu()
        self.data_plane = EnvoyDataPlane(self.home / "envoy", self.clock)
        self.store = store_process(settings.dynamodb_port, self.home / "dynamodb", self.spawner)
        self._make_records()
        self._make_instances()
        self._make_control()
        self._make_views()

    def _make_records(self) -> None:
        account_id, region = self.settings.account_id, self.settings.region
        self.edge_ports = EdgePorts(region, self.settings.address_block)
        moto_patches.apply(self.edge_ports.dns_name)
        self.passive = Passive(self.lock)
        self.network = NetworkRecords(self.passive, account_id, region)
        self.launch_templates = LaunchTemplateRecords(self.passive, account_id, region)
        self.identity = IdentityRecords(self.passive, account_id)
        self.balancers = BalancerRecords(self.passive, account_id, region)
        self.sessions = RoleSessions()
        root = (self._root_key, Secret(self._secret))
        self.authoriser = Authoriser(root, account_id, self.identity, self.sessions)
        self.policy_file = PolicyFile(self.home / "dynamodb" / "policy.json")

    def _make_instances(self) -> None:
        settings = self.settings
        self.addresses = Addresses(settings.address_block)
        self.metadata = MetadataService(
            lambda each: self.identity_view.identity(each), lambda each: self.identity_view.credentials(each)
        )
        self.room = MachineRoom(
            self.home / "instances",
            self.home / "images",
            MachineHost(self.spawner, self.budgets, self.home / "base-image" / "bin"),
            self.vcpu,
            self.metadata,
            {"AWS_ENDPOINT_URL": settings.url, "AWS_ENDPOINT_URL_DYNAMODB": settings.dynamodb_url},
        )
        self.fault_book = FaultBook()
        self.instances = Instances(
            self.room, self.network, self.identity, self.addresses, self.clock.now, self.fault_book.zone_is_out
        )
        image_records = ImageRecords(self.passive, settings.account_id, settings.region)
        self.images = Images(self.room, self.instances, image_records)

    def _make_control(self) -> None:
        settings = self.settings
        root = Credentials(self._root_key, self._secret)
        self.store_switch = StoreSwitch(settings.dynamodb_url, settings.region, root)
        self.faults = Faults(
            self.fault_book, self.instances, self.network.availability_zones, self.store_switch.throttle, self.clock.now
        )
        self.registry = TargetRegistry(self.balancers, self.instances, self.data_plane, self.clock.now)
        fleet = AutoScalingFleet(self.instances, self.network)
        metrics = MetricStore()
        self.alarms = AlarmBook(
            metrics, self.clock, lambda alarm, decision: self.autoscaling.on_alarm(alarm, decision, self.clock.now())
        )
        self.cloudwatch = CloudWatch(self.clock, metrics, self.alarms)
        self.autoscaling = AutoScaling(Surroundings(fleet, self.registry, self.alarms, self.clock))
        self.monitor = Monitor(
            self.clock,
            metrics,
            self.alarms,
            self.instances,
            self.registry,
            self.balancers,
            self.data_plane,
            self.store_switch.consumed,
        )

    def _make_views(self) -> None:
        self.network_view = NetworkView(
            self.data_plane,
            self.instances,
            self.network,
            self.balancers,
            self.registry,
            self.addresses,
            self.edge_ports,
            self.fault_book,
        )
        self.identity_view = IdentityView(
            self.settings,
            self.clock,
            self.lock,
            self.instances,
            self.network,
            self.identity,
            self.sessions,
            self.autoscaling,
        )
        self.front_door = FrontDoorServer(self._application(), self.settings.port)

    def _application(self) -> FrontDoor:
        settings = self.settings
        refused = guards(self.instances, self.balancers, self.network, self.launch_templates)
        self.routes = routes(living_services(self), refused, self.passive)
        return FrontDoor(
            FrontDoorFacts(settings.region, settings.account_id, settings.url, settings.dynamodb_url, self._secret),
            self.routes,
            self.passive,
            self.authoriser,
            self.lock,
            self._woken.set,
            Administration(self).answer,
        )

    def start(self) -> None:
        """Returns when AWS clients are served. Raises LabError with one clear line; then nothing is left running."""
        try:
            self._clear()
            for name in FOLDERS:  # for their owner only, also in a state folder that others may read
                (self.home / name).mkdir(mode=0o700, parents=True)
            for port in (self.settings.port, self.settings.dynamodb_port):
                if problem := obstacle("127.0.0.1", port, None):
                    raise LabError(f"{problem} Or start the lab elsewhere: ground up --port {self.settings.port + 10}")
            build_base_image(self.home / "base-image")
            self.policy_file.write(self.authoriser.policy_document())
            self.store.start()
            self.data_plane.start()
            self.step()
            self.front_door.start()
            self.store.wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def record(self) -> LabRecord:
        return LabRecord(
            url=self.settings.url,
            dynamodb_url=self.settings.dynamodb_url,
            region=self.settings.region,
            account_id=self.settings.account_id,
            speed=self.settings.speed,
            started_at=self._started_at.isoformat(timespec="seconds"),
            access_key_id=self._root_key,
            secret_access_key=self._secret,
        )

    def run(self) -> None:
        """The control loop: looks at everything at each tick, and at once after an API call changed something."""
        while not self._stopping.is_set():
            self._woken.wait(TICK)
            self._woken.clear()
            self.step()

    def step(self) -> None:
        """One pass. A part that fails is logged and shown by ``ground status``; the others go on."""
        now = self.clock.now()
        parts: dict[str, Callable[[], object]] = {
            "instances": lambda: self._advance_instances(now),
            "faults": self.faults.step,
            "images": self.images.step,
            "targets": lambda: self.registry.step(now),
            "monitoring": lambda: self.monitor.step(now, self.autoscaling),
            "auto scaling": lambda: self.autoscaling.step(now),
            "identity": lambda: self.policy_file.write(self.authoriser.policy_document()),
            "network": self.network_view.step,
            "store": self._keep_store,
        }
        with self.lock:
            for name, part in parts.items():
                try:
                    part()
                    self.troubles.pop(name, None)
                except Exception as error:
                    if self.troubles.get(name) != repr(error):
                        log.exception("%s failed in a pass of the control loop", name)
                    self.troubles[name] = repr(error)

    def _advance_instances(self, now: float) -> None:
        for instance in self.instances.step(now):
            if instance.state is State.TERMINATED:
                self.registry.forget_instance(instance.instance_id)
                self.sessions.forget(instance.instance_id)

    def _keep_store(self) -> None:
        if not self.store.alive():
            log.error("the DynamoDB store has ended; starting it again on the same data")
            self.store.start()
            self.store.wait_until_ready()
            self.faults.store_restarted()

    def ask_to_stop(self) -> None:
        """From a signal handler or another thread."""
        self._stopping.set()
        self._woken.set()

    def stop(self) -> None:
        """Ends everything and removes everything it wrote, but its log. Safe to call twice."""
        self.front_door.stop()
        self.room.close([instance.machine for instance in self.instances.live()])
        self.metadata.stop()
        self.data_plane.stop()
        self.store.stop()
        self.budgets.close()
        self.spawner.close()
        self._clear()

    def _clear(self) -> None:
        """The state folder belongs to the lab; nothing outside it is touched."""
        for name in FOLDERS:
            shutil.rmtree(self.home / name, ignore_errors=True)
        (self.home / "lab.json").unlink(missing_ok=True)

    def facts(self) -> dict[str, Any]:
        """For ``ground status``."""
        return {
            "url": self.settings.url,
            "region": self.settings.region,
            "speed": self.settings.speed,
            "lab_seconds": round(self.clock.now(), 1),
            "lab_vcpu_in_host_cores": self.vcpu,
            "cpu_quota_by": self.budgets.reason,
            "troubles": dict(self.troubles),
        }
