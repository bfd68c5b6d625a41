"""Forms: what was typed stays in its fields, and a refusal stands beside the field that it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import make_response, redirect, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from tracker.errors import Rejected
from web.errors import STATUS
from web.refusals import translated
from web.viewer import wants_json

# By a refusal's id: the fields that it may be about.
Fields = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Form:
    """What stands in a form: what was typed, or where nothing was, what is stored."""

    typed: MultiDict[str, str] | None = None
    problem: Rejected | None = None
    fields: Fields = field(default_factory=dict)

    def value(self, name: str, stored: Any = "") -> str:
        """The text of a field."""
        if self.typed is not None:
            return self.typed.get(name, "")
        return "" if stored is None else str(stored)

    def values(self, name: str, stored: Any = ()) -> list[str]:
        """What is chosen where several may be."""
        return [str(each) for each in stored] if self.typed is None else self.typed.getlist(name)

    def ticked(self, name: str, stored: bool = False) -> bool:
        return stored if self.typed is None else name in self.typed

    def error(self, name: str) -> Rejected | None:
        """The refusal in the page's language, if it is about this field."""
        return translated(self.problem) if self.problem and name == self._field() else None

    @property
    def above(self) -> Rejected | None:
        """The same, if it is about no single field."""
        return translated(self.problem) if self.problem and self._field() is None else None

    def part(self, do: str) -> Form:
        """The same for one of the several forms of a page, told apart by their field `do`."""
        return self if self.typed is not None and self.typed.get("do") == do else EMPTY

    def _field(self) -> str | None:
        if self.problem is None or self.typed is None:
            return None
        about = self.fields.get(self.problem.id, ())
        if len(about) == 1:
            return about[0]
        # Refusals of texts begin with the text: "'…' cannot be used here".
        quoted = (name for name in about if self.problem.message.startswith(repr(self.value(name)[:60])))
        return next(quoted, None)


EMPTY = Form()


def attempt(change: Callable[[], str | Response], again: Callable[[Form], str], fields: Fields) -> Response:
    """Make the change and lead on to the address that it gives; a refusal is shown in the form as typed."""
    try:
        after = change()
    except Rejected as problem:
        # What a field names may be unknown; what the address names is no page at all.
        if wants_json() or (STATUS.get(problem.id) in {403, 404} and problem.id not in fields):
            raise
        return make_response(again(Form(request.form, problem, fields)), 400)
    return redirect(after, 303) if isinstance(after, str) else after


def text(name: str) -> str:
    """What was typed into a field of the form that was sent."""
    return request.form.get(name, "").strip()


def whole(name: str, problem: Rejected) -> int:
    """A whole number from a field; anything else is refused with `problem`."""
    try:
        return int(text(name))
    except ValueError:
        raise problem from None


def differing(given: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """What of the given is another than what is stored: only that is changed and written down."""
    return {name: value for name, value in given.items() if value != stored[name]}
