"""What the page's own script says, handed to it in the page's language: a block of JSON in each page."""

from __future__ import annotations

from flask_babel import lazy_gettext

WORDS = {
    "play": lazy_gettext("Play the recording"),
    "pause": lazy_gettext("Pause the recording"),
    "unplayable": lazy_gettext("Cannot be played"),
    "position": lazy_gettext("%(at)s of %(length)s"),
    "chosen": lazy_gettext("%(num)s chosen"),
    "unchanged": lazy_gettext("The server did not answer: nothing was changed."),
}


def script_words() -> dict[str, str]:
    """Sentences by name; the script puts values where %(name)s stands."""
    return {name: str(text) for name, text in WORDS.items()}
