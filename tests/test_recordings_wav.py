"""Headers of WAV files that a crash cut anywhere."""

from __future__ import annotations

import contextlib
import io
import struct
import wave

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recordings.wav import NoAudioError, header, raw_layout, repaired, wav_layout


def good_wav(audio: bytes, channels: int = 2, rate: int = 8000) -> bytes:
    """A WAV as Python's standard library writes it."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(audio)
    return out.getvalue()


def audio_of(content: bytes) -> tuple[bytes, int, int]:
    with wave.open(io.BytesIO(content)) as file:
        return file.readframes(file.getnframes()), file.getnchannels(), file.getframerate()


AUDIO = bytes(range(256)) * 16


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 16000])
def test_our_header_is_the_one_the_standard_library_writes(channels: int, rate: int) -> None:
    assert header(len(AUDIO), channels=channels, rate=rate) + AUDIO == good_wav(AUDIO, channels, rate)


@given(cut=st.integers(0, 44 + len(AUDIO)), channels=st.sampled_from([1, 2]), open_lengths=st.booleans())
@example(cut=0, channels=1, open_lengths=True)
@example(cut=43, channels=1, open_lengths=True)
@example(cut=44, channels=1, open_lengths=True)
@example(cut=45, channels=2, open_lengths=True)
def test_a_wav_cut_at_any_byte_keeps_every_whole_frame_before_the_cut(
    cut: int, channels: int, open_lengths: bool
) -> None:
    whole = bytearray(good_wav(AUDIO, channels))
    if open_lengths:  # as Asterisk leaves them until the call is over
        whole[4:8] = whole[40:44] = bytes(4)
    left = max(0, cut - 44)
    audio, found_channels, rate = audio_of(repaired(bytes(whole[:cut])))
    assert audio == AUDIO[: left - left % (2 * channels)]
    assert rate == 8000
    assert found_channels == channels or not audio


@given(st.binary(max_size=300))
@example(b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + b"\1\0" + bytes(40))
@example(b"RIFF\0\0\0\0WAVEdata" + bytes(60))
def test_any_bytes_are_repaired_or_refused(content: bytes) -> None:
    for start in (b"", b"RIFF\0\0\0\0WAVE", good_wav(b"")[:36]):
        with contextlib.suppress(NoAudioError):
            audio_of(repaired(start + content))


def test_a_repaired_wav_is_repaired_into_itself() -> None:
    assert repaired(good_wav(AUDIO)) == good_wav(AUDIO)


def test_what_follows_the_audio_in_a_closed_file_is_no_audio() -> None:
    closed = bytearray(good_wav(AUDIO) + b"LIST\x04\0\0\0note")
    struct.pack_into("<I", closed, 4, len(closed) - 8)
    assert repaired(bytes(closed)) == good_wav(AUDIO)


def test_lengths_that_a_stream_could_not_know_are_ignored() -> None:
    streamed = bytearray(good_wav(AUDIO))
    streamed[4:8] = streamed[40:44] = b"\xff" * 4
    assert repaired(bytes(streamed)) == good_wav(AUDIO)


def test_a_chunk_before_the_audio_is_passed_over() -> None:
    plain = good_wav(AUDIO)
    assert repaired(plain[:36] + b"LIST\x03\0\0\0abc\0" + plain[36:]) == plain


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ((7, 1, 8000, 8), "WAV format 7 with 8 bits"),
        ((1, 1, 8000, 8), "WAV format 1 with 8 bits"),
        ((1, 6, 8000, 16), "6 channels at 8000 Hz"),
        ((1, 2, 0, 16), "2 channels at 0 Hz"),
    ],
)
def test_audio_of_another_format_is_named(fields: tuple[int, int, int, int], reason: str) -> None:
    tag, channels, rate, bits = fields
    head = bytearray(good_wav(AUDIO))
    struct.pack_into("<HHIIHH", head, 20, tag, channels, rate, 0, 0, bits)
    with pytest.raises(NoAudioError, match=reason):
        wav_layout(bytes(head), len(head))


@given(st.integers(0, 10**10))
def test_a_headerless_file_is_whole_frames_from_its_first_byte(size: int) -> None:
    layout = raw_layout(size)
    assert layout.offset == 0
    assert layout.data_bytes % 4 == 0
    assert 0 <= size - layout.data_bytes < 4
    assert layout.seconds == layout.data_bytes / 32000
