"""What every stand-in has: how a destination is pointed at it, how it answers, which calls it took."""

from __future__ import annotations

from support.standin import Asked, Said


class Double:
    """Answers as the other system would. `taken` are the calls' keys it kept, in order, each time."""

    refusal = Said(400, {"error": "no"})  # of one parcel, for good
    refusals = 1  # so often it says so until it is known which parcel of a request is meant
    sees_duplicates = False  # keeps the same thing told twice once
    needs_consent = ""  # the word of the visit's consent without which it is told nothing: "ads", "analytics"
    secret_travels = True  # a test shows where it was, covered
    closes_days: float = 30  # its window: later, a call is not told any more

    def __init__(self) -> None:
        self.taken: list[str] = []

    def values(self, url: str) -> dict[str, str]:
        """What is filled in for it."""
        raise NotImplementedError

    def answer(self, asked: Asked) -> Said:
        raise NotImplementedError
