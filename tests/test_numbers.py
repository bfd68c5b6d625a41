"""Numbers, their uses over time, retiring, importing; channels, pools and forwarding."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from support.config import billboard, by, main_line, pallets, website

from tracker import channels, companies, forward, numbers
from tracker.database import Database
from tracker.errors import Rejected
from tracker.forwarding import Ring, rings_for
from tracker.models import AuditEntry, Lease, Number, NumberState, NumberUse, Site, Visit, Visitor
from tracker.number_list import BadRow, Row, read_list

HOUR = timedelta(hours=1)


def test_a_number_in_any_spelling_is_one_number(database: Database, now: datetime) -> None:
    with database.write() as session:
        company = pallets(session, now)
        number = numbers.add(session, by(now), company, "8 (495) 123-45-67", billboard(session, now, company))
        assert number.e164 == "+74951234567"
        assert numbers.get(session, company, "+7 495 1234567") is number
        with pytest.raises(Rejected) as no:
            numbers.add(session, by(now), company, "+7 495 1234567")
    assert no.value.id == "number.duplicate"
    assert "\n" not in str(no.value)


def test_a_malformed_number_is_answered_with_an_example(sqlite: Database, now: datetime) -> None:
    with pytest.raises(Rejected, match="Give it like") as no, sqlite.write() as session:
        numbers.add(session, by(now), pallets(session, now), "12")
    assert no.value.id == "number.malformed"


def test_moving_closes_the_open_use_and_opens_another_at_that_instant(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        company = pallets(session, now)
        board, pool = billboard(session, now, company), website(session, now, company)
        number = numbers.add(session, by(now), company, "+74951234567", board)
        numbers.move(session, by(now + HOUR), number, pool)
    with database.read() as session:
        new, old = numbers.uses(session, session.scalars(sa.select(Number)).one())
        assert old.channel
        assert (old.channel.name, old.from_at, old.until_at) == ("Billboard", now, now + HOUR)
        assert new.pool
        assert (new.pool.name, new.from_at, new.until_at) == ("Website", now + HOUR, None)


def test_moving_a_number_to_where_it_is_is_refused(sqlite: Database, now: datetime) -> None:
    with pytest.raises(Rejected, match="is there already"), sqlite.write() as session:
        company = pallets(session, now)
        board = billboard(session, now, company)
        numbers.move(session, by(now), numbers.add(session, by(now), company, "+74951234567", board), board)


def test_a_leased_number_that_leaves_its_pool_is_leased_no_more(database: Database, now: datetime) -> None:
    with database.write() as session:
        company = pallets(session, now)
        pool = website(session, now, company)
        number = numbers.add(session, by(now), company, "+74951234567", pool)
        session.add(Site(company_id=company.id, name="site", key="s", created_at=now))
        session.add(Visitor(company_id=company.id, key="v", created_at=now))
        session.flush()
        session.add(Visit(visitor_id=1, site_id=1, started_at=now, medium="cpc", source="google"))
        session.flush()
        session.add(
            Lease(number_id=number.id, pool_id=pool.id, visit_id=1, from_at=now, expires_at=now + 2 * HOUR)
        )
        session.flush()
        numbers.move(session, by(now + HOUR), number, None)
        assert session.scalars(sa.select(Lease.until_at)).one() == now + HOUR


def test_a_retired_number_is_answered_until_its_quarantine_is_over(database: Database, now: datetime) -> None:
    with database.write() as session:
        company = pallets(session, now)
        board = billboard(session, now, company)
        number = numbers.add(session, by(now), company, "+74951234567", board)
        numbers.retire(session, by(now), number, 60)
        assert number.state is NumberState.QUARANTINED
        with pytest.raises(Rejected, match="given to nobody new"):
            numbers.move(session, by(now), number, website(session, now, company))
        assert [use.until_at for use in numbers.uses(session, number)] == [None]
        assert numbers.over_quarantine(session, now + timedelta(days=59)) == []
        (over,) = numbers.over_quarantine(session, now + timedelta(days=60))
        numbers.end_quarantine(session, by(now + timedelta(days=60)), over)
        assert number.state.value == "retired"
        assert [use.until_at for use in numbers.uses(session, number)] == [now + timedelta(days=60)]


def test_a_number_comes_back_from_quarantine_with_its_use(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        company = pallets(session, now)
        number = numbers.add(session, by(now), company, "+74951234567", billboard(session, now, company))
        numbers.retire(session, by(now), number, 60)
        with pytest.raises(Rejected, match="quarantined already"):
            numbers.retire(session, by(now), number, 60)
        numbers.restore(session, by(now + HOUR), number)
        (found,) = numbers.listed(session, company)
        assert (found.number.state, found.number.quarantined_until) == (NumberState.ACTIVE, None)
        assert found.channel is not None


def test_adding_a_retired_number_again_says_how_to_take_it_back(sqlite: Database, now: datetime) -> None:
    with pytest.raises(Rejected, match="leaseline number restore"), sqlite.write() as session:
        company = pallets(session, now)
        numbers.retire(session, by(now), numbers.add(session, by(now), company, "+74951234567"), 0)
        numbers.add(session, by(now), company, "+74951234567")


def test_only_a_number_without_history_is_deleted(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        company = pallets(session, now)
        board = billboard(session, now, company)
        number = numbers.add(session, by(now), company, "+74951234567", board)
        typo = numbers.add(session, by(now), company, "+74951234568", board)
        numbers.delete(session, by(now), typo)
        numbers.move(session, by(now + HOUR), number, None)
        with pytest.raises(Rejected, match="is used by 1 earlier use"):
            numbers.delete(session, by(now), number)
        assert [each.number.e164 for each in numbers.listed(session, company)] == ["+74951234567"]


def test_a_listing_filters_by_place_state_and_text(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        company = pallets(session, now)
        board, pool = billboard(session, now, company), website(session, now, company)
        numbers.add(session, by(now), company, "+74951234561", board, label="M11 km 12")
        numbers.add(session, by(now), company, "+74951234562", pool)
        numbers.retire(session, by(now), numbers.add(session, by(now), company, "+74951234563"), 9)

        def found(**filters: object) -> list[str]:
            return [each.number.e164[-1] for each in numbers.listed(session, company, **filters)]  # type: ignore[arg-type]

        assert found() == ["1", "2", "3"]
        assert found(place=board) == ["1"]
        assert found(place=pool) == ["2"]
        assert found(unused=True) == ["3"]
        assert found(state=NumberState.QUARANTINED) == ["3"]
        assert found(text="m11") == ["1"]
        assert found(text="1234562") == ["2"]
        assert found(text="%") == []


def test_an_import_adds_every_row(database: Database, now: datetime) -> None:
    content = (
        "number;channel;label;record\n+7 495 123-45-61;Billboard;вход;да\n".replace("да", "yes")
        + "8 495 123-45-62;Billboard;;no\n"
    ).encode("utf-8-sig")
    with database.write() as session:
        company = pallets(session, now)
        billboard(session, now, company)
        added = numbers.import_rows(session, by(now), company, read_list(content))
        assert [(each.e164, each.label, each.record) for each in added] == [
            ("+74951234561", "вход", True),
            ("+74951234562", None, False),
        ]
        assert session.scalar(sa.select(sa.func.count()).select_from(NumberUse)) == 2


def test_a_list_with_mistakes_is_refused_whole_and_every_mistake_named(
    database: Database, now: datetime
) -> None:
    content = (
        b"number,channel,pool,record\n"
        b"+74951234561,Billboard,,\n"
        b"\n"
        b"12,,,\n"
        b"+74951234562,Bilboard,,\n"
        b"84951234561,,,\n"
        b"+74951234563,Billboard,Website,\n"
        b"+74951234564,,,perhaps\n"
        b"+74951234565,,,,,,\n"
    )
    with database.write() as session:
        billboard(session, now, pallets(session, now))
    with pytest.raises(numbers.BadRows) as bad, database.write() as session:
        numbers.import_rows(session, by(now), companies.choose(session, None), read_list(content))
    assert [each.line for each in bad.value.problems] == [4, 5, 6, 7, 8, 9]
    told = " ".join(str(each.problem) for each in bad.value.problems)
    for sign in (
        "Give it like",
        "There are: Billboard",
        "already in line 2",
        "give one of them",
        "yes or no",
    ):
        assert sign in told
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Number)) == 0
        assert session.scalar(sa.select(sa.func.count()).where(AuditEntry.action == "number.add")) == 0


def test_one_number_a_line_is_a_list_too() -> None:
    assert read_list(b"+74951234561\n\n+74951234562\r\n") == [Row(1, "+74951234561"), Row(3, "+74951234562")]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "list.empty"),
        (b"number,colour\n1,red\n", "list.columns"),
        (b"+74951234561,Billboard\n", "list.columns"),
        ("number\nвосемь".encode("cp1251"), "list.encoding"),
        (b"number\n" + b"x" * 200_000, "list.csv"),
    ],
)
def test_what_is_no_list_of_numbers_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(Rejected) as no:
        read_list(content)
    assert no.value.id == problem


def test_a_row_with_too_many_cells_is_bad_and_not_guessed_at() -> None:
    assert isinstance(read_list(b"number,label\n1,a,b\n")[0], BadRow)


def test_forwarding_is_replaced_as_a_whole_and_cleared_scope_by_scope(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        company = pallets(session, now)
        board = billboard(session, now, company)
        number = numbers.add(session, by(now), company, "+74951234567", board)
        one, two = main_line(session, now, company), main_line(session, now, company, "Backup line")
        forward.set_rings(session, by(now), company, [(one, 25)])
        forward.set_rings(session, by(now), board, [(one, 10), (two, 20)])
        forward.set_rings(session, by(now), board, [(two, 5), (one, 15), (two, 30)])
        session.flush()
        assert rings_for(session)[number.id] == (Ring(two.id, 5), Ring(one.id, 15), Ring(two.id, 30))
        forward.clear(session, by(now), board)
        session.flush()
        assert rings_for(session)[number.id] == (Ring(one.id, 25),)
        with pytest.raises(Rejected, match="Nothing is set for channel 'Billboard'"):
            forward.clear(session, by(now), board)


@pytest.mark.parametrize("seconds", [0, 301, -1])
def test_a_target_rings_one_to_three_hundred_seconds(sqlite: Database, now: datetime, seconds: int) -> None:
    with pytest.raises(Rejected, match="Give 1 to 300"), sqlite.write() as session:
        company = pallets(session, now)
        forward.set_rings(session, by(now), company, [(main_line(session, now, company), seconds)])


def test_a_channel_with_numbers_or_their_history_is_not_deleted(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        company = pallets(session, now)
        board = billboard(session, now, company)
        number = numbers.add(session, by(now), company, "+74951234567", board)
        with pytest.raises(Rejected, match="is used by 1 number"):
            channels.delete_channel(session, by(now), board)
        numbers.move(session, by(now + HOUR), number, None)
        with pytest.raises(Rejected, match="is used by the history of 1 number"):
            channels.delete_channel(session, by(now), board)


def test_names_of_channels_are_free_text_on_one_line(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        company = pallets(session, now)
        assert (
            channels.add_channel(session, by(now), company, "Щит «М11», км 12").source == "Щит «М11», км 12"
        )
        with pytest.raises(Rejected, match="printable"):
            channels.add_channel(session, by(now), company, "a\nb")
        with pytest.raises(Rejected, match="already"):
            channels.add_channel(session, by(now), company, "Щит «М11», км 12")
        channel = channels.get_channel(session, company, "Щит «М11», км 12")
        channels.change_channel(session, by(now), company, channel, name="Щит", campaign="весна")
        assert (channel.name, channel.campaign, channel.medium) == ("Щит", "весна", "offline")
