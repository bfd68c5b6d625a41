"""Categories, tags, notes: set by people, with who and when, on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from support.facts import Pallets, add_pallets, answered, ended, started

from tracker import calls, people, worth
from tracker.audit import By
from tracker.books import record_all
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import AuditEntry, Call, CallCategory, CallNote, Category, Tag
from tracker.policy.facts import Presentation
from tracker.policy.worth import Ground

ANN = "ann@pallets.example"


def by(now: datetime, actor: str = ANN) -> By:
    return By(now, actor, "192.0.2.1")


@pytest.fixture
def pallets(database: Database, now: datetime) -> Pallets:
    """Two answered calls of one caller, a day apart, and one by somebody who withholds his number."""
    with database.write() as session:
        pallets = add_pallets(session, now - timedelta(days=3))
        people.add_user(session, ANN, "Ann", now)
        for key, days, shown in (("old", 1, True), ("new", 0, True), ("hidden", 0, False)):
            at = now - timedelta(days=days, minutes=10)
            presentation = Presentation.ALLOWED if shown else Presentation.WITHHELD
            begin = started(pallets.billboard, at, key, presentation=presentation)
            over = ended(at + timedelta(minutes=1), key)
            record_all(session, [begin, answered(pallets.office_id, at, key), over])
    return pallets


def call_of(session: Session, key: str) -> Call:
    return session.scalars(sa.select(Call).where(Call.key == key)).one()


def actions(session: Session) -> list[str]:
    wanted = sa.select(AuditEntry.action).where(AuditEntry.action.like("call.%")).order_by(AuditEntry.id)
    return list(session.scalars(wanted))


def test_a_category_is_kept_with_who_and_when_and_what_was_before(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    for minute, category in enumerate((Category.TARGET, Category.SERVICE, Category.SERVICE, None)):
        with database.write() as session:
            at = now + timedelta(minutes=minute)
            changed = worth.categorise(session, by(at), [call_of(session, "new")], category)
            assert changed == (minute != 2)  # the same again changes nothing
    with database.read() as session:
        said = worth.read_worth(session, call_of(session, "new"))
        minutes = [(it.at - now).total_seconds() / 60 for it in said.history]
        assert [it.category for it in said.history] == [None, Category.SERVICE, Category.TARGET]
        assert minutes == [3, 1, 0]
        assert said.names == {ANN: "Ann"}
        assert call_of(session, "new").category is None
        assert call_of(session, "old").category is None  # each call has its own
        assert actions(session) == ["call.category"] * 3


def test_many_calls_are_categorised_at_once(database: Database, pallets: Pallets, now: datetime) -> None:
    with database.write() as session:
        both = [call_of(session, "old"), call_of(session, "new")]
        worth.categorise(session, by(now), both[:1], Category.TARGET)
        assert worth.categorise(session, by(now), both, Category.TARGET) == 1


def test_what_was_judged_before_is_suggested_but_never_set(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        worth.categorise(session, by(now), [call_of(session, "old")], Category.TARGET)
        worth.categorise(session, by(now), [call_of(session, "hidden")], Category.NON_TARGET)
    with database.read() as session:
        said = worth.read_worth(session, call_of(session, "new")).suggestion
        assert said is not None
        assert (said.category, said.ground) == (Category.SERVICE, Ground.CLIENT)
        assert said.since == call_of(session, "old").started_at
        assert call_of(session, "new").category is None
        assert worth.read_worth(session, call_of(session, "hidden")).suggestion is None  # he cannot be known


def test_a_tag_is_made_at_its_first_use_and_counted_once(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        both = [call_of(session, "old"), call_of(session, "new")]
        assert worth.add_tag(session, by(now), both, " key \t account ") == 2
        assert worth.add_tag(session, by(now), both, "key account") == 0
        assert worth.add_tag(session, by(now), both[1:], "delivery") == 1
        assert worth.remove_tag(session, by(now), both[:1], "key account") == 1
        assert worth.remove_tag(session, by(now), both[:1], "key account") == 0
    with database.read() as session:
        assert worth.list_tags(session, pallets.company_id) == ["delivery", "key account"]
        shown = calls.list_calls(session, [pallets.company_id]).calls
        assert {call.key: [tag.name for tag in call.tags] for call in shown} == {
            "new": ["delivery", "key account"], "old": [], "hidden": [],
        }  # fmt: skip
        assert session.scalar(sa.select(sa.func.count()).select_from(Tag)) == 2


def test_a_call_takes_twenty_tags(database: Database, pallets: Pallets, now: datetime) -> None:
    with database.write() as session:
        for number in range(worth.TAGS_A_CALL):
            worth.add_tag(session, by(now), [call_of(session, "new")], f"tag {number}")
    with database.write() as session, pytest.raises(Rejected, match="at most 20 tags"):
        worth.add_tag(session, by(now), [call_of(session, "new")], "one more")


def test_notes_stand_in_the_order_of_the_recording_and_only_their_writer_takes_them_back(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        call = call_of(session, "new")
        for text, second in (("whole", None), ("later", 40.0), ("sooner", 2.5)):
            worth.add_note(session, by(now), call, text, second)
    with database.read() as session:
        notes = worth.read_worth(session, call_of(session, "new")).notes
        assert [(note.text, note.second) for note in notes] == [
            ("sooner", 2.5),
            ("later", 40),
            ("whole", None),
        ]
    with database.write() as session, pytest.raises(Rejected, match="no such note of yours"):
        worth.remove_note(session, by(now, "bob@pallets.example"), call_of(session, "new"), notes[0].id)
    with database.write() as session, pytest.raises(Rejected, match="no such note"):
        worth.remove_note(session, by(now), call_of(session, "old"), notes[0].id)
    with database.write() as session:
        worth.remove_note(session, by(now), call_of(session, "new"), notes[0].id)
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(CallNote)) == 2
        assert actions(session)[-1] == "call.unnote"


@pytest.mark.parametrize("second", [-0.1, 62.0, float("inf"), float("nan")])
def test_a_note_cannot_be_pinned_outside_the_recording(
    sqlite: Database, now: datetime, second: float
) -> None:
    with sqlite.write() as session:
        pallets = add_pallets(session, now)
        begin = started(pallets.billboard, now, "a")
        over = ended(now + timedelta(minutes=1), "a")
        record_all(session, [begin, answered(pallets.office_id, now, "a"), over])
    with sqlite.write() as session, pytest.raises(Rejected, match="is not in the recording"):
        worth.add_note(session, by(now), call_of(session, "a"), "here", second)


def test_what_the_caller_told_is_kept_and_can_be_emptied(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    for heard, code in (("a  friend ", "spring-26"), ("a friend", "SPRING-26"), (" ", "")):
        with database.write() as session:
            worth.note_told(session, by(now), call_of(session, "new"), heard_of=heard, promo_code=code)
            call = call_of(session, "new")
            expected = ("a friend", "SPRING-26") if heard.strip() else (None, None)
            assert (call.heard_of, call.promo_code) == expected
    with database.read() as session:
        assert actions(session) == ["call.told"] * 2  # the second said the same


def test_a_value_is_kept_with_what_was_before_and_can_be_taken_back(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    for amount, changes in ((Decimal("1200.50"), True), (Decimal("1200.5"), False), (None, True)):
        with database.write() as session:
            assert worth.value_call(session, by(now), call_of(session, "new"), amount) is changes
            assert call_of(session, "new").value == amount
    with database.read() as session:
        wanted = sa.select(AuditEntry.detail).where(AuditEntry.action == "call.value").order_by(AuditEntry.id)
        assert list(session.scalars(wanted)) == [
            {"value": "1200.50", "before": None, "currency": "EUR"},
            {"value": None, "before": "1200.5", "currency": "EUR"},
        ]
        assert call_of(session, "old").value is None


@pytest.mark.parametrize("text", ["", "  ", "\x00\x07", "x" * 41])
def test_text_that_says_nothing_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(Rejected) as refused:
        worth.clean(text, 40, "tag")
    assert refused.value.id == "tag.malformed"


@pytest.mark.parametrize("word", ["target", "service", "non-target", "non_target", "none"])
def test_the_words_of_categories_are_read(word: str) -> None:
    found = worth.parse_category(word)
    assert (found.value if found else "none") == word.replace("-", "_")


def test_another_word_is_no_category() -> None:
    with pytest.raises(Rejected, match="'lead' is no category"):
        worth.parse_category("lead")


def test_the_database_refuses_another_word(database: Database, pallets: Pallets) -> None:
    with pytest.raises(sa.exc.IntegrityError), database.write() as session:
        session.execute(sa.text("UPDATE calls SET category = 'lead'"))


def test_history_is_never_rewritten(database: Database, pallets: Pallets, now: datetime) -> None:
    with database.write() as session:
        worth.categorise(session, by(now), [call_of(session, "new")], Category.TARGET)
    with database.write() as session:
        worth.categorise(session, by(now), [call_of(session, "new")], Category.NON_TARGET)
    with database.read() as session:
        rows = session.scalars(sa.select(CallCategory.category).order_by(CallCategory.id)).all()
        assert rows == [Category.TARGET, Category.NON_TARGET]
