"""Bitrix24 by its telephony: each call with a card, a recording and, if wanted, a lead.

Wire format: https://apidocs.bitrix24.com, telephony.externalCall. Calls are registered and finished by an
application only; an inbound webhook may not (tracker.destinations.bitrix24_leads is for those). What was
reached is kept with the parcel, so that a second try goes on there. Bitrix24 knows a registration again for
half an hour, as long as the call is not finished; one that is never finished shows nowhere. Where the answer
to a later step was lost, the statistics or the timeline are looked at before anything is told again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tracker.destinations import oauth
from tracker.destinations.crm import (
    AFTER_RECORDING,
    came_from,
    in_base64,
    local,
    may_be_new,
    one_by_one,
    ours,
    people_field,
    person_of,
    seconds_of,
    story_of,
    utm_of,
)
from tracker.destinations.kind import (
    BARRED,
    Field,
    FieldKind,
    Kind,
    Line,
    OAuth,
    Parcel,
    Stop,
    post_json,
    usual_answer,
)
from tracker.errors import say
from tracker.outside import Reply, Trouble
from tracker.policy.delivering import Event, Why, is_transient
from tracker.policy.facts import Direction, Outcome
from tracker.policy.parcels import CallFacts
from tracker.policy.telling import Answer

TOKEN_ADDRESS = "https://oauth.bitrix.info/oauth/token/"  # noqa: S105  (an address; unconfirmed)
MOST_SOUND = 10 << 20  # bytes of a recording: what passes within an answer's time on a usual line
SOUND_TRIES = 12  # of a recording whose call has arrived
TYPES = {Direction.OUT: 1, Direction.IN: 2, Direction.CALLBACK: 4}
STATUSES = {
    Outcome.ANSWERED: "200", Outcome.MISSED: "304", Outcome.GAVE_UP: "304", Outcome.BUSY: "486",
    Outcome.FAILED: "503", Outcome.REFUSED: "603",
}  # fmt: skip
LEAD = 1  # entityTypeId
COMMENTS = "crm.timeline.comment.list"
# A parcel's progress.
CALL, FINISHED, NOTED, SOUND, ENTITY = "call_id", "finished", "noted", "sound_tries", "entity"
ASKED, RENEWED = "asked", "registered_again"  # the step whose answer did not come; for the last time
_EXPIRED = {"expired_token", "invalid_token", "NO_AUTH_FOUND"}
_BARRED = BARRED | {404}  # a method that is not there: a wrong address, or telephony is switched off
_NO_SUCH_CALL = "Call is not found"
_NO_SUCH_USER = "User is not found"  # 400 like a call's own faults


def why_not(_options: Mapping[str, str], parcel: Parcel) -> Why | None:
    """Bitrix24 takes no call without a number."""
    return None if parcel.call.caller else Why.NOBODY


def _place(options: Mapping[str, str]) -> str:
    return options["address"].rstrip("/")


# The address to come back to stands in the application.
OAUTH = OAuth(
    authorize=lambda options: f"{_place(options)}/oauth/authorize/",
    token=lambda options: options.get("token_address") or TOKEN_ADDRESS,
    ask=oauth.by_query,
    says_redirect=False,
)


@dataclass(frozen=True)
class Portal:
    """The REST interface of a portal, as an application."""

    line: Line

    def ask(self, method: str, **what: Any) -> Any:
        """The result of a method; where the token has expired, with a fresh one. Raises Stop, Trouble."""
        reply = self.reply(method, **what)
        return result_of(reply, self.line)

    def reply(self, method: str, **what: Any) -> Reply:
        """The same, whatever was answered. Raises Stop, Trouble."""
        url = f"{_place(self.line.options)}/rest/{method}"
        return oauth.asked_with_access(
            OAUTH,
            self.line,
            lambda token: post_json(self.line, url, {**what, "auth": token}),
            lambda reply: reply.status == 401 and word_of(reply) in _EXPIRED,
        )


def result_of(reply: Reply, line: Line) -> Any:
    """What a method gave. Raises Stop with what its refusal means."""
    told = reply.json()
    if reply.ok and isinstance(told, dict) and "result" in told:
        return told["result"]
    answer = usual_answer(reply, line.now, _BARRED)
    broken = reply.ok or _NO_SUCH_USER in reply.text
    raise Stop(ours(answer) if broken else answer)


def word_of(reply: Reply) -> str:
    """The refusal's word: "expired_token", "ERROR_CORE"."""
    told = reply.json()
    return str(told.get("error") or "") if isinstance(told, dict) else ""


