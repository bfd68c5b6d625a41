"""Sounds that Asterisk plays: 8 kHz WAV files below the home folder, each named by a digest of what it holds.

Made when something is configured and when Asterisk is told of it, never in a call; a file is there whole or
not at all, and is never changed.
"""

from __future__ import annotations

import contextlib
import io
import logging
import math
import os
import struct
import subprocess
import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path

from tracker.errors import Rejected
from tracker.policy.prompts import MOST_BYTES, MOST_SECONDS, File, Spoken, Words, file_of, voice_of
from tracker.settings import Settings

log = logging.getLogger(__name__)

PASSING = "passing"  # the folder of sounds for a few calls only
RATE = 8000  # samples a second, 16 bits each: what the telephone network carries
_PATIENCE_SECONDS = 30
# Plain sound files. A playlist could name files of this machine, or of another one, and is none of these.
_FORMATS = "wav,w64,mp3,ogg,flac,aac,mov,mp4,m4a,matroska,webm,aiff,amr,au"


# What an employee hears who stopped the recording by a code: pitch in Hz, and how often.
TONES = {"pause": (400, 2), "resume": (1200, 1), "forbid": (400, 3)}


def make_tones(settings: Settings) -> None:
    """The tones that answer an employee's codes, each in a folder of its own."""
    for word, (pitch, times) in TONES.items():
        place = settings.sounds / "tones" / word / "tone.wav"
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            _put(place, _wav(_tone(pitch, times)))


def path_of(settings: Settings, prompt: Spoken) -> Path:
    """Where its sound is or would be, without the ending, as Asterisk's Playback takes it."""
    return settings.sounds / name_of(prompt)


def name_of(prompt: Spoken) -> str:
    """The same below the folder of sounds."""
    passing = isinstance(prompt, Words) and not prompt.kept
    return f"{PASSING}/{prompt.digest}" if passing else prompt.digest


def used(settings: Settings, prompt: Spoken) -> None:
    """Note that it is used now."""
    with contextlib.suppress(FileNotFoundError):
        os.utime(wav_of(settings, prompt))


def sound_for(settings: Settings, prompt: Spoken) -> Path:
    """The path that Playback takes; words not spoken yet are spoken now.

    Raises Rejected: sound.missing for a file that is not here, sound.voice, sound.silent for words that
    no synthesiser speaks.
    """
    path = path_of(settings, prompt)
    if not is_here(settings, prompt):
        if isinstance(prompt, File):
            raise Rejected("sound.missing", "The sound is not on this machine", "Upload the file again")
        _keep(settings, prompt, speak(settings, prompt))
    return path


def is_here(settings: Settings, prompt: Spoken) -> bool:
    """Whether this machine has its sound."""
    return wav_of(settings, prompt).exists()


def wav_of(settings: Settings, prompt: Spoken) -> Path:
    """Where its sound is or would be, as a file."""
    return path_of(settings, prompt).with_suffix(".wav")


def seconds_of(settings: Settings, prompt: Spoken) -> float:
    """How long it is heard."""
    sound_for(settings, prompt)
    with wave.open(str(wav_of(settings, prompt))) as sound:
        frames: int = sound.getnframes()
        return frames / RATE


def keep(settings: Settings, sound: bytes) -> File:
    """Put a converted sound where Asterisk finds it."""
    file = file_of(sound)
    if not is_here(settings, file):
        _keep(settings, file, sound)
    return file


def speak(settings: Settings, words: Words) -> bytes:
    """The words as Asterisk's WAV. Raises Rejected sound.voice, sound.silent."""
    program, voice = voice_of(words)
    with tempfile.TemporaryDirectory(prefix="leaseline-") as folder:
        text, spoken = Path(folder) / "words", Path(folder) / "spoken.wav"
        text.write_text(words.text + "\n", encoding="utf-8")
        by_flite = ["-voice", voice, "-o", str(spoken)]
        options = by_flite if program == "flite" else ["-v", voice, "-w", str(spoken)]
        _run([program, *options, "-f", str(text)], _unspoken(program))
        return _converted(settings, spoken)


