"""Two companies over the API: with every operation there is, neither reads or changes what is the other's.

Generated from the document: an operation that is added is in it by itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.rest import Program, furnished, program
from support.showroom import Told
from support.site import Site

from tracker.database import Database
from tracker.models import Base, Call, Visit
from tracker.policy.rights import Scope
from web.rest.document import document
from web.rest.guide import chapters

HERS = (Told(5, "+74951234567", "+79160000001", talk=3, name="Secret Caller"),)
SECRETS = ("Secret Caller", "79160000001", "4951234567", "деревянные", "Billboard")
# What asking leaves behind whoever asks.
TRACES = {"api_answers", "api_keys", "audit_entries", "login_attempts"}
Rows = dict[str, set[str]]


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    return furnished(sqlite, tmp_path, now, HERS)


def operations(site: Site) -> Iterator[tuple[str, str, Any]]:
    """Method, address with hers in every place, and a body that is taken."""
    with site.database.read() as session:
        hers = {
            "key": str(session.scalar(sa.select(Call.key))),
            "visit": str(session.scalar(sa.select(Visit.id))),
        }
    told = document(site.app, "https://calls.example.com")
    for chapter in chapters(told):
        for it in chapter.entries:
            body = re.search(r"-d '(.*)'", it.example)
            path = re.sub(r"\{(\w+)\}", lambda place: hers.get(place[1], "1"), it.path)
            yield it.method, path.removeprefix("/api/v1"), json.loads(body[1]) if body else None


def send(who: Program, method: str, path: str, body: Any) -> Any:
    return who.ask(method, path, json=body) if body is not None else who.ask(method, path)


def rows(database: Database) -> Rows:
    """Everything in the books that is not the trace of asking."""
    with database.read() as session:
        return {
            table.name: {repr(tuple(row)) for row in session.execute(sa.select(table))}
            for table in Base.metadata.sorted_tables
            if table.name not in TRACES
        }


def test_no_operation_shows_one_company_to_the_other_s_key(site: Site) -> None:
    rival, owner = program(site, *Scope, company_id=2), program(site, *Scope)
    told = 0
    for method, path, _body in operations(site):
        if method != "GET" or path.startswith(("/live/", "/trunks")):  # carriers are the installation's
            continue
        theirs, hers = rival.get(path), owner.get(path)
        for secret in SECRETS:
            assert secret.encode() not in theirs.data, (path, secret)
            told += secret.encode() in hers.data
        assert rival.get(path, company="pallets").status_code == 404, path
    assert told >= 5


def test_no_operation_changes_one_company_with_the_other_s_key(site: Site) -> None:
    rival = program(site, *Scope, company_id=2)
    before = rows(site.database)
    asked = [(method, path, send(rival, method, path, body)) for method, path, body in operations(site)
             if method != "GET"]  # fmt: skip
    assert [it[:2] for it in asked if it[2].status_code >= 500] == []
    after = rows(site.database)
    for table, there in before.items():
        assert there <= after[table], table  # each of her rows is as it was
    assert len(asked) >= 3
