"""The ports that instances listen on are read from the kernel's list."""

import socket
from pathlib import Path

from groundschool.cloud.compute.listening import ListeningPorts, listening_ports

TABLE = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 040A657F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 040A657F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 040A657F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 20 4 30 10 -1
"""


def test_listeners_are_found_and_connections_are_not() -> None:
    assert listening_ports(TABLE.splitlines()) == {"127.101.10.4": frozenset({80, 8080})}


def test_a_real_listener_is_seen(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert server.getsockname()[1] in ListeningPorts().now()["127.0.0.1"]


def test_a_host_without_the_list_has_none(tmp_path: Path) -> None:
    assert ListeningPorts(tmp_path / "none").now() == {}
