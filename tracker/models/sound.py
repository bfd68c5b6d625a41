"""What callers and employees hear, and who is told of the recording, asked for it or never recorded."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base, words
from tracker.models.company import Company, Number
from tracker.policy.taping import ConsentMode, Wish


class Prompt(Base):
    """A company's sound by a name: words that are spoken, or an uploaded file."""

    __tablename__ = "prompts"
    __table_args__ = (sa.UniqueConstraint("company_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    name: Mapped[str] = mapped_column(sa.String(100))
    language: Mapped[str | None] = mapped_column(sa.String(5))  # of the words
    words: Mapped[str | None] = mapped_column(sa.Text)  # None: an uploaded file
    digest: Mapped[str] = mapped_column(sa.String(32))  # names the sound below the folder of sounds
    # An uploaded file, converted: the only copy, from which each machine that plays it makes its own.
    sound: Mapped[bytes | None] = mapped_column(sa.LargeBinary, deferred=True)
    seconds: Mapped[float]
    created_at: Mapped[datetime]

    company: Mapped[Company] = relationship()


class Consent(Base):
    """What is said and asked before a call is recorded: of a company, or of one of its numbers."""

    __tablename__ = "consents"
    __table_args__ = (sa.UniqueConstraint("company_id", "number_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    number_id: Mapped[int | None] = mapped_column(sa.ForeignKey("numbers.id"))  # None: of all the others
    mode: Mapped[ConsentMode] = mapped_column(words(ConsentMode))
    prompt_id: Mapped[int] = mapped_column(sa.ForeignKey("prompts.id"))
    key: Mapped[str | None] = mapped_column(sa.String(1))  # None: nothing is asked

    prompt: Mapped[Prompt] = relationship()
    number: Mapped[Number | None] = relationship()


class Unrecorded(Base):
    """A caller whose calls to the company are never recorded, from an instant on."""

    __tablename__ = "unrecorded_callers"
    __table_args__ = (sa.UniqueConstraint("company_id", "caller"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    caller: Mapped[str] = mapped_column(sa.String(40))  # as calls have it
    since_at: Mapped[datetime]
    wish: Mapped[Wish] = mapped_column(words(Wish))
