"""Yandex.Metrica by the upload of calls: a file of CSV, joined to visits by the visitor or the click.

Wire format: https://yandex.com/dev/metrika/en/management/calls. Metrica keeps whatever it is sent, twice if
it is sent twice: each upload has a comment of its own, and where no answer came the list of uploads is looked
at before anything is sent again. Only a worker that dies between the upload and its note can double a call.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from tracker.destinations.kind import (
    BARRED,
    Field,
    FieldKind,
    Kind,
    Line,
    Parcel,
    hold_field,
    usual_answer,
)
from tracker.errors import say
from tracker.outside import Reply, Trouble
from tracker.policy.delivering import Event, Hold, Timing, Why, is_transient
from tracker.policy.parcels import CallFacts, VisitFacts
from tracker.policy.telling import Answer

ADDRESS = "https://api-metrika.yandex.net"
MOST_ROWS = 100  # of a file: our choice, so that a refused one is soon halved down to the row
USUAL_HOLD = 1  # days
WINDOW = timedelta(days=21)  # a call joins no visit older than this when it is uploaded
ID_TYPES = {"ClientId": "CLIENT_ID", "Yclid": "YCLID", "UserId": "USER_ID"}
UPLOAD = "upload"  # in a parcel's progress: the comment of an upload that was not answered


def why_not(options: Mapping[str, str], parcel: Parcel) -> Why | None:
    """Visitors whom Metrica knows; and static calls, which stand in its reports on calls alone."""
    call = parcel.call
    if call.visit is None:
        static = call.is_static and options.get("static") != "no"
        return None if static else Why.UNWANTED if call.is_static else Why.NOBODY
    if not call.visit.allows_analytics():
        return Why.CONSENT
    return None if id_of(call.visit) else Why.NOBODY


def id_of(visit: VisitFacts) -> tuple[str, str] | None:
    """The column and the value by which Metrica knows a visitor: its cookie, or the click on an ad."""
    client, click = visit.cookies.get("_ym_uid", ""), visit.click_ids.get("yclid", "")
    if client.isdecimal():
        return "ClientId", client
    return ("Yclid", click) if click.isdecimal() and visit.allows_ads() else None


def row_of(options: Mapping[str, str], call: CallFacts) -> dict[str, Any]:
    """A line of the file, its id column first. A static call is joined to nothing: any id of ours will do."""
    column, value = (call.visit and id_of(call.visit)) or ("UserId", call.key)
    return {
        column: value,
        "DateTime": int(call.started_at.timestamp()),
        "StaticCall": int(call.visit is None),
        "Price": "" if call.value is None else f"{call.value:.2f}",
        "Currency": "" if call.value is None else call.currency,
        "PhoneNumber": (call.caller or "") if options.get("phone") == "yes" else "",
        "TalkDuration": round(call.talk_seconds or 0),
        "HoldDuration": round(call.wait_seconds or 0),
        "CallMissed": int(not call.answered),
        "Tag": call.category or "",
        "FirstTimeCaller": int(not call.repeat),
        "URL": (call.visit and (call.visit.page_url or call.visit.landing_url)) or "",
        "CallTrackerURL": call.link,
    }


def send(line: Line, parcels: Sequence[Parcel]) -> Iterator[Answer]:
    """A file for each id column, and one for each upload that was not answered the last time."""
    files: dict[tuple[str, str], list[int]] = {}
    for at, parcel in enumerate(parcels):
        column = next(iter(row_of(line.options, parcel.call)))
        files.setdefault((column, parcel.progress.get(UPLOAD, "")), []).append(at)
    answers: dict[int, Answer] = {}
    trouble: Answer | None = None
    for (column, before), places in files.items():
        chosen = [parcels[at] for at in places]
        try:
            told = [trouble] * len(chosen) if trouble else _deliver(line, column, before, chosen)
        except Trouble as what:  # it does not answer: the other files wait as well
            trouble = Answer(False, str(what))
            told = [trouble] * len(chosen)
        answers |= zip(places, told, strict=True)
    return (answers[at] for at in range(len(parcels)))


def check(line: Line, parcels: Sequence[Parcel]) -> Iterator[Answer]:
    """Read the list of uploads: an upload cannot be taken back, so a test leaves none."""
    try:
        yield from [meaning(_ask(line, "GET", "calls_uploadings"), line)] * len(parcels)
    except Trouble as trouble:
        yield Answer(False, str(trouble))


def _deliver(line: Line, column: str, before: str, parcels: Sequence[Parcel]) -> list[Answer]:
    """Upload them, unless an upload that was not answered has arrived after all. Raises Trouble."""
    if before:
        reply = _ask(line, "GET", "calls_uploadings")
        if not reply.ok:
            return [replace(meaning(reply, line), final=False)] * len(parcels)
        if arrived := _find(reply, before):
            return [Answer(True, f"It had arrived: upload {arrived}")] * len(parcels)
    return _upload(line, column, parcels)


def _upload(line: Line, column: str, parcels: Sequence[Parcel]) -> list[Answer]:
    """One file; a refused one is halved until it is known which row is wrong. Raises Trouble."""
    comment = f"leaseline {parcels[0].key} {line.now:%Y%m%dT%H%M%S}"
    for each in parcels:
        each.progress[UPLOAD] = comment
    query = {"comment": comment, "new_goal_name": line.options.get("goal") or "Call"}
    if line.options.get("client_id_type") == "yes":
        query["client_id_type"] = ID_TYPES[column]
    rows = [row_of(line.options, each.call) for each in parcels]
    reply = _ask(line, "POST", f"upload_calls?{urlencode(query)}", rows)
    answer = meaning(reply, line)
    if answer.ok or not is_transient(reply.status):  # else it may have been taken all the same
        for each in parcels:
            del each.progress[UPLOAD]
    if reply.status == 400 and answer.final and len(parcels) > 1:
        half = len(parcels) // 2
        return _upload(line, column, parcels[:half]) + _upload(line, column, parcels[half:])
    return [answer] * len(parcels)


def _ask(line: Line, method: str, what: str, rows: Sequence[Mapping[str, Any]] = ()) -> Reply:
    place = f"{(line.options.get('address') or ADDRESS).rstrip('/')}/management/v1"
    url = f"{place}/counter/{line.options['counter_id']}/offline_conversions/{what}"
    headers = {"Authorization": f"OAuth {line.secrets['token']}"}
    if not rows:
        return line.ask(method, url, b"", headers)
    mark = uuid4().hex
    headers["Content-Type"] = f"multipart/form-data; boundary={mark}"
    return line.ask(method, url, _form(mark, _csv(rows)), headers)


def meaning(reply: Reply, line: Line) -> Answer:
    """What Metrica's answer means. Of rows that it did not take it says how many, not which."""
    told = reply.json()
    if not reply.ok:
        errors = (told.get("errors") if isinstance(told, dict) else None) or ()
        quota = any(str(each.get("error_type")).startswith("quota") for each in errors)  # unconfirmed
        # 404: no such counter, which is no call's fault.
        answer = usual_answer(reply, line.now, BARRED | {404})
        return replace(answer, final=False) if quota else answer
    upload = told.get("uploading") if isinstance(told, dict) else None
    if not isinstance(upload, dict):
        return usual_answer(reply, line.now)
    valid, sent = upload.get("line_quantity"), upload.get("source_quantity")
    if valid == sent:
        return Answer(True, reply.shown())
    text = f"Upload {upload.get('id')}: {valid} of {sent} rows were valid"
    return Answer(bool(valid), text, final=not valid)


