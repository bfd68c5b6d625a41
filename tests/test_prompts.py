"""What is heard: words that a synthesiser speaks, files that were uploaded, and what is refused of either."""

from __future__ import annotations

import io
import subprocess
import wave
from datetime import datetime
from pathlib import Path

import pytest
from support.config import by, pallets
from support.recorded import settings_in

from tracker import prompts, sounds
from tracker.database import Database
from tracker.errors import Rejected
from tracker.policy.prompts import VOICES, File, Words, read_words, voice_of
from tracker.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


def a_wav(seconds: float = 1.0, rate: int = 44_100, sample: bytes = b"\x10\x20\x30\x40") -> bytes:
    """Two channels of noise."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((sample + bytes(4)) * round(rate * seconds / 2))
    return made.getvalue()


@pytest.mark.parametrize("language", VOICES)
def test_every_language_is_spoken_as_asterisk_plays_it(settings: Settings, language: str) -> None:
    path = sounds.sound_for(settings, read_words(language, "Google Ads 2026"))
    with wave.open(f"{path}.wav") as sound:
        assert (sound.getnchannels(), sound.getframerate(), sound.getsampwidth()) == (1, 8000, 2)
        assert 0.5 < sound.getnframes() / 8000 < 6


def test_words_are_spoken_once_and_what_they_hold_is_never_an_option(settings: Settings) -> None:
    words = read_words("en", "  --help \n -o /etc/passwd  ")
    assert words.text == "--help -o /etc/passwd"
    made = Path(f"{sounds.sound_for(settings, words)}.wav")
    before = made.stat()
    assert sounds.sound_for(settings, words) == made.with_suffix("")
    assert made.stat().st_mtime_ns == before.st_mtime_ns
    assert [each.name for each in settings.sounds.iterdir()] == [made.name]
    assert words.digest != Words("de", words.text).digest


def test_what_flite_cannot_read_espeak_says() -> None:
    assert voice_of(Words("en", "Cafe")) == ("flite", "slt")
    assert voice_of(Words("en", "Café")) == ("espeak-ng", "en")


@pytest.mark.parametrize("text", ["", " . ", "x" * 1001, "bell \a"])
def test_what_is_no_words_is_refused(text: str) -> None:
    with pytest.raises(Rejected, match="cannot be spoken"):
        read_words("en", text)


def test_a_file_is_converted_and_found_by_what_it_holds(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(a_wav())
    mp3 = tmp_path / "a.mp3"
    subprocess.run(["ffmpeg", "-v", "error", "-i", tmp_path / "a.wav", mp3], check=True)
    for data in (a_wav(), mp3.read_bytes()):
        file = sounds.keep(settings, sounds.convert(settings, data))
        assert sounds.seconds_of(settings, file) == pytest.approx(1.0, abs=0.1)
    with pytest.raises(Rejected, match="not on this machine"):
        sounds.sound_for(settings, File("0" * 32))


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"", "sound.unreadable"),
        (b"#!/bin/sh\nid\n", "sound.unreadable"),
        (b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "sound.unreadable"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "sound.unreadable"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt ", "sound.unreadable"),
        (a_wav(sample=bytes(4)), "sound.silent"),
        (a_wav(0.01), "sound.silent"),
        (a_wav(200, 8000), "sound.long"),
        (bytes((15 << 20) + 1), "sound.large"),
    ],
)
def test_hostile_and_useless_files_are_refused(settings: Settings, data: bytes, refusal: str) -> None:
    with pytest.raises(Rejected) as refused:
        sounds.convert(settings, data)
    assert refused.value.id == refusal
    assert not settings.sounds.exists()


def test_a_prompt_has_a_name_and_goes_to_every_machine(
    sqlite: Database, tmp_path: Path, now: datetime
) -> None:
    here, there = settings_in(tmp_path / "a"), settings_in(tmp_path / "b")
    with sqlite.write() as session:
        company = pallets(session, now)
        prompts.add(session, by(now), company, "Greeting", prompts.ready_words(here, "en", "Hello"))
        prompts.add(session, by(now), company, "Jingle", prompts.ready_file(here, a_wav()))
        with pytest.raises(Rejected, match="already"):
            prompts.add(session, by(now), company, "Jingle", prompts.ready_words(here, "en", "Hello"))
        prompts.make_all(session, there)
        found = prompts.of_company(session, company)
        assert [each.name for each in found] == ["Greeting", "Jingle"]
        for each in found:
            spoken = prompts.spoken(each)
            assert sounds.wav_of(there, spoken).read_bytes() == sounds.wav_of(here, spoken).read_bytes()
        prompts.remove(session, by(now), prompts.get(session, company, "Jingle"))
        with pytest.raises(Rejected, match="There are: Greeting"):
            prompts.get(session, company, "Jingle")
