"""The filter of calls as options: the same words as in the page's address and the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

import click

if TYPE_CHECKING:
    from tracker.policy.call_filter import CallFilter

Command = TypeVar("Command", bound=Callable[..., Any])

PERIODS = "today, yesterday, 7d, 30d, 90d, last_week, this_month, last_month"
HELP = {
    "period": f"Days without dates: {PERIODS}.",
    "since": "From this day on, as 2026-11-20, or 2026-11-20T14:30, in the company's time zone.",
    "until": "Until this day, which is included; with a time of day, until then.",
    "hour": "In this hour of the week, as mon-14 (needs a period); may be repeated.",
    "direction": "in, out, callback, or any for all; may be repeated. Without it: calls that reports count.",
    "spam": "only, or also for all calls. Without it: calls that are no spam.",
    "outcome": "answered, missed, busy, failed, gave-up or refused; may be repeated.",
    "category": "target, service, non-target, or none for calls not judged yet; may be repeated.",
    "channel": "Of this channel.",
    "site": "From this website.",
    "group": 'From this channel group, as "Paid Search".',
    "medium": "From this medium.",
    "source": "From this source.",
    "campaign": "From this campaign.",
    "keyword": "From this keyword.",
    "ad": "Of this ad (utm_content).",
    "landing": "Whose visit began with this page, as shop.example/pallets, without what follows its path.",
    "country": "From a visitor in this country (ISO 3166).",
    "device": "From a visitor on a phone, tablet, desktop, other.",
    "region": "From a telephone number of this country (ISO 3166).",
    "kind": "dynamic (a visitor's own number), static (a channel's), known-caller (of an earlier call).",
    "delay": "So long after the visit began: under-1m, 1m-5m, 5m-30m, 30m-1h, 1h-24h, over-24h.",
    "without": "Without a campaign, keyword, ad, landing, site, country, device, delay (no visit), employee, "
    "tag or region; may be repeated.",
    "number": "To this number of ours, in E.164.",
    "answered_by": "Answered by this target.",
    "tag": "With this tag.",
    "repeat": "yes: callers who have called before; no: first calls.",
    "uncertain": "yes: the source is uncertain; no: it is not.",
    "attributed": "yes: something says where the call came from; no: nothing does.",
    "beside": "Not from channel/NAME, GROUP/SOURCE, or none (not attributed); may be repeated.",
    "known": "yes: the caller's number is known; no: it is not.",
    "missed_by": "This target rang and did not take it.",
    "recovered": "Missed, and spoken to since: no, yes, us (we called back), self (he called again).",
    "recorded": "yes: there is a recording to hear; no: there is none.",
    "message": "yes: the caller left a message; no: he left none.",
    "talk_from": "Talk of at least so many seconds.",
    "talk_to": "Talk of at most so many seconds.",
    "value_from": "Worth at least so much money, in the company's currency.",
    "value_to": "Worth at most so much money.",
    "q": "Part of the caller's number or name, or of a note.",
}


def filter_options(command: Command) -> Command:
    """One option a word of the filter; the command gets them all as `wanted`."""
    for name, text in reversed(HELP.items()):
        command = click.option(f"--{name.replace('_', '-')}", name, multiple=True, metavar="TEXT", help=text)(
            command
        )
    return command


def filter_of(wanted: Mapping[str, Any], zone: ZoneInfo, now: datetime) -> CallFilter:
    """What these options ask for. Raises Rejected `filter.malformed`."""
    from tracker.policy.call_filter import read_filter

    return read_filter(dict(wanted), zone, now.astimezone(zone).date())