def _find(reply: Reply, comment: str) -> object:
    """The id of the upload with that comment."""
    told = reply.json()
    there = (told.get("uploadings") if isinstance(told, dict) else None) or ()
    return next((each.get("id") for each in there if each.get("comment") == comment), None)


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _form(mark: str, text: str) -> bytes:
    """A form of one file, as RFC 7578 has it."""
    head = 'Content-Disposition: form-data; name="file"; filename="calls.csv"\r\nContent-Type: text/csv'
    return f"--{mark}\r\n{head}\r\n\r\n{text}\r\n--{mark}--\r\n".encode()


KIND = Kind(
    word="metrica",
    title="Yandex.Metrica",
    about=say("Calls in Metrica's reports and goals, with category and value, for Yandex Direct as well"),
    fields=(
        Field("counter_id", say("Counter"), say("The counter's number"), form=r"\d{3,12}"),
        Field(
            "token",
            say("OAuth token"),
            say("oauth.yandex.com, of an application with write access to Metrica, by a user of the counter"),
            FieldKind.SECRET,
        ),
        Field(
            "goal",
            say("Goal"),
            say("Its name; the first upload creates it"),
            required=False,
            usual="Call",
            form=r".{1,100}",
        ),
        hold_field(USUAL_HOLD, 20),
        Field(
            "static",
            say("Calls of channels"),
            say("Calls without a visit: they stand in the reports on calls alone"),
            FieldKind.YES_NO,
            required=False,
            usual="yes",
        ),
        Field(
            "phone",
            say("Caller number"),
            say("Metrica takes it in clear: say yes only if callers know"),
            FieldKind.YES_NO,
            required=False,
            usual="no",
        ),
        Field(
            "client_id_type",
            say("Name the kind of id"),
            say("Older counters ask for client_id_type in the address"),
            FieldKind.YES_NO,
            required=False,
            usual="no",
        ),
        Field("address", say("Address"), say("Of the API"), FieldKind.URL, required=False, usual=ADDRESS),
    ),
    timings={
        Event.COMPLETED: Timing(
            Hold.CATEGORY, hold_for=timedelta(days=USUAL_HOLD), until=WINDOW, of_visit=True
        )
    },
    usual_events=(Event.COMPLETED,),
    send=send,
    test=check,
    why_not=why_not,
    batch=MOST_ROWS,
)
