"""What the callback button and its form say, in every language; a site may say it in words of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.companies import LANGUAGES
from web.catalogues import translator


def _(text: str) -> str:
    """Marks a text for the catalogues; it is translated when it is told."""
    return text


TEXTS = {
    "button": _("Call me back"),
    "title": _("We call you back"),
    "intro": _("Leave your number: your phone rings within a minute."),
    "closed": _("Nobody is here at this hour. Choose when we may call you."),
    "phone": _("Your phone number"),
    "name": _("Your name (optional)"),
    "when": _("When"),
    "now": _("Now"),
    "send": _("Call me"),
    "sending": _("One moment …"),
    "done_now": _("We are calling you: please pick up the phone."),
    "done_later": _("Thank you. We call you at the time you chose."),
    "bad_number": _("This number cannot be called. Please check it."),
    "bad_limit": _("That was asked for too often. Please call us instead."),
    "bad_other": _("That did not work. Please call us instead."),
    "close": _("Close"),
}
# Of the button, where a site has chosen nothing else.
LOOKS = {"color": "#3451d1", "text": "#ffffff", "position": "bottom-right"}


def texts_in(language: str, own: Mapping[str, Any] | None = None) -> dict[str, str]:
    """All texts in that language, those of the site's own before ours."""
    say = translator(language) if language != "en" else _
    ours = {name: say(text) for name, text in TEXTS.items()}
    theirs = (own or {}).get(language, {})
    return ours | {name: str(text) for name, text in theirs.items() if name in TEXTS and text}


def all_texts(own: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The texts by language: those we know, and those in which only the site speaks."""
    languages = [*LANGUAGES, *(each for each in sorted(own) if each not in LANGUAGES)]
    return {language: texts_in(language, own) for language in languages}
