"""Requests to be called back: kept once, refused with a reason, claimed by one, ended whatever dies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.fake_ami import FakeAmi

from agi.ami import Login
from agi.callbacks import Caller
from agi.whispering import Whispering
from tracker import callback_tries, callbacks, plan_uses, plans
from tracker.audit import By
from tracker.books import record_all
from tracker.callback_employees import employees_of
from tracker.callback_rules import Plan, plan_of
from tracker.callback_tries import CLAIM_SECONDS, SPOOL_SECONDS, Claim
from tracker.callbacks import Asking
from tracker.database import Database
from tracker.errors import Rejected
from tracker.judge import judge_pending
from tracker.models import (
    Call,
    CallbackReason,
    CallbackRequest,
    CallbackSettings,
    CallbackState,
    CallbackVia,
    Company,
    Forwarding,
    Number,
    Prompt,
    Site,
    Target,
    TargetKind,
    Trunk,
    TrunkKind,
    Visit,
    Visitor,
)
from tracker.policy.facts import Answered, Direction, Ended, Fact, HungUpBy, Presentation, Refused, Started
from tracker.settings import read_settings

VISITOR, SHOWN = "+79165550101", "+74951112233"
LATER = timedelta(seconds=CLAIM_SECONDS + 1)


@dataclass(frozen=True)
class Shop:
    """A company with a site that calls back."""

    database: Database
    now: datetime
    site_id: int
    company_id: int
    target_id: int

    def ask(self, phone: str = VISITOR, *, at: datetime | None = None, **more: Any) -> CallbackRequest:
        with self.database.write() as session:
            asking = replace(Asking(phone, CallbackVia.WIDGET, client="198.51.100.7"), **more)
            return callbacks.ask(session, session.get_one(Site, self.site_id), asking, at or self.now)

    def claim(self, who: str = "house:1:a", at: datetime | None = None) -> Claim | None:
        with self.database.write() as session:
            return callback_tries.claim(session, who, at or self.now)

    def settle(self, at: datetime, up: set[str] | None = frozenset()) -> int:  # type: ignore[assignment]
        with self.database.write() as session:
            return callback_tries.settle(session, "house", at, up)

    def of(self, request: CallbackRequest) -> CallbackRequest:
        with self.database.read() as session:
            return session.get_one(CallbackRequest, request.id)


@pytest.fixture
def shop(database: Database, now: datetime) -> Shop:
    return furnish(database, now)


def furnish(database: Database, now: datetime) -> Shop:
    with database.write() as session:
        company = Company(
            slug="pallets", name="Pallets", default_region="RU", timezone="Europe/Moscow", created_at=now
        )
        trunk = Trunk(name="carrier", kind=TrunkKind.IP, host="192.0.2.1", match=[], created_at=now)
        session.add_all([company, trunk])
        session.flush()
        site = Site(company_id=company.id, name="shop", key="shopkey", domains=[], created_at=now)
        number = Number(company_id=company.id, e164=SHOWN, created_at=now)
        target = Target(
            company_id=company.id, name="desk", kind=TargetKind.PEER, host="192.0.2.2", port=5060,
            dial="100", created_at=now,
        )  # fmt: skip
        session.add_all([site, number, target])
        session.flush()
        session.add(Forwarding(company_id=company.id, position=0, target_id=target.id, ring_seconds=20))
        session.add(
            CallbackSettings(
                site_id=site.id, is_on=True, trunk_id=trunk.id, number_id=number.id, per_client=4
            )
        )
        return Shop(database, now, site.id, company.id, target.id)


def test_a_click_that_arrives_twice_is_one_request(shop: Shop) -> None:
    first = shop.ask(token="click-1")
    assert shop.ask(token="click-1").id == first.id
    assert shop.ask("8 916 555 01 01", token="click-2").id == first.id  # the same number, minutes later
    assert shop.ask(at=shop.now + timedelta(minutes=11)).id == first.id  # it still waits
    assert (first.state, first.due_at) == (CallbackState.WAITING, shop.now)


def test_two_clicks_in_the_same_moment_are_one_request(shop: Shop) -> None:
    with ThreadPoolExecutor(4) as pool:
        ids = {each.id for each in pool.map(lambda number: shop.ask(token=f"click-{number}"), range(4))}
    assert len(ids) == 1


def test_what_is_refused_is_kept_with_its_reason(shop: Shop) -> None:
    reasons = [shop.ask(text).reason for text in ("112", "+49 30 123456", SHOWN, "call me")]
    assert reasons == [
        CallbackReason.SHORT, CallbackReason.COUNTRY, CallbackReason.OWN, CallbackReason.MALFORMED,
    ]  # fmt: skip
    limited = shop.ask("+79165550102")
    assert (limited.state, limited.reason) == (CallbackState.REFUSED, CallbackReason.CLIENT_LIMIT)
    other = shop.ask("+79165550102", client="198.51.100.8")
    assert other.state is CallbackState.WAITING
    assert len(list_all(shop)) == 6


def test_a_customer_with_many_addresses_is_one_client(shop: Shop) -> None:
    for host in range(4):
        shop.ask(f"+7916555020{host}", client=f"2001:db8:1:2::{host}")
    over = shop.ask("+79165550209", client="2001:db8:1:2:ffff:ffff:ffff:ffff")
    assert (over.reason, over.client) == (CallbackReason.CLIENT_LIMIT, "2001:db8:1:2::/64")
    assert shop.ask("+79165550208", client="2001:db8:1:3::1").state is CallbackState.WAITING
    assert shop.ask("+79165550207", client="::ffff:192.0.2.7").client == "192.0.2.7"


def test_one_number_is_called_so_often_a_day_and_no_oftener(shop: Shop) -> None:
    for hour in range(3):
        request = shop.ask(at=shop.now + timedelta(hours=hour), client=f"198.51.100.{hour}")
        with shop.database.write() as session:
            callbacks.cancel(session, By(shop.now, "test"), session.get_one(CallbackRequest, request.id))
    assert shop.ask(at=shop.now + timedelta(hours=4), client="x").reason is CallbackReason.NUMBER_LIMIT


def test_the_seconds_of_the_day_are_capped(shop: Shop) -> None:
    request = shop.ask()
    claimed = shop.claim()
    assert claimed
    put_through(shop, claimed, talk_seconds=20_000)
    shop.settle(shop.now + timedelta(seconds=5))
    assert shop.of(request).state is CallbackState.TALKED
    later = shop.now + timedelta(hours=7)
    assert shop.ask("+79165550102", at=later).reason is CallbackReason.COST_CAP


def test_what_waits_is_not_called_once_the_seconds_are_spent(shop: Shop) -> None:
    shop.ask()
    waiting = shop.ask("+79165550102")
    claimed = shop.claim()
    assert claimed
    put_through(shop, claimed, talk_seconds=20_000)
    assert who_is_rung(shop, waiting, shop.now + timedelta(hours=7)) is CallbackReason.COST_CAP


def test_where_a_plan_counts_those_are_rung_who_ring_by_it_then(shop: Shop) -> None:
    hours = {"kind": "hours", "open": {"mon-sun": "09:00-18:00"}, "then": "all", "closed": "night"}
    document = {"start": "hours", "steps": {
        "hours": hours, "all": {"kind": "ring", "targets": ["desk:20"], "then": "box"},
        "night": {"kind": "branch", "by": "caller", "cases": {"repeat": "all"}, "then": "box"},
        "box": {"kind": "voicemail", "say": {"sound": "tone"}}}}  # fmt: skip
    by = By(shop.now, "test")
    with shop.database.write() as session:
        company = session.get_one(Company, shop.company_id)
        session.add(
            Prompt(company_id=company.id, name="tone", digest="0" * 32, seconds=1, created_at=shop.now)
        )
        session.flush()
        plan_uses.use(session, by, company, plans.add(session, by, company, "office", document))
        settings = session.get_one(CallbackSettings, shop.site_id)
        assert [each.target_id for each in employees_of(session, settings)] == [shop.target_id]
    request = shop.ask()
    noon, night = (shop.now.replace(hour=hour, minute=0) for hour in (9, 20))  # three hours later in Moscow
    open_now = who_is_rung(shop, request, noon)
    assert isinstance(open_now, Plan)
    assert [(each.target_id, each.seconds) for each in open_now.employees] == [(shop.target_id, 20)]
    assert who_is_rung(shop, request, night) is CallbackReason.CLOSED


def who_is_rung(shop: Shop, request: CallbackRequest, at: datetime) -> Plan | CallbackReason:
    with shop.database.read() as session:
        return plan_of(session, session.get_one(CallbackRequest, request.id), at)


def test_of_many_that_claim_at_once_each_request_goes_to_one(shop: Shop) -> None:
    for number in range(3):
        assert shop.ask(f"+7916555020{number}", client=f"c{number}").state is CallbackState.WAITING
    with ThreadPoolExecutor(6) as pool:
        claims = list(pool.map(lambda number: shop.claim(f"house:{number}:x"), range(12)))
    got = [each.request_id for each in claims if each]
    assert len(got) == len(set(got)) <= 3
    while claimed := shop.claim():
        got.append(claimed.request_id)
    assert sorted(set(got)) == sorted(got)
    assert len(got) == 3


def test_a_process_that_dies_after_its_claim_has_it_tried_once_more_and_no_second_time(shop: Shop) -> None:
    request, at = shop.ask(), shop.now
    for _ in range(2):
        assert shop.claim(at=at)
        assert shop.claim(at=at) is None
        assert shop.settle(at + LATER) == 0  # a call that was taken may not be in the books yet
        at += LATER + timedelta(seconds=SPOOL_SECONDS)
        assert shop.settle(at) == 1
    over = shop.of(request)
    assert (over.state, over.reason, over.tries) == (CallbackState.FAILED, CallbackReason.UNKNOWN, 2)
    assert [each["what"] for each in over.story] == ["unknown", "unknown"]


def test_nobody_is_called_again_while_asterisk_has_the_call_up_or_cannot_be_asked(shop: Shop) -> None:
    request = shop.ask()
    claimed = shop.claim()
    assert claimed
    at = shop.now
    for up in ({claimed.call}, None):
        at += 2 * LATER
        assert shop.settle(at, up) == 0
        assert shop.claim(at=at) is None
    assert shop.of(request).state is CallbackState.RINGING_EMPLOYEE


def test_a_call_that_outlives_its_process_is_settled_by_the_books(shop: Shop) -> None:
    request = shop.ask()
    claimed = shop.claim()
    assert claimed
    put_through(shop, claimed, talk_seconds=None)
    assert shop.settle(shop.now + timedelta(seconds=5)) == 1
    talked = shop.of(request)
    assert (talked.state, talked.target_id) == (CallbackState.TALKED, shop.target_id)
    assert talked.visitor_rang_at == shop.now + timedelta(seconds=1)


def test_nobody_is_called_again_while_the_books_are_behind_a_call_that_was_taken(shop: Shop) -> None:
    request = shop.ask()
    claimed = shop.claim()
    assert claimed
    with shop.database.write() as session:
        assert callback_tries.progress(session, claimed, "house:1:a", shop.now, taken=True)
    assert shop.settle(shop.now + timedelta(minutes=30)) == 0
    put_through(shop, claimed, talk_seconds=60)
    assert shop.settle(shop.now + timedelta(minutes=31)) == 1
    assert (shop.of(request).state, shop.of(request).tries) == (CallbackState.TALKED, 1)


def test_a_visitor_who_does_not_answer_is_tried_again_by_the_plan(shop: Shop) -> None:
    request, at = shop.ask(), shop.now
    for tries in (1, 2, 3):
        claimed = shop.claim(at=at)
        assert claimed
        with shop.database.write() as session:
            facts: list[Fact | Refused] = [
                started(claimed, at),
                ended(claimed, at + timedelta(seconds=30), "NOANSWER", rang=at),
            ]
            record_all(session, facts)
            callback_tries.let_go(session, claimed, "house:1:a", at)
        assert shop.settle(at + timedelta(seconds=31)) == 1
        now = shop.of(request)
        assert (now.reason, now.tries) == (CallbackReason.NO_ANSWER, tries)
        at += timedelta(minutes=6)
    assert now.state is CallbackState.GIVEN_UP


def test_a_callback_is_attributed_to_the_visit_in_which_it_was_asked_for(shop: Shop) -> None:
    with shop.database.write() as session:
        visitor = Visitor(company_id=shop.company_id, key="v", created_at=shop.now)
        session.add(visitor)
        session.flush()
        visit = Visit(
            visitor_id=visitor.id, site_id=shop.site_id, started_at=shop.now, medium="cpc", source="google"
        )
        session.add(visit)
        session.flush()
        visit_id = visit.id
    shop.ask(visit_id=visit_id)
    claimed = shop.claim()
    assert claimed
    put_through(shop, claimed, talk_seconds=60)
    judge_pending(shop.database, shop.now + timedelta(minutes=2))
    with shop.database.read() as session:
        call = session.scalars(sa.select(Call).where(Call.key == claimed.call)).one()
        assert call.direction is Direction.CALLBACK
        assert (call.visit_id, call.probability, call.uncertain) == (visit_id, 1.0, False)


def test_a_person_calls_off_what_waits_and_has_it_tried_again(shop: Shop) -> None:
    request = shop.ask()
    by = By(shop.now, "test")
    with shop.database.write() as session:
        callbacks.cancel(session, by, session.get_one(CallbackRequest, request.id))
    assert shop.claim() is None
    with shop.database.write() as session:
        callbacks.try_again(session, by, session.get_one(CallbackRequest, request.id))
    assert shop.claim()
    for change in (callbacks.cancel, callbacks.try_again):
        with pytest.raises(Rejected, match="being called"), shop.database.write() as session:
            change(session, by, session.get_one(CallbackRequest, request.id))


def list_all(shop: Shop) -> list[CallbackRequest]:
    with shop.database.read() as session:
        return list(callbacks.listed(session, [shop.company_id]))


def started(claim: Claim, at: datetime) -> Started:
    return Started(
        claim.call, "house", at, "1.1", "1.1", None, SHOWN, SHOWN, VISITOR, Presentation.ALLOWED, "",
        Direction.CALLBACK,
    )  # fmt: skip


def ended(claim: Claim, at: datetime, status: str, rang: datetime | None = None) -> Ended:
    return Ended(claim.call, "house", at, status, 16, HungUpBy.SYSTEM, rang, seen_by_agi=True)


def put_through(shop: Shop, claim: Claim, talk_seconds: float | None) -> None:
    """The call as the spool tells it: rang after a second, answered after two."""
    rang, answered = shop.now + timedelta(seconds=1), shop.now + timedelta(seconds=2)
    facts: list[Fact | Refused] = [
        started(claim, shop.now), Answered(claim.call, "house", answered, 1, shop.target_id, rang)
    ]  # fmt: skip
    if talk_seconds is not None:
        facts.append(ended(claim, answered + timedelta(seconds=talk_seconds), "ANSWER"))
    with shop.database.write() as session:
        record_all(session, facts)


# ---- placed, with an Asterisk that goes wrong ----


@pytest.fixture
def whispering(tmp_path: Path) -> Iterator[Whispering]:
    made = Whispering(read_settings({"LEASELINE_HOME": str(tmp_path)}))
    yield made
    made.close()


def test_an_originate_is_sent_once_also_when_the_link_breaks_in_the_middle(
    sqlite: Database, now: datetime, whispering: Whispering
) -> None:
    shop = furnish(sqlite, now)

    async def test() -> None:
        async with FakeAmi() as ami:
            ami.cuts_after = "Originate"
            ami.answers["Originate"] = [{"Response": "Success", "Message": "Originate successfully queued"}]
            caller = Caller(Login("127.0.0.1", ami.port, "x", "y"), sqlite, "house", whispering)
            task = asyncio.create_task(caller.run())
            await ami.asked("Originate")
            await until(lambda: ami.logins >= 2)
            await asyncio.sleep(1)
            assert ami.count("Originate") == 1
            sent = next(each for each in ami.received if each.get("Action") == "Originate")
            assert sent["Async"] == "true"
            assert sent["Channel"] == f"PJSIP/100@target-{shop.target_id}"
            assert f"LL_CALLER={VISITOR}" in sent["Variable"]
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            caller.close()

    request = shop.ask(at=now - timedelta(days=365))
    asyncio.run(test())
    assert shop.of(request).state is CallbackState.RINGING_EMPLOYEE


def test_the_next_employee_is_rung_when_the_first_does_not_answer(
    sqlite: Database, now: datetime, whispering: Whispering
) -> None:
    shop = furnish(sqlite, now)
    with sqlite.write() as session:
        session.add(
            Forwarding(company_id=shop.company_id, position=1, target_id=shop.target_id, ring_seconds=7)
        )
    request = shop.ask(at=now - timedelta(days=365))

    async def test() -> None:
        async with FakeAmi() as ami:
            ami.answers["Originate"] = [{"Response": "Success", "Message": "Originate successfully queued"}]
            caller = Caller(Login("127.0.0.1", ami.port, "x", "y"), sqlite, "house", whispering)
            task = asyncio.create_task(caller.run())
            await ami.asked("Originate")
            first = next(each for each in ami.received if each.get("Action") == "Originate")
            await ami.say({"Event": "DialState", "DestUniqueid": first["ChannelId"], "DialStatus": "RINGING"})
            await ami.say(
                {"Event": "OriginateResponse", "ActionID": first["ActionID"], "Response": "Failure"}
            )
            await ami.asked("Originate", 2)
            second = [each for each in ami.received if each.get("Action") == "Originate"][1]
            assert second["Timeout"] == "7000"
            await ami.say({"Event": "Hangup", "Uniqueid": second["ChannelId"]})
            await until(lambda: shop.of(request).state is CallbackState.WAITING)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            caller.close()

    asyncio.run(test())
    again = shop.of(request)
    assert (again.reason, again.tries) == (CallbackReason.NO_EMPLOYEE, 1)
    assert again.employee_rang_at is not None
    assert again.due_at is not None


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not true():  # noqa: ASYNC110  (what is waited for has no event)
            await asyncio.sleep(0.02)
