"""Calling out: what a company allows, which of its phones may, and the answer when one of them dials.

allow(session, by, company, Wish(trunk="carrier", number="+493012345678"))
grant(session, by, company, ["Reception"])
permit(session, target_id, "0171 2345678", at)      # Permit, or a Bar that says why not
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from tracker import numbers, trunks
from tracker.audit import By
from tracker.companies import read_region
from tracker.dialling import as_dialled
from tracker.errors import Rejected
from tracker.models import (
    Call,
    Company,
    Number,
    NumberState,
    OutgoingRule,
    Refusal,
    Target,
    TargetKind,
    Trunk,
)
from tracker.policy.facts import Direction
from tracker.policy.outgoing import (
    DAILY_CALLS,
    DAILY_MINUTES,
    Bar,
    Guard,
    Spent,
    decide,
    emergency_numbers,
)
from tracker.targets import get as get_target

MOST_A_DAY = 100_000
REASON = "outgoing-"  # how refusals say that a call did not go out


@dataclass(frozen=True)
class Wish:
    """What an admin may say; None leaves a value as it is, or at its default."""

    trunk: str | None = None
    number: str | None = None
    countries: Sequence[str] | None = None
    prefixes: Sequence[str] | None = None
    daily_calls: int | None = None
    daily_minutes: int | None = None
    record: bool | None = None


@dataclass(frozen=True)
class Permit:
    """A call that may go out: to whom, over which trunk, under which of our numbers, recorded or not.

    `dialled` is the number in the form that the trunk's carrier wants.
    """

    e164: str
    dialled: str
    trunk_id: int
    shown: str
    record: bool


@dataclass(frozen=True)
class Tried:
    """What would happen if that phone dialled that number. `is_help`: an emergency number always goes out."""

    answer: Permit | Bar
    trunk: str | None = None
    is_help: bool = False


def rule_of(session: Session, company_id: int) -> OutgoingRule | None:
    """What the company allows; None: nobody there calls out."""
    wanted = sa.select(OutgoingRule).where(OutgoingRule.company_id == company_id)
    return session.scalar(wanted.options(joinedload(OutgoingRule.trunk), joinedload(OutgoingRule.number)))


def need_rule(session: Session, company: Company) -> OutgoingRule:
    """The same where there has to be one. Raises Rejected outgoing.off."""
    rule = rule_of(session, company.id)
    if rule is None:
        raise Rejected(
            "outgoing.off", "%(slug)s does not call out", "There is nothing to forbid", slug=company.slug
        )
    return rule


def allow(session: Session, by: By, company: Company, wish: Wish) -> OutgoingRule:
    """Let the company call out, or change how.

    Raises Rejected: outgoing.*, trunk.unknown, number.*, company.region.
    """
    rule = rule_of(session, company.id)
    before = describe(rule) if rule is not None else None
    if rule is None:
        rule = _new_rule(company, wish, by.at)
    if wish.trunk is not None:
        rule.trunk = _our_trunk(session, wish.trunk)
    if wish.number is not None:
        rule.number = _our_number(session, company, wish.number)
    if wish.countries is not None:
        rule.countries = sorted({read_region(each) for each in wish.countries})
    if wish.prefixes is not None:
        rule.prefixes = sorted({_read_prefix(each) for each in wish.prefixes})
    for name in ("daily_calls", "daily_minutes"):
        if (most := getattr(wish, name)) is not None:
            setattr(rule, name, _read_most(most))
    if wish.record is not None:
        rule.record = wish.record
    session.add(rule)
    session.flush()
    if describe(rule) != before:
        by.note(session, "outgoing.allow", company.id, subject=company.slug, detail=describe(rule))
    return rule


def forbid(session: Session, by: By, company: Company) -> None:
    """Nobody of the company calls out any more; which phones might is kept. Raises Rejected outgoing.off."""
    session.delete(need_rule(session, company))
    by.note(session, "outgoing.forbid", company.id, subject=company.slug)


def grant(session: Session, by: By, company: Company, names: Iterable[str], *, to: bool = True) -> None:
    """Let these phones and phone systems call out, or no more.

    Raises Rejected: target.unknown, outgoing.target, outgoing.same_host.
    """
    for name in names:
        target = get_target(session, company, name)
        if to:
            _check_target(session, target)
        if target.calls_out is not to:
            target.calls_out = to
            by.note(session, "outgoing.grant" if to else "outgoing.revoke", company.id, subject=target.name)
    session.flush()


def granted(session: Session, company: Company) -> Sequence[Target]:
    """The company's phones and phone systems that may call out, by name."""
    wanted = sa.select(Target).where(Target.company_id == company.id, Target.calls_out)
    return session.scalars(wanted.order_by(Target.name)).all()


def permit(session: Session, target_id: int, wanted: str, at: datetime) -> Permit | Bar:
    """Whether this target may call that number now, and how. Two indexed reads."""
    found = session.execute(
        sa.select(
            OutgoingRule, Target.calls_out, Company.default_region, Company.timezone, Number.e164, Trunk
        )
        .join(Company, Company.id == OutgoingRule.company_id)
        .join(Trunk, Trunk.id == OutgoingRule.trunk_id)
        .join(Number, Number.id == OutgoingRule.number_id)
        .join(Target, Target.company_id == Company.id)
        .where(Target.id == target_id)
    ).one_or_none()
    if found is None or not found.calls_out:
        return Bar.NOT_ALLOWED
    rule: OutgoingRule = found.OutgoingRule
    guard = Guard(
        found.default_region, frozenset(rule.countries), tuple(rule.prefixes), rule.daily_calls,
        rule.daily_minutes,
    )  # fmt: skip
    answer = decide(wanted, guard, spent(session, rule.company_id, found.timezone, at))
    if isinstance(answer, Bar):
        return answer
    return Permit(answer, as_dialled(answer, found.Trunk), rule.trunk_id, found.e164, rule.record)


