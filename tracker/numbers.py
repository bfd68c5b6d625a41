"""Numbers: adding, importing, moving between channels and pools, retiring with quarantine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from tracker import releases, scopes
from tracker.audit import By
from tracker.call_words import HAS_CALLED
from tracker.channels import get_channel
from tracker.errors import Rejected, Said, say
from tracker.models import (
    Call,
    CallbackSettings,
    Channel,
    Company,
    Consent,
    Lease,
    Number,
    NumberState,
    NumberUse,
    OutgoingRule,
    Pool,
    Swap,
)
from tracker.number_list import BadRow, Row
from tracker.policy.entries import read_title
from tracker.policy.phone import read_number
from tracker.policy.uses import STATES, uses_of
from tracker.pools import get_pool

Place = Channel | Pool | None


class BadRows(Exception):
    """A list of numbers with mistakes: every one of them by line. Nothing of it is stored."""

    def __init__(self, problems: Sequence[BadRow]) -> None:
        self.said = say(
            "%(num)s bad row; nothing was imported"
            if len(problems) == 1
            else "%(num)s bad rows; nothing was imported",
            num=len(problems),
        )
        super().__init__(str(self.said))
        self.problems = problems


@dataclass(frozen=True)
class Listed:
    """A number with what it is used for at present."""

    number: Number
    channel: Channel | None
    pool: Pool | None


def add(
    session: Session,
    by: By,
    company: Company,
    text: str,
    place: Place = None,
    *,
    label: str | None = None,
    record: bool = True,
) -> Number:
    """A new number of the company, tied to a channel or put into a pool.

    Raises Rejected: number.malformed, number.duplicate, number.text.
    """
    e164 = read_number(text, company.default_region)
    _refuse_known(session, company, e164)
    number = Number(
        company_id=company.id,
        e164=e164,
        label=read_title(label, "number") if label else None,
        record=record,
        created_at=by.at,
    )
    session.add(number)
    session.flush()
    _begin_use(session, number, place, by.at)
    by.note(session, "number.add", company.id, subject=e164, detail={"place": place_name(place)})
    return number


def import_rows(
    session: Session,
    by: By,
    company: Company,
    rows: Iterable[Row | BadRow],
    seen: Callable[[], object] = lambda: None,
) -> list[Number]:
    """Add every row, or none: raises BadRows with all mistakes. `seen` is called after each row."""
    added: list[Number] = []
    problems: list[BadRow] = []
    lines: dict[str, int] = {}
    for row in rows:
        problem = (
            row
            if isinstance(row, BadRow)
            else _import_row(session, by, company, row, lines=lines, added=added)
        )
        if problem is not None:
            problems.append(problem)
        seen()
    if problems:
        raise BadRows(problems)
    return added


def _import_row(
    session: Session, by: By, company: Company, row: Row, *, lines: dict[str, int], added: list[Number]
) -> BadRow | None:
    try:
        e164 = read_number(row.number, company.default_region)
        if (first := lines.setdefault(e164, row.line)) != row.line:
            return BadRow(row.line, say("%(e164)s is already in line %(line)s", e164=e164, line=first))
        place = find_place(session, company, row.channel, row.pool)
        added.append(add(session, by, company, e164, place, label=row.label, record=row.record))
    except Rejected as no:
        return BadRow(row.line, no.whole)
    return None


def find_place(session: Session, company: Company, channel: str | None, pool: str | None) -> Place:
    """The channel or pool of that name; None when neither is named. Raises Rejected number.place."""
    if channel and pool:
        raise Rejected(
            "number.place", "A number is tied to a channel or in a pool", "Give --channel or --pool, not both"
        )
    if channel:
        return get_channel(session, company, channel)
    return get_pool(session, company, pool) if pool else None


def get(session: Session, company: Company, text: str) -> Number:
    """The company's number in any spelling. Raises Rejected number.malformed, number.unknown."""
    e164 = read_number(text, company.default_region)
    wanted = sa.select(Number).where(Number.e164 == e164, Number.company_id == company.id)
    if number := session.scalars(wanted).one_or_none():
        return number
    raise Rejected(
        "number.unknown",
        "%(e164)s is no number of company %(company)s",
        "See `leaseline number list`, or add it: `leaseline number add`",
        e164=e164,
        company=company.slug,
    )


