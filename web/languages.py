"""Which language a page is in, and how that language writes dates, numbers and money.

A person's own choice, else the first company's, else what the browser asks for. The texts are Flask-Babel's:
`_()` in templates and `gettext` in Python, English being what stands in the code.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from babel import numbers
from flask import Flask, g, has_request_context, request
from flask_babel import Babel, Domain, get_locale

from tracker.companies import LANGUAGES
from web.script_words import script_words

NAMES = {"en": "English", "ru": "Русский", "uk": "Українська", "pl": "Polski"}


class _Words(Domain):  # type: ignore[misc]
    """Finds the catalogue once for an answer, not for each of the thousand words in it."""

    def get_translations(self) -> Any:
        if not has_request_context():
            return super().get_translations()
        if "catalogue" not in g:
            g.catalogue = super().get_translations()
        return g.catalogue


def install(app: Flask) -> None:
    """Chooses the language of each answer, and gives the templates its vocabulary."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "translations"
    Babel(app, locale_selector=language).domain_instance = _Words()
    app.jinja_env.filters.update(money=money, count=count)
    app.jinja_env.globals.update(language=language, LANGUAGES=NAMES, script_words=script_words)


def language() -> str:
    """The present answer's language, one of LANGUAGES."""
    if not has_request_context():
        return "en"
    who = g.get("viewer")
    if who is not None and who.language in LANGUAGES:
        return str(who.language)
    if who is not None and who.companies and who.companies[0].language in LANGUAGES:
        return str(who.companies[0].language)
    return request.accept_languages.best_match(LANGUAGES) or "en"


def money(amount: Decimal | None, currency: str) -> str:
    """An amount as the page's language writes it: "1 200,50 €"; "–" for none."""
    return "–" if amount is None else str(numbers.format_currency(amount, currency, locale=get_locale()))


def count(number: float) -> str:
    """A number with its thousands told apart: "12,345" or "12 345"."""
    return str(numbers.format_decimal(number, locale=get_locale()))
