"""What people say of calls: the category, tags, notes, a value in money, what the caller told.

Each change is one row that says who and when, and one entry in the audit log, in the caller's transaction.
Doing the same twice changes nothing the second time. Only people set a category, in the page, on the command
line, by a key of the phone they took the call with or in their CRM: no service of ours does so by itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import deliveries, once
from tracker.audit import By
from tracker.calls import shown_caller
from tracker.errors import Rejected, say
from tracker.journey import iso
from tracker.models import Call, CallCategory, CallNote, CallTag, Category, Tag, Target, User
from tracker.policy.delivering import Event
from tracker.policy.facts import JudgedByPhone, Presentation
from tracker.policy.worth import Judged, Suggestion, in_force, suggest

TAGS_A_CALL = 20
NOTE_LONGEST, TAG_LONGEST, HEARD_LONGEST, CODE_LONGEST = 2000, 40, 100, 40
_EMPTY = {
    "block_reason": say("The reason is empty"),
    "heard_of": say("The answer how the caller heard of you is empty"),
    "note": say("The note is empty"),
    "promo_code": say("The promo code is empty"),
    "tag": say("The tag is empty"),
}
_LONG = {
    "block_reason": say("The reason has %(count)s characters"),
    "heard_of": say("The answer how the caller heard of you has %(count)s characters"),
    "note": say("The note has %(count)s characters"),
    "promo_code": say("The promo code has %(count)s characters"),
    "tag": say("The tag has %(count)s characters"),
}
INLET = "inlet:"  # begins the actor of what a CRM says by an inlet; the inlet's name follows
PHONE = "phone:"  # begins the actor of what was said by a phone's key; the target's name follows
_EARLIER = 20  # judged calls of the same number that a suggestion looks at


@dataclass(frozen=True)
class Worth:
    """All that people have said of a call. `names` gives the name of each actor who is a user."""

    history: Sequence[CallCategory]  # the newest first
    notes: Sequence[CallNote]  # in the order of the recording, those without a second last
    tags: Sequence[Tag]
    all_tags: Sequence[str]  # of the company, to choose from
    suggestion: Suggestion | None
    names: dict[str, str]


def read_worth(session: Session, call: Call) -> Worth:
    """What was said of this call, and what may be suggested."""
    history = session.scalars(
        sa.select(CallCategory)
        .where(CallCategory.call_id == call.id)
        .order_by(CallCategory.at.desc(), CallCategory.id.desc())
    ).all()
    notes = notes_of(session, call)
    return Worth(
        history,
        notes,
        tags_of(session, call),
        list_tags(session, call.company_id),
        suggest(call.outcome, call.talk_seconds, call.started_at, _judged(session, call)),
        _names(session, {each.actor for each in history} | {each.actor for each in notes}),
    )


def notes_of(session: Session, call: Call) -> Sequence[CallNote]:
    """What was written about a call, in the order of its recording, notes without a second last."""
    wanted = sa.select(CallNote).where(CallNote.call_id == call.id)
    order = sa.func.coalesce(CallNote.second, 1e9), CallNote.at, CallNote.id
    return session.scalars(wanted.order_by(*order)).all()


def describe_note(note: CallNote) -> dict[str, Any]:
    return {
        "id": note.id,
        "at": iso(note.at),
        "actor": note.actor,
        "second": note.second,
        "text": note.text,
    }


def describe_worth(it: Worth) -> dict[str, Any]:
    """What was said of a call as JSON: `category_history`, `notes`, `suggestion`."""
    return {
        "category_history": [
            {"at": iso(each.at), "actor": each.actor, "category": each.category} for each in it.history
        ],
        "notes": [describe_note(each) for each in it.notes],
        "suggestion": it.suggestion
        and {
            "category": it.suggestion.category,
            "ground": it.suggestion.ground,
            "since": iso(it.suggestion.since),
        },
    }


def categorise(session: Session, by: By, calls: Iterable[Call], category: Category | None) -> int:
    """Set a category, or take it back (None); gives how many calls had another before.

    Whoever does so sees what stands there, so this is the newest word even where a phone system's clock is
    ahead of ours.
    """
    changed = [call for call in calls if call.category is not category]
    newest = _last_said(session, changed)
    for call in changed:
        at = max(by.at, newest.get(call.id, by.at))
        _say(session, by, call, category, at, before=call.category)
        call.category = category
    if changed:
        deliveries.tell_again(session, [call.id for call in changed], Event.CATEGORISED, by.at)
    return len(changed)


def take_keys(session: Session, pressed: Mapping[int, Sequence[JudgedByPhone]]) -> None:
    """What was said by phones' keys, by the call's id: each takes the place of its instant in the history.

    The newest word is the call's category: one that comes late changes nothing that was said after it.
    """
    for call_id, facts in pressed.items():
        call = session.get_one(Call, call_id, populate_existing=True)
        for fact in sorted(facts, key=lambda each: each.at):
            _take_key(session, By(fact.at, _phone_of(session, call, fact.target_id)), call, fact.category)


def _take_key(session: Session, by: By, call: Call, category: Category | None) -> None:
    wanted = sa.select(CallCategory.at, CallCategory.category).where(CallCategory.call_id == call.id)
    history = [(at, said) for at, said in session.execute(wanted.order_by(CallCategory.at, CallCategory.id))]
    before = in_force(history, by.at) if history else call.category
    if before is category:
        return
    _say(session, by, call, category, by.at, before=before)
    if not history or history[-1][0] <= by.at:
        call.category = category
        deliveries.tell_again(session, [call.id], Event.CATEGORISED, by.at)
    session.flush()


def _say(
    session: Session, by: By, call: Call, category: Category | None, at: datetime, *, before: Category | None
) -> None:
    session.add(CallCategory(call_id=call.id, at=at, actor=by.actor[:200], category=category))
    detail = {"category": category, "before": before}
    by.note(session, "call.category", call.company_id, subject=call.key, detail=detail)


def _last_said(session: Session, calls: Sequence[Call]) -> dict[int, datetime]:
    """When the newest word about each of these calls was said."""
    wanted = sa.select(CallCategory.call_id, sa.func.max(CallCategory.at)).group_by(CallCategory.call_id)
    found = session.execute(wanted.where(CallCategory.call_id.in_([call.id for call in calls])))
    return {row[0]: row[1] for row in found}


def _phone_of(session: Session, call: Call, target_id: int) -> str:
    """The actor: the target's name as it is now, if it still is one of the company's."""
    wanted = sa.select(Target.name).where(Target.id == target_id, Target.company_id == call.company_id)
    return PHONE + (session.scalar(wanted) or str(target_id))


def parse_category(word: str) -> Category | None:
    """The category of a word of the page or the command line; "none" takes it back.

    Raises Rejected `category.unknown`.
    """
    if word == "none":
        return None
    try:
        return Category(word.replace("-", "_"))
    except ValueError:
        raise Rejected(
            "category.unknown",
            "%(word)r is no category",
            "Choose target, service, non-target or none",
            word=word[:20],
        ) from None


# ---- tags ----


def tags_of(session: Session, call: Call) -> Sequence[Tag]:
    wanted = sa.select(Tag).join(CallTag, CallTag.tag_id == Tag.id).where(CallTag.call_id == call.id)
    return session.scalars(wanted.order_by(Tag.name)).all()


def list_tags(session: Session, company_id: int) -> Sequence[str]:
    """The company's tags by name."""
    return session.scalars(sa.select(Tag.name).where(Tag.company_id == company_id).order_by(Tag.name)).all()


