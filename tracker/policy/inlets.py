"""What an inlet's messages mean: in which words a CRM tells of sales, of calls' worth, of who is responsible.

way = read_way({"map.phone": "phone", "map.status": "stage", "target": "QUALIFIED", "won": "WON", …})
for each in facts_of(message, way, region): …
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tracker.errors import Rejected
from tracker.policy.mapped_rows import MAP, ROWS, Mapped, placed_rows
from tracker.policy.phone import read_number
from tracker.policy.sales import PossibleCall, SaleStatus
from tracker.policy.titles import SALE_COLUMNS
from tracker.policy.worth import Category

RESPONSIBLE = "responsible"
PLACES = (*SALE_COLUMNS, RESPONSIBLE)
STATUS_WORDS = (*(each.value for each in SaleStatus), *(each.value for each in Category))
MOST_ROWS, MOST_PLACES = 500, 60
LONGEST_WORD = 300  # of a mapping's values
SAME_DEAL = timedelta(days=30)


class Became(enum.StrEnum):
    """What became of a message."""

    TAKEN = "taken"
    NOTHING = "nothing"  # it says nothing that is new here, or that is asked for
    REFUSED = "refused"


class What(enum.StrEnum):
    """What became of one thing that a row of a message says."""

    CATEGORY = "category"  # a call has that one now
    CATEGORY_SAME = "category_same"
    CATEGORY_KEPT = "category_kept"  # a person judged the call otherwise
    NO_CALL = "no_call"  # that is known here
    SALE = "sale"  # a new one
    SALE_CHANGED = "sale_changed"
    SALE_SAME = "sale_same"
    SALE_NEVER = "sale_never"  # what is cancelled was never sold
    RESPONSIBLE = "responsible"
    RESPONSIBLE_SAME = "responsible_same"
    RESPONSIBLE_GONE = "responsible_gone"
    PERSON_UNKNOWN = "person_unknown"  # is no target of the company's
    STATUS_UNKNOWN = "status_unknown"  # means nothing here
    BAD_PHONE = "bad_phone"
    EMPTY = "empty"  # nothing stands where it is looked for


# What changes something in the books.
DOES = frozenset((What.CATEGORY, What.SALE, What.SALE_CHANGED, What.RESPONSIBLE, What.RESPONSIBLE_GONE))


@dataclass(frozen=True)
class Result:
    """`about`: the category, the reference, the target or the word it is about; `call`: the call's key."""

    row: int  # from 1
    what: What
    about: str = ""
    call: str | None = None

    def document(self) -> dict[str, Any]:
        told = {"row": self.row, "what": self.what.value, "about": self.about, "call": self.call}
        return {name: value for name, value in told.items() if value not in {"", None}}

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Result:
        """What `document` wrote."""
        return cls(told["row"], What(told["what"]), told.get("about", ""), told.get("call"))


@dataclass(frozen=True)
class Way:
    """How an inlet's messages are read."""

    mapped: Mapped
    categories: Mapping[str, Category] = field(default_factory=dict)  # by their statuses, casefolded

    @property
    def sells(self) -> bool:
        return "revenue" in self.mapped.places

    @property
    def has_statuses(self) -> bool:
        return bool(self.mapped.statuses or self.categories)


@dataclass(frozen=True)
class Fact:
    """What one row of a message says."""

    row: int
    reference: str | None = None
    call: str | None = None
    phone: str | None = None  # E.164
    category: Category | None = None
    sale: Mapping[str, Any] | None = None  # in the words of told rows
    responsible: str | None = None  # their word for a person; "": nobody any more
    results: Sequence[Result] = ()  # what can be said of it already


def read_way(words: Mapping[str, str]) -> Way:
    """The meaning of a mapping as it is typed. Raises Rejected mapping.*."""
    places = {name.removeprefix(MAP): path for name, path in words.items() if name.startswith(MAP) and path}
    rows = places.pop(ROWS.removeprefix(MAP), "")
    _check_words(words)
    statuses = {word: each for each in SaleStatus for word in _several(words.get(each.value, ""))}
    categories = {word: each for each in Category for word in _several(words.get(each.value, ""))}
    way = Way(Mapped(places, rows, statuses), categories)
    _check_whole(way)
    return way


def _check_words(words: Mapping[str, str]) -> None:
    known = {*(MAP + each for each in PLACES), ROWS, *STATUS_WORDS}
    if unknown := [name for name in words if name not in known]:
        raise Rejected(
            "mapping.word",
            "%(word)s is no word of a mapping",
            "Give some of %(words)s",
            word=min(unknown)[:40],
            words=[*(MAP + each for each in PLACES), ROWS, *STATUS_WORDS],
        )
    if long := [name for name, value in words.items() if len(value) > LONGEST_WORD]:
        raise Rejected("mapping.long", "%(word)s is too long", "Give less", word=long[0])


