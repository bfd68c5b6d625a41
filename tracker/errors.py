"""How the product says no: a stable id, one sentence, and what to do about it."""

from __future__ import annotations


class Rejected(Exception):
    """A wish that cannot be granted. Every edge shows it in its own way: one line, or one JSON object.

    `id` is stable and machine-readable (`number.duplicate`), `message` one sentence, `fix` what would be
    accepted instead.
    """

    def __init__(self, id: str, message: str, fix: str) -> None:  # noqa: A002  (the word of the JSON contract)
        super().__init__(f"{message}. {fix}")
        self.id = id
        self.message = message
        self.fix = fix
