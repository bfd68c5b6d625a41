"""Channels: static sources that own numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from tracker import named, scopes
from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Call, Channel, ChannelRent, Company, Cost, ReportedCall
from tracker.named import numbers_in_use
from tracker.policy.entries import read_title
from tracker.policy.uses import uses_of

__all__ = [
    "add_channel", "change_channel", "channels_of", "delete_channel", "get_channel", "numbers_in_use",
]  # fmt: skip


def add_channel(
    session: Session,
    by: By,
    company: Company,
    name: str,
    *,
    source: str | None = None,
    medium: str = "offline",
    campaign: str | None = None,
    keyword: str | None = None,
    shown_to: str | None = None,
) -> Channel:
    """A new static source; without `source` its name is the source. Raises Rejected channel.*.

    Website visitors who get no number of their own are shown one of this channel's if their source or
    channel group is `shown_to` ("*": whatever it is).
    """
    channel = Channel(
        company_id=company.id,
        name=named.free_name(session, Channel, company, name),
        source=read_title(source or name, "channel", 200),
        medium=read_title(medium, "channel"),
        campaign=read_title(campaign, "channel", 200) if campaign else None,
        keyword=read_title(keyword, "channel", 200) if keyword else None,
        shown_to=read_title(shown_to, "channel") if shown_to else None,
        created_at=by.at,
    )
    session.add(channel)
    session.flush()
    by.note(session, "channel.add", company.id, subject=channel.name, detail={"source": channel.source})
    return channel


def change_channel(
    session: Session,
    by: By,
    company: Company,
    channel: Channel,
    *,
    name: str | None = None,
    shown_to: str | None = None,
    **changes: str | None,
) -> Channel:
    """Change what is given of name, source, medium, campaign, keyword ("": none), shown_to ("": to nobody).

    Past calls show the new words.
    """
    given = {key: text for key, text in changes.items() if text is not None}
    for key, text in given.items():
        empty = key in {"campaign", "keyword"} and not text
        setattr(channel, key, None if empty else read_title(text, "channel", 100 if key == "medium" else 200))
    if name is not None and name != channel.name:
        channel.name = given["name"] = named.free_name(session, Channel, company, name)
    if shown_to is not None:
        channel.shown_to = read_title(shown_to, "channel") if shown_to else None
        given["shown_to"] = shown_to
    by.note(session, "channel.change", channel.company_id, subject=channel.name, detail=dict(given))
    return channel


def get_channel(session: Session, company: Company, name: str) -> Channel:
    """The company's channel by its name. Raises Rejected channel.unknown, naming those there are."""
    return named.get(session, Channel, company, name)


def channels_of(session: Session, company: Company) -> Sequence[Channel]:
    """The company's channels by name."""
    return named.listed(session, Channel, company)


def delete_channel(session: Session, by: By, channel: Channel) -> None:
    """Delete a channel that never had a number. Raises Rejected channel.in_use."""
    uses = named.number_uses(session, channel)
    told = named.count(session, ReportedCall, ReportedCall.channel_id == channel.id)
    calls = max(told, named.count(session, Call, Call.channel_id == channel.id))
    paid = named.count(session, Cost, Cost.channel_id == channel.id)
    due = named.count(session, ChannelRent, ChannelRent.channel_id == channel.id)
    uses += uses_of((calls, "call"), (paid, "cost"), (due, "rent"))
    if uses:
        raise Rejected(
            "channel.in_use",
            "channel %(name)r is used by %(uses)s",
            "Move its numbers elsewhere; what has history stays",
            name=channel.name,
            uses=uses,
        )
    scopes.forget(session, channel)
    session.delete(channel)
    by.note(session, "channel.delete", channel.company_id, subject=channel.name)


def describe(session: Session, channel: Channel) -> dict[str, Any]:
    """A channel as JSON, with how many numbers it owns."""
    return {
        "id": channel.id,
        "name": channel.name,
        "medium": channel.medium,
        "source": channel.source,
        "campaign": channel.campaign,
        "keyword": channel.keyword,
        "shown_to": channel.shown_to,
        "numbers": named.numbers_in_use(session, channel),
        "created_at": channel.created_at,
    }
