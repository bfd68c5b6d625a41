"""Moving in from another call-tracking service: its calls, numbers, sources, tags and values.

    found = look(session, company, vendor, files, Wanted(now=now))     # only looks
    done = take(database, company.id, vendor, found, by)               # writes what was found

A call becomes a reported one (tracker.reported_calls), known again by the service's id: the same export again
changes nothing. What is kept beside a call (source, tags, note, value) is taken when it first comes; people
may have said otherwise since. Every row that is not taken is told with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import moved_sources, numbers, once, reported_calls
from tracker.audit import By
from tracker.database import Database
from tracker.errors import Rejected, Said, say
from tracker.judge import judge
from tracker.models import Call, CallNote, CallTag, Company, Number, NumberState, Tag
from tracker.policy.dates import Dates, Order
from tracker.policy.moved import FileRow, MovedCall, NotTaken, Vendor, plain_time, read_moved, words_of
from tracker.policy.phone import read_number
from tracker.policy.reported_calls import Dids, key_of
from tracker.portions import portions
from tracker.reported_calls import AT_A_TIME, Source, Taken

_OTHER_MONEY = say(
    "the call is taken without its value: it is in %(theirs)s, and the company counts in %(ours)s"
)
_OURS = say("the call came through here as well, and is in the books")


@dataclass(frozen=True)
class File:
    """An export's file, read into rows."""

    name: str
    rows: Sequence[FileRow]


@dataclass(frozen=True)
class Wanted:
    """How an export is to be read; `adds_numbers`: those that are not entered here are added, as retired."""

    now: datetime
    zone: str | None = None
    order: Order | None = None
    chosen: Mapping[str, str] = field(default_factory=dict)
    adds_numbers: bool = True


@dataclass(frozen=True)
class Untaken:
    """A row, or something of it, that is not taken, and why.

    `line` is its place among the calls where the file is JSON.
    """

    file: str
    line: int
    reference: str
    column: str
    reason: Said


@dataclass(frozen=True)
class Place:
    """A call and the file that has it."""

    file: str
    call: MovedCall


@dataclass(frozen=True)
class Found:
    """What an export has: calls, rows that are none, and numbers to be added with their names."""

    places: Sequence[Place]
    untaken: Sequence[Untaken]
    numbers: Mapping[str, str]


@dataclass
class Done:
    """What became of it, or would."""

    taken: Taken = field(default_factory=Taken)
    numbers: int = 0
    visits: int = 0
    channels: int = 0
    untaken: list[Untaken] = field(default_factory=list)


def look(
    session: Session, company: Company, vendor: Vendor, files: Sequence[File], wanted: Wanted
) -> Found:  # fmt: skip
    """What the files have, by the company's numbers and clocks."""
    rows = [(file.name, row) for file in files for row in file.rows]
    told = [words_of(row, vendor, wanted.chosen) for _, row in rows]
    known = _known_numbers(session, company)
    more = _new_numbers(session, company, known, told) if wanted.adds_numbers else {}
    how = replace(
        reported_calls.how_of(session, company, wanted.now, zone=wanted.zone),
        dids=Dids([*known, *more], company.default_region),
        dates=Dates([plain_time(it.get("started_at", "")) for it in told], wanted.order or vendor.order),
    )
    places, untaken = [], []
    for name, row in rows:
        try:
            call = read_moved(row, vendor, wanted.chosen, how, company.currency)
        except NotTaken as no:
            untaken.append(Untaken(name, row.line, no.reference, no.column, no.said))
            continue
        if call.value is not None and call.currency not in {None, company.currency}:
            why = Said(_OTHER_MONEY.text, {"theirs": call.currency, "ours": company.currency})
            untaken.append(Untaken(name, row.line, call.line.reference, "value", why))
            call = replace(call, value=None)
        places.append(Place(name, call))
    used = {it.call.line.did for it in places}
    return Found(places, untaken, {e164: name for e164, name in more.items() if e164 in used})


def would_take(session: Session, company: Company, vendor: Vendor, found: Found, by: By) -> Done:
    """What `take` would do; only looks. Visits and channels are not counted."""
    source = Source(company.id, company.default_region, vendor.name, by)
    taken = reported_calls.would_take(session, source, [it.call.line for it in found.places])
    return Done(taken, len(found.numbers), untaken=list(found.untaken))


