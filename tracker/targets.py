"""Targets: the places that can ring for a company."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import (
    Call,
    CallbackRequest,
    CallbackSettings,
    CallerIdPolicy,
    Company,
    Forwarding,
    Inlet,
    ProvisionLink,
    Responsible,
    Site,
    Srtp,
    Target,
    TargetKind,
    Transport,
    Trunk,
)
from tracker.plan_list import using
from tracker.policy.entries import (
    read_extension,
    read_host,
    read_inside,
    read_name,
    read_password,
    read_phone_username,
    read_port,
    read_username,
    read_word,
)
from tracker.policy.outside_numbers import read_outside_number
from tracker.policy.sip_entries import read_file
from tracker.policy.uses import uses_of


@dataclass(frozen=True)
class Peer:
    """An existing PBX or SIP device. `dial` is what to call there; None: the number the caller dialled.

    `login` and its password are for a PBX that asks who we are.
    """

    host: str
    port: int | None = None
    transport: str = "udp"
    dial: str | None = None
    caller_id: str = "caller"
    login: str | None = None
    login_password: str | None = None
    srtp: str = "off"
    tls_verify: bool = True
    tls_ca: str | None = None
    tells_source: bool = False


@dataclass(frozen=True)
class Phone:
    """A phone that registers with us; without a user name it gets COMPANY-NAME."""

    username: str | None = None
    srtp: str = "optional"


@dataclass(frozen=True)
class Outside:
    """A number dialled over a trunk; abroad only when its country is named."""

    number: str
    trunk: Trunk
    country: str | None = None
    caller_id: str = "own"


@dataclass(frozen=True)
class Extension:
    """An extension of the phone system whose Asterisk includes ours: a phone of its own (`101`), or what a
    context of its dialplan makes of it (`600@from-internal`: a queue, a group, an outside line)."""

    dial: str


Place = Peer | Phone | Outside | Extension


def add(session: Session, by: By, company: Company, name: str, place: Place) -> Target:
    """A new place that can ring. A phone's password is made here: read it from the row, show it once.

    Raises Rejected: target.* or number.malformed, saying what would be accepted.
    """
    target = Target(company_id=company.id, name=read_name(name, "target"), created_at=by.at)
    if find(session, company, target.name):
        raise Rejected(
            "target.duplicate",
            "There is a target %(name)r already",
            "Choose another name",
            name=target.name,
        )
    match place:
        case Peer():
            detail = _be_peer(target, place)
        case Phone():
            detail = _be_phone(session, target, place, company)
        case Outside():
            detail = _be_outside(target, place, company)
        case Extension():
            target.kind, target.dial = TargetKind.EXTENSION, read_inside(place.dial)
            detail = {"kind": "extension", "dial": target.dial}
    session.add(target)
    session.flush()
    by.note(session, "target.add", company.id, subject=target.name, detail=detail)
    return target


def new_password(session: Session, by: By, target: Target) -> str:
    """Replace a phone's password; the old one stops working with the next apply."""
    if target.kind is not TargetKind.PHONE:
        raise Rejected(
            "target.password",
            "Target %(name)r has no password",
            "Only phones (`leaseline target add NAME --phone`) register with us",
            name=target.name,
        )
    target.password = make_password()
    by.note(session, "target.password", target.company_id, subject=target.name)
    return target.password


@dataclass(frozen=True)
class Wish:
    """What may be changed of a target; None leaves it as it is."""

    caller_id: str | None = None
    srtp: str | None = None
    tls_verify: bool | None = None
    tells_source: bool | None = None
    whispers: bool | None = None


# What there is to change of each kind.
CHANGEABLE: Mapping[TargetKind, frozenset[str]] = {
    TargetKind.PEER: frozenset({"caller_id", "srtp", "tls_verify", "tells_source", "whispers"}),
    TargetKind.PHONE: frozenset({"srtp", "whispers"}),
    TargetKind.OUTSIDE: frozenset({"whispers"}),
    TargetKind.EXTENSION: frozenset({"whispers"}),
}


