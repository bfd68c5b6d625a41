"""How values look: durations, instants in the company's zone, telephone numbers, waveforms."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from flask import Flask

from tracker import calls
from tracker.policy.phone import display
from tracker.policy.rights import Right
from web import board, filters, timeline, words
from web.house import house
from web.viewer import viewer


def install(app: Flask) -> None:
    """Gives the templates their vocabulary."""
    app.jinja_env.filters.update(
        duration=duration, clock=clock, clock_seconds=clock_seconds, day=day, moment=moment, iso=iso,
        day_ago=day_ago,
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
        recording_state=calls.recording_state,
        recording_reason=words.recording_reason,
        RECORDINGS=words.RECORDINGS,
        NO_NUMBER=words.NO_NUMBER,
        BY=words.BY,
        wave=wave,
        peaks_of=words.peaks_of,
        quiet_of=words.quiet_of,
        best_kind=words.best_kind,
        worth_of=words.worth_of,
        suggestion_words=words.suggestion_words,
        CATEGORIES=words.CATEGORIES,
        ROLES=words.ROLES,
        OUTCOMES=words.OUTCOMES,
        PERIODS=filters.PERIODS,
        FLAGS=filters.FLAGS,
        administers=lambda: any(viewer().may(Right.ADMINISTER, it.id) for it in viewer().companies),
        may_judge=lambda call: viewer().may(Right.JUDGE, call.company_id),
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
    zone = viewer().zone
    local, today = at.astimezone(zone).date(), house().clock().astimezone(zone).date()
    if local == today:
        return "Today"
    if local == today - timedelta(days=1):
        return "Yesterday"
    return f"{local:%A} {local.day} {local:%B}" + (f" {local.year}" if local.year != today.year else "")


def moment(at: datetime) -> str:
    """The instant in a line of a list: "Today, 14:31", "Wed 18 Nov, 14:31"."""
    word = day(at)
    if " " in word:
        local = at.astimezone(viewer().zone)
        word = f"{local:%a} {local.day} {local:%b}" + word[len(f"{local:%A} {local.day} {local:%B}") :]
    return f"{word}, {clock(at)}"


def day_ago(at: datetime) -> str:
    """The day in the middle of a sentence: "today", "yesterday", "on Monday 2 November"."""
    word = day(at)
    return f"on {word}" if " " in word else word.lower()


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
