"""Keeps the data plane in step with the lab's records."""

from __future__ import annotations

import logging

from groundschool.cloud.compute.listening import ListeningPorts
from groundschool.cloud.ec2.addresses import Addresses
from groundschool.cloud.ec2.instances import Instances
from groundschool.cloud.faults.book import FaultBook
from groundschool.cloud.load_balancing.edge_ports import EdgePorts
from groundschool.cloud.load_balancing.network_plan import (
    WATCHED_PORTS,
    Seen,
    hanging_where_open_before,
    network_plan,
)
from groundschool.cloud.load_balancing.registry import TargetRegistry
from groundschool.cloud.metadata.service import PORT as METADATA_PORT
from groundschool.cloud.network.data_plane import DataPlane
from groundschool.cloud.network.envoy.ports import obstacle
from groundschool.cloud.network.plan import NetworkPlan
from groundschool.cloud.passive.balancer_records import BalancerRecords
from groundschool.cloud.passive.network_records import NetworkRecords

log = logging.getLogger(__name__)


class NetworkView:
    """Called under the lab's lock only."""

    def __init__(
        self,
        data_plane: DataPlane,
        instances: Instances,
        network: NetworkRecords,
        balancers: BalancerRecords,
        registry: TargetRegistry,
        addresses: Addresses,
        edge_ports: EdgePorts,
        faults: FaultBook,
    ) -> None:
        self._data_plane = data_plane
        self._instances = instances
        self._network = network
        self._balancers = balancers
        self._registry = registry
        self._addresses = addresses
        self._edge_ports = edge_ports
        self._faults = faults
        self._balancer_addresses: dict[str, str] = {}
        self._applied: NetworkPlan | None = None
        self._ports = ListeningPorts()
        self._listened: dict[str, frozenset[int]] = {}
        """Inner address -> every port something inside has listened on: one that restarts keeps its port."""
        # Others may hold a port on all addresses (sshd does), or this user may not open it: then it is not watched.
        probe = addresses.take_for_load_balancer()
        self._watched = tuple(port for port in WATCHED_PORTS if obstacle(probe, port, None) is None)
        addresses.give_back(probe)

    def step(self) -> None:
        """Applies the plan that follows from the records, when it is another one than before.

        Raises LabError when the data plane cannot do a part of it; the next call tries again.
        """
        plan = hanging_where_open_before(network_plan(self._seen()), self._applied)
        if not self._data_plane.alive():
            log.error("the data plane has ended; starting it again")
            self._data_plane.start()
            self._applied = None
        if plan == self._applied:
            return
        self._data_plane.apply(plan)
        self._applied = plan

    def _seen(self) -> Seen:
        balancers = self._balancers.load_balancers()
        edge_ports: dict[str, int] = {}
        for balancer in balancers:
            if balancer.arn not in self._balancer_addresses:
                self._balancer_addresses[balancer.arn] = self._addresses.take_for_load_balancer()
            listeners = [(listener.arn, listener.port) for listener in balancer.listeners]
            edge_ports |= self._edge_ports.of_listeners(balancer.arn, listeners)
        self._release({balancer.arn for balancer in balancers}, set(edge_ports))
        target_groups = self._balancers.target_groups()
        return Seen(
            instances=self._instances.live(),
            security_groups=self._network.security_groups(),
            balancers=balancers,
            balancer_addresses=dict(self._balancer_addresses),
            edge_ports=edge_ports,
            target_groups=target_groups,
            registrations={arn: self._registry.registrations(arn) for arn in target_groups},
            impairments={
                each.instance_id: self._faults.impairment(each.instance_id, each.subnet.availability_zone)
                for each in self._instances.live()
            },
            listening=self._listening(),
            watched_ports=self._watched,
        )

    def _listening(self) -> dict[str, frozenset[int]]:
        now = self._ports.now()
        self._listened = {
            address: self._listened.get(address, frozenset()) | (now.get(address, frozenset()) - {METADATA_PORT})
            for address in (each.inner_address for each in self._instances.live())
        }
        return self._listened

    def _release(self, balancers: set[str], listeners: set[str]) -> None:
        for arn in set(self._balancer_addresses) - balancers:
            self._addresses.give_back(self._balancer_addresses.pop(arn))
        self._edge_ports.keep_only(balancers, listeners)
