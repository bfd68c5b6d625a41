"""Channels: static sources that own numbers."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from tracker import channels, numbers, owned
from tracker.models import Channel
from tracker.policy.channel_groups import ChannelGroup
from web.house import row_id
from web.settings.forms import EMPTY, Form, attempt, differing, text
from web.settings.room import changing, reading, show

pages = Blueprint("settings_channels", __name__)

WORDS = ("source", "medium", "campaign", "keyword", "shown_to")
FIELDS = {"channel.text": ("name", *WORDS), "channel.duplicate": ("name",)}


@pages.get("/settings/<company>/channels")
def index(company: str) -> str:
    """The company's channels, each with its numbers."""
    with reading(company) as (session, owner):
        found = numbers.listed(session, owner)
        rows = [
            (each, [it.number for it in found if it.channel is each])
            for each in channels.channels_of(session, owner)
        ]
        return show(session, owner, "channels.html", rows=rows)


@pages.get("/settings/<company>/channels/add")
def add_form(company: str) -> str:
    """Asks for the words of a new channel."""
    return _add(company, EMPTY)


@pages.post("/settings/<company>/channels/add")
def add(company: str) -> Response:
    """Adds the channel `name` with `source`, `medium`, `campaign`, `keyword`, `shown_to`."""

    def change() -> str:
        with changing(company) as (session, owner, by):
            given = {name: text(name) or None for name in WORDS if name != "medium"}
            made = channels.add_channel(
                session, by, owner, text("name"), medium=text("medium") or "offline", **given
            )
            return f"/settings/{company}/channels/{made.id}?saved"

    return attempt(change, lambda form: _add(company, form), FIELDS)


@pages.get("/settings/<company>/channels/<channel>")
def channel_form(company: str, channel: str) -> str:
    """A channel's words and its numbers."""
    return _page(company, channel, EMPTY)


@pages.post("/settings/<company>/channels/<channel>")
def change(company: str, channel: str) -> Response:
    """Changes the channel's words, or deletes it (`do` is `delete`)."""

    def act() -> str:
        with changing(company) as (session, owner, by):
            found = owned.find(session, Channel, owner.id, row_id(channel))
            if text("do") == "delete":
                channels.delete_channel(session, by, found)
                return f"/settings/{company}/channels?saved"
            names = ("name", *WORDS)
            present = {name: getattr(found, name) or "" for name in names}
            if wish := differing({name: text(name) for name in names}, present):
                channels.change_channel(session, by, owner, found, **wish)
        return f"/settings/{company}/channels/{channel}?saved"

    return attempt(act, lambda form: _page(company, channel, form), FIELDS)


def _add(company: str, form: Form) -> str:
    with reading(company) as (session, owner):
        return show(session, owner, "channel.html", form=form, channel=None, groups=tuple(ChannelGroup))


def _page(company: str, channel: str, form: Form) -> str:
    with reading(company) as (session, owner):
        found = owned.find(session, Channel, owner.id, row_id(channel))
        mine = numbers.listed(session, owner, place=found)
        more = {"channel": found, "numbers": mine, "groups": tuple(ChannelGroup)}
        return show(session, owner, "channel.html", form=form, **more)
