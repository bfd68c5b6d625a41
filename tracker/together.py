"""Group commit for SQLite: what several threads want to write in the same moment is one transaction.

SQLite has one writer's place, and a durable commit waits for the disk: one after the other, four threads wait
four times. Here whoever has the place writes for all who wait, and the disk is waited for once. Nobody is
told that something is stored before it is.

Refusals are rare, and savepoints cost as much as what a page view writes: so all are written without any, and
only where one of several is refused are all done once more, each in a savepoint of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from tracker.database import Database

T = TypeVar("T")


class _Refused(Exception):
    """A wish refused itself, for the reason that is its cause."""


class _Wish(Generic[T]):
    """What one thread wants written, and what became of it."""

    def __init__(self, work: Callable[[Session], T]) -> None:
        self.work = work
        self.done = threading.Event()
        self.answer: T | None = None
        self.error: BaseException | None = None

    def fulfil(self, session: Session) -> None:
        """Do it within the transaction of all. Raises _Refused: then that has to be undone for all.

        Raises DBAPIError: after an error of the database nobody knows what is left of the transaction.
        """
        try:
            self.answer = self.work(session)
            session.flush()
            session.expunge_all()  # the next reads anew what this one has changed
        except DBAPIError:
            raise
        except Exception as error:
            raise _Refused from error

    def fulfil_apart(self, connection: sa.Connection) -> None:
        """The same in a savepoint: its own refusal undoes nothing but itself."""
        try:
            with Session(connection, join_transaction_mode="create_savepoint") as session:
                answer = self.work(session)
                session.commit()
            self.answer = answer
        except DBAPIError:
            raise
        except Exception as error:  # noqa: BLE001  (told to whoever wanted it)
            self.error = error

    def told(self) -> T:
        if self.error is not None:
            raise self.error
        return cast("T", self.answer)


class Together:
    """Writes for the threads of a process: on SQLite in groups, elsewhere each by itself."""

    def __init__(self, database: Database, wait_seconds: float) -> None:
        self._database, self._wait_seconds = database, wait_seconds
        self._waiting: list[_Wish[Any]] = []
        self._list, self._turn = threading.Lock(), threading.Lock()

    def write(self, work: Callable[[Session], T]) -> T:
        """The answer of `work`, stored when it comes. Raises what `work` raised, and nothing is stored then.

        `work` may be done twice, the first time undone: it changes nothing but the database.
        Raises OperationalError as Database.write does, and TimeoutError of SQLAlchemy after `wait_seconds` in
        the queue.
        """
        if not self._database.is_sqlite:
            with self._database.write() as session:
                return work(session)
        wish = _Wish(work)
        with self._list:
            self._waiting.append(wish)
        self._await(wish)
        return wish.told()

    def _await(self, wish: _Wish[Any]) -> None:
        if self._turn.acquire(timeout=self._wait_seconds):
            try:
                if not wish.done.is_set():
                    self._write_all()
            finally:
                self._turn.release()
            return
        with self._list:
            if wish in self._waiting:
                self._waiting.remove(wish)
                raise PoolTimeout("other requests are waiting for the database")
        wish.done.wait()  # it is just being written

    def _write_all(self) -> None:
        with self._list:
            wishes, self._waiting = self._waiting, []
        try:
            if not self._write_at_once(wishes):
                self._write_apart(wishes)
        except BaseException as error:
            for wish in wishes:
                wish.error = wish.error or error
            if not isinstance(error, Exception):
                raise
        finally:
            for wish in wishes:
                wish.done.set()

    def _write_at_once(self, wishes: list[_Wish[Any]]) -> bool:
        """False where one of several is refused: nothing is stored then."""
        try:
            with self._database.write() as session:
                session.connection()  # that there is none is nobody's refusal
                for wish in wishes:
                    wish.fulfil(session)
        except _Refused as refused:
            if len(wishes) > 1:
                return False
            wishes[0].error = refused.__cause__
        return True

    def _write_apart(self, wishes: list[_Wish[Any]]) -> None:
        with self._database.write() as session:
            connection = session.connection()
            for wish in wishes:
                wish.fulfil_apart(connection)