def add_tag(session: Session, by: By, calls: Iterable[Call], name: str) -> int:
    """Tag calls; a tag nobody used before is made. Gives how many calls had not had it.

    Raises Rejected `tag.malformed` and `tag.too_many`.
    """
    name = clean(name, TAG_LONGEST, "tag")
    added = 0
    for call in calls:
        tag_id = _tag_id(session, by, call.company_id, name)
        if _count_tags(session, call) >= TAGS_A_CALL:
            raise Rejected(
                "tag.too_many",
                "A call has at most %(most)s tags",
                "Take one away first",
                most=TAGS_A_CALL,
            )
        row = {"call_id": call.id, "tag_id": tag_id}
        put = once.insert(session, CallTag).values(row).on_conflict_do_nothing().returning(CallTag.tag_id)
        if session.execute(put).one_or_none() is not None:
            by.note(session, "call.tag", call.company_id, subject=call.key, detail={"tag": name})
            _tell(session, by, call)
            added += 1
    return added


def remove_tag(session: Session, by: By, calls: Iterable[Call], name: str) -> int:
    """Take a tag away from calls; gives how many had it."""
    removed = 0
    for call in calls:
        its = sa.select(Tag.id).where(Tag.company_id == call.company_id, Tag.name == name)
        gone = session.execute(
            sa.delete(CallTag)
            .where(CallTag.call_id == call.id, CallTag.tag_id.in_(its))
            .returning(CallTag.tag_id)
        ).all()
        if gone:
            by.note(session, "call.untag", call.company_id, subject=call.key, detail={"tag": name})
            _tell(session, by, call)
            removed += 1
    return removed


def _tag_id(session: Session, by: By, company_id: int, name: str) -> int:
    row = {"company_id": company_id, "name": name, "created_at": by.at}
    session.execute(once.insert(session, Tag).values(row).on_conflict_do_nothing())
    wanted = sa.select(Tag.id).where(Tag.company_id == company_id, Tag.name == name)
    return session.scalars(wanted).one()