def _check_whole(way: Way) -> None:
    places = way.mapped.places
    if not (way.sells or way.categories or RESPONSIBLE in places):
        raise Rejected(
            "mapping.nothing",
            "The mapping asks for nothing",
            "Map map.revenue for sales, map.responsible for who is responsible, or name statuses: target=…",
        )
    needed = [
        *(["status"] if way.has_statuses else []),
        *(["revenue"] if way.mapped.statuses else []),
        *(["reference"] if way.sells else []),
    ]
    if missing := [name for name in needed if name not in places]:
        raise Rejected(
            "mapping.missing",
            "The mapping does not say where %(name)s stands",
            "Add map.%(name)s=PATH, as in map.revenue=order.total",
            name=missing[0],
        )
    if not places.keys() & {"phone", "call", "visitor"}:
        raise Rejected(
            "mapping.whose",
            "The mapping does not say whose it is",
            "Add map.phone=PATH, or map.call=PATH for the key of our call",
        )


def facts_of(told: Any, way: Way, region: str) -> Iterator[Fact]:
    """What each row of a message says. Raises Rejected rows.many."""
    rows = placed_rows(told, way.mapped)
    if len(rows) > MOST_ROWS:
        raise Rejected(
            "rows.many", "There are %(count)s rows", "Send %(most)s at most at once",
            count=len(rows), most=MOST_ROWS,
        )  # fmt: skip
    for number, row in enumerate(rows, start=1):
        yield _fact(number, {name: _text(value) for name, value in row.items()}, way, region)


def _fact(number: int, row: Mapping[str, str | None], way: Way, region: str) -> Fact:
    if not any(row.values()):
        return Fact(number, results=(Result(number, What.EMPTY),))
    results: list[Result] = []
    phone = _phone(row.get("phone"), region)
    if phone is None and row.get("phone"):
        results.append(Result(number, What.BAD_PHONE, str(row["phone"])[:40]))
    word = (row.get("status") or "").casefold()
    category, became = way.categories.get(word), way.mapped.statuses.get(word)
    if way.has_statuses and word and category is None and became is None:
        results.append(Result(number, What.STATUS_UNKNOWN, (row["status"] or "")[:60]))
    sale = _sale(row, way, became) if way.sells else None
    if sale is not None:
        sale["phone"] = phone
    return Fact(
        number, row.get("reference"), row.get("call"), phone, category, sale, row.get(RESPONSIBLE), results
    )


def _sale(row: Mapping[str, str | None], way: Way, became: SaleStatus | None) -> dict[str, Any] | None:
    """The sale in our words; None where the row is none, by its status or for want of an order's number."""
    if not row.get("reference") or (way.mapped.statuses and became is None):
        return None
    if not way.mapped.statuses and not row.get("revenue"):
        return None
    sale: dict[str, Any] = {name: value for name, value in row.items() if name != RESPONSIBLE}
    return sale | {"status": became.value} if became else sale


def choose_call(calls: Sequence[PossibleCall]) -> PossibleCall | None:
    """Which of a person's calls a status is about: his latest; or the target call of the month before it.

    A deal that goes on is asked about by telephone, and that call did not bring it.
    """
    latest = max(calls, key=lambda call: (call.started_at, call.id), default=None)
    if latest is None:
        return None
    deal = [
        call
        for call in calls
        if call.category is Category.TARGET and latest.started_at - call.started_at <= SAME_DEAL
    ]
    return max(deal, key=lambda call: (call.started_at, call.id), default=latest)


def places_of(told: Any, most: int = MOST_PLACES) -> list[str]:
    """Where in a message something stands, without what: "order.billing.phone", the first of each list."""
    found = dict.fromkeys(_places(told, ""))
    return list(found)[:most]


def _places(told: Any, at: str, deep: int = 0) -> Iterator[str]:
    if deep > 8:
        return
    inner = (
        told.items() if isinstance(told, dict) else enumerate(told[:1]) if isinstance(told, list) else None
    )
    if inner is None:
        yield _clean(at)[:100]
        return
    for name, each in list(inner)[:MOST_PLACES]:
        yield from _places(each, f"{at}.{name}" if at else str(name), deep + 1)


def _several(words: str) -> list[str]:
    return [each.strip().casefold() for each in words.split(",") if each.strip()]


def _text(value: Any) -> str | None:
    """The text of a value; None where there is none. A list or a mapping is nothing that we look for."""
    if value is None or isinstance(value, dict | list):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return _clean(str(value)).strip()[:LONGEST_WORD]


def _clean(text: str) -> str:
    """Without what no database holds and nobody sees: NULs, halves of letters."""
    return "".join(each for each in text if each.isprintable())


def _phone(told: str | None, region: str) -> str | None:
    for text in (told, f"+{told}") if told else ():
        try:
            return read_number(text, region)
        except Rejected:
            continue
    return None
