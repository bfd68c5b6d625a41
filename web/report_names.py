"""The words of reports: what rows are and what stands in them, the models, the reports ready to open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel import Locale
from babel.dates import format_date, get_day_names
from flask_babel import get_locale, gettext
from flask_babel import lazy_gettext as _

from tracker.policy.credit import Model
from tracker.policy.origins import NOT_SET
from tracker.policy.report import Leads, Wish
from tracker.policy.report_words import CHANNEL, Blank, By, Calendar, Cell, Weekday
from web.call_words import DELAYS, HEARD, KINDS, WITHOUT
from web.words import CATEGORIES, DEVICES, plain


@dataclass(frozen=True)
class Label:
    """One of them, and the report of all."""

    one: Any
    all: Any


BY = {
    By.SOURCE: Label(_("Source"), _("Sources")),
    By.MEDIUM: Label(_("Medium"), _("Media")),
    By.CHANNEL: Label(_("Channel"), _("Channels")),
    By.CAMPAIGN: Label(_("Campaign"), _("Campaigns")),
    By.AD: Label(_("Ad"), _("Ads")),
    By.KEYWORD: Label(_("Keyword"), _("Keywords")),
    By.LANDING: Label(_("Landing page"), _("Landing pages")),
    By.SITE: Label(_("Website"), _("Websites")),
    By.NUMBER: Label(_("Number dialled"), _("Numbers dialled")),
    By.KIND: Label(_("Kind of number"), _("Kinds of numbers")),
    By.DELAY: Label(_("Time to the call"), _("Times to the call")),
    By.CALLER: Label(_("Caller"), _("First and repeat callers")),
    By.REGION: Label(_("Caller's country"), _("Callers' countries")),
    By.COUNTRY: Label(_("Country"), _("Countries")),
    By.DEVICE: Label(_("Device"), _("Devices")),
    By.MONTH: Label(_("Month"), _("Months")),
    By.DAY: Label(_("Day"), _("Days")),
    By.HOUR: Label(_("Hour"), _("Hours of the day")),
    By.WEEKDAY: Label(_("Day of the week"), _("Days of the week")),
    By.EMPLOYEE: Label(_("Answered by"), _("Who answers")),
    By.CATEGORY: Label(_("Worth"), _("What calls were worth")),
    By.TAG: Label(_("Tag"), _("Tags")),
}

BLANKS = {
    Blank.UNKNOWN: Label(_("(nothing known)"), _("Nothing says where these came from")),
    Blank.NONE: Label(_("(none)"), _("These have no such word")),
    Blank.UNDIVIDED: Label(_("(not divided)"), _("A cost that was told less finely than these rows are")),
}

MODELS = {
    None: Label(
        _("The call’s own source"), _("Each sale counts whole for the source of the call it came from.")
    ),
    Model.FIRST: Label(_("First touch"), _("Each sale counts whole for what first brought the person.")),
    Model.LAST: Label(_("Last touch"), _("Each sale counts whole for what brought the person last.")),
    Model.LAST_NON_DIRECT: Label(
        _("Last touch that was not direct"),
        _("Each sale counts whole for what brought the person last, visits without any source left aside."),
    ),
    Model.LINEAR: Label(
        _("All touches alike"), _("Each sale is shared evenly among all that brought the person.")
    ),
    Model.POSITION: Label(
        _("First and last most"),
        _("Of each sale the first touch has 40 %, the last 40 %, and those between share the rest."),
    ),
    Model.DECAY: Label(
        _("The later the more"),
        _("Of each sale a touch has half as much for each 7 days that it lies before the sale."),
    ),
    Model.DATA_DRIVEN: Label(
        _("Learned from your journeys"),
        _("Each touch has as much of a sale as would be lost without its source, by all journeys so far."),
    ),
}

LEADS = {Leads.CALLS: _("Every call"), Leads.TARGET: _("Target calls only")}

# One click each; the words of the address. The first is the answer that managers come for.
READY: tuple[tuple[Any, Mapping[str, str]], ...] = (
    (_("What should I stop paying for?"), {"by": "source", "sort": "net"}),
    (_("Campaigns"), {"by": "campaign"}),
    (_("Keywords"), {"by": "keyword"}),
    (_("Ads"), {"by": "ad"}),
    (_("Channels"), {"by": "channel"}),
    (_("Landing pages"), {"by": "landing"}),
    (_("Devices"), {"by": "device"}),
    (_("Hours"), {"by": "hour", "show": "calls"}),
    (_("Weekdays"), {"by": "weekday", "show": "calls"}),
    (_("Who answers"), {"by": "employee", "show": "calls"}),
    (_("First and repeat callers"), {"by": "caller"}),
    (_("Time to the call"), {"by": "delay"}),
    (_("First touch against last"), {"by": "source", "model": "first", "against": "last"}),
)


# Of rows that have words of a fixed set: what a person reads.
VALUES: Mapping[By, Mapping[Any, Any]] = {
    By.CATEGORY: {each.value: badge.word for each, badge in CATEGORIES.items()},
    By.DEVICE: DEVICES, By.KIND: KINDS, By.CALLER: HEARD, By.DELAY: DELAYS,
}  # fmt: skip


def title_of(wish: Wish) -> str:
    """ "Sources", "Sources · Medium"."""
    first = str(BY[wish.by].all)
    return first if wish.split is None else f"{first} · {BY[wish.split].one}"


def name_of(by: By, cell: Cell) -> str:
    """A row's word as a person reads it."""
    if isinstance(cell, Blank):
        return str(WITHOUT[by] if cell is Blank.NONE and by in WITHOUT else BLANKS[cell].one)
    if isinstance(cell, Calendar):
        return _date(cell)
    if isinstance(cell, Weekday):
        return str(get_day_names("wide", context="stand-alone", locale=get_locale())[int(cell)])
    if isinstance(cell, int):
        return f"{cell:02}:00"
    return _told(by, cell)


def _told(by: By, word: str) -> str:
    if word == NOT_SET:
        return gettext("(not set)")
    if by in VALUES:
        return str(VALUES[by].get(word, word))
    if by in {By.COUNTRY, By.REGION}:
        return (get_locale() or Locale("en")).territories.get(word, word)
    return plain(word.removeprefix(CHANNEL)) or str(BLANKS[Blank.NONE].one)


def _date(cell: Calendar) -> str:
    """ "Fri 20 Nov 2026", "November 2026"."""
    if len(cell) == len("2026-11"):
        return str(format_date(date.fromisoformat(f"{cell}-01"), "LLLL y", locale=get_locale()))
    return str(format_date(date.fromisoformat(cell), "EEE d MMM y", locale=get_locale()))
