"""The table of a report as its page has it: figures and links by the names of row and column.

page = read_table(browser.get("/reports?by=source").text)
page.rows["google"]["Calls"].text, page.total["Cost"].text
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Cell:
    text: str = ""
    links: list[str] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)  # what stands in small letters, or behind a figure

    @property
    def link(self) -> str:
        (link,) = self.links
        return link


@dataclass(frozen=True)
class Table:
    heads: Mapping[str, Cell]
    rows: Mapping[str, Mapping[str, Cell]]
    total: Mapping[str, Cell]


class _Reader(HTMLParser):
    """Collects the cells of the report's table, a list a row."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[list[Cell]] = []
        self._inside, self._small, self._cell = False, 0, None

    _cell: Cell | None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "table":
            self._inside = "report" in (given.get("class") or "").split()
        if not self._inside:
            return
        if tag == "tr":
            self.lines.append([])
        if tag in {"th", "td"}:
            self._cell = Cell()
            self.lines[-1].append(self._cell)
        if tag == "a" and self._cell is not None:
            self._cell.links.append(given.get("href") or "")
        self._small += tag == "small"

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self._inside = False
        if tag in {"th", "td"}:
            self._cell = None
        self._small -= self._inside and tag == "small"

    def handle_data(self, data: str) -> None:
        if self._cell is None:
            return
        if self._small:
            self._cell.inside.append(data.strip())
        else:
            self._cell.text += data.strip()


def read_table(html: str) -> Table:
    """The table; a row split in two is named by both words, as "google / cpc"."""
    reader = _Reader()
    reader.feed(html)
    _, heads, *lines, last = reader.lines
    names = len(heads) - len(last) + 1
    titles = [cell.text for cell in heads[names:]]
    rows = {
        " / ".join(cell.text for cell in line[:names]): {"": line[0]}
        | dict(zip(titles, line[names:], strict=True))
        for line in lines
    }
    return Table({cell.text: cell for cell in heads}, rows, dict(zip(titles, last[1:], strict=True)))
