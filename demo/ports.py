"""Ports of this machine: the usual one when it is free, else another."""

from __future__ import annotations

import itertools
import random
import socket
from pathlib import Path

_HOST = "127.0.0.1"
OFFICE, CARRIER, SALES = _HOST, "127.0.0.2", "127.0.0.3"  # who is who in the play
UDP, TCP = socket.SOCK_DGRAM, socket.SOCK_STREAM


def choose(usual: int, *kinds: socket.SocketKind, host: str = _HOST) -> int:
    """`usual` if nobody has it, for every kind named; else a port that is free for all of them."""
    port = usual
    while not all(_is_free(host, port, kind) for kind in kinds):
        port = free_port(kinds[0], host)
    return port


def free_port(kind: socket.SocketKind = TCP, host: str = _HOST) -> int:
    """A port nobody has at this moment; the kernel hands out another one each time."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def media_ports(count: int) -> list[int]:
    """Ports for the audio of so many SIPps: each wants that very port and the next but one, both free."""
    start = random.randrange(17000, 31000, 4)  # noqa: S311  (so that two demos seldom meet)
    candidates = itertools.chain(range(start, 31000, 4), range(17000, start, 4))
    usable = (port for port in candidates if all(_is_free(_HOST, port + more, UDP) for more in (0, 2)))
    return list(itertools.islice(usable, count))


def listens(process: int, port: int) -> bool:
    """Whether it is this process that has opened the UDP port."""
    lines = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    theirs = {f"socket:[{line[9]}]" for line in lines if line[1].endswith(f":{port:04X}")}
    return any(_link(opened) in theirs for opened in Path(f"/proc/{process}/fd").glob("*"))


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:  # closed since
        return ""


def _is_free(host: str, port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind is TCP:  # a port that a server left a moment ago is free, whatever its last connections say
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
