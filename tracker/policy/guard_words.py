"""What a caller hears who is challenged, or blocked with an announcement, in the languages of the page."""

from __future__ import annotations

from tracker.policy.prompts import Words
from tracker.policy.spam import DIGITS

_CHALLENGE = {
    "en": "Please press %(digit)s to be connected.",
    "ru": "Чтобы вас соединили, нажмите %(digit)s.",
    "uk": "Щоб вас з'єднали, натисніть %(digit)s.",
    "pl": "Aby uzyskać połączenie, naciśnij %(digit)s.",
}
_BLOCKED = {
    "en": "Your call cannot be connected. Goodbye.",
    "ru": "Соединить вас нельзя. До свидания.",
    "uk": "З'єднати вас неможливо. До побачення.",
    "pl": "Nie możemy zrealizować tego połączenia. Do widzenia.",
}
BLOCKED = "blocked"  # the name of the announcement; a challenge's is its digit


def sounds(language: str) -> dict[str, Words]:
    """What is said, by its name: a digit, or BLOCKED."""
    spoken = language if language in _CHALLENGE else "en"
    asked = {digit: Words(spoken, _CHALLENGE[spoken] % {"digit": digit}) for digit in DIGITS}
    return asked | {BLOCKED: Words(spoken, _BLOCKED[spoken])}
