"""The page's catalogues, read, and compiled as `make` does for whoever runs the tests without it."""

from __future__ import annotations

from functools import cache

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from tracker.settings import CHECKOUT

CATALOGUES = CHECKOUT / "web" / "translations"


@cache
def catalogue(language: str) -> Catalog:
    """What is translated into that language."""
    with (CATALOGUES / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def compile_catalogues() -> None:
    """Those that changed since they were compiled."""
    for path in CATALOGUES.glob("*/LC_MESSAGES/messages.po"):
        made = path.with_suffix(".mo")
        if not made.exists() or made.stat().st_mtime < path.stat().st_mtime:
            with made.open("wb") as file:
                write_mo(file, catalogue(path.parts[-3]))
