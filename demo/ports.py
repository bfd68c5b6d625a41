"""Ports of this machine: the usual one when it is free, else another."""

from __future__ import annotations

import socket
from pathlib import Path

UDP, TCP = socket.SOCK_DGRAM, socket.SOCK_STREAM


def choose(usual: int, *kinds: socket.SocketKind, host: str = "127.0.0.1") -> int:
    """`usual` if nobody has it, for every kind named; else a port that is free for all of them."""
    port = usual
    while not all(_is_free(host, port, kind) for kind in kinds):
        port = free_port(kinds[0], host)
    return port


def free_port(kind: socket.SocketKind, host: str = "127.0.0.1") -> int:
    """A port nobody has at this moment; the kernel hands out another one each time."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody has opened this UDP port."""
    lines = Path("/proc/net/udp").read_text().splitlines()[1:]
    return any(line.split()[1].endswith(f":{port:04X}") for line in lines)


def _is_free(host: str, port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind is TCP:  # a port that a server left a moment ago is free, whatever its last connections say
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