def listed(
    session: Session,
    company: Company,
    *,
    state: NumberState | None = None,
    place: Place = None,
    unused: bool = False,
    text: str | None = None,
) -> list[Listed]:
    """The company's numbers with their present use; `text` looks into digits and labels. One statement."""
    channel, pool = aliased(Channel), aliased(Pool)
    wanted = (
        sa.select(Number, channel, pool)
        .outerjoin(NumberUse, sa.and_(NumberUse.number_id == Number.id, NumberUse.until_at.is_(None)))
        .outerjoin(channel, channel.id == NumberUse.channel_id)
        .outerjoin(pool, pool.id == NumberUse.pool_id)
        .where(Number.company_id == company.id)
        .order_by(Number.e164)
    )
    if state is not None:
        wanted = wanted.where(Number.state == state)
    if isinstance(place, Channel):
        wanted = wanted.where(NumberUse.channel_id == place.id)
    if isinstance(place, Pool):
        wanted = wanted.where(NumberUse.pool_id == place.id)
    if unused:
        wanted = wanted.where(NumberUse.id.is_(None))
    if text:
        wanted = wanted.where(
            Number.e164.contains(text, autoescape=True) | Number.label.icontains(text, autoescape=True)
        )
    return [Listed(*row) for row in session.execute(wanted)]


def uses(session: Session, number: Number) -> Sequence[NumberUse]:
    """What the number was used for, newest first."""
    wanted = sa.select(NumberUse).where(NumberUse.number_id == number.id)
    return session.scalars(wanted.order_by(NumberUse.from_at.desc(), NumberUse.id.desc())).all()


def last_calls(session: Session, number: Number, limit: int = 5) -> Sequence[Call]:
    """The number's newest calls."""
    wanted = sa.select(Call).where(Call.number_id == number.id, HAS_CALLED).order_by(Call.started_at.desc())
    return session.scalars(wanted.limit(limit)).all()


def move(session: Session, by: By, number: Number, place: Place) -> None:
    """Use the number for another channel or pool from now on; earlier calls keep their source.

    Raises Rejected number.quarantined, number.same.
    """
    _refuse_resting(number)
    present = _open_use(session, number)
    if present is not None and place is not None and place in (present.channel, present.pool):
        raise Rejected(
            "number.same",
            "%(e164)s is there already: %(place)s",
            "Name another place",
            e164=number.e164,
            place=_place_said(place),
        )
    before = place_name(present.channel or present.pool) if present else None
    _end_use(session, number, by.at)
    _begin_use(session, number, place, by.at)
    by.note(
        session,
        "number.move",
        number.company_id,
        subject=number.e164,
        detail={"from": before, "to": place_name(place)},
    )


def change(
    session: Session, by: By, number: Number, *, label: str | None = None, record: bool | None = None
) -> None:
    """Change the label ("" removes it) or whether calls are recorded."""
    if label is not None:
        number.label = read_title(label, "number") if label.strip() else None
    if record is not None:
        number.record = record
    detail = {"label": number.label, "record": number.record}
    by.note(session, "number.change", number.company_id, subject=number.e164, detail=detail)


def retire(session: Session, by: By, number: Number, quarantine_days: int) -> None:
    """Give the number to nobody new. It is still answered for its last use until the quarantine is over.

    With 0 days it is retired at once. Raises Rejected number.retired.
    """
    if number.state is not NumberState.ACTIVE:
        raise Rejected(
            "number.retired",
            "%(e164)s is %(state)s already",
            "Take it back: `leaseline number restore`",
            e164=number.e164,
            state=STATES[number.state],
        )
    _end_lease(session, number, by.at)
    number.state = NumberState.QUARANTINED
    number.quarantined_until = by.at + timedelta(days=quarantine_days)
    detail = {"quarantine_days": quarantine_days}
    by.note(session, "number.retire", number.company_id, subject=number.e164, detail=detail)
    if not quarantine_days:
        end_quarantine(session, by, number)


def restore(session: Session, by: By, number: Number) -> None:
    """Take a retired number back; out of quarantine it keeps its use. Raises Rejected number.active."""
    if number.state is NumberState.ACTIVE:
        raise Rejected(
            "number.active", "%(e164)s is in use", "Only retired numbers are restored", e164=number.e164
        )
    number.state = NumberState.ACTIVE
    number.quarantined_until = None
    by.note(session, "number.restore", number.company_id, subject=number.e164)


def over_quarantine(session: Session, now: datetime) -> Sequence[Number]:
    """Numbers whose quarantine is over, for the worker to end."""
    wanted = sa.select(Number).where(Number.state == NumberState.QUARANTINED, Number.quarantined_until <= now)
    return session.scalars(wanted.order_by(Number.id)).all()


def end_quarantine(session: Session, by: By, number: Number) -> None:
    """The number is answered no more; its use ends."""
    number.state = NumberState.RETIRED
    _end_use(session, number, by.at)
    by.note(session, "number.retired", number.company_id, subject=number.e164)


