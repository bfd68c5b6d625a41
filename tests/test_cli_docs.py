"""The written reference is what the program says."""

from __future__ import annotations

from pathlib import Path

from cli import leaseline
from commands.api_page import api_page
from commands.reference import commands_page, settings_page

DOCS = Path(__file__).parent.parent / "docs"
STALE = "run `python cli.py docs` and commit"


def test_the_page_of_commands_is_up_to_date() -> None:
    assert (DOCS / "cli.md").read_text() == commands_page(leaseline), STALE


def test_the_page_of_the_api_is_up_to_date() -> None:
    assert (DOCS / "api.md").read_text() == api_page(), STALE


def test_the_page_of_settings_is_up_to_date() -> None:
    assert (DOCS / "settings.md").read_text() == settings_page(), STALE
