"""Moving in from CallRail, CallTrackingMetrics and Calltouch: their calls with their sources."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.command import Installation, ready

from tracker import moving, worth
from tracker.audit import By
from tracker.calls import amount
from tracker.database import Database
from tracker.judge import judge_pending, rejudge
from tracker.models import Call, CallNote, Channel, Company, Number, NumberState, Site, Tag, Visit
from tracker.moving import Done, File, Wanted
from tracker.policy.attribution import Basis, Reason
from tracker.policy.dates import Order
from tracker.policy.facts import Direction, Outcome, Presentation
from tracker.policy.moved import Touch, landing_of, plain_time
from tracker.policy.vendor_files import read_file
from tracker.policy.vendors import TITLES, vendor_of

EXPORTS = Path(__file__).parent / "support" / "exports"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BY = By(NOW, "cli:ann")


def add_company(database: Database, region: str = "US", zone: str = "America/New_York") -> int:
    with database.write() as session:
        company = Company(
            slug="pallets",
            name="Pallets",
            default_region=region,
            timezone=zone,
            currency="USD",
            created_at=NOW,
        )
        session.add(company)
        session.flush()
        session.add(
            Site(company_id=company.id, name="Shop", key="k", domains=["pallets.example"], created_at=NOW)
        )
        return company.id


def move(database: Database, company_id: int, vendor: str, *names: str, **more: Any) -> Done:
    wanted = Wanted(NOW, **more)
    files = [File(it, read_file((EXPORTS / it).read_bytes(), vendor_of(vendor), {})) for it in names]
    with database.read() as session:
        company = session.get_one(Company, company_id)
        found = moving.look(session, company, vendor_of(vendor), files, wanted)
    return moving.take(database, company_id, vendor_of(vendor), found, BY)


def calls(database: Database) -> list[dict[str, Any]]:
    """What people see of each call, the oldest first."""
    with database.read() as session:
        return [
            {
                "reference": call.reported and call.reported.reference,
                "at": call.started_at, "direction": call.direction, "caller": call.caller,
                "shows": call.presentation, "outcome": call.outcome, "wait": call.wait_seconds,
                "talk": call.talk_seconds, "number": call.number.e164, "basis": call.basis,
                "source": call.visit.source if call.visit else call.channel and call.channel.source,
                "medium": call.visit.medium if call.visit else call.channel and call.channel.medium,
                "campaign": call.visit and call.visit.campaign, "keyword": call.visit and call.visit.keyword,
                "group": call.visit and call.visit.group, "tags": [tag.name for tag in call.tags],
                "value": amount(call.value) if call.value else None,
                "took": call.reported and call.reported.employee,
                "recording": call.reported and call.reported.recording_url,
            }
            for call in session.scalars(sa.select(Call).order_by(Call.started_at, Call.id))
        ]  # fmt: skip


def test_calls_of_callrail_look_like_any_other(database: Database) -> None:
    company_id = add_company(database)
    done = move(database, company_id, "callrail", "callrail.csv")
    assert (done.taken.new, done.numbers, done.visits, done.channels) == (5, 2, 3, 1)
    paid, organic, voicemail, gave_up, hidden = calls(database)
    assert paid == {
        "reference": "CAL0001", "at": datetime(2026, 3, 2, 19, 15, 9, tzinfo=UTC), "direction": Direction.IN,
        "caller": "+12025550178", "shows": Presentation.ALLOWED, "outcome": Outcome.ANSWERED, "wait": 12.0,
        "talk": 121.0, "number": "+12025550141", "basis": Basis.CODE, "source": "google", "medium": "cpc",
        "campaign": "Spring Pallets", "keyword": "euro pallets", "group": "Paid Search",
        "tags": ["Good Lead", "new customer", "pallets"], "value": "1250", "took": "Ann Lee",
        "recording": "https://app.callrail.example/calls/CAL0001/recording/redirect?access_key=abc",
    }  # fmt: skip
    assert (organic["outcome"], organic["source"], organic["medium"]) == (
        Outcome.MISSED, "google", "organic",
    )  # fmt: skip
    assert (voicemail["outcome"], voicemail["source"], voicemail["basis"]) == (
        Outcome.MISSED, "billboard i-95", Basis.CHANNEL,
    )  # fmt: skip
    assert (gave_up["outcome"], gave_up["wait"]) == (Outcome.GAVE_UP, 6.0)
    assert (hidden["caller"], hidden["shows"]) == (None, Presentation.WITHHELD)
    told = {it.reference: (it.line, it.column, str(it.reason)) for it in done.untaken}
    assert told["CAL0005"] == (6, "outcome", "the call was going on: export again")
    assert told["CAL0007"][:2] == (8, "did")
    assert told["=CAL0008"][:2] == (9, "started_at")
    with database.read() as session:
        states = session.execute(
            sa.select(Number.e164, Number.label, Number.state).order_by(Number.e164)
        ).all()
        assert states == [
            ("+12025550141", "Website Pool", NumberState.RETIRED),
            ("+12025550142", "Billboard I-95", NumberState.RETIRED),
        ]
        note = session.scalars(sa.select(CallNote.text)).one()
        landing = session.scalars(sa.select(Visit.landing_url).where(Visit.keyword.is_not(None))).one()
        assert (note, "geheim" in (landing or "")) == ("Wants 300, delivery in May", False)
        assert set(session.scalars(sa.select(Site.name))) == {"Shop"}  # its own pages


def test_the_same_export_again_changes_nothing_and_what_people_said_stays(sqlite: Database) -> None:
    company_id = add_company(sqlite)
    move(sqlite, company_id, "callrail", "callrail.csv")
    with sqlite.write() as session:
        call = session.scalars(sa.select(Call).order_by(Call.started_at)).first()
        assert call is not None
        worth.remove_tag(session, BY, [call], "pallets")
    before = calls(sqlite)
    done = move(sqlite, company_id, "callrail", "callrail.csv")
    assert (done.taken.new, done.taken.changed, done.taken.same) == (0, 0, 5)
    assert (done.numbers, done.visits, done.channels) == (0, 0, 0)
    assert calls(sqlite) == before
    # The API tells the same call otherwise, and a call that went out besides.
    done = move(sqlite, company_id, "callrail", "callrail.json")
    assert (done.taken.new, done.taken.changed, done.untaken) == (1, 1, [])
    out = calls(sqlite)[-1]
    assert (out["direction"], out["caller"], out["source"]) == (Direction.OUT, "+12025550185", None)


def test_a_value_in_other_money_is_not_taken_for_the_companys(sqlite: Database) -> None:
    company_id = add_company(sqlite)
    with sqlite.write() as session:
        session.get_one(Company, company_id).currency = "EUR"
    done = move(sqlite, company_id, "callrail", "callrail.csv")
    assert (done.taken.new, calls(sqlite)[0]["value"]) == (5, None)
    told = {it.reference: str(it.reason) for it in done.untaken if it.column == "value"}
    assert told == {
        "CAL0001": "the call is taken without its value: it is in USD, and the company counts in EUR"
    }


def test_judging_again_keeps_what_the_service_said(sqlite: Database) -> None:
    company_id = add_company(sqlite)
    move(sqlite, company_id, "callrail", "callrail.csv")
    before = calls(sqlite)
    with sqlite.write() as session:
        assert rejudge(session, company_id, datetime(2026, 1, 1, tzinfo=UTC)) == 5
    while judge_pending(sqlite, NOW):
        pass
    assert calls(sqlite) == before


def test_calls_of_calltrackingmetrics_look_like_any_other(sqlite: Database) -> None:
    company_id = add_company(sqlite)
    done = move(sqlite, company_id, "ctm", "ctm.json", "ctm.csv", order=Order.MONTH_FIRST)
    assert (done.taken.new, done.numbers) == (5, 2)
    assert [str(it.reason) for it in done.untaken] == ["it is a form, a chat or a message, and no call"]
    wood, missed, busy, answered, gave_up = calls(sqlite)
    assert wood["at"] == datetime(2026, 5, 2, 3, 48, tzinfo=UTC)
    assert (wood["wait"], wood["talk"], wood["took"]) == (12.0, 148.0, "Bob Stone")
    assert (wood["source"], wood["medium"], wood["keyword"]) == ("bing", "cpc", "wooden pallets")
    assert (wood["tags"], wood["value"]) == (["follow up", "wood"], "310.5")
    assert [it["outcome"] for it in (missed, busy, answered, gave_up)] == [
        Outcome.MISSED, Outcome.BUSY, Outcome.ANSWERED, Outcome.GAVE_UP,
    ]  # fmt: skip
    assert {it["source"] for it in (missed, busy, answered, gave_up)} == {"google my business"}
    assert (answered["talk"], answered["at"]) == (125.0, datetime(2026, 5, 3, 12, 15, tzinfo=UTC))


def test_calls_of_calltouch_look_like_any_other(sqlite: Database) -> None:
    company_id = add_company(sqlite, "RU", "Europe/Moscow")
    done = move(sqlite, company_id, "calltouch", "calltouch.json", "calltouch.csv")
    assert (done.taken.new, done.taken.same, done.untaken) == (3, 1, [])
    paid, board, organic = calls(sqlite)
    assert paid["at"] == datetime(2026, 6, 3, 9, 10, 5, tzinfo=UTC)
    assert (paid["caller"], paid["wait"], paid["talk"]) == ("+79161234567", 8.0, 95.0)
    assert (paid["source"], paid["medium"], paid["campaign"], paid["keyword"]) == (
        "yandex", "cpc", "Поддоны Москва", "купить поддоны",
    )  # fmt: skip
    assert (paid["tags"], paid["took"]) == (["Опт", "Целевой"], "Иванова Анна")
    assert (board["outcome"], board["source"], board["wait"]) == (Outcome.MISSED, "наружная реклама", 31.0)
    assert (organic["source"], organic["keyword"]) == ("google", "поддоны бу")
    with sqlite.read() as session:
        assert session.scalars(sa.select(CallNote.text)).all() == ["просит счёт"]
        assert set(session.scalars(sa.select(Site.name))) == {"Shop", "Calltouch"}  # one row names no page


def test_a_number_of_somebody_else_is_told_and_a_channel_of_that_name_is_used(sqlite: Database) -> None:
    company_id = add_company(sqlite)
    with sqlite.write() as session:
        rival = Company(slug="rival", name="Rival", default_region="US", created_at=NOW)
        session.add(rival)
        session.flush()
        session.add(Number(company_id=rival.id, e164="+12025550141", created_at=NOW))
        session.add(
            Channel(
                company_id=company_id, name="BILLBOARD I-95", source="billboard", medium="ooh", created_at=NOW
            )
        )
    done = move(sqlite, company_id, "callrail", "callrail.csv")
    assert (done.taken.new, done.channels, done.visits) == (2, 0, 0)
    assert {it["source"] for it in calls(sqlite)} == {"billboard"}
    reasons = {str(it.reason) for it in done.untaken if it.column == "did"}
    assert any("is no number entered here" in reason for reason in reasons)
    with sqlite.read() as session:
        assert session.scalars(sa.select(Tag.name)).all() == []


def test_without_new_numbers_only_calls_to_known_ones_are_taken(sqlite: Database) -> None:
    company_id = add_company(sqlite)
    with sqlite.write() as session:
        session.add(Number(company_id=company_id, e164="+12025550142", created_at=NOW))
    done = move(sqlite, company_id, "callrail", "callrail.csv", adds_numbers=False)
    assert (done.taken.new, done.numbers) == (2, 0)


def test_the_command_looks_first_and_writes_what_it_did_not_take(tmp_path: Path) -> None:
    here = ready(tmp_path / "home")
    here.done("company", "add", "pallets", "--region", "US", "--timezone", "America/New_York",
              "--currency", "USD")  # fmt: skip
    file = tmp_path / "calls.csv"
    file.write_bytes((EXPORTS / "callrail.csv").read_bytes())
    dry = here.json_anyway("import", "callrail", str(file), "--dry-run")
    assert (dry["new"], dry["numbers"], dry["added_numbers"]) == (5, 2, ["+12025550141", "+12025550142"])
    assert here.json("number", "list") == []
    result = here.run("import", "callrail", str(file))
    assert result.exit_code == 1
    assert "5 new" in result.stdout
    assert "3 rows were not taken" in result.stderr
    with (tmp_path / "calls.csv.not-taken.csv").open(encoding="utf-8-sig") as opened:
        rows = list(csv.DictReader(opened))
    assert [(row["line"], row["column"]) for row in rows] == [
        ("6", "outcome"), ("8", "did"), ("9", "started_at"),
    ]  # fmt: skip
    assert rows[2]["id"] == "'=CAL0008"
    again = here.json_anyway("import", "callrail", str(file), "--report", str(tmp_path / "other.csv"))
    assert (again["new"], again["same"], again["report"]) == (0, 5, str(tmp_path / "other.csv"))
    listed = here.json("calls", "list", "--since", "2026-01-01")["calls"]
    assert [it["outcome"] for it in listed if it["value"]] == ["answered"]
    assert "is none of" in here.run("import", "ctm", str(file), "--column", "x=Y").stderr
    broken = tmp_path / "broken.json"
    broken.write_text('{"calls": [')
    assert "is no JSON" in here.refused("import", "ctm", str(broken))
    broken.write_text('[{"x": 1}]')
    assert "have no member" in here.refused("import", "ctm", str(broken))


@pytest.mark.parametrize(
    ("told", "means"),
    [
        ("2026-05-01 11:48 PM -04:00", "2026-05-01 23:48:00-04:00"),
        ("01/15/2026 2:30 pm", "01/15/2026 14:30:00"),
        ("2026-01-15 12:05:09 a.m. UTC", "2026-01-15 00:05:09+00:00"),
        ("1780477805", "2026-06-03T09:10:05+00:00"),
        ("1780477805123", "2026-06-03T09:10:05+00:00"),
        ("2026-03-02T14:15:09.119-05:00", "2026-03-02T14:15:09.119-05:00"),
        ("", ""),
    ],
)
def test_instants_of_every_service_are_understood(told: str, means: str) -> None:
    assert plain_time(told) == means


@pytest.mark.parametrize(
    ("touch", "url"),
    [
        (Touch("Google Ads", "PPC", "A", "b c"), "https://landing.invalid/?utm_source=google&utm_medium=cpc"
         "&utm_campaign=A&utm_term=b+c"),
        (Touch("x", landing_url="https://a.example/p?utm_source=y"), "https://a.example/p?utm_source=y"),
        (Touch("x", click_ids={"gclid": "g"}, landing_url="https://a.example/"), "https://a.example/?gclid=g"),
        (Touch("Direct", "direct", landing_url="https://a.example/#f"), "https://a.example/"),
    ],
)  # fmt: skip
def test_what_an_address_says_counts_before_the_services_word(touch: Touch, url: str) -> None:
    assert landing_of(touch) == url


def test_every_service_has_its_module_and_its_command(tmp_path: Path) -> None:
    for name, title in TITLES.items():
        assert (vendor_of(name).name, vendor_of(name).title) == (name, title)
        assert title in Installation(tmp_path).done("import", name, "--help")
    assert Reason.REPORTED.value == "reported"
