"""The words that ask for calls, read, and what they find in the books."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from support.facts import Pallets
from support.journeys import tell_journeys
from support.showroom import Told, add_company, place

from tracker import calls, worth
from tracker.audit import By
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import Call, Category
from tracker.policy.call_filter import NAMES, CallFilter, read_filter
from tracker.policy.facts import Outcome

MOSCOW, BERLIN = ZoneInfo("Europe/Moscow"), ZoneInfo("Europe/Berlin")
TODAY = date(2026, 11, 20)


def read(words: Mapping[str, str | Sequence[str]], zone: ZoneInfo = MOSCOW) -> CallFilter:
    lists = {name: [word] if isinstance(word, str) else word for name, word in words.items()}
    return read_filter(lists, zone, TODAY)


def test_nothing_asked_for_is_every_call() -> None:
    assert read({}) == read({"q": "  ", "source": "", "other": "x"}) == CallFilter()


@pytest.mark.parametrize(
    ("words", "since", "until"),
    [
        ({"period": "today"}, "2026-11-19T21:00", "2026-11-20T21:00"),
        ({"period": "yesterday"}, "2026-11-18T21:00", "2026-11-19T21:00"),
        ({"period": "7d"}, "2026-11-13T21:00", "2026-11-20T21:00"),
        ({"period": "last_week"}, "2026-11-08T21:00", "2026-11-15T21:00"),
        ({"period": "this_month"}, "2026-10-31T21:00", "2026-11-20T21:00"),
        ({"period": "last-month"}, "2026-09-30T21:00", "2026-10-31T21:00"),
        ({"since": "2026-11-01"}, "2026-10-31T21:00", None),
        ({"until": "2026-11-01"}, None, "2026-11-01T21:00"),
        ({"since": "2026-11-01", "until": "2026-11-01"}, "2026-10-31T21:00", "2026-11-01T21:00"),
        ({"since": "2026-11-01T09:30", "until": "2026-11-01T09:30"}, "2026-11-01T06:30", "2026-11-01T06:30"),
        ({"until": "2026-11-01T09:30"}, None, "2026-11-01T06:30"),
        ({"period": "7d", "since": "2026-11-01"}, "2026-10-31T21:00", None),  # days say more than a period
    ],
)
def test_days_are_those_of_the_company(words: dict[str, str], since: str | None, until: str | None) -> None:
    found = read(words)
    told = [each and each.astimezone(UTC).strftime("%Y-%m-%dT%H:%M") for each in (found.since, found.until)]
    assert told == [since, until]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-03-30", 24), ("2026-10-25", 25)])
def test_a_day_is_as_long_as_its_clocks_say(day: str, hours: int) -> None:
    found = read({"since": day, "until": day}, BERLIN)
    assert found.since is not None
    assert found.until is not None
    assert found.until - found.since == timedelta(hours=hours)


@pytest.mark.parametrize(
    "words",
    [
        {"since": "yesterday"}, {"until": "2026-13-01"}, {"since": "0001-01-01"}, {"since": "9999-12-31"},
        {"since": "2026-11-02", "until": "2026-11-01"}, {"period": "year"}, {"outcome": "lost"},
        {"since": "2026-11-01T25:00"}, {"since": "2026-11-01T10:00", "until": "2026-11-01T09:59"},
        {"hour": "mon-14"}, {"hour": "mon-24", "period": "7d"}, {"hour": "moon-1", "period": "7d"},
        {"hour": "mon-14", "since": "1990-01-01", "until": "2026-01-01"}, {"beside": "google"},
        {"beside": "/google"}, {"beside": "channel/"}, {"attributed": "perhaps"},
        {"category": "lead"}, {"repeat": "1"}, {"talk_from": "-1"}, {"talk_to": "1e9"}, {"talk_to": "²"},
        {"value_from": "much"}, {"value_to": "-1"}, {"value_from": "1.00001"}, {"value_to": "1 000"},
        {"value_to": "NaN"}, {"value_to": "1e3"}, {"kind": "x"}, {"delay": "soon"}, {"without": "source"},
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_what_can(words: dict[str, str]) -> None:
    with pytest.raises(Rejected) as refused:
        read(words)
    assert refused.value.id == "filter.malformed"


CALLS = (
    Told(3, Pallets.billboard, "+79161234567", talk=8, sound=False, name="Анна Кузнецова"),
    Told(9, Pallets.leaflet, "+79161234567", "missed", wait=41),
    Told(20, Pallets.leased, "", talk=90, sound=False, name="Hidden Name"),
    Told(1500, Pallets.billboard, "+4915112345678", "gave_up"),
)


@pytest.fixture(scope="module")
def books(kept_database: Database, now: datetime) -> tuple[Database, int]:
    with kept_database.write() as session:
        pallets = add_company(session, now, "pallets")
        keys = place(session, pallets, now, CALLS)
        tell_journeys(session, pallets, now)
        for name, key in zip(("anna", "missed", "hidden", "old"), keys, strict=True):
            session.execute(sa.update(Call).where(Call.key == key).values(key=name))
        found = {call.key: call for call in session.scalars(sa.select(Call))}
        by = By(now, "ann@pallets.example")
        worth.categorise(session, by, [found["anna"]], Category.TARGET)
        worth.add_tag(session, by, [found["anna"], found["old"]], "delivery")
        found["anna"].value, found["old"].value = Decimal(100), Decimal("250.5")
        worth.add_note(session, by, found["missed"], "Wants 100 % euro_pallets")
    return kept_database, pallets.company_id


def test_an_hour_of_the_week_is_found_in_every_week_as_the_clocks_showed_it() -> None:
    words = {"hour": "sun-02", "since": "2026-10-18", "until": "2026-11-02"}
    spans = read(words, BERLIN).hours
    assert spans is not None
    # On 25 October the clocks went back at three: two hours were the hour after two.
    told = [(f"{begun:%d %H:%M}", (ended - begun) / timedelta(hours=1)) for begun, ended in spans]
    assert told == [("18 00:00", 1), ("25 00:00", 2), ("01 01:00", 1)]
    assert read(words | {"since": "2026-03-23", "until": "2026-03-29"}, BERLIN).hours == ()


JOURNEYS = {"repeat", "certain", "code", "uncertain", "unknown"}


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ({"outcome": "missed"}, {"missed"}),
        ({"outcome": ["missed", "gave-up"]}, {"missed", "old"}),
        ({"category": "target"}, {"anna"}),
        ({"category": "none"}, {"missed", "hidden", "old"} | JOURNEYS),
        ({"category": ["target", "none"], "outcome": "answered"}, {"anna", "hidden"} | JOURNEYS),
        ({"tag": "delivery"}, {"anna", "old"}),
        ({"tag": "unheard"}, set()),
        ({"channel": "Leaflet"}, {"missed"}),
        ({"source": "google", "medium": "cpc"}, {"certain", "repeat"}),
        ({"campaign": "pallets-autumn"}, {"certain", "repeat"}),
        ({"keyword": "euro pallets buy"}, {"certain", "repeat"}),
        ({"ad": "ad-14", "country": "RU"}, {"certain", "repeat"}),
        ({"landing": "www.pallets.example/euro", "device": "phone"}, {"certain", "repeat", "uncertain"}),
        ({"landing": "www.pallets.example/eur"}, set()),
        ({"region": "DE"}, {"old", "uncertain"}),
        ({"region": "ZZ"}, set()),
        ({"without": "region"}, {"hidden"}),
        ({"kind": "known-caller"}, {"repeat"}),
        ({"kind": "static"}, {"anna", "missed", "old"}),
        ({"kind": "dynamic", "delay": "1m-5m"}, {"certain", "code"}),
        ({"delay": "5m-30m"}, {"repeat", "uncertain"}),
        ({"without": ["campaign", "delay"]}, {"anna", "missed", "old"}),
        ({"without": "ad", "attributed": "yes", "period": "today", "outcome": "answered"},
         {"anna", "code", "uncertain"}),
        ({"without": "employee"}, {"missed", "old"}),
        ({"without": "tag", "outcome": "missed"}, {"missed"}),
        ({"group": "Paid Search", "source": "yandex"}, {"uncertain"}),
        ({"attributed": "no"}, {"unknown", "hidden"}),
        ({"attributed": "yes", "until": "2026-11-19"}, {"old"}),
        ({"known": "no"}, {"hidden"}),
        ({"known": "yes", "until": "2026-11-19"}, {"old"}),
        ({"missed_by": "office"}, {"missed"}),
        ({"missed_by": "mobile"}, set()),
        ({"hour": "fri-14", "period": "today"}, {"anna", "missed", "hidden"} | JOURNEYS),
        ({"hour": ["thu-14", "thu-13"], "period": "7d"}, {"old"}),
        ({"since": "2026-11-20T14:30", "until": "2026-11-20T14:55"}, {"missed", "hidden", "code", "unknown"}),
        ({"beside": "none"}, {"anna", "missed", "old"} | JOURNEYS - {"unknown"}),
        ({"beside": ["channel/Billboard", "Paid Search/google"]},
         {"missed", "hidden", "code", "uncertain", "unknown"}),
        ({"uncertain": "yes"}, {"uncertain", "hidden"}),
        ({"recorded": "yes"}, set()),
        ({"message": "yes"}, set()),
        ({"talk_from": "60", "talk_to": "95", "outcome": "answered"}, {"hidden"} | JOURNEYS),
        ({"value_from": "100"}, {"anna", "old"}),
        ({"value_from": "100.0001", "value_to": "300"}, {"old"}),
        ({"value_to": "100,00"}, {"anna"}),  # no value is not zero
        ({"number": "+74951234568"}, {"missed"}),
        ({"since": "2026-11-20"}, {"anna", "missed", "hidden"} | JOURNEYS),
        ({"until": "2026-11-19"}, {"old"}),
        ({"q": "123-45-67"}, {"anna", "missed", "old"}),
        ({"q": "8 (916) 123-45-67"}, {"anna", "missed"}),
        ({"q": "кузнец"}, {"anna"}),
        ({"q": "100 % euro_"}, {"missed"}),
        ({"q": "100 _"}, set()),  # no wildcard of SQL
        ({"q": "Hidden"}, set()),  # what a caller withholds is not found either
    ],
)  # fmt: skip
def test_each_wish_narrows_the_list(
    books: tuple[Database, int], words: dict[str, str | list[str]], keys: set[str]
) -> None:
    database, company_id = books
    with database.read() as session:
        found = calls.list_calls(session, [company_id], by=read(words)).calls
    assert {call.key for call in found} == keys


def test_another_companys_tag_finds_nothing(books: tuple[Database, int], now: datetime) -> None:
    database, company_id = books
    with database.read() as session:
        assert calls.list_calls(session, [company_id + 1], by=read({"tag": "delivery"})).calls == []


def test_pages_of_a_filter_join_without_a_gap(books: tuple[Database, int]) -> None:
    database, company_id = books
    seen, before = [], None
    with database.read() as session:
        while True:
            page = calls.list_calls(session, [company_id], before, 2, read({"outcome": "answered"}))
            seen += [call.key for call in page.calls]
            if (before := page.next) is None:
                break
    assert sorted(seen) == sorted({"anna", "hidden"} | JOURNEYS)


def test_every_name_is_read() -> None:
    assert {"q", "period", "outcome", "talk_to"} <= set(NAMES)
    assert read({"outcome": "gave_up"}).outcomes == {Outcome.GAVE_UP}
