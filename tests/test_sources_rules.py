"""A company's rules, the imported lists, and a visitor's touches: stored, cached, ordered."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from support.config import by, pallets
from support.facts import add_pallets

from tracker import companies, referrer_lists, sources
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import AuditEntry, Company, Referrer, SourceRule, Visit
from tracker.policy.referrers import BUILT_IN, Kind, KnownHost
from tracker.policy.sources import classify
from tracker.policy.touches import Touch, touches
from tracker.referrer_lists import BadEntries, BadEntry, import_hosts, read_list
from tracker.touches import touches_of

DAY = timedelta(days=1)


def add(
    session: Session, now: datetime, company: Company, pattern: str, position: int | None = None
) -> SourceRule:
    return sources.add_rule(
        session, by(now), company, "referrer", pattern, medium="any", source=pattern, position=position
    )


def patterns(session: Session, company: Company) -> list[str]:
    return [rule.pattern for rule in sources.rules_of(session, company.id)]


# ---- rules ----


def test_rules_are_asked_in_their_order(database: Database, now: datetime) -> None:
    with database.write() as session:
        company = pallets(session, now)
        for pattern in ("one", "two", "three"):
            add(session, now, company, pattern)
        add(session, now, company, "first", position=1)
    with database.write() as session:
        company = companies.get(session, "pallets")
        assert patterns(session, company) == ["first", "one", "two", "three"]
        sources.move_rule(session, by(now), company, 4, 2)
        assert patterns(session, company) == ["first", "three", "one", "two"]
        sources.delete_rule(session, by(now), company, 1)
        assert patterns(session, company) == ["three", "one", "two"]
        assert [row.position for row in sources.rows_of(session, company.id)] == [1, 2, 3]
        noted = session.scalars(sa.select(AuditEntry.action).where(AuditEntry.action.like("source.%")))
        assert len(list(noted)) == 6


def test_a_rule_decides_for_its_own_company_only(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        one, other = pallets(session, now), companies.add(session, by(now), "boxes", "Boxes", "RU")
        add(session, now, one, "forum")
        mine, theirs = sources.rules_of(session, one.id), sources.rules_of(session, other.id)
    assert classify("/", "https://forum.example/", own_hosts=(), rules=mine).source == "forum"
    assert classify("/", "https://forum.example/", own_hosts=(), rules=theirs).source == "forum.example"


@pytest.mark.parametrize(
    ("wish", "refused"),
    [
        ({"pattern": "(a+)+$"}, "source.pattern"),
        ({"part": "title"}, "source.part"),
        ({"medium": ""}, "source.text"),
        ({"source": "x" * 201}, "source.text"),
        ({"campaign": "a\nb"}, "source.text"),
        ({"position": 3}, "source.position"),
        ({"position": 0}, "source.position"),
    ],
)
def test_what_cannot_be_a_rule_is_refused(
    sqlite: Database, now: datetime, wish: dict[str, str], refused: str
) -> None:
    given = {"part": "landing", "pattern": "promo", "medium": "offline", "source": "Radio"} | wish
    with pytest.raises(Rejected) as no, sqlite.write() as session:
        company = pallets(session, now)
        add(session, now, company, "one")
        sources.add_rule(session, by(now), company, **given)  # type: ignore[arg-type]
    assert no.value.id == refused


def test_there_are_only_so_many_rules(sqlite: Database, now: datetime) -> None:
    with pytest.raises(Rejected, match="100 rules already"), sqlite.write() as session:
        company = pallets(session, now)
        for number in range(101):
            add(session, now, company, f"forum{number}[.]example")


def test_deleting_what_is_not_there_is_refused(sqlite: Database, now: datetime) -> None:
    with pytest.raises(Rejected, match="leaseline source rule add"), sqlite.write() as session:
        sources.delete_rule(session, by(now), pallets(session, now), 1)


def test_a_company_with_rules_can_be_deleted(database: Database, now: datetime) -> None:
    with database.write() as session:
        company = pallets(session, now)
        add(session, now, company, "forum")
        companies.delete(session, by(now), company)
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count(SourceRule.id))) == 0


def test_own_hosts_are_the_domains_of_all_sites(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        ids = add_pallets(session, now)
        assert sources.own_hosts_of(session, ids.company_id) == ("pallets.example",)


# ---- lists in Matomo's format ----

SEARCH = b"""
Seek:
  -
    urls:
      - www.seek.example
      - 'seek.{}'
      - '{}.seek.example'
      - seek.example/pictures/
    params:
      - '/s\\/([^\\/]+)/'
      - words
    backlink: 's?words={k}'
  - urls: [answers.example]
    params: []
