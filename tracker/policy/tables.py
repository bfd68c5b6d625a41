"""A table out of somebody else's program: bytes in, rows by their line in the file out.

    sheet = read_sheet(content, COST_TITLES)

Encoding, delimiter and the row of titles are found, not asked for: UTF-8 and UTF-16 with or without a byte
order mark, Windows' Cyrillic and Central European; commas, semicolons or tabs, Excel's `sep=;` line; lines
above the titles, as exports have them. A file that cannot be read in one way is refused.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from tracker.errors import Rejected, Said
from tracker.policy.entries import count_of

LARGEST_BYTES = 50_000_000
MOST_ROWS = 500_000
MOST_CELLS = 1_000  # of a row
_DELIMITERS = ";\t,"
_ABOVE = 20  # rows among which the titles are looked for
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SEP = re.compile(r"[\"']?sep=([^\"'\r])[\"']?\s*", re.IGNORECASE)
_MIXED = re.compile(r"[A-Za-z][\u0400-\u04ff]|[\u0400-\u04ff][A-Za-z]")


@dataclass(frozen=True)
class BadCell:
    """What is wrong with a row, and in which column as the file calls it; column "": the whole row."""

    line: int
    column: str
    said: Said

    @property
    def problem(self) -> str:
        """The sentence in English."""
        return str(self.said)


class BadRows(Exception):
    """A list with mistakes: every one of them by its line. Nothing of the list is stored."""

    def __init__(self, problems: Sequence[BadCell]) -> None:
        rows = len({each.line for each in problems})
        super().__init__(f"{count_of(rows, 'bad row')}; nothing was imported")
        self.problems = sorted(problems, key=lambda each: each.line)


class Unreadable(Exception):
    """A cell that cannot be read; whoever knows its line and column makes a BadCell of it."""

    def __init__(self, said: Said) -> None:
        super().__init__(str(said))
        self.said = said


@dataclass(frozen=True)
class Sheet:
    """Rows below their titles; `names` gives our word for each column, None for one that is not used."""

    encoding: str
    delimiter: str
    titles: tuple[str, ...]
    names: tuple[str | None, ...]
    rows: Sequence[tuple[int, list[str]]]

    @property
    def unused(self) -> list[str]:
        """Titles of the columns that are left out."""
        return [title for title, name in zip(self.titles, self.names, strict=True) if name is None and title]

    def title_of(self, name: str) -> str:
        """What the file calls a column of ours."""
        return self.titles[self.names.index(name)] if name in self.names else name

    def cells(self, name: str) -> Iterator[str]:
        """The column's cells."""
        if name in self.names:
            at = self.names.index(name)
            yield from (cells[at] for _, cells in self.rows if len(cells) > at)


def read_sheet(content: bytes, known: Mapping[str, str], chosen: Mapping[str, str] | None = None) -> Sheet:
    """The table of a file; `known` gives our word for a title, `chosen` the title for a word of ours.

    Raises Rejected file.* when it is no such table.
    """
    text, encoding = decode(content)
    skipped, delimiters, text = _excels_line(text)
    wanted = {plain_title(title): name for name, title in (chosen or {}).items()}
    _check_names(chosen or {}, known)
    found = max(
        (_titles(text, delimiter, known, wanted) for delimiter in delimiters),
        key=lambda each: (each.score, each.width),
    )
    if found.score == 0:
        raise Rejected(
            "file.titles",
            "No row of the file names columns that are known here",
            "Begin it with a row of titles; the manual lists those that are understood",
        )
    there = {plain_title(title) for title in found.titles}
    if missing := [title for title in (chosen or {}).values() if plain_title(title) not in there]:
        raise Rejected(
            "file.column",
            "The file has no column %(missing)r",
            "It has %(titles)s",
            missing=missing[0],
            titles=list(found.titles),
        )
    below = islice(_rows(text, found.delimiter), found.place + 1, None)
    rows = [(line + skipped, cells) for line, cells in islice(below, MOST_ROWS)]
    if not rows:
        raise Rejected("file.empty", "The file has no rows below its titles", "Give at least one")
    if beyond := sum(1 for _ in below):  # counted, not kept: there may be ten million of them
        raise Rejected(
            "file.long",
            "The file has %(count)s rows",
            "Give %(most)s at most",
            count=MOST_ROWS + beyond,
            most=MOST_ROWS,
        )
    return Sheet(encoding, found.delimiter, found.titles, _unique(found), rows)


