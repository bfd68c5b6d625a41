"""The 44 bytes in front of PCM: writing them, and finding the audio behind a header that a crash left wrong.

Asterisk writes the lengths when it closes the file; a file cut by a crash says 0 bytes and holds minutes.
So the file's own size decides, and lengths in the header are believed only when they agree with it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

HEADER_BYTES = 44
_PCM = 1
_EXTENSIBLE = 0xFFFE  # the same PCM, said with a longer chunk
_SEARCHED_BYTES = 65536  # a `data` chunk that begins later than this is none of Asterisk's


class NoAudioError(Exception):
    """The bytes are no PCM recording; the message says what they are instead."""


@dataclass(frozen=True)
class Layout:
    """Where the audio of a file lies, in whole frames of signed 16-bit little-endian samples."""

    offset: int
    data_bytes: int
    channels: int
    rate: int

    @property
    def frames(self) -> int:
        return self.data_bytes // (2 * self.channels)

    @property
    def seconds(self) -> float:
        return self.frames / self.rate


def raw_layout(size: int, *, channels: int = 2, rate: int = 8000) -> Layout:
    """The layout of a headerless file of `size` bytes, as MixMonitor's option D writes it."""
    return Layout(0, size - size % (2 * channels), channels, rate)


def wav_layout(head: bytes, size: int) -> Layout:
    """The layout of a WAV file of `size` bytes that begins with `head` (64 KiB of it, or all there is).

    A file that ends within its header holds no audio: 0 bytes. Raises NoAudioError for anything but 16-bit
    PCM in one or two channels.
    """
    if size < HEADER_BYTES:
        return Layout(min(size, HEADER_BYTES), 0, 1, 8000)
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        raise NoAudioError("it has no WAV header")
    consistent = struct.unpack_from("<I", head, 4)[0] + 8 == size
    channels, rate = 0, 0
    position = 12
    while position + 8 <= min(len(head), _SEARCHED_BYTES):
        name, length = struct.unpack_from("<4sI", head, position)
        position += 8
        if name == b"fmt ":
            channels, rate = _format(head[position : position + 16])
        elif name == b"data":
            if not channels:
                raise NoAudioError("its WAV header does not say how the audio is stored")
            rest = size - position
            stated = length if consistent and 0 < length <= rest else rest
            return Layout(position, stated - stated % (2 * channels), channels, rate)
        position += length + length % 2
    raise NoAudioError("its WAV header leads to no audio")


def _format(chunk: bytes) -> tuple[int, int]:
    if len(chunk) < 16:
        raise NoAudioError("its WAV header is cut")
    tag, channels, rate, _, _, bits = struct.unpack("<HHIIHH", chunk)
    if tag not in {_PCM, _EXTENSIBLE} or bits != 16:
        raise NoAudioError(f"its audio is WAV format {tag} with {bits} bits, not 16-bit PCM")
    if channels not in {1, 2} or not 1000 <= rate <= 192000:
        raise NoAudioError(f"its WAV header says {channels} channels at {rate} Hz")
    return channels, rate


def header(data_bytes: int, *, channels: int = 2, rate: int = 8000) -> bytes:
    """The 44 bytes that belong before `data_bytes` of 16-bit PCM (RIFF counts in 32 bits: 4 GiB at most)."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + data_bytes, b"WAVE"),
        *(b"fmt ", 16, _PCM, channels, rate, rate * channels * 2, channels * 2, 16),
        *(b"data", data_bytes),
    )


def repaired(cut: bytes) -> bytes:
    """A playable WAV from the bytes of one that a crash cut anywhere. Raises NoAudioError when it is none."""
    layout = wav_layout(cut[:_SEARCHED_BYTES], len(cut))
    audio = cut[layout.offset : layout.offset + layout.data_bytes]
    return header(len(audio), channels=layout.channels, rate=layout.rate) + audio
