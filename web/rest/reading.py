"""What comes in: the words of the address and the body, held against what the operation declares."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterable
from typing import Any, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from tracker.errors import Rejected
from web.rest.shapes import Query

M = TypeVar("M", bound=BaseModel)
Q = TypeVar("Q", bound=Query)
TOLD = 20  # problems that are told at once
_PLAIN = {"extra_forbidden": "is not known here", "missing": "is missing"}


class Invalid(Rejected):
    """A request that is not what the operation takes; `problems` has each part that is wrong."""

    def __init__(self, problems: list[dict[str, str]]) -> None:
        first = problems[0]
        super().__init__(
            "request.invalid",
            "%(place)s: %(problem)s",
            "Mend what `problems` names; /api/v1/openapi.json says what is taken",
            place=first["place"],
            problem=first["problem"],
        )
        self.problems = problems


def read_query(shape: type[Q]) -> Q:
    """The words of the address. Raises Invalid, also for a word that there is not."""
    given: dict[str, Any] = {}
    for name, values in request.args.lists():
        field = shape.model_fields.get(name)
        if field is not None and _takes_several(field):
            given[name] = values
        elif len(values) > 1:
            raise Invalid([{"place": f"query.{name[:60]}", "problem": "is given more than once"}])
        else:
            given[name] = values[0]
    try:
        return shape.model_validate(given)
    except ValidationError as wrong:
        raise Invalid(_problems("query", wrong)) from None


def read_body(shape: type[M]) -> M:
    """The body. Raises Rejected body.type, body.malformed, and Invalid."""
    if not request.is_json:
        raise Rejected("body.type", "The body is no JSON", "Send JSON, and Content-Type: application/json")
    try:
        told = json.loads(request.get_data(), parse_constant=_refuse_constant)
        json.dumps(told, ensure_ascii=False).encode()  # half a letter (a lone surrogate) is no text
    except (ValueError, RecursionError):
        raise Rejected("body.malformed", "The body is no valid JSON", "Send one JSON object") from None
    try:
        return shape.model_validate(told, strict=False)
    except ValidationError as wrong:
        raise Invalid(_problems("body", wrong)) from None


def _refuse_constant(word: str) -> None:
    """NaN and Infinity are JSON to Python alone."""
    raise ValueError(word)


def _takes_several(field: FieldInfo) -> bool:
    kinds: Iterable[Any] = (field.annotation, *typing.get_args(field.annotation))
    return any(typing.get_origin(kind) in {list, tuple, set, frozenset} for kind in kinds)


def _problems(where: str, wrong: ValidationError) -> list[dict[str, str]]:
    return [
        {
            "place": ".".join((where, *(str(it)[:60] for it in each["loc"]))),
            "problem": _PLAIN.get(each["type"], each["msg"]),
        }
        for each in wrong.errors(include_url=False, include_context=False, include_input=False)[:TOLD]
    ]