def change(session: Session, by: By, target: Target, wish: Wish) -> None:
    """Change how a target is shown, encrypted and told; calls that are up go on as they are.

    Raises Rejected target.fixed for what its kind has not, target.caller_id, target.srtp.
    """
    read: dict[str, object] = {name: value for name, value in vars(wish).items() if value is not None}
    if fixed := sorted(read.keys() - CHANGEABLE[target.kind]):
        raise Rejected(
            "target.fixed",
            "%(name)r has no %(fixed)s to change",
            "Change what a target of its kind has: %(known)s",
            name=target.name, fixed=fixed, known=sorted(CHANGEABLE[target.kind]),
        )  # fmt: skip
    if wish.caller_id is not None:
        read["caller_id"] = read_word(CallerIdPolicy, wish.caller_id, "target.caller_id")
    if wish.srtp is not None:
        read["srtp"] = read_word(Srtp, wish.srtp, "target.srtp")
    changed = {name: value for name, value in read.items() if getattr(target, name) != value}
    for name, value in changed.items():
        setattr(target, name, value)
    _refuse_keys_in_the_clear(target)
    if changed:
        by.note(session, "target.change", target.company_id, subject=target.name, detail=changed)


def let_whisper(session: Session, by: By, target: Target, whispers: bool) -> None:
    """Say whether whoever answers there hears the company's whisper."""
    change(session, by, target, Wish(whispers=whispers))


def get(session: Session, company: Company, name: str) -> Target:
    """The company's target by its name. Raises Rejected target.unknown, naming those there are."""
    if target := find(session, company, name):
        return target
    names = [each.name for each in of_company(session, company)]
    raise Rejected(
        "target.unknown",
        "There is no target %(name)r",
        "There are: %(names)s" if names else "Add it: `leaseline target add`",
        name=name,
        names=names,
    )


def find(session: Session, company: Company, name: str) -> Target | None:
    wanted = sa.select(Target).where(Target.company_id == company.id, Target.name == name)
    return session.scalars(wanted).one_or_none()


def of_company(session: Session, company: Company) -> Sequence[Target]:
    """The company's targets by name."""
    wanted = sa.select(Target).where(Target.company_id == company.id).order_by(Target.name)
    return session.scalars(wanted).all()


def delete(session: Session, by: By, target: Target) -> None:
    """Delete a target nothing rings. Raises Rejected target.in_use with what does."""
    rings = session.scalar(
        sa.select(sa.func.count()).select_from(Forwarding).where(Forwarding.target_id == target.id)
    )
    calls = session.scalar(sa.select(sa.func.count()).select_from(Call).where(Call.target_id == target.id))
    back = session.scalar(
        sa.select(sa.func.count()).select_from(CallbackRequest).where(CallbackRequest.target_id == target.id)
    )
    plans, sites = len(using(session, target)), _sites_ringing(session, target)
    held = (
        (rings or 0, "forwarding"), (plans, "plan"), (sites, "site that calls back"),
        (calls or 0, "answered call"), (back or 0, "callback"),
    )  # fmt: skip
    if uses := uses_of(*held):
        raise Rejected(
            "target.in_use",
            "target %(name)r is used by %(uses)s",
            "Let others ring there first: `leaseline forward show`, `leaseline plan list`, "
            "`leaseline callback settings SITE`; a target that answered calls stays",
            name=target.name,
            uses=uses,
        )
    session.execute(sa.delete(ProvisionLink).where(ProvisionLink.target_id == target.id))
    session.execute(sa.delete(Responsible).where(Responsible.target_id == target.id))
    _forget_in_inlets(session, target)
    session.delete(target)
    by.note(session, "target.delete", target.company_id, subject=target.name)


def _forget_in_inlets(session: Session, target: Target) -> None:
    """No inlet's word means it any more: SQLite gives its id to a later target."""
    for inlet in session.scalars(sa.select(Inlet).where(Inlet.company_id == target.company_id)):
        inlet.persons = {word: number for word, number in inlet.persons.items() if number != target.id}


def _sites_ringing(session: Session, target: Target) -> int:
    """How many sites ring it for visitors who ask to be called."""
    theirs = sa.select(CallbackSettings).join(Site).where(Site.company_id == target.company_id)
    rows = session.scalars(theirs)
    return sum(any(each["target"] == target.id for each in row.rings) for row in rows)


def make_password() -> str:
    """20 letters and digits without look-alikes: 116 bits, easy to type into a desk phone."""
    alphabet = [each for each in string.ascii_letters + string.digits if each not in "Il1O0o"]
    return "".join(secrets.choice(alphabet) for _ in range(20))