def registration_of(options: Mapping[str, str], call: CallFacts) -> dict[str, Any]:
    """The call as it is registered, after the fact: no card opens on anybody's screen."""
    return {
        "USER_ID": person_of(options, call, options["user_id"]),
        "PHONE_NUMBER": call.caller,
        "TYPE": TYPES[call.direction],
        "CALL_START_DATE": local(call.started_at, call).isoformat(timespec="seconds"),
        "CRM_CREATE": int(options.get("create") != "no" and may_be_new(call)),
        "CRM_SOURCE": options.get("source_id") or "CALL",
        "SHOW": 0,
        "ADD_TO_CHAT": 0,
        "LINE_NUMBER": call.number.lstrip("+"),
        "EXTERNAL_CALL_ID": call.key,
    }


def _tell(line: Line, parcel: Parcel) -> Answer:
    """Register, finish, say where it came from, attach the recording: each once."""
    portal, done = Portal(line), parcel.progress
    if CALL not in done:
        _register(portal, parcel)
    if FINISHED not in done:
        _finish(portal, parcel)
    if NOTED not in done:
        _note(portal, parcel, *done[ENTITY])
        done[NOTED] = True
    return _attach(portal, parcel)


def _register(portal: Portal, parcel: Parcel) -> None:
    told = portal.ask("telephony.externalCall.register", **registration_of(portal.line.options, parcel.call))
    if not isinstance(told, dict) or not told.get("CALL_ID"):
        raise Stop(Answer(False, f"It does not say which call that is: {str(told)[:100]}"))
    done = parcel.progress
    done[CALL] = told["CALL_ID"]
    done[ENTITY] = [told.get("CRM_ENTITY_TYPE"), told.get("CRM_ENTITY_ID"), told.get("CRM_CREATED_LEAD")]


def _finish(portal: Portal, parcel: Parcel) -> None:
    """Once: a call that is finished is not found any more."""
    call, done, options = parcel.call, parcel.progress, portal.line.options
    was_asked = done.get(ASKED) == FINISHED
    if not (was_asked and _is_in_statistics(portal, done[CALL])):
        status = STATUSES.get(call.outcome or Outcome.MISSED, "304")
        what = {"DURATION": seconds_of(call), "STATUS_CODE": status, "ADD_TO_CHAT": 0}
        user = person_of(options, call, options["user_id"])
        done[ASKED] = FINISHED
        reply = portal.reply("telephony.externalCall.finish", CALL_ID=done[CALL], USER_ID=user, **what)
        if was_answered(reply):
            del done[ASKED]
        lost = _NO_SUCH_CALL in reply.text
        if lost and not was_asked and not done.get(RENEWED):
            done[RENEWED] = True  # its registration ran out
            del done[CALL]
            raise Stop(ours(usual_answer(reply, portal.line.now)))
        if not (lost and was_asked):
            result_of(reply, portal.line)
    done.pop(ASKED, None)
    done[FINISHED] = True


def _is_in_statistics(portal: Portal, call_id: str) -> bool:
    """Whether a call is finished; to an application that may not look it is not. Raises Stop, Trouble."""
    reply = portal.reply("voximplant.statistic.get", FILTER={"CALL_ID": call_id})
    _go_on(portal, reply)
    told = reply.json()
    return reply.ok and isinstance(told, dict) and bool(told.get("result"))


def _note(portal: Portal, parcel: Parcel, kind: str | None, entity: Any, lead: Any) -> None:
    """The source: as marks of a lead that this call made, as a comment on whomever it belongs to.

    An application that may not is no reason to hold a call up. Raises Stop, Trouble.
    """
    call, done = parcel.call, parcel.progress
    if lead:
        fields: dict[str, Any] = dict(marks_of(call))
        _go_on(portal, portal.reply("crm.item.update", entityTypeId=LEAD, id=lead, fields=fields))
    if kind and entity:
        fields = comment_of(call, kind, entity)
        if not (done.get(ASKED) == NOTED and has_comment(portal.reply(COMMENTS, **whose(fields)), call)):
            done[ASKED] = NOTED
            reply = portal.reply("crm.timeline.comment.add", fields=fields)
            if was_answered(reply):
                del done[ASKED]
            _go_on(portal, reply)
    done.pop(ASKED, None)


def _go_on(portal: Portal, reply: Reply) -> None:
    """Unless the same is to be tried again. Raises Stop."""
    if is_transient(reply.status):
        raise Stop(usual_answer(reply, portal.line.now))


