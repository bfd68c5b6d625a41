"""The worked tables T1 to T5 out of raw facts: calls, visits, and lists of costs and sales as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from support.command import Installation
from support.facts import Pallets, add_pallets, answered, ended, started
from support.journeys import Came, add_visit, add_visitor

import migrations
from tracker.books import record_all
from tracker.database import Database
from tracker.models import Call, Category, Channel, Company, Visit
from tracker.policy.attribution import Basis
from tracker.policy.facts import Fact

NOW = datetime(2025, 11, 20, 9, tzinfo=UTC)
DAYS = ("--since", "2025-11-01", "--until", "2025-11-30")
AD = "контекстная реклама"
CAMPAIGNS = {
    "772040791973": 36, "592928737383": 54, "687268291002": 72, "781827892373": 12, "734861291821": 65,
}  # fmt: skip
TRAY = "душевой поддон деревянный"
KEYWORDS = {
    "купить поддоны деревянные": 3, "поддоны деревянные цена": 3, "поддоны деревянные новые": 1,
    "поддон 1200х800 деревянный": 8, "стоимость деревянного поддона": 6, TRAY: 12,
    "поддоны деревянные 1200 1200": 3,
}  # fmt: skip
FIRST = next(iter(CAMPAIGNS))
# source, campaign, keyword, calls
ORIGINS: Sequence[tuple[str, str | None, str | None, int]] = (
    *((AD, FIRST, keyword, calls) for keyword, calls in KEYWORDS.items()),
    *((AD, campaign, None, calls) for campaign, calls in CAMPAIGNS.items() if campaign != FIRST),
    ("seo", None, None, 82), ("социальные сети", None, None, 30), ("Билборд", None, None, 6),
)  # fmt: skip
ORDERS = {AD: 71, "seo": 21, "социальные сети": 7, "Билборд": 1}
COSTS = (
    "источник;расход\nКонтекстная реклама;50\N{NO-BREAK SPACE}000\nSEO;25 000\n"
    "Социальные сети;35 000,00\nБилборд;8 000\n"
)


def phone(number: int) -> str:
    return f"+7916{number:07}"


def tell(session: Session) -> dict[str, list[str]]:
    """357 answered calls of as many people; the callers by source."""
    pallets = add_pallets(session, NOW)
    company = session.get_one(Company, pallets.company_id)
    company.currency, company.timezone = "RUB", "Europe/Moscow"
    channel = session.get_one(Channel, pallets.billboard_channel_id)
    channel.name = channel.source = "Билборд"
    callers: dict[str, list[str]] = {}
    facts: list[Fact] = []
    visits: dict[str, int] = {}  # by call
    for place, (source, campaign, keyword, calls) in enumerate(ORIGINS):
        visit = None if source == "Билборд" else _visit(session, pallets, place, source, campaign, keyword)
        for _ in range(calls):
            number = len(facts) // 3
            key = f"call-{number}"
            facts += _call(pallets, key, number, pallets.billboard if visit is None else pallets.free)
            callers.setdefault(source, []).append(phone(number))
            if visit is not None:
                visits[key] = visit.id
    record_all(session, facts)
    ids = {call.key: call.id for call in session.scalars(sa.select(Call))}
    sure = {"basis": Basis.LEASE, "probability": 0.97, "uncertain": False, "attributed_at": NOW}
    named = [{"id": ids[key], "visit_id": visit} | sure for key, visit in visits.items()]
    session.execute(sa.update(Call), named)
    return callers


def _visit(
    session: Session, pallets: Pallets, place: int, source: str, campaign: str | None, keyword: str | None
) -> Visit:
    visitor = add_visitor(session, pallets, f"visitor-{place}", NOW)
    medium, group = ("cpc", "Paid Search") if campaign else ("organic", "Organic Search")
    came = Came(30, medium, source, group, (("", "", 9),), {"campaign": campaign, "keyword": keyword})
    return add_visit(session, pallets, visitor, came, NOW)


def _call(pallets: Pallets, key: str, number: int, did: str) -> list[Fact]:
    at = NOW + timedelta(seconds=number)
    took = at + timedelta(seconds=6)
    return [
        started(did, at, key, caller=phone(number)), answered(pallets.office_id, took, key),
        ended(took + timedelta(seconds=60), key),
    ]  # fmt: skip


def sales_list(callers: dict[str, list[str]]) -> str:
    lines = ["date;revenue;profit;phone;order"]
    for source, orders in ORDERS.items():
        lines += [f"21.11.2025;20 000;8 700;{caller};{caller}" for caller in callers[source][:orders]]
    return "\n".join(lines)


@pytest.fixture
def here(database: Database, tmp_path: Path) -> Installation:
    """The company of the worked tables, on either database."""
    url = database.url.render_as_string(hide_password=False)
    with database.write() as session:
        # The command looks at it before it looks at the books.
        session.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        session.execute(sa.text("INSERT INTO alembic_version VALUES (:head)"), {"head": migrations.head()})
        callers = tell(session)
    installation = Installation(tmp_path / "home", {"LEASELINE_DATABASE_URL": url})
    for what, text, more in (
        ("cost", COSTS, ("--day", "2025-11-30")), ("sale", sales_list(callers), ("--day", "2025-11-21")),
    ):  # fmt: skip
        path = tmp_path / f"{what}.csv"
        path.write_text(text, encoding="cp1251")
        installation.done(what, "import", str(path), *more)
    return installation


def report(here: Installation, *words: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The report, and its rows by their names."""
    told = here.json("report", *words, *DAYS)
    return told, {row[told["by"]] or row["without"][0]: row for row in told["rows"]}