def _count_tags(session: Session, call: Call) -> int:
    wanted = sa.select(sa.func.count()).select_from(CallTag).where(CallTag.call_id == call.id)
    return session.scalar(wanted) or 0


# ---- notes and what the caller said ----


def add_note(session: Session, by: By, call: Call, text: str, second: float | None = None) -> CallNote:
    """Write a note, pinned to a second of the recording or to the call as a whole.

    Raises Rejected `note.malformed`.
    """
    text = clean(text, NOTE_LONGEST, "note", lines=True)
    if second is not None and not 0 <= second <= (call.talk_seconds or 0) + 1:
        raise Rejected(
            "note.malformed",
            "Second %(second)s is not in the recording",
            "Play it and stop where you mean",
            second=f"{second:g}",
        )
    note = CallNote(call_id=call.id, at=by.at, actor=by.actor[:200], text=text, second=second)
    session.add(note)
    session.flush()
    by.note(session, "call.note", call.company_id, subject=call.key, detail={"note": note.id})
    _tell(session, by, call)
    return note


def remove_note(session: Session, by: By, call: Call, note_id: int) -> None:
    """Take one's own note back. Raises Rejected `note.unknown`, also for somebody else's."""
    gone = session.execute(
        sa.delete(CallNote)
        .where(CallNote.id == note_id, CallNote.call_id == call.id, CallNote.actor == by.actor[:200])
        .returning(CallNote.text)
    ).one_or_none()
    if gone is None:
        raise Rejected("note.unknown", "There is no such note of yours", "Open the call again")
    by.note(session, "call.unnote", call.company_id, subject=call.key, detail={"text": gone.text})
    _tell(session, by, call)


def note_told(session: Session, by: By, call: Call, *, heard_of: str, promo_code: str) -> None:
    """What the caller said: how he heard of the company, a promo code. Empty: nothing.

    Raises Rejected `heard_of.malformed`, `promo_code.malformed`.
    """
    heard = clean(heard_of, HEARD_LONGEST, "heard_of") if heard_of.strip() else None
    code = clean(promo_code, CODE_LONGEST, "promo_code").upper() if promo_code.strip() else None
    before = call.heard_of, call.promo_code
    if (heard, code) == before:
        return
    call.heard_of, call.promo_code = heard, code
    detail = {"heard_of": heard, "promo_code": code, "before": list(before)}
    by.note(session, "call.told", call.company_id, subject=call.key, detail=detail)
    _tell(session, by, call)


def value_call(session: Session, by: By, call: Call, amount: Decimal | None) -> bool:
    """Say what a call was worth in money, or take it back (None); whether it was another before."""
    before = call.value
    if amount == before:
        return False
    call.value = amount
    detail = {"value": _plain(amount), "before": _plain(before), "currency": call.company.currency}
    by.note(session, "call.value", call.company_id, subject=call.key, detail=detail)
    _tell(session, by, call)
    return True


def _tell(session: Session, by: By, call: Call) -> None:
    """Destinations that want to know hear that something of the call is another now."""
    deliveries.tell_again(session, [call.id], Event.UPDATED, by.at)


def _plain(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def clean(text: str, longest: int, what: str, *, lines: bool = False) -> str:
    """Text that a person typed, rid of what nobody sees; Rejected `<what>.malformed` when nothing is left."""
    kept = "".join(each for each in text if each == "\n" or unicodedata.category(each) not in {"Cc", "Cs"})
    kept = kept.strip() if lines else re.sub(r"\s+", " ", kept).strip()
    if not kept:
        raise Rejected(f"{what}.malformed", _EMPTY[what], "Write something")
    if len(kept) > longest:
        raise Rejected(
            f"{what}.malformed",
            _LONG[what],
            "Write at most %(longest)s",
            count=len(kept),
            longest=longest,
        )
    return kept


# ---- suggestions ----


def _judged(session: Session, call: Call) -> list[Judged]:
    """The latest judged calls of the same number before this one; none of a caller who hides his."""
    if shown_caller(call) is None:
        return []
    earlier = (
        sa.select(Call.started_at, Call.category)
        .where(
            Call.company_id == call.company_id,
            Call.caller == call.caller,
            Call.presentation == Presentation.ALLOWED,
            Call.started_at < call.started_at,
            Call.category.is_not(None),
        )
        .order_by(Call.started_at.desc())
        .limit(_EARLIER)
    )
    return [Judged(at, category) for at, category in session.execute(earlier) if category]


def _names(session: Session, actors: set[str]) -> dict[str, str]:
    rows = session.execute(sa.select(User.email, User.name).where(User.email.in_(actors)))
    return {row.email: row.name for row in rows}
