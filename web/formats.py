"""How values look: durations, instants in the company's zone, telephone numbers, waveforms."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from babel.dates import format_date
from flask import Flask
from flask_babel import gettext

from tracker import calls
from tracker.messages import is_message
from tracker.policy.phone import display
from tracker.policy.rights import Right
from web import alerts, board, columns, filters, guard_words, refusals, timeline, words
from web.actions import action_words
from web.house import house
from web.languages import language
from web.viewer import viewer

# Unicode's letters, in the order in which each language says them: weekday, day, month; the month alone.
DATES = {
    "en": ("EEEE d MMMM", "EEE d MMM", "d MMMM", " y"),
    "ru": ("EEEE, d MMMM", "EEE, d MMM", "d MMMM", " y 'г'."),
    "uk": ("EEEE, d MMMM", "EEE, d MMM", "d MMMM", " y 'р'."),
    "pl": ("EEEE, d MMMM", "EEE, d MMM", "d MMMM", " y"),
}
LONG, SHORT, BARE = range(3)


def install(app: Flask) -> None:
    """Gives the templates their vocabulary."""
    app.jinja_env.filters.update(
        duration=duration, clock=clock, clock_seconds=clock_seconds, day=day, moment=moment, iso=iso,
        day_ago=day_ago, moment_in=moment_in,
        phone=phone, short_url=timeline.short_url, plain=words.plain, readable=timeline.readable,
    )  # fmt: skip
    app.jinja_env.tests["is_named"] = words.is_named
    app.jinja_env.globals.update(
        asset=_asset,
        badge=words.badge,
        source_of=calls.source_of,
        source_of_visit=calls.source_of_visit,
        candidate_source=words.candidate_source,
        certainty=words.certainty,
        percent=words.percent,
        reasons=words.reasons,
        why=words.why,
        touch_words=words.touch_words,
        BASES=words.BASES,
        DEVICES=words.DEVICES,
        MISSED=words.MISSED,
        WITHOUT=words.WITHOUT,
        meter=board.meter,
        crowd_title=board.crowd_title,
        crowd_detail=board.crowd_detail,
        SOURCES_SHOWN=board.SOURCES,
        source_title=words.source_title,
        source_detail=words.source_detail,
        shown_caller=calls.shown_caller,
        answered_by=calls.answered_by,
        recording_state=calls.recording_state,
        is_message=is_message,
        message_words=words.message_words,
        RECORDINGS=words.RECORDINGS,
        NO_NUMBER=words.NO_NUMBER,
        SIDES=words.SIDES,
        wave=wave,
        peaks_of=words.peaks_of,
        quiet_of=words.quiet_of,
        best_kind=words.best_kind,
        worth_of=words.worth_of,
        suggestion_words=words.suggestion_words,
        hand_words=words.hand_words,
        CATEGORIES=words.CATEGORIES,
        ROLES=words.ROLES,
        OUTCOMES=words.OUTCOMES,
        PERIODS=filters.PERIODS,
        UNASKED=filters.UNASKED,
        FLAGS=filters.FLAGS,
        WAYS=filters.WAYS,
        RECOVERED=filters.RECOVERED,
        SPAM_WISHES=filters.SPAM_WISHES,
        SPAM=guard_words.SPAM,
        kept_words=guard_words.kept_words,
        why_words=guard_words.why_words,
        callers_words=guard_words.callers_words,
        DIRECTIONS=words.DIRECTIONS,
        administers=alerts.administers,
        alert_words=alerts.alert_words,
        may_mark=alerts.may_mark,
        open_alerts=alerts.open_alerts,
        shown_columns=columns.shown_columns,
        offered_columns=columns.offered_columns,
        MANY_COLUMNS=columns.MANY,
        may_judge=lambda call: viewer().may(Right.JUDGE, call.company_id),
        in_words=refusals.in_words,
        retold=refusals.retold,
        translated=refusals.translated,
        action_words=action_words,
        server_now=lambda: house().clock(),
    )


def _asset(name: str) -> str:
    return house().assets.url(name)


def duration(seconds: float | None) -> str:
    """m:ss, from an hour on h:mm:ss; "–" for nothing."""
    if seconds is None:
        return "–"
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def clock(at: datetime) -> str:
    return f"{at.astimezone(viewer().zone):%H:%M}"


def clock_seconds(at: datetime) -> str:
    return f"{at.astimezone(viewer().zone):%H:%M:%S}"


def day(at: datetime) -> str:
    """Today, Yesterday, or the date; the year when it is not this one."""
    local, ago = _local(at)
    if ago in {0, 1}:
        return gettext("Yesterday") if ago else gettext("Today")
    said = _date(local, LONG)
    return said[0].upper() + said[1:]


def moment(at: datetime) -> str:
    """The instant in a line of a list: "Today, 14:31", "Wed 18 Nov, 14:31"."""
    local, ago = _local(at)
    return f"{day(at) if ago in {0, 1} else _date(local, SHORT)}, {clock(at)}"


def moment_in(at: datetime) -> str:
    """The instant in the middle of a sentence: "today, 14:31", "Wed 18 Nov, 14:31"."""
    local, ago = _local(at)
    near = gettext("yesterday") if ago else gettext("today")
    return f"{near if ago in {0, 1} else _date(local, SHORT)}, {clock(at)}"


def day_ago(at: datetime) -> str:
    """The day in the middle of a sentence: "today", "yesterday", "on 2 November"."""
    local, ago = _local(at)
    if ago in {0, 1}:
        return gettext("yesterday") if ago else gettext("today")
    return gettext("on %(date)s", date=_date(local, BARE))


def _local(at: datetime) -> tuple[date, int]:
    """The viewer's date of an instant, and how many days ago it was."""
    zone = viewer().zone
    local = at.astimezone(zone).date()
    return local, (house().clock().astimezone(zone).date() - local).days


def _date(local: date, length: int) -> str:
    """A date as the page's language writes it, with the year when it is not the viewer's present one."""
    this_year = house().clock().astimezone(viewer().zone).year
    pattern = DATES[language()][length] + ("" if local.year == this_year else DATES[language()][-1])
    return str(format_date(local, pattern, locale=language()))


def iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def phone(e164: str, region: str) -> str:
    return display(e164, region)


def wave(pairs: Iterable[tuple[int, int]], side: int) -> str:
    """An SVG path of one side: bars 2 wide every 3, upwards (caller, 0) or downwards (company, 1) from 24."""
    bars = []
    for index, pair in enumerate(pairs):
        # Speech is mostly quiet: the root lifts it to where an eye can read it.
        height = max(0.7, round(23 * (pair[side] / 100) ** 0.7, 1))
        top, down = (24 - height, height) if side == 0 else (24, height)
        bars.append(f"M{index * 3} {top:g}h2v{down:g}h-2z")
    return "".join(bars)
