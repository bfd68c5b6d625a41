"""Calls by the number of their page, for programs that know no other way: how many there are, and which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.call_search import narrow, of_companies
from tracker.models import Call
from tracker.policy.call_filter import CallFilter


@dataclass(frozen=True)
class Numbered:
    """One page's calls by their ids, in order, and how many calls there are on all pages."""

    ids: Sequence[int]
    total: int


def read_page(
    session: Session, company_ids: Iterable[int], by: CallFilter, page: int, size: int, *, newest_first: bool
) -> Numbered:
    """The page of that number, from 1 on. The further back, the longer it takes: it counts what is before."""
    wanted = narrow(sa.select(Call).where(of_companies(company_ids)), by)
    every = wanted.with_only_columns(Call.id).subquery()
    total = session.scalar(sa.select(sa.func.count()).select_from(every))
    order = Call.started_at, Call.id
    ordered = wanted.with_only_columns(Call.id).order_by(*(it.desc() if newest_first else it for it in order))
    ids = session.scalars(ordered.limit(size).offset((page - 1) * size)).all()
    return Numbered(ids, total or 0)
