"""The addresses of instances and load balancers. See cloud/network/plan.py for what each is for.

Scheme: an instance in the n-th availability zone gets ``127.<block>.<10 + n>.<host>``, a load balancer
``127.<block>.2.<host>``; the inner address has ``block + 1``. A second lab on the same machine takes another block.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from groundschool.cloud.aws_error import AwsError

FIRST_HOST, LAST_HOST = 4, 254
"""As in a subnet on AWS, the first addresses are reserved."""

_LOAD_BALANCERS = 2
_FIRST_ZONE = 10


@dataclass
class Addresses:
    block: int
    """The second octet of interface addresses, even; the inner addresses have the next one."""
    _taken: set[tuple[int, int]] = field(default_factory=set)
    _next: dict[int, int] = field(default_factory=dict)

    def take_for_instance(self, availability_zone: str) -> tuple[str, str]:
        """``(interface address, inner address)``; raises AwsError InsufficientFreeAddressesInSubnet."""
        third = _FIRST_ZONE + ord(availability_zone[-1]) - ord("a")
        host = self._take(third)
        return f"127.{self.block}.{third}.{host}", f"127.{self.block + 1}.{third}.{host}"

    def take_for_load_balancer(self) -> str:
        return f"127.{self.block}.{_LOAD_BALANCERS}.{self._take(_LOAD_BALANCERS)}"

    def give_back(self, address: str) -> None:
        """Free again. Addresses go round before one is used again, so that a late packet finds nobody new."""
        _, _, third, host = address.split(".")
        self._taken.discard((int(third), int(host)))

    def _take(self, third: int) -> int:
        count = LAST_HOST - FIRST_HOST + 1
        start = self._next.get(third, 0)
        for step in range(count):
            host = FIRST_HOST + (start + step) % count
            if (third, host) not in self._taken:
                self._taken.add((third, host))
                self._next[third] = start + step + 1
                return host
        raise AwsError("InsufficientFreeAddressesInSubnet", "There are not enough free addresses in the subnet")