def try_number(session: Session, company: Company, target: Target, wanted: str, at: datetime) -> Tried:
    """What would happen if that target of the company dialled it now; nothing is called or written down."""
    rule = rule_of(session, company.id)
    trunk = rule.trunk.name if rule else None
    digits = re.sub(r"[\s()./-]", "", wanted)
    if rule is not None and digits in emergency_numbers(company.default_region):
        permit_ = Permit(digits, digits, rule.trunk_id, rule.number.e164, record=False)
        return Tried(permit_, trunk, is_help=True)
    return Tried(permit(session, target.id, wanted, at), trunk)


def spent(session: Session, company_id: int, timezone: str, at: datetime) -> Spent:
    """What has gone out of the company since its midnight; a call that goes on counts until now."""
    zone = ZoneInfo(timezone)
    midnight = datetime.combine(at.astimezone(zone).date(), time(), zone)
    rows = session.execute(
        sa.select(Call.answered_at, Call.ended_at, Call.talk_seconds)
        .where(Call.company_id == company_id, Call.direction == Direction.OUT)
        .where(Call.started_at >= midnight)
    ).all()
    talked = (
        row.talk_seconds or 0.0
        if row.ended_at or not row.answered_at
        else max(0.0, (at - row.answered_at).total_seconds())
        for row in rows
    )
    return Spent(len(rows), sum(talked))


def refused(session: Session, company: Company, limit: int = 20) -> Sequence[sa.Row[datetime, str, str, str]]:
    """The newest calls of the company that did not go out: when, whose, to which number, why."""
    wanted = (
        sa.select(Refusal.at, Target.name, Refusal.did, Refusal.reason)
        .join(Target, Target.id == Refusal.target_id)
        .where(Target.company_id == company.id)
        .order_by(Refusal.at.desc(), Refusal.id.desc())
    )
    return session.execute(wanted.limit(limit)).all()


def describe(rule: OutgoingRule) -> dict[str, object]:
    """The rule as JSON."""
    return {
        "trunk": rule.trunk.name,
        "number": rule.number.e164,
        "countries": rule.countries,
        "prefixes": rule.prefixes,
        "daily_calls": rule.daily_calls,
        "daily_minutes": rule.daily_minutes,
        "record": rule.record,
    }


def describe_tried(it: Tried) -> dict[str, object]:
    """What would happen, as JSON."""
    if isinstance(it.answer, Bar):
        return {"goes_out": False, "why": it.answer.value}
    return {
        "goes_out": True,
        "number": it.answer.e164,
        "dialled": it.answer.dialled,
        "trunk": it.trunk,
        "shown": it.answer.shown,
        "record": it.answer.record,
        "emergency": it.is_help,
    }


def _new_rule(company: Company, wish: Wish, at: datetime) -> OutgoingRule:
    if wish.trunk is None or wish.number is None:
        raise Rejected(
            "outgoing.how",
            "Nobody has said how %(slug)s calls out",
            "Give --trunk, the carrier to call over, and --number, which of its numbers is shown",
            slug=company.slug,
        )
    return OutgoingRule(
        company_id=company.id, countries=[company.default_region], prefixes=[], daily_calls=DAILY_CALLS,
        daily_minutes=DAILY_MINUTES, record=True, created_at=at,
    )  # fmt: skip


def _our_trunk(session: Session, name: str) -> Trunk:
    trunk = trunks.get(session, name)
    if trunk.retired_at is not None:
        raise Rejected(
            "outgoing.trunk", "Trunk %(name)r is switched off", "Call over another one", name=trunk.name
        )
    return trunk


def _our_number(session: Session, company: Company, text: str) -> Number:
    number = numbers.get(session, company, text)
    if number.state is NumberState.RETIRED:
        raise Rejected(
            "outgoing.retired", "%(e164)s is retired", "Show a number that is in use", e164=number.e164
        )
    return number


def _read_prefix(text: str) -> str:
    prefix = re.sub(r"[\s()./-]", "", text)
    if not re.fullmatch(r"\+[1-9][0-9]{1,14}", prefix):
        raise Rejected(
            "outgoing.prefix",
            "%(text)r is no beginning of a telephone number",
            "Give it in international form, as +4930",
            text=text[:40],
        )
    return prefix


def _read_most(most: int) -> int:
    if not 0 <= most <= MOST_A_DAY:
        raise Rejected(
            "outgoing.most",
            "%(most)s a day is no limit",
            "Give a number from 0 to %(limit)s",
            most=most,
            limit=MOST_A_DAY,
        )
    return most


def _check_target(session: Session, target: Target) -> None:
    if target.kind is TargetKind.OUTSIDE:
        raise Rejected(
            "outgoing.target",
            "%(name)r is a number out there: it cannot call through us",
            "Name a phone or a phone system",
            name=target.name,
        )
    # Phone systems are known by their address: two of one address could not be told apart.
    twin = session.scalar(
        sa.select(Target.name).where(
            Target.kind == TargetKind.PEER,
            Target.host == target.host,
            Target.calls_out,
            Target.id != target.id,
        )
    )
    if target.kind is TargetKind.PEER and twin is not None:
        raise Rejected(
            "outgoing.same_host",
            "%(twin)r at %(host)s calls out already",
            "Calls from there are its: one target of an address is enough",
            twin=twin,
            host=target.host,
        )
