"""Inside the audio process: one pass over a recording gives the stereo WAV, its hash and its waveform.

A piece of the waveform at a time, so that a call of hours needs no more memory than one of seconds. pydub
splits and measures the pieces; it is only ever loaded here.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from recordings import wav
from recordings.copies import make_copies
from recordings.durable import make_folder, put
from recordings.jobs import UNFINISHED, Copied, Job, Prepare, Reply, Stored, Transcode, Unplayable

with warnings.catch_warnings():  # pydub warns of a missing ffmpeg, which is not pydub's to run here
    warnings.simplefilter("ignore")
    from pydub.audio_segment import AudioSegment

POINTS = 500  # of the waveform, a side
SILENT_DBFS = -50.0  # a quiet voice is 20 dB above, an open line below


@dataclass(frozen=True)
class _Measured:
    sha256: str
    caller: list[int]
    company: list[int]
    spoken_seconds: float


def work(job: Job) -> Reply:
    """Do one job. Raises OSError when a disk refuses: nothing half written stays, the source is untouched."""
    if isinstance(job, Transcode):
        return Copied(job.recording_id, *make_copies(job, _unfinished(job)))
    with Path(job.source).open("rb") as source:
        size = os.fstat(source.fileno()).st_size
        try:
            layout = _layout(job, source, size)
        except wav.NoAudioError as error:
            return Unplayable(job.recording_id, str(error))
        if not layout.frames:
            return Unplayable(job.recording_id, "it ends before its first sound")
        return _store(job, source, layout)


def _unfinished(job: Prepare) -> Path:
    return Path(job.root) / UNFINISHED


def _layout(job: Prepare, source: BinaryIO, size: int) -> wav.Layout:
    return wav.raw_layout(size) if job.source.endswith(".raw") else wav.wav_layout(source.read(65536), size)


def _store(job: Prepare, source: BinaryIO, layout: wav.Layout) -> Stored:
    unfinished = _unfinished(job)
    make_folder(unfinished)
    facts = os.fstat(source.fileno())
    made = unfinished / f"{Path(job.stem).name}.{os.getpid()}.wav"
    try:
        measured = _write(source, layout, made)
        size = made.stat().st_size
        put(made, Path(job.root) / f"{job.stem}.wav")
    finally:
        made.unlink(missing_ok=True)
    copies, uncopied = make_copies(job, unfinished)
    return Stored(
        recording_id=job.recording_id,
        source=job.source,
        source_bytes=facts.st_size,
        source_changed_ns=facts.st_mtime_ns,
        path=f"{job.stem}.wav",
        bytes=size,
        sha256=measured.sha256,
        seconds=round(layout.seconds, 3),
        sample_rate=layout.rate,
        peaks={"caller": measured.caller, "company": measured.company},
        spoken_seconds=round(measured.spoken_seconds, 3),
        copies=copies,
        notes=("Caller and company were recorded on one track",) if layout.channels == 1 else (),
        uncopied=uncopied,
    )


def _write(source: BinaryIO, layout: wav.Layout, place: Path) -> _Measured:
    """Write the stereo WAV, synced, and measure it on the way."""
    head = wav.header(layout.frames * 4, rate=layout.rate)
    digest = hashlib.sha256(head)
    peaks: tuple[list[int], list[int]] = ([], [])
    spoken_seconds = 0.0
    with place.open("wb") as out:
        out.write(head)
        for piece in _pieces(source, layout):
            sides = _sides(piece)
            for points, side in zip(peaks, sides, strict=True):
                points.append(round(100 * min(side.max, 32767) / 32767))
            if sides[0].dBFS > SILENT_DBFS:
                spoken_seconds += sides[0].duration_seconds
            digest.update(piece.raw_data)
            out.write(piece.raw_data)
        out.flush()
        os.fsync(out.fileno())
    return _Measured(digest.hexdigest(), *peaks, spoken_seconds)


def _pieces(source: BinaryIO, layout: wav.Layout) -> Iterator[AudioSegment]:
    """The audio in stereo, one point of the waveform at a time."""
    source.seek(layout.offset)
    left = layout.frames * layout.channels * 2
    step = -(-layout.frames // POINTS) * layout.channels * 2
    while left:
        data = source.read(min(step, left))
        if len(data) < min(step, left):
            raise EOFError("the file became shorter while it was read")
        left -= len(data)
        piece = AudioSegment(  # type: ignore[no-untyped-call]
            data=data, sample_width=2, frame_rate=layout.rate, channels=layout.channels
        )
        yield piece.set_channels(2)  # type: ignore[no-untyped-call]


def _sides(audio: AudioSegment) -> list[AudioSegment]:
    sides: list[AudioSegment] = audio.split_to_mono()  # type: ignore[no-untyped-call]
    return sides
