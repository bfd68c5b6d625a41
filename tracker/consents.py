"""What is said and asked before a call is recorded: of a company, or of one of its numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Company, Consent, ConsentMode, Number, Prompt
from tracker.policy.entries import read_word


def set_consent(
    session: Session, by: By, company: Company, prompt: Prompt, mode: str, *, key: str | None = None,
    number: Number | None = None,
) -> Consent:  # fmt: skip
    """Say `prompt` before the company's calls, or one number's, are recorded.

    Mode refusable: `key` refuses; required: `key` agrees. Raises Rejected consent.mode, consent.key.
    """
    wanted = read_word(ConsentMode, mode, "consent.mode")
    pressed = None if wanted is ConsentMode.TELL else _read_key(key)
    consent = find(session, company, number)
    if consent is None:
        consent = Consent(company_id=company.id, number_id=number.id if number else None)
        session.add(consent)
    consent.mode, consent.key, consent.prompt = wanted, pressed, prompt
    session.flush()
    detail = {"mode": wanted.value, "prompt": prompt.name, "key": pressed}
    by.note(session, "consent.set", company.id, subject=_subject(company, number), detail=detail)
    return consent


def clear(session: Session, by: By, company: Company, number: Number | None = None) -> None:
    """Say nothing any more. Raises Rejected consent.none."""
    consent = find(session, company, number)
    if consent is None:
        raise Rejected("consent.none", "Nothing is said there", "See `leaseline consent show`")
    session.delete(consent)
    by.note(session, "consent.clear", company.id, subject=_subject(company, number))


def find(session: Session, company: Company, number: Number | None = None) -> Consent | None:
    """What is set of the company as a whole, or of exactly that number."""
    at = Consent.number_id.is_(None) if number is None else Consent.number_id == number.id
    return session.scalars(sa.select(Consent).where(Consent.company_id == company.id, at)).one_or_none()


def of_company(session: Session, company: Company) -> Sequence[Consent]:
    """All that is set, the company's own first."""
    wanted = sa.select(Consent).where(Consent.company_id == company.id)
    together = joinedload(Consent.prompt), joinedload(Consent.number)
    return session.scalars(wanted.options(*together).order_by(Consent.number_id.nulls_first())).all()


def for_dialplan(session: Session) -> dict[int, str]:
    """`refusable:SOUND:9` by the number's id, and by minus the company's id where it counts for the rest."""
    rows = session.scalars(sa.select(Consent).options(joinedload(Consent.prompt)))
    return {
        row.number_id or -row.company_id: f"{row.mode.value}:{row.prompt.digest}:{row.key or ''}"
        for row in rows
    }


def describe(consent: Consent) -> dict[str, Any]:
    """As JSON."""
    return {
        "number": consent.number.e164 if consent.number else None,
        "mode": consent.mode.value,
        "prompt": consent.prompt.name,
        "key": consent.key,
    }


def _subject(company: Company, number: Number | None) -> str:
    return number.e164 if number else company.slug


def _read_key(text: str | None) -> str:
    if not re.fullmatch(r"[0-9*]", text or ""):
        raise Rejected("consent.key", "A key is needed", "Give one of 0 to 9 or *, as the prompt says it")
    return str(text)