def take(database: Database, company_id: int, vendor: Vendor, found: Found, by: By) -> Done:
    """Writes it down, a few hundred calls a transaction; whoever is killed in between takes all again."""
    done = Done(untaken=list(found.untaken))
    with database.write() as session:
        company = session.get_one(Company, company_id)
        done.numbers = _add_numbers(session, by, company, found.numbers)
    for part in portions(found.places, AT_A_TIME):
        with database.write() as session:
            company = session.get_one(Company, company_id)
            _take_part(
                session, Source(company_id, company.default_region, vendor.name, by), vendor, part, done
            )
    return done


def _known_numbers(session: Session, company: Company) -> list[str]:
    """Retired ones too: a call of last year came by a number of last year."""
    return list(session.scalars(sa.select(Number.e164).where(Number.company_id == company.id)))


def _new_numbers(
    session: Session, company: Company, known: Sequence[str], told: Iterable[Mapping[str, str]]
) -> dict[str, str]:
    """Numbers that the rows tell and nobody has here, with the names that the service gives them."""
    dids, found = Dids(known, company.default_region), dict[str, str]()
    for row in told:
        text = row.get("did", "")
        if not text or dids.find(text) in dids.numbers:
            continue
        try:
            e164 = read_number(text, company.default_region)
        except Rejected:
            continue  # the row is told to be bad when it is read
        found[e164] = found.get(e164) or row.get("number_name", "")[:100]
    taken: set[str] = set()
    for part in portions(list(found)):
        taken |= set(session.scalars(sa.select(Number.e164).where(Number.e164.in_(part))))
    return {e164: name for e164, name in found.items() if e164 not in taken}


def _add_numbers(session: Session, by: By, company: Company, wanted: Mapping[str, str]) -> int:
    """As history: nothing rings for them, and nobody is shown them, until they are restored."""
    there = set(_known_numbers(session, company))
    added = [e164 for e164 in wanted if e164 not in there]
    for e164 in added:
        number = numbers.add(session, by, company, e164, label=wanted[e164].strip() or None)
        number.state = NumberState.RETIRED
    return len(added)


def _take_part(
    session: Session, source: Source, vendor: Vendor, part: Sequence[Place], done: Done
) -> None:  # fmt: skip
    company, by = session.get_one(Company, source.company_id), source.by
    keys = {key_of(company.id, vendor.name, it.call.line.reference): it for it in part}
    before = set(session.scalars(sa.select(Call.key).where(Call.key.in_(keys))))
    done.taken.add(reported_calls.store(session, source, [it.call.line for it in part]))
    session.expire_all()
    calls = session.scalars(sa.select(Call).where(Call.key.in_(keys))).all()
    fresh = [(call, keys[call.key].call) for call in calls if call.key not in before]
    sources = moved_sources.keep(session, by, company, vendor, fresh)
    done.visits += sources.visits
    done.channels += sources.channels
    _keep_words(session, by, company, fresh)
    session.flush()
    judge(session, [call.id for call, _ in fresh], by.at)
    there = {call.key for call in calls}
    done.untaken += [
        Untaken(it.file, it.call.line.line, it.call.line.reference, "", _OURS)
        for key, it in keys.items()
        if key not in there
    ]


def _keep_words(
    session: Session, by: By, company: Company, fresh: Sequence[tuple[Call, MovedCall]]
) -> None:  # fmt: skip
    """Tags, notes and values. No audit entry for each: who brought them stands at the call."""
    tag_ids = _tag_ids(session, by, company, {tag for _, moved in fresh for tag in moved.tags})
    tagged = [{"call_id": call.id, "tag_id": tag_ids[tag]} for call, moved in fresh for tag in moved.tags]
    if tagged:
        session.execute(once.insert(session, CallTag).on_conflict_do_nothing(), tagged)
    for call, moved in fresh:
        if moved.note:
            session.add(CallNote(call_id=call.id, at=by.at, actor=by.actor[:200], text=moved.note))
        if moved.value is not None:
            call.value = moved.value


def _tag_ids(session: Session, by: By, company: Company, names: set[str]) -> dict[str, int]:
    if not names:
        return {}
    rows: list[dict[str, Any]] = [
        {"company_id": company.id, "name": name, "created_at": by.at} for name in sorted(names)
    ]
    session.execute(once.insert(session, Tag).on_conflict_do_nothing(), rows)
    wanted = sa.select(Tag.name, Tag.id).where(Tag.company_id == company.id, Tag.name.in_(names))
    return {row.name: row.id for row in session.execute(wanted)}
