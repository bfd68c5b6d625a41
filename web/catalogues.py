"""The page's translations for what is told without a page: the worker's e-mails."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from babel.support import Translations

_FOLDER = Path(__file__).with_name("translations")


@functools.lru_cache
def translator(language: str) -> Callable[[str], str]:
    """What puts the page's texts into that language; English stays, as does what no catalogue has."""
    return Translations.load(_FOLDER, [language]).gettext
