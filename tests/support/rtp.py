"""The sound of a call in tests: mu-law RTP out in real time, and what came in, as samples at 8000 Hz.

Keys are pressed and noticed as named events beside the sound (RFC 4733), as telephones do.
"""

from __future__ import annotations

import itertools
import re
import secrets
import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Queue

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]
_PACKET_SECONDS = 0.02
_PACKET = 160  # samples, a byte each
_SILENCE = b"\xff"
_SOUND, _EVENT = 0, 101  # payload types
_KEYS = "0123456789*#"


@dataclass(frozen=True)
class Packet:
    """What one packet holds; the stamp of a key press is that of its beginning, `age` packets ago."""

    body: bytes
    kind: int = _SOUND
    age: int = 0
    is_first: bool = False

    def as_rtp(self, sequence: int, stamp: int, source: bytes) -> bytes:
        """On the wire (RFC 3550); `stamp` counts samples."""
        kind = self.kind | (0x80 if self.is_first else 0)
        began = (stamp - self.age * _PACKET) % 2**32
        return struct.pack("!BBHI", 0x80, kind, sequence % 2**16, began) + source + self.body


SILENT = Packet(_SILENCE * _PACKET)


def pressed(key: str) -> list[Packet]:
    """A tenth of a second of a key: RFC 4733 events, the last one three times, then silence."""
    packets = []
    for age in range(8):
        end = 0x80 if age >= 5 else 0
        body = struct.pack("!BBH", _KEYS.index(key), end | 10, min(age + 1, 6) * _PACKET)
        packets.append(Packet(body, _EVENT, age, age == 0))
    return [*packets, SILENT, SILENT, SILENT]


class Media:
    """The sound of one talk, both ways. It sends from the moment it knows where to: silence or words."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.port: int = self.socket.getsockname()[1]
        self._there: tuple[str, int] | None = None
        self._heard: list[bytes] = []
        self._words: Queue[Packet] = Queue()
        self.keys = ""  # pressed by the other side
        self._last_key: bytes = b""
        self.first = secrets.randbelow(2**16), secrets.randbelow(2**32)  # sequence number and time stamp
        threading.Thread(target=self._listen, daemon=True).start()

    def towards(self, sdp: str) -> None:
        """Where the other side listens, from its session description."""
        host, port = re.search(r"c=IN IP4 (\S+)", sdp), re.search(r"m=audio (\d+)", sdp)
        if host and port:
            silent, self._there = self._there is None, (host[1], int(port[1]))
            if silent:
                threading.Thread(target=self._speak, daemon=True).start()

    @property
    def knows(self) -> bool:
        """Whether it knows where to: the call was answered."""
        return self._there is not None

    def say(self, samples: Samples) -> None:
        """Speak, in real time, while the test goes on."""
        sound = to_ulaw(samples)
        for place in range(0, len(sound), _PACKET):
            self._words.put(Packet(sound[place : place + _PACKET].ljust(_PACKET, _SILENCE)))

    def press(self, keys: str) -> None:
        """Press keys one after the other, after what is being said."""
        for key in keys:
            for packet in pressed(key):
                self._words.put(packet)

    def said(self) -> None:
        """Wait until everything is said."""
        self._words.join()

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
                if len(packet) > 12 and packet[1] & 0x7F == _SOUND:
                    self._heard.append(packet[12:])
                elif len(packet) >= 16 and packet[1] & 0x7F == _EVENT and packet[4:8] != self._last_key:
                    self._last_key = packet[4:8]  # one stamp, one press
                    self.keys += _KEYS[packet[12]]

    def _speak(self) -> None:
        source, began = secrets.token_bytes(4), time.monotonic()
        with suppress(OSError):
            for count in itertools.count():
                packet = self._next()
                sound = packet.as_rtp(self.first[0] + count, self.first[1] + count * _PACKET, source)
                self.socket.sendto(sound, self._there or ("", 0))
                time.sleep(max(0.0, began + (count + 1) * _PACKET_SECONDS - time.monotonic()))

    def _next(self) -> Packet:
        try:
            words = self._words.get_nowait()
        except Empty:
            return SILENT
        self._words.task_done()
        return words


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
