"""A company's exchange rates: what one unit of a currency is in its own, from a day until the next rate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.audit import By
from tracker.companies import one_at_a_time, read_currency
from tracker.errors import Rejected
from tracker.models import Company, ExchangeRate
from tracker.policy.rates import Rates


def set_rate(
    session: Session, by: By, company: Company, currency: str, rate: Decimal, *, from_day: date
) -> ExchangeRate:
    """From that day on one unit of `currency` is so much of the company's own; the same day's is replaced.

    Raises Rejected rate.same, company.currency.
    """
    code = read_currency(currency)
    if code == company.currency:
        raise Rejected("rate.same", "%(code)s is the company's own currency", "It needs no rate", code=code)
    one_at_a_time(session, company)
    found = _find(session, company, code, from_day)
    if found is not None and found.rate == rate:
        return found
    before = found.rate if found else None
    if found is None:
        found = ExchangeRate(
            company_id=company.id, into=company.currency, currency=code, from_day=from_day, rate=rate,
            created_at=by.at,
        )  # fmt: skip
        session.add(found)
    found.rate = rate
    session.flush()
    detail = {"rate": f"{rate:f}", "from": from_day.isoformat(), "into": company.currency}
    by.note(
        session,
        "rate.set",
        company.id,
        subject=code,
        detail=detail | ({"before": f"{before:f}"} if before else {}),
    )
    return found


def delete_rate(session: Session, by: By, company: Company, currency: str, from_day: date) -> None:
    """Take a rate away; the one before it holds on. Raises Rejected rate.unknown."""
    found = _find(session, company, currency.upper(), from_day)
    if found is None:
        raise Rejected(
            "rate.unknown",
            "There is no rate of %(currency)s from %(from_day)s",
            "See `leaseline rate list`",
            currency=currency.upper(),
            from_day=from_day,
        )
    session.delete(found)
    detail = {"from": from_day.isoformat(), "rate": f"{found.rate:f}", "into": found.into}
    by.note(session, "rate.delete", company.id, subject=found.currency, detail=detail)


def get_rate(session: Session, company: Company, rate_id: int) -> ExchangeRate:
    """The company's rate of that id. Raises Rejected rate.unknown."""
    wanted = sa.select(ExchangeRate).where(ExchangeRate.company_id == company.id, ExchangeRate.id == rate_id)
    if found := session.scalars(wanted).one_or_none():
        return found
    raise Rejected("rate.unknown", "There is no such rate", "See `leaseline rate list`")


def list_rates(session: Session, company: Company) -> Sequence[ExchangeRate]:
    """The rates into the company's currency, by currency, the newest first."""
    wanted = sa.select(ExchangeRate).where(
        ExchangeRate.company_id == company.id, ExchangeRate.into == company.currency
    )
    return session.scalars(wanted.order_by(ExchangeRate.currency, ExchangeRate.from_day.desc())).all()


def rates_of(session: Session, company: Company) -> Rates:
    """All rates into the company's currency, to convert with."""
    return Rates(
        company.currency, ((it.currency, it.from_day, it.rate) for it in list_rates(session, company))
    )


def describe_rate(rate: ExchangeRate) -> dict[str, Any]:
    """A rate as JSON."""
    return {
        "id": rate.id,
        "currency": rate.currency,
        "from": rate.from_day.isoformat(),
        "rate": f"{rate.rate:f}",
        "into": rate.into,
    }


def _find(session: Session, company: Company, code: str, from_day: date) -> ExchangeRate | None:
    wanted = sa.select(ExchangeRate).where(
        ExchangeRate.company_id == company.id,
        ExchangeRate.into == company.currency,
        ExchangeRate.currency == code,
        ExchangeRate.from_day == from_day,
    )
    return session.scalars(wanted).one_or_none()
