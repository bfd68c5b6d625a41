"""Real sound for tests: spoken words, tones, files as Asterisk writes them, and what can be heard in them.

    caller, company = tone(440, 3), speech("Good morning", "en")
    write_raw(path, caller, company)           # as MixMonitor's option D does: left caller, right company
    left, right = read_sides(path)             # of a raw or WAV file, or anything ffmpeg reads
    assert which_tone(left) == 440 and correlation(right, company) > 0.9

Samples are numpy float arrays between -1 and 1 at 8000 Hz.
"""

from __future__ import annotations

import functools
import subprocess
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 8000
_PCM = ("-t", "raw", "-r", str(RATE), "-c", "1", "-b", "16", "-e", "signed")
Samples = NDArray[np.float64]


def tone(hz: float, seconds: float, level: float = 0.5) -> Samples:
    """A sine."""
    result: Samples = level * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)
    return result


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE))


@functools.cache
def speech(text: str, lang: str = "en") -> Samples:
    """Words spoken by espeak-ng, brought to a telephone's 8 kHz by sox."""
    spoken = _run(["espeak-ng", "-v", lang, "--stdout", text])
    return _samples(_run(["sox", "--ignore-length", "-t", "wav", "-", *_PCM, "-D", "-"], spoken))


def write_raw(path: Path, left: Samples, right: Samples) -> Path:
    """Headerless stereo s16le, as long as the longer side."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(interleaved(left, right))
    return path


def interleaved(left: Samples, right: Samples) -> bytes:
    """Both sides as stereo s16le, the shorter one filled up with silence."""
    both = np.zeros((max(len(left), len(right)), 2))
    both[: len(left), 0] = left
    both[: len(right), 1] = right
    return _bytes(both)


def write_wav(path: Path, *sides: Samples) -> Path:
    """A good 8 kHz WAV of one or two sides of the same length."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(sides))
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(_bytes(np.stack(sides, axis=1)))
    return path


def write_ulaw(path: Path, samples: Samples) -> Path:
    """Headerless 8 kHz mu-law, as SIPp's rtp_stream plays it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ulaw = ["-t", "raw", "-e", "mu-law", "-b", "8", str(path)]
    _run(["sox", "-D", *_PCM, "-", *ulaw], _bytes(samples))
    return path


def read_sides(path: Path) -> tuple[Samples, Samples]:
    """Left (caller) and right (company) of a two-channel file of any kind; a mono file is a mistake."""
    if path.suffix == ".raw":
        raw = path.read_bytes()
    else:
        probed = probe(path)
        if probed["channels"] != 2:
            raise AssertionError(f"{path} has {probed['channels']} channels")
        raw = _run(["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-f", "s16le", "-ar", "8000", "-"])
    both = _samples(raw[: len(raw) - len(raw) % 4]).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def probe(path: Path) -> dict[str, float]:
    """What ffprobe says of an audio file: `channels`, `sample_rate`, `duration` in seconds."""
    entries = "stream=channels,sample_rate:format=duration"
    told = _run(["ffprobe", "-v", "error", "-show_entries", entries, "-of", "default=nw=1", str(path)])
    return {name: float(value) for name, _, value in (line.partition("=") for line in told.decode().split())}


def which_tone(samples: Samples, least_share: float = 0.3) -> int | None:
    """The frequency that carries most of the sound, to the nearest 10 Hz; None for silence or a mixture."""
    if len(samples) < RATE // 10 or loudness(samples) < 0.001:
        return None
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    strongest = int(power.argmax())
    width = max(2, round(20 * len(samples) / RATE))  # 20 Hz to either side
    share = power[max(0, strongest - width) : strongest + width + 1].sum() / power.sum()
    return round(strongest * RATE / len(samples) / 10) * 10 if share >= least_share else None


def loudness(samples: Samples) -> float:
    """Root mean square: 0 is silence, 0.35 a sine at half level."""
    return float(np.sqrt(np.mean(samples**2))) if len(samples) else 0.0


def correlation(heard: Samples, expected: Samples) -> float:
    """How much of `expected` is in `heard`, wherever it begins and however loud: 1 is all of it, 0 nothing.

    Whole, or in three pieces: a machine that halts for a moment moves what comes after. Codecs and jitter
    buffers cost little; another voice saying other words stays far below 0.4.
    """
    whole = _correlation(heard, expected)
    if len(expected) < 2 * RATE:  # pieces of a moment's length are like anything
        return whole
    return max(whole, sum(_correlation(heard, piece) for piece in np.array_split(expected, 3)) / 3)


def _correlation(heard: Samples, expected: Samples) -> float:
    """The best normalised cross-correlation over all delays."""
    if loudness(heard) < 1e-6 or loudness(expected) < 1e-6:
        return 0.0
    size = 1 << (len(heard) + len(expected)).bit_length()
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(expected, size)), size)
    energy = np.concatenate(([0.0], np.cumsum(np.pad(heard, (0, len(expected))) ** 2)))
    window = energy[len(expected) :] - energy[: -len(expected)]
    usable = window > window.max() * 0.05  # where there is hardly a sound, everything correlates
    scale = np.sqrt(np.maximum(window, 1e-12)) * np.linalg.norm(expected)
    scores = np.abs(product[: len(window)]) / scale
    return float(scores[usable].max())


def _samples(raw: bytes) -> Samples:
    return np.frombuffer(raw, dtype="<i2").astype(np.float64) / 32768


def _bytes(samples: Samples) -> bytes:
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def _run(command: list[str], given: bytes = b"") -> bytes:
    return subprocess.run(command, input=given, check=True, stdout=subprocess.PIPE, timeout=60).stdout
