"""Companies, and everything an admin configures for them: numbers, channels, pools, trunks, targets."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base, words
from tracker.sealed import Sealed


def _created_at(context: Any) -> datetime:
    """A number may be leased from its first day on."""
    created: datetime = context.get_current_parameters()["created_at"]
    return created


class NumberState(enum.StrEnum):
    ACTIVE = "active"
    QUARANTINED = "quarantined"  # still answered for its last use, given to nobody new
    RETIRED = "retired"


class TrunkKind(enum.StrEnum):
    IP = "ip"  # the carrier is known by its address
    REGISTRATION = "registration"  # we log in at the carrier


class Transport(enum.StrEnum):
    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


class CallerIdPolicy(enum.StrEnum):
    """What a carrier or PBX is shown as the caller when we ring a target over it."""

    CALLER = "caller"  # From: the caller's own number
    OWN = "own"  # From: the number dialled; P-Asserted-Identity: the caller
    RPID = "rpid"  # From: the number dialled; Remote-Party-ID: the caller
    DIVERSION = "diversion"  # From: the caller's own number; Diversion: the number dialled


class Srtp(enum.StrEnum):
    """Whether the sound is encrypted, with keys in the session description (RFC 4568)."""

    OFF = "off"
    OPTIONAL = "optional"  # offered, and done without where the other side cannot
    REQUIRED = "required"


class DtmfMode(enum.StrEnum):
    """How keys pressed during a call are told."""

    RFC4733 = "rfc4733"  # events beside the sound
    INFO = "info"  # SIP messages
    INBAND = "inband"  # heard in the sound
    AUTO = "auto"  # events where the other side knows them, else in the sound


class DialAs(enum.StrEnum):
    """How a carrier wants the numbers that are dialled over it."""

    PLUS = "plus"  # +74951234567
    DIGITS = "digits"  # 74951234567
    NATIONAL = "national"  # 84951234567 at home, 81074951234567 abroad


class TargetKind(enum.StrEnum):
    PEER = "peer"  # an existing PBX or SIP device with a fixed address
    PHONE = "phone"  # a phone that registers with us
    OUTSIDE = "outside"  # a number dialled out over a trunk
    EXTENSION = "extension"  # of the phone system whose Asterisk includes ours


class WhenEmpty(enum.StrEnum):
    """What a visitor is shown when his pool has no number for him."""

    REAL = "real"  # the company's own number, as it stands on the page
    SOURCE = "source"  # the number of the channel that is shown to visitors of his source
    OVERFLOW = "overflow"  # the pool's overflow number, a static one
    CODE = "code"  # the company's own number, with a short code of the visitor's own


class Company(Base):
    __tablename__ = "companies"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(sa.String(40), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    default_region: Mapped[str] = mapped_column(sa.String(2))  # ISO 3166: how national numbers are read
    timezone: Mapped[str] = mapped_column(sa.String(60), default="UTC")
    currency: Mapped[str] = mapped_column(sa.String(3), default="EUR", server_default="EUR")  # ISO 4217
    language: Mapped[str] = mapped_column(sa.String(5), default="en", server_default="en")  # of its page
    # Employees may say what a call was worth by the keys of their phones.
    judge_by_phone: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    # Employees may pause the recording by a code of their phones, or forbid it for good.
    recording_codes: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    # A caller who refuses to be recorded is never recorded again.
    remember_refusals: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    # What an employee hears before he is connected, with places for what is known of the call; None: nothing.
    whisper: Mapped[str | None] = mapped_column(sa.String(200))
    # Where they differ from tracker.policy.alerts.Thresholds: {"missed_calls": 5}
    alert_thresholds: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    created_at: Mapped[datetime]


class Trunk(Base):
    """A SIP carrier. Belongs to the installation: several companies may have numbers on it."""

    __tablename__ = "trunks"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(40), unique=True)
    kind: Mapped[TrunkKind] = mapped_column(words(TrunkKind))
    host: Mapped[str] = mapped_column(sa.String(255))
    port: Mapped[int] = mapped_column(default=5060)
    transport: Mapped[Transport] = mapped_column(words(Transport), default=Transport.UDP)
    username: Mapped[str | None] = mapped_column(sa.String(100))
    password: Mapped[str | None] = mapped_column(Sealed())
    # Addresses the carrier sends calls from, when they differ from `host`: IPs or CIDR networks.
    match: Mapped[list[str]] = mapped_column(default=list)
    caller_id: Mapped[CallerIdPolicy] = mapped_column(words(CallerIdPolicy), default=CallerIdPolicy.OWN)
    # The carrier asserts callers in P-Asserted-Identity; off means only From is believed.
    trust_asserted: Mapped[bool] = mapped_column(default=True)
    # ISO 3166: how this carrier writes numbers without a country code; None: as a number's company does.
    country: Mapped[str | None] = mapped_column(sa.String(2))
    did_in: Mapped[str] = mapped_column(
        sa.String(60), default="uri", server_default="uri"
    )  # uri, to, header:NAME
    dial_as: Mapped[DialAs] = mapped_column(words(DialAs), default=DialAs.PLUS, server_default="plus")
    srtp: Mapped[Srtp] = mapped_column(words(Srtp), default=Srtp.OFF, server_default="off")
    tls_verify: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    tls_ca: Mapped[str | None] = mapped_column(sa.String(255))  # a file; None: those this machine believes
    outbound_proxy: Mapped[str | None] = mapped_column(sa.String(255))  # HOST or HOST:PORT
    codecs: Mapped[list[str]] = mapped_column(
        default=lambda: ["alaw", "ulaw"], server_default='["alaw", "ulaw"]'
    )
    dtmf: Mapped[DtmfMode] = mapped_column(
        words(DtmfMode), default=DtmfMode.RFC4733, server_default="rfc4733"
    )
    qualify_seconds: Mapped[int | None]  # None: as the setting sip_options_seconds says
    # Sound and answers go where they come from, whatever the other side says of its own address.
    symmetric: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    retired_at: Mapped[datetime | None]  # switched off; what it carried stays in the books
    created_at: Mapped[datetime]


class Target(Base):
    """A place that can ring."""

    __tablename__ = "targets"
    __table_args__ = (sa.UniqueConstraint("company_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    name: Mapped[str] = mapped_column(sa.String(40))
    kind: Mapped[TargetKind] = mapped_column(words(TargetKind))
    host: Mapped[str | None] = mapped_column(sa.String(255))  # peer
    port: Mapped[int | None]  # peer
    transport: Mapped[Transport] = mapped_column(words(Transport), default=Transport.UDP)  # peer
    dial: Mapped[str | None] = mapped_column(sa.String(40))  # peer: what to dial there; None: number dialled
    caller_id: Mapped[CallerIdPolicy] = mapped_column(words(CallerIdPolicy), default=CallerIdPolicy.CALLER)
    username: Mapped[str | None] = mapped_column(sa.String(40), unique=True)  # phone
    password: Mapped[str | None] = mapped_column(Sealed())  # phone
    e164: Mapped[str | None] = mapped_column(sa.String(16))  # outside
    trunk_id: Mapped[int | None] = mapped_column(sa.ForeignKey("trunks.id"))  # outside
    # Whoever answers there hears the company's whisper first, where it has one.
    whispers: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    # May call out over the company's trunk (OutgoingRule); never an outside number.
    calls_out: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    login: Mapped[str | None] = mapped_column(sa.String(100))  # peer: what we log in as when it asks
    login_password: Mapped[str | None] = mapped_column(Sealed())  # peer
    srtp: Mapped[Srtp] = mapped_column(words(Srtp), default=Srtp.OFF, server_default="off")  # peer, phone
    tls_verify: Mapped[bool] = mapped_column(default=True, server_default=sa.true())  # peer
    tls_ca: Mapped[str | None] = mapped_column(sa.String(255))  # peer
    # Peer: it is told the number dialled and the call's source in headers of ours.
    tells_source: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    created_at: Mapped[datetime]

    company: Mapped[Company] = relationship()
    trunk: Mapped[Trunk | None] = relationship()


class Channel(Base):
    """A static source that owns numbers: the billboard, the leaflet, the Google Business Profile."""

    __tablename__ = "channels"
    __table_args__ = (sa.UniqueConstraint("company_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    name: Mapped[str] = mapped_column(sa.String(100))
    medium: Mapped[str] = mapped_column(sa.String(100), default="offline")
    source: Mapped[str] = mapped_column(sa.String(200))
    campaign: Mapped[str | None] = mapped_column(sa.String(200))
    keyword: Mapped[str | None] = mapped_column(sa.String(200))
    # Website visitors of this channel group ("Organic Search") or source ("google") are shown its number when
    # they get none of their own; "*": visitors of any source.
    shown_to: Mapped[str | None] = mapped_column(sa.String(100))
    created_at: Mapped[datetime]

    company: Mapped[Company] = relationship()


class Pool(Base):
    """Numbers leased to a site's visitors, one visitor a number."""

    __tablename__ = "pools"
    __table_args__ = (sa.UniqueConstraint("company_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    name: Mapped[str] = mapped_column(sa.String(100))
    hold_seconds: Mapped[int] = mapped_column(default=300)  # after the visitor has left
    idle_seconds: Mapped[int] = mapped_column(default=600, server_default="600")  # after a last sign of life
    longest_seconds: Mapped[int] = mapped_column(default=14400, server_default="14400")  # of one lease
    # A number that was given back rests so long, except for the visitor who had it.
    cooldown_seconds: Mapped[int] = mapped_column(default=0, server_default="0")
    release_after_call: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    paid_percent: Mapped[int] = mapped_column(default=0, server_default="0")  # kept for visits from paid ads
    # Channel groups whose visitors get numbers of their own; empty: everybody.
    dynamic_for: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    when_empty: Mapped[WhenEmpty] = mapped_column(
        words(WhenEmpty), default=WhenEmpty.REAL, server_default="real"
    )
    overflow_number_id: Mapped[int | None] = mapped_column(sa.ForeignKey("numbers.id"))
    created_at: Mapped[datetime]

    company: Mapped[Company] = relationship()


class Number(Base):
    """A DID that reaches our Asterisk."""

    __tablename__ = "numbers"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"), index=True)
    e164: Mapped[str] = mapped_column(sa.String(16), unique=True)
    label: Mapped[str | None] = mapped_column(sa.String(100))
    state: Mapped[NumberState] = mapped_column(words(NumberState), default=NumberState.ACTIVE)
    quarantined_until: Mapped[datetime | None]
    record: Mapped[bool] = mapped_column(default=True)
    # Since when (with the cool-down: from when on) it may be leased; None while it is. The claim's lock: two
    # that want the same number meet on this row. The longest free goes first.
    free_at: Mapped[datetime | None] = mapped_column(default=_created_at)
    created_at: Mapped[datetime]

    company: Mapped[Company] = relationship()


class NumberUse(Base):
    """What a number was used for and when: a channel or a pool. The open row is the present use.

    Kept for ever, so that a call found a month later is attributed as things stood when it rang.
    """

    __tablename__ = "number_uses"
    __table_args__ = (
        sa.CheckConstraint("(channel_id IS NULL) <> (pool_id IS NULL)", name="one_use"),
        sa.Index(
            "uq_number_uses_open",
            "number_id",
            unique=True,
            sqlite_where=sa.text("until_at IS NULL"),
            postgresql_where=sa.text("until_at IS NULL"),
        ),
        sa.Index("ix_number_uses_number_id_from_at", "number_id", "from_at"),
        # What is in a pool now: a claim reads it, however long the history is.
        sa.Index(
            "ix_number_uses_pool_id",
            "pool_id",
            sqlite_where=sa.text("until_at IS NULL"),
            postgresql_where=sa.text("until_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number_id: Mapped[int] = mapped_column(sa.ForeignKey("numbers.id"))
    channel_id: Mapped[int | None] = mapped_column(sa.ForeignKey("channels.id"))
    pool_id: Mapped[int | None] = mapped_column(sa.ForeignKey("pools.id"))
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]

    number: Mapped[Number] = relationship()
    channel: Mapped[Channel | None] = relationship()
    pool: Mapped[Pool | None] = relationship()


class OutgoingRule(Base):
    """How a company calls out; without it nobody there does."""

    __tablename__ = "outgoing_rules"

    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"), primary_key=True)
    trunk_id: Mapped[int] = mapped_column(sa.ForeignKey("trunks.id"))
    number_id: Mapped[int] = mapped_column(sa.ForeignKey("numbers.id"))  # shown to who is called
    countries: Mapped[list[str]]  # ISO 3166
    prefixes: Mapped[list[str]] = mapped_column(default=list)  # E.164 beginnings beside them
    daily_calls: Mapped[int]
    daily_minutes: Mapped[int]
    record: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]

    company: Mapped[Company] = relationship()
    trunk: Mapped[Trunk] = relationship()
    number: Mapped[Number] = relationship()


class Forwarding(Base):
    """Who rings, in what order: for a number, else its channel or pool, else the company."""

    __tablename__ = "forwardings"
    __table_args__ = (
        sa.CheckConstraint(
            "(CASE WHEN number_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN channel_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN pool_id IS NULL THEN 0 ELSE 1 END) <= 1",
            name="one_scope",
        ),
        # The look-up of a ringing number takes one seek a scope, however many forwardings a company has.
        sa.Index("ix_forwardings_scope", "company_id", "number_id", "channel_id", "pool_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"), index=True)
    number_id: Mapped[int | None] = mapped_column(sa.ForeignKey("numbers.id"), index=True)
    channel_id: Mapped[int | None] = mapped_column(sa.ForeignKey("channels.id"))
    pool_id: Mapped[int | None] = mapped_column(sa.ForeignKey("pools.id"))
    position: Mapped[int]
    target_id: Mapped[int] = mapped_column(sa.ForeignKey("targets.id"))
    ring_seconds: Mapped[int] = mapped_column(default=25)

    target: Mapped[Target] = relationship()