def _be_peer(target: Target, place: Peer) -> dict[str, object]:
    target.kind = TargetKind.PEER
    target.host = read_host(place.host, "target")
    target.transport = read_word(Transport, place.transport, "target.transport")
    standard = 5061 if target.transport is Transport.TLS else 5060
    target.port = read_port(place.port or standard, "target")
    target.dial = read_extension(place.dial, "target") if place.dial else None
    target.caller_id = read_word(CallerIdPolicy, place.caller_id, "target.caller_id")
    target.tells_source = place.tells_source
    _be_safe(target, place)
    _log_in(target, place)
    told = {name: getattr(target, name) for name in ("host", "port", "dial", "login")}
    return {"kind": "peer", **told, "transport": target.transport, "srtp": target.srtp}


def _be_safe(target: Target, place: Peer) -> None:
    """How the way to a phone system is encrypted."""
    target.srtp = read_word(Srtp, place.srtp, "target.srtp")
    target.tls_verify = place.tls_verify
    target.tls_ca = read_file(place.tls_ca, "target") if place.tls_ca else None
    _refuse_keys_in_the_clear(target)


def _refuse_keys_in_the_clear(target: Target) -> None:
    if target.kind is not TargetKind.PEER:
        return
    if target.srtp is Srtp.REQUIRED and target.transport is not Transport.TLS:
        raise Rejected(
            "target.srtp",
            "The keys of the encrypted sound would be sent in the clear",
            "Use --transport tls with --srtp required",
        )


def _log_in(target: Target, place: Peer) -> None:
    if bool(place.login) is not bool(place.login_password):
        raise Rejected(
            "target.login",
            "A log-in is a user name and a password",
            "Give --login and --login-password-file, or neither",
        )
    if place.login and place.login_password:
        target.login = read_username(place.login, "target")
        target.login_password = read_password(place.login_password, "target")


def _be_phone(session: Session, target: Target, place: Phone, company: Company) -> dict[str, object]:
    target.kind = TargetKind.PHONE
    plain = "".join(each if each.isascii() and each.isalnum() else "-" for each in target.name.lower())
    wanted = place.username or f"{company.slug}-{plain.strip('-') or 'phone'}"[:39]
    target.username = read_phone_username(wanted)
    if session.scalar(sa.select(Target.id).where(Target.username == target.username)):
        raise Rejected(
            "target.username",
            "The user name %(username)s is taken",
            "Give another: --username NAME",
            username=target.username,
        )
    target.password = make_password()
    target.srtp = read_word(Srtp, place.srtp, "target.srtp")
    return {"kind": "phone", "username": target.username, "srtp": target.srtp}


def _be_outside(target: Target, place: Outside, company: Company) -> dict[str, object]:
    target.kind = TargetKind.OUTSIDE
    if place.trunk.retired_at is not None:
        raise Rejected(
            "target.trunk",
            "Trunk %(name)r is switched off",
            "Give another, or switch it on again: `leaseline trunk restore`",
            name=place.trunk.name,
        )
    target.e164 = read_outside_number(place.number, company.default_region, place.country)
    target.trunk_id = place.trunk.id
    target.caller_id = read_word(CallerIdPolicy, place.caller_id, "target.caller_id")
    return {
        "kind": "outside",
        "e164": target.e164,
        "trunk": place.trunk.name,
        "country": place.country,
    }


def describe(target: Target) -> dict[str, Any]:
    """A target as JSON; a phone's password is not part of it."""
    where = {
        "peer": f"{target.dial or 'the number dialled'} at {target.host}:{target.port}",
        "phone": f"registers as {target.username}",
        "extension": f"{target.dial} of the phone system that includes us",
        "outside": f"{target.e164} over {target.trunk.name if target.trunk else '?'}",
    }[target.kind.value]
    return {
        "id": target.id,
        "name": target.name,
        "kind": target.kind.value,
        "where": where,
        "host": target.host,
        "port": target.port,
        "transport": target.transport.value,
        "dial": target.dial,
        "username": target.username,
        "number": target.e164,
        "trunk": target.trunk.name if target.trunk else None,
        "caller_id": target.caller_id.value,
        "srtp": target.srtp.value,
        "login": target.login,
        "tls_verify": target.tls_verify,
        "tls_ca": target.tls_ca,
        "tells_source": target.tells_source,
        "whispers": target.whispers,
        "endpoint": f"target-{target.id}",
        "created_at": target.created_at,
    }