def convert(settings: Settings, data: bytes) -> bytes:
    """An uploaded file of any usual kind as Asterisk's WAV.

    Raises Rejected: sound.large, sound.unreadable, sound.long, sound.silent.
    """
    if len(data) > MOST_BYTES:
        raise Rejected(
            "sound.large",
            "The file has more than %(most)s MB",
            "Give a shorter one, or one that is compressed",
            most=MOST_BYTES >> 20,
        )
    with tempfile.TemporaryDirectory(prefix="leaseline-") as folder:
        given = Path(folder) / "given"
        given.write_bytes(data)
        return _converted(settings, given)


def _converted(settings: Settings, given: Path) -> bytes:
    made = given.with_name("made.wav")
    limits = ["-threads", "1", "-timelimit", str(_PATIENCE_SECONDS), "-max_alloc", str(64 << 20)]
    source = ["-protocol_whitelist", "file", "-format_whitelist", _FORMATS, "-i", str(given), "-map", "0:a:0"]
    wanted = ["-vn", "-sn", "-dn", "-map_metadata", "-1", "-fflags", "+bitexact", "-t", str(MOST_SECONDS + 1)]
    wanted += ["-ac", "1", "-ar", str(RATE), "-codec:a", "pcm_s16le", "-f", "wav", str(made)]
    command = [settings.ffmpeg, "-nostdin", "-v", "error", "-y", *limits, *source, *wanted]
    _run(command, _unreadable())
    return _checked(made)


def _unspoken(program: str) -> Rejected:
    return Rejected(
        "sound.voice",
        "%(program)s does not speak these words",
        "Give other words, or upload a file",
        program=program,
    )


def _unreadable() -> Rejected:
    return Rejected(
        "sound.unreadable",
        "This is no sound file that can be read",
        "Give a WAV, MP3, Ogg, FLAC or M4A file",
    )


def _checked(made: Path) -> bytes:
    with wave.open(str(made)) as sound:
        frames = sound.getnframes()
        heard = any(sound.readframes(frames))
    if frames < RATE // 10 or not heard:
        raise Rejected("sound.silent", "Nothing is to be heard of it", "Give words or a file with a sound")
    if frames > MOST_SECONDS * RATE:
        raise Rejected(
            "sound.long", "It is longer than %(most)s seconds", "Give a shorter one", most=MOST_SECONDS
        )
    return made.read_bytes()


def _run(command: Sequence[str], unreadable: Rejected) -> None:
    """Raises Rejected: `unreadable` where the program fails, sound.program, sound.slow."""
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_PATIENCE_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise Rejected(
            "sound.program",
            "The program %(program)s was not found",
            "Install it: apt install %(program)s",
            program=command[0],
        ) from None
    except subprocess.TimeoutExpired:
        raise Rejected(
            "sound.slow", "It took more than %(seconds)s s", "Give less", seconds=_PATIENCE_SECONDS
        ) from None
    if done.returncode:
        log.info("%s: %s", command[0], done.stderr.decode(errors="replace").strip()[-300:])
        raise unreadable


def _keep(settings: Settings, prompt: Spoken, sound: bytes) -> None:
    place = wav_of(settings, prompt)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    _put(place, sound)


def _put(place: Path, sound: bytes) -> None:
    """Write the file whole or not at all."""
    handle, unfinished = tempfile.mkstemp(dir=place.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(sound)
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).chmod(0o640)
        Path(unfinished).rename(place)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise


def _tone(pitch: int, times: int) -> list[int]:
    """Samples: as many short tones, with as much silence after each."""
    length = RATE // 10
    beep = [round(9000 * math.sin(2 * math.pi * pitch * at / RATE)) for at in range(length)]
    return (beep + [0] * (length // 2)) * times


def _wav(samples: list[int]) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return made.getvalue()
