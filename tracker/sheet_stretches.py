"""Columns of days that have sheets, a month or what there is of it at a time: out of memory where they were
read before.

    stretches = read(session, company.id, kind, sheets, ["id", "source"])
    stretches.parts[begin]["source"]        # of all days of the stretch that begins then
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.column_shelf import keep, kept
from tracker.models import SheetColumn
from tracker.policy.columns import Column, Ints, joined
from tracker.policy.sheets import Interval, Sheet
from tracker.sheet_kinds import Kind, digest_of, digests

Part = Mapping[str, Column | Ints]


class Stretches(NamedTuple):
    """Columns by where the stretch begins; nothing, but the days, where columns are not what sheets tell."""

    parts: Mapping[datetime, Part]
    doubtful: Sequence[Interval]


@dataclass(frozen=True, eq=False)
class _Stretch:
    """Days one after the other, and the digests of their columns."""

    days: Sequence[Interval]
    told: Sequence[Mapping[str, str]]

    @property
    def since(self) -> datetime:
        return self.days[0].since

    def key(self, kind: Kind, name: str) -> Hashable:
        """Says what the column says: the same wherever and whenever it was read."""
        told = "".join(f"{each.get(kind.key)} {each.get(name)} " for each in self.told)
        return kind.name, name, hashlib.sha256(told.encode()).digest()


def read(
    session: Session, company_id: int, kind: Kind, sheets: Iterable[Sheet], names: Sequence[str]
) -> Stretches:
    """The columns of the days of these sheets, which are in order."""
    stretches = list(_stretches(sheets))
    parts = {each.since: _kept(each, kind, names) for each in stretches}
    lacking = [each for each in stretches if len(parts[each.since]) < len(names)]
    if not lacking:
        return Stretches(parts, ())
    wanted = {kind.key, *(name for each in lacking for name in names if name not in parts[each.since])}
    time = Interval(lacking[0].since, lacking[-1].days[-1].until)
    data = _data(session, company_id, kind, time, wanted)
    if doubtful := [day for each in lacking for day in _doubtful(each, data, wanted)]:
        return Stretches({}, doubtful)
    for stretch in lacking:
        part = parts[stretch.since]
        days = [kind.parsed(data[day.since]) for day in stretch.days]
        for name in set(names) - part.keys():
            part[name] = joined_as(kind, name, days)
            keep(stretch.key(kind, name), part[name])
    return Stretches(parts, ())


def joined_as(kind: Kind, name: str, parts: Sequence[Part]) -> Column | Ints:
    """One column of those of these parts."""
    columns = [part[name] for part in parts]
    words = [column for column in columns if isinstance(column, Column)]
    if words:
        return joined(words, [len(part[kind.key]) for part in parts])
    return np.concatenate([column for column in columns if not isinstance(column, Column)])


def _stretches(sheets: Iterable[Sheet]) -> Iterator[_Stretch]:
    days, told = list[Interval](), list[Mapping[str, str]]()
    for sheet in sheets:
        if days and (days[-1].until != sheet.time.since or days[0].since.month != sheet.time.since.month):
            yield _Stretch(days, told)
            days, told = [], []
        days.append(sheet.time)
        told.append(digests(sheet.data))
    if days:
        yield _Stretch(days, told)


def _kept(stretch: _Stretch, kind: Kind, names: Iterable[str]) -> dict[str, Column | Ints]:
    told = {name: kept(stretch.key(kind, name)) for name in names}
    return {name: column for name, column in told.items() if column is not None}


def _data(
    session: Session, company_id: int, kind: Kind, time: Interval, names: Iterable[str]
) -> Mapping[datetime, Mapping[str, bytes]]:
    wanted = sa.select(SheetColumn.since_at, SheetColumn.name, SheetColumn.data).where(
        SheetColumn.company_id == company_id,
        SheetColumn.kind == kind.name,
        SheetColumn.name.in_(list(names)),
        SheetColumn.since_at >= time.since,
        SheetColumn.since_at < time.until,
    )
    found = defaultdict[datetime, dict[str, bytes]](dict)
    for since, name, data in session.connection().execute(wanted):
        found[since][name] = data
    return found


def _doubtful(
    stretch: _Stretch, data: Mapping[datetime, Mapping[str, bytes]], names: Collection[str]
) -> Iterator[Interval]:
    """Days whose columns were made anew since their sheets were read, or were harmed."""
    for day, told in zip(stretch.days, stretch.told, strict=True):
        columns = data.get(day.since, {})
        if any(name not in columns or digest_of(columns[name]) != told.get(name) for name in names):
            yield day
