"""Who is responsible for which caller: told by CRMs and people, asked by plans when a number rings.

One row a caller; what is told last counts. Who is named is a target of the company's, so that he can ring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from tracker import once
from tracker.audit import By
from tracker.errors import Rejected, say
from tracker.models import Company, Responsible, Target
from tracker.policy.phone import read_number
from tracker.policy.tables import BadCell, BadRows, Sheet, read_sheet
from tracker.portions import portions

MOST = 10_000  # that a listing shows
TITLES = {
    **dict.fromkeys(
        ("phone", "phone number", "caller", "телефон", "номер телефона", "номер телефону", "telefon"), "phone"
    ),
    **dict.fromkeys(
        ("responsible", "owner", "target", "employee", "ответственный", "сотрудник", "відповідальний",
         "співробітник", "odpowiedzialny", "pracownik"), "responsible",
    ),
}  # fmt: skip
NOBODY = frozenset(("", "0", "-"))  # the caller has nobody any more


@dataclass(frozen=True)
class Changed:
    """What was told of whom is new; phones by what became of them."""

    set: Sequence[str] = ()
    gone: Sequence[str] = ()
    same: Sequence[str] = ()


class Persons:
    """The company's targets by what others call them: a name, an extension, a telephone number."""

    def __init__(self, session: Session, company: Company, words: Mapping[str, int] | None = None) -> None:
        """`words`: what an inlet calls people, by the ids of targets."""
        self._region = company.default_region
        its = session.scalars(sa.select(Target).where(Target.company_id == company.id)).all()
        self._by_id = {each.id: each for each in its}
        self._words = {word.casefold(): number for word, number in (words or {}).items()}
        self._names: dict[str, list[Target]] = {}
        for each in its:
            for word in filter(None, {each.name, each.dial, each.username, each.e164}):
                self._names.setdefault(word.casefold(), []).append(each)

    def find(self, word: str) -> Target | None:
        """Whom a word means; None where it means nobody, or several."""
        if (number := self._words.get(word.strip().casefold())) is not None:
            return self._by_id.get(number)
        for each in (word.strip(), _number(word, self._region)):
            found = self._names.get(each.casefold(), []) if each else []
            named = [it for it in found if it.name.casefold() == each.casefold()] or found
            if len(named) == 1:
                return named[0]
        return None


def tell(
    session: Session,
    by: By,
    company: Company,
    told: Mapping[str, Target | None],
    *,
    source: str | None = None,
) -> Changed:
    """Callers by their numbers (E.164), and who is responsible for each; None: nobody any more.

    One audit entry, with the file's name where `source` is one.
    """
    before = _before(session, company, list(told))
    wanted = {phone: target.id if target else None for phone, target in told.items()}
    found = Changed(
        [it for it, to in wanted.items() if to is not None and before.get(it) != to],
        [it for it, to in wanted.items() if to is None and it in before],
        [it for it, to in wanted.items() if before.get(it) == to],
    )
    for part in portions(found.set):
        _put(session, by, company, {phone: wanted[phone] for phone in part})
    for part in portions(found.gone):
        session.execute(
            sa.delete(Responsible).where(Responsible.company_id == company.id, Responsible.phone.in_(part))
        )
    if changed := [*found.set, *found.gone]:
        one = told[changed[0]]
        detail: dict[str, Any] = {"responsible": one.name if one else None}
        if len(changed) > 1:
            detail = {"set": len(found.set), "removed": len(found.gone)}
        subject = changed[0] if len(changed) == 1 else source
        by.note(session, "responsible.set", company.id, subject=subject, detail=detail)
    session.flush()
    return found


