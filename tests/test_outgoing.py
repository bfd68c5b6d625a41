"""Who may call out and where to: the guard as a table, what is written down of it, the command."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from support.facts import Pallets, add_pallets, answered, ended, leg_ended, started

from agi.outgoing import variables
from dialplan.facts import load_facts
from tracker import outgoing
from tracker.audit import By
from tracker.books import record, record_all
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import Call, Company, Refusal, Target
from tracker.policy.books import fold
from tracker.policy.cel import CelRow, rebuild
from tracker.policy.facts import Direction, Fact, HungUpBy, Outcome, Refused, Started
from tracker.policy.outgoing import Bar, Guard, Spent, decide, emergency_numbers
from tracker.policy.spool import parse_line

NOTHING = Spent(0, 0.0)
HOME = Guard("DE", frozenset({"DE"}))
WIDER = Guard("DE", frozenset({"DE", "AT"}), ("+4122", "+1"))


@pytest.mark.parametrize(
    ("wanted", "guard", "answer"),
    [
        ("030 123456", HOME, "+4930123456"), ("+4930123456", HOME, "+4930123456"),
        ("004930123456", HOME, "+4930123456"), ("015112345678", HOME, "+4915112345678"),
        ("08001234567", HOME, "+498001234567"),  # free of charge
        ("09001234567", HOME, Bar.COSTLY), ("+499001234567", WIDER, Bar.COSTLY),
        ("+436641234567", HOME, Bar.ABROAD), ("+436641234567", WIDER, "+436641234567"),
        ("+41223456789", WIDER, "+41223456789"), ("+41443456789", WIDER, Bar.ABROAD),
        ("+18095551234", HOME, Bar.ABROAD), ("+442071838750", HOME, Bar.ABROAD),
        ("+19005551234", WIDER, Bar.COSTLY), ("12", HOME, Bar.UNKNOWN_RANGE), ("", HOME, Bar.MALFORMED),
        ("030 1", HOME, Bar.UNKNOWN_RANGE), ("+49999999999999", HOME, Bar.UNKNOWN_RANGE),
    ],
)  # fmt: skip
def test_calls_go_where_the_company_allows_and_never_to_costly_numbers(
    wanted: str, guard: Guard, answer: str | Bar
) -> None:
    assert decide(wanted, guard, NOTHING) == answer


@pytest.mark.parametrize(
    ("spent", "answer"),
    [
        (Spent(499, 59_999), "+4930123456"), (Spent(500, 0), Bar.DAILY_CALLS),
        (Spent(1, 60_000), Bar.DAILY_MINUTES),
    ],
)  # fmt: skip
def test_a_day_has_its_limits(spent: Spent, answer: str | Bar) -> None:
    assert decide("030123456", HOME, spent) == answer


def test_each_country_has_its_emergency_numbers() -> None:
    assert set(emergency_numbers("DE")) >= {"110", "112"}
    assert set(emergency_numbers("US")) >= {"911", "112"}
    assert set(emergency_numbers("ru")) >= {"112"}


def rule(database: Database, now: datetime, **wish: object) -> Pallets:
    """Pallets calls out from its office, which is a phone system."""
    with database.write() as session:
        pallets = add_pallets(session, now)
        company = session.get_one(Company, pallets.company_id)
        first: dict[str, object] = {"trunk": "pallets-carrier", "number": pallets.billboard}
        outgoing.allow(session, By(now, "test"), company, outgoing.Wish(**first | wish))  # type: ignore[arg-type]
        outgoing.grant(session, By(now, "test"), company, ["office"])
    return pallets


def test_a_phone_is_told_whether_its_call_may_go_out(database: Database, now: datetime) -> None:
    pallets = rule(database, now, daily_calls=1)
    with database.write() as session:
        asked = outgoing.permit(session, pallets.office_id, "89161234567", now)
        assert asked == outgoing.Permit(
            "+79161234567", "+79161234567", pallets.trunk_id, pallets.billboard, record=True
        )
        assert variables(asked)["LL_OK"] == "1"
        assert outgoing.permit(session, pallets.mobile_id, "89161234567", now) is Bar.NOT_ALLOWED
        assert outgoing.permit(session, 999, "89161234567", now) is Bar.NOT_ALLOWED
        assert variables(Bar.ABROAD) == {"LL_WHY": "outgoing-abroad", "LL_CAUSE": "21"}
        out = {"direction": Direction.OUT, "target_id": pallets.office_id, "caller": "+79161234567"}
        at = now - timedelta(seconds=60)
        record_all(session, [started(pallets.billboard, at, "out", **out)])
        assert outgoing.permit(session, pallets.office_id, "89161234567", now) is Bar.DAILY_CALLS
        tomorrow = now + timedelta(days=1)
        assert isinstance(
            outgoing.permit(session, pallets.office_id, "89161234567", tomorrow), outgoing.Permit
        )
        company = session.get_one(Company, pallets.company_id)
        outgoing.forbid(session, By(now, "test"), company)
        assert outgoing.permit(session, pallets.office_id, "89161234567", tomorrow) is Bar.NOT_ALLOWED


def test_a_line_that_says_why_a_call_did_not_go_out_is_shown_to_its_company(
    database: Database, now: datetime
) -> None:
    pallets = rule(database, now)
    line = (
        f'{{"e":"refused","call":"r-1","node":"main","did":"+4930123456","target":"{pallets.office_id}",'
        f'"why":"outgoing-abroad","t":{now.timestamp()}}}'
    )
    fact = parse_line(line.encode())
    assert isinstance(fact, Refused)
    with database.write() as session:
        record(session, fact)
        record(session, fact)
        company = session.get_one(Company, pallets.company_id)
        assert [tuple(each) for each in outgoing.refused(session, company)] == [
            (now, "office", "+4930123456", "outgoing-abroad")
        ]
        assert session.scalar(sa.select(sa.func.count()).select_from(Refusal)) == 1


def test_what_is_no_rule_is_refused(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        pallets = add_pallets(session, now)
        company, by = session.get_one(Company, pallets.company_id), By(now, "test")
        for wish, problem in (
            (outgoing.Wish(), "outgoing.how"),
            (outgoing.Wish("nobody", pallets.billboard), "trunk.unknown"),
            (outgoing.Wish("pallets-carrier", pallets.billboard, prefixes=["0049"]), "outgoing.prefix"),
            (outgoing.Wish("pallets-carrier", pallets.billboard, countries=["XX"]), "company.region"),
            (outgoing.Wish("pallets-carrier", pallets.billboard, daily_calls=-1), "outgoing.most"),
        ):
            with pytest.raises(Rejected) as refused:
                outgoing.allow(session, by, company, wish)
            assert refused.value.id == problem
        with pytest.raises(Rejected, match="does not call out"):
            outgoing.forbid(session, by, company)
        session.get_one(Target, pallets.mobile_id).host = "192.0.2.20"  # the office's
        outgoing.grant(session, by, company, ["office"])
        with pytest.raises(Rejected, match="calls out already"):
            outgoing.grant(session, by, company, ["mobile"])


def test_the_dialplan_knows_who_calls_out_and_who_may_only_call_for_help(
    sqlite: Database, now: datetime
) -> None:
    pallets = rule(sqlite, now)
    with sqlite.read() as session:
        targets = {target.id: target for target in load_facts(session).targets}
    out = targets[pallets.office_id].out
    assert out
    assert (out.granted, out.trunk_id, out.shown) == (True, pallets.trunk_id, pallets.billboard)
    assert targets[pallets.mobile_id].out is None  # a phone system that may not call is not even known


def out_call(at: datetime, *rest: Fact) -> list[Fact]:
    begin = started("+74951234567", at, caller="+79161234567", direction=Direction.OUT, target_id=7)
    return [begin, *rest]


def test_the_books_say_who_called_and_who_hung_up(now: datetime) -> None:
    """The channel that began it is ours: what is told of "the caller" there is told of us."""
    later = now + timedelta(seconds=9)
    taken = fold(out_call(now, answered(7, now), ended(later, hung_up_by=HungUpBy.CALLER)))
    assert (taken.outcome, taken.hung_up_by, taken.target_id) == (Outcome.ANSWERED, HungUpBy.COMPANY, 7)
    busy = fold(out_call(now, leg_ended(7, later, status="BUSY", cause=17), ended(later, status="BUSY")))
    assert (busy.outcome, busy.target_id) == (Outcome.BUSY, 7)
    given_up = fold(out_call(now, ended(later, status="CANCEL", rang_at=now)))
    assert (given_up.outcome, given_up.hung_up_by) == (Outcome.GAVE_UP, HungUpBy.COMPANY)


def test_a_call_that_went_out_is_rebuilt_from_channel_events(database: Database, now: datetime) -> None:
    pallets = rule(database, now)

    def row(kind: str, seconds: float, channel: str, **more: str) -> CelRow:
        at = now + timedelta(seconds=seconds)
        values = {"uniqueid": "1.1", "exten": "s", "caller": pallets.billboard, "extra": ""} | more
        return CelRow(kind=kind, at=at, linkedid="1.1", call="lost", channel=channel, **values)

    ours, his = f"PJSIP/target-{pallets.office_id}-0001", f"PJSIP/trunk-{pallets.trunk_id}-0002"
    rows = [
        row("CHAN_START", 0, ours, exten="89161234567", caller="office"),
        row("ANSWER", 4, his, uniqueid="1.2"),
        row("BRIDGE_ENTER", 4, ours),
        row("HANGUP", 9, ours, extra=f'{{"hangupsource":"{ours}","dialstatus":"ANSWER"}}'),
    ]
    call = rebuild("lost", "main", rows)
    assert call
    assert isinstance(call.started, Started)
    joined = rebuild("lost", "main", [*rows, row("BRIDGE_ENTER", 4, his, uniqueid="1.2")])
    assert joined
    assert joined.ended is None  # he was put through to another call, and talks on
    with database.write() as session:
        record_all(session, [fact for fact in (call.started, call.answered, call.ended) if fact])
        books = session.scalars(sa.select(Call)).one()
        assert (books.direction, books.caller) == (Direction.OUT, "+79161234567")
        assert (books.target_id, books.talk_seconds) == (pallets.office_id, 5.0)
        assert books.hung_up_by is HungUpBy.COMPANY
