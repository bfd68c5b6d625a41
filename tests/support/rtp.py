"""The sound of a call in tests: mu-law RTP out in real time, and what came in, as samples at 8000 Hz."""

from __future__ import annotations

import re
import secrets
import socket
import threading
import time
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]
_PACKET_SECONDS = 0.02


class Media:
    """The sound of one talk: mu-law RTP out, and everything that comes in."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.port: int = self.socket.getsockname()[1]
        self.there: tuple[str, int] | None = None
        self._heard: list[bytes] = []
        self._speaking: threading.Thread | None = None
        threading.Thread(target=self._listen, daemon=True).start()

    def towards(self, sdp: str) -> None:
        """Where the other side listens."""
        host, port = re.search(r"c=IN IP4 (\S+)", sdp), re.search(r"m=audio (\d+)", sdp)
        if host and port:
            self.there = host[1], int(port[1])

    def say(self, samples: Samples) -> None:
        """Speak in the background, in real time, as a telephone does."""
        self._speaking = threading.Thread(target=self._speak, args=(to_ulaw(samples),), daemon=True)
        self._speaking.start()

    def said(self, seconds: float = 30) -> None:
        """Wait until everything is said."""
        if self._speaking:
            self._speaking.join(seconds)

    def heard(self) -> Samples:
        """All that has come in so far."""
        return from_ulaw(b"".join(self._heard))

    def close(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                packet = self.socket.recv(2048)
                if len(packet) > 12 and packet[1] & 0x7F == 0:
                    self._heard.append(packet[12:])

    def _speak(self, sound: bytes) -> None:
        source, began = secrets.token_bytes(4), time.monotonic()
        for count, place in enumerate(range(0, len(sound), 160)):
            head = b"\x80\x00" + count.to_bytes(2, "big") + (place % 2**32).to_bytes(4, "big") + source
            with suppress(OSError):
                if self.there:
                    self.socket.sendto(head + sound[place : place + 160], self.there)
            time.sleep(max(0.0, began + (count + 1) * _PACKET_SECONDS - time.monotonic()))


def to_ulaw(samples: Samples) -> bytes:
    """8 kHz samples between -1 and 1 as G.711 mu-law."""
    value = np.clip(np.abs(samples) * 32767, 0, 32635).astype(np.int64) + 132
    exponent = np.floor(np.log2(value)).astype(np.int64) - 7
    mantissa = (value >> (exponent + 3)) & 15
    sign = np.where(samples < 0, 0x80, 0)
    return bytes((~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8))


def from_ulaw(sound: bytes) -> Samples:
    """G.711 mu-law as samples between -1 and 1."""
    code = ~np.frombuffer(sound, dtype=np.uint8) & 0xFF
    wide = code.astype(np.int64)
    value = ((((wide & 15) << 3) + 132) << ((wide >> 4) & 7)) - 132
    result: Samples = np.where(wide & 0x80, -value, value) / 32768
    return result
