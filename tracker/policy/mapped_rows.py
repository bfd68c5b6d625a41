"""Sales in the words of whoever tells them: the address says where in a message each thing stands.

?map.reference=order.id&map.revenue=order.total&map.phone=order.billing.phone&map.at=order.paid_at
&map.status=order.status&won=completed,processing&cancelled=refunded
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tracker.errors import Rejected
from tracker.policy.sales import SaleStatus
from tracker.policy.titles import SALE_COLUMNS

MAP, ROWS = "map.", "map.rows"
NEEDED = ("reference", "revenue", "at")  # without a reference the same order told again would be another sale
_DEEPEST = 12
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_CHOSEN = re.compile(r"\[([^=\]]{1,60})=([^\]]{1,100})\]")  # of a list: that whose field is this
_EPOCH = re.compile(r"\d{10}|\d{13}")  # seconds, milliseconds


@dataclass(frozen=True)
class Mapped:
    """Where each thing stands, and which of their statuses mean what; others are no sale's."""

    places: Mapping[str, str]  # our columns: their paths
    rows: str = ""  # where the list is; "": the message is a list, or one row
    statuses: Mapping[str, SaleStatus] = field(default_factory=dict)  # theirs, casefolded


def is_mapped(query: Mapping[str, str]) -> bool:
    """Whether an address maps at all."""
    return any(name.startswith(MAP) for name in query)


def read_mapping(query: Mapping[str, str]) -> Mapped:
    """The mapping that an address holds. Raises Rejected mapping.unknown, mapping.missing."""
    places = {name.removeprefix(MAP): path for name, path in query.items() if name.startswith(MAP)}
    rows = places.pop(ROWS.removeprefix(MAP), "")
    if unknown := places.keys() - set(SALE_COLUMNS):
        raise Rejected(
            "mapping.unknown",
            "map.%(name)s is nothing of a sale",
            "Map some of %(columns)s",
            name=min(unknown)[:40],
            columns=", ".join(SALE_COLUMNS),
        )
    if missing := [name for name in NEEDED if not places.get(name)]:
        raise Rejected(
            "mapping.missing",
            "The address does not say where %(name)s stands",
            "Add map.%(name)s=PATH, as in map.revenue=order.total",
            name=missing[0],
        )
    told = ((word, query.get(word.value, "")) for word in SaleStatus)
    statuses = {
        each.strip().casefold(): word for word, text in told for each in text.split(",") if each.strip()
    }
    return Mapped(places, rows, statuses)


def mapped_rows(told: Any, its: Mapped) -> tuple[list[dict[str, Any]], int]:
    """Rows in our words, and how many were left out: of a status that makes no sale, and takes none back.

    Raises Rejected rows.malformed where there is no row at all.
    """
    rows = placed_rows(told, its)
    if not rows:
        raise Rejected(
            "rows.malformed",
            "There is nothing at %(path)r",
            "See map.rows, and the message",
            path=its.rows[:60],
        )
    if not its.statuses or "status" not in its.places:
        return rows, 0
    kept = []
    for row in rows:
        status = its.statuses.get(str(row["status"]).strip().casefold())
        if status is not None:
            kept.append(row | {"status": status.value})
    return kept, len(rows) - len(kept)


def placed_rows(told: Any, its: Mapped) -> list[dict[str, Any]]:
    """What stands at the places of each row that there is; None where nothing does."""
    found = list(_rows(_at(told, its.rows) if its.rows else told))
    return [{name: _plain(name, _first(row, path)) for name, path in its.places.items()} for row in found]


def unfolded(form: Mapping[str, str]) -> dict[str, Any]:
    """A form's fields as a message: "leads[status][0][id]" stands at leads.status.0.id."""
    told: dict[str, Any] = {}
    for name, value in form.items():
        head, *_ = name.split("[", 1)
        steps = [head, *_BRACKETS.findall(name)][:_DEEPEST]
        inner = told
        for step in steps[:-1]:
            deeper = inner.setdefault(step, {})
            inner = deeper if isinstance(deeper, dict) else {}
        inner[steps[-1]] = value
    return told


def _rows(found: Any) -> Iterator[Any]:
    if isinstance(found, dict) and found and all(str(name).isdecimal() for name in found):
        yield from found.values()  # a form's list
    elif isinstance(found, list):
        yield from found
    elif found is not None:
        yield found


def value_at(told: Any, path: str) -> Any:
    """What stands at a path; None where nothing does."""
    return _at(told, path)


def _first(row: Any, paths: str) -> Any:
    """What stands at the first of several paths, "billing.phone|shipping.phone", at which something does."""
    found = [_at(row, path.strip()) for path in paths.split("|")]
    return next((each for each in found if each is not None and each != ""), found[-1])


def _at(told: Any, path: str) -> Any:
    """What stands at a path of names and places in lists; None where nothing does.

    A step "[id=17]" is the one of a list whose `id` is 17.
    """
    for step in path.split(".")[:_DEEPEST]:
        if (chosen := _CHOSEN.fullmatch(step)) is not None:
            told = next((it for it in _rows(told) if _is(it, chosen[1], chosen[2])), None)
        elif isinstance(told, dict):
            told = told.get(step)
        elif isinstance(told, list) and re.fullmatch(r"\d{1,6}", step) and int(step) < len(told):
            told = told[int(step)]
        else:
            return None
    return told


def _is(it: Any, name: str, value: str) -> bool:
    return isinstance(it, dict) and str(it.get(name, "")).casefold() == value.casefold()


def _plain(name: str, value: Any) -> Any:
    """The value of a column; an instant may be a number of seconds or milliseconds."""
    if name == "at" and _EPOCH.fullmatch(str(value)):
        seconds = int(value) / (1000 if len(str(value)) == 13 else 1)
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    return value
