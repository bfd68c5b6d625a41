"""What is heard, over the API: prompts, what callers are told of the recording, who is never recorded."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint, send_file
from pydantic import Field, model_validator
from werkzeug.wrappers import Response

from tracker import consents, owned, prompts, sounds, unrecorded
from tracker.errors import Rejected
from tracker.models import Company, Number, Prompt
from tracker.policy.rights import Right, Scope
from web.house import house, row_id
from web.rest import scopes
from web.rest.operation import Asked, Made, operation, the_company
from web.rest.shapes import Id, Line, Name, Page, Paged, Query, Shape, cut

api = Blueprint("rest_sounds", __name__, url_prefix="/api/v1")

Mode = Annotated[
    Literal["tell", "refusable", "required"],
    Field(description="Say it and record; record unless the key is pressed; record only if it is"),
]


class PromptOut(Shape):
    """A sound with a name."""

    id: Id
    name: str
    language: Annotated[str | None, Field(description="Of its words; null: a file")]
    words: str | None
    seconds: float
    sound: Annotated[str, Field(description="Names its file: the same as long as it sounds the same")]


class PromptPage(Page):
    prompts: list[PromptOut]


class PromptWish(Shape):
    """A new prompt: of `words` that are spoken, or of a sound `file`."""

    name: Name
    words: Annotated[str | None, Field(max_length=2000)] = None
    language: Annotated[Line | None, Field(description="Of the words; none: the company's")] = None
    file: Annotated[
        str | None, Field(max_length=900_000, description="WAV, MP3, Ogg, FLAC or M4A, in base64")
    ] = None

    @model_validator(mode="after")
    def _one(self) -> PromptWish:
        if (self.words is None) == (self.file is None):
            raise ValueError("give one of `words` and `file`")
        return self


class ConsentOut(Shape):
    """What is said and asked before calls are recorded."""

    number: Annotated[str | None, Field(description="For this one; null: for those without their own")]
    mode: Mode
    prompt: str
    key: str | None


class ConsentList(Shape):
    consents: list[ConsentOut]


class ConsentWish(Shape):
    prompt: Annotated[Name, Field(description="By its name")]
    mode: Mode = "tell"
    key: Annotated[Line | None, Field(description="That refuses, or agrees: one of 0 to 9 or *")] = None


class UnrecordedOut(Shape):
    """A caller who is never recorded."""

    id: Id
    caller: str
    since_at: datetime
    wish: Annotated[Literal["caller", "employee", "person"], Field(description="Who wished it")]


class UnrecordedPage(Page):
    unrecorded: list[UnrecordedOut]


class UnrecordedWish(Shape):
    caller: Annotated[Line, Field(min_length=1, description="As people write it")]


@api.get("/prompts")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, query=Paged, answer=PromptPage)
def list_prompts(asked: Asked[Paged, None]) -> dict[str, Any]:
    """The company's prompts."""
    return cut(prompts.of_company(asked.session, asked.company), asked.query, "prompts", prompts.describe)


@api.get("/prompts/<prompt>")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=PromptOut)
def show_prompt(asked: Asked[Query, None], prompt: str) -> dict[str, Any]:
    """One prompt."""
    return prompts.describe(asked.own(Prompt, prompt))


@api.get("/prompts/<prompt>/sound")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, bare=True, content="audio/wav")
def hear_prompt(prompt: str) -> Response:
    """A prompt as callers hear it."""
    company_id, settings = the_company(Right.ADMINISTER), house().settings
    with house().database.read() as session:
        found = owned.find(session, Prompt, company_id, row_id(prompt))
        prompts.make(settings, found)
        path = sounds.wav_of(settings, prompts.spoken(found))
    return send_file(path, mimetype="audio/wav", max_age=0)


def _ready(asked: Asked[Query, PromptWish]) -> Callable[[], prompts.Ready]:
    """Speaks or converts it, which takes a while; what cannot be is refused here and not in a call."""
    wish, settings, language = asked.body, house().settings, asked.company.language
    if wish.words is not None:
        words = wish.words
        return lambda: prompts.ready_words(settings, wish.language or language, words)
    data = _file(wish.file or "")
    return lambda: prompts.ready_file(settings, data)


@api.post("/prompts")
@operation(
    Scope.SETTINGS_WRITE, Right.ADMINISTER, body=PromptWish, answer=PromptOut, status=201, before=_ready
)
def add_prompt(asked: Asked[Query, PromptWish]) -> Made:
    """Adds a prompt."""
    made = prompts.add(asked.session, asked.by, asked.company, asked.body.name, asked.ready)
    return Made(prompts.describe(made), f"/api/v1/prompts/{made.id}")


@api.delete("/prompts/<prompt>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, status=204, current=show_prompt)
def remove_prompt(asked: Asked[Query, None], prompt: str) -> None:
    """Removes a prompt that nothing plays."""
    prompts.remove(asked.session, asked.by, asked.own(Prompt, prompt))


@api.get("/consents")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=ConsentList)
def list_consents(asked: Asked[Query, None]) -> dict[str, Any]:
    """What callers are told and asked before they are recorded."""
    found = consents.of_company(asked.session, asked.company)
    return {"consents": [consents.describe(it) for it in found]}


@api.put("/consents/<scope>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=ConsentWish, answer=ConsentOut)
def set_consent(asked: Asked[Query, ConsentWish], scope: str) -> dict[str, Any]:
    """Has a prompt said before calls of `company`, or of `number-7`, are recorded."""
    number, wish = _number(asked, scope), asked.body
    prompt = prompts.get(asked.session, asked.company, wish.prompt)
    made = consents.set_consent(
        asked.session, asked.by, asked.company, prompt, wish.mode, key=wish.key, number=number
    )
    asked.session.refresh(made)
    return consents.describe(made)


@api.delete("/consents/<scope>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, status=204)
def clear_consent(asked: Asked[Query, None], scope: str) -> None:
    """Has nothing said there any more."""
    consents.clear(asked.session, asked.by, asked.company, _number(asked, scope))


@api.get("/unrecorded")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, query=Paged, answer=UnrecordedPage)
def list_unrecorded(asked: Asked[Paged, None]) -> dict[str, Any]:
    """Callers who are never recorded."""
    found = unrecorded.of_company(asked.session, asked.company)
    return cut(found, asked.query, "unrecorded", unrecorded.describe)


@api.post("/unrecorded")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=UnrecordedWish, answer=UnrecordedOut, status=201)
def add_unrecorded(asked: Asked[Query, UnrecordedWish]) -> Made:
    """Has a caller never recorded again."""
    made = unrecorded.add(asked.session, asked.by, asked.company, asked.body.caller)
    return Made(unrecorded.describe(made), f"/api/v1/unrecorded/{made.caller}")


@api.delete("/unrecorded/<caller>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, status=204)
def remove_unrecorded(asked: Asked[Query, None], caller: str) -> None:
    """Has a caller recorded again, as others are."""
    unrecorded.remove(asked.session, asked.by, asked.company, caller)


def _number(asked: Asked[Any, Any], word: str) -> Number | None:
    found = scopes.find(asked.session, asked.company, word)
    if isinstance(found, Company | Number):
        return None if isinstance(found, Company) else found
    raise scopes.unknown()


def _file(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise Rejected("sound.unreadable", "This is no base64", "Encode the file's bytes") from None
