"""Calls out of another call-tracking service's export: how a row is read, and what it tells of its source.

    moved = read_moved(FileRow(1, {"id": "CAL8", …}), vendor, {}, how, "USD")

The call itself is read as any reported call is (tracker.policy.reported_calls). What the service says of the
source is believed: it saw the visitor, and we did not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from tracker.errors import Said, say
from tracker.policy.amounts import Amounts
from tracker.policy.cost_list import BadValue
from tracker.policy.dates import Order
from tracker.policy.phone import normalise_caller
from tracker.policy.reported_calls import How, LeftOut, ReportedLine, read_row
from tracker.policy.tables import Unreadable

Row = dict[str, str]
CLICK_IDS = ("gclid", "fbclid", "msclkid", "yclid")
_EMPTY = frozenset((
    "", "-", "—", "null", "none", "n/a", "(not set)", "(none)", "(not provided)", "<не указано>",
    "<не заполнено>", "не указано", "undefined",
))  # fmt: skip
_CLOCK = re.compile(r"(.*?[\sT])([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?\s*([AaPp])\.?[Mm]\.?(.*)")
_ZONE = re.compile(r"(.*[0-9:])\s+(?:UTC)?([+-][0-9]{2}):?([0-9]{2})")
_UTC = re.compile(r"(.*[0-9:])\s*(?:UTC|GMT)")
# What services call sources, in the words in which our own visits have them.
_SOURCES = {
    "google ads": ("google", "cpc"), "google adwords": ("google", "cpc"), "google paid": ("google", "cpc"),
    "google organic": ("google", "organic"), "bing ads": ("bing", "cpc"), "bing paid": ("bing", "cpc"),
    "microsoft ads": ("bing", "cpc"), "microsoft advertising": ("bing", "cpc"),
    "bing organic": ("bing", "organic"), "yahoo organic": ("yahoo", "organic"),
    "duckduckgo organic": ("duckduckgo", "organic"), "facebook ads": ("facebook", "paid_social"),
    "facebook paid": ("facebook", "paid_social"), "yandex organic": ("yandex", "organic"),
    "direct": ("", ""), "(direct)": ("", ""), "direct traffic": ("", ""),
}  # fmt: skip
_MEDIA = {"ppc": "cpc", "paid search": "cpc", "paid": "cpc", "organic search": "organic", "direct": ""}
MOST_TAGS, LONGEST_TAG, LONGEST_NOTE = 20, 40, 2000


@dataclass(frozen=True)
class Vendor:
    """How one service writes: for each word of ours its titles, the first that says something counts.

    `plain` says what a table cannot: it may change and add words. Titles are in small letters, with spaces.
    """

    name: str  # also the phone system's name in the books
    title: str
    columns: Mapping[str, tuple[str, ...]]
    plain: Callable[[Row], Row] = lambda row: row
    order: Order | None = None  # what comes first in 05/11/2026, where the service always writes it so
    hosts: tuple[str, ...] = ()  # its own, which may be shown what lets one in to its recordings

    def titles(self) -> set[str]:
        """All that it calls its columns."""
        return {title for titles in self.columns.values() for title in titles}


@dataclass(frozen=True)
class FileRow:
    """A row of a file: its line (of JSON its place among the calls), and its cells by their titles."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Touch:
    """What the service says of where the caller came from; "" for what it does not say."""

    source: str = ""
    medium: str = ""
    campaign: str = ""
    keyword: str = ""
    content: str = ""
    landing_url: str = ""
    referrer: str = ""
    click_ids: Mapping[str, str] = field(default_factory=dict)
    visitor: str = ""

    @property
    def is_web(self) -> bool:
        """Whether a visit of a website is told of, and not only the name of a source."""
        return bool(self.landing_url or self.referrer or self.keyword or self.click_ids)

    @property
    def is_known(self) -> bool:
        """Whether it says anything at all."""
        return self.is_web or bool(self.source)


@dataclass(frozen=True)
class MovedCall:
    """A call of the export with what else is kept of it."""

    line: ReportedLine
    touch: Touch
    number_name: str
    tags: tuple[str, ...]
    note: str
    value: Decimal | None
    currency: str | None = None  # that the value names


class NotTaken(Exception):
    """Why a row is not taken, as its report says it; `column` in the words of this module."""

    def __init__(self, reference: str, column: str, said: Said) -> None:
        super().__init__(str(said))
        self.reference, self.column, self.said = reference, column, said


_LEFT_OUT = {
    "internal": say("it is an internal call"),
    "number": say("it has no number that could be one here"),
}


def words_of(row: FileRow, vendor: Vendor, chosen: Mapping[str, str]) -> Row:
    """The row in our words; `chosen` names the title of a word where it is another than usual."""
    columns = {**vendor.columns, **{name: (title,) for name, title in chosen.items()}}
    told = {
        name: next((text for title in titles if (text := _cell(row, title))), "")
        for name, titles in columns.items()
    }
    return vendor.plain(told)