def was_answered(reply: Reply) -> bool:
    """Whether it is known what became of a request: a gateway on the way does not know."""
    return reply.status < 500 or bool(word_of(reply))


def whose(fields: Mapping[str, Any]) -> dict[str, Any]:
    """How the comments beside that one are asked for; unconfirmed."""
    return {"filter": {name: fields[name] for name in ("ENTITY_ID", "ENTITY_TYPE")}}


def has_comment(reply: Reply, call: CallFacts) -> bool:
    """Whether one of the comments leads to that call."""
    told = reply.json()
    rows = told.get("result") if reply.ok and isinstance(told, dict) else None
    return any(call.link in str(row.get("COMMENT")) for row in rows or () if isinstance(row, dict))


def marks_of(call: CallFacts) -> dict[str, str]:
    """The fields of a lead that say where it came from."""
    marks = {f"utm{name.capitalize()}": value for name, value in utm_of(call).items()}
    return {"sourceDescription": came_from(call), **marks}


def comment_of(call: CallFacts, kind: str, entity: Any) -> dict[str, Any]:
    """A comment in the timeline; the shape is unconfirmed. What is in brackets is a command there."""
    text = "\n".join(story_of(call)).replace("[", "(").replace("]", ")")
    return {"ENTITY_ID": entity, "ENTITY_TYPE": kind.lower(), "COMMENT": text}


def _attach(portal: Portal, parcel: Parcel) -> Answer:
    """The recording, if there is one. A call that has arrived is not given up for it."""
    done = parcel.progress
    if parcel.call.recording_link is None:
        return Answer(True, f"{done[CALL]}, without a recording")
    sound = parcel.call.sound(MOST_SOUND)
    if sound is None:
        return Answer(True, f"{done[CALL]}, without its recording: it is larger than {MOST_SOUND >> 20} MB")
    done[SOUND] = done.get(SOUND, 0) + 1
    what = {"CALL_ID": done[CALL], "FILENAME": sound.name, "FILE_CONTENT": in_base64(sound)}
    try:
        portal.ask("telephony.externalCall.attachRecord", **what)
    except (Stop, Trouble) as why:
        refused = isinstance(why, Stop) and why.answer.final
        if not refused and done[SOUND] < SOUND_TRIES:
            raise
        return Answer(True, f"{done[CALL]}, without its recording: {why}")
    return Answer(True, f"{done[CALL]}, with its recording")


def _check(line: Line, parcel: Parcel) -> Answer:
    """Look the caller up: that needs the same rights, and leaves nothing."""
    found = Portal(line).ask("telephony.externalCall.searchCrmEntities", PHONE_NUMBER=parcel.call.caller)
    return Answer(True, f"200 · {len(found)} known by that number")


KIND = Kind(
    word="bitrix24",
    title="Bitrix24",
    about=say("Each call with its recording in Bitrix24's telephony, with a lead for a new caller"),
    fields=(
        Field("address", say("Address"), say("Of your portal: https://shop.bitrix24.com"), FieldKind.URL),
        Field(
            "client_id",
            say("OAuth client id"),
            say("Of a local application with the rights telephony, crm and user: local.…"),
            FieldKind.SECRET,
        ),
        Field("client_secret", say("OAuth client secret"), say("There too"), FieldKind.SECRET),
        Field(
            "refresh_token",
            say("Refresh token"),
            say("Empty: connect the destination when it is added; renewed by itself, as long as calls come"),
            FieldKind.SECRET,
            required=False,
        ),
        Field(
            "user_id",
            say("User"),
            say("The id of the user whose calls are nobody's: the number in the address of the profile"),
            form=r"\d{1,9}",
        ),
        people_field("Bitrix24"),
        Field(
            "create",
            say("Leads for new callers"),
            say("Create a lead, or a contact, for a number that is not known there"),
            FieldKind.YES_NO,
            required=False,
            usual="yes",
        ),
        Field(
            "source_id",
            say("Source"),
            say("The code of a source of your CRM that new leads get"),
            required=False,
            usual="CALL",
            form=r"[A-Za-z0-9_|]{1,50}",
        ),
        Field(
            "token_address",
            say("Address for tokens"),
            say("Where access tokens are fetched"),
            FieldKind.URL,
            required=False,
            usual=TOKEN_ADDRESS,
        ),
    ),
    timings=AFTER_RECORDING,
    usual_events=(Event.COMPLETED,),
    send=one_by_one(_tell),
    test=one_by_one(_check),
    why_not=why_not,
    outgoing=True,
    oauth=OAUTH,
)
