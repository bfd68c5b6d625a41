"""What is heard: prompts, what callers are told of the recording, the whisper, and who is never recorded."""

from __future__ import annotations

from flask import Blueprint, request, send_file
from flask_babel import get_locale, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import companies, consents, numbers, owned, prompts, sounds, unrecorded
from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Company, ConsentMode, Prompt, Wish
from tracker.policy.prompts import VOICES
from web.house import house, row_id
from web.settings.forms import EMPTY, Form, attempt, differing, text
from web.settings.room import changing, reading, show

pages = Blueprint("settings_sounds", __name__)

FIELDS = {
    "prompt.text": ("name",),
    "prompt.unknown": ("prompt",),
    "prompt.duplicate": ("name",),
    "prompt.language": ("language",),
    "prompt.words": ("words", "whisper"),
    "whisper.place": ("whisper",),
    "sound.none": ("file",),
    "sound.large": ("file",),
    "sound.unreadable": ("file",),
    "sound.long": ("file",),
    "consent.key": ("key",),
    "number.malformed": ("number", "caller"),
    "number.unknown": ("number",),
    "unrecorded.duplicate": ("caller",),
    "unrecorded.unknown": ("caller",),
}
MODES = {
    ConsentMode.TELL: lazy_gettext("Say it, and record"),
    ConsentMode.REFUSABLE: lazy_gettext("Record, unless the caller presses the key"),
    ConsentMode.REQUIRED: lazy_gettext("Record only if the caller presses the key"),
}
WISHES = {
    Wish.CALLER: lazy_gettext("the caller, by a key"),
    Wish.EMPLOYEE: lazy_gettext("an employee, by a code during a call"),
    Wish.PERSON: lazy_gettext("a person, here or on the command line"),
}


@pages.get("/settings/<company>/sounds")
def index(company: str) -> str:
    """Prompts, announcements before the recording, the whisper, callers who are never recorded."""
    return _page(company, EMPTY)


@pages.get("/settings/<company>/sounds/<prompt>.wav")
def listen(company: str, prompt: str) -> Response:
    """A prompt as callers hear it."""
    with reading(company) as (session, owner):
        found = owned.find(session, Prompt, owner.id, row_id(prompt))
        prompts.make(house().settings, found)
        path = sounds.wav_of(house().settings, prompts.spoken(found))
    return send_file(path, mimetype="audio/wav", conditional=True, max_age=0)


@pages.post("/settings/<company>/sounds")
def change(company: str) -> Response:
    """What `do` says.

    `words` and `file` add the prompt `name` (of `words` in `language`, or of a sound `file`), `remove` takes
    away the one `name`. `consent` has `prompt` said in the `mode` tell, refusable or required, with `key`, of
    `number` or of all; `silent` has nothing said any more. `whisper` stores `whisper`, `recording_codes` and
    `remember_refusals`. `unrecord` and `record` put `caller` on the list of those who are never recorded, or
    take him off.
    """

    def act() -> str:
        if text("do") in {"words", "file"}:
            _add(company)
        else:
            with changing(company) as (session, owner, by):
                _do(session, owner, by)
        return f"/settings/{company}/sounds?saved"

    return attempt(act, lambda form: _page(company, form), FIELDS)


def _add(company: str) -> None:
    with reading(company):  # may one at all?
        pass
    if text("do") == "words":
        ready = prompts.ready_words(house().settings, text("language"), text("words"))
    else:
        given = request.files.get("file")
        if given is None or not given.filename:
            raise Rejected("sound.none", "No file was chosen", "Choose a sound file")
        ready = prompts.ready_file(house().settings, given.read())
    with changing(company) as (session, owner, by):
        prompts.add(session, by, owner, text("name"), ready)


def _do(session: Session, owner: Company, by: By) -> None:
    number = numbers.get(session, owner, text("number")) if text("number") else None
    match text("do"):
        case "remove":
            prompts.remove(session, by, prompts.get(session, owner, text("name")))
        case "consent":
            prompt = prompts.get(session, owner, text("prompt"))
            consents.set_consent(session, by, owner, prompt, text("mode"), key=text("key"), number=number)
        case "silent":
            consents.clear(session, by, owner, number)
        case "whisper":
            _change_company(session, owner, by)
        case "unrecord":
            unrecorded.add(session, by, owner, text("caller"))
        case "record":
            unrecorded.remove(session, by, owner, text("caller"))
        case _:
            raise Rejected("sound.do", "The form does not say what to do", "Use the page's buttons")


def _change_company(session: Session, owner: Company, by: By) -> None:
    switches = ("recording_codes", "remember_refusals")
    wanted = {"whisper": text("whisper")} | {name: bool(text(name)) for name in switches}
    present = {"whisper": owner.whisper or ""} | {name: getattr(owner, name) for name in switches}
    if found := differing(wanted, present):
        companies.change(session, by, owner, **found)


def _page(company: str, form: Form) -> str:
    with reading(company) as (session, owner):
        return show(
            session,
            owner,
            "sounds.html",
            form=form,
            prompts=prompts.of_company(session, owner),
            consents=consents.of_company(session, owner),
            unrecorded=unrecorded.of_company(session, owner),
            named=[(it.name, it.name) for it in prompts.of_company(session, owner)],
            languages=[(code, get_locale().languages.get(code, code)) for code in VOICES],
            codes=house().settings.recording_codes,
            MODES=MODES,
            WISHES=WISHES,
        )
