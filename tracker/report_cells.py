"""The words by which reports group calls, as columns, and what each value of them means.

    rows = session.execute(cells.joined(sa.select(*cells.columns, …)).group_by(*cells.names))

A word of the source is the visit's where there is one, else the channel's, as the filter of calls has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.call_search import IS_COUNTED, Condition, of_companies
from tracker.call_words import call_delay, call_kind, caller_digits, caller_heard, landing_page
from tracker.models import Call, CallTag, Channel, Company, Number, Site, Tag, Target, Visit
from tracker.policy.call_words import Delay
from tracker.policy.caller_regions import UNKNOWN, regions
from tracker.policy.clocks import offsets
from tracker.policy.origins import NOT_SET
from tracker.policy.report import Wish
from tracker.policy.report_words import CALENDAR, CHANNEL, Blank, By, Calendar, Cell, Weekday, calendar_cell
from tracker.policy.spans import Span
from tracker.tallies import epoch_of, step_of

Select = sa.Select[*tuple[Any, ...]]
Fold = Callable[[Any], Cell]
Key = tuple[Cell, ...]
NOBODYS = -1  # an id that no row has
QUARTER = 900  # seconds: clocks of all zones differ by so many of them
_FOLDED = frozenset({By.HOUR, By.WEEKDAY})  # of which several values, with the same callers, are one row
_FORMS = {By.DAY: ("%Y-%m-%d", "YYYY-MM-DD"), By.MONTH: ("%Y-%m", "YYYY-MM")}
_UNKNOWN = ""  # a word that is empty is told as "(not set)"


class Cells:
    """The columns of a report's rows, as long as the calls lie between `times`."""

    def __init__(self, session: Session, parts: Sequence[By], zone: ZoneInfo, *times: datetime) -> None:
        self.names = [f"cell_{place}" for place in range(len(parts))]
        self.columns = [
            (_day(session, by, zone, times) if by in CALENDAR else _column(session, by)).label(name)
            for by, name in zip(parts, self.names, strict=True)
        ]
        self._parts, self._zone = parts, zone
        self._folds = [_fold(by, zone) for by in parts]

    @property
    def fold(self) -> bool:
        """Whether several rows that are read make one."""
        return bool(_FOLDED.intersection(self._parts))

    def key(self, values: Sequence[Any]) -> Key:
        """The row of these columns' values."""
        return tuple(fold(value) for fold, value in zip(self._folds, values, strict=True))

    def dated(self, key: Key, at: datetime) -> Key:
        """The row of what happened then: its day, where rows are days, is no other's."""
        if CALENDAR.isdisjoint(self._parts):
            return key
        day = at.astimezone(self._zone).date()
        return tuple(
            calendar_cell(by, day) if by in CALENDAR else cell
            for by, cell in zip(self._parts, key, strict=True)
        )

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
            IS_COUNTED,
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
    if by in _OF_VISITS:
        return _either(_OF_VISITS[by], sa.null())
    return sa.type_coerce(_OF_CALLS[by], sa.String)


def _day(session: Session, by: By, zone: ZoneInfo, times: Sequence[datetime]) -> sa.ColumnElement[Any]:
    """By the zone's clocks, as they were at the call."""
    changes = list(offsets(zone, min(times), max(times)))
    last = _day_after(session, by, changes[-1][1])
    earlier = [
        (Call.started_at < until, _day_after(session, by, offset))
        for (_, offset), (until, _) in pairwise(changes)
    ]
    return sa.case(*earlier, else_=last) if earlier else last


def _day_after(session: Session, by: By, offset: timedelta) -> sa.ColumnElement[Any]:
    sqlite, postgres = _FORMS[by]
    if session.get_bind().dialect.name == "sqlite":
        return sa.func.strftime(sqlite, Call.started_at, f"{offset.total_seconds():+.0f} seconds")
    at = sa.type_coerce(Call.started_at, sa.DateTime(timezone=True))
    return sa.func.to_char(sa.func.timezone("UTC", at) + offset, postgres)


def _word(name: str) -> sa.ColumnElement[Any]:
    return _either(_set(getattr(Visit, name)), _set(getattr(Channel, name)))


def _either(visits: Any, channels: Any) -> sa.ColumnElement[Any]:
    """The visit's, the channel's, or nothing known."""
    return sa.case((Visit.id.is_not(None), visits), (Channel.id.is_not(None), channels), else_=_UNKNOWN)


def _set(column: Any) -> sa.ColumnElement[Any]:
    return sa.case((column == "", NOT_SET), else_=column)


_PAGE = sa.func.coalesce(sa.func.nullif(landing_page, ""), NOT_SET)
_OF_VISITS: dict[By, Any] = {
    By.AD: _set(Visit.content), By.SITE: _set(Site.name), By.COUNTRY: _set(Visit.country),
    By.DEVICE: _set(Visit.device), By.LANDING: sa.case((Visit.landing_url.is_not(None), _PAGE)),
    By.DELAY: call_delay,
}  # fmt: skip
_OF_CALLS: dict[By, Any] = {
    By.NUMBER: Number.e164, By.EMPLOYEE: Target.name, By.CATEGORY: Call.category, By.TAG: Tag.name,
    By.KIND: sa.case((Call.id.is_not(None), sa.func.coalesce(call_kind, _UNKNOWN))),
    By.CALLER: caller_heard, By.REGION: caller_digits,
}  # fmt: skip


def _fold(by: By, zone: ZoneInfo) -> Fold:
    if by is By.HOUR:
        return lambda begun: Blank.NONE if begun is None else _local(begun, zone).hour
    if by is By.WEEKDAY:
        return lambda begun: Blank.NONE if begun is None else Weekday(_local(begun, zone).weekday())
    if by in CALENDAR:
        return lambda told: Blank.NONE if told is None else Calendar(told)
    if by is By.REGION:
        return lambda digits: Blank.NONE if digits is None else regions().get(digits, UNKNOWN)
    return _delay if by is By.DELAY else _told


def _local(begun: Any, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(epoch_of(begun), UTC).astimezone(zone)


def _told(value: str | None) -> Cell:
    return Blank.NONE if value is None else Blank.UNKNOWN if value == _UNKNOWN else str(value)


def _delay(value: str | None) -> Cell:
    cell = _told(value)
    return Delay(cell) if isinstance(cell, str) else cell