def delete(session: Session, by: By, number: Number) -> None:
    """Delete a number added by mistake. Raises Rejected number.in_use when anything ever happened on it."""
    calls = _count(session, Call, Call.number_id == number.id)
    leases = _count(session, Lease, Lease.number_id == number.id)
    past = _count(
        session, NumberUse, sa.and_(NumberUse.number_id == number.id, NumberUse.until_at.is_not(None))
    )
    overflow = _count(session, Pool, Pool.overflow_number_id == number.id)
    shown = _count(session, OutgoingRule, OutgoingRule.number_id == number.id)
    called = _count(session, CallbackSettings, CallbackSettings.number_id == number.id)
    held = (
        (calls, "call"), (leases, "lease"), (past, "earlier use"), (overflow, "overflow of a pool"),
        (shown, "outgoing rule"), (called, "site that calls back"),
    )  # fmt: skip
    if uses := uses_of(*held):
        raise Rejected(
            "number.in_use",
            "number %(e164)s is used by %(uses)s",
            "Retire it instead: `leaseline number retire`",
            e164=number.e164,
            uses=uses,
        )
    scopes.forget(session, number)
    session.execute(sa.delete(Consent).where(Consent.number_id == number.id))
    session.execute(sa.delete(NumberUse).where(NumberUse.number_id == number.id))
    session.delete(number)
    by.note(session, "number.delete", number.company_id, subject=number.e164)


def place_name(place: Place) -> str | None:
    """ "channel 'Billboard'", "pool 'Website'" or None, for people to read."""
    return None if place is None else str(_place_said(place))


def _place_said(place: Channel | Pool) -> Said:
    if isinstance(place, Channel):
        return say("channel %(name)r", name=place.name)
    return say("pool %(name)r", name=place.name)


def _refuse_known(session: Session, company: Company, e164: str) -> None:
    known = session.execute(
        sa.select(Number.state, Company.slug).join(Number.company).where(Number.e164 == e164)
    ).one_or_none()
    if known is None:
        return
    if known.state is not NumberState.ACTIVE and known.slug == company.slug:
        fix = say("It is %(state)s: take it back with `leaseline number restore %(e164)s`")
    else:
        fix = say("Each number is added once; see `leaseline number show`, or move it")
    raise Rejected(
        "number.duplicate",
        "%(e164)s is already a number of company %(company)s",
        fix,
        e164=e164,
        company=known.slug,
        state=STATES[known.state],
    )


def _refuse_resting(number: Number) -> None:
    if number.state is not NumberState.ACTIVE:
        raise Rejected(
            "number.quarantined",
            "%(e164)s is %(state)s and given to nobody new",
            "Take it back first: `leaseline number restore %(e164)s`",
            e164=number.e164,
            state=STATES[number.state],
        )


def _open_use(session: Session, number: Number) -> NumberUse | None:
    wanted = sa.select(NumberUse).where(NumberUse.number_id == number.id, NumberUse.until_at.is_(None))
    return session.scalars(wanted).one_or_none()


def _end_use(session: Session, number: Number, at: datetime) -> None:
    _end_lease(session, number, at)
    session.execute(
        sa.update(NumberUse)
        .where(NumberUse.number_id == number.id, NumberUse.until_at.is_(None))
        .values(until_at=at)
    )


def _end_lease(session: Session, number: Number, at: datetime) -> None:
    """Nobody new gets the number from here on; whoever was shown it last is still found by the history."""
    releases.end_on(session, number.id, at)
    session.expire(number, ["free_at"])


def _refuse_shown_to_all(session: Session, number: Number) -> None:
    """A number that stands before everybody's eyes cannot be one visitor's own."""
    swapped = _count(session, Swap, Swap.e164 == number.e164)
    overflow = _count(session, Pool, Pool.overflow_number_id == number.id)
    if swapped or overflow:
        raise Rejected(
            "number.shown_to_all",
            "%(e164)s stands on the pages of a site: it cannot be leased to one visitor at a time"
            if swapped
            else "%(e164)s is the overflow number of a pool: it cannot be leased to one visitor at a time",
            "Tie it to a channel, or put another number into the pool",
            e164=number.e164,
        )


def _begin_use(session: Session, number: Number, place: Place, at: datetime) -> None:
    if place is None:
        return
    use = NumberUse(number_id=number.id, from_at=at)
    if isinstance(place, Channel):
        use.channel_id = place.id
    else:
        _refuse_shown_to_all(session, number)
        use.pool_id = place.id
    session.add(use)
    session.flush()


def _count(session: Session, model: type, where: sa.ColumnElement[bool]) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(model).where(where)) or 0