def read_moved(
    row: FileRow, vendor: Vendor, chosen: Mapping[str, str], how: How, currency: str
) -> MovedCall:  # fmt: skip
    """The call of a row; `currency` is the company's own. Raises NotTaken."""
    told = words_of(row, vendor, chosen)
    told["reference"] = reference = told.get("reference", "")[:100] or _made_up(told)
    if told.get("outcome") == "no call":
        raise NotTaken(reference, "direction", say("it is a form, a chat or a message, and no call"))
    if told.get("outcome") == "unfinished":
        raise NotTaken(reference, "outcome", say("the call was going on: export again"))
    for name in ("started_at", "answered_at", "ended_at"):
        told[name] = plain_time(told.get(name, ""))
    if not re.match(r"https?://", told.get("recording_url", "")):
        told["recording_url"] = ""
    told["employee"], told["caller_name"] = told.get("employee", "")[:60], told.get("caller_name", "")[:200]
    try:
        line = read_row(row.line, told, how)
        # One export has "79161234567", another "+7 916 123-45-67": it is the same call.
        line = replace(line, caller=normalise_caller(line.caller, line.presentation, how.region) or "")
        value, named = _value(told.get("value", ""), currency)
        return MovedCall(
            line, _touch(told), told.get("number_name", "")[:100], _tags(told.get("tags", "")),
            told.get("note", "")[:LONGEST_NOTE], value, named,
        )  # fmt: skip
    except LeftOut as out:
        raise NotTaken(reference, "did" if out.why == "number" else "direction", _LEFT_OUT[out.why]) from None
    except BadValue as bad:
        raise NotTaken(reference, bad.column, bad.said) from None


def _made_up(told: Row) -> str:
    """What a call is known by whose row has no id: the same row again gives the same."""
    what = "\0".join(told.get(name, "") for name in ("did", "caller", "started_at"))
    return "row " + hashlib.blake2b(what.encode(errors="replace"), digest_size=12).hexdigest()


def plain_time(text: str) -> str:
    """An instant as read_row takes it: of twelve-hour clocks, of seconds since 1970, with its zone apart."""
    text = text.strip()
    if re.fullmatch(r"[0-9]{10}(?:[0-9]{3})?(?:\.0)?", text):
        return datetime.fromtimestamp(int(text[:10]), UTC).isoformat()
    if found := _CLOCK.fullmatch(text):
        day, hour, minute, second, half, rest = found.groups()
        hours = int(hour) % 12 + (12 if half in "pP" else 0)
        text = f"{day}{hours:02}:{minute}:{second or '00'}{rest}"
    if found := _ZONE.fullmatch(text):
        return f"{found[1]}{found[2]}:{found[3]}"
    if found := _UTC.fullmatch(text):
        return f"{found[1]}+00:00"
    return text


def landing_of(touch: Touch) -> str:
    """The landing page's address, with what it does not say of the source told by the service.

    What the address itself says counts first, as it does for our own visits.
    """
    parts = urlsplit(touch.landing_url if _is_url(touch.landing_url) else "https://landing.invalid/")
    there = {name.casefold() for name, _ in parse_qsl(parts.query)}
    more: dict[str, str] = {name: text for name, text in touch.click_ids.items() if name not in there}
    speaks = there & {"utm_source", *CLICK_IDS} or more
    source, medium = plain_source(touch.source, touch.medium)
    if source and not speaks:
        more |= {"utm_source": source} | ({"utm_medium": medium} if medium else {})
    if source or speaks:
        words = {"utm_campaign": touch.campaign, "utm_term": touch.keyword, "utm_content": touch.content}
        more |= {name: text for name, text in words.items() if text and name not in there}
    query = "&".join(filter(None, (parts.query, urlencode(more))))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def plain_source(source: str, medium: str) -> tuple[str, str]:
    """A service's names for source and medium in our words; "" and "" for somebody who came directly."""
    if found := _SOURCES.get(source.casefold()):
        return found
    return source.casefold(), _MEDIA.get(medium.casefold(), medium.casefold())


def _cell(row: FileRow, title: str) -> str:
    text = row.cells.get(title, "").strip()
    return "" if text.casefold() in _EMPTY else text


def _touch(told: Row) -> Touch:
    def word(name: str, longest: int = 200) -> str:
        return " ".join(told.get(name, "").split())[:longest]

    return Touch(
        word("source"), word("medium", 100), word("campaign"), word("keyword"), word("content"),
        told.get("landing_url", "")[:2048] if _is_url(told.get("landing_url", "")) else "",
        told.get("referrer", "")[:2048] if _is_url(told.get("referrer", "")) else "",
        {name: told[name] for name in CLICK_IDS if told.get(name)},
        word("visitor", 100),
    )  # fmt: skip


def _is_url(text: str) -> bool:
    if not re.match(r"https?://[^\s/]", text):
        return False
    try:
        return bool(urlsplit(text).hostname)
    except ValueError:
        return False


def _tags(text: str) -> tuple[str, ...]:
    tags = (" ".join(part.split())[:LONGEST_TAG] for part in re.split(r"[,;|]", text))
    return tuple(dict.fromkeys(tag for tag in tags if tag))[:MOST_TAGS]


def _value(text: str, currency: str) -> tuple[Decimal | None, str | None]:
    if not text:
        return None, None
    try:
        found = Amounts([text]).read(text, currency)
    except Unreadable as why:
        raise BadValue("value", why.said) from None
    return found.amount or None, found.currency
