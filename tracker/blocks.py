"""Rules about callers a company does not want, or always wants, and how it treats suspicious ones.

    added = add(session, by, company, read_callers("+7495*", "RU"), Wish(reason="robots"))

What is changed here holds for the next call; Asterisk's own copy follows with the next apply.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.audit import By
from tracker.calls import shown_caller
from tracker.errors import Rejected
from tracker.journey import iso
from tracker.models import Call, CallerRule, Company, Guard
from tracker.policy.block_list import MOST_RULES, REASON_LONGEST, Callers, may_be_blocked
from tracker.policy.facts import Treatment
from tracker.policy.phone import is_country
from tracker.policy.spam import Rule, RuleKind, beginnings, deciding
from tracker.worth import clean


@dataclass(frozen=True)
class Wish:
    """What a new rule says beside whom it is about; `treatment` None is what the company usually does."""

    allows: bool = False
    treatment: Treatment | None = None
    reason: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Conduct:
    """How a company treats blocked and suspicious callers; fields as of tracker.models.Guard."""

    treatment: Treatment = Treatment.BUSY
    watches: bool = False
    per_minute: int = 4
    per_hour: int = 15
    per_day: int = 40
    numbers: int = 3
    short_calls: int = 4
    short_seconds: int = 6
    countries: tuple[str, ...] = ()
    passed_days: int = 30


LIMITS = {
    "per_minute": 100, "per_hour": 1000, "per_day": 10_000, "numbers": 100, "short_calls": 100,
    "short_seconds": 60, "passed_days": 3650,
}  # fmt: skip


def add(session: Session, by: By, company: Company, callers: Callers, wish: Wish) -> CallerRule:
    """A new rule. Raises Rejected `block.duplicate`, `block.many`, `block_reason.malformed`."""
    _refuse_known(session, company, callers)
    guard_of(session, company)
    _refuse_many(session, company)
    rule = CallerRule(
        company_id=company.id,
        kind=callers.kind,
        digits=callers.digits,
        allows=wish.allows,
        treatment=None if wish.allows else wish.treatment,
        reason=clean(wish.reason, REASON_LONGEST, "block_reason") if wish.reason.strip() else "",
        actor=by.actor[:200],
        created_at=by.at,
        expires_at=wish.expires_at,
    )
    session.add(rule)
    session.flush()
    action = "block.allow" if rule.allows else "block.add"
    by.note(session, action, company.id, subject=callers.word, detail=_said(rule))
    return rule


def remove(session: Session, by: By, rule: CallerRule) -> None:
    """Take a rule away; what it said stays in the audit log."""
    detail = _said(rule) | {"by": rule.actor}
    by.note(session, "block.remove", rule.company_id, subject=callers_of(rule).word, detail=detail)
    session.delete(rule)
    session.flush()


def of_company(session: Session, company_id: int) -> Sequence[CallerRule]:
    """The company's rules, the newest first; expired ones too, until somebody removes them."""
    wanted = sa.select(CallerRule).where(CallerRule.company_id == company_id)
    return session.scalars(wanted.order_by(CallerRule.created_at.desc(), CallerRule.id.desc())).all()


def find(session: Session, company_id: int, rule_id: int) -> CallerRule:
    """Raises Rejected `block.unknown`, also for a rule of another company."""
    wanted = sa.select(CallerRule).where(CallerRule.company_id == company_id, CallerRule.id == rule_id)
    return _known(session.scalar(wanted))


def find_about(session: Session, company_id: int, callers: Callers) -> CallerRule:
    """The company's rule about exactly these callers. Raises Rejected `block.unknown`."""
    return _known(_about(session, company_id, callers))


def rule_for(session: Session, company_id: int, caller: str | None, now: datetime) -> CallerRule | None:
    """The rule that would decide about this caller now, None where none is about him."""
    wanted = sa.select(CallerRule).where(
        CallerRule.company_id == company_id, CallerRule.digits.in_(beginnings(caller))
    )
    rules = {rule.id: rule for rule in session.scalars(wanted)}
    told = [
        Rule(it.id, it.kind, it.digits, it.allows, it.treatment or Treatment.BUSY, it.expires_at)
        for it in rules.values()
    ]
    found = deciding(told, caller, now)
    return rules[found.id] if found else None


def callers_of(rule: CallerRule) -> Callers:
    return Callers(rule.kind, rule.digits)


