"""What every stand-in has: how a destination is pointed at it, how it answers, which calls it took."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support.standin import Asked, Said, StandIn, stand_in


class Double:
    """Answers as the other system would. `taken` are the calls' keys it kept, in order, each time."""

    refusal = Said(400, {"error": "no"})  # of one parcel, for good
    refusals = 1  # so often it says so until it is known which parcel of a request is meant
    sees_duplicates = False  # keeps the same thing told twice once
    needs_consent = ""  # the word of the visit's consent without which it is told nothing: "ads", "analytics"
    says_when = True  # it can tell how long it wants to be left alone
    secret_travels = True  # a test shows where it was, covered
    closes_days: float = 30  # its window: later, a call is not told any more

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.settings: dict[str, Any] = {}  # that the installation needs to reach it

    @contextmanager
    def serve(self) -> Iterator[StandIn]:
        """The stand-in itself, on a free port of this machine."""
        with stand_in(self.answer) as server:
            yield server

    def values(self, url: str) -> dict[str, str]:
        """What is filled in for it."""
        raise NotImplementedError

    def answer(self, asked: Asked) -> Said:
        raise NotImplementedError
