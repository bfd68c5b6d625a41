"""Notices to a Slack channel by an incoming webhook (https://api.slack.com/messaging/webhooks).

What comes from outside stands in plain text only, so that no campaign can call a whole channel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from tracker.destinations.kind import BARRED, Field, FieldKind, Kind, Line, Parcel, post_json, usual_answer
from tracker.destinations.notices import RESTRICTIONS, TIMINGS, USUAL_EVENTS, notice_of, why_not
from tracker.errors import say
from tracker.outside import Reply, Trouble
from tracker.policy.notice_text import Notice
from tracker.policy.telling import Answer

HEAD_LONGEST, TEXT_LONGEST = 150, 3000  # characters of a header block, of a section
# What a 400 says where the webhook is wrong rather than the message; unconfirmed.
_OF_THE_HOOK = frozenset({"invalid_token", "no_service", "channel_not_found", "user_not_found"})
_BARRED = BARRED | {404, 410}  # no such webhook; the channel is archived, and may be opened again


def send(line: Line, parcels: Sequence[Parcel]) -> Iterator[Answer]:
    """One message a parcel."""
    for parcel in parcels:
        try:
            reply = post_json(line, line.secrets["url"], body_of(notice_of(line, parcel)))
        except Trouble as trouble:
            yield Answer(False, str(trouble))
            continue
        yield meaning(reply, line)


def body_of(notice: Notice) -> dict[str, Any]:
    """The message in blocks; `text` is what a phone shows of it."""
    return {
        "text": escaped(notice.head),
        "blocks": [
            {"type": "header", "text": _plain(notice.head, HEAD_LONGEST)},
            {"type": "section", "text": _plain("\n".join(notice.lines), TEXT_LONGEST)},
            {
                "type": "section",
                "text": {"type": "mrkdwn", "text": f"<{notice.link}|{escaped(notice.open)}>"},
            },
        ],
    }


def escaped(text: str) -> str:
    """Text in which Slack finds no mention and no link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def meaning(reply: Reply, line: Line) -> Answer:
    """What an answer means: "ok", or a word for what is wrong."""
    answer = usual_answer(reply, line.now, _BARRED)
    return replace(answer, final=False) if reply.text.strip() in _OF_THE_HOOK else answer


def _plain(text: str, longest: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": text[:longest], "emoji": False}


KIND = Kind(
    word="slack",
    title="Slack",
    about=say("A message to a channel for each call, in the company's language"),
    fields=(
        Field(
            "url",
            say("Address of the webhook"),
            say("As Slack gives it: https://hooks.slack.com/services/…; who has it can post there"),
            FieldKind.SECRET,
            form=r"https?://[!-~]{5,400}",
        ),
        *RESTRICTIONS,
    ),
    timings=TIMINGS,
    usual_events=USUAL_EVENTS,
    send=send,
    why_not=why_not,
)