def caller_alone(call: Call) -> Callers:
    """The caller alone. Raises Rejected `block.nobody` for one who shows no number."""
    number = shown_caller(call)
    if number is None or not may_be_blocked(number):
        raise Rejected(
            "block.nobody",
            "This caller shows no telephone number",
            "Block all callers without one in the settings",
        )
    return Callers(RuleKind.NUMBER, number)


# ---- how suspicious callers are treated ----


def read_conduct(session: Session, company_id: int) -> Conduct:
    """What the company has set, or what is usual."""
    guard = session.get(Guard, company_id)
    return Conduct() if guard is None else _conduct(guard)


def change_conduct(session: Session, by: By, company: Company, wish: Conduct) -> Guard:
    """Set how callers are treated. Raises Rejected `guard.limit`, `guard.country`."""
    _check(wish)
    guard = guard_of(session, company)
    before = asdict(_conduct(guard))
    changed = {name: value for name, value in asdict(wish).items() if before[name] != value}
    for name, value in changed.items():
        setattr(guard, name, list(value) if name == "countries" else value)
    if changed:
        session.flush()
        by.note(session, "block.conduct", company.id, subject=company.slug, detail=_plain(changed))
    return guard


def guard_of(session: Session, company: Company) -> Guard:
    """The company's guard, made when it is first needed."""
    guard = session.get(Guard, company.id)
    if guard is None:
        guard = Guard(company_id=company.id)
        session.add(guard)
        session.flush()
    return guard


def describe(rule: CallerRule, usual: Treatment) -> dict[str, Any]:
    """A rule as JSON."""
    return {
        "id": rule.id,
        "callers": callers_of(rule).word,
        "allowed": rule.allows,
        "treatment": None if rule.allows else (rule.treatment or usual).value,
        "reason": rule.reason or None,
        "by": rule.actor,
        "since": iso(rule.created_at),
        "until": iso(rule.expires_at),
    }


def describe_conduct(it: Conduct) -> dict[str, Any]:
    """How callers are treated, as JSON."""
    told = _plain(asdict(it))
    return {"treatment": it.treatment.value, "challenge": told.pop("watches")} | {
        name: value for name, value in told.items() if name != "treatment"
    }


def _conduct(guard: Guard) -> Conduct:
    values = {name: getattr(guard, name) for name in Conduct.__dataclass_fields__}
    return Conduct(**values | {"countries": tuple(guard.countries)})


def _check(wish: Conduct) -> None:
    for name, most in LIMITS.items():
        if not 0 <= getattr(wish, name) <= most:
            raise Rejected(
                "guard.limit",
                "%(name)s is %(count)s",
                "Give a whole number up to %(most)s; 0: not looked at",
                name=name,
                count=getattr(wish, name),
                most=most,
            )
    for country in wish.countries:
        if not is_country(country):
            raise Rejected(
                "guard.country",
                "%(country)r is no country with telephone numbers",
                "Give two letters of ISO 3166, like DE",
                country=country[:10],
            )


def _refuse_known(session: Session, company: Company, callers: Callers) -> None:
    known = _about(session, company.id, callers)
    if known is None:
        return
    raise Rejected(
        "block.duplicate",
        "%(callers)s are let through already" if known.allows else "%(callers)s are blocked already",
        "Remove that rule first",
        callers=callers.word,
    )


def _refuse_many(session: Session, company: Company) -> None:
    wanted = sa.select(sa.func.count()).where(CallerRule.company_id == company.id)
    if (session.scalar(wanted) or 0) >= MOST_RULES:
        raise Rejected(
            "block.many",
            "A company has at most %(most)s rules",
            "Remove those that are over, or block a prefix",
            most=MOST_RULES,
        )


def _about(session: Session, company_id: int, callers: Callers) -> CallerRule | None:
    return session.scalar(
        sa.select(CallerRule).where(
            CallerRule.company_id == company_id,
            CallerRule.kind == callers.kind,
            CallerRule.digits == callers.digits,
        )
    )


def _known(rule: CallerRule | None) -> CallerRule:
    if rule is None:
        raise Rejected("block.unknown", "There is no such rule", "See the rules with `leaseline block list`")
    return rule


def _said(rule: CallerRule) -> dict[str, Any]:
    return {
        "treatment": rule.treatment,
        "reason": rule.reason,
        "until": iso(rule.expires_at),
    }


def _plain(changed: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in changed.items()}
