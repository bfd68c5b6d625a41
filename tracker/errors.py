"""How the product says no: a stable id, one sentence, and what to do about it.

English stands in the code. The values of a sentence are kept apart from it, so that an edge can tell it in
another language: `make words` finds every text given here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Said:
    """A text for people, and the values for its places (`%(name)s`): plain ones, texts, or several of them.

    Where there are no values, a percent sign is a percent sign.
    """

    text: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.told(_as_written)

    def told(self, translate: Callable[[str], str]) -> str:
        """The text in the language that `translate` knows, with its values."""
        text = translate(self.text)
        if not self.values:
            return text
        return text % {name: _told(it, translate) for name, it in self.values.items()}


def say(text: str, /, **values: object) -> Said:
    """A text to raise later, or to stand in another one as a value."""
    return Said(text, values)


def beneath(texts: Sequence[Said]) -> Said:
    """Several texts as one, each on a line of its own."""
    places = {f"line_{at}": text for at, text in enumerate(texts, start=1)}
    return Said("\n".join(f"%({place})s" for place in places), places)


class Rejected(Exception):
    """A wish that cannot be granted. Every edge shows it in its own way: one line, or one JSON object.

    `id` is stable and machine-readable (`number.duplicate`), `message` one sentence, `fix` what would be
    accepted instead; both are English. `said` and `advice` are the same with their values apart.
    """

    def __init__(self, id: str, message: str | Said, fix: str | Said, **values: object) -> None:  # noqa: A002  (the word of the JSON contract)
        self.id = id
        self.said = _with(message, values)
        self.advice = _with(fix, values)
        self.message = str(self.said)
        self.fix = str(self.advice)
        super().__init__(f"{self.message}. {self.fix}")

    @property
    def whole(self) -> Said:
        """Both sentences as one text."""
        return Said("%(message)s. %(fix)s", {"message": self.said, "fix": self.advice})


def _with(text: str | Said, values: Mapping[str, object]) -> Said:
    return Said(text.text, {**values, **text.values}) if isinstance(text, Said) else Said(text, values)


def _told(value: object, translate: Callable[[str], str]) -> object:
    if isinstance(value, Said):
        return value.told(translate)
    if isinstance(value, list | tuple):
        return ", ".join(str(_told(each, translate)) for each in value)
    return value


def _as_written(text: str) -> str:
    return text
