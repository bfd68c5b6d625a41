"""A file of another call-tracking service as rows by their titles: CSV, JSON, or a JSON object a line.

    rows = read_file(content, vendor_of("callrail"), {"did": "tracking phone number"})

Titles are in small letters with spaces, whatever they were: "Tracking Number", `tracking_number`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tracker.errors import Rejected
from tracker.policy.moved import FileRow, Vendor
from tracker.policy.tables import MOST_ROWS, decode, plain_title, read_sheet

_LISTS = ("calls", "data", "records", "results", "items")


def read_file(content: bytes, vendor: Vendor, chosen: Mapping[str, str]) -> list[FileRow]:
    """The rows of a file; `chosen` has further titles that matter. Raises Rejected file.*."""
    known = {title: title for title in (*vendor.titles(), *chosen.values())}
    text, _ = decode(content)
    if text.removeprefix("\ufeff").lstrip()[:1] in {"{", "["}:
        rows = [FileRow(at, flat(each)) for at, each in enumerate(_objects(text), start=1)]
        if rows and not any(known.keys() & row.cells.keys() for row in rows):
            raise Rejected(
                "file.titles",
                "The file's objects have no member that %(vendor)s is known to write",
                "Is it an export of calls? Say which is which: --column did=NAME",
                vendor=vendor.title,
            )
        return rows
    sheet = read_sheet(content, known)
    return [
        FileRow(line, {name: cell for name, cell in zip(sheet.names, cells, strict=False) if name})
        for line, cells in sheet.rows
    ]


def flat(thing: Mapping[str, Any]) -> dict[str, str]:
    """An object's members as texts: those of members as `agent.name`, lists parted by commas."""
    found: dict[str, str] = {}
    for name, value in thing.items():
        title = plain_title(str(name))
        if isinstance(value, Mapping):
            found |= {f"{title}.{inner}": text for inner, text in flat(value).items()}
        elif isinstance(value, list):
            found[title] = ", ".join(filter(None, map(_listed, value)))
        else:
            found[title] = _text(value)
    return found


def _listed(value: Any) -> str:
    """A tag, or whatever a list has: of an object its name, or its names or its text."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(_listed, value)))
    if not isinstance(value, Mapping):
        return _text(value)
    return next(
        (_listed(value[name]) for name in ("names", "name", "text", "comment") if value.get(name)), ""
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _objects(text: str) -> Sequence[Mapping[str, Any]]:
    try:
        told = json.loads(text.removeprefix("\ufeff"))
    except ValueError:
        told = _lines(text)
    if isinstance(told, dict):
        lists = [told[name] for name in _LISTS if isinstance(told.get(name), list)]
        told = lists[0] if lists else [told]
    if len(told) > MOST_ROWS:
        raise Rejected(
            "file.long",
            "The file has %(count)s rows",
            "Give %(most)s at most",
            count=len(told),
            most=MOST_ROWS,
        )
    calls = [each for each in told if isinstance(each, dict)]
    if not calls or len(calls) < len(told):
        raise Rejected("file.empty", "The file has no calls", "Give an export of calls, as CSV or JSON")
    return calls


def _lines(text: str) -> list[Any]:
    try:
        return [json.loads(line) for line in text.removeprefix("\ufeff").splitlines() if line.strip()]
    except ValueError:
        raise Rejected(
            "file.json", "The file is no JSON", "Give the API's answer as it came, or an object a line"
        ) from None
