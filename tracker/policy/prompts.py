"""What is heard by a caller or an employee: words that are spoken, or a sound file that was uploaded."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from tracker.errors import Rejected

# A voice of Debian main for each language: the synthesiser, and its name for the voice. flite's only language
# is English, where it is the more pleasant one; espeak-ng speaks them all. pico and mbrola are not free.
VOICES = {
    "en": ("flite", "slt"),
    "ru": ("espeak-ng", "ru"),
    "uk": ("espeak-ng", "uk"),
    "pl": ("espeak-ng", "pl"),
    "de": ("espeak-ng", "de"),
    "fr": ("espeak-ng", "fr"),
    "es": ("espeak-ng", "es"),
    "it": ("espeak-ng", "it"),
    "nl": ("espeak-ng", "nl"),
    "pt": ("espeak-ng", "pt"),
}
VERSION = 1  # of how words become sound: another one makes every sound anew
MOST_LETTERS = 1000
MOST_SECONDS = 120
MOST_BYTES = 15 << 20  # of an uploaded file


@dataclass(frozen=True)
class Words:
    """Words in a language of VOICES; `kept` False: for a few calls only, forgotten when nobody uses them."""

    language: str
    text: str
    kept: bool = True

    @property
    def digest(self) -> str:
        """Names their sound: the same words in the same voice are one file."""
        program, voice = voice_of(self)
        return _digest(f"{VERSION}\0{program}\0{voice}\0{self.text}".encode())


@dataclass(frozen=True)
class File:
    """An uploaded sound, named by the digest of what it was converted to."""

    digest: str


Spoken = Words | File


def voice_of(words: Words) -> tuple[str, str]:
    """The synthesiser and voice; flite reads ASCII alone, and what it cannot read espeak-ng says."""
    program, voice = VOICES[words.language]
    return (program, voice) if words.text.isascii() or program != "flite" else ("espeak-ng", words.language)


def file_of(sound: bytes) -> File:
    """The name of a sound by its bytes."""
    return File(_digest(sound))


def read_words(language: str, text: str) -> Words:
    """What is to be spoken, on one line. Raises Rejected prompt.language, prompt.words."""
    if language not in VOICES:
        raise Rejected(
            "prompt.language",
            "No synthesiser here speaks %(language)r",
            "Choose %(languages)s, or upload a file",
            language=language[:20],
            languages=list(VOICES),
        )
    plain = " ".join(text.split())
    if not plain.isprintable() or not 1 <= len(plain) <= MOST_LETTERS or not re.search(r"\w", plain):
        raise Rejected(
            "prompt.words",
            "These words cannot be spoken",
            "Give 1 to %(most)s printable characters, among them a letter or a digit",
            most=MOST_LETTERS,
        )
    return Words(language, plain)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]
