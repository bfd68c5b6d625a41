"""Companies and the audit log."""

from __future__ import annotations

from datetime import datetime

import pytest
import sqlalchemy as sa
from support.config import billboard, by, pallets

from tracker import companies
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import AuditEntry


def test_a_change_and_its_audit_entry_are_stored_together(database: Database, now: datetime) -> None:
    with database.write() as session:
        pallets(session, now)
    with database.read() as session:
        entry = session.scalars(sa.select(AuditEntry)).one()
    assert (entry.actor, entry.action, entry.subject) == ("cli:ann", "company.add", "pallets")
    assert entry.at == now


@pytest.mark.parametrize(
    ("slug", "region", "timezone", "problem"),
    [
        ("Pallets", "RU", "UTC", "company.slug"),
        ("pal lets", "RU", "UTC", "company.slug"),
        ("", "RU", "UTC", "company.slug"),
        ("pallets\n", "RU", "UTC", "company.slug"),
        ("pallets", "XX", "UTC", "company.region"),
        ("pallets", "Russia", "UTC", "company.region"),
        ("pallets", "RU", "Moscow", "company.timezone"),
        ("pallets", "RU", "../../etc/passwd", "company.timezone"),
        ("pallets", "RU", "", "company.timezone"),
        ("pallets", "RU", "Europe", "company.timezone"),
    ],
)
def test_what_is_no_company_is_refused_saying_what_would_be(
    sqlite: Database, now: datetime, *, slug: str, region: str, timezone: str, problem: str
) -> None:
    with pytest.raises(Rejected) as no, sqlite.write() as session:
        companies.add(session, by(now), slug, "Pallets", region, timezone=timezone)
    assert no.value.id == problem
    assert no.value.fix.startswith("Give ")


def test_a_country_is_taken_in_small_letters(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        assert companies.add(session, by(now), "pallets", "Pallets", "ru").default_region == "RU"


def test_a_second_company_of_the_same_name_is_refused(sqlite: Database, now: datetime) -> None:
    with pytest.raises(Rejected, match="There is a company pallets already"), sqlite.write() as session:
        pallets(session, now)
        pallets(session, now)


def test_the_only_company_needs_no_naming(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        with pytest.raises(Rejected, match="There is no company yet"):
            companies.choose(session, None)
        assert companies.choose(session, None) if pallets(session, now) else None
        companies.add(session, by(now), "acme", "Acme", "DE")
        with pytest.raises(Rejected, match=r"several companies \(acme, pallets\)"):
            companies.choose(session, None)
        assert companies.choose(session, "acme").name == "Acme"


def test_an_empty_company_is_deleted_and_its_audit_entries_stay(database: Database, now: datetime) -> None:
    with database.write() as session:
        companies.delete(session, by(now), pallets(session, now))
    with database.read() as session:
        assert companies.everyone(session) == []
        actions = session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == ["company.add", "company.delete"]


def test_a_company_that_owns_something_is_not_deleted(sqlite: Database, now: datetime) -> None:
    with pytest.raises(Rejected, match="company pallets is used by 1 channel"), sqlite.write() as session:
        company = pallets(session, now)
        billboard(session, now, company)
        companies.delete(session, by(now), company)
