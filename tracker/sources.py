"""A company's rules on where visits come from, and the referrers that are known here."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Company, Referrer, Site, SourceRule
from tracker.policy.entries import read_title, read_word
from tracker.policy.patterns import read_pattern
from tracker.policy.referrers import BUILT_IN, Kind, KnownHost, Referrers
from tracker.policy.sources import LONGEST_MEDIUM, LONGEST_NAME, Part, Rule

MOST_RULES = 100  # each is searched for in every visit's address

# Built once: they are asked for with every site that is read anew.
_RULES = (
    sa.select(SourceRule.part, SourceRule.pattern, SourceRule.medium, SourceRule.source, SourceRule.campaign)
    .where(SourceRule.company_id == sa.bindparam("company"))
    .order_by(SourceRule.position, SourceRule.id)
)
_DOMAINS = sa.select(Site.domains).where(Site.company_id == sa.bindparam("company"))
_VERSION = sa.select(sa.func.count(Referrer.id), sa.func.max(Referrer.imported_at))

_Version = tuple[int, datetime | None]
# By database: what was read last, and the import it stems from.
_known: weakref.WeakKeyDictionary[sa.Pool, tuple[_Version, Referrers]] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def add_rule(
    session: Session,
    by: By,
    company: Company,
    part: str,
    pattern: str,
    *,
    medium: str,
    source: str,
    campaign: str | None = None,
    position: int | None = None,
) -> SourceRule:
    """A new rule: behind the others, or at `position` (1 is asked first).

    Raises Rejected: source.pattern, source.part, source.text, source.many, source.position.
    """
    rules = list(rows_of(session, company.id))
    if len(rules) >= MOST_RULES:
        raise Rejected(
            "source.many",
            "There are %(count)s rules already",
            "Delete one, or join some with |",
            count=len(rules),
        )
    place = len(rules) + 1 if position is None else _read_position(position, len(rules) + 1)
    rule = SourceRule(
        company_id=company.id,
        position=place,
        part=read_word(Part, part, "source.part"),
        pattern=read_pattern(pattern),
        medium=read_title(medium, "source", LONGEST_MEDIUM),
        source=read_title(source, "source", LONGEST_NAME),
        campaign=read_title(campaign, "source", LONGEST_NAME) if campaign else None,
        created_at=by.at,
    )
    session.add(rule)
    rules.insert(place - 1, rule)
    _number(rules)
    session.flush()
    by.note(session, "source.rule.add", company.id, subject=rule.pattern, detail={"source": rule.source})
    return rule


def move_rule(session: Session, by: By, company: Company, position: int, to: int) -> SourceRule:
    """Let the rule be asked as the `to`-th. Raises Rejected source.position."""
    rules = list(rows_of(session, company.id))
    rule = rules.pop(_read_position(position, len(rules)) - 1)
    rules.insert(_read_position(to, len(rules) + 1) - 1, rule)
    _number(rules)
    session.flush()
    by.note(session, "source.rule.move", company.id, subject=rule.pattern, detail={"position": to})
    return rule


def delete_rule(session: Session, by: By, company: Company, position: int) -> SourceRule:
    """Delete a rule; what it decided for earlier visits stays. Raises Rejected source.position."""
    rules = list(rows_of(session, company.id))
    rule = rules.pop(_read_position(position, len(rules)) - 1)
    session.delete(rule)
    _number(rules)
    session.flush()
    by.note(session, "source.rule.delete", company.id, subject=rule.pattern, detail={"source": rule.source})
    return rule


def rows_of(session: Session, company_id: int) -> Sequence[SourceRule]:
    """The company's rules as they are stored, in the order in which they are asked."""
    wanted = sa.select(SourceRule).where(SourceRule.company_id == company_id)
    return session.scalars(wanted.order_by(SourceRule.position, SourceRule.id)).all()


def describe(rule: SourceRule) -> dict[str, Any]:
    """A rule as JSON."""
    return {
        "id": rule.id,
        "position": rule.position,
        "part": rule.part,
        "pattern": rule.pattern,
        "medium": rule.medium,
        "source": rule.source,
        "campaign": rule.campaign,
        "created_at": rule.created_at,
    }


def rules_of(session: Session, company_id: int) -> tuple[Rule, ...]:
    """The company's rules for `tracker.policy.sources.classify`; they outlive the session."""
    return tuple(
        Rule(Part(row.part), row.pattern, row.medium, row.source, row.campaign)
        for row in _rows(session, _RULES, company_id)
    )


def own_hosts_of(session: Session, company_id: int) -> tuple[str, ...]:
    """The domains of all of the company's sites: coming from one of them is no new touch."""
    rows = _rows(session, _DOMAINS, company_id)
    return tuple(sorted({domain for row in rows for domain in row.domains}))


def known_referrers(session: Session) -> Referrers:
    """Our own list and what an admin imported. One small query, unless the import changed since."""
    count, imported_at = session.connection().execute(_VERSION).one()
    if not count:
        return BUILT_IN
    database, version = session.get_bind().engine.pool, (count, imported_at)
    with _lock:
        held = _known.get(database)
    if held and held[0] == version:
        return held[1]
    merged = BUILT_IN.and_also(
        KnownHost(Kind(row.kind), row.name, row.host, tuple(row.parameters))
        for row in session.scalars(sa.select(Referrer).order_by(Referrer.host))
    )
    with _lock:
        _known[database] = version, merged
    return merged


def _rows(
    session: Session, wanted: sa.Select[*tuple[Any, ...]], company_id: int
) -> sa.CursorResult[*tuple[Any, ...]]:
    session.flush()
    return session.connection().execute(wanted, {"company": company_id})


def _number(rules: Sequence[SourceRule]) -> None:
    for position, rule in enumerate(rules, start=1):
        rule.position = position


def _read_position(position: int, last: int) -> int:
    if 1 <= position <= last:
        return position
    raise Rejected(
        "source.position",
        "There is no place %(position)s among the rules",
        "Give 1 to %(last)s, see `leaseline source rule list`"
        if last
        else "Add one: `leaseline source rule add`",
        position=position,
        last=last,
    )
