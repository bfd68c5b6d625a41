"""200 hostile texts in every field that others fill: each page stays built as with plain words."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from playwright.sync_api import Browser
from support.addresses import shown
from support.browser import browser, complaints, open_page, serving  # noqa: F401
from support.facts import Pallets
from support.hostile import HOSTILE
from support.journeys import tell_journeys
from support.recorded import settings_in
from support.served import books_in, log_in
from support.showroom import OWNER, Told, furnish
from support.site import Site

from tracker import people, worth
from tracker.audit import By
from tracker.database import Database
from tracker.models import Base, Call, Company, Role
from tracker.policy.addresses import clean

# Keys by which rows are found, words of a fixed set, and what only we make ourselves.
OURS = re.compile(
    r"(^|_)(key|slug|sha256|digest|hash|uniqueid|linkedid|state|path|secret|action|query|kind|node)$"
    r"|^(email|e164|default_region|timezone|currency|language|password\w*|totp\w*|dial_status|real|code)$"
)
TABLES = {
    "audit_entries", "call_notes", "calls", "channels", "companies", "login_sessions", "numbers",
    "page_views", "pools", "sites", "tags", "targets", "users", "visit_events", "visits",
}  # fmt: skip
CALLS = (Told(4, Pallets.billboard, "+79161234567", name="Romashka"), Told(9, Pallets.leaflet, "", "missed"))

Built = dict[str, list[tuple[str, ...]]]  # by path, the elements of the page in order


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    return tell(sqlite, tmp_path, now)


def tell(database: Database, folder: Path, now: datetime) -> Site:
    """A showroom in which everything that can be said of a call has been said."""
    settings = settings_in(folder, secret_key="k" * 40)
    room = furnish(database, settings, now, CALLS)
    with database.write() as session:
        tell_journeys(session, room.pallets, now)
        by = By(now, OWNER, "192.0.2.1")
        for call in session.scalars(sa.select(Call)):
            worth.add_tag(session, by, [call], "tag")
            worth.add_note(session, by, call, "note")
            worth.note_told(session, by, call, heard_of="a friend", promo_code="X")
    return Site(database, settings, now)


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory, now: datetime) -> tuple[Built, Built]:
    """How pages are built with plain words in them, and with an address."""
    folder = tmp_path_factory.mktemp("usual")
    with books_in(folder) as (_, database):
        site = tell(database, folder, now)
        owner = log_in_owner(site)
        return built(site, owner, "plain words"), built(site, owner, "https://plain.example/")


@pytest.mark.parametrize("start", range(0, len(HOSTILE), 20))
def test_no_page_is_built_otherwise_by_a_hostile_text(
    site: Site, usual: tuple[Built, Built], start: int
) -> None:
    owner, texts = log_in_owner(site), HOSTILE[start : start + 20]
    plain, addressed = usual
    assert {"/calls", "/calls/certain", "/audit", "/people"} <= set(plain)
    # Here strangers write what is shown: each text into each field. Elsewhere people of the company do.
    strangers = {path for path in plain if re.match(r"/(calls|visits|overview|reports)\b", path)}

    def check(paths: Iterable[str], *texts: str) -> None:
        spoil(site.database, *texts)
        for path in paths:
            answer = owner.get(path)
            assert answer.status_code == 200, (path, texts)
            found = skeleton(answer.text)
            if len(texts) > 1:  # names in other order choose other lines of a list
                assert Counter(found) in (Counter(plain[path]), Counter(addressed[path])), (path, texts)
            elif path == "/reports" and clean(texts[0]) != texts[0]:  # no address holds it: no link to calls
                assert set(found) <= {*plain[path], *addressed[path]}, (path, texts)
            else:
                assert found in (plain[path], addressed[path]), (path, texts)

    for text in texts:
        check(strangers, text)
    check(plain.keys() - strangers, *texts)


def built(site: Site, owner: FlaskClient, text: str) -> Built:
    """How each page is built on which such a text is shown."""
    spoil(site.database, text)
    answers = {path: owner.get(path) for path in paths(site)}
    return {
        path: skeleton(answer.text)
        for path, answer in answers.items()
        if answer.status_code == 200 and text in answer.text
    }


def test_no_hostile_text_runs_in_a_browser(site: Site, browser: Browser, tmp_path: Path) -> None:  # noqa: F811
    """Nothing runs, no dialog opens, nothing is asked of another host, and the CSP has nothing to refuse."""
    # A piece of a page is no page: a browser would ask it for its icon.
    pages = [
        path
        for path, found in built(site, log_in_owner(site), "plain words").items()
        if found[0][0] == "html"
    ]
    with serving(settings_in(tmp_path, database_url=f"sqlite:///{tmp_path / 'books.db'}")) as url:
        page = log_in(open_page(browser, url), url, site.database, OWNER)
        asked: set[str] = set()
        page.on("request", lambda request: asked.add(request.url))
        for start in range(0, len(HOSTILE), 40):
            spoil(site.database, *HOSTILE[start : start + 40])
            for path in pages:
                page.goto(path, wait_until="load")
                assert complaints(page) == [], path
        assert not [each for each in asked if not each.startswith(url)]
        page.context.close()


def log_in_owner(site: Site) -> FlaskClient:
    owner = site.log_in("ann@pallets.example", 1)
    with site.database.write() as session:
        ann = people.find_user(session, "ann@pallets.example")
        people.give_role(session, ann, session.get_one(Company, 1), Role.OWNER)
    return owner


def paths(site: Site) -> list[str]:
    """Every page, that of a call once for each kind of call."""
    with site.database.read() as session:
        visit = session.scalars(sa.select(Call.visit_id).where(Call.key == "certain")).one()
        first = session.scalars(sa.select(Call.key).order_by(Call.id).limit(1)).one()
        kinds = (
            shown(site.app, session, key=key, visit=str(visit)) for key in (first, "certain", "uncertain")
        )
        return sorted({path for kind in kinds for path in kind.values()})


def spoil(database: Database, *texts: str) -> None:
    """Puts the texts, in turn, into every field of every row that is not of our own making."""
    turn = itertools.cycle(texts)
    with database.write() as session:
        for table in (Base.metadata.tables[name] for name in sorted(TABLES)):
            key = next(iter(table.primary_key.columns))
            columns = list(_foreign(table))
            for row in session.execute(sa.select(key)).scalars().all():
                values = {column: _fit(column, next(turn), row) for column in columns}
                session.execute(sa.update(table).where(key == row).values(values))


def _foreign(table: sa.Table) -> Iterator[sa.Column[Any]]:
    for column in table.columns:
        words = isinstance(column.type, sa.String) and not isinstance(column.type, sa.Enum)
        if (words or isinstance(column.type, sa.JSON)) and not OURS.search(column.name):
            yield column


def _fit(column: sa.Column[Any], text: str, row: object) -> Any:
    """As much of the text as the column holds; what must not be there twice is told apart by the row."""
    if isinstance(column.type, sa.JSON):
        return _json(column.name, text)
    longest = getattr(column.type, "length", None) or 10_000
    apart = f" {row}" if column.name in {"name", "username"} else ""
    return text[: longest - len(apart)] + apart


def _json(name: str, text: str) -> Any:
    """As deep as the page looks into that column."""
    if name in {"domains", "dynamic_for"}:
        return [text]
    if name == "missed_in":
        return []
    return (
        {text: text} | dict.fromkeys(("number", "text", "name"), text) if name == "detail" else {text: text}
    )


class Skeleton(HTMLParser):
    """A page without its texts: the elements in order, with the names of their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, ...]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, *sorted(name for name, _ in attrs)))
        for name, value in attrs:
            if name in {"href", "src", "action", "formaction"}:
                assert re.match(r"[/#?]|https?://|tel:|mailto:|calls|$", value or ""), (tag, name, value)

    def handle_endtag(self, tag: str) -> None:
        self.found.append(("/" + tag,))

    def handle_comment(self, data: str) -> None:
        self.found.append(("!",))


def skeleton(html: str) -> list[tuple[str, ...]]:
    parser = Skeleton()
    parser.feed(html)
    parser.close()
    return parser.found