def _before(session: Session, company: Company, phones: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in portions(phones):
        wanted = sa.select(Responsible.phone, Responsible.target_id).where(
            Responsible.company_id == company.id, Responsible.phone.in_(part)
        )
        found |= {row.phone: row.target_id for row in session.execute(wanted)}
    return found


def _put(session: Session, by: By, company: Company, wanted: Mapping[str, int | None]) -> None:
    same = {"company_id": company.id, "actor": by.actor[:200], "at": by.at}
    rows = [{"phone": phone, "target_id": target} | same for phone, target in wanted.items()]
    put = once.insert(session, Responsible).values(rows)
    session.execute(
        put.on_conflict_do_update(
            index_elements=["company_id", "phone"],
            set_={name: put.excluded[name] for name in ("target_id", "actor", "at")},
        )
    )


def target_of(session: Session, company: Company, phone: str) -> int | None:
    """The id of the target that is responsible for that caller."""
    return _before(session, company, [phone]).get(phone)


def count(session: Session, company: Company) -> int:
    """For how many callers somebody is responsible."""
    wanted = sa.select(sa.func.count()).select_from(Responsible).where(Responsible.company_id == company.id)
    return session.scalar(wanted) or 0


def list_responsibles(
    session: Session, company: Company, limit: int = MOST, sought: str = ""
) -> Sequence[Responsible]:
    """Whom people are responsible for, by the caller's number; `sought`: digits that are in it."""
    return session.scalars(_sought(company, sought).order_by(Responsible.phone).limit(limit)).all()


def page(
    session: Session, company: Company, limit: int, sought: str = "", after: int = 0
) -> Sequence[Responsible]:
    """So many of them behind that row, in the order in which they were first told."""
    wanted = _sought(company, sought).where(Responsible.id > after)
    return session.scalars(wanted.order_by(Responsible.id).limit(limit)).all()


def _sought(company: Company, sought: str) -> sa.Select[Responsible]:
    wanted = sa.select(Responsible).where(Responsible.company_id == company.id)
    if digits := "".join(each for each in sought if each.isdecimal() and each.isascii()):
        wanted = wanted.where(Responsible.phone.contains(digits))
    return wanted.options(joinedload(Responsible.target))


def describe(it: Responsible) -> dict[str, Any]:
    """One of them as JSON."""
    return {"phone": it.phone, "responsible": it.target.name, "told_by": it.actor, "at": it.at}


def remove(session: Session, by: By, company: Company, phone: str) -> None:
    """Nobody is responsible for that caller any more. Raises Rejected responsible.unknown, number.*."""
    number = read_number(phone, company.default_region)
    if not tell(session, by, company, {number: None}).gone:
        raise Rejected(
            "responsible.unknown",
            "Nobody is responsible for %(phone)s",
            "See `leaseline responsible list`",
            phone=number,
        )


def read_list(content: bytes) -> list[tuple[int, str, str]]:
    """Lines of a CSV file, each with its phone and its word for a person. Raises Rejected file.*."""
    sheet = read_sheet(content, TITLES)
    for name in ("phone", "responsible"):
        if name not in sheet.names:
            raise Rejected(
                "file.column",
                "No column is the %(name)s; there are %(titles)s",
                "Name it so in the file's first row",
                name=name,
                titles=list(filter(None, sheet.titles)),
            )
    return [
        (line, _cell(sheet, cells, "phone"), _cell(sheet, cells, "responsible")) for line, cells in sheet.rows
    ]


def plan_list(
    session: Session, company: Company, lines: Sequence[tuple[int, str, str]]
) -> dict[str, Target | None]:
    """What such lines say, by the caller's number. Raises BadRows with all that is wrong."""
    persons, told = Persons(session, company), dict[str, Target | None]()
    problems: list[BadCell] = []
    for line, phone, word in lines:
        number, target = _number(phone, company.default_region), persons.find(word)
        if not number:
            problems.append(BadCell(line, "phone", say("'%(text)s' is no telephone number", text=phone[:40])))
        elif target is None and word.strip() not in NOBODY:
            said = say("'%(text)s' is no target of the company", text=word[:40])
            problems.append(BadCell(line, "responsible", said))
        else:
            told[number] = target
    if problems:
        raise BadRows(problems)
    return told


def forget_target(session: Session, target: Target) -> None:
    """Its callers have nobody any more: it is deleted."""
    session.execute(sa.delete(Responsible).where(Responsible.target_id == target.id))


def _cell(sheet: Sheet, cells: Sequence[str], name: str) -> str:
    at = sheet.names.index(name)
    return cells[at].strip() if len(cells) > at else ""


def _number(text: str, region: str) -> str:
    """The number as E.164; lists from spreadsheets lack its +. "" where it is none."""
    for each in (text, f"+{text}"):
        try:
            return read_number(each, region)
        except Rejected:
            continue
    return ""
