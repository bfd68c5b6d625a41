"""Where alerts are told: addresses of companies and of the installation, and tests of them."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from tracker.audit import By
from tracker.errors import Rejected, say
from tracker.models import AlertAddress, AlertMessage, Company, News, Way
from tracker.outbox import new_message
from tracker.policy.telling import EMAIL, SECRET, is_secret, masked, url_problem
from tracker.sealed import Shut

MOST = 20  # of a company


@dataclass(frozen=True)
class Listed:
    """An address, and the message it was sent last."""

    address: AlertAddress
    last: AlertMessage | None

    @property
    def shown(self) -> str:
        """The address without what may be a secret in it."""
        return shown(self.address)


def shown(address: AlertAddress) -> str:
    """An address without what may be a secret in it."""
    if isinstance(address.address, Shut):
        return "…"
    return masked(address.address) if address.way is Way.WEBHOOK else address.address


def add(
    session: Session, by: By, company: Company | None, text: str, secret: str | None = None
) -> AlertAddress:
    """An e-mail address or a webhook's, with a secret; without a company, of the installation.

    Raises Rejected address.malformed, address.secret, address.duplicate, address.many.
    """
    text = text.strip()
    way = Way.WEBHOOK if "://" in text else Way.EMAIL
    _check(text, way)
    if secret is not None and not is_secret(secret):
        raise Rejected(
            "address.secret", "That is no secret of a webhook", "Give whsec_ and 24 to 64 bytes in base64"
        )
    known = [it.address for it in list_addresses(session, [company.id] if company else [None])]
    if text in (it.address for it in known):
        raise Rejected("address.duplicate", "That address is told already", "Give another one")
    if len(known) >= MOST:
        raise Rejected("address.many", "There are %(most)s addresses already", "Delete one first", most=MOST)
    made = AlertAddress(
        company_id=company.id if company else None, way=way, address=text, created_at=by.at,
        secret=(secret or _new_secret()) if way is Way.WEBHOOK else None,
    )  # fmt: skip
    session.add(made)
    session.flush()
    by.note(session, "alert.address.add", made.company_id, subject=shown(made))
    return made


def list_addresses(session: Session, company_ids: Collection[int | None]) -> list[Listed]:
    """The addresses of these companies (None: of the installation), the oldest first. Two statements."""
    theirs = AlertAddress.company_id.in_([each for each in company_ids if each is not None])
    wanted = sa.or_(theirs, AlertAddress.company_id.is_(None)) if None in company_ids else theirs
    found = session.scalars(
        sa.select(AlertAddress)
        .where(wanted)
        .options(joinedload(AlertAddress.company))
        .order_by(AlertAddress.id)
    ).all()
    return [Listed(it, last) for it, last in _with_last(session, found)]


def get_address(session: Session, company_ids: Collection[int | None], address_id: int) -> AlertAddress:
    """One of them. Raises Rejected address.unknown."""
    found = session.get(AlertAddress, address_id, options=[joinedload(AlertAddress.company)])
    if found is None or found.company_id not in company_ids:
        raise Rejected(
            "address.unknown", "There is no such address", "See them with `leaseline alerts address list`"
        )
    return found


def delete(session: Session, by: By, address: AlertAddress) -> None:
    """It is told nothing more; what waits for it is dropped."""
    session.execute(sa.delete(AlertMessage).where(AlertMessage.address_id == address.id))
    session.delete(address)
    by.note(session, "alert.address.delete", address.company_id, subject=shown(address))


def test(session: Session, by: By, address: AlertAddress) -> AlertMessage:
    """A test message, which the worker sends within a second or two; a disabled address is tried again."""
    address.disabled_at = address.disabled_because = None
    message = new_message(address.id, News.TEST, by.at)
    session.add(message)
    by.note(session, "alert.address.test", address.company_id, subject=shown(address))
    return message


def _with_last(
    session: Session, found: Sequence[AlertAddress]
) -> list[tuple[AlertAddress, AlertMessage | None]]:
    newest = (
        sa.select(sa.func.max(AlertMessage.id))
        .where(AlertMessage.address_id.in_([it.id for it in found]))
        .group_by(AlertMessage.address_id)
    )
    messages = session.scalars(sa.select(AlertMessage).where(AlertMessage.id.in_(newest)))
    last = {it.address_id: it for it in messages}
    return [(it, last.get(it.id)) for it in found]


def _check(text: str, way: Way) -> None:
    if way is Way.EMAIL and not EMAIL.fullmatch(text):
        raise Rejected(
            "address.malformed",
            "That is no e-mail address and no address of the web",
            "Give name@company.example or https://…",
        )
    if len(text) > 500 or (way is Way.WEBHOOK and url_problem(text)):
        problem = url_problem(text) or say("It is longer than 500 letters")
        raise Rejected("address.malformed", problem, "Give https://host/path")


def _new_secret() -> str:
    return SECRET + base64.b64encode(secrets.token_bytes(32)).decode()
