"""Taking a target out loses nothing."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest


def test_a_draining_target_finishes_what_it_has_and_gets_nothing_new(network, wait_for):
    old, _new = network.target(1), network.target(2)
    release = threading.Event()

    def long_answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "10")
        handler.end_headers()
        handler.wfile.write(b"first")
        release.wait(10)
        handler.wfile.write(b"-last")

    for target in network.targets:
        target.answers["/long"] = long_answer
    network.apply(network.group(1))
    network.wait_healthy(1)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(network.ask, "/long")
        wait_for(lambda: bool(old.requests()), "the long request has begun")
        targets = (network.registered(1, draining=True), network.registered(2))
        network.change(interfaces=(network.interface(1), network.interface(2)))
        network.change(target_groups=(network.group(targets=targets),))
        network.wait_healthy(2)
        wait_for(lambda: network.ask().body == "i-2", "the draining target gets nothing new")
        served = Counter(network.ask().body for _ in range(20))
        release.set()
        assert answer.result().body == "first-last"
    assert served == {"i-2": 20}


def test_when_all_targets_drain_the_answer_is_503(network):
    network.target(1)
    network.apply(network.group(1))
    network.wait_healthy(1)
    network.change(target_groups=(network.group(targets=(network.registered(1, draining=True),)),))
    network.wait_serving(503)


@pytest.mark.timeout(60)
def test_scaling_out_and_in_under_load_loses_no_request(network):
    """Registers and drains targets while eight clients ask without a pause; drained instances really go away."""
    for number in (1, 2, 3):
        network.target(number)
    network.apply(network.group(1, 2))
    network.wait_healthy(1, 2)
    stop = threading.Event()
    statuses: Counter[object] = Counter()

    def client(number):
        while not stop.is_set():
            try:
                method = "POST" if number % 2 else "GET"
                statuses[network.ask("/", method, "x" if method == "POST" else None).status] += 1
            except OSError as error:
                statuses[repr(error)] += 1

    clients = [threading.Thread(target=client, args=(number,)) for number in range(8)]
    for thread in clients:
        thread.start()
    try:
        all_three = tuple(network.interface(number) for number in (1, 2, 3))
        for leaving in (1, 2, 3, 1, 2, 3):
            staying = [number for number in (1, 2, 3) if number != leaving]
            network.change(interfaces=all_three, target_groups=(network.group(1, 2, 3),))
            network.wait_healthy(1, 2, 3)
            draining = (*(network.registered(n) for n in staying), network.registered(leaving, draining=True))
            network.change(target_groups=(network.group(targets=draining),))
            time.sleep(0.1)  # the deregistration delay: longer than any request here
            network.change(
                interfaces=tuple(network.interface(n) for n in staying), target_groups=(network.group(*staying),)
            )
    finally:
        stop.set()
        for thread in clients:
            thread.join()
    assert set(statuses) == {200}
    assert statuses[200] > 100
