"""All secrets of the database at once: seals what is plain, seals all for another key, looks what is shut."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.audit import By
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import ApiAnswer, Base, Destination, Inlet
from tracker.sealed import Sealed, Stored
from tracker.vault import Vault, is_sealed

_WIPE_DUE = 1  # kept as SQLite's `user_version`, in the transaction that sealed


@dataclass
class Looked:
    """How many secrets of which column, as "trunks.password", are in which state."""

    opened: Counter[str] = field(default_factory=Counter)
    shut: Counter[str] = field(default_factory=Counter)  # sealed with another key
    plain: Counter[str] = field(default_factory=Counter)  # not sealed


def columns() -> list[sa.Column[Any]]:
    """All columns whose texts are sealed."""
    kept = [
        it for table in Base.metadata.sorted_tables for it in table.columns if isinstance(it.type, Sealed)
    ]
    by_hand = (Destination.secrets, Inlet.secrets, ApiAnswer.answer)  # where the vault is handed around
    return [*kept, *(Base.metadata.tables[it.class_.__tablename__].c[it.key] for it in by_hand)]


def look(session: Session, vault: Vault) -> Looked:
    """What this key opens."""
    found = Looked()
    for column in columns():
        for _, text in _texts(session, column):
            if not is_sealed(text):
                found.plain[str(column)] += 1
            elif vault.open_text(text) is None:
                found.shut[str(column)] += 1
            else:
                found.opened[str(column)] += 1
    return found


def seal_open(database: Database, vault: Vault) -> int:
    """Seals what is from before secrets were; how many there were. To do it again changes nothing.

    What was overwritten is due to be wiped from then on.
    """
    with database.write() as session:
        count = 0
        for column in columns():
            for row, text in _texts(session, column, lock=True):
                if not is_sealed(text):
                    _put(session, column, row, vault.seal_text(text))
                    count += 1
        if count and database.is_sqlite:
            session.execute(sa.text(f"PRAGMA user_version = {_WIPE_DUE}"))
    return count


def wipe(database: Database) -> str | None:
    """SQLite leaves in its file what was overwritten: the whole of it is written anew, if that is due.

    Why not, where it failed. It stays due until nothing of it is left in the write-ahead log either.
    """
    if not database.is_sqlite:
        return None
    with database.engine.connect() as connection:
        bare = connection.connection.cursor()
        if bare.execute("PRAGMA user_version").fetchone() != (_WIPE_DUE,):
            return None
        try:
            bare.execute("VACUUM")
            busy, *_ = bare.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                return "somebody else is reading it"
            bare.execute("PRAGMA user_version = 0")
        except sqlite3.OperationalError as error:  # no room, locked
            return str(error)
    return None


def rekey(database: Database, old: Vault, new: Vault, by: By) -> int:
    """Seals with `new` what `old` opens, in one transaction; how many there were.

    What `new` opens already stays as it is. Raises Rejected `secrets.shut` where neither does.
    """
    shut: Counter[str] = Counter()
    count = 0
    with database.write() as session:
        for column in columns():
            for row, text in _texts(session, column, lock=True):
                if is_sealed(text) and new.open_text(text) is not None:
                    continue
                plain = old.open_text(text) if is_sealed(text) else text
                if plain is None:
                    shut[str(column)] += 1
                else:
                    _put(session, column, row, new.seal_text(plain))
                    count += 1
        if shut:
            raise Rejected(
                "secrets.shut",
                "Neither key opens all of them: %(columns)s",
                "Nothing was changed; give the key they were sealed with, or type those secrets anew first",
                columns=[f"{name} ({number})" for name, number in sorted(shut.items())],
            )
        by.note(session, "secrets.rekey", detail={"sealed": count})
    return count


def _texts(session: Session, column: sa.Column[Any], *, lock: bool = False) -> Iterator[tuple[int, str]]:
    """The rows' ids with the texts as they stand in the database."""
    text = sa.type_coerce(column, sa.Text)
    wanted = (
        sa.select(column.table.c.id, text).where(column.is_not(None), text != "").order_by(column.table.c.id)
    )
    rows = session.execute(wanted.with_for_update() if lock else wanted).all()
    return ((int(row), str(found)) for row, found in rows)


def _put(session: Session, column: sa.Column[Any], row: int, token: str) -> None:
    session.execute(sa.update(column.table).where(column.table.c.id == row).values({column: Stored(token)}))