Fr%C3%A9d:
  - urls:
      - fred.example
"""
SOCIAL = b"""
Club:
  - club.example
  - android-app://org.club.app
Answers:
  - answers.example
"""
HELPER = b"Helper:\n  - helper.example/chat\n"


def test_matomos_lists_are_read() -> None:
    assert read_list(SEARCH, "SearchEngines.yml") == [
        KnownHost(Kind.SEARCH, "Seek", "seek.example", ("words",)),
        KnownHost(Kind.SEARCH, "Seek", "seek.{}", ("words",)),
        KnownHost(Kind.SEARCH, "Seek", "{}.seek.example", ("words",)),
        KnownHost(Kind.SEARCH, "Seek", "seek.example/pictures", ("words",)),
        KnownHost(Kind.SEARCH, "Seek", "answers.example"),
        KnownHost(Kind.SEARCH, "Fréd", "fred.example"),
    ]
    assert read_list(SOCIAL, "Socials.yml")[1] == KnownHost(Kind.SOCIAL, "Club", "org.club.app")
    assert read_list(HELPER, "AIAssistants.yml") == [KnownHost(Kind.AI, "Helper", "helper.example/chat")]
    assert read_list(HELPER, "mine.yml", Kind.EMAIL) == [
        KnownHost(Kind.EMAIL, "Helper", "helper.example/chat")
    ]


def imported(
    session: Session, now: datetime, content: bytes, file: str
) -> list[tuple[str, int, int, int, int]]:
    counts = import_hosts(session, by(now), read_list(content, file))
    return [(each.kind.value, each.hosts, each.added, each.changed, each.removed) for each in counts]


def test_importing_again_changes_nothing(database: Database, now: datetime) -> None:
    with database.write() as session:
        assert imported(session, now, SEARCH, "SearchEngines.yml") == [("search", 6, 6, 0, 0)]
    with database.write() as session:
        assert imported(session, now + DAY, SEARCH, "SearchEngines.yml") == [("search", 6, 0, 0, 0)]
        assert session.scalar(sa.select(sa.func.max(Referrer.imported_at))) == now


def test_a_new_list_replaces_the_old_one_of_its_kind(database: Database, now: datetime) -> None:
    with database.write() as session:
        imported(session, now, SEARCH, "SearchEngines.yml")
        imported(session, now, HELPER, "AIAssistants.yml")
        newer = b"Seek:\n  - urls: [seek.example, seek.org]\n    params: [q]\n"
        assert imported(session, now, newer, "SearchEngines.yml") == [("search", 2, 1, 1, 5)]
        assert session.scalars(sa.select(Referrer.host).order_by(Referrer.host)).all() == [
            "helper.example/chat",
            "seek.example",
            "seek.org",
        ]


@pytest.mark.parametrize("files", [("a", "b"), ("b", "a")])
def test_where_lists_disagree_the_more_particular_kind_counts_in_any_order(
    sqlite: Database, now: datetime, files: tuple[str, ...]
) -> None:
    lists = {"a": (SEARCH, "SearchEngines.yml"), "b": (SOCIAL, "Socials.yml")}
    with sqlite.write() as session:
        for file in (*files, *files):
            imported(session, now, *lists[file])
        kind = session.scalar(sa.select(Referrer.kind).where(Referrer.host == "answers.example"))
        assert kind == "social"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"A:\n  - not a host\n", "'not a host' is no host"),
        (b"A:\n  - localhost\n", "'localhost' is no host"),
        (b"A:\n  - '{}.com'\n", "'{}.com' is no host"),
        (b"A:\n  - '{}'\n", "'{}' is no host"),
        (b"A:\n  - a.example\n  - 7\n", "lists of words"),
        (b"A: a.example\n", "has no list of hosts"),
        (b"A:\n  - urls: a.example\n", "lists of words"),
        (b"A:\n  - urls: [a.example]\n    params: [{}]\n", "lists of words"),
        (b"'" + b"A" * 101 + b"':\n  - a.example\n", "1 to 100 printable characters"),
    ],
)
def test_a_bad_entry_is_reported_and_nothing_is_imported(
    sqlite: Database, now: datetime, content: bytes, problem: str
) -> None:
    found = read_list(content + b"Good:\n  - good.example\n", "x.yml", Kind.SOCIAL)
    with (
        pytest.raises(BadEntries, match="1 bad entry; nothing was imported") as no,
        sqlite.write() as session,
    ):
        import_hosts(session, by(now), found)
    (bad,) = no.value.problems
    assert isinstance(bad, BadEntry)
    assert problem in bad.problem
    with sqlite.read() as session:
        assert session.scalar(sa.select(sa.func.count(Referrer.id))) == 0


@pytest.mark.parametrize(
    ("content", "sign"),
    [
        (b"a: [", "is no YAML"),
        (b"\xff\xfe\x00", "is no YAML"),
        (b"- a\n- b\n", "is no list of names"),
        (b"", "is no list of names"),
        (b"!!python/object/apply:os.system ['true']", "is no YAML"),
        (b"A:\n  - a.example\n", "does not say what it lists"),
        (b"#" * 2_000_001, "larger than 2 MB"),
    ],
)
def test_a_file_that_is_no_list_is_refused(content: bytes, sign: str) -> None:
    with pytest.raises(Rejected, match=sign) as no:
        read_list(content, "list.yml")
    assert no.value.id == "source.list"


def test_imported_hosts_are_known_at_once_and_forgotten_at_once(database: Database, now: datetime) -> None:
    with database.write() as session:
        assert sources.known_referrers(session) is BUILT_IN
        imported(session, now, SEARCH, "SearchEngines.yml")
        known = sources.known_referrers(session)
        assert known.find("www.seek.co.uk") == KnownHost(Kind.SEARCH, "Seek", "seek.{}", ("words",))
        assert known.find("de.seek.example") == KnownHost(Kind.SEARCH, "Seek", "{}.seek.example", ("words",))
        assert sources.known_referrers(session) is known
        imported(session, now + DAY, SEARCH.replace(b"words\n", b"q\n"), "SearchEngines.yml")
        seek = sources.known_referrers(session).find("seek.example")
        assert seek
        assert seek.parameters == ("q",)
        assert referrer_lists.forget(session, by(now)) == 6
        assert sources.known_referrers(session) is BUILT_IN


# ---- touches ----


def visit(number: int, days_ago: int, now: datetime, source: str = "(direct)") -> Touch:
    return Touch(number, now - days_ago * DAY, "(none)" if source == "(direct)" else "cpc", source)


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ((), (None, None, None)),
        (((1, 0, "google"),), (1, 1, 1)),
        (((1, 0, "(direct)"),), (1, 1, 1)),
        (((1, 9, "google"), (2, 1, "(direct)")), (1, 2, 1)),
        (((2, 1, "(direct)"), (1, 9, "google")), (1, 2, 1)),
        (((1, 9, "google"), (2, 5, "vk"), (3, 1, "(direct)")), (1, 3, 2)),
        (((1, 90, "google"), (2, 1, "(direct)")), (1, 2, 1)),
        (((1, 91, "google"), (2, 1, "(direct)")), (1, 2, 2)),
        (((1, 9, "(direct)"), (2, 1, "vk"), (3, -1, "google")), (1, 2, 2)),
    ],
)
def test_direct_visits_never_take_the_credit_from_a_source_of_the_last_90_days(
    now: datetime, history: tuple[tuple[int, int, str], ...], expected: tuple[int | None, ...]
) -> None:
    found = touches([visit(number, days, now, source) for number, days, source in history], now)
    named = (found.first, found.last, found.last_non_direct)
    assert tuple(each.visit_id if each else None for each in named) == expected


def test_the_touches_of_a_visitor_are_read_as_they_stood(database: Database, now: datetime) -> None:
    with database.write() as session:
        ids = add_pallets(session, now)
        first = session.get_one(Visit, ids.visit_id)
        for hours, source in ((1, "vk"), (2, "(direct)")):
            session.add(
                Visit(
                    visitor_id=first.visitor_id,
                    site_id=first.site_id,
                    started_at=now + timedelta(hours=hours),
                    medium="any",
                    source=source,
                )
            )
        session.flush()
        then = touches_of(session, first.visitor_id, now)
        later = touches_of(session, first.visitor_id, now + DAY)
    assert (then.first, then.last, then.last_non_direct) == (then.first,) * 3
    assert later.first == then.first
    assert later.last
    assert later.last_non_direct
    assert (later.last.source, later.last_non_direct.source) == ("(direct)", "vk")
