"""The books: calls, their events and recordings, what was refused, and how far the importer has read."""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base, BigId, Money, words
from tracker.models.beside import ReportedCall
from tracker.models.company import Channel, Company, Number, Target, Trunk
from tracker.models.visits import Lease, Visit
from tracker.models.worth import Tag
from tracker.policy.attribution import Basis
from tracker.policy.facts import Direction, GuardStep, HungUpBy, Outcome, Presentation, Spam
from tracker.policy.taping import Withheld
from tracker.policy.worth import Category

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class RecordingState(enum.StrEnum):
    NONE = "none"  # nothing was recorded: not answered, or the number is not to be recorded
    PENDING = "pending"  # the call is over, the file is being prepared
    READY = "ready"
    DAMAGED = "damaged"  # something was recorded that cannot be played
    DELETED = "deleted"  # by retention or by a person


class Call(Base):
    __tablename__ = "calls"
    __table_args__ = (
        sa.Index("ix_calls_company_id_started_at", "company_id", "started_at", "id"),
        # A search reads this and not the calls: as narrow as it can be, in the list's own order.
        sa.Index("ix_calls_sought", "company_id", "started_at", "id", "sought"),
        sa.Index("ix_calls_company_id_caller_started_at", "company_id", "caller", "started_at"),
        sa.Index("ix_calls_number_id_started_at", "number_id", "started_at"),
        sa.Index(
            "ix_calls_open",
            "node",
            "started_at",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
        sa.Index(
            "ix_calls_channel_id",
            "channel_id",
            sqlite_where=sa.text("channel_id IS NOT NULL"),
            postgresql_where=sa.text("channel_id IS NOT NULL"),
        ),
        sa.Index(
            "ix_calls_unjudged",
            "id",
            sqlite_where=sa.text("attributed_at IS NULL"),
            postgresql_where=sa.text("attributed_at IS NULL"),
        ),
        sa.Index(
            "ix_calls_out",
            "company_id",
            "started_at",
            sqlite_where=sa.text("direction = 'out'"),
            postgresql_where=sa.text("direction = 'out'"),
        ),
        sa.Index(
            "ix_calls_uncategorised",
            "company_id",
            "started_at",
            "id",
            sqlite_where=sa.text("category IS NULL"),
            postgresql_where=sa.text("category IS NULL"),
        ),
        sa.Index(
            "ix_calls_guarded",
            "company_id",
            "started_at",
            "id",
            sqlite_where=sa.text("guard IS NOT NULL OR spam IS NOT NULL"),
            postgresql_where=sa.text("guard IS NOT NULL OR spam IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(40), unique=True)  # minted by the dialplan
    node: Mapped[str] = mapped_column(sa.String(40))
    uniqueid: Mapped[str | None] = mapped_column(sa.String(64))
    linkedid: Mapped[str | None] = mapped_column(sa.String(64), index=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    number_id: Mapped[int] = mapped_column(sa.ForeignKey("numbers.id"))
    trunk_id: Mapped[int | None] = mapped_column(sa.ForeignKey("trunks.id"))

    # Of a call that goes out the number is the one shown, the caller the person who is called.
    direction: Mapped[Direction] = mapped_column(words(Direction), default=Direction.IN, server_default="in")
    caller: Mapped[str | None] = mapped_column(sa.String(40))  # E.164 where it is one, else what was sent
    caller_name: Mapped[str | None] = mapped_column(sa.String(200))
    presentation: Mapped[Presentation] = mapped_column(words(Presentation))
    # What a search finds the caller by: number and name in small letters; None where he does not show them.
    sought: Mapped[str | None] = mapped_column(sa.String(250))
    repeat: Mapped[bool] = mapped_column(default=False)  # the company has had a call of this caller before

    channel_id: Mapped[int | None] = mapped_column(sa.ForeignKey("channels.id"))
    lease_id: Mapped[int | None] = mapped_column(sa.ForeignKey("leases.id"))
    # The visit named as the call's source: by lease, by visitor code, or by the caller's earlier calls.
    visit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    basis: Mapped[Basis | None] = mapped_column(words(Basis))  # what names it; None: nothing does
    probability: Mapped[float | None]  # that the source named is the right one
    uncertain: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    visitor_code: Mapped[str | None] = mapped_column(sa.String(8))  # told by the caller, typed by a person
    attributed_at: Mapped[datetime | None]  # None: to be judged (again) by the worker

    started_at: Mapped[datetime]
    rang_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    message_at: Mapped[datetime | None]  # when the caller began to leave a message
    wait_seconds: Mapped[float | None]  # start to answer, or to the end of an unanswered call
    talk_seconds: Mapped[float | None]  # answer to end: people talking, announcements not counted
    outcome: Mapped[Outcome | None] = mapped_column(words(Outcome))  # None while the call is going on
    interrupted: Mapped[bool] = mapped_column(
        default=False
    )  # cut by a crash; ended_at is the last sign of life
    target_id: Mapped[int | None] = mapped_column(sa.ForeignKey("targets.id"))  # who answered
    hung_up_by: Mapped[HungUpBy | None] = mapped_column(words(HungUpBy))
    dial_status: Mapped[str | None] = mapped_column(sa.String(20))
    hangup_cause: Mapped[int | None]
    seen_by_agi: Mapped[bool] = mapped_column(default=False)

    guard: Mapped[GuardStep | None] = mapped_column(
        words(GuardStep)
    )  # what became of it before anything rang
    spam: Mapped[Spam | None] = mapped_column(words(Spam))  # what makes it that; no statistics count it
    category: Mapped[Category | None] = mapped_column(words(Category))  # set by a person; None: not yet
    heard_of: Mapped[str | None] = mapped_column(
        sa.String(100)
    )  # "how did you hear of us", as the caller said
    value: Mapped[Decimal | None] = mapped_column(Money())  # what a person says it was worth, in money
    promo_code: Mapped[str | None] = mapped_column(sa.String(40))  # that the caller told, in capitals

    company: Mapped[Company] = relationship()
    number: Mapped[Number] = relationship()
    trunk: Mapped[Trunk | None] = relationship()
    channel: Mapped[Channel | None] = relationship()
    lease: Mapped[Lease | None] = relationship()
    visit: Mapped[Visit | None] = relationship()
    target: Mapped[Target | None] = relationship()
    recording: Mapped[Recording | None] = relationship(back_populates="call")
    reported: Mapped[ReportedCall | None] = relationship(viewonly=True)
    tags: Mapped[list[Tag]] = relationship(secondary="call_tags", order_by="Tag.name", viewonly=True)


class CallCandidate(Base):
    """A possible source of a call, its probability, what speaks for it. The first is the one named."""

    __tablename__ = "call_candidates"

    call_id: Mapped[int] = mapped_column(sa.ForeignKey("calls.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    basis: Mapped[Basis] = mapped_column(words(Basis))
    lease_id: Mapped[int | None] = mapped_column(sa.ForeignKey("leases.id"))
    visit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("visits.id"))
    channel_id: Mapped[int | None] = mapped_column(sa.ForeignKey("channels.id"))
    probability: Mapped[float]
    reasons: Mapped[list[str]] = mapped_column(default=list)  # words of tracker.policy.attribution.Reason

    visit: Mapped[Visit | None] = relationship()
    channel: Mapped[Channel | None] = relationship()


class CallEvent(Base):
    """A raw fact about a call, as a witness wrote it. Never changed; the same fact twice is one row."""

    __tablename__ = "call_events"
    __table_args__ = (
        sa.UniqueConstraint("call_id", "digest"),
        # Who rang in vain: a report asks for it call by call.
        sa.Index(
            "ix_call_events_leg_ended",
            "call_id",
            sqlite_where=sa.text("kind = 'leg_ended'"),
            postgresql_where=sa.text("kind = 'leg_ended'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    call_id: Mapped[int] = mapped_column(sa.ForeignKey("calls.id"))
    kind: Mapped[str] = mapped_column(sa.String(20))
    at: Mapped[datetime]
    position: Mapped[int] = mapped_column(default=0)  # which leg, for facts about legs
    detail: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(sa.String(32))  # of kind and detail: two witnesses may differ


class WaitingFact(Base):
    """A fact whose call is not in the books yet, because its first line was lost or is late.

    It moves to the call's events when a start arrives: from the spool, the AGI, or rebuilt from CEL.
    """

    __tablename__ = "waiting_facts"
    __table_args__ = (sa.UniqueConstraint("key", "digest"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(40))
    kind: Mapped[str] = mapped_column(sa.String(20))
    at: Mapped[datetime] = mapped_column(index=True)
    detail: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(sa.String(32))


class Recording(Base):
    __tablename__ = "recordings"
    __table_args__ = (
        sa.Index("ix_recordings_state", "state", "id"),
        sa.Index(
            "ix_recordings_retry_at",
            "retry_at",
            sqlite_where=sa.text("retry_at IS NOT NULL"),
            postgresql_where=sa.text("retry_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    call_id: Mapped[int] = mapped_column(sa.ForeignKey("calls.id"), unique=True)
    state: Mapped[RecordingState] = mapped_column(words(RecordingState))
    path: Mapped[str | None] = mapped_column(sa.String(200))  # below the recordings folder; the WAV
    copies: Mapped[list[str]] = mapped_column(default=list)  # same, the MP3 / Opus copies
    bytes: Mapped[int | None] = mapped_column(BigId)
    sha256: Mapped[str | None] = mapped_column(sa.String(64))
    seconds: Mapped[float | None]
    sample_rate: Mapped[int | None]
    peaks: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)  # {"caller": [0..100, …], "company": […]}
    problem: Mapped[str | None] = mapped_column(sa.String(300))
    withheld: Mapped[Withheld | None] = mapped_column(words(Withheld))  # why nothing was recorded
    # Stretches that were left out at somebody's wish: [at, seconds], at a place in the recording.
    pauses: Mapped[list[list[float]]] = mapped_column(sa.JSON, default=list, server_default="[]")
    stored_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0, server_default="0")  # that went wrong, in a row
    # When the worker looks again: after a failed try, for a copy still to be made, for files still to go.
    retry_at: Mapped[datetime | None]

    call: Mapped[Call] = relationship(back_populates="recording")

    def delete(self) -> None:
        """What was known about its sound goes with it; the worker has its files removed."""
        self.state = RecordingState.DELETED
        self.peaks = self.sha256 = self.problem = None
        self.retry_at = _LONG_AGO  # until it is seen that the files are gone


class Refusal(Base):
    """A call that was turned away before it became one: a number nobody configured here."""

    __tablename__ = "refusals"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(40), unique=True)
    at: Mapped[datetime] = mapped_column(index=True)
    node: Mapped[str] = mapped_column(sa.String(40))
    trunk_id: Mapped[int | None] = mapped_column(sa.ForeignKey("trunks.id"))
    did: Mapped[str] = mapped_column(sa.String(80))
    caller: Mapped[str | None] = mapped_column(sa.String(40))
    reason: Mapped[str] = mapped_column(sa.String(40))
    target_id: Mapped[int | None]  # who wanted to call out; `did` is then the number wanted


class SpoolFile(Base):
    """How far a spool or CEL file has been read. Moves in the same transaction as the facts."""

    __tablename__ = "spool_files"
    __table_args__ = (sa.UniqueConstraint("node", "name", "inode"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    node: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str] = mapped_column(sa.String(100))
    inode: Mapped[int] = mapped_column(BigId)
    offset: Mapped[int] = mapped_column(BigId, default=0)
    read_at: Mapped[datetime]


class QuarantinedLine(Base):
    """A line of the spool that could not be understood: kept, counted, shown, in nobody's way."""

    __tablename__ = "quarantined_lines"
    __table_args__ = (sa.UniqueConstraint("node", "name", "offset", "digest"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    node: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str] = mapped_column(sa.String(100))
    offset: Mapped[int] = mapped_column(BigId)
    digest: Mapped[str] = mapped_column(sa.String(64))
    line: Mapped[str] = mapped_column(sa.Text)
    problem: Mapped[str] = mapped_column(sa.String(300))
    at: Mapped[datetime]


class Node(Base):
    """One Asterisk as its AMI listener last saw it: alive, and which calls are up right now."""

    __tablename__ = "nodes"

    name: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    seen_at: Mapped[datetime]
    ami_up: Mapped[bool] = mapped_column(default=False)
    asterisk_version: Mapped[str | None] = mapped_column(sa.String(60))
    asterisk_started_at: Mapped[datetime | None]
    live: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
