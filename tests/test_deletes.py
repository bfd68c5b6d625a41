"""What names a thing is looked at, or goes with it, when the thing is deleted: whatever tables there are."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from support.facts import add_pallets

from tracker import channels, companies, numbers, plan_uses, plans, pools, prompts, sites, targets, trunks
from tracker.audit import By
from tracker.database import Database
from tracker.models import (
    Base,
    Channel,
    Company,
    Number,
    Pool,
    Prompt,
    Site,
    Target,
    TargetKind,
    Trunk,
    TrunkKind,
)

BOX = {"steps": {"box": {"kind": "voicemail", "say": "Please leave a message"}}}
# Rows of these there can only be with what is looked at: a call, a visit, a number's use.
BEHIND = {
    "companies": {"channel_rents", "code_leases", "callback_requests"},
    "channels": {"call_candidates"},
}
Made = tuple[Any, Callable[[Session, By, Any], None]]


def thing(session: Session, owner: Company, now: datetime, table: str) -> Made:
    """A fresh one of that table, and how it is deleted."""
    of = {"company_id": owner.id, "created_at": now}
    made: dict[str, Callable[[], Made]] = {
        "companies": lambda: (
            Company(slug="empty", name="Empty", default_region="RU", created_at=now), companies.delete,
        ),
        "sites": lambda: (Site(name="New", key="k" * 12, **of), sites.delete),
        "numbers": lambda: (Number(e164="+74950009999", **of), numbers.delete),
        "channels": lambda: (Channel(name="New", source="new", **of), channels.delete_channel),
        "pools": lambda: (Pool(name="New", **of), pools.delete_pool),
        "trunks": lambda: (
            Trunk(name="new", kind=TrunkKind.IP, host="192.0.2.99", created_at=now), trunks.delete,
        ),
        "targets": lambda: (
            Target(name="New", kind=TargetKind.PEER, host="192.0.2.98", port=5060, **of), targets.delete,
        ),
        "prompts": lambda: (
            Prompt(name="New", language="en", words="Hi", digest="0" * 32, seconds=1, **of), prompts.remove,
        ),
    }  # fmt: skip
    row, delete = made[table]()
    session.add(row)
    session.flush()
    return row, delete


@pytest.mark.parametrize(
    "table", ["companies", "sites", "numbers", "channels", "pools", "trunks", "targets", "prompts"]
)
def test_everything_that_may_name_a_thing_is_thought_of(sqlite: Database, now: datetime, table: str) -> None:
    naming = {
        other.name
        for other in Base.metadata.sorted_tables
        for key in other.foreign_keys
        if key.column.table.name == table
    }
    with sqlite.write() as session:
        pallets = add_pallets(session, now)
        row, delete = thing(session, session.get_one(Company, pallets.company_id), now, table)
        told: list[str] = []

        def note(_c: object, _k: object, statement: str, *_: object) -> None:
            told.append(statement)

        sa.event.listen(sqlite.engine, "before_cursor_execute", note)
        delete(session, By(now, "cli:test"), row)
        session.flush()
        sa.event.remove(sqlite.engine, "before_cursor_execute", note)
    thought_of = set(re.findall(r"(?:FROM|UPDATE|JOIN) \"?(\w+)", " ".join(told)))
    assert naming - thought_of - BEHIND.get(table, set()) == set()


def test_what_counts_for_a_thing_goes_with_it(database: Database, now: datetime) -> None:
    with database.write() as session:
        pallets, by = add_pallets(session, now), By(now, "cli:test")
        owner = session.get_one(Company, pallets.company_id)
        plan = plans.add(session, by, owner, "box", BOX)
        for table in ("sites", "numbers", "channels", "pools"):
            row, delete = thing(session, owner, now, table)
            plan_uses.use(session, by, row, plan)
            delete(session, by, row)
            session.flush()
            assert plan_uses.of_company(session, owner.id) == []


def test_a_company_is_deleted_with_its_plans(database: Database, now: datetime) -> None:
    with database.write() as session:
        by = By(now, "cli:test")
        owner = companies.add(session, by, "empty", "Empty", "RU")
        plan_uses.use(session, by, owner, plans.add(session, by, owner, "box", BOX))
        companies.delete(session, by, owner)
        session.flush()
        assert companies.everyone(session) == []