def _check_names(chosen: Mapping[str, str], known: Mapping[str, str]) -> None:
    if strange := [name for name in chosen if name not in known.values()]:
        names = ", ".join(dict.fromkeys(known.values()))
        raise Rejected(
            "file.column",
            "There is no column %(strange)r here",
            "There are %(names)s",
            strange=strange[0],
            names=names,
        )


def decode(content: bytes) -> tuple[str, str]:
    """The text of a file and the encoding it was found to be in. Raises Rejected file.*."""
    if len(content) > LARGEST_BYTES:
        raise Rejected(
            "file.large",
            "The file is too large",
            "Give %(megabytes)s MB at most, or split it",
            megabytes=LARGEST_BYTES // 1000000,
        )
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Rejected("file.workbook", "This is an Excel workbook", "Save it as CSV UTF-8, and give that")
    for encoding in _encodings(content):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text, encoding.removesuffix("-sig")
    raise Rejected("file.encoding", "The file is in no encoding that is known here", "Save it as CSV UTF-8")


def _encodings(content: bytes) -> Iterator[str]:
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            yield encoding
            return
    start = content[:2000]
    if 0 in start:  # in UTF-16 the marks between cells have an empty half, and no other text has any
        yield "utf-16-le" if start[1::2].count(0) >= start[::2].count(0) else "utf-16-be"
        return
    yield "utf-8"
    # Windows' code pages fit nearly any bytes. Read in the wrong one, Polish has Cyrillic inside its words.
    try:
        mixed = len(_MIXED.findall(content.decode("cp1251")))
    except UnicodeDecodeError:
        mixed = 1
    yield from ("cp1250", "cp1251") if mixed else ("cp1251", "cp1250")


def _excels_line(text: str) -> tuple[int, str, str]:
    """How many lines come before the table, the delimiters to try, and the table."""
    first, _, rest = text.partition("\n")
    if told := _SEP.fullmatch(first):
        return 1, told[1], rest
    return 0, _DELIMITERS, text


@dataclass(frozen=True)
class _Titles:
    delimiter: str
    place: int = 0
    titles: tuple[str, ...] = ()
    names: tuple[str | None, ...] = ()

    @property
    def score(self) -> int:
        return sum(name is not None for name in self.names)

    @property
    def width(self) -> int:
        return len(self.titles)


def _titles(text: str, delimiter: str, known: Mapping[str, str], wanted: Mapping[str, str]) -> _Titles:
    """The row among the first that has the most titles we know, with this delimiter."""
    best = _Titles(delimiter)
    try:
        for place, (_, cells) in enumerate(_rows(text, delimiter)):
            titles = tuple(" ".join(cell.split()) for cell in cells)
            names = tuple(_name(title, known, wanted) for title in titles)
            tried = _Titles(delimiter, place, titles, names)
            best = max(best, tried, key=lambda each: each.score)
            if place == _ABOVE:
                break
    except Rejected:
        if best.score == 0:  # quotes that are none with this delimiter
            return best
    return best


def _name(title: str, known: Mapping[str, str], wanted: Mapping[str, str]) -> str | None:
    word = plain_title(title)
    if word in wanted:
        return wanted[word]
    found = known.get(word) or known.get(plain_title(re.split(r"[(,]", title)[0]))
    return None if found in wanted.values() else found


def plain_title(title: str) -> str:
    """A title as tables of titles have it: small letters, single spaces, е for ё."""
    return " ".join(title.casefold().replace("ё", "е").replace("_", " ").split())


def _unique(found: _Titles) -> tuple[str | None, ...]:
    """Raises Rejected file.column where two columns would be the same of ours."""
    for name in filter(None, found.names):
        if found.names.count(name) > 1:
            both = [t for t, n in zip(found.titles, found.names, strict=True) if n == name]
            raise Rejected(
                "file.column",
                "%(names)s both look like the column `%(name)s`",
                "Say which it is, as in --column %(name)s=%(both)r, or leave one out",
                names=list(map(repr, both)),
                name=name,
                both=both[0],
            )
    return found.names


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty, each with the line that it begins in."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if len(cells) > MOST_CELLS:
                raise csv.Error(f"it has {len(cells)} cells")
            if any(map(str.strip, cells)):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise Rejected(
            "file.csv",
            "The row in line %(line)s is no CSV: %(error)s",
            "Save it as CSV once more",
            line=line,
            error=error,
        ) from None
