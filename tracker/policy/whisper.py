"""What an employee is told before he is connected: a template, filled with what is known of the call.

    "Call from {source}, {keyword}, {again}"  ->  "Call from google, euro pallets"

What is not known is left out with the phrase, between commas, that it stands in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields

from tracker.errors import Rejected
from tracker.policy.prompts import Words, read_words

MOST_LETTERS = 200
_LONGEST = 60  # letters of one thing that is known: a keyword may be a whole sentence
_AGAIN = {"en": "calls again", "ru": "звонит снова", "uk": "телефонує знову", "pl": "dzwoni ponownie"}
_CALLBACK = {"en": "Callback", "ru": "Обратный звонок", "uk": "Зворотний дзвінок", "pl": "Oddzwaniamy"}
_PLACE = re.compile(r"\{(\w*)\}")


@dataclass(frozen=True)
class Known:
    """What may be said of a call; "" where it is not known. `again`: the caller has called before."""

    channel: str = ""
    source: str = ""
    campaign: str = ""
    keyword: str = ""
    again: bool = False


PLACES = tuple(each.name for each in fields(Known))


def read_whisper(text: str, language: str) -> str:
    """A template. Raises Rejected whisper.place, prompt.words, prompt.language."""
    plain = " ".join(text.split())[:MOST_LETTERS]
    if unknown := [name for name in _PLACE.findall(plain) if name not in PLACES]:
        raise Rejected(
            "whisper.place",
            "There is nothing called {%(name)s} to say",
            "Use these places: %(places)s",
            name=unknown[0],
            places=[f"{{{name}}}" for name in PLACES],
        )
    read_words(language, _PLACE.sub("x", plain))
    return plain


def whisper(template: str, language: str, known: Known) -> Words | None:
    """The words; None where nothing is left to say."""
    values = {name: _spoken(str(getattr(known, name))) for name in PLACES if name != "again"}
    values["again"] = _AGAIN.get(language, _AGAIN["en"]) if known.again else ""
    phrases = [phrase.strip() for phrase in template.split(",") if _told(phrase, values)]
    said = ", ".join(_filled(phrase, values) for phrase in phrases)
    return Words(language, said, kept=False) if re.search(r"\w", said) else None


def callback_whisper(template: str, language: str, known: Known) -> Words:
    """The same before a visitor is called back: what is to come, and what is known of him."""
    said = whisper(template, language, known)
    lead = _CALLBACK.get(language, _CALLBACK["en"])
    return Words(language, f"{lead}, {said.text}" if said else lead, kept=False)


def lesser(known: Known) -> Sequence[Known]:
    """The same with less and less of it: what is said while the whole is not spoken yet."""
    return (
        known,
        Known(known.channel, known.source, known.campaign, again=known.again),
        Known(known.channel, known.source, again=known.again),
        Known(known.channel, known.source),
    )


def _told(phrase: str, values: dict[str, str]) -> bool:
    return all(values.get(name) for name in _PLACE.findall(phrase))


def _filled(phrase: str, values: dict[str, str]) -> str:
    return _PLACE.sub(lambda place: values[place[1]], phrase)


def _spoken(text: str) -> str:
    """Letters, digits and what stands between words: much of it was typed by strangers."""
    return " ".join(re.sub(r"[^\w\s.+-]|_", " ", text).split())[:_LONGEST].strip()
