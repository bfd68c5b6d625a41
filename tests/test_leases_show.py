"""What a visit is shown: a number of its own, the same again, or what the pool shows instead."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from support.shop import Shop, history, numbered

from tracker import leases, numbers
from tracker.audit import By
from tracker.database import Database
from tracker.errors import Rejected
from tracker.leases import Shown
from tracker.models import CodeLease, LeaseEnd, MissCount, Number, NumberUse, Visit
from tracker.policy.leasing import Miss, ShownKind

OVERFLOW, ORGANIC, GOOGLE, ANY = "+74952000000", "+74952000001", "+74952000002", "+74952000003"


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def test_five_visitors_see_five_numbers_longest_free_first(database: Database, now: datetime) -> None:
    with database.write() as session:
        shop = Shop(session, now, numbers=5)
        shown = [shop.show(session, shop.visit(session, f"v{n}", now), now).e164 for n in range(5)]
    assert shown == [numbered(n) for n in range(5)]


def test_asking_again_shows_the_same_and_writes_no_second_lease(database: Database, now: datetime) -> None:
    with database.write() as session:
        shop = Shop(session, now)
        visit = shop.visit(session, "ann", now)
        first = shop.show(session, visit, now)
        assert first == Shown(ShownKind.LEASE, numbered(0), None, None, first.lease_id)
        assert shop.show(session, visit, now) == first
        assert shop.show(session, visit, now + seconds(599)) == first
        (lease,) = history(session)
        assert lease.expires_at == now + seconds(1199)


def test_a_visitor_who_comes_back_has_his_number_again_even_while_it_rests(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        shop = Shop(session, now, cooldown_seconds=3600)
        ann = shop.visitor(session, "ann", now)
        first = shop.show(session, shop.visit(session, ann, now), now)
        leases.release_due(session, now + seconds(700))
        later = now + seconds(800)
        again = shop.show(session, shop.visit(session, ann, later), later)
        assert (again.e164, again.lease_id != first.lease_id) == (first.e164, True)


def test_a_number_rests_before_somebody_else_gets_it(database: Database, now: datetime) -> None:
    with database.write() as session:
        shop = Shop(session, now, numbers=1, cooldown_seconds=60)
        shop.show(session, shop.visit(session, "ann", now), now)
        ben = shop.visit(session, "ben", now)
        assert shop.show(session, ben, now + seconds(600)).reason == Miss.POOL_EMPTY
        assert shop.show(session, ben, now + seconds(659)).reason == Miss.POOL_EMPTY
        assert shop.show(session, ben, now + seconds(660)).e164 == numbered(0)


def test_a_number_somebody_had_meanwhile_rests_for_its_earlier_visitor_too(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        shop = Shop(session, now, numbers=1, cooldown_seconds=60, idle_seconds=100)
        ann = shop.visit(session, "ann", now)
        shop.show(session, ann, now)
        shop.show(session, shop.visit(session, "ben", now), now + seconds(160))
        assert shop.show(session, ann, now + seconds(261)).reason == Miss.POOL_EMPTY
        assert shop.show(session, ann, now + seconds(320)).e164 == numbered(0)


def test_his_number_is_not_his_while_somebody_else_holds_it(database: Database, now: datetime) -> None:
    with database.write() as session:
        shop = Shop(session, now, numbers=1)
        ann = shop.visit(session, "ann", now)
        shop.show(session, ann, now)
        leases.release_due(session, now + seconds(600))
        shop.show(session, shop.visit(session, "ben", now), now + seconds(600))
        shop.add_number(session, numbered(7), now)
        assert shop.show(session, ann, now + seconds(601)).e164 == numbered(7)


def test_a_lease_that_ran_out_ends_when_it_did_and_a_new_one_begins(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        shop = Shop(session, now)
        visit = shop.visit(session, "ann", now)
        first = shop.show(session, visit, now)
        again = shop.show(session, visit, now + seconds(900))
        assert again.e164 == first.e164
        old, new = history(session)
        assert (old.until_at, old.ended_by) == (now + seconds(600), LeaseEnd.IDLE)
        assert (new.from_at, new.until_at) == (now + seconds(900), None)


def test_an_empty_pool_ends_what_ran_out_before_it_says_so(database: Database, now: datetime) -> None:
    with database.write() as session:
        shop = Shop(session, now, numbers=1)
        shop.show(session, shop.visit(session, "ann", now), now)
        shown = shop.show(session, shop.visit(session, "ben", now), now + seconds(600))
        assert shown.kind is ShownKind.LEASE
        old, new = history(session)
        assert (old.until_at, new.from_at) == (now + seconds(600), now + seconds(600))


def test_the_visitors_next_visit_takes_the_number_over(database: Database, now: datetime) -> None:
    with database.write() as session:
        shop = Shop(session, now, paid_percent=100)
        ann = shop.visitor(session, "ann", now)
        paid = shop.visit(session, ann, now, paid=True)
        shop.show(session, paid, now)
        # Not even a rule by which he would get none now takes away what he is looking at.
        direct = shop.visit(session, ann, now + seconds(60), paid=False)
        shown = shop.show(session, direct, now + seconds(60))
        assert shown.e164 == numbered(0)
        old, new = history(session)
        assert (old.until_at, old.ended_by, old.visit_id) == (now + seconds(60), LeaseEnd.NEXT, paid.id)
        assert (new.from_at, new.visit_id, new.expires_at) == (
            now + seconds(60),
            direct.id,
            now + seconds(660),
        )
        # A tab that is still in the earlier visit shows the number too, and leaves the lease where it is.
        assert shop.show(session, paid, now + seconds(90)) == shown
        assert [lease.until_at for lease in history(session)] == [now + seconds(60), None]


def test_a_request_stamped_earlier_than_the_last_end_begins_after_it(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        shop = Shop(session, now)
        number = session.scalars(sa.select(Number).order_by(Number.id).limit(1)).one()
        visit = shop.visit(session, "ann", now)
        shop.show(session, visit, now)
        numbers.retire(session, By(now + seconds(2), "test"), number, 60)
        numbers.restore(session, By(now + seconds(2), "test"), number)
        assert shop.show(session, visit, now + seconds(1)).e164 == numbered(0)
        old, new = history(session)
        assert (old.until_at, new.from_at) == (now + seconds(2), now + seconds(2))


def test_several_pools_of_a_page_each_give_a_number(database: Database, now: datetime) -> None:
    with database.write() as session:
        shop = Shop(session, now)
        other = shop.add_pool(session, now, "Region 812")
        shop.add_number(session, "+78125550000", now, pool_id=other.id)
        visit = shop.visit(session, "ann", now)
        for _ in range(2):
            assert shop.show(session, visit, now).e164 == numbered(0)
            assert leases.show(session, visit, other, now).e164 == "+78125550000"


def test_the_share_for_paid_visits_is_kept_for_them(database: Database, now: datetime) -> None:
    with database.write() as session:
        shop = Shop(session, now, numbers=5, paid_percent=30)  # two of five
        free = [shop.show(session, shop.visit(session, f"v{n}", now), now) for n in range(5)]
        assert [shown.reason for shown in free] == [None, None, None, "reserved", "reserved"]
        paid = [shop.show(session, shop.visit(session, f"p{n}", now, paid=True), now) for n in range(3)]
        assert [shown.reason for shown in paid] == [None, None, "pool_empty"]
        assert shop.misses(session) == {"reserved": 2, "pool_empty": 1}


def test_who_may_be_a_machine_gets_a_number_only_while_most_are_free(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        shop = Shop(session, now, numbers=4)
        shown = [
            shop.show(session, shop.visit(session, f"v{n}", now), now, trusted=False).reason for n in range(4)
        ]
        assert shown == [None, None, "untrusted", "untrusted"]
        assert shop.show(session, shop.visit(session, "ann", now), now).reason is None


FALLBACKS = [
    # when_empty, visit, kind, e164
    ("real", {}, ShownKind.REAL, None),
    ("overflow", {}, ShownKind.OVERFLOW, OVERFLOW),
    ("source", {}, ShownKind.SOURCE, GOOGLE),
    ("source", {"source": "bing"}, ShownKind.SOURCE, ORGANIC),
    ("source", {"source": "(direct)", "group": "Direct"}, ShownKind.SOURCE, ANY),
]


@pytest.mark.parametrize(("when_empty", "visit", "kind", "e164"), FALLBACKS)
def test_an_empty_pool_shows_what_it_is_set_to(
    sqlite: Database, now: datetime, when_empty: str, visit: dict[str, Any], kind: ShownKind, e164: str | None
) -> None:
    with sqlite.write() as session:
        shop = shop_with_channels(session, now, numbers=0, when_empty=when_empty)
        shown = shop.show(session, shop.visit(session, "ann", now, **visit), now)
    assert shown == Shown(kind, e164, None, "pool_empty", None)


def test_by_the_pools_rule_others_see_their_sources_number(database: Database, now: datetime) -> None:
    with database.write() as session:
        shop = shop_with_channels(session, now, dynamic_for=["Paid Search"])
        organic = shop.show(session, shop.visit(session, "ann", now), now)
        assert organic == Shown(ShownKind.SOURCE, GOOGLE, None, "shared", None)
        paid = shop.show(session, shop.visit(session, "ben", now, group="Paid Search"), now)
        assert paid.kind is ShownKind.LEASE
        assert shop.misses(session) == {"shared": 1}


def test_what_cannot_be_shown_is_the_number_on_the_page(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        shop = Shop(session, now, numbers=0, when_empty="source")
        visit = shop.visit(session, "ann", now)
        real = Shown(ShownKind.REAL, None, None, "pool_empty", None)
        assert shop.show(session, visit, now) == real
        pool = shop.pool(session)
        pool.when_empty = "overflow"  # type: ignore[assignment]
        assert shop.show(session, visit, now) == real
        overflow = shop.add_channel(session, now, OVERFLOW, None)
        pool.overflow_number_id = overflow.id
        numbers.retire(session, By(now, "test"), overflow, 60)
        assert shop.show(session, visit, now) == real


def test_an_overflow_number_cannot_go_into_a_pool_and_would_be_shown_no_more(
    sqlite: Database, now: datetime
) -> None:
    with sqlite.write() as session:
        shop = shop_with_channels(session, now, numbers=0, when_empty="overflow")
        other = shop.add_pool(session, now, "Other")
        overflow = session.scalars(sa.select(Number).where(Number.e164 == OVERFLOW)).one()
        with pytest.raises(Rejected, match="is the overflow number of a pool"):
            numbers.move(session, By(now, "test"), overflow, other)
        session.add(NumberUse(number_id=overflow.id, pool_id=other.id, from_at=now))
        assert shop.show(session, shop.visit(session, "ann", now), now).kind is ShownKind.REAL


def test_a_retired_source_number_is_shown_no_more(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        shop = shop_with_channels(session, now)
        google = session.scalars(sa.select(Number).where(Number.e164 == GOOGLE)).one()
        numbers.retire(session, By(now, "test"), google, 60)
        shown = leases.source_number(session, shop.company_id, "google", "Organic Search")
        assert shown == ORGANIC
        assert leases.source_number(session, shop.company_id + 1, "google", "Organic Search") is None


def test_a_miss_is_counted_once_a_visit_and_pool_and_hour(database: Database, now: datetime) -> None:
    with database.write() as session:
        shop = Shop(session, now, numbers=1)
        other = shop.add_pool(session, now, "Other")
        shop.show(session, shop.visit(session, "ann", now), now)
        ben, later = shop.visit(session, "ben", now), now + timedelta(hours=1)
        for _ in range(2):
            shop.show(session, ben, now + seconds(1))
            leases.show(session, ben, other, now)
        shop.show(session, shop.visit(session, "cat", later), later)  # Ann's has run out
        leases.show(session, shop.visit(session, "dan", later), other, later)
        session.flush()
        rows = session.execute(sa.select(MissCount.pool_id, MissCount.hour_at, MissCount.count)).all()
        assert sorted(rows) == [(shop.pool_id, now, 1), (other.id, now, 1), (other.id, later, 1)]


def test_a_visit_is_marked_with_its_miss_until_it_has_a_number(database: Database, now: datetime) -> None:
    with database.write() as session:
        shop = Shop(session, now, numbers=0)
        visit = shop.visit(session, "ann", now)
        shop.show(session, visit, now)
        marks = [visit.missed]
        number = shop.add_number(session, numbered(1), now)
        shop.show(session, visit, now)
        marks.append(visit.missed)
        numbers.retire(session, By(now + seconds(5), "test"), number, 60)
        shop.show(session, visit, now + seconds(6))
        assert [*marks, visit.missed] == ["pool_empty", None, "pool_empty"]
        assert shop.misses(session) == {"pool_empty": 1}


def test_a_visitor_code_is_leased_renewed_and_given_back(database: Database, now: datetime) -> None:
    with database.write() as session:
        shop = Shop(session, now, numbers=0, when_empty="code")
        ann, ben = shop.visit(session, "ann", now), shop.visit(session, "ben", now)
        shown = shop.show(session, ann, now)
        assert shown.code is not None
        assert shown == Shown(ShownKind.CODE, None, shown.code, "pool_empty", None)
        assert len(shown.code) == 3
        assert shop.show(session, ben, now).code != shown.code
        assert shop.show(session, ann, now + seconds(500)) == shown
        assert codes_of(session, ann) == [(shown.code, now, now + seconds(1100), None)]
        leases.leave(session, ann.id, now + seconds(600))
        assert codes_of(session, ann) == [(shown.code, now, now + seconds(900), None)]
        leases.release_due(session, now + seconds(950))
        assert codes_of(session, ann) == [(shown.code, now, now + seconds(900), now + seconds(900))]
        # The same again, if nobody has it.
        assert shop.show(session, ann, now + seconds(960)) == shown


def test_a_code_that_ran_out_is_another_visits_before_the_job_comes_round(
    sqlite: Database, now: datetime
) -> None:
    with sqlite.write() as session:
        shop = Shop(session, now, numbers=0, when_empty="code")
        ann = shop.visit(session, "ann", now)
        shown = shop.show(session, ann, now)
        shop.show(session, shop.visit(session, "ben", now), now + seconds(600))
        (code,) = codes_of(session, ann)
        assert code == (shown.code, now, now + seconds(600), now + seconds(600))


def test_codes_grow_when_half_of_the_short_ones_are_taken(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        shop = Shop(session, now, numbers=0, when_empty="code")
        visit = shop.visit(session, "ann", now)
        for code in range(100, 599):
            session.add(open_code(shop, visit, str(code), now))
        session.flush()
        last_short = shop.show(session, shop.visit(session, "ben", now), now)
        first_long = shop.show(session, shop.visit(session, "cat", now), now)
    assert last_short.code is not None
    assert first_long.code is not None
    assert 599 <= int(last_short.code) <= 999
    assert 1000 <= int(first_long.code) <= 9999


def test_a_code_is_one_companys_own_matter(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        shop = Shop(session, now, numbers=0, when_empty="code")
        visit = shop.visit(session, "ann", now)
        session.add(open_code(shop, visit, "482", now))
        session.flush()
        with pytest.raises(sa.exc.IntegrityError), session.begin_nested():
            session.add(open_code(shop, visit, "482", now))
            session.flush()


def open_code(shop: Shop, visit: Visit, code: str, now: datetime) -> CodeLease:
    return CodeLease(
        company_id=shop.company_id,
        pool_id=shop.pool_id,
        code=code,
        visit_id=visit.id,
        from_at=now,
        expires_at=now + timedelta(hours=1),
    )


def codes_of(session: sa.orm.Session, visit: Visit) -> list[tuple[object, ...]]:
    wanted = sa.select(CodeLease.code, CodeLease.from_at, CodeLease.expires_at, CodeLease.until_at)
    return [tuple(row) for row in session.execute(wanted.where(CodeLease.visit_id == visit.id))]


def shop_with_channels(session: sa.orm.Session, now: datetime, numbers: int = 1, **pool: Any) -> Shop:
    """A shop whose channels have numbers for visitors of Google, of organic search, and of any source."""
    shop = Shop(session, now, numbers, **pool)
    for e164, shown_to in ((GOOGLE, "Google"), (ORGANIC, "organic search"), (ANY, "*")):
        shop.add_channel(session, now, e164, shown_to)
    shop.pool(session).overflow_number_id = shop.add_channel(session, now, OVERFLOW, None).id
    return shop
