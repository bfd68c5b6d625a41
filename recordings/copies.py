"""Compressed copies by ffmpeg: both sides kept apart, bit-rates for speech, limits on time and memory."""

from __future__ import annotations

import os
import resource
import subprocess
from pathlib import Path

from recordings.durable import put, sync_file
from recordings.jobs import Prepare

# MP3 at 16 kHz: at 8 kHz it would be "MPEG 2.5", which not every player reads. Left and right are coded on
# their own, so that one side is not heard on the other.
_CODECS = {
    "mp3": ("-ar", "16000", "-codec:a", "libmp3lame", "-b:a", "48k", "-joint_stereo", "0"),
    "opus": ("-codec:a", "libopus", "-b:a", "40k", "-application", "voip"),
}
_MEMORY_BYTES = 1 << 30  # its libraries alone map half of that


class CopyError(Exception):
    """A copy could not be made; the message says why. The WAV is there all the same."""


def make_copies(job: Prepare, unfinished: Path) -> tuple[tuple[str, ...], str]:
    """Make the copies of `<stem>.wav` beside it: (paths below the root, why another is missing or "")."""
    made: list[str] = []
    problem = ""
    for kind in job.copies:
        try:
            _make(job, kind, unfinished)
            made.append(f"{job.stem}.{kind}")
        except CopyError as error:
            problem = f"No {kind} copy yet: {error}".replace(";", ",")  # "; " parts a recording's problems
    return tuple(made), problem


def _make(job: Prepare, kind: str, unfinished: Path) -> None:
    wav = Path(job.root) / f"{job.stem}.wav"
    copy = unfinished / f"{wav.stem}.{os.getpid()}.{kind}"
    try:
        unfinished.mkdir(exist_ok=True)
        _transcode(job.ffmpeg, wav, copy, kind)
        sync_file(copy)
        put(copy, wav.with_suffix(f".{kind}"))
    except OSError as error:
        raise CopyError(error.strerror or str(error)) from error
    finally:
        copy.unlink(missing_ok=True)


def _transcode(ffmpeg: str, wav: Path, copy: Path, kind: str) -> None:
    seconds = 60 + wav.stat().st_size // 320_000  # a tenth of its length; it takes a five hundredth
    command = [ffmpeg, "-nostdin", "-v", "error", "-y", "-threads", "1", "-i", os.fspath(wav)]
    command += ["-map_metadata", "-1", "-fflags", "+bitexact", *_CODECS[kind], os.fspath(copy)]
    try:
        subprocess.run(
            command,
            check=True,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: _limit(seconds),  # safe: the audio process has one thread
        )
    except FileNotFoundError:
        raise CopyError(f"{ffmpeg} was not found, install ffmpeg or set LEASELINE_FFMPEG") from None
    except subprocess.TimeoutExpired:
        raise CopyError(f"ffmpeg needed more than {seconds} s") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines() or [f"status {error.returncode}"]
        raise CopyError(f"ffmpeg failed: {said[-1][:150]}") from None


def _limit(seconds: int) -> None:
    for kind, amount in ((resource.RLIMIT_AS, _MEMORY_BYTES), (resource.RLIMIT_CPU, seconds)):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (amount if hard == resource.RLIM_INFINITY else min(amount, hard), hard))
