"""Uploaded lists of costs and sales: how they are to be read, what they would do, what is wrong with them.

A list is looked at first and taken afterwards. A small one goes along in the page in between, so that it need
not be chosen again.
"""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, g, request
from sqlalchemy.orm import Session

from tracker import imports
from tracker.companies import read_currency
from tracker.errors import Rejected
from tracker.models import Company
from tracker.policy.amounts import Mark
from tracker.policy.dates import Dates, Order
from tracker.policy.tables import BadCell, BadRows, Unreadable
from web.house import house
from web.refusals import in_words, translated
from web.settings.forms import text
from web.viewer import SeenCompany

LARGEST_BYTES = 20_000_000
CARRIED = 80_000  # characters that a page carries
SHOWN = 100  # problems and rows that a page shows
ENDPOINTS = {"costs.import_", "sales.import_", "settings_sounds.change", "settings_responsible.change"}

# Given the list, and how it is to be read: what it has.
Read = Callable[[Session, Company, bytes, dict[str, Any]], Any]
# Given that: what it would do.
Plan = Callable[[Session, Company, Any], Any]
# Given the plan: does it.
Store = Callable[[Session, Company, Any], None]


@dataclass(frozen=True)
class Told:
    """What is said of a list: what it does, or what is wrong with it."""

    name: str
    stored: bool
    plan: Any | None = None
    problems: Sequence[BadCell] = ()
    refused: Rejected | None = None
    carried: str = ""  # the list itself, to take it without choosing it again


def install(app: Flask) -> None:
    """Lists may be larger than forms; before anything reads the request."""
    app.before_request(_allow_lists)
    app.jinja_env.globals.update(problem_words=problem_words, PROBLEMS_SHOWN=SHOWN)


def problem_words(bad: BadCell) -> str:
    """What is wrong with a cell, in the page's language."""
    return in_words(bad.said)


def take_list(company: SeenCompany, read: Read, plan: Plan, store: Store) -> Told:
    """Look at the list that was sent, or store it where the form says so."""
    stored, name = text("do") == "import", ""
    database = house().database
    try:
        name, content = _content()
        with database.read() as session:  # a long list takes some seconds to read: nobody waits for that
            found = read(session, session.get_one(Company, company.id), content, _how())
        planned = imports.take(
            database,
            company.id,
            lambda session, owner: plan(session, owner, found),
            store if stored else None,
        )
    except BadRows as bad:
        return Told(name, False, problems=bad.problems)
    except Rejected as problem:
        return Told(name, False, refused=translated(problem))
    return Told(name, stored, planned, carried="" if stored else _packed(content))


def _allow_lists() -> None:
    if request.endpoint in ENDPOINTS and g.get("viewer") is not None:
        request.max_content_length = LARGEST_BYTES


def _content() -> tuple[str, bytes]:
    given = request.files.get("file")
    if given is not None and given.filename:
        return given.filename[:100], given.read()
    carried = request.form.get("carried", "")
    if not carried:
        raise Rejected("file.none", "No file was chosen", "Choose a CSV file")
    try:
        content = zlib.decompressobj(31).decompress(base64.b64decode(carried), LARGEST_BYTES)
    except (ValueError, zlib.error):  # binascii.Error is one, and so is what it says to letters beyond ASCII
        raise Rejected("file.none", "No file was chosen", "Choose a CSV file") from None
    return text("name")[:100], content


def _packed(content: bytes) -> str:
    packed = base64.b64encode(gzip.compress(content, mtime=0)).decode()
    return packed if len(packed) <= CARRIED else ""


def _how() -> dict[str, Any]:
    """The form's words as tracker.policy.cost_list.Wanted has them."""
    decimal, order, day, currency = (text(name) for name in ("decimal", "dates", "day", "currency"))
    try:
        return {
            "mark": Mark(decimal) if decimal in tuple(Mark) else None,
            "order": Order(order) if order in tuple(Order) else None,
            "day": Dates(()).day(day) if day else None,
            "given": read_currency(currency) if currency else None,
        }
    except Unreadable as why:
        raise Rejected("file.day", why.said, "Give it as 2026-11-30") from None
