"""Where the machines of the instances stand: builds them, and boots and halts them in the background."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from groundschool.cloud.compute.instance_type import find_instance_type, quota_cores
from groundschool.cloud.compute.machine import Machine, MachineHost
from groundschool.cloud.ec2.launch import LaunchPlan
from groundschool.cloud.metadata.service import MetadataService


class MachineRoom:
    """``folder`` holds one folder an instance, ``images`` one an AMI made here.

    ``environment`` is what the lab adds to every instance's environment (the endpoints). ``vcpu`` is one lab vCPU in
    host cores.
    """

    def __init__(
        self,
        folder: Path,
        images: Path,
        host: MachineHost,
        vcpu: float,
        metadata: MetadataService,
        environment: Mapping[str, str],
    ) -> None:
        self._folder = folder
        self._images = images
        self._host = host
        self._vcpu = vcpu
        self._metadata = metadata
        self._environment = environment
        self._workers = ThreadPoolExecutor(max_workers=8, thread_name_prefix="machine")
        self._jobs: dict[str, Future[None]] = {}

    def build(self, instance_id: str, plan: LaunchPlan, image_id: str, inner_address: str) -> Machine:
        """A machine that is off."""
        image = self._images / image_id
        instance_type = find_instance_type(plan.instance_type)
        return Machine(
            instance_id,
            self._folder / instance_id,
            self._host,
            address=inner_address,
            cores=quota_cores(instance_type, self._vcpu),
            memory=instance_type.memory_mib * 1024 * 1024,
            metadata_endpoint=self._metadata.open(instance_id, inner_address),
            user_data=(plan.user_data or b"").decode("utf-8", "replace"),
            environment=self._environment,
            image=image if image.exists() else None,
        )

    def resize(self, machine: Machine, instance_type: str) -> None:
        """For the next boot."""
        found = find_instance_type(instance_type)
        machine.cores = quota_cores(found, self._vcpu)
        machine.memory = found.memory_mib * 1024 * 1024

    def boot(self, machine: Machine, *, first: bool) -> None:
        """Returns at once."""
        self._after(machine, lambda: machine.start(first_boot=first))

    def halt(self, machine: Machine) -> None:
        """Returns at once; orders are carried out one after the other."""
        self._after(machine, machine.stop)

    def reboot(self, machine: Machine) -> None:
        """Returns at once."""
        self._after(machine, machine.reboot)

    def take_image(self, machine: Machine, image_id: str, *, reboot: bool) -> Future[None]:
        """CreateImage, in the background: halts the machine, copies its folder and boots it again; or only copies.

        The result is there when the image can be used; its exception says why there will be none.
        """
        place = self._images / image_id

        def take() -> None:
            restart = reboot and machine.alive()
            if restart:
                machine.stop()
            try:
                machine.snapshot(place)
            except BaseException:
                shutil.rmtree(place, ignore_errors=True)
                raise
            finally:
                if restart:
                    machine.start(first_boot=False)

        return self._after(machine, take)

    def remove_image(self, image_id: str) -> None:
        """Returns at once; what is being booted from the image gets its copy first."""
        before = list(self._jobs.values())

        def remove() -> None:
            for job in before:
                job.exception()
            shutil.rmtree(self._images / image_id, ignore_errors=True)

        self._workers.submit(remove)

    def settled(self, machine: Machine) -> bool:
        """Everything that was ordered has been carried out, or has failed."""
        job = self._jobs.get(machine.instance_id)
        return job is None or job.done()

    def failure(self, machine: Machine) -> str | None:
        """Why the last order failed."""
        job = self._jobs.get(machine.instance_id)
        error = job.exception() if job is not None and job.done() else None
        return None if error is None else str(error)

    def discard(self, machine: Machine) -> None:
        """Removes the folder of a machine that was halted, and its metadata endpoint."""
        self._metadata.close(machine.instance_id)
        self._after(machine, lambda: shutil.rmtree(machine.folder, ignore_errors=True))
        del self._jobs[machine.instance_id]  # there will be no other order

    def close(self, machines: list[Machine]) -> None:
        """Ends all machines, and returns when they have ended."""
        for machine in machines:
            self.halt(machine)
        self._workers.shutdown(wait=True)

    def _after(self, machine: Machine, order: Callable[[], None]) -> Future[None]:
        previous = self._jobs.get(machine.instance_id)

        def carry_out() -> None:
            if previous is not None:
                previous.exception()  # waits; a failure was shown to whoever gave that order
            order()

        job = self._workers.submit(carry_out)
        self._jobs[machine.instance_id] = job
        return job