def test_the_worked_tables_come_out_of_raw_facts(here: Installation, database: Database) -> None:
    campaigns_have_their_shares(here)
    keywords_have_their_shares(here)
    sources_have_their_returns(here)
    what_dropping_loses_is_told(here)
    with database.write() as session:
        tray = sa.select(Visit.id).where(Visit.keyword == TRAY)
        session.execute(sa.update(Call).values(category=Category.TARGET))
        session.execute(sa.update(Call).where(Call.visit_id.in_(tray)).values(category=Category.NON_TARGET))
    the_tray_is_a_negative_keyword(here)


def campaigns_have_their_shares(here: Installation) -> None:
    """T1."""
    told, rows = report(here, "--by", "campaign", "--only", f"source={AD}")
    assert {name: (row["calls"], row["share_percent"]) for name, row in rows.items() if row["calls"]} == {
        "772040791973": (36, 15.1), "592928737383": (54, 22.6), "687268291002": (72, 30.1),
        "781827892373": (12, 5.0), "734861291821": (65, 27.2),
    }  # fmt: skip
    assert (told["total"]["calls"], told["total"]["share_percent"]) == (239, 100.0)
    assert rows["not divided"]["cost"] == "50000.00"  # told of the source: no campaign's
    assert told["total"]["cost"] == "50000.00"


def keywords_have_their_shares(here: Installation) -> None:
    """T2, with 2,8 for 1 of 36: the column makes 99.9, the total says 100."""
    told, rows = report(here, "--by", "keyword", "--only", f"campaign={FIRST}")
    shares = {name: row["share_percent"] for name, row in rows.items()}
    assert shares == {
        "купить поддоны деревянные": 8.3, "поддоны деревянные цена": 8.3, "поддоны деревянные новые": 2.8,
        "поддон 1200х800 деревянный": 22.2, "стоимость деревянного поддона": 16.7, TRAY: 33.3,
        "поддоны деревянные 1200 1200": 8.3,
    }  # fmt: skip
    assert round(sum(shares.values()), 1) == 99.9
    assert (told["total"]["calls"], told["total"]["share_percent"]) == (36, 100.0)
    assert told["rows"][0]["filter"]["keyword"] == [TRAY]
    text = here.done("report", "--by", "keyword", "--only", f"campaign={FIRST}", *DAYS)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert any(line.startswith("поддоны деревянные новые 1 2.8 % 1 ") for line in lines)
    assert any(line.startswith("total 36 100.0 % 36 ") for line in lines)


def sources_have_their_returns(here: Installation) -> None:
    """T3 and T4."""
    told, rows = report(here)
    figures = (
        "cost", "leads", "orders", "gross_profit", "conversion_percent", "cost_per_order", "romi_percent",
        "net", "cost_per_lead",
    )  # fmt: skip
    assert {name: tuple(row[it] for it in figures) for name, row in rows.items()} == {
        AD: ("50000.00", 239, 71, "617700.00", 29.71, "704.23", 1135.4, "567700.00", "209.21"),
        "seo": ("25000.00", 82, 21, "182700.00", 25.61, "1190.48", 630.8, "157700.00", "304.88"),
        "социальные сети": ("35000.00", 30, 7, "60900.00", 23.33, "5000.00", 74.0, "25900.00", "1166.67"),
        "Билборд": ("8000.00", 6, 1, "8700.00", 16.67, "8000.00", 8.75, "700.00", "1333.33"),
    }
    assert tuple(told["total"][it] for it in figures) == (
        "118000.00", 357, 100, "870000.00", 28.01, "1180.00", 637.29, "752000.00", "330.53",
    )  # fmt: skip
    assert (told["coverage"]["unattributed_percent"], told["coverage"]["uncertain"]) == (0, 0)
    assert (told["coverage"]["orders"], told["coverage"]["orders_matched"]) == (100, 100)
    assert rows["Билборд"]["doubts"] == ["few_orders"]
    low, high = rows["Билборд"]["intervals"]["cost_per_order"]
    assert low < 8000 < high
    line = next(it for it in here.done("report", *DAYS).splitlines() if it.startswith("социальные"))
    assert line.split()[-8:] == ["5", "000", "25", "900", "~74.00", "%", "400.00", "%"]


def what_dropping_loses_is_told(here: Installation) -> None:
    """T5: break-even is a ROMI of 0 %; a higher ratio may be less money; every call counts as a lead."""
    told, rows = report(here)
    assert told["advice"]["dropping"] == {
        "rows": [["социальные сети"], ["Билборд"]], "cost": "43000.00", "would_lose": "26600.00",
        "romi_percent_before": 637.29, "romi_percent_after": 967.2, "must_earn_percent": 61.86,
    }  # fmt: skip
    assert told["advice"]["losing"] == []
    assert told["advice"]["every_call_is_a_lead"]
    assert [row["gross_return_percent"] for row in rows.values()] == [1235.4, 730.8, 174.0, 108.75]
    text = here.done("report", *DAYS)
    assert "Dropping социальные сети and Билборд would lose 26 600, though" in text
    assert "43 000 earn a ROMI above 61.86 % elsewhere." in text
    assert "Nobody has judged a call: spam and repeats count as leads too" in text


def the_tray_is_a_negative_keyword(here: Installation) -> None:
    told, _ = report(here, "--by", "keyword")
    assert [
        (it["keyword"], it["judged"], it["non_target"]) for it in told["advice"]["negative_keywords"]
    ] == [(TRAY, 12, 12)]
    assert not told["advice"]["every_call_is_a_lead"]
    judged, rows = report(here, "--leads", "target")
    assert (rows[AD]["leads"], rows[AD]["calls"], judged["total"]["leads"]) == (227, 239, 345)
