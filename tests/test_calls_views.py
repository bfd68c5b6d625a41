"""Views kept by name, and chosen columns: what is kept, who sees it, what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from support.recorded import settings_in
from support.showroom import DAY, add_company, furnish
from support.site import Site, csrf_token
from werkzeug.test import TestResponse

from tracker import people, preferences, views
from tracker.audit import By
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import AuditEntry, Call, Company, Role, SavedView, User
from tracker.policy.call_columns import USUAL, CallColumn, kept_columns, read_columns
from tracker.policy.saved_views import read_query
from web import filters
from web.views import BUILT_IN


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("?outcome=missed&period=7d", "outcome=missed&period=7d"),
        ("period=7d&outcome=missed&before=1-1&x=y&source=", "outcome=missed&period=7d"),
        ("outcome=missed&outcome=busy&outcome=missed", "outcome=busy&outcome=missed"),
        ("channel=A&channel=B", "channel=B"),  # the last counts, as in the filter
        ("q=%D0%B0+b%26c", "q=%D0%B0+b%26c"),
        ("value_from=49,90", "value_from=49%2C90"),
    ],
)
def test_a_view_is_the_words_of_a_filter_and_nothing_else(query: str, kept: str) -> None:
    assert read_query(query) == kept
    assert read_query(kept) == kept


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("", "view.empty"), ("?before=1-1", "view.empty"), ("period=year", "view.malformed"),
        ("since=2026-11-02&until=2026-11-01", "view.malformed"), ("value_from=much", "view.malformed"),
        ("&".join(f"tag={number}" for number in range(200)), "view.malformed"),
        ("&".join(f"{name}={'я' * 190}" for name in ("q", "tag", "channel")), "view.malformed"),
    ],
)  # fmt: skip
def test_words_that_are_no_view_are_refused(query: str, problem: str) -> None:
    with pytest.raises(Rejected) as refused:
        read_query(query)
    assert refused.value.id == problem


def test_the_views_for_everybody_can_be_read() -> None:
    assert [read_query(query) for _, query in BUILT_IN] == [query for _, query in BUILT_IN]


def test_columns_are_shown_in_their_order_and_never_without_time_and_caller() -> None:
    assert read_columns([]) == (CallColumn.TIME, CallColumn.CALLER)
    assert read_columns(["value", "source", "value"]) == ("time", "caller", "source", "value")
    assert kept_columns(None) == kept_columns("value") == USUAL
    assert kept_columns(["value", "of-yesterday", 7]) == ("time", "caller", "value")
    with pytest.raises(Rejected, match="There is no column 'price'"):
        read_columns(["value", "price"])


@pytest.fixture
def books(database: Database, now: datetime) -> tuple[Database, dict[str, int], By]:
    """Two companies; Ann and Bob see the first, Eve the second, Ada administers the first."""
    with database.write() as session:
        for slug in ("pallets", "rival"):
            session.add(Company(slug=slug, name=slug.title(), default_region="RU", created_at=now))
        users = {
            name: people.add_user(session, f"{name}@x.example", name.title(), now)
            for name in ("ann", "bob", "ada", "eve")
        }
        session.flush()
        ids = {name: user.id for name, user in users.items()}
    return database, ids, By(now, "ann@x.example")


def test_a_view_is_seen_by_its_maker_and_a_shared_one_by_the_company(
    books: tuple[Database, dict[str, int], By],
) -> None:
    database, ids, by = books
    with database.write() as session:
        views.save_view(session, by, ids["ann"], "  mine ", "?outcome=missed")
        views.save_view(session, by, ids["ann"], "Ours", "outcome=busy", company_id=1)
        views.save_view(session, by, ids["eve"], "Theirs", "outcome=busy", company_id=2)
        views.save_view(session, by, ids["bob"], "mine", "talk_from=60")
        seen = {
            name: [it.name for it in views.list_views(session, views.Reader(ids[name], companies))]
            for name, companies in (("ann", (1,)), ("bob", (1,)), ("eve", (2,)), ("ada", (1, 2)))
        }
        lost = [it.name for it in views.list_views(session, views.Reader(ids["ann"], ()))]
        noted = sa.select(AuditEntry.action, AuditEntry.company_id, AuditEntry.subject).order_by(
            AuditEntry.id
        )
        assert list(session.execute(noted))[:2] == [("view.save", None, "mine"), ("view.save", 1, "Ours")]
    assert seen == {
        "ann": ["mine", "Ours"], "bob": ["mine", "Ours"], "eve": ["Theirs"], "ada": ["Ours", "Theirs"],
    }  # fmt: skip
    assert lost == ["mine"]  # what was shared stays with the company


def test_names_are_ones_own_and_not_too_many(books: tuple[Database, dict[str, int], By]) -> None:
    database, ids, by = books
    with database.write() as session:
        for number in range(views.MOST):
            views.save_view(session, by, ids["ann"], f"View {number}", "outcome=missed")
        for name, problem in (
            ("View 1", "view.many"),
            ("\u202e ", "view.nameless"),
            ("x" * 61, "view.nameless"),
        ):
            with pytest.raises(Rejected) as refused:
                views.save_view(session, by, ids["ann"], name, "outcome=missed")
            assert refused.value.id == problem
        views.save_view(session, by, ids["bob"], "View 1", "outcome=missed")
        with pytest.raises(Rejected) as refused:
            views.save_view(session, by, ids["bob"], "View 1", "outcome=busy")
        assert refused.value.id == "view.duplicate"


def test_a_view_is_deleted_by_its_maker_or_by_who_administers_its_company(
    books: tuple[Database, dict[str, int], By],
) -> None:
    database, ids, by = books
    ann, bob = views.Reader(ids["ann"], (1,)), views.Reader(ids["bob"], (1,))
    ada, eve = views.Reader(ids["ada"], (1,), (1,)), views.Reader(ids["eve"], (2,), (2,))
    with database.write() as session:
        own = views.save_view(session, by, ids["ann"], "Mine", "outcome=missed").id
        shared = views.save_view(session, by, ids["ann"], "Ours", "outcome=missed", company_id=1).id
        for who, view, problem in (
            (bob, own, "view.unknown"), (ada, own, "view.unknown"), (eve, shared, "view.unknown"),
            (bob, shared, "view.foreign"), (ann, 0, "view.unknown"),
        ):  # fmt: skip
            with pytest.raises(Rejected) as refused:
                views.delete_view(session, by, who, view)
            assert refused.value.id == problem
        views.delete_view(session, by, ann, own)
        views.delete_view(session, by, ada, shared)
        assert session.scalar(sa.select(sa.func.count()).select_from(SavedView)) == 0


def test_what_is_set_up_leaves_the_other_preferences_alone(
    books: tuple[Database, dict[str, int], By],
) -> None:
    database, ids, by = books
    with database.write() as session:
        session.get_one(User, ids["ann"]).preferences = {"other": 1}
    for columns, kept in (
        (read_columns(["value"]), {"other": 1, "columns": ["time", "caller", "value"]}),
        (None, {"other": 1}),
        (None, {"other": 1}),
    ):
        with database.write() as session:
            preferences.keep_columns(session, by, ids["ann"], columns)
        with database.read() as session:
            assert session.get_one(User, ids["ann"]).preferences == kept
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(AuditEntry)) == 2


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            seen.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(database.engine, "before_cursor_execute", note)


def test_what_may_be_chosen_takes_one_statement_however_many_companies(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        company_id = add_company(session, now, "pallets").company_id
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=now))
    with database.read() as session, statements(database) as seen:
        found = filters.choices(session, [company_id, company_id + 1])
        assert found.channels == ["Berlin bus", "Billboard", "Leaflet", "Messe München"]
        assert (found.targets, found.tags, found.sources) == (["mobile", "office"], [], [])
        assert filters.choices(session, [company_id + 1]).channels == []
        assert filters.choices(session, []).channels == []
    assert len(seen) == 2


# ---- the page ----


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    settings = settings_in(tmp_path, secret_key="k" * 40)
    room = furnish(sqlite, settings, now, tuple(replace(call, sound=False) for call in DAY))
    site = Site(sqlite, settings, now)
    site.app.config.update(KEY=room.keys[0])
    return site


@pytest.fixture
def ann(site: Site) -> FlaskClient:
    return site.log_in("ann@pallets.example", 1)


def send(browser: FlaskClient, path: str, **form: str | list[str]) -> TestResponse:
    return browser.post(path, data={"csrf": csrf_token(browser), **form})


def heads(html: str) -> list[str]:
    table = html.partition("<thead>")[2].partition("</thead>")[0]
    return re.findall(r"<th [^>]*>([^<]*)</th>", table)


def test_chosen_columns_are_shown_at_every_later_visit(site: Site, ann: FlaskClient) -> None:
    usual = heads(ann.get("/calls").text)
    assert usual == [
        "Time",
        "Outcome",
        "Caller",
        "Source",
        "Number dialled",
        "Wait",
        "Talk",
        "Worth",
        "Recording",
    ]
    with site.database.write() as session:
        wanted = sa.update(Call).where(Call.key == site.app.config["KEY"])
        session.execute(wanted.values(value=Decimal("1250.5"), heard_of="=a <friend>"))
    answer = send(ann, "/calls/columns", column=["value", "heard_of", "answered_by"], back="?period=7d")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/calls?period=7d")
    for path in ("/calls", "/calls/now"):
        html = ann.get(path).text
        assert heads(html) == ["Time", "Caller", "Answered by", "Heard of us", "Value"]
        for told in ("€1,250.50", "=a &lt;friend&gt;", "office", 'colspan="5"'):
            assert told in html, (path, told)
    assert send(ann, "/calls/columns", column="price").status_code == 400
    for back in ("//evil.example", "https://evil.example"):
        assert send(ann, "/calls/columns", usual="yes", back=back).headers["Location"] == "/calls"
    assert heads(ann.get("/calls").text) == usual


def test_the_company_is_a_column_for_who_sees_several(site: Site, ann: FlaskClient, now: datetime) -> None:
    send(ann, "/calls/columns", column="company")
    assert heads(ann.get("/calls").text) == ["Time", "Caller"]
    with site.database.write() as session:
        company = Company(slug="rival", name="Rival", default_region="DE", created_at=now)
        session.add(company)
        people.give_role(session, people.find_user(session, "ann@pallets.example"), company, Role.LISTENER)
    html = ann.get("/calls").text
    assert heads(html) == ["Time", "Caller", "Company"]
    assert '<option value="pallets">' in ann.get("/calls?repeat=no").text  # to share a view with
    assert '<option value="rival">' not in ann.get("/calls?repeat=no").text


def test_a_view_is_saved_marked_shared_and_deleted(site: Site, ann: FlaskClient) -> None:
    html = ann.get("/calls").text
    assert html.count('href="/calls?outcome=missed&amp;period=7d"') == 1
    assert '<a href="/calls" aria-current="true">All calls</a>' in html
    assert "Save this view" not in html
    assert "Save this view" in ann.get("/calls?period=7d").text
    assert "Save this view" not in ann.get("/calls?period=7d&outcome=missed").text  # it is one already
    answer = send(ann, "/calls/views", name="<b>Busy", query="?outcome=busy&before=1-1", company="pallets")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/calls?outcome=busy")
    html = ann.get("/calls?outcome=busy&before=9-9").text
    assert 'aria-current="true" title="You share this view at' in html
    assert "&lt;b&gt;Busy" in html
    bob = site.log_in("bob@pallets.example", 1)
    html = bob.get("/calls?outcome=busy").text
    assert "Ann shares this view at" in html
    assert "Delete this view" not in html
    assert send(bob, "/calls/views/1/delete").status_code == 403
    assert send(ann, "/calls/views/1/delete").headers["Location"] == "/calls?outcome=busy"
    assert "Busy</a>" not in bob.get("/calls").text


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"name": "", "query": "outcome=busy"}, 400),
        ({"name": "x", "query": ""}, 400),
        ({"name": "x", "query": "period=year"}, 400),
        ({"name": "x", "query": "outcome=busy", "company": "rival"}, 403),
    ],
)
def test_what_is_no_view_is_refused_and_nothing_is_kept(
    site: Site, ann: FlaskClient, now: datetime, form: dict[str, str], status: int
) -> None:
    with site.database.write() as session:
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=now))
    assert send(ann, "/calls/views", **form).status_code == status
    with site.database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(SavedView)) == 0


def test_a_listener_keeps_views_for_himself_only(site: Site) -> None:
    leo = site.log_in("leo@pallets.example", 1)
    with site.database.write() as session:
        user = people.find_user(session, "leo@pallets.example")
        people.give_role(session, user, session.get_one(Company, 1), Role.LISTENER)
    assert "Everybody at" not in leo.get("/calls?outcome=busy").text
    assert send(leo, "/calls/views", name="x", query="outcome=busy", company="pallets").status_code == 403
    assert send(leo, "/calls/views", name="x", query="outcome=busy").status_code == 303
    assert "Delete this view" in leo.get("/calls?outcome=busy").text
