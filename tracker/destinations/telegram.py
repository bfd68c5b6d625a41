"""Notices to a Telegram chat by a bot of yours (https://core.telegram.org/bots/api#sendmessage).

Plain text, so that nothing in a name or a campaign is taken for a format.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tracker.destinations.kind import BARRED, Field, FieldKind, Kind, Line, Parcel, post_json, usual_answer
from tracker.destinations.notices import RESTRICTIONS, TIMINGS, USUAL_EVENTS, notice_of, why_not
from tracker.errors import say
from tracker.outside import Reply, Trouble
from tracker.policy.notice_text import Notice
from tracker.policy.telling import Answer

ADDRESS = "https://api.telegram.org"
LONGEST = 4096  # characters of a message
# What a 400 says where the chat is wrong rather than the message; unconfirmed.
_OF_THE_CHAT = (
    "chat not found",
    "group chat was upgraded",
    "not enough rights",
    "chat_id",
    "thread not found",
)


def send(line: Line, parcels: Sequence[Parcel]) -> Iterator[Answer]:
    """One message a parcel."""
    address = (line.options.get("address") or ADDRESS).rstrip("/")
    url = f"{address}/bot{line.secrets['token']}/sendMessage"
    for parcel in parcels:
        told: dict[str, Any] = {
            "chat_id": line.options["chat_id"],
            "text": text_of(notice_of(line, parcel)),
            "link_preview_options": {"is_disabled": True},
        }
        if topic := line.options.get("topic_id"):
            told["message_thread_id"] = int(topic)
        try:
            yield meaning(post_json(line, url, told), line)
        except Trouble as trouble:
            yield Answer(False, str(trouble))


def text_of(notice: Notice) -> str:
    """The message: the address stands last, and is never cut."""
    end = f"\n{notice.link}"
    return "\n".join((notice.head, *notice.lines))[: LONGEST - len(end)] + end


def meaning(reply: Reply, line: Line) -> Answer:
    """What an answer means: 404 is a wrong token; how long to wait stands in the body."""
    answer = usual_answer(reply, line.now, BARRED | {404})
    told = reply.json()
    if not isinstance(told, dict):
        return answer
    if reply.status == 400:
        said = str(told.get("description", "")).lower()
        return replace(answer, final=not any(each in said for each in _OF_THE_CHAT))
    more = told.get("parameters")
    wait = more.get("retry_after") if isinstance(more, dict) else None
    return replace(answer, retry_after=timedelta(seconds=wait)) if isinstance(wait, int) else answer


KIND = Kind(
    word="telegram",
    title="Telegram",
    about=say("A message to a chat for each call, in the company's language"),
    fields=(
        Field(
            "token",
            say("Token of the bot"),
            say("As @BotFather gives it: 123456789:AA…"),
            FieldKind.SECRET,
            form=r"\d{5,20}:[A-Za-z0-9_-]{20,80}",
        ),
        Field(
            "chat_id",
            say("Chat"),
            say("Its id, with a minus for a group, or @name of a public channel; the bot is a member"),
            form=r"-?\d{1,20}|@[A-Za-z]\w{3,40}",
        ),
        Field(
            "topic_id",
            say("Topic"),
            say("Of a group with topics: the number in the address of one of its messages"),
            required=False,
            form=r"\d{1,10}",
        ),
        *RESTRICTIONS,
        Field("address", say("Address"), say("Of the API"), FieldKind.URL, required=False, usual=ADDRESS),
    ),
    timings=TIMINGS,
    usual_events=USUAL_EVENTS,
    send=send,
    why_not=why_not,
)
