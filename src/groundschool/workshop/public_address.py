"""Where a visitor finds the board: the load balancer once it listens, the instance of session 1 before."""

from __future__ import annotations

from groundschool.workshop.instance import instance_url
from groundschool.workshop.listener import find_listener
from groundschool.workshop.load_balancer import find_load_balancer
from groundschool.workshop.world import World


def load_balancer_url(world: World) -> str | None:
    """None while there is no listener. The lab's DNS names carry a port, AWS's need none."""
    balancer = find_load_balancer(world)
    if balancer is None or find_listener(world, balancer["LoadBalancerArn"]) is None:
        return None
    return f"http://{balancer['DNSName']}/"


def public_url(world: World) -> str | None:
    """None while nothing is reachable from outside."""
    return load_balancer_url(world) or instance_url(world)
