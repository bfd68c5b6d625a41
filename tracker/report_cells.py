"""The words by which reports group calls, as columns, and what each value of them means.

    rows = session.execute(cells.joined(sa.select(*cells.columns, …)).group_by(*cells.names))

A word of the source is the visit's where there is one, else the channel's, as the filter of calls has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.call_search import Condition, of_companies
from tracker.models import Call, CallTag, Channel, Company, Number, Site, Tag, Target, Visit
from tracker.policy.addresses import read_address
from tracker.policy.origins import NOT_SET
from tracker.policy.report import Wish
from tracker.policy.report_words import CHANNEL, Blank, By, Cell, Weekday
from tracker.policy.spans import Span
from tracker.tallies import epoch_of, step_of

Select = sa.Select[*tuple[Any, ...]]
Fold = Callable[[Any], Cell]
Key = tuple[Cell, ...]
NOBODYS = -1  # an id that no row has
QUARTER = 900  # seconds: clocks of all zones differ by so many of them
_FOLDED = frozenset({By.LANDING, By.HOUR, By.WEEKDAY})  # of which several values are one row
_UNKNOWN = ""  # a word that is empty is told as "(not set)"


class Cells:
    """The columns of a report's rows."""

    def __init__(self, session: Session, parts: Sequence[By], zone: ZoneInfo) -> None:
        self.names = [f"cell_{place}" for place in range(len(parts))]
        self.columns = [_column(session, by).label(name) for by, name in zip(parts, self.names, strict=True)]
        self._parts = parts
        self._folds = [_fold(by, zone) for by in parts]

    @property
    def fold(self) -> bool:
        """Whether several rows that are read make one."""
        return bool(_FOLDED.intersection(self._parts))

    def key(self, values: Sequence[Any]) -> Key:
        """The row of these columns' values."""
        return tuple(fold(value) for fold, value in zip(self._folds, values, strict=True))

    def of_calls(self, wanted: Select) -> Select:
        """The statement about calls, with what the columns are of."""
        tables = wanted.select_from(Call).outerjoin(Visit, Visit.id == Call.visit_id)
        return self._more(tables.outerjoin(Channel, Channel.id == Call.channel_id))

    def of_visits(self, wanted: Select) -> Select:
        """The statement about visits, as if each had brought a call."""
        # SQLite looks at once that there is none, where a false condition makes it read all rows.
        tables = wanted.select_from(Visit).outerjoin(Call, Call.id == NOBODYS)
        return self._more(tables.outerjoin(Channel, Channel.id == NOBODYS))

    def _more(self, tables: Select) -> Select:
        if By.SITE in self._parts:
            tables = tables.outerjoin(Site, Site.id == Visit.site_id)
        if By.NUMBER in self._parts:
            tables = tables.outerjoin(Number, Number.id == Call.number_id)
        if By.EMPLOYEE in self._parts:
            tables = tables.outerjoin(Target, Target.id == Call.target_id)
        if By.TAG in self._parts:
            tables = tables.outerjoin(CallTag, CallTag.call_id == Call.id)
            tables = tables.outerjoin(Tag, Tag.id == CallTag.tag_id)
        return tables


@dataclass(frozen=True)
class Asked:
    """What is read, of which company and time."""

    session: Session
    company: Company
    wish: Wish
    cells: Cells
    span: Span
    by_sheets: bool = True

    @property
    def within(self) -> list[Condition]:
        """Calls that the report is about; the visit and the channel have to be joined."""
        return [
            of_companies([self.company.id]),
            Call.started_at >= self.span.since,
            Call.started_at < self.span.until,
            *conditions(self.wish.only),
        ]


def conditions(only: Mapping[str, str]) -> list[Condition]:
    """That a call, or a visit, has these words."""
    return [_word(name) == value for name, value in only.items()]


def _column(session: Session, by: By) -> sa.ColumnElement[Any]:
    if by in {By.HOUR, By.WEEKDAY}:
        return step_of(session, QUARTER)
    if by is By.CHANNEL:
        return _either(_set(Visit.group), sa.literal(CHANNEL) + Channel.name)
    if by in {By.SOURCE, By.MEDIUM, By.CAMPAIGN, By.KEYWORD}:
        return _word(by.value)
    of_visits: dict[By, Any] = {
        By.AD: Visit.content, By.LANDING: Visit.landing_url, By.SITE: Site.name, By.COUNTRY: Visit.country,
        By.DEVICE: Visit.device,
    }  # fmt: skip
    if by in of_visits:
        return _either(_set(of_visits[by]), sa.null())
    of_calls: dict[By, Any] = {
        By.NUMBER: Number.e164, By.EMPLOYEE: Target.name, By.CATEGORY: Call.category, By.TAG: Tag.name,
    }  # fmt: skip
    return sa.type_coerce(of_calls[by], sa.String)


def _word(name: str) -> sa.ColumnElement[Any]:
    return _either(_set(getattr(Visit, name)), _set(getattr(Channel, name)))


def _either(visits: Any, channels: Any) -> sa.ColumnElement[Any]:
    """The visit's, the channel's, or nothing known."""
    return sa.case((Visit.id.is_not(None), visits), (Channel.id.is_not(None), channels), else_=_UNKNOWN)


def _set(column: Any) -> sa.ColumnElement[Any]:
    return sa.case((column == "", NOT_SET), else_=column)


def _fold(by: By, zone: ZoneInfo) -> Fold:
    if by is By.HOUR:
        return lambda begun: Blank.NONE if begun is None else _local(begun, zone).hour
    if by is By.WEEKDAY:
        return lambda begun: Blank.NONE if begun is None else Weekday(_local(begun, zone).weekday())
    return _page if by is By.LANDING else _told


def _local(begun: Any, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(epoch_of(begun), UTC).astimezone(zone)


def _told(value: str | None) -> Cell:
    return Blank.NONE if value is None else Blank.UNKNOWN if value == _UNKNOWN else str(value)


def _page(value: str | None) -> Cell:
    """The page's address without what differs from visitor to visitor."""
    cell = _told(value)
    if not isinstance(cell, str) or cell == NOT_SET:
        return cell
    address = read_address(cell)
    return f"{address.host}{address.path}" if address is not None else NOT_SET
