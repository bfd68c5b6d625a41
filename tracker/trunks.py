"""Trunks: the SIP carriers of this installation."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.audit import By
from tracker.errors import Rejected, Said, say
from tracker.models import (
    Call,
    CallbackSettings,
    CallerIdPolicy,
    DialAs,
    DtmfMode,
    OutgoingRule,
    Refusal,
    Srtp,
    Target,
    Transport,
    Trunk,
    TrunkKind,
)
from tracker.policy.entries import (
    read_host,
    read_name,
    read_networks,
    read_password,
    read_port,
    read_username,
    read_word,
)
from tracker.policy.sip_entries import (
    read_codecs,
    read_country,
    read_did_in,
    read_file,
    read_proxy,
    read_qualify_seconds,
)
from tracker.policy.uses import uses_of


@dataclass(frozen=True)
class TrunkWish:
    """What an admin may say about a trunk; None leaves a value as it is (or at its default).

    An empty `country`, `tls_ca` or `outbound_proxy` takes the value away; so does `qualify_seconds` below 0.
    """

    host: str | None = None
    port: int | None = None
    transport: str | None = None
    username: str | None = None
    password: str | None = None
    match: Sequence[str] | None = None
    caller_id: str | None = None
    trust_asserted: bool | None = None
    country: str | None = None
    did_in: str | None = None
    dial_as: str | None = None
    srtp: str | None = None
    tls_verify: bool | None = None
    tls_ca: str | None = None
    outbound_proxy: str | None = None
    codecs: Sequence[str] | None = None
    dtmf: str | None = None
    qualify_seconds: int | None = None
    symmetric: bool | None = None


def add(session: Session, by: By, name: str, kind: str, wish: TrunkWish) -> Trunk:
    """A new carrier: `ip` (known by its address) or `registration` (we log in there).

    Raises Rejected: trunk.* saying what would be accepted.
    """
    if wish.host is None:
        raise Rejected(
            "trunk.host", "Trunk %(name)r has no host", "Give the carrier's host name or address", name=name
        )
    trunk = Trunk(
        name=read_name(name, "trunk"),
        kind=read_word(TrunkKind, kind, "trunk.kind"),
        created_at=by.at,
        match=[],
    )
    trunk.port = 5061 if wish.transport == Transport.TLS else 5060
    if find(session, trunk.name):
        raise Rejected(
            "trunk.duplicate", "There is a trunk %(name)r already", "Choose another name", name=trunk.name
        )
    detail = _apply(trunk, wish)
    _check_whole(session, trunk)
    session.add(trunk)
    session.flush()
    by.note(session, "trunk.add", subject=trunk.name, detail={"kind": kind, **detail})
    return trunk


def change(session: Session, by: By, trunk: Trunk, wish: TrunkWish) -> Trunk:
    """Change what is given. Raises Rejected as `add` does."""
    detail = _apply(trunk, wish)
    with session.no_autoflush:
        _check_whole(session, trunk)
    by.note(session, "trunk.change", subject=trunk.name, detail=detail)
    return trunk


def get(session: Session, name: str) -> Trunk:
    """The trunk by its name. Raises Rejected trunk.unknown, naming those there are."""
    if trunk := find(session, name):
        return trunk
    names = [each.name for each in everyone(session)]
    raise Rejected(
        "trunk.unknown",
        "There is no trunk %(name)r",
        "There are: %(names)s" if names else "Add it: `leaseline trunk add`",
        name=name,
        names=names,
    )


def find(session: Session, name: str) -> Trunk | None:
    return session.scalars(sa.select(Trunk).where(Trunk.name == name)).one_or_none()


def everyone(session: Session) -> Sequence[Trunk]:
    """All trunks by name."""
    return session.scalars(sa.select(Trunk).order_by(Trunk.name)).all()


def delete(session: Session, by: By, trunk: Trunk) -> None:
    """Delete a trunk nothing hangs on. Raises Rejected trunk.in_use with what does."""
    uses = _needed_by(session, trunk)
    for model, word in ((Call, "call"), (Refusal, "refused call")):
        uses += uses_of((_count(session, model, trunk), word))
    if uses:
        raise Rejected(
            "trunk.in_use",
            "trunk %(name)r is used by %(uses)s",
            "Give them another trunk first; one that carried calls: `leaseline trunk retire`",
            name=trunk.name,
            uses=uses,
        )
    session.delete(trunk)
    by.note(session, "trunk.delete", subject=trunk.name)


def _needed_by(session: Session, trunk: Trunk) -> list[Said]:
    """What dials over it."""
    targets = session.scalars(sa.select(Target.name).where(Target.trunk_id == trunk.id)).all()
    named = [say("target %(name)r", name=name) for name in targets]
    return named + uses_of(
        (_count(session, OutgoingRule, trunk), "outgoing rule"),
        (_count(session, CallbackSettings, trunk), "site that calls back"),
    )


_Carried = Call | Refusal | OutgoingRule | CallbackSettings


def _count(session: Session, model: type[_Carried], trunk: Trunk) -> int:
    found = sa.select(sa.func.count()).select_from(model).where(model.trunk_id == trunk.id)
    return session.scalar(found) or 0


def retire(session: Session, by: By, trunk: Trunk) -> None:
    """Switch a trunk off: Asterisk forgets it with the next apply, the books keep it.

    Raises Rejected trunk.in_use while targets are dialled over it, trunk.retired when it is off already.
    """
    if trunk.retired_at is not None:
        raise Rejected(
            "trunk.retired",
            "Trunk %(name)r is switched off already",
            "Switch it on again with `leaseline trunk restore`",
            name=trunk.name,
        )
    if uses := _needed_by(session, trunk):
        raise Rejected(
            "trunk.in_use",
            "trunk %(name)r is used by %(uses)s",
            "Move those targets to another trunk first",
            name=trunk.name,
            uses=uses,
        )
    trunk.retired_at = by.at
    by.note(session, "trunk.retire", subject=trunk.name)


def restore(session: Session, by: By, trunk: Trunk) -> None:
    """Switch a retired trunk on again. Raises Rejected trunk.match when its addresses are taken meanwhile."""
    trunk.retired_at = None
    with session.no_autoflush:
        _check_whole(session, trunk)
    by.note(session, "trunk.restore", subject=trunk.name)


def _apply(trunk: Trunk, wish: TrunkWish) -> dict[str, object]:
    """Puts the checked wish into the trunk and returns what the audit log may know of it."""
    detail: dict[str, object] = {}
    for name, read in _READERS.items():
        if (given := getattr(wish, name)) is not None:
            setattr(trunk, name, read(given))
            detail[name] = "changed" if name == "password" else getattr(trunk, name)
    return detail


_READERS: dict[str, Callable[[Any], object]] = {
    "host": lambda text: read_host(text, "trunk"),
    "port": lambda port: read_port(port, "trunk"),
    "transport": lambda text: read_word(Transport, text, "trunk.transport"),
    "username": lambda text: read_username(text, "trunk"),
    "password": lambda text: read_password(text, "trunk"),
    "match": lambda texts: read_networks(texts, "trunk"),
    "caller_id": lambda text: read_word(CallerIdPolicy, text, "trunk.caller_id"),
    "trust_asserted": bool,
    "country": lambda text: read_country(text, "trunk") if text else None,
    "did_in": read_did_in,
    "dial_as": lambda text: read_word(DialAs, text, "trunk.dial_as"),
    "srtp": lambda text: read_word(Srtp, text, "trunk.srtp"),
    "tls_verify": bool,
    "tls_ca": lambda text: read_file(text, "trunk") if text else None,
    "outbound_proxy": lambda text: read_proxy(text, "trunk") if text else None,
    "codecs": lambda texts: read_codecs(texts, "trunk"),
    "dtmf": lambda text: read_word(DtmfMode, text, "trunk.dtmf"),
    "qualify_seconds": lambda seconds: read_qualify_seconds(seconds, "trunk") if seconds >= 0 else None,
    "symmetric": bool,
}


def _check_whole(session: Session, trunk: Trunk) -> None:
    if trunk.kind is TrunkKind.REGISTRATION and not (trunk.username and trunk.password):
        raise Rejected(
            "trunk.login",
            "Trunk %(name)r registers at the carrier and lacks its log-in",
            "Give --username and --password (or --password-file) as the carrier told you",
            name=trunk.name,
        )
    if trunk.srtp is Srtp.REQUIRED and trunk.transport is not Transport.TLS:
        raise Rejected(
            "trunk.srtp",
            "Trunk %(name)r would send the keys of its encrypted sound in the clear",
            "Use --transport tls with --srtp required",
            name=trunk.name,
        )
    if trunk.dial_as is DialAs.NATIONAL and not trunk.country:
        raise Rejected(
            "trunk.country",
            "Trunk %(name)r is dialled in national form, of no country",
            "Give --country",
            name=trunk.name,
        )
    if trunk.kind is TrunkKind.IP:
        _check_sources(session, trunk)


def _check_sources(session: Session, trunk: Trunk) -> None:
    """Two trunks known by the same address could not be told apart."""
    for other in everyone(session):
        if other is trunk or other.id == trunk.id or other.kind is not TrunkKind.IP or other.retired_at:
            continue
        if shared := _shared(_sources(trunk), _sources(other)):
            raise Rejected(
                "trunk.match",
                "Calls from %(shared)s already belong to trunk %(other)r",
                "Give addresses that only this carrier sends from, or use that trunk",
                shared=shared,
                other=other.name,
            )


def _sources(trunk: Trunk) -> list[str]:
    return trunk.match or [trunk.host]


def _shared(ours: list[str], theirs: list[str]) -> str | None:
    for one in ours:
        for other in theirs:
            if one == other or _overlap(one, other):
                return one
    return None


def _overlap(one: str, other: str) -> bool:
    try:
        ours, theirs = ipaddress.ip_network(one), ipaddress.ip_network(other)
    except ValueError:  # a host name: only told apart by its text
        return False
    return ours.version == theirs.version and ours.overlaps(theirs)


def describe(trunk: Trunk) -> dict[str, Any]:
    """A trunk as JSON; its password is never shown."""
    return {
        "id": trunk.id,
        "name": trunk.name,
        "kind": trunk.kind.value,
        "host": trunk.host,
        "port": trunk.port,
        "transport": trunk.transport.value,
        "username": trunk.username,
        "match": trunk.match,
        "caller_id": trunk.caller_id.value,
        "trust_asserted": trunk.trust_asserted,
        "country": trunk.country,
        "did_in": trunk.did_in,
        "dial_as": trunk.dial_as.value,
        "srtp": trunk.srtp.value,
        "tls_verify": trunk.tls_verify,
        "tls_ca": trunk.tls_ca,
        "outbound_proxy": trunk.outbound_proxy,
        "codecs": trunk.codecs,
        "dtmf": trunk.dtmf.value,
        "qualify_seconds": trunk.qualify_seconds,
        "symmetric": trunk.symmetric,
        "state": "retired" if trunk.retired_at else "active",
        "retired_at": trunk.retired_at,
        "endpoint": f"trunk-{trunk.id}",
        "created_at": trunk.created_at,
    }
