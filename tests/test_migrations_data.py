"""What was in the books before an upgrade is in them afterwards, and says the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

import migrations
from tracker.database import Database
from tracker.models import Call, Company, Lease, Number, Pool, Site, Visit, WhenEmpty
from tracker.models.base import Instant
from tracker.policy.attribution import Basis

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
Insert = Callable[..., None]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'old.db'}"
    return str(request.getfixturevalue("postgres").url())


@pytest.fixture
def upgraded(url: str) -> Iterator[Database]:
    """A database with a week of calls, brought from the first schema to the newest."""
    database = Database(url)
    with database.engine.begin() as connection:
        command.upgrade(migrations.config(connection), "0001")
        fill(connection)
    migrations.upgrade(url)
    yield database
    database.close()


def fill(connection: sa.Connection) -> None:
    """Two numbers in a pool, one of them leased; a channel; a call to each kind of number."""
    columns: dict[str, Any] = {"from_at": Instant(), "until_at": Instant(), "created_at": Instant()}

    def insert(table: str, **values: Any) -> None:
        names = [sa.column(name, columns.get(name) or _type(value)) for name, value in values.items()]
        connection.execute(sa.insert(sa.table(table, *names)).values(**values))

    insert("companies", id=1, slug="p", name="P", default_region="RU", timezone="UTC", created_at=NOON)
    insert("channels", id=1, company_id=1, name="B", medium="offline", source="b", created_at=NOON)
    insert("pools", id=1, company_id=1, name="Website", hold_seconds=120, created_at=NOON)
    for number in (1, 2, 3):
        e164 = f"+7495123456{number}"
        insert("numbers", id=number, company_id=1, e164=e164, state="active", record=True, created_at=NOON)
    insert("sites", id=1, company_id=1, name="s", key="s", pool_id=1, created_at=NOON)
    insert("visitors", id=1, company_id=1, key="v", created_at=NOON)
    insert("visits", id=1, visitor_id=1, site_id=1, started_at=NOON, medium="cpc", source="google")
    insert("leases", id=1, number_id=2, pool_id=1, visit_id=1, from_at=NOON, until_at=NOON + _HOUR)
    insert("leases", id=2, number_id=3, pool_id=1, visit_id=1, from_at=NOON)
    for call, source in enumerate(({"channel_id": 1}, {"lease_id": 1}, {}), start=1):
        insert(
            "calls", id=call, key=f"call-{call}", node="main", company_id=1, number_id=call,
            presentation="allowed", repeat=False, started_at=NOON, interrupted=False, seen_by_agi=True,
            **source,
        )  # fmt: skip


_HOUR = timedelta(hours=1)


def _type(value: Any) -> Any:
    return Instant() if isinstance(value, datetime) else None


def test_calls_keep_their_sources(upgraded: Database) -> None:
    with upgraded.read() as session:
        calls = session.scalars(sa.select(Call).order_by(Call.id)).all()
        assert [(call.basis, call.visit_id, call.probability) for call in calls] == [
            (Basis.CHANNEL, None, 1.0),
            (Basis.LEASE, 1, 1.0),
            (None, None, None),
        ]
        # Only a call to a channel's number has nothing more to be judged by.
        assert [call.attributed_at is None for call in calls] == [False, True, True]


def test_numbers_are_free_unless_they_are_leased(upgraded: Database) -> None:
    with upgraded.read() as session:
        free = {number.id: number.free_at for number in session.scalars(sa.select(Number))}
        assert free == {1: NOON, 2: NOON, 3: None}
        ended, running = session.scalars(sa.select(Lease).order_by(Lease.id)).all()
        assert ended.expires_at == ended.until_at == NOON + _HOUR
        assert (running.until_at, running.expires_at > NOON) == (None, True)


def test_pools_sites_and_visits_have_what_new_ones_would_have(upgraded: Database) -> None:
    with upgraded.read() as session:
        pool, site, visit = session.get_one(Pool, 1), session.get_one(Site, 1), session.get_one(Visit, 1)
        assert (pool.hold_seconds, pool.idle_seconds, pool.longest_seconds) == (120, 600, 14400)
        assert (pool.when_empty, pool.dynamic_for, pool.release_after_call) == (WhenEmpty.REAL, [], False)
        assert (site.domains, site.needs_consent) == ([], False)
        assert (visit.group, visit.paid, visit.click_ids, visit.consent) == ("", False, {}, {})


def test_a_company_counts_its_money_in_its_countrys_currency(upgraded: Database) -> None:
    with upgraded.read() as session:
        company = session.get_one(Company, 1)
        assert (company.currency, company.language, company.judge_by_phone) == ("RUB", "en", False)


def test_no_key_opens_more_after_a_downgrade_than_it_did(url: str) -> None:
    money = "callbacks:read callbacks:write money:read money:write reports:read"
    opened = {
        "money": money,
        "wider": f"{money} settings:write",
        "calls": "calls:report",
        "both": f"calls:report {money}",
        "sales": "money:read money:write",
        "reports": "reports:read",
        "calls and more": "calls:read calls:report",
        "gone": money,
    }
    database = Database(url)
    with database.engine.begin() as connection:
        command.upgrade(migrations.config(connection), "0032")
        insert_keys(connection, opened)
        command.downgrade(migrations.config(connection), "0031")
        found = connection.execute(sa.text("SELECT name, scope, revoked_at FROM api_keys")).all()
    database.close()
    assert len(found) == len(opened)
    assert {name: scope for name, scope, revoked_at in found if revoked_at is None} == {
        "money": "money",
        "wider": "money",
        "calls": "calls",
        "both": "money",
    }
    assert {name for name, _, at in found if str(at)[:10] == f"{NOON:%Y-%m-%d}"} == {"gone"}


def insert_keys(connection: sa.Connection, opened: dict[str, str]) -> None:
    """A key for each; "gone" is revoked already."""
    words: list[sa.ColumnClause[Any]] = [
        sa.column(it) for it in ("id", "slug", "name", "default_region", "timezone")
    ]
    companies = sa.table("companies", *words, sa.column("created_at", Instant()))
    pallets = {"slug": "p", "name": "P", "default_region": "RU", "timezone": "UTC"}
    connection.execute(sa.insert(companies).values(id=1, **pallets, created_at=NOON))
    more: list[sa.ColumnClause[Any]] = [
        sa.column(it) for it in ("company_id", "name", "token_sha256", "scopes")
    ]
    instants = sa.column("created_at", Instant()), sa.column("revoked_at", Instant())
    keys = sa.table("api_keys", *more, *instants)
    for name, scopes in opened.items():
        revoked_at = NOON if name == "gone" else None
        kept = {"company_id": 1, "name": name, "token_sha256": name, "scopes": scopes}
        connection.execute(sa.insert(keys).values(**kept, created_at=NOON, revoked_at=revoked_at))
