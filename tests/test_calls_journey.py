"""A call with its candidates and its visitor's journey: what is read, of whom, and in how many statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from support.facts import Pallets, add_pallets
from support.journeys import tell_journeys

from tracker import calls, history, journey
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import Call, Company, PageView, Visit


@pytest.fixture
def pallets(database: Database, now: datetime) -> Pallets:
    with database.write() as session:
        pallets = add_pallets(session, now)
        tell_journeys(session, pallets, now)
        return pallets


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(database.engine, "before_cursor_execute", note)


def story(database: Database, pallets: Pallets, key: str) -> calls.CallStory:
    with database.read() as session:
        return calls.get_call(session, [pallets.company_id], key)


def test_a_call_comes_with_the_journey_of_the_visit_named(database: Database, pallets: Pallets) -> None:
    found = story(database, pallets, "certain")
    assert found.journey
    assert [page.title for page in found.journey.pages][1:] == ["Prices", "Delivery to your yard", "Contact"]
    assert [event.kind.value for event in found.journey.events] == ["form", "phone_click"]
    assert [visit.source for visit in found.journey.before()] == ["google", "(direct)"]
    assert [visit.id for visit in found.journey.after()] == [found.journey.visit.id + 1]
    assert found.journey.leases[0].number.e164 == pallets.leased


def test_touches_are_those_before_the_call(database: Database, pallets: Pallets, now: datetime) -> None:
    found = story(database, pallets, "certain").journey
    assert found
    first, _direct, named, later = found.visits
    it = found.touches
    assert it.first
    assert it.last
    assert it.last_non_direct
    assert (it.first.visit_id, it.last.visit_id, it.last_non_direct.visit_id) == (
        first.id, named.id, named.id,
    )  # fmt: skip
    with database.read() as session:
        today = journey.read_journey(session, named.id, now).touches
    assert today.last
    assert today.last.visit_id == later.id


def test_candidates_come_likeliest_first_with_their_visits(database: Database, pallets: Pallets) -> None:
    found = story(database, pallets, "uncertain").candidates
    assert [it.probability for it in found] == [0.56, 0.27, 0.12]
    assert [it.visit.source for it in found if it.visit] == ["yandex", "vk.com", "forum.example"]


def test_a_calls_story_takes_as_many_statements_however_much_there_is(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    def count() -> int:
        with database.read() as session, statements(database) as seen:
            calls.describe_story(calls.get_call(session, [pallets.company_id], "certain"))
        return len([it for it in seen if it.startswith("SELECT")])

    few = count()
    with database.write() as session:
        visit = session.scalars(sa.select(Visit).join(Call).where(Call.key == "certain")).one()
        for second in range(20):
            at = now + timedelta(seconds=second)
            session.add(PageView(visit_id=visit.id, at=at, until_at=at, url="https://pallets.example/"))
            session.add(Visit(visitor_id=visit.visitor_id, site_id=visit.site_id, started_at=at,
                              medium="(none)", source="(direct)"))  # fmt: skip
    assert count() == few
    assert few <= 13


def test_a_robots_endless_history_is_cut_and_keeps_its_first_visit(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        visit = session.scalars(sa.select(Visit).join(Call).where(Call.key == "certain")).one()
        row = {"visitor_id": visit.visitor_id, "site_id": visit.site_id, "medium": "m", "source": "s"}
        starts = [now + timedelta(seconds=second) for second in range(300)]
        session.execute(sa.insert(Visit), [row | {"started_at": at} for at in starts])
    found = story(database, pallets, "certain").journey
    assert found
    assert len(found.visits) == journey.MOST_VISITS + 2  # the first, and the one named
    assert (found.visits[0].group, found.visits[1].id) == ("Organic Search", found.visit.id)


def test_a_history_has_every_visit_and_call_of_the_visitor(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    named = story(database, pallets, "certain").call.visit_id
    assert named
    with database.read() as session:
        found = history.get_history(session, [pallets.company_id], named, now)
    assert [call.key for call in found.calls] == ["repeat", "certain"]
    assert len(found.journey.visits) == 4


def test_another_companys_visit_is_unknown(database: Database, pallets: Pallets, now: datetime) -> None:
    with database.write() as session:
        other = Company(slug="other", name="Other", default_region="DE", created_at=now)
        session.add(other)
        session.flush()
        for ids, visit in (([other.id], pallets.visit_id), ([], pallets.visit_id), ([other.id], 999999)):
            with pytest.raises(Rejected, match="no such visit"):
                history.get_history(session, ids, visit, now)


def test_json_tells_the_source_how_sure_and_the_visit(database: Database, pallets: Pallets) -> None:
    told = calls.describe_story(story(database, pallets, "certain"))["call"]
    assert told["source"]["content"] == "ad-14"
    assert told["source"]["channel_group"] == "Paid Search"
    sure = told["attribution"]
    assert (sure["basis"], sure["probability"], sure["uncertain"]) == ("lease", 0.974, False)
    assert sure["candidates"][0]["reasons"] == ["present", "phone_click", "device_phone"]
    visit = told["visit"]
    assert visit["landing_url"].endswith("gclid=EAIaIQobChMI7Z")
    assert (visit["device"], visit["country"], visit["click_ids"]) == (
        "phone", "RU", {"gclid": "EAIaIQobChMI7Z"},
    )  # fmt: skip
    assert visit["pages"][0] == {
        "at": "2026-11-20T11:51:00.000Z", "until_at": "2026-11-20T11:51:48.000Z",
        "url": visit["landing_url"], "title": "Euro pallets, new and used",
    }  # fmt: skip
    assert visit["touches"]["first"]["channel_group"] == "Organic Search"
    assert visit["touches"]["last_non_direct"]["id"] == visit["id"]
    assert [it["pages"] for it in visit["visits"]] == [1, 2, 4, 1]


def test_json_of_a_call_without_a_visit_says_so(database: Database, pallets: Pallets) -> None:
    told = calls.describe_story(story(database, pallets, "unknown"))["call"]
    assert (told["source"], told["visit"]) == (None, None)
    assert told["attribution"] == {
        "basis": None, "probability": None, "uncertain": False, "candidates": [],
    }  # fmt: skip


def test_a_list_tells_how_sure_but_not_the_candidates(database: Database, pallets: Pallets) -> None:
    with database.read() as session, statements(database) as seen:
        page = calls.list_calls(session, [pallets.company_id])
        told = {call.key: calls.describe(call) for call in page.calls}
    assert told["uncertain"]["attribution"] == {"basis": "lease", "probability": 0.56, "uncertain": True}
    assert len([it for it in seen if it.startswith("SELECT")]) == 2  # the calls, and the tags of all of them
    assert not any("landing_url" in it for it in seen)  # heavy, and shown in no list


def test_codes_are_asked_for_only_where_visitors_are_shown_some(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        other = Company(slug="plain", name="Plain", default_region="DE", created_at=now)
        session.add(other)
        session.flush()
        assert journey.shows_codes(session, pallets.company_id)
        assert not journey.shows_codes(session, other.id)
